-- format: openai_usage_legacy
-- title: OpenAI usage of before the organisation API: activity CSV, and JSON of /v1/usage?date=
-- docs: platform.openai.com/usage, as it was until early 2025
-- reader: json
-- yields: usage_buckets
-- records: data[]
-- records: ft_data[]
-- records: dalle_api_data[]
-- records: whisper_api_data[]
-- records: tts_api_data[]
-- records: assistant_code_interpreter_data[]
-- records: retrieval_storage_data[]
-- detect: n_context_tokens_total, n_generated_tokens_total, timestamp
-- detect: n_context_tokens_total, n_generated_tokens_total, aggregation_timestamp
-- detect: object=list, data[].n_context_tokens_total, data[].aggregation_timestamp
-- detect: object=list, data, dalle_api_data
-- tokens: n_context_tokens_total includes cached and audio tokens. The CSV has one row a day, the
--   JSON one a span of five minutes.
-- columns:
--   timestamp: VARCHAR
--   aggregation_timestamp: VARCHAR
--   model: VARCHAR
--   snapshot_id: VARCHAR
--   model_id: VARCHAR
--   operation: VARCHAR
--   request_type: VARCHAR
--   usage_type: VARCHAR
--   image_size: VARCHAR
--   n_context_tokens_total: VARCHAR
--   n_generated_tokens_total: VARCHAR
--   n_cached_context_tokens_total: VARCHAR
--   n_context_audio_tokens_total: VARCHAR
--   n_generated_audio_tokens_total: VARCHAR
--   n_context: VARCHAR
--   n_generated: VARCHAR
--   n_requests: VARCHAR
--   num_requests: VARCHAR
--   num_images: VARCHAR
--   num_characters: VARCHAR
--   num_seconds: VARCHAR
--   num_sessions: VARCHAR
--   organization_id: VARCHAR
--   organization_name: VARCHAR
--   project_id: VARCHAR
--   project_name: VARCHAR
--   api_key_id: VARCHAR
--   api_key_name: VARCHAR
--   api_key_redacted: VARCHAR
--   api_key_type: VARCHAR
--   user: VARCHAR
--   user_id: VARCHAR
--   email: VARCHAR
--   other_dimensions: VARCHAR
WITH numbers AS (
  SELECT
    *,
    COALESCE(n_requests, num_requests) AS request_count,
    to_time(COALESCE(aggregation_timestamp, "timestamp")) AS start_time,
    to_quantity(n_context_tokens_total) AS context,
    COALESCE(to_quantity(n_cached_context_tokens_total), 0) AS cached,
    COALESCE(to_quantity(n_context_audio_tokens_total), 0) AS audio_in,
    COALESCE(to_quantity(n_generated_tokens_total), 0) AS generated,
    COALESCE(to_quantity(n_generated_audio_tokens_total), 0) AS audio_out
  FROM raw
)
SELECT
  COALESCE(n_context_tokens_total, num_images, num_characters, num_seconds, num_sessions)
    IS NOT NULL AS recognised,
  COALESCE(
    bad_quantity('n_context_tokens_total', n_context_tokens_total),
    bad_quantity('n_cached_context_tokens_total', n_cached_context_tokens_total),
    bad_quantity('n_context_audio_tokens_total', n_context_audio_tokens_total),
    bad_quantity('n_generated_tokens_total', n_generated_tokens_total),
    bad_quantity('n_generated_audio_tokens_total', n_generated_audio_tokens_total),
    bad_quantity('num_requests', request_count),
    bad_quantity('num_images', num_images),
    bad_quantity('num_characters', num_characters),
    bad_quantity('num_seconds', num_seconds),
    bad_quantity('num_sessions', num_sessions),
    CASE
      WHEN cached > COALESCE(context, 0) THEN 'more cached than context tokens'
      WHEN audio_out > generated THEN 'more audio than generated tokens'
    END
  ) AS reject_reason,
  start_time AS bucket_start,
  start_time + CASE
    WHEN aggregation_timestamp IS NULL AND snapshot_id IS NULL AND model_id IS NULL
      AND date_trunc('day', start_time) = start_time THEN INTERVAL 1 DAY
    ELSE INTERVAL 5 MINUTE
  END AS bucket_end,
  'openai' AS provider_name,
  COALESCE(if_known(model), if_known(snapshot_id), model_id) AS model,
  to_export_tier(if_known(request_type)) AS service_tier,
  COALESCE(if_known(api_key_name), api_key_id) AS api_key,
  MAP {
    'api_key_id': CASE WHEN if_known(api_key_name) IS NOT NULL THEN api_key_id END,
    'image_size': image_size,
    'operation': operation,
    'organization_id': organization_id,
    'other': other_dimensions,
    'project_id': project_id,
    'project_name': CASE WHEN if_known(project_id) IS NULL THEN project_name END,
    'request_type': CASE WHEN to_export_tier(request_type) IS NULL THEN request_type END,
    'usage_type': usage_type,
    'user_hash': to_user_hash(COALESCE(if_known("user"), if_known(user_id), email))
  } AS export_keys,
  [
    measured('input', context - cached - least(audio_in, context - cached)),
    measured('audio_input', least(audio_in, context - cached)),
    measured('cached_input', cached),
    measured('output', generated - audio_out),
    measured('audio_output', audio_out),
    measured('requests', to_quantity(request_count)),
    measured('images', to_quantity(num_images)),
    measured('characters', to_quantity(num_characters)),
    measured('seconds', to_quantity(num_seconds)),
    measured('code_interpreter', to_quantity(num_sessions))
  ] AS quantities
FROM numbers
