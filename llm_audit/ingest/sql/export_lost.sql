-- The booked rows of known records that a new one surpasses.
SELECT
  usage_buckets.rowid AS bucket_row,
  usage_buckets.source_file,
  usage_buckets.source_line,
  export_ranks.identity
FROM export_ranks
JOIN usage_buckets
  ON usage_buckets.source_file = export_ranks.source_file
  AND usage_buckets.source_page IS NOT DISTINCT FROM export_ranks.source_page
  AND export_ranks.identity = record_identity(
    usage_buckets.source_format, usage_buckets.bucket_start, usage_buckets.bucket_end,
    usage_buckets.provider_name, usage_buckets.model, usage_buckets.service_tier,
    usage_buckets.api_key, usage_buckets.export_keys)
WHERE export_ranks.ordinal IS NULL AND usage_buckets.token_kind <> 'nothing'
