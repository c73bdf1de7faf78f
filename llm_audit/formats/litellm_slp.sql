-- format: litellm_slp
-- title: LiteLLM StandardLoggingPayload (S3, GCS, Azure and generic loggers)
-- docs: docs.litellm.ai/docs/proxy/logging_spec
-- reader: json
-- detect: call_type, startTime, status
-- tokens: prompt_tokens includes cached and written tokens, for Claude rows too. Some 2026 builds
--   wrote Claude's own exclusive count: told by text_tokens = prompt_tokens beside cache tokens,
--   or by a cache larger than the prompt. Zeros on a failure are not a measurement.
-- columns:
--   id: VARCHAR
--   litellm_call_id: VARCHAR
--   trace_id: VARCHAR
--   session_id: VARCHAR
--   call_type: VARCHAR
--   cache_hit: VARCHAR
--   stream: VARCHAR
--   status: VARCHAR
--   custom_llm_provider: VARCHAR
--   startTime: VARCHAR
--   endTime: VARCHAR
--   completionStartTime: VARCHAR
--   model: VARCHAR
--   model_group: VARCHAR
--   response_cost: VARCHAR
--   prompt_tokens: VARCHAR
--   completion_tokens: VARCHAR
--   request_tags: VARCHAR[]
--   end_user: VARCHAR
--   api_base: VARCHAR
--   user_agent: VARCHAR
--   messages: STRUCT(role VARCHAR, type VARCHAR, content VARCHAR)[]
--   model_parameters: STRUCT(stream VARCHAR, service_tier VARCHAR, max_tokens VARCHAR,
--     max_completion_tokens VARCHAR, max_output_tokens VARCHAR, "user" VARCHAR,
--     previous_response_id VARCHAR, timeout VARCHAR)
--   error_information: STRUCT(error_code VARCHAR, error_class VARCHAR)
--   cost_breakdown: STRUCT(service_tier VARCHAR)
--   response: STRUCT(model VARCHAR, service_tier VARCHAR,
--     choices STRUCT(finish_reason VARCHAR)[], stop_reason VARCHAR)
--   metadata: STRUCT(user_api_key_hash VARCHAR, user_api_key_alias VARCHAR,
--     user_api_key_team_alias VARCHAR, user_api_key_team_id VARCHAR,
--     user_api_key_end_user_id VARCHAR, user_api_key_user_id VARCHAR, user_agent VARCHAR,
--     requester_metadata MAP(VARCHAR, VARCHAR), spend_logs_metadata MAP(VARCHAR, VARCHAR),
--     requester_custom_headers MAP(VARCHAR, VARCHAR),
--     prompt_management_metadata STRUCT(prompt_id VARCHAR),
--     usage_object STRUCT(prompt_tokens VARCHAR, completion_tokens VARCHAR, service_tier VARCHAR,
--       speed VARCHAR, inference_geo VARCHAR,
--       cache_read_input_tokens VARCHAR, cache_creation_input_tokens VARCHAR,
--       server_tool_use STRUCT(web_search_requests VARCHAR),
--       prompt_tokens_details STRUCT(cached_tokens VARCHAR, cache_creation_tokens VARCHAR,
--         cache_write_tokens VARCHAR, text_tokens VARCHAR, audio_tokens VARCHAR,
--         image_tokens VARCHAR, web_search_requests VARCHAR,
--         cache_creation_token_details STRUCT(ephemeral_5m_input_tokens VARCHAR,
--           ephemeral_1h_input_tokens VARCHAR)),
--       completion_tokens_details STRUCT(reasoning_tokens VARCHAR, audio_tokens VARCHAR,
--         image_tokens VARCHAR)))
WITH parts AS (
  SELECT
    *,
    metadata.usage_object AS usage,
    metadata.usage_object.prompt_tokens_details AS details,
    to_time(startTime) AS start_time,
    to_time(endTime) AS end_time,
    to_time(completionStartTime) AS first_token_time,
    COALESCE(stream, model_parameters.stream) = 'true' AS streamed,
    -- LiteLLM redacts all messages by one.
    COALESCE(len(messages) > 0 AND NOT is_redacted(COALESCE(messages[1].content, '')), false)
      AS has_prompt,
    to_count(COALESCE(metadata.usage_object.prompt_tokens, prompt_tokens)) AS prompt,
    to_count(COALESCE(metadata.usage_object.completion_tokens, completion_tokens)) AS completion
  FROM raw
),
counted AS (
  SELECT
    *,
    COALESCE(to_count(details.cached_tokens), to_count(usage.cache_read_input_tokens))
      AS cache_read,
    to_count(details.cache_creation_token_details.ephemeral_1h_input_tokens) AS written_1h,
    to_count(COALESCE(details.cache_creation_tokens, details.cache_write_tokens,
      usage.cache_creation_input_tokens)) AS written,
    COALESCE(prompt > 0 OR completion > 0, false) AS has_usage,
    CASE WHEN has_prompt THEN list_transform(messages, lambda message: hash(message)) END AS hashes
  FROM parts
),
settled AS (
  SELECT
    *,
    COALESCE(cache_read, 0) + COALESCE(written, 0) AS cached,
    COALESCE(cache_read, 0) + COALESCE(written, 0) > 0 AND (
      COALESCE(cache_read, 0) + COALESCE(written, 0) > prompt
      -- Others count cached text among their text tokens.
      OR COALESCE(contains(model, 'claude') AND to_count(details.text_tokens) = prompt, false)
    ) AS is_exclusive
  FROM counted
)
SELECT
  call_type IS NOT NULL AND startTime IS NOT NULL AS recognised,
  CASE
    WHEN list_contains(request_tags, 'litellm-internal-health-check') THEN 'a gateway health check'
    WHEN call_type IN ('acompletion', 'aresponses', 'aembedding', 'anthropic_messages') THEN NULL
    WHEN call_type IN ('acreate_batch', 'create_batch', 'aretrieve_batch', 'retrieve_batch',
      'acancel_batch', 'alist_batches', 'acreate_file', 'create_file', 'afile_content',
      'file_content', 'afile_delete', 'afile_retrieve', 'afile_list', 'alist_files')
      THEN 'batch or file bookkeeping, not a model call'
    WHEN call_type IN ('call_mcp_tool', 'alist_input_items', 'aget_responses', 'adelete_responses',
      'ahealth_check', 'health_check', 'acount_tokens', 'avector_store_create',
      'avector_store_search') THEN 'call_type ' || call_type || ' is not a model call'
  END AS not_call_reason,
  COALESCE(
    bad_count('prompt_tokens', prompt_tokens),
    bad_count('completion_tokens', completion_tokens),
    bad_count('usage_object.prompt_tokens', usage.prompt_tokens),
    bad_count('usage_object.completion_tokens', usage.completion_tokens),
    bad_count('cached_tokens', details.cached_tokens),
    bad_count('cache_read_input_tokens', usage.cache_read_input_tokens),
    bad_count('cache_creation_tokens', details.cache_creation_tokens),
    bad_count('cache_creation_input_tokens', usage.cache_creation_input_tokens),
    CASE
      WHEN start_time IS NULL
        THEN 'startTime is not a time: ' || wrong_value(startTime)
      WHEN end_time IS NULL AND endTime IS NOT NULL
        THEN 'endTime is not a time: ' || wrong_value(endTime)
    END
  ) AS reject_reason,
  COALESCE(nullif(id, ''), nullif(litellm_call_id, '')) AS call_id,
  to_provider(custom_llm_provider) AS provider_name,
  CASE
    WHEN call_type IN ('acompletion', 'completion', 'anthropic_messages', 'agenerate_content',
      'generate_content', 'agenerate_content_stream') THEN 'chat'
    WHEN call_type IN ('aresponses', 'responses') THEN 'responses'
    WHEN call_type IN ('aembedding', 'embedding') THEN 'embeddings'
    WHEN call_type IN ('atext_completion', 'text_completion') THEN 'completions'
    WHEN call_type IN ('amoderation', 'moderation') THEN 'moderation'
    WHEN call_type LIKE '%image%' THEN 'image'
    WHEN call_type IN ('atranscription', 'transcription', 'aspeech', 'speech') THEN 'audio'
    WHEN call_type IN ('arerank', 'rerank') THEN 'rerank'
    WHEN call_type = '_arealtime' THEN 'realtime'
    ELSE call_type
  END AS operation_name,
  COALESCE(nullif(model_group, ''), model) AS request_model,
  COALESCE(nullif(response.model, ''), model) AS response_model,
  start_time AS started_at,
  end_time AS ended_at,
  milliseconds_between(start_time, end_time) AS duration_ms,
  CASE WHEN streamed AND first_token_time < end_time
    THEN milliseconds_between(start_time, first_token_time)
  END AS time_to_first_token_ms,
  CASE
    WHEN error_information.error_code = '499' THEN 'cancelled'
    WHEN status = 'failure' THEN 'error'
    ELSE 'ok'
  END AS status,
  COALESCE(TRY_CAST(error_information.error_code AS INTEGER),
    CASE WHEN status = 'success' THEN 200 END) AS http_status,
  nullif(error_information.error_class, '') AS error_type,
  COALESCE(response.choices[1].finish_reason, response.stop_reason) AS finish_reason,
  CASE WHEN has_prompt AND nullif(trace_id, '') IS NOT NULL
    THEN CAST(hash(trace_id, hashes) AS VARCHAR) END AS attempt_group,
  cache_hit = 'true' AS gateway_cache_hit,
  COALESCE(
    CASE WHEN usage.speed = 'fast' THEN 'priority' END,
    to_tier(cost_breakdown.service_tier), to_tier(response.service_tier),
    to_tier(usage.service_tier),
    CASE WHEN to_tier(model_parameters.service_tier) <> 'standard'
      THEN to_tier(model_parameters.service_tier) END
  ) AS service_tier,
  COALESCE(to_region(usage.inference_geo), url_to_region(api_base)) AS inference_region,
  lower(usage.speed) AS inference_speed,
  -- LiteLLM writes `stream` true or null, never false: null is a plain call.
  COALESCE(streamed, false) AS is_streaming,
  CASE WHEN has_usage THEN
    COALESCE(prompt, 0) + CASE WHEN is_exclusive THEN cached ELSE 0 END
  END AS input_tokens,
  CASE WHEN has_usage THEN cache_read END AS cache_read_input_tokens,
  CASE WHEN has_usage THEN written - COALESCE(written_1h, 0) END AS cache_creation_5m_input_tokens,
  CASE WHEN has_usage THEN written_1h END AS cache_creation_1h_input_tokens,
  CASE WHEN has_usage THEN COALESCE(completion, 0) END AS output_tokens,
  to_count(usage.completion_tokens_details.reasoning_tokens) AS reasoning_output_tokens,
  to_count(details.audio_tokens) AS audio_input_tokens,
  to_count(usage.completion_tokens_details.audio_tokens) AS audio_output_tokens,
  to_count(details.image_tokens) AS image_input_tokens,
  to_count(usage.completion_tokens_details.image_tokens) AS image_output_tokens,
  COALESCE(to_count(usage.server_tool_use.web_search_requests),
    to_count(details.web_search_requests)) AS web_search_requests,
  CASE
    WHEN NOT has_usage THEN 'missing'
    -- OpenAI always reports prompt details; without them LiteLLM counted with its own tokenizer.
    WHEN custom_llm_provider = 'openai' AND stream = 'true' AND usage IS NOT NULL
      AND details IS NULL THEN 'estimated'
    ELSE 'reported'
  END AS tokens_source,
  CASE
    WHEN NOT has_usage THEN NULL
    WHEN is_exclusive THEN 'exclusive: cache tokens added to prompt_tokens'
    ELSE 'inclusive: prompt_tokens'
  END AS token_rule,
  TRY_CAST(response_cost AS DOUBLE) AS logged_cost,
  COALESCE(nullif(metadata.user_api_key_team_alias, ''),
    nullif(metadata.user_api_key_team_id, '')) AS team,
  nullif(metadata.user_api_key_alias, '') AS api_key_alias,
  COALESCE(nullif(metadata.user_api_key_alias, ''), nullif(metadata.user_api_key_team_alias, ''),
    nullif(metadata.user_api_key_user_id, ''),
    'key ' || substr(nullif(metadata.user_api_key_hash, ''), 1, 8)) AS caller,
  md5(COALESCE(nullif(end_user, ''), nullif(metadata.user_api_key_end_user_id, ''),
    nullif(model_parameters."user", ''))) AS end_user_hash,
  nullif(session_id, '') AS conversation_id,
  nullif(trace_id, '') AS trace_id,
  nullif(metadata.prompt_management_metadata.prompt_id, '') AS prompt_name,
  COALESCE(nullif(user_agent, ''), nullif(metadata.user_agent, '')) AS user_agent,
  CASE WHEN metadata.requester_metadata IS NULL AND metadata.spend_logs_metadata IS NULL
    THEN request_tags
    ELSE list_concat(request_tags, map_to_tags(metadata.requester_metadata),
      map_to_tags(metadata.spend_logs_metadata)) END AS tags,
  COALESCE(TRY_CAST(metadata.requester_custom_headers['x-litellm-timeout'] AS DOUBLE),
    TRY_CAST(metadata.requester_custom_headers['x-stainless-read-timeout'] AS DOUBLE),
    TRY_CAST(model_parameters.timeout AS DOUBLE)) AS client_timeout_s,
  CASE WHEN has_prompt THEN template_of(messages[1].role, messages[1].content) END
    AS template_hash,
  CASE WHEN has_prompt THEN len(messages) END AS message_count,
  hashes AS message_hashes,
  CASE WHEN has_prompt THEN list_bool_or(list_transform(messages, lambda message:
    COALESCE(message.role IN ('tool', 'function'), false)
    OR COALESCE(message.type = 'function_call_output', false)
    OR COALESCE(message.role = 'user' AND starts_with(message.content, '[')
      AND contains(message.content, '"tool_result"'), false)
  )) END AS has_tool_result,
  nullif(model_parameters.previous_response_id, '') AS previous_response_id,
  COALESCE(to_count(model_parameters.max_completion_tokens),
    to_count(model_parameters.max_tokens), to_count(model_parameters.max_output_tokens))
    AS max_output_tokens,
  CASE WHEN has_prompt THEN NOT COALESCE(list_bool_or(
    list_transform(messages, lambda message: is_truncated(message.content))), false)
  ELSE false END AS replayable
FROM settled
