-- The records that cannot be booked, and why; no reason: it only looks like this format.
SELECT
  export_lines.rowid AS ordinal,
  places.source_file,
  places.first_line + export_lines.rowid - places.first_ordinal AS source_line,
  CASE WHEN export_lines.recognised THEN export_lines.reject_reason END AS reason
FROM export_lines
ASOF JOIN places ON export_lines.rowid >= places.first_ordinal
WHERE NOT export_lines.recognised OR export_lines.reject_reason IS NOT NULL
ORDER BY export_lines.rowid
