-- format: openai_usage
-- title: OpenAI organisation usage, as pages of the usage API or as a dashboard's CSV export
-- docs: platform.openai.com/docs/api-reference/usage
-- reader: json
-- yields: usage_buckets
-- records: data[].results[]
-- records: results[]
-- detect: object=page, data[].object=bucket
-- detect: object=page, data
-- detect: object=bucket, results
-- detect: object^=organization.usage., start_time
-- detect: start_time, end_time, start_time_iso, end_time_iso
-- tokens: input_tokens includes cached and written ones; input_uncached_tokens excludes both. Text,
--   audio and image counts split the uncached and the output total and are never added to them.
--   web_searches repeats num_model_requests of calls that completions counts: not taken there.
-- columns:
--   object: VARCHAR
--   start_time: VARCHAR
--   end_time: VARCHAR
--   start_time_iso: VARCHAR
--   end_time_iso: VARCHAR
--   model: VARCHAR
--   batch: VARCHAR
--   service_tier: VARCHAR
--   project_id: VARCHAR
--   project_name: VARCHAR
--   user_id: VARCHAR
--   user_name: VARCHAR
--   user_email: VARCHAR
--   organization_id: VARCHAR
--   organization_name: VARCHAR
--   api_key_id: VARCHAR
--   api_key_name: VARCHAR
--   api_key_redacted: VARCHAR
--   num_model_requests: VARCHAR
--   num_requests: VARCHAR
--   num_sessions: VARCHAR
--   input_tokens: VARCHAR
--   input_uncached_tokens: VARCHAR
--   input_cached_tokens: VARCHAR
--   input_cache_write_tokens: VARCHAR
--   input_audio_tokens: VARCHAR
--   input_image_tokens: VARCHAR
--   output_tokens: VARCHAR
--   output_audio_tokens: VARCHAR
--   output_image_tokens: VARCHAR
--   images: VARCHAR
--   characters: VARCHAR
--   seconds: VARCHAR
--   usage_bytes: VARCHAR
--   size: VARCHAR
--   source: VARCHAR
--   vector_store_id: VARCHAR
--   context_level: VARCHAR
--   file_name: VARCHAR
--   other_dimensions: VARCHAR
WITH numbers AS (
  SELECT
    *,
    -- A CSV says what it counts in its name only: completions_usage_2026-09-01_2026-09-30.csv
    CASE COALESCE(
        nullif(regexp_extract(object, '^organization\.usage\.(\w+)\.result$', 1), ''),
        nullif(regexp_extract(file_name, '^([a-z_]+)_usage_', 1), ''))
      WHEN 'file_search_calls' THEN 'file_searches'
      WHEN 'web_search_calls' THEN 'web_searches'
      ELSE COALESCE(
        nullif(regexp_extract(object, '^organization\.usage\.(\w+)\.result$', 1), ''),
        nullif(regexp_extract(file_name, '^([a-z_]+)_usage_', 1), ''),
        CASE
          WHEN output_tokens IS NOT NULL THEN 'completions'
          WHEN images IS NOT NULL THEN 'images'
          WHEN characters IS NOT NULL THEN 'audio_speeches'
          WHEN seconds IS NOT NULL THEN 'audio_transcriptions'
          WHEN usage_bytes IS NOT NULL THEN 'vector_stores'
          WHEN num_sessions IS NOT NULL THEN 'code_interpreter_sessions'
          WHEN context_level IS NOT NULL THEN 'web_searches'
          WHEN vector_store_id IS NOT NULL THEN 'file_searches'
          WHEN input_tokens IS NOT NULL AND contains(model, 'moderation') THEN 'moderations'
          WHEN input_tokens IS NOT NULL THEN 'embeddings'
        END)
    END AS endpoint,
    to_quantity(input_tokens) AS input_total,
    to_quantity(input_uncached_tokens) AS input_uncached,
    COALESCE(to_quantity(input_cached_tokens), 0) AS cached,
    COALESCE(to_quantity(input_cache_write_tokens), 0) AS written,
    COALESCE(to_quantity(input_audio_tokens), 0) AS audio_in,
    COALESCE(to_quantity(input_image_tokens), 0) AS image_in,
    to_quantity(output_tokens) AS output_total,
    COALESCE(to_quantity(output_audio_tokens), 0) AS audio_out,
    COALESCE(to_quantity(output_image_tokens), 0) AS image_out
  FROM raw
),
totals AS (
  SELECT
    *,
    COALESCE(input_uncached, input_total - cached - written, audio_in + image_in) AS uncached,
    COALESCE(output_total, audio_out + image_out) AS output_all
  FROM numbers
),
-- Reports from before input_cached_audio_tokens count cached audio as audio, too: of the uncached
-- total no more can be audio than there is.
shares AS (
  SELECT
    *,
    least(audio_in, uncached) AS audio_part,
    least(image_in, uncached - least(audio_in, uncached)) AS image_part
  FROM totals
)
SELECT
  starts_with(object, 'organization.usage.') OR (object IS NULL AND start_time IS NOT NULL)
    AS recognised,
  COALESCE(
    bad_quantity('input_tokens', input_tokens),
    bad_quantity('input_uncached_tokens', input_uncached_tokens),
    bad_quantity('input_cached_tokens', input_cached_tokens),
    bad_quantity('input_cache_write_tokens', input_cache_write_tokens),
    bad_quantity('input_audio_tokens', input_audio_tokens),
    bad_quantity('input_image_tokens', input_image_tokens),
    bad_quantity('output_tokens', output_tokens),
    bad_quantity('output_audio_tokens', output_audio_tokens),
    bad_quantity('output_image_tokens', output_image_tokens),
    bad_quantity('num_model_requests', num_model_requests),
    bad_quantity('num_requests', num_requests),
    bad_quantity('num_sessions', num_sessions),
    bad_quantity('images', images),
    bad_quantity('characters', characters),
    bad_quantity('seconds', seconds),
    bad_quantity('usage_bytes', usage_bytes),
    CASE
      WHEN uncached < 0 THEN 'more cached and written than input tokens'
      WHEN audio_out + image_out > output_all THEN 'more audio and image tokens than output tokens'
      WHEN object IS NOT NULL AND COALESCE(input_tokens, input_uncached_tokens, output_tokens,
        num_model_requests, num_requests, num_sessions, images, characters, seconds, usage_bytes)
        IS NULL THEN 'holds nothing that is known to be a quantity'
      WHEN endpoint IS NULL AND num_requests IS NOT NULL
        THEN 'file searches or web searches? The export''s own file name would tell'
      WHEN endpoint NOT IN ('completions', 'embeddings', 'moderations', 'images', 'audio_speeches',
        'audio_transcriptions', 'vector_stores', 'code_interpreter_sessions', 'file_searches',
        'web_searches') THEN 'usage of an unknown endpoint'
    END
  ) AS reject_reason,
  to_time(COALESCE(nullif(start_time, ''), start_time_iso)) AS bucket_start,
  to_time(COALESCE(nullif(end_time, ''), end_time_iso)) AS bucket_end,
  'openai' AS provider_name,
  model,
  CASE
    WHEN lower(batch) = 'true' THEN 'batch'
    WHEN if_known(service_tier) IS NOT NULL THEN to_export_tier(service_tier)
    WHEN lower(batch) = 'false' THEN 'standard'
  END AS service_tier,
  COALESCE(if_known(api_key_name), api_key_id) AS api_key,
  MAP {
    'api_key_id': CASE WHEN if_known(api_key_name) IS NOT NULL THEN api_key_id END,
    'context_level': context_level,
    'endpoint': endpoint,
    'organization_id': organization_id,
    'other': other_dimensions,
    'project_id': project_id,
    'project_name': CASE WHEN if_known(project_id) IS NULL THEN project_name END,
    'service_tier': CASE WHEN to_export_tier(service_tier) IS NULL THEN service_tier END,
    'size': size,
    'source': source,
    'user_hash': to_user_hash(COALESCE(if_known(user_id), if_known(user_email), user_name)),
    'vector_store_id': vector_store_id
  } AS export_keys,
  [
    measured('input', uncached - audio_part - image_part),
    measured('audio_input', audio_part),
    measured('image_input', image_part),
    measured('cached_input', cached),
    measured('cache_write_5m', written),
    measured('output', output_all - audio_out - image_out),
    measured('audio_output', audio_out),
    measured('image_output', image_out),
    measured('requests', CASE WHEN endpoint <> 'web_searches'
      THEN to_quantity(num_model_requests) END),
    measured('web_search', CASE WHEN endpoint = 'web_searches' THEN to_quantity(num_requests) END),
    measured('file_search', CASE WHEN endpoint = 'file_searches' THEN to_quantity(num_requests) END),
    measured('code_interpreter', to_quantity(num_sessions)),
    measured('images', to_quantity(images)),
    measured('characters', to_quantity(characters)),
    measured('seconds', to_quantity(seconds)),
    measured('vector_store_bytes', to_quantity(usage_bytes))
  ] AS quantities
FROM shares
