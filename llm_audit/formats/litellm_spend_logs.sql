-- format: litellm_spend_logs
-- title: LiteLLM_SpendLogs rows (Postgres export, /spend/logs)
-- docs: docs.litellm.ai/docs/proxy/cost_tracking
-- reader: json
-- detect: request_id, call_type, spend, startTime
-- tokens: prompt_tokens includes cached and written tokens. Zeros beside an empty usage_object are
--   the table's defaults, not a measurement.
-- columns:
--   request_id: VARCHAR
--   session_id: VARCHAR
--   call_type: VARCHAR
--   api_key: VARCHAR
--   cache_hit: VARCHAR
--   startTime: VARCHAR
--   endTime: VARCHAR
--   completionStartTime: VARCHAR
--   model: VARCHAR
--   model_group: VARCHAR
--   custom_llm_provider: VARCHAR
--   "user": VARCHAR
--   team_id: VARCHAR
--   end_user: VARCHAR
--   agent_id: VARCHAR
--   spend: VARCHAR
--   prompt_tokens: VARCHAR
--   completion_tokens: VARCHAR
--   request_tags: JSON
--   status: VARCHAR
--   metadata: JSON
WITH parts AS (
  SELECT
    * EXCLUDE (metadata),
    -- Exports write these two as JSON inside a JSON string.
    json_transform(
      CASE json_type(metadata) WHEN 'VARCHAR' THEN TRY_CAST(metadata ->> '$' AS JSON)
        ELSE metadata END,
      '{"user_api_key_alias": "VARCHAR", "user_api_key_team_alias": "VARCHAR",
        "user_agent": "VARCHAR", "internal_call_origin": "VARCHAR",
        "error_information": {"error_code": "VARCHAR", "error_class": "VARCHAR"},
        "additional_usage_values": {"cache_read_input_tokens": "VARCHAR",
          "cache_creation_input_tokens": "VARCHAR"},
        "usage_object": {"prompt_tokens": "VARCHAR", "completion_tokens": "VARCHAR",
          "service_tier": "VARCHAR", "speed": "VARCHAR", "inference_geo": "VARCHAR",
          "cache_read_input_tokens": "VARCHAR", "cache_creation_input_tokens": "VARCHAR",
          "prompt_tokens_details": {"cached_tokens": "VARCHAR", "cache_creation_tokens": "VARCHAR",
            "cache_write_tokens": "VARCHAR",
            "cache_creation_token_details": {"ephemeral_1h_input_tokens": "VARCHAR"}},
          "completion_tokens_details": {"reasoning_tokens": "VARCHAR"}}}') AS metadata,
    TRY_CAST(CASE json_type(request_tags) WHEN 'VARCHAR' THEN request_tags ->> '$'
      ELSE CAST(request_tags AS VARCHAR) END AS JSON) AS tag_list
  FROM raw
),
counted AS (
  SELECT
    *,
    metadata.usage_object AS usage,
    metadata.usage_object.prompt_tokens_details AS details,
    COALESCE(metadata.usage_object.prompt_tokens, prompt_tokens) AS prompt,
    COALESCE(metadata.usage_object.completion_tokens, completion_tokens) AS completion,
    to_time(startTime) AS start_time,
    to_time(endTime) AS end_time,
    COALESCE(to_count(prompt_tokens) > 0 OR to_count(completion_tokens) > 0, false) AS has_usage
  FROM parts
),
settled AS (
  SELECT
    *,
    COALESCE(details.cached_tokens, usage.cache_read_input_tokens,
      metadata.additional_usage_values.cache_read_input_tokens) AS read_text,
    COALESCE(details.cache_creation_tokens, details.cache_write_tokens,
      usage.cache_creation_input_tokens,
      metadata.additional_usage_values.cache_creation_input_tokens) AS written_text,
    to_count(read_text) AS cache_read,
    to_count(written_text) AS written,
    to_count(details.cache_creation_token_details.ephemeral_1h_input_tokens) AS written_1h
  FROM counted
)
SELECT
  request_id IS NOT NULL AND call_type IS NOT NULL AS recognised,
  CASE
    WHEN call_type = '' THEN 'refused by the gateway before any model was called'
    WHEN call_type IN ('aretrieve_batch', 'acreate_batch', 'acreate_file', 'call_mcp_tool')
      THEN 'call_type ' || call_type || ' is not a model call'
    WHEN metadata.internal_call_origin IS NOT NULL THEN 'a gateway-internal call'
  END AS not_call_reason,
  COALESCE(
    bad_count('prompt_tokens', prompt),
    bad_count('completion_tokens', completion),
    bad_count('cached_tokens', read_text),
    bad_count('cache_creation_tokens', written_text),
    CASE
      WHEN start_time IS NULL AND startTime IS NOT NULL
        THEN 'startTime is not a time: ' || wrong_value(startTime)
    END
  ) AS reject_reason,
  request_id AS call_id,
  to_provider(custom_llm_provider) AS provider_name,
  CASE
    WHEN call_type IN ('acompletion', 'completion', 'anthropic_messages') THEN 'chat'
    WHEN call_type IN ('aresponses', 'responses') THEN 'responses'
    WHEN call_type IN ('aembedding', 'embedding') THEN 'embeddings'
    WHEN call_type = '_arealtime' THEN 'realtime'
    ELSE call_type
  END AS operation_name,
  COALESCE(nullif(model_group, ''), model) AS request_model,
  nullif(model, '') AS response_model,
  start_time AS started_at,
  end_time AS ended_at,
  milliseconds_between(start_time, end_time) AS duration_ms,
  CASE WHEN to_time(completionStartTime) < end_time
    THEN milliseconds_between(start_time, to_time(completionStartTime)) END
    AS time_to_first_token_ms,
  CASE
    WHEN metadata.error_information.error_code = '499' THEN 'cancelled'
    WHEN status = 'failure' THEN 'error'
    ELSE 'ok'
  END AS status,
  TRY_CAST(metadata.error_information.error_code AS INTEGER) AS http_status,
  nullif(metadata.error_information.error_class, '') AS error_type,
  lower(cache_hit) = 'true' AS gateway_cache_hit,
  CASE WHEN usage.speed = 'fast' THEN 'priority' ELSE to_tier(usage.service_tier) END
    AS service_tier,
  to_region(usage.inference_geo) AS inference_region,
  lower(usage.speed) AS inference_speed,
  -- The table has no stream column: a first token before the end tells a stream.
  CASE WHEN to_time(completionStartTime) < end_time THEN true END AS is_streaming,
  CASE WHEN has_usage THEN to_count(prompt)
    + CASE WHEN COALESCE(cache_read, 0) + COALESCE(written, 0) > to_count(prompt)
      THEN COALESCE(cache_read, 0) + COALESCE(written, 0) ELSE 0 END END AS input_tokens,
  CASE WHEN has_usage THEN cache_read END AS cache_read_input_tokens,
  CASE WHEN has_usage THEN written - COALESCE(written_1h, 0) END AS cache_creation_5m_input_tokens,
  CASE WHEN has_usage THEN written_1h END AS cache_creation_1h_input_tokens,
  CASE WHEN has_usage THEN to_count(completion) END AS output_tokens,
  to_count(usage.completion_tokens_details.reasoning_tokens) AS reasoning_output_tokens,
  CASE WHEN has_usage THEN 'reported' ELSE 'missing' END AS tokens_source,
  CASE
    WHEN NOT has_usage THEN NULL
    WHEN COALESCE(cache_read, 0) + COALESCE(written, 0) > to_count(prompt)
      THEN 'exclusive: cache tokens added to prompt_tokens'
    ELSE 'inclusive: prompt_tokens'
  END AS token_rule,
  TRY_CAST(spend AS DOUBLE) AS logged_cost,
  COALESCE(nullif(metadata.user_api_key_team_alias, ''), nullif(team_id, '')) AS team,
  nullif(metadata.user_api_key_alias, '') AS api_key_alias,
  COALESCE(nullif(metadata.user_api_key_alias, ''), nullif(metadata.user_api_key_team_alias, ''),
    nullif(agent_id, ''), nullif("user", ''), 'key ' || substr(nullif(api_key, ''), 1, 8))
    AS caller,
  md5(nullif(end_user, '')) AS end_user_hash,
  nullif(session_id, '') AS conversation_id,
  nullif(agent_id, '') AS agent_name,
  nullif(metadata.user_agent, '') AS user_agent,
  TRY_CAST(tag_list AS VARCHAR[]) AS tags,
  false AS replayable
FROM settled
