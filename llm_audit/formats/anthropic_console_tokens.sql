-- format: anthropic_console_tokens
-- title: Anthropic Console usage CSV (claude_api_tokens_….csv)
-- docs: platform.claude.com/usage, "Export"
-- reader: json
-- yields: usage_buckets
-- may_lack: web_search_count, inference_geo, speed
-- detect: usage_date_utc, model_version, usage_output_tokens
-- tokens: uncached, read and written tokens are disjoint. No number of calls anywhere.
-- columns:
--   usage_date_utc: VARCHAR
--   model_version: VARCHAR
--   api_key: VARCHAR
--   api_key_id: VARCHAR
--   api_key_status: VARCHAR
--   workspace: VARCHAR
--   usage_type: VARCHAR
--   context_window: VARCHAR
--   usage_input_tokens_no_cache: VARCHAR
--   usage_input_tokens_cache_write_5m: VARCHAR
--   usage_input_tokens_cache_write_1h: VARCHAR
--   usage_input_tokens_cache_read: VARCHAR
--   usage_output_tokens: VARCHAR
--   web_search_count: VARCHAR
--   inference_geo: VARCHAR
--   speed: VARCHAR
--   file_name: VARCHAR
--   other_dimensions: VARCHAR
SELECT
  usage_date_utc IS NOT NULL AND usage_output_tokens IS NOT NULL AS recognised,
  COALESCE(
    bad_quantity('usage_input_tokens_no_cache', usage_input_tokens_no_cache),
    bad_quantity('usage_input_tokens_cache_write_5m', usage_input_tokens_cache_write_5m),
    bad_quantity('usage_input_tokens_cache_write_1h', usage_input_tokens_cache_write_1h),
    bad_quantity('usage_input_tokens_cache_read', usage_input_tokens_cache_read),
    bad_quantity('usage_output_tokens', usage_output_tokens),
    bad_quantity('web_search_count', web_search_count)
  ) AS reject_reason,
  to_time(usage_date_utc) AS bucket_start,
  -- A date in a month's file, an hour in a day's, a minute in the file of one hour (…_09h_UTC.csv).
  to_time(usage_date_utc) + CASE
    WHEN length(trim(usage_date_utc)) <= 10 THEN INTERVAL 1 DAY
    WHEN regexp_matches(file_name, '_[0-9]{2}h') OR minute(to_time(usage_date_utc)) <> 0
      THEN INTERVAL 1 MINUTE
    ELSE INTERVAL 1 HOUR
  END AS bucket_end,
  'anthropic' AS provider_name,
  model_version AS model,
  to_export_tier(usage_type) AS service_tier,
  COALESCE(if_known(api_key), api_key_id) AS api_key,
  MAP {
    'api_key_id': CASE WHEN if_known(api_key) IS NOT NULL THEN api_key_id END,
    'context_window': context_window,
    'inference_geo': if_known(inference_geo),
    'other': other_dimensions,
    'speed': speed,
    'usage_type': CASE WHEN to_export_tier(usage_type) IS NULL THEN usage_type END,
    'workspace': workspace
  } AS export_keys,
  [
    measured('input', to_quantity(usage_input_tokens_no_cache)),
    measured('cached_input', to_quantity(usage_input_tokens_cache_read)),
    measured('cache_write_5m', to_quantity(usage_input_tokens_cache_write_5m)),
    measured('cache_write_1h', to_quantity(usage_input_tokens_cache_write_1h)),
    measured('output', to_quantity(usage_output_tokens)),
    measured('web_search', to_quantity(web_search_count))
  ] AS quantities
FROM raw
