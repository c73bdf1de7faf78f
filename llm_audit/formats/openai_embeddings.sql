-- format: openai_embeddings
-- title: OpenAI embeddings, as a bare body or a request/response record
-- docs: platform.openai.com/docs/api-reference/embeddings/create
-- reader: json
-- detect: object=list, model, usage.prompt_tokens
-- detect: response.object=list, response.usage.prompt_tokens
-- detect: url~/embeddings, request, response
-- tokens: prompt_tokens is the whole bill. Bodies have neither an id nor a time of their own.
-- columns:
--   object: VARCHAR
--   model: VARCHAR
--   usage: STRUCT(prompt_tokens VARCHAR)
--   error: STRUCT(type VARCHAR, code VARCHAR)
--   request: STRUCT(model VARCHAR, "user" VARCHAR, input JSON)
--   response: STRUCT(object VARCHAR, model VARCHAR, usage STRUCT(prompt_tokens VARCHAR),
--     error STRUCT(type VARCHAR, code VARCHAR))
--   timestamp: VARCHAR
--   ts: VARCHAR
--   time: VARCHAR
--   method: VARCHAR
--   url: VARCHAR
--   status: VARCHAR
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
      object := object, model := model, usage := usage, error := error) END AS body,
    COALESCE(status_code, status) AS http_code,
    CASE json_type(request.input)
      WHEN 'ARRAY' THEN json_extract(request.input, '$[*]')
      WHEN 'VARCHAR' THEN [request.input]
    END AS inputs
  FROM raw
),
counted AS (
  SELECT
    *,
    to_time(COALESCE("timestamp", ts, "time")) AS start_time,
    COALESCE(TRY_CAST(latency_ms AS DOUBLE), TRY_CAST(duration_ms AS DOUBLE),
      TRY_CAST(response_headers['openai-processing-ms'] AS DOUBLE)) AS took_ms,
    body.error.type IS NOT NULL OR body.error.code IS NOT NULL AS has_error,
    COALESCE(len(inputs) > 0 AND NOT is_redacted(CAST(inputs[1] AS VARCHAR)), false) AS has_prompt
  FROM bodies
)
SELECT
  COALESCE(body.object = 'list' AND body.usage.prompt_tokens IS NOT NULL, false)
    OR (request.input IS NOT NULL AND (has_error OR TRY_CAST(http_code AS INTEGER) >= 400))
    AS recognised,
  CAST(NULL AS VARCHAR) AS not_call_reason,
  COALESCE(
    bad_count('usage.prompt_tokens', body.usage.prompt_tokens),
    CASE
      WHEN start_time IS NULL AND COALESCE("timestamp", ts, "time") IS NOT NULL
        THEN 'not a time: ' || wrong_value(COALESCE("timestamp", ts, "time"))
    END
  ) AS reject_reason,
  response_headers['x-request-id'] AS call_id,
  url_to_provider(url, 'openai') AS provider_name,
  url_to_region(url) AS inference_region,
  'embeddings' AS operation_name,
  COALESCE(request.model, body.model) AS request_model,
  body.model AS response_model,
  start_time AS started_at,
  start_time + to_microseconds(CAST(took_ms * 1000 AS BIGINT)) AS ended_at,
  took_ms AS duration_ms,
  to_status(http_code, has_error) AS status,
  TRY_CAST(http_code AS INTEGER) AS http_status,
  COALESCE(body.error.code, body.error.type) AS error_type,
  false AS is_streaming,
  to_count(body.usage.prompt_tokens) AS input_tokens,
  CASE WHEN body.usage.prompt_tokens IS NOT NULL THEN 0 END AS output_tokens,
  CASE WHEN body.usage.prompt_tokens IS NOT NULL THEN 'reported' ELSE 'missing' END
    AS tokens_source,
  CASE WHEN body.usage.prompt_tokens IS NOT NULL THEN 'inclusive: prompt_tokens' END AS token_rule,
  COALESCE(caller, service) AS caller,
  service AS service_name,
  md5(nullif(request."user", '')) AS end_user_hash,
  session_id AS conversation_id,
  trace_id,
  environment,
  user_agent,
  CASE WHEN metadata IS NULL THEN tags ELSE list_concat(tags, map_to_tags(metadata)) END AS tags,
  CASE WHEN has_prompt THEN len(inputs) END AS message_count,
  CASE WHEN has_prompt THEN list_transform(inputs, lambda text: hash(text)) END AS message_hashes,
  has_prompt AND request.model IS NOT NULL AS replayable
FROM counted
