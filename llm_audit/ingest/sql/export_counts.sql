-- What became of the records of each export.
SELECT
  export_records.source_file,
  count(*) FILTER (export_ranks.ordinal IS NULL) AS kept,
  count(*) FILTER (export_ranks.ordinal IS NOT NULL) AS duplicates,
  sum(CASE WHEN export_ranks.ordinal IS NULL THEN len(quantities) ELSE 0 END) AS buckets
FROM export_records
LEFT JOIN export_ranks ON export_ranks.ordinal = export_records.rowid
GROUP BY export_records.source_file
