-- format: openai_responses_sse
-- title: OpenAI Responses, streamed: the event stream as one text
-- docs: platform.openai.com/docs/api-reference/responses-streaming
-- reader: json
-- detect: response~"response.created", response~data:, request, url
-- detect: response~"response.created", response~data:
-- tokens: only the last copy of the response object (completed, incomplete, failed) has usage.
-- columns:
--   request: STRUCT(model VARCHAR, previous_response_id VARCHAR, max_output_tokens VARCHAR,
--     instructions VARCHAR, "user" VARCHAR, input JSON)
--   timestamp: VARCHAR
--   ts: VARCHAR
--   time: VARCHAR
--   url: VARCHAR
--   status: VARCHAR
--   latency_ms: VARCHAR
--   duration_ms: VARCHAR
--   user_agent: VARCHAR
--   service: VARCHAR
--   caller: VARCHAR
--   environment: VARCHAR
--   trace_id: VARCHAR
--   session_id: VARCHAR
--   tags: VARCHAR[]
--   response: VARCHAR
WITH streams AS (
  SELECT
    *,
    CASE json_type(request.input)
      WHEN 'ARRAY' THEN TRY_CAST(request.input AS STRUCT(role VARCHAR, type VARCHAR,
        content VARCHAR, output VARCHAR, call_id VARCHAR)[])
      WHEN 'VARCHAR' THEN [struct_pack(role := 'user', type := 'message',
        content := json_extract_string(request.input, '$'), output := NULL, call_id := NULL)]
    END AS messages,
    list_filter(sse_events(response), lambda event: json_type(event, '$.response') = 'OBJECT')[-1]
      AS last
  FROM raw
),
counted AS (
  SELECT
    *,
    json_transform(last, '{"response": {"id": "VARCHAR", "created_at": "VARCHAR",
      "completed_at": "VARCHAR", "model": "VARCHAR", "status": "VARCHAR",
      "service_tier": "VARCHAR", "previous_response_id": "VARCHAR",
      "conversation": {"id": "VARCHAR"}, "instructions": "VARCHAR",
      "error": {"code": "VARCHAR"}, "incomplete_details": {"reason": "VARCHAR"},
      "output": [{"type": "VARCHAR"}],
      "usage": {"input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
        "input_tokens_details": {"cached_tokens": "VARCHAR", "cache_write_tokens": "VARCHAR"},
        "output_tokens_details": {"reasoning_tokens": "VARCHAR"}}}}').response AS body,
    to_time(COALESCE("timestamp", ts, "time", last ->> '$.response.created_at')) AS start_time,
    COALESCE(TRY_CAST(latency_ms AS DOUBLE), TRY_CAST(duration_ms AS DOUBLE)) AS took_ms,
    len(messages) > 0 AND NOT COALESCE(
      list_bool_or(list_transform(messages, lambda message: is_redacted(message.content))), false
    ) AS has_prompt
  FROM streams
)
SELECT
  body.id IS NOT NULL AS recognised,
  CAST(NULL AS VARCHAR) AS not_call_reason,
  COALESCE(
    bad_count('usage.input_tokens', body.usage.input_tokens),
    bad_count('usage.output_tokens', body.usage.output_tokens),
    bad_count('cached_tokens', body.usage.input_tokens_details.cached_tokens),
    bad_count('cache_write_tokens', body.usage.input_tokens_details.cache_write_tokens)
  ) AS reject_reason,
  body.id AS call_id,
  url_to_provider(url, 'openai') AS provider_name,
  url_to_region(url) AS inference_region,
  'responses' AS operation_name,
  COALESCE(request.model, body.model) AS request_model,
  body.model AS response_model,
  start_time AS started_at,
  start_time + to_microseconds(CAST(took_ms * 1000 AS BIGINT)) AS ended_at,
  took_ms AS duration_ms,
  to_status(status, body.status = 'failed') AS status,
  TRY_CAST(status AS INTEGER) AS http_status,
  body.error.code AS error_type,
  COALESCE(body.incomplete_details.reason, body.status) AS finish_reason,
  to_tier(body.service_tier) AS service_tier,
  true AS is_streaming,
  to_count(body.usage.input_tokens) AS input_tokens,
  to_count(body.usage.input_tokens_details.cached_tokens) AS cache_read_input_tokens,
  to_count(body.usage.input_tokens_details.cache_write_tokens) AS cache_creation_5m_input_tokens,
  to_count(body.usage.output_tokens) AS output_tokens,
  to_count(body.usage.output_tokens_details.reasoning_tokens) AS reasoning_output_tokens,
  nullif(len(list_filter(body.output, lambda item: item.type = 'web_search_call')), 0)
    AS web_search_requests,
  CASE WHEN body.usage.input_tokens IS NOT NULL THEN 'reported' ELSE 'missing' END
    AS tokens_source,
  CASE WHEN body.usage.input_tokens IS NOT NULL THEN 'inclusive: input_tokens' END AS token_rule,
  COALESCE(caller, service) AS caller,
  service AS service_name,
  COALESCE(body.conversation.id, session_id) AS conversation_id,
  trace_id,
  environment,
  user_agent,
  tags,
  COALESCE(template_of('system', COALESCE(request.instructions, body.instructions)),
    CASE WHEN has_prompt THEN template_of(messages[1].role, messages[1].content) END)
    AS template_hash,
  CASE WHEN has_prompt THEN len(messages) END AS message_count,
  CASE WHEN has_prompt THEN list_transform(messages, lambda message: hash(message)) END
    AS message_hashes,
  CASE WHEN has_prompt THEN any_tool_result(messages) END AS has_tool_result,
  md5(nullif(request."user", '')) AS end_user_hash,
  COALESCE(nullif(request.previous_response_id, ''), nullif(body.previous_response_id, ''))
    AS previous_response_id,
  to_count(request.max_output_tokens) AS max_output_tokens,
  COALESCE(has_prompt AND request.model IS NOT NULL, false) AS replayable
FROM counted
