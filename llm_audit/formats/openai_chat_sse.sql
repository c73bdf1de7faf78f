-- format: openai_chat_sse
-- title: OpenAI chat completions, streamed: the event stream as one text
-- docs: platform.openai.com/docs/api-reference/chat-streaming
-- reader: json
-- detect: response~chat.completion.chunk, response~data:, request, url
-- detect: response~chat.completion.chunk, response~data:
-- detect: object=chat.completion.chunk
-- tokens: from the last chunk that has usage; without `include_usage` there is none, and the
--   tokens stay missing. One call per stream, not per chunk.
-- columns:
--   object: VARCHAR
--   request: STRUCT(model VARCHAR, service_tier VARCHAR, max_tokens VARCHAR,
--     max_completion_tokens VARCHAR, "user" VARCHAR,
--     messages STRUCT(role VARCHAR, type VARCHAR, content VARCHAR)[])
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
  SELECT *, request.messages AS messages, sse_events(response) AS events
  FROM raw
),
chunks AS (
  SELECT
    *,
    list_filter(events, lambda event: json_type(event, '$.usage') = 'OBJECT')[-1] AS last_usage,
    list_filter(events, lambda event: nullif(event ->> '$.id', '') IS NOT NULL)[1] AS first,
    list_filter(events, lambda event: event ->> '$.choices[0].finish_reason' IS NOT NULL)[-1]
      AS finish
  FROM streams
),
counted AS (
  SELECT
    *,
    json_transform(last_usage, '{"usage": {"prompt_tokens": "VARCHAR",
      "completion_tokens": "VARCHAR",
      "prompt_tokens_details": {"cached_tokens": "VARCHAR", "cache_write_tokens": "VARCHAR"},
      "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}}}').usage AS usage,
    to_time(COALESCE("timestamp", ts, "time", first ->> '$.created')) AS start_time,
    COALESCE(TRY_CAST(latency_ms AS DOUBLE), TRY_CAST(duration_ms AS DOUBLE)) AS took_ms,
    len(messages) > 0 AND NOT COALESCE(
      list_bool_or(list_transform(messages, lambda message: is_redacted(message.content))), false
    ) AS has_prompt
  FROM chunks
)
SELECT
  first IS NOT NULL OR object = 'chat.completion.chunk' AS recognised,
  CAST(NULL AS VARCHAR) AS not_call_reason,
  COALESCE(
    bad_count('usage.prompt_tokens', usage.prompt_tokens),
    bad_count('usage.completion_tokens', usage.completion_tokens),
    bad_count('cached_tokens', usage.prompt_tokens_details.cached_tokens),
    bad_count('cache_write_tokens', usage.prompt_tokens_details.cache_write_tokens),
    CASE
      WHEN object = 'chat.completion.chunk'
        THEN 'one chunk of a stream: log the whole stream, or the assembled response, in one record'
    END
  ) AS reject_reason,
  first ->> '$.id' AS call_id,
  CASE WHEN starts_with(first ->> '$.id', 'gen-') THEN 'openrouter'
    ELSE url_to_provider(url, 'openai') END AS provider_name,
  url_to_region(url) AS inference_region,
  'chat' AS operation_name,
  COALESCE(request.model, first ->> '$.model') AS request_model,
  first ->> '$.model' AS response_model,
  start_time AS started_at,
  start_time + to_microseconds(CAST(took_ms * 1000 AS BIGINT)) AS ended_at,
  took_ms AS duration_ms,
  to_status(status, false) AS status,
  TRY_CAST(status AS INTEGER) AS http_status,
  finish ->> '$.choices[0].finish_reason' AS finish_reason,
  COALESCE(to_tier(first ->> '$.service_tier'), CASE WHEN to_tier(request.service_tier)
    <> 'standard' THEN to_tier(request.service_tier) END) AS service_tier,
  true AS is_streaming,
  to_count(usage.prompt_tokens) AS input_tokens,
  to_count(usage.prompt_tokens_details.cached_tokens) AS cache_read_input_tokens,
  to_count(usage.prompt_tokens_details.cache_write_tokens) AS cache_creation_5m_input_tokens,
  to_count(usage.completion_tokens) AS output_tokens,
  to_count(usage.completion_tokens_details.reasoning_tokens) AS reasoning_output_tokens,
  CASE WHEN usage.prompt_tokens IS NOT NULL THEN 'reported' ELSE 'missing' END AS tokens_source,
  CASE WHEN usage.prompt_tokens IS NOT NULL THEN 'inclusive: prompt_tokens' END AS token_rule,
  COALESCE(caller, service) AS caller,
  service AS service_name,
  session_id AS conversation_id,
  trace_id,
  environment,
  user_agent,
  tags,
  CASE WHEN has_prompt THEN template_of(messages[1].role, messages[1].content) END
    AS template_hash,
  CASE WHEN has_prompt THEN len(messages) END AS message_count,
  CASE WHEN has_prompt THEN list_transform(messages, lambda message: hash(message)) END
    AS message_hashes,
  CASE WHEN has_prompt THEN any_tool_result(messages) END AS has_tool_result,
  md5(nullif(request."user", '')) AS end_user_hash,
  to_count(COALESCE(request.max_completion_tokens, request.max_tokens)) AS max_output_tokens,
  COALESCE(has_prompt AND request.model IS NOT NULL, false) AS replayable
FROM counted
