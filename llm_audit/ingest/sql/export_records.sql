-- The records that can be booked, with their place and what makes them the same as another.
SELECT
  places.source_file,
  places.first_line + export_lines.rowid - places.first_ordinal AS source_line,
  pages.source_page,
  places.source_format,
  export_lines.* EXCLUDE (recognised, reject_reason),
  record_identity(places.source_format, bucket_start, bucket_end, provider_name, model,
    service_tier, api_key, export_keys) AS identity
FROM export_lines
ASOF JOIN places ON export_lines.rowid >= places.first_ordinal
JOIN export_pages AS pages ON pages.ordinal = export_lines.rowid
WHERE export_lines.recognised AND export_lines.reject_reason IS NULL
ORDER BY export_lines.rowid
