-- format: anthropic_messages
-- title: Anthropic Messages, as a bare body or a request/response record
-- docs: docs.claude.com/en/api/messages
-- reader: json
-- detect: type=message, role=assistant, usage
-- detect: response.type=message, response.usage
-- detect: url~/v1/messages, request, response
-- detect: type=error, error.type, error.message
-- detect: request.messages, request.model, response.type=error, response.error
-- detect: only(input_tokens)
-- tokens: input_tokens excludes cached and written tokens: all three are added up. The nested
--   cache_creation object is a breakdown by lifetime, never added a second time.
-- columns:
--   id: VARCHAR
--   type: VARCHAR
--   model: VARCHAR
--   stop_reason: VARCHAR
--   input_tokens: VARCHAR
--   request_id: VARCHAR
--   error: STRUCT(type VARCHAR)
--   usage: STRUCT(input_tokens VARCHAR, output_tokens VARCHAR,
--     cache_read_input_tokens VARCHAR, cache_creation_input_tokens VARCHAR, service_tier VARCHAR,
--     speed VARCHAR, inference_geo VARCHAR,
--     cache_creation STRUCT(ephemeral_5m_input_tokens VARCHAR, ephemeral_1h_input_tokens VARCHAR),
--     output_tokens_details STRUCT(thinking_tokens VARCHAR),
--     server_tool_use STRUCT(web_search_requests VARCHAR),
--     iterations STRUCT(type VARCHAR, model VARCHAR, input_tokens VARCHAR, output_tokens VARCHAR,
--       cache_read_input_tokens VARCHAR, cache_creation_input_tokens VARCHAR,
--       cache_creation STRUCT(ephemeral_5m_input_tokens VARCHAR,
--         ephemeral_1h_input_tokens VARCHAR))[])
--   request: STRUCT(model VARCHAR, stream VARCHAR, service_tier VARCHAR, max_tokens VARCHAR,
--     system VARCHAR, metadata STRUCT(user_id VARCHAR),
--     messages STRUCT(role VARCHAR, type VARCHAR, content VARCHAR)[])
--   response: STRUCT(id VARCHAR, type VARCHAR, model VARCHAR, stop_reason VARCHAR,
--     input_tokens VARCHAR, request_id VARCHAR, error STRUCT(type VARCHAR), usage STRUCT(input_tokens VARCHAR, output_tokens VARCHAR,
--     cache_read_input_tokens VARCHAR, cache_creation_input_tokens VARCHAR, service_tier VARCHAR,
--     speed VARCHAR, inference_geo VARCHAR,
--     cache_creation STRUCT(ephemeral_5m_input_tokens VARCHAR, ephemeral_1h_input_tokens VARCHAR),
--     output_tokens_details STRUCT(thinking_tokens VARCHAR),
--     server_tool_use STRUCT(web_search_requests VARCHAR),
--     iterations STRUCT(type VARCHAR, model VARCHAR, input_tokens VARCHAR, output_tokens VARCHAR,
--       cache_read_input_tokens VARCHAR, cache_creation_input_tokens VARCHAR,
--       cache_creation STRUCT(ephemeral_5m_input_tokens VARCHAR,
--         ephemeral_1h_input_tokens VARCHAR))[]))
--   timestamp: VARCHAR
--   ts: VARCHAR
--   time: VARCHAR
--   method: VARCHAR
--   url: VARCHAR
--   status: VARCHAR
--   status_code: VARCHAR
--   latency_ms: VARCHAR
--   duration_ms: VARCHAR
--   user_agent: VARCHAR
--   response_headers: MAP(VARCHAR, VARCHAR)
--   request_headers: MAP(VARCHAR, VARCHAR)
--   service: VARCHAR
--   caller: VARCHAR
--   environment: VARCHAR
--   trace_id: VARCHAR
--   session_id: VARCHAR
--   tags: VARCHAR[]
--   metadata: MAP(VARCHAR, VARCHAR)
WITH bodies AS (
  SELECT
    * EXCLUDE (usage),
    CASE WHEN response IS NOT NULL THEN response ELSE struct_pack(
      id := id, type := type, model := model, stop_reason := stop_reason,
      input_tokens := input_tokens, request_id := request_id, error := error, usage := usage
    ) END AS body,
    request.messages AS messages,
    COALESCE(status_code, status) AS http_code
  FROM raw
),
counted AS (
  SELECT
    *,
    body.usage AS usage,
    body.model AS body_model,
    to_time(COALESCE("timestamp", ts, "time")) AS start_time,
    COALESCE(TRY_CAST(latency_ms AS DOUBLE), TRY_CAST(duration_ms AS DOUBLE)) AS took_ms,
    COALESCE(body.type = 'error', false) AS has_error,
    len(messages) > 0 AND NOT COALESCE(
      list_bool_or(list_transform(messages, lambda message: is_redacted(message.content))), false
    ) AS has_prompt
  FROM bodies
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
  COALESCE(body.type = 'message' AND usage IS NOT NULL, false)
    OR has_error
    OR (messages IS NOT NULL AND TRY_CAST(http_code AS INTEGER) >= 400)
    OR (body.input_tokens IS NOT NULL AND body.type IS NULL)
    AS recognised,
  CASE WHEN contains(url, 'count_tokens') OR (body.input_tokens IS NOT NULL AND body.type IS NULL)
    THEN 'token counting is free' END AS not_call_reason,
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
      WHEN start_time IS NULL AND COALESCE("timestamp", ts, "time") IS NOT NULL
        THEN 'not a time: ' || wrong_value(COALESCE("timestamp", ts, "time"))
    END
  ) AS reject_reason,
  COALESCE(nullif(body.id, ''), nullif(body.request_id, '')) AS call_id,
  CASE WHEN starts_with(body.id, 'msg_bdrk_') THEN 'aws.bedrock'
    WHEN starts_with(body.id, 'msg_vrtx_') THEN 'gcp.vertex_ai'
    ELSE url_to_provider(url, 'anthropic') END AS provider_name,
  'chat' AS operation_name,
  COALESCE(request.model, body.model) AS request_model,
  body.model AS response_model,
  start_time AS started_at,
  start_time + to_microseconds(CAST(took_ms * 1000 AS BIGINT)) AS ended_at,
  took_ms AS duration_ms,
  to_status(http_code, has_error) AS status,
  TRY_CAST(http_code AS INTEGER) AS http_status,
  body.error.type AS error_type,
  body.stop_reason AS finish_reason,
  CASE WHEN usage.speed = 'fast' THEN 'priority' ELSE to_tier(usage.service_tier) END
    AS service_tier,
  to_region(usage.inference_geo) AS inference_region,
  lower(usage.speed) AS inference_speed,
  CASE WHEN request IS NOT NULL THEN COALESCE(request.stream = 'true', false) END AS is_streaming,
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
  COALESCE(caller, service) AS caller,
  service AS service_name,
  md5(nullif(request.metadata.user_id, '')) AS end_user_hash,
  session_id AS conversation_id,
  trace_id,
  environment,
  user_agent,
  CASE WHEN metadata IS NULL THEN tags ELSE list_concat(tags, map_to_tags(metadata)) END AS tags,
  TRY_CAST(request_headers['x-stainless-read-timeout'] AS DOUBLE) AS client_timeout_s,
  COALESCE(template_of('system', request.system),
    CASE WHEN has_prompt THEN template_of(messages[1].role, messages[1].content) END)
    AS template_hash,
  CASE WHEN has_prompt THEN len(messages) END AS message_count,
  CASE WHEN has_prompt THEN list_transform(messages, lambda message: hash(message)) END
    AS message_hashes,
  CASE WHEN has_prompt THEN any_tool_result(messages) END AS has_tool_result,
  to_count(request.max_tokens) AS max_output_tokens,
  COALESCE(has_prompt AND request.model IS NOT NULL, false) AS replayable
FROM summed
