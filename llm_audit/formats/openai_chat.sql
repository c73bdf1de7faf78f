-- format: openai_chat
-- title: OpenAI chat completions, as a bare body or a request/response record
-- docs: platform.openai.com/docs/api-reference/chat/object
-- reader: json
-- detect: object=chat.completion, choices
-- detect: response.object=chat.completion, request.messages
-- detect: response.object=chat.completion, response.choices
-- detect: url~chat/completions, request, response
-- detect: request.messages, request.model, response.error
-- tokens: prompt_tokens includes cached and written tokens, completion_tokens includes reasoning.
-- columns:
--   id: VARCHAR
--   object: VARCHAR
--   created: VARCHAR
--   model: VARCHAR
--   service_tier: VARCHAR
--   choices: STRUCT(finish_reason VARCHAR)[]
--   error: STRUCT(type VARCHAR, code VARCHAR)
--   usage: STRUCT(prompt_tokens VARCHAR, completion_tokens VARCHAR,
--     prompt_cache_hit_tokens VARCHAR, num_cached_tokens VARCHAR,
--     prompt_tokens_details STRUCT(cached_tokens VARCHAR, cache_write_tokens VARCHAR,
--       audio_tokens VARCHAR, image_tokens VARCHAR),
--     completion_tokens_details STRUCT(reasoning_tokens VARCHAR, audio_tokens VARCHAR,
--       image_tokens VARCHAR))
--   request: STRUCT(model VARCHAR, stream VARCHAR, service_tier VARCHAR, max_tokens VARCHAR,
--     max_completion_tokens VARCHAR, "user" VARCHAR, safety_identifier VARCHAR,
--     metadata MAP(VARCHAR, VARCHAR),
--     messages STRUCT(role VARCHAR, type VARCHAR, content VARCHAR)[])
--   response: STRUCT(id VARCHAR, object VARCHAR, created VARCHAR, model VARCHAR,
--     service_tier VARCHAR, choices STRUCT(finish_reason VARCHAR)[],
--     error STRUCT(type VARCHAR, code VARCHAR), usage STRUCT(prompt_tokens VARCHAR, completion_tokens VARCHAR,
--     prompt_cache_hit_tokens VARCHAR, num_cached_tokens VARCHAR,
--     prompt_tokens_details STRUCT(cached_tokens VARCHAR, cache_write_tokens VARCHAR,
--       audio_tokens VARCHAR, image_tokens VARCHAR),
--     completion_tokens_details STRUCT(reasoning_tokens VARCHAR, audio_tokens VARCHAR,
--       image_tokens VARCHAR)))
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
    *,
    CASE WHEN response IS NOT NULL THEN response ELSE struct_pack(
      id := id, object := object, created := created, model := model,
      service_tier := service_tier, choices := choices, error := error, usage := usage
    ) END AS body,
    request.messages AS messages,
    COALESCE(status_code, status) AS http_code,
    map_concat(metadata, request.metadata) AS all_metadata
  FROM raw
),
counted AS (
  SELECT
    *,
    to_time(COALESCE("timestamp", ts, "time", body.created)) AS start_time,
    COALESCE(TRY_CAST(latency_ms AS DOUBLE), TRY_CAST(duration_ms AS DOUBLE),
      TRY_CAST(response_headers['openai-processing-ms'] AS DOUBLE)) AS took_ms,
    body.error.type IS NOT NULL OR body.error.code IS NOT NULL AS has_error,
    body.usage.prompt_tokens IS NOT NULL AS has_usage,
    body.usage.prompt_tokens_details AS details,
    len(messages) > 0 AND NOT COALESCE(
      list_bool_or(list_transform(messages, lambda message: is_redacted(message.content))), false
    ) AS has_prompt
  FROM bodies
)
SELECT
  COALESCE(body.object = 'chat.completion', false)
    OR (messages IS NOT NULL AND (has_error OR TRY_CAST(http_code AS INTEGER) >= 400))
    AS recognised,
  CAST(NULL AS VARCHAR) AS not_call_reason,
  COALESCE(
    bad_count('usage.prompt_tokens', body.usage.prompt_tokens),
    bad_count('usage.completion_tokens', body.usage.completion_tokens),
    bad_count('cached_tokens', details.cached_tokens),
    bad_count('cache_write_tokens', details.cache_write_tokens),
    CASE
      WHEN to_count(details.cached_tokens) > to_count(body.usage.prompt_tokens)
        THEN 'more cached than prompt tokens'
      WHEN start_time IS NULL AND COALESCE("timestamp", ts, "time", body.created) IS NOT NULL
        THEN 'not a time: ' || wrong_value(COALESCE("timestamp", ts, "time", body.created))
    END
  ) AS reject_reason,
  nullif(body.id, '') AS call_id,
  url_to_provider(url, 'openai') AS provider_name,
  url_to_region(url) AS inference_region,
  'chat' AS operation_name,
  COALESCE(request.model, body.model) AS request_model,
  body.model AS response_model,
  start_time AS started_at,
  start_time + to_microseconds(CAST(took_ms * 1000 AS BIGINT)) AS ended_at,
  took_ms AS duration_ms,
  to_status(http_code, has_error) AS status,
  TRY_CAST(http_code AS INTEGER) AS http_status,
  COALESCE(body.error.code, body.error.type) AS error_type,
  body.choices[1].finish_reason AS finish_reason,
  COALESCE(to_tier(body.service_tier), CASE WHEN to_tier(request.service_tier) <> 'standard'
    THEN to_tier(request.service_tier) END) AS service_tier,
  CASE WHEN request IS NOT NULL THEN COALESCE(request.stream = 'true', false) END AS is_streaming,
  to_count(body.usage.prompt_tokens) AS input_tokens,
  to_count(COALESCE(details.cached_tokens, body.usage.prompt_cache_hit_tokens,
    body.usage.num_cached_tokens)) AS cache_read_input_tokens,
  to_count(details.cache_write_tokens) AS cache_creation_5m_input_tokens,
  to_count(body.usage.completion_tokens) AS output_tokens,
  to_count(body.usage.completion_tokens_details.reasoning_tokens) AS reasoning_output_tokens,
  to_count(details.audio_tokens) AS audio_input_tokens,
  to_count(body.usage.completion_tokens_details.audio_tokens) AS audio_output_tokens,
  to_count(details.image_tokens) AS image_input_tokens,
  to_count(body.usage.completion_tokens_details.image_tokens) AS image_output_tokens,
  CASE WHEN has_usage THEN 'reported' ELSE 'missing' END AS tokens_source,
  CASE WHEN has_usage THEN 'inclusive: prompt_tokens' END AS token_rule,
  COALESCE(caller, service) AS caller,
  service AS service_name,
  md5(COALESCE(nullif(request."user", ''), nullif(request.safety_identifier, '')))
    AS end_user_hash,
  session_id AS conversation_id,
  trace_id,
  environment,
  user_agent,
  CASE WHEN all_metadata IS NULL THEN tags ELSE list_concat(tags, map_to_tags(all_metadata)) END
    AS tags,
  TRY_CAST(request_headers['x-stainless-read-timeout'] AS DOUBLE) AS client_timeout_s,
  CASE WHEN has_prompt THEN template_of(messages[1].role, messages[1].content) END
    AS template_hash,
  CASE WHEN has_prompt THEN len(messages) END AS message_count,
  CASE WHEN has_prompt THEN list_transform(messages, lambda message: hash(message)) END
    AS message_hashes,
  CASE WHEN has_prompt THEN any_tool_result(messages) END AS has_tool_result,
  to_count(COALESCE(request.max_completion_tokens, request.max_tokens)) AS max_output_tokens,
  COALESCE(has_prompt AND request.model IS NOT NULL, false) AS replayable
FROM counted
