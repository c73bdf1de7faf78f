-- format: anthropic_usage_report
-- title: Anthropic Admin API usage report, as pages
-- docs: platform.claude.com/docs/en/api/admin-api/usage-cost/get-messages-usage-report
-- reader: json
-- yields: usage_buckets
-- records: data[].results[]
-- records: results[]
-- detect: data[].starting_at, data[].results[].uncached_input_tokens
-- detect: data[].starting_at, has_more
-- detect: starting_at, ending_at, results
-- tokens: uncached, read and written tokens are disjoint.
-- columns:
--   starting_at: VARCHAR
--   ending_at: VARCHAR
--   uncached_input_tokens: VARCHAR
--   cache_read_input_tokens: VARCHAR
--   cache_creation: JSON
--   output_tokens: VARCHAR
--   server_tool_use: JSON
--   model: VARCHAR
--   service_tier: VARCHAR
--   context_window: VARCHAR
--   inference_geo: VARCHAR
--   speed: VARCHAR
--   workspace_id: VARCHAR
--   api_key_id: VARCHAR
--   account_id: VARCHAR
--   service_account_id: VARCHAR
--   other_dimensions: VARCHAR
WITH parts AS (
  SELECT
    *,
    json_extract_string(cache_creation, '$.ephemeral_5m_input_tokens') AS written_5m,
    json_extract_string(cache_creation, '$.ephemeral_1h_input_tokens') AS written_1h,
    json_extract_string(server_tool_use, '$.web_search_requests') AS web_searches
  FROM raw
)
SELECT
  uncached_input_tokens IS NOT NULL OR output_tokens IS NOT NULL AS recognised,
  COALESCE(
    bad_object('cache_creation', cache_creation),
    bad_object('server_tool_use', server_tool_use),
    bad_quantity('uncached_input_tokens', uncached_input_tokens),
    bad_quantity('cache_read_input_tokens', cache_read_input_tokens),
    bad_quantity('ephemeral_5m_input_tokens', written_5m),
    bad_quantity('ephemeral_1h_input_tokens', written_1h),
    bad_quantity('output_tokens', output_tokens),
    bad_quantity('web_search_requests', web_searches)
  ) AS reject_reason,
  to_time(starting_at) AS bucket_start,
  to_time(ending_at) AS bucket_end,
  'anthropic' AS provider_name,
  model,
  to_export_tier(service_tier) AS service_tier,
  api_key_id AS api_key,
  MAP {
    'account_hash': to_user_hash(account_id),
    'context_window': context_window,
    'inference_geo': if_known(inference_geo),
    'other': other_dimensions,
    'service_account_id': service_account_id,
    'service_tier': CASE WHEN to_export_tier(service_tier) IS NULL THEN service_tier END,
    'speed': speed,
    'workspace_id': workspace_id
  } AS export_keys,
  [
    measured('input', to_quantity(uncached_input_tokens)),
    measured('cached_input', to_quantity(cache_read_input_tokens)),
    measured('cache_write_5m', to_quantity(written_5m)),
    measured('cache_write_1h', to_quantity(written_1h)),
    measured('output', to_quantity(output_tokens)),
    measured('web_search', to_quantity(web_searches))
  ] AS quantities
FROM parts
