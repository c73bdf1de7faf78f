-- format: openai_batch
-- title: OpenAI Batch API output, error and input files
-- docs: platform.openai.com/docs/guides/batch
-- reader: json
-- detect: custom_id, response.status_code, response.body
-- detect: custom_id, id^=batch_req_, response
-- detect: custom_id, id^=batch_req_, error
-- detect: custom_id, method, url, body
-- tokens: as the endpoint's own body. The body does not say that it was a batch; the envelope does.
-- columns:
--   id: VARCHAR
--   custom_id: VARCHAR
--   method: VARCHAR
--   body: JSON
--   error: STRUCT(code VARCHAR)
--   response: STRUCT(status_code VARCHAR, request_id VARCHAR, body STRUCT(id VARCHAR,
--     object VARCHAR, created VARCHAR, created_at VARCHAR, model VARCHAR, status VARCHAR,
--     previous_response_id VARCHAR,
--     choices STRUCT(finish_reason VARCHAR)[], error STRUCT(type VARCHAR, code VARCHAR),
--     usage STRUCT(prompt_tokens VARCHAR, completion_tokens VARCHAR,
--       input_tokens VARCHAR, output_tokens VARCHAR,
--       prompt_tokens_details STRUCT(cached_tokens VARCHAR, cache_write_tokens VARCHAR),
--       input_tokens_details STRUCT(cached_tokens VARCHAR, cache_write_tokens VARCHAR),
--       completion_tokens_details STRUCT(reasoning_tokens VARCHAR),
--       output_tokens_details STRUCT(reasoning_tokens VARCHAR))))
WITH counted AS (
  SELECT
    *,
    response.body AS answer,
    response.body.usage AS usage,
    COALESCE(response.body.usage.prompt_tokens, response.body.usage.input_tokens) AS prompt,
    COALESCE(response.body.usage.completion_tokens, response.body.usage.output_tokens)
      AS completion,
    COALESCE(response.body.usage.prompt_tokens_details.cached_tokens,
      response.body.usage.input_tokens_details.cached_tokens) AS cached,
    COALESCE(response.body.usage.prompt_tokens_details.cache_write_tokens,
      response.body.usage.input_tokens_details.cache_write_tokens) AS written,
    to_time(COALESCE(response.body.created, response.body.created_at)) AS start_time
  FROM raw
)
SELECT
  custom_id IS NOT NULL AND (response IS NOT NULL OR error IS NOT NULL
    OR (method IS NOT NULL AND body IS NOT NULL)) AS recognised,
  CASE WHEN response IS NULL AND error IS NULL
    THEN 'a batch request: the call is in the output file' END AS not_call_reason,
  COALESCE(
    bad_count('usage.prompt_tokens', prompt),
    bad_count('usage.completion_tokens', completion),
    bad_count('cached_tokens', cached),
    bad_count('cache_write_tokens', written),
    CASE
      WHEN to_count(cached) > to_count(prompt)
        THEN 'more cached than prompt tokens'
    END
  ) AS reject_reason,
  COALESCE(nullif(answer.id, ''), nullif(id, '')) AS call_id,
  'openai' AS provider_name,
  CASE answer.object
    WHEN 'chat.completion' THEN 'chat'
    WHEN 'response' THEN 'responses'
    WHEN 'list' THEN 'embeddings'
    WHEN 'text_completion' THEN 'completions'
  END AS operation_name,
  answer.model AS request_model,
  answer.model AS response_model,
  start_time AS started_at,
  to_status(response.status_code, error.code IS NOT NULL OR answer.error.type IS NOT NULL)
    AS status,
  TRY_CAST(response.status_code AS INTEGER) AS http_status,
  COALESCE(error.code, answer.error.code, answer.error.type) AS error_type,
  COALESCE(answer.choices[1].finish_reason, answer.status) AS finish_reason,
  'batch' AS service_tier,
  false AS is_streaming,
  to_count(prompt) AS input_tokens,
  to_count(cached) AS cache_read_input_tokens,
  to_count(written) AS cache_creation_5m_input_tokens,
  CASE WHEN prompt IS NOT NULL THEN COALESCE(to_count(completion), 0) END AS output_tokens,
  to_count(COALESCE(usage.completion_tokens_details.reasoning_tokens,
    usage.output_tokens_details.reasoning_tokens)) AS reasoning_output_tokens,
  CASE WHEN prompt IS NOT NULL THEN 'reported' ELSE 'missing' END AS tokens_source,
  CASE WHEN prompt IS NOT NULL THEN 'inclusive: prompt_tokens' END AS token_rule,
  ['batch_custom_id:' || substr(custom_id, 1, 80)] AS tags,
  nullif(answer.previous_response_id, '') AS previous_response_id,
  false AS replayable
FROM counted
