-- format: generic
-- title: Any JSONL, CSV or Parquet whose columns carry our names (or were mapped with --map)
-- docs: the glossary in README.md
-- reader: json
-- detect: request_model, input_tokens
-- detect: response_model, input_tokens
-- detect: model, input_tokens
-- detect: model, prompt_tokens
-- tokens: input_tokens is the whole prompt, cached and written tokens included, as OpenTelemetry
--   defines gen_ai.usage.input_tokens.
-- columns:
--   call_id: VARCHAR
--   provider_name: VARCHAR
--   operation_name: VARCHAR
--   request_model: VARCHAR
--   response_model: VARCHAR
--   started_at: VARCHAR
--   ended_at: VARCHAR
--   duration_ms: VARCHAR
--   time_to_first_token_ms: VARCHAR
--   status: VARCHAR
--   http_status: VARCHAR
--   error_type: VARCHAR
--   finish_reason: VARCHAR
--   attempt_group: VARCHAR
--   gateway_cache_hit: VARCHAR
--   service_tier: VARCHAR
--   inference_region: VARCHAR
--   inference_speed: VARCHAR
--   is_streaming: VARCHAR
--   input_tokens: VARCHAR
--   cache_read_input_tokens: VARCHAR
--   cache_creation_5m_input_tokens: VARCHAR
--   cache_creation_1h_input_tokens: VARCHAR
--   output_tokens: VARCHAR
--   reasoning_output_tokens: VARCHAR
--   audio_input_tokens: VARCHAR
--   audio_output_tokens: VARCHAR
--   image_input_tokens: VARCHAR
--   image_output_tokens: VARCHAR
--   web_search_requests: VARCHAR
--   tokens_source: VARCHAR
--   logged_cost: VARCHAR
--   caller: VARCHAR
--   service_name: VARCHAR
--   team: VARCHAR
--   api_key_alias: VARCHAR
--   end_user_hash: VARCHAR
--   conversation_id: VARCHAR
--   agent_name: VARCHAR
--   trace_id: VARCHAR
--   parent_id: VARCHAR
--   prompt_name: VARCHAR
--   environment: VARCHAR
--   user_agent: VARCHAR
--   scheduler: VARCHAR
--   declared_tolerance_s: VARCHAR
--   client_timeout_s: VARCHAR
--   template_hash: VARCHAR
--   message_count: VARCHAR
--   has_tool_result: VARCHAR
--   previous_response_id: VARCHAR
--   max_output_tokens: VARCHAR
--   tags: VARCHAR
--   model: VARCHAR
--   provider: VARCHAR
--   prompt_tokens: VARCHAR
--   completion_tokens: VARCHAR
--   cached_tokens: VARCHAR
--   timestamp: VARCHAR
--   created_at: VARCHAR
--   latency_ms: VARCHAR
--   id: VARCHAR
--   cost: VARCHAR
--   endpoint: VARCHAR
WITH cells AS (
  SELECT
    * EXCLUDE ("timestamp", created_at),
    nullif(COALESCE(input_tokens, prompt_tokens), '') AS prompt,
    nullif(COALESCE(output_tokens, completion_tokens), '') AS completion,
    nullif(COALESCE(cache_read_input_tokens, cached_tokens), '') AS cached,
    nullif(COALESCE(started_at, "timestamp", created_at), '') AS start_text,
    to_time(nullif(COALESCE(started_at, "timestamp", created_at), '')) AS start_time,
    to_time(nullif(ended_at, '')) AS end_time,
    COALESCE(TRY_CAST(duration_ms AS DOUBLE), TRY_CAST(latency_ms AS DOUBLE)) AS cell_ms
  FROM raw
),
timed AS (
  SELECT *, COALESCE(cell_ms, milliseconds_between(start_time, end_time)) AS took_ms
  FROM cells
)
SELECT
  COALESCE(nullif(request_model, ''), nullif(response_model, ''), nullif(model, '')) IS NOT NULL
    AS recognised,
  CAST(NULL AS VARCHAR) AS not_call_reason,
  COALESCE(
    bad_count('input_tokens', prompt),
    bad_count('cache_read_input_tokens', cached),
    bad_count('cache_creation_5m_input_tokens', nullif(cache_creation_5m_input_tokens, '')),
    bad_count('cache_creation_1h_input_tokens', nullif(cache_creation_1h_input_tokens, '')),
    bad_count('output_tokens', completion),
    bad_count('reasoning_output_tokens', nullif(reasoning_output_tokens, '')),
    bad_count('audio_input_tokens', nullif(audio_input_tokens, '')),
    bad_count('audio_output_tokens', nullif(audio_output_tokens, '')),
    bad_count('image_input_tokens', nullif(image_input_tokens, '')),
    bad_count('image_output_tokens', nullif(image_output_tokens, '')),
    bad_count('web_search_requests', nullif(web_search_requests, '')),
    CASE
      WHEN COALESCE(to_count(cached), 0)
        + COALESCE(to_count(cache_creation_5m_input_tokens), 0)
        + COALESCE(to_count(cache_creation_1h_input_tokens), 0) > to_count(prompt)
        THEN 'more cached and written than input tokens: input_tokens must include them'
      WHEN start_text IS NOT NULL AND start_time IS NULL
        THEN 'started_at is not a time: ' || wrong_value(start_text)
      WHEN nullif(service_tier, '') IS NOT NULL AND to_tier(service_tier) IS NULL
        AND lower(service_tier) <> 'auto'
        THEN 'unknown service_tier: ' || wrong_value(service_tier)
    END
  ) AS reject_reason,
  nullif(COALESCE(call_id, id), '') AS call_id,
  to_provider(COALESCE(provider_name, provider)) AS provider_name,
  COALESCE(nullif(operation_name, ''), nullif(endpoint, '')) AS operation_name,
  COALESCE(nullif(request_model, ''), nullif(model, ''), nullif(response_model, '')) AS request_model,
  COALESCE(nullif(response_model, ''), nullif(model, ''), nullif(request_model, '')) AS response_model,
  start_time AS started_at,
  COALESCE(end_time,
    start_time + to_microseconds(CAST(took_ms * 1000 AS BIGINT))) AS ended_at,
  took_ms AS duration_ms,
  TRY_CAST(time_to_first_token_ms AS DOUBLE) AS time_to_first_token_ms,
  CASE
    WHEN lower(status) IN ('error', 'failure', 'failed') THEN 'error'
    WHEN lower(status) IN ('cancelled', 'canceled') THEN 'cancelled'
    ELSE to_status(COALESCE(http_status, status), false)
  END AS status,
  COALESCE(TRY_CAST(http_status AS INTEGER), TRY_CAST(status AS INTEGER)) AS http_status,
  nullif(error_type, '') AS error_type,
  nullif(finish_reason, '') AS finish_reason,
  nullif(attempt_group, '') AS attempt_group,
  TRY_CAST(gateway_cache_hit AS BOOLEAN) AS gateway_cache_hit,
  to_tier(service_tier) AS service_tier,
  to_region(inference_region) AS inference_region,
  lower(nullif(inference_speed, '')) AS inference_speed,
  TRY_CAST(is_streaming AS BOOLEAN) AS is_streaming,
  to_count(prompt) AS input_tokens,
  to_count(cached) AS cache_read_input_tokens,
  to_count(cache_creation_5m_input_tokens) AS cache_creation_5m_input_tokens,
  to_count(cache_creation_1h_input_tokens) AS cache_creation_1h_input_tokens,
  to_count(completion) AS output_tokens,
  to_count(reasoning_output_tokens) AS reasoning_output_tokens,
  to_count(audio_input_tokens) AS audio_input_tokens,
  to_count(audio_output_tokens) AS audio_output_tokens,
  to_count(image_input_tokens) AS image_input_tokens,
  to_count(image_output_tokens) AS image_output_tokens,
  to_count(web_search_requests) AS web_search_requests,
  CASE WHEN prompt IS NULL AND completion IS NULL THEN 'missing'
    WHEN lower(tokens_source) = 'estimated' THEN 'estimated' ELSE 'reported' END AS tokens_source,
  TRY_CAST(COALESCE(logged_cost, cost) AS DOUBLE) AS logged_cost,
  COALESCE(nullif(caller, ''), nullif(service_name, ''), nullif(api_key_alias, ''),
    nullif(agent_name, ''), nullif(team, '')) AS caller,
  nullif(service_name, '') AS service_name,
  nullif(team, '') AS team,
  nullif(api_key_alias, '') AS api_key_alias,
  nullif(end_user_hash, '') AS end_user_hash,
  nullif(conversation_id, '') AS conversation_id,
  nullif(agent_name, '') AS agent_name,
  nullif(trace_id, '') AS trace_id,
  nullif(parent_id, '') AS parent_id,
  nullif(prompt_name, '') AS prompt_name,
  nullif(environment, '') AS environment,
  nullif(user_agent, '') AS user_agent,
  nullif(scheduler, '') AS scheduler,
  TRY_CAST(declared_tolerance_s AS DOUBLE) AS declared_tolerance_s,
  TRY_CAST(client_timeout_s AS DOUBLE) AS client_timeout_s,
  nullif(template_hash, '') AS template_hash,
  TRY_CAST(message_count AS INTEGER) AS message_count,
  TRY_CAST(has_tool_result AS BOOLEAN) AS has_tool_result,
  nullif(previous_response_id, '') AS previous_response_id,
  to_count(max_output_tokens) AS max_output_tokens,
  CASE WHEN prompt IS NOT NULL OR completion IS NOT NULL
    THEN 'inclusive: input_tokens as OpenTelemetry defines it' END AS token_rule,
  CASE
    WHEN nullif(tags, '') IS NULL THEN NULL
    WHEN starts_with(tags, '[') THEN TRY_CAST(TRY_CAST(tags AS JSON) AS VARCHAR[])
    ELSE list_transform(string_split(tags, ','), lambda tag: trim(tag))
  END AS tags,
  false AS replayable
FROM timed
