-- format: anthropic_messages_sse
-- title: Anthropic Messages, streamed: the event stream as one text
-- docs: docs.claude.com/en/docs/build-with-claude/streaming
-- reader: json
-- detect: response~"message_start", response~data:, request, url
-- detect: response~"message_start", response~data:
-- tokens: message_start begins the count, the last message_delta overrides what it repeats (its
--   numbers are cumulative); tier and cache lifetimes stand only in message_start.
-- columns:
--   request: STRUCT(model VARCHAR, max_tokens VARCHAR, system VARCHAR,
--     metadata STRUCT(user_id VARCHAR),
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
events AS (
  SELECT
    *,
    json_transform(
      list_filter(events, lambda event: event ->> '$.type' = 'message_start')[1],
      '{"message": {"id": "VARCHAR", "model": "VARCHAR", "usage": {"input_tokens": "VARCHAR",
        "output_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR",
        "cache_creation_input_tokens": "VARCHAR", "service_tier": "VARCHAR", "speed": "VARCHAR",
        "inference_geo": "VARCHAR",
        "cache_creation": {"ephemeral_1h_input_tokens": "VARCHAR"}}}}').message AS start,
    json_transform(
      list_filter(events, lambda event: event ->> '$.type' = 'message_delta')[-1],
      '{"delta": {"stop_reason": "VARCHAR"}, "usage": {"input_tokens": "VARCHAR",
        "output_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR",
        "cache_creation_input_tokens": "VARCHAR",
        "cache_creation": {"ephemeral_1h_input_tokens": "VARCHAR"},
        "output_tokens_details": {"thinking_tokens": "VARCHAR"},
        "server_tool_use": {"web_search_requests": "VARCHAR"},
        "iterations": [{"type": "VARCHAR", "model": "VARCHAR", "input_tokens": "VARCHAR",
          "output_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR",
          "cache_creation_input_tokens": "VARCHAR",
          "cache_creation": {"ephemeral_1h_input_tokens": "VARCHAR"}}]}}') AS finish,
    list_filter(events, lambda event: event ->> '$.type' = 'error')[1] AS failure
  FROM streams
),
usages AS (
  SELECT
    *,
    COALESCE(finish.usage.input_tokens, start.usage.input_tokens) AS fresh_text,
    COALESCE(finish.usage.output_tokens, start.usage.output_tokens) AS completion_text,
    COALESCE(finish.usage.cache_read_input_tokens, start.usage.cache_read_input_tokens)
      AS read_text,
    COALESCE(finish.usage.cache_creation_input_tokens, start.usage.cache_creation_input_tokens)
      AS written_text,
    COALESCE(finish.usage.cache_creation.ephemeral_1h_input_tokens,
      start.usage.cache_creation.ephemeral_1h_input_tokens) AS written_1h_text,
    -- A server-side compaction is billed beside the answer; an advisor's model is another one.
    list_filter(finish.usage.iterations, lambda part:
      part.type NOT IN ('advisor_message', 'fallback_message')
      AND (part.model IS NULL OR part.model = start.model)) AS own_parts,
    to_time(COALESCE("timestamp", ts, "time", NULL)) AS start_time,
    COALESCE(TRY_CAST(latency_ms AS DOUBLE), TRY_CAST(duration_ms AS DOUBLE)) AS took_ms,
    len(messages) > 0 AND NOT COALESCE(
      list_bool_or(list_transform(messages, lambda message: is_redacted(message.content))), false
    ) AS has_prompt
  FROM events
),
counted AS (
  SELECT
    *,
    fresh_text IS NOT NULL AS has_usage,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part: to_count(part.input_tokens)))
      ELSE to_count(fresh_text) END AS fresh,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part: to_count(part.cache_read_input_tokens)))
      ELSE to_count(read_text) END AS cache_read,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part:
        to_count(part.cache_creation_input_tokens)))
      ELSE to_count(written_text) END AS written,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part:
        to_count(part.cache_creation.ephemeral_1h_input_tokens)))
      ELSE to_count(written_1h_text) END AS written_1h,
    CASE WHEN len(own_parts) > 0
      THEN list_sum(list_transform(own_parts, lambda part: to_count(part.output_tokens)))
      ELSE to_count(completion_text) END AS completion
  FROM usages
)
SELECT
  start.id IS NOT NULL AS recognised,
  CAST(NULL AS VARCHAR) AS not_call_reason,
  COALESCE(
    bad_count('usage.input_tokens', fresh_text),
    bad_count('usage.output_tokens', completion_text),
    bad_count('usage.cache_read_input_tokens', read_text),
    bad_count('usage.cache_creation_input_tokens', written_text),
    bad_count('ephemeral_1h_input_tokens', written_1h_text),
    CASE
      WHEN written_1h > written
        THEN 'more 1-hour cache writes than cache writes'
    END
  ) AS reject_reason,
  start.id AS call_id,
  url_to_provider(url, 'anthropic') AS provider_name,
  'chat' AS operation_name,
  COALESCE(request.model, start.model) AS request_model,
  start.model AS response_model,
  start_time AS started_at,
  start_time + to_microseconds(CAST(took_ms * 1000 AS BIGINT)) AS ended_at,
  took_ms AS duration_ms,
  to_status(status, failure IS NOT NULL) AS status,
  TRY_CAST(status AS INTEGER) AS http_status,
  failure ->> '$.error.type' AS error_type,
  finish.delta.stop_reason AS finish_reason,
  CASE WHEN start.usage.speed = 'fast' THEN 'priority' ELSE to_tier(start.usage.service_tier) END
    AS service_tier,
  to_region(start.usage.inference_geo) AS inference_region,
  lower(start.usage.speed) AS inference_speed,
  true AS is_streaming,
  CASE WHEN has_usage
    THEN COALESCE(fresh, 0) + COALESCE(cache_read, 0) + COALESCE(written, 0) END AS input_tokens,
  cache_read AS cache_read_input_tokens,
  written - COALESCE(written_1h, 0) AS cache_creation_5m_input_tokens,
  written_1h AS cache_creation_1h_input_tokens,
  completion AS output_tokens,
  to_count(finish.usage.output_tokens_details.thinking_tokens) AS reasoning_output_tokens,
  to_count(finish.usage.server_tool_use.web_search_requests) AS web_search_requests,
  CASE WHEN has_usage THEN 'reported' ELSE 'missing' END AS tokens_source,
  CASE
    WHEN NOT has_usage THEN NULL
    WHEN len(finish.usage.iterations) > COALESCE(len(own_parts), 0)
      THEN 'exclusive: cache tokens added; tokens of another model (advisor, fallback) left out'
    WHEN len(own_parts) > 0 THEN 'exclusive: cache tokens added; sum of iterations'
    ELSE 'exclusive: cache tokens added to input_tokens'
  END AS token_rule,
  COALESCE(caller, service) AS caller,
  service AS service_name,
  session_id AS conversation_id,
  trace_id,
  environment,
  user_agent,
  tags,
  COALESCE(template_of('system', request.system),
    CASE WHEN has_prompt THEN template_of(messages[1].role, messages[1].content) END)
    AS template_hash,
  CASE WHEN has_prompt THEN len(messages) END AS message_count,
  CASE WHEN has_prompt THEN list_transform(messages, lambda message: hash(message)) END
    AS message_hashes,
  CASE WHEN has_prompt THEN any_tool_result(messages) END AS has_tool_result,
  md5(nullif(request.metadata.user_id, '')) AS end_user_hash,
  to_count(request.max_tokens) AS max_output_tokens,
  COALESCE(has_prompt AND request.model IS NOT NULL, false) AS replayable
FROM counted
