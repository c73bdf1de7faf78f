-- The rows of the records that are kept, as they are booked.
SELECT
  source_file,
  source_line,
  source_page,
  source_format,
  bucket_start,
  bucket_end,
  provider_name,
  model,
  service_tier,
  entry.token_kind,
  entry.quantity,
  entry.amount_usd,
  api_key,
  export_keys,
  identity AS record_id
FROM (
  SELECT *, rowid AS ordinal, unnest(quantities) AS entry FROM export_records
)
WHERE ordinal NOT IN (SELECT ordinal FROM export_ranks WHERE ordinal IS NOT NULL)
ORDER BY ordinal
