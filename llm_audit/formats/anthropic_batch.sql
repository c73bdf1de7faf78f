-- format: anthropic_batch
-- title: Anthropic Message Batches results (and request files)
-- docs: docs.claude.com/en/api/retrieving-message-batch-results
-- reader: json
-- detect: custom_id, result.type
-- detect: custom_id, params
-- tokens: as Anthropic Messages. The envelope says that these calls were bought as a batch.
-- columns:
--   custom_id: VARCHAR
--   params: JSON
--   result: STRUCT(type VARCHAR,
--     error STRUCT(request_id VARCHAR, error STRUCT(type VARCHAR)),
--     message STRUCT(id VARCHAR, model VARCHAR, stop_reason VARCHAR, usage STRUCT(input_tokens VARCHAR, output_tokens VARCHAR,
--     cache_read_input_tokens VARCHAR, cache_creation_input_tokens VARCHAR, service_tier VARCHAR,
--     speed VARCHAR, inference_geo VARCHAR,
--     cache_creation STRUCT(ephemeral_5m_input_tokens VARCHAR, ephemeral_1h_input_tokens VARCHAR),
--     output_tokens_details STRUCT(thinking_tokens VARCHAR),
--     server_tool_use STRUCT(web_search_requests VARCHAR),
--     iterations STRUCT(type VARCHAR, model VARCHAR, input_tokens VARCHAR, output_tokens VARCHAR,
--       cache_read_input_tokens VARCHAR, cache_creation_input_tokens VARCHAR,
--       cache_creation STRUCT(ephemeral_5m_input_tokens VARCHAR,
--         ephemeral_1h_input_tokens VARCHAR))[])))
WITH counted AS (
  SELECT
    *,
    result.message AS body,
    result.message.usage AS usage,
    result.message.model AS body_model
  FROM raw
),
-- A server-side compaction is billed beside the answer and missing from the top-level numbers;
-- an advisor's tokens belong to another model and are left out, which token_rule says.
billed AS (
  SELECT
    *,
    list_filter(usage.iterations, lambda part:
      part.type NOT IN ('advisor_message', 'fallback_message')
      AND (part.model IS NULL OR part.model = body_model)) AS own_parts,
    len(list_filter(usage.iterations, lambda part:
      part.type IN ('advisor_message', 'fallback_message')
      OR part.model <> body_model)) > 0 AS has_foreign_parts
  FROM counted
),
summed AS (
  SELECT
    *,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part: to_count(part.input_tokens)))
      ELSE to_count(usage.input_tokens) END AS fresh,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part: to_count(part.cache_read_input_tokens)))
      ELSE to_count(usage.cache_read_input_tokens) END AS cache_read,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part:
        to_count(part.cache_creation_input_tokens)))
      ELSE COALESCE(to_count(usage.cache_creation_input_tokens),
        list_sum([to_count(usage.cache_creation.ephemeral_5m_input_tokens),
          to_count(usage.cache_creation.ephemeral_1h_input_tokens)])) END AS written,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part:
        to_count(part.cache_creation.ephemeral_1h_input_tokens)))
      ELSE to_count(usage.cache_creation.ephemeral_1h_input_tokens) END AS written_1h,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part: to_count(part.output_tokens)))
      ELSE to_count(usage.output_tokens) END AS completion,
    usage.input_tokens IS NOT NULL AS has_usage
  FROM billed
)
SELECT
  custom_id IS NOT NULL AND (result.type IS NOT NULL OR params IS NOT NULL) AS recognised,
  CASE WHEN result.type IS NULL
    THEN 'a batch request: the call is in the results file' END AS not_call_reason,
  COALESCE(
    bad_count('usage.input_tokens', usage.input_tokens),
    bad_count('usage.output_tokens', usage.output_tokens),
    bad_count('usage.cache_read_input_tokens', usage.cache_read_input_tokens),
    bad_count('usage.cache_creation_input_tokens', usage.cache_creation_input_tokens),
    bad_count('ephemeral_5m_input_tokens', usage.cache_creation.ephemeral_5m_input_tokens),
    bad_count('ephemeral_1h_input_tokens', usage.cache_creation.ephemeral_1h_input_tokens),
    CASE
      WHEN written_1h > written
        THEN 'more 1-hour cache writes than cache writes'
    END
  ) AS reject_reason,
  COALESCE(nullif(body.id, ''), nullif(result.error.request_id, '')) AS call_id,
  'anthropic' AS provider_name,
  'chat' AS operation_name,
  body.model AS request_model,
  body.model AS response_model,
  CASE result.type WHEN 'succeeded' THEN 'ok' WHEN 'canceled' THEN 'cancelled' ELSE 'error' END
    AS status,
  CASE WHEN result.type <> 'succeeded' THEN COALESCE(result.error.error.type, result.type) END
    AS error_type,
  body.stop_reason AS finish_reason,
  'batch' AS service_tier,
  to_region(usage.inference_geo) AS inference_region,
  false AS is_streaming,
  CASE WHEN has_usage
    THEN COALESCE(fresh, 0) + COALESCE(cache_read, 0) + COALESCE(written, 0) END AS input_tokens,
  cache_read AS cache_read_input_tokens,
  written - COALESCE(written_1h, 0) AS cache_creation_5m_input_tokens,
  written_1h AS cache_creation_1h_input_tokens,
  completion AS output_tokens,
  to_count(usage.output_tokens_details.thinking_tokens) AS reasoning_output_tokens,
  to_count(usage.server_tool_use.web_search_requests) AS web_search_requests,
  CASE WHEN has_usage THEN 'reported' ELSE 'missing' END AS tokens_source,
  CASE
    WHEN NOT has_usage THEN NULL
    WHEN has_foreign_parts
      THEN 'exclusive: cache tokens added; tokens of another model (advisor, fallback) left out'
    WHEN len(own_parts) > 0 THEN 'exclusive: cache tokens added; sum of iterations'
    ELSE 'exclusive: cache tokens added to input_tokens'
  END AS token_rule,
  ['batch_custom_id:' || substr(custom_id, 1, 80)] AS tags,
  false AS replayable
FROM summed
