-- format: anthropic_cost_report
-- title: Anthropic Admin API cost report, as pages
-- docs: platform.claude.com/docs/en/api/admin-api/usage-cost/get-cost-report
-- reader: json
-- yields: usage_buckets
-- records: data[].results[]
-- records: results[]
-- detect: data[].starting_at, data[].results[].amount, data[].results[].currency
-- detect: starting_at, results[].amount, results[].currency, ending_at
-- tokens: no counts. `amount` is a decimal text in cents. The Priority Tier is not in it.
-- columns:
--   starting_at: VARCHAR
--   ending_at: VARCHAR
--   amount: VARCHAR
--   currency: VARCHAR
--   cost_type: VARCHAR
--   token_type: VARCHAR
--   model: VARCHAR
--   service_tier: VARCHAR
--   context_window: VARCHAR
--   inference_geo: VARCHAR
--   speed: VARCHAR
--   description: VARCHAR
--   workspace_id: VARCHAR
--   other_dimensions: VARCHAR
SELECT
  amount IS NOT NULL AS recognised,
  COALESCE(bad_amount('amount', amount), bad_currency(currency)) AS reject_reason,
  to_time(starting_at) AS bucket_start,
  to_time(ending_at) AS bucket_end,
  'anthropic' AS provider_name,
  model,
  to_export_tier(service_tier) AS service_tier,
  CAST(NULL AS VARCHAR) AS api_key,
  MAP {
    'context_window': context_window,
    'cost_type': cost_type,
    'description': description,
    'inference_geo': if_known(inference_geo),
    'other': other_dimensions,
    'service_tier': CASE WHEN to_export_tier(service_tier) IS NULL THEN service_tier END,
    'speed': speed,
    'token_type': token_type,
    'workspace_id': workspace_id
  } AS export_keys,
  [charged(
    CASE
      WHEN token_type = 'uncached_input_tokens' THEN 'input'
      WHEN token_type = 'cache_read_input_tokens' THEN 'cached_input'
      WHEN token_type = 'cache_creation.ephemeral_5m_input_tokens' THEN 'cache_write_5m'
      WHEN token_type = 'cache_creation.ephemeral_1h_input_tokens' THEN 'cache_write_1h'
      WHEN token_type = 'output_tokens' THEN 'output'
      WHEN cost_type = 'web_search' THEN 'web_search'
      WHEN cost_type = 'code_execution' THEN 'code_execution'
      WHEN cost_type = 'session_usage' THEN 'session'
      ELSE 'cost'
    END,
    NULL,
    -- Cents to dollars without a floating point: 123.78912 is $1.2378912.
    CAST(to_amount(amount) AS DECIMAL(28, 14)) * CAST('0.01' AS DECIMAL(2, 2))
  )] AS quantities
FROM raw
