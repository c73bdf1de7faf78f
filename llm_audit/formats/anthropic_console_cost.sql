-- format: anthropic_console_cost
-- title: Anthropic Console cost CSV (claude_api_cost_….csv), every layout since 2024-03
-- docs: platform.claude.com/cost, "Export"
-- reader: json
-- yields: usage_buckets
-- may_lack: list_price_usd, cost_type, inference_geo, speed, api_key_id, api_key_status
-- detect: usage_date_utc, model, cost_usd
-- tokens: no counts; dollars rounded to cents. The model is a display name, kept as written.
-- columns:
--   usage_date_utc: VARCHAR
--   model: VARCHAR
--   api_key: VARCHAR
--   api_key_id: VARCHAR
--   api_key_status: VARCHAR
--   workspace: VARCHAR
--   usage_type: VARCHAR
--   context_window: VARCHAR
--   token_type: VARCHAR
--   cost_type: VARCHAR
--   cost_usd: VARCHAR
--   list_price_usd: VARCHAR
--   inference_geo: VARCHAR
--   speed: VARCHAR
--   other_dimensions: VARCHAR
SELECT
  usage_date_utc IS NOT NULL AND cost_usd IS NOT NULL AS recognised,
  bad_amount('cost_usd', cost_usd) AS reject_reason,
  to_time(usage_date_utc) AS bucket_start,
  to_time(usage_date_utc)
    + CASE WHEN length(trim(usage_date_utc)) <= 10 THEN INTERVAL 1 DAY ELSE INTERVAL 1 HOUR END
    AS bucket_end,
  'anthropic' AS provider_name,
  model,
  to_export_tier(usage_type) AS service_tier,
  COALESCE(if_known(api_key), api_key_id) AS api_key,
  MAP {
    'api_key_id': CASE WHEN if_known(api_key) IS NOT NULL THEN api_key_id END,
    'context_window': context_window,
    'cost_type': cost_type,
    'inference_geo': if_known(inference_geo),
    'other': other_dimensions,
    'speed': speed,
    'token_type': token_type,
    'usage_type': CASE WHEN to_export_tier(usage_type) IS NULL THEN usage_type END,
    'workspace': workspace
  } AS export_keys,
  [charged(
    CASE
      WHEN token_type = 'input_no_cache' THEN 'input'
      WHEN token_type = 'input_cache_read' THEN 'cached_input'
      WHEN token_type IN ('input_cache_write', 'input_cache_write_5m') THEN 'cache_write_5m'
      WHEN token_type = 'input_cache_write_1h' THEN 'cache_write_1h'
      WHEN token_type = 'output' THEN 'output'
      WHEN cost_type = 'web_search' THEN 'web_search'
      WHEN cost_type = 'code_execution' THEN 'code_execution'
      WHEN cost_type IN ('session', 'session_usage') THEN 'session'
      ELSE 'cost'
    END,
    NULL,
    to_amount(cost_usd)
  )] AS quantities
FROM raw
