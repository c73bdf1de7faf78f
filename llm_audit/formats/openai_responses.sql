-- format: openai_responses
-- title: OpenAI Responses, as a bare body or a request/response record
-- docs: platform.openai.com/docs/api-reference/responses/object
-- reader: json
-- detect: object=response, id
-- detect: object^=response., usage, id
-- detect: object=response.input_tokens
-- detect: response.object^=response
-- detect: url~/v1/responses, request, response
-- tokens: input_tokens includes cached and written tokens, output_tokens includes reasoning.
--   A queued or running answer has no usage yet: the finished record of the same id wins.
-- columns:
--   id: VARCHAR
--   object: VARCHAR
--   created_at: VARCHAR
--   completed_at: VARCHAR
--   model: VARCHAR
--   status: VARCHAR
--   service_tier: VARCHAR
--   background: VARCHAR
--   previous_response_id: VARCHAR
--   conversation: STRUCT(id VARCHAR)
--   safety_identifier: VARCHAR
--   "user": VARCHAR
--   max_output_tokens: VARCHAR
--   instructions: VARCHAR
--   error: STRUCT(type VARCHAR, code VARCHAR)
--   incomplete_details: STRUCT(reason VARCHAR)
--   output: STRUCT(type VARCHAR)[]
--   usage: STRUCT(input_tokens VARCHAR, output_tokens VARCHAR,
--     input_tokens_details STRUCT(cached_tokens VARCHAR, cache_write_tokens VARCHAR),
--     output_tokens_details STRUCT(reasoning_tokens VARCHAR))
--   request: STRUCT(model VARCHAR, stream VARCHAR, service_tier VARCHAR, background VARCHAR,
--     previous_response_id VARCHAR, max_output_tokens VARCHAR, instructions VARCHAR,
--     "user" VARCHAR, safety_identifier VARCHAR, metadata MAP(VARCHAR, VARCHAR), input JSON)
--   response: STRUCT(id VARCHAR, object VARCHAR, created_at VARCHAR, completed_at VARCHAR,
--     model VARCHAR, status VARCHAR, service_tier VARCHAR, background VARCHAR,
--     previous_response_id VARCHAR, conversation STRUCT(id VARCHAR), safety_identifier VARCHAR,
--     "user" VARCHAR, max_output_tokens VARCHAR, instructions VARCHAR,
--     error STRUCT(type VARCHAR, code VARCHAR), incomplete_details STRUCT(reason VARCHAR),
--     output STRUCT(type VARCHAR)[], metadata MAP(VARCHAR, VARCHAR), usage STRUCT(input_tokens VARCHAR, output_tokens VARCHAR,
--     input_tokens_details STRUCT(cached_tokens VARCHAR, cache_write_tokens VARCHAR),
--     output_tokens_details STRUCT(reasoning_tokens VARCHAR)))
--   timestamp: VARCHAR
--   ts: VARCHAR
--   time: VARCHAR
--   method: VARCHAR
--   url: VARCHAR
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
      id := id, object := object, created_at := created_at, completed_at := completed_at,
      model := model, status := status, service_tier := service_tier, background := background,
      previous_response_id := previous_response_id, conversation := conversation,
      safety_identifier := safety_identifier, "user" := "user",
      max_output_tokens := max_output_tokens, instructions := instructions, error := error,
      incomplete_details := incomplete_details, output := output, metadata := metadata,
      usage := usage
    ) END AS body,
    COALESCE(status_code, CASE WHEN response IS NOT NULL THEN status END) AS http_code,
    map_concat(metadata, request.metadata) AS all_metadata,
    CASE json_type(request.input)
      WHEN 'ARRAY' THEN TRY_CAST(request.input AS STRUCT(role VARCHAR, type VARCHAR,
        content VARCHAR, output VARCHAR, call_id VARCHAR)[])
      WHEN 'VARCHAR' THEN [struct_pack(role := 'user', type := 'message',
        content := json_extract_string(request.input, '$'), output := NULL, call_id := NULL)]
    END AS messages
  FROM raw
),
counted AS (
  SELECT
    *,
    to_time(COALESCE("timestamp", ts, "time", body.created_at)) AS start_time,
    COALESCE(TRY_CAST(latency_ms AS DOUBLE), TRY_CAST(duration_ms AS DOUBLE),
      TRY_CAST(response_headers['openai-processing-ms'] AS DOUBLE),
      milliseconds_between(to_time(body.created_at), to_time(body.completed_at))) AS took_ms,
    body.error.type IS NOT NULL OR body.error.code IS NOT NULL OR body.status = 'failed'
      AS has_error,
    body.usage.input_tokens IS NOT NULL AS has_usage,
    body.usage.input_tokens_details AS details,
    COALESCE(request.instructions, body.instructions) AS fixed_part,
    len(messages) > 0 AND NOT COALESCE(
      list_bool_or(list_transform(messages, lambda message: is_redacted(message.content))), false
    ) AS has_prompt
  FROM bodies
)
SELECT
  COALESCE(starts_with(body.object, 'response'), false)
    OR (request.input IS NOT NULL AND (has_error OR TRY_CAST(http_code AS INTEGER) >= 400))
    AS recognised,
  CASE WHEN body.object = 'response.input_tokens' THEN 'token counting is free' END
    AS not_call_reason,
  COALESCE(
    bad_count('usage.input_tokens', body.usage.input_tokens),
    bad_count('usage.output_tokens', body.usage.output_tokens),
    bad_count('cached_tokens', details.cached_tokens),
    bad_count('cache_write_tokens', details.cache_write_tokens),
    CASE
      WHEN to_count(details.cached_tokens) > to_count(body.usage.input_tokens)
        THEN 'more cached than input tokens'
      WHEN start_time IS NULL AND COALESCE("timestamp", ts, "time", body.created_at) IS NOT NULL
        THEN 'not a time: ' || wrong_value(COALESCE("timestamp", ts, "time", body.created_at))
    END
  ) AS reject_reason,
  nullif(body.id, '') AS call_id,
  url_to_provider(url, 'openai') AS provider_name,
  url_to_region(url) AS inference_region,
  'responses' AS operation_name,
  COALESCE(request.model, body.model) AS request_model,
  body.model AS response_model,
  start_time AS started_at,
  start_time + to_microseconds(CAST(took_ms * 1000 AS BIGINT)) AS ended_at,
  took_ms AS duration_ms,
  CASE WHEN body.status = 'cancelled' THEN 'cancelled' ELSE to_status(http_code, has_error) END
    AS status,
  TRY_CAST(http_code AS INTEGER) AS http_status,
  COALESCE(body.error.code, body.error.type) AS error_type,
  COALESCE(body.incomplete_details.reason, body.status) AS finish_reason,
  COALESCE(to_tier(body.service_tier), CASE WHEN to_tier(request.service_tier) <> 'standard'
    THEN to_tier(request.service_tier) END) AS service_tier,
  CASE WHEN request IS NOT NULL THEN COALESCE(request.stream = 'true', false) END AS is_streaming,
  to_count(body.usage.input_tokens) AS input_tokens,
  to_count(details.cached_tokens) AS cache_read_input_tokens,
  to_count(details.cache_write_tokens) AS cache_creation_5m_input_tokens,
  to_count(body.usage.output_tokens) AS output_tokens,
  to_count(body.usage.output_tokens_details.reasoning_tokens) AS reasoning_output_tokens,
  nullif(len(list_filter(body.output, lambda item: item.type = 'web_search_call')), 0)
    AS web_search_requests,
  CASE WHEN has_usage THEN 'reported' ELSE 'missing' END AS tokens_source,
  CASE WHEN has_usage THEN 'inclusive: input_tokens' END AS token_rule,
  COALESCE(caller, service) AS caller,
  service AS service_name,
  md5(COALESCE(nullif(request."user", ''), nullif(request.safety_identifier, ''),
    nullif(body."user", ''), nullif(body.safety_identifier, ''))) AS end_user_hash,
  COALESCE(body.conversation.id, session_id) AS conversation_id,
  trace_id,
  environment,
  user_agent,
  list_concat(tags, map_to_tags(COALESCE(all_metadata, body.metadata)),
    CASE WHEN COALESCE(request.background, body.background) = 'true' THEN ['background:true'] END)
    AS tags,
  TRY_CAST(request_headers['x-stainless-read-timeout'] AS DOUBLE) AS client_timeout_s,
  COALESCE(template_of('system', fixed_part),
    CASE WHEN has_prompt THEN template_of(messages[1].role, messages[1].content) END)
    AS template_hash,
  CASE WHEN has_prompt THEN len(messages) END AS message_count,
  CASE WHEN has_prompt THEN list_transform(messages, lambda message: hash(message)) END
    AS message_hashes,
  CASE WHEN has_prompt THEN any_tool_result(messages) END AS has_tool_result,
  COALESCE(nullif(request.previous_response_id, ''), nullif(body.previous_response_id, ''))
    AS previous_response_id,
  to_count(COALESCE(request.max_output_tokens, body.max_output_tokens)) AS max_output_tokens,
  COALESCE(has_prompt AND request.model IS NOT NULL, false) AS replayable
FROM counted
