-- format: openai_error
-- title: An error body of OpenAI or a compatible API, without the request that caused it
-- docs: platform.openai.com/docs/guides/error-codes
-- reader: json
-- detect: error.message, error.type
-- tokens: a refused call has none.
-- columns:
--   error: STRUCT(type VARCHAR, code VARCHAR, message VARCHAR)
SELECT
  error.message IS NOT NULL AS recognised,
  CAST(NULL AS VARCHAR) AS not_call_reason,
  CAST(NULL AS VARCHAR) AS reject_reason,
  CAST(NULL AS VARCHAR) AS call_id,
  'openai' AS provider_name,
  'error' AS status,
  COALESCE(error.code, error.type) AS error_type,
  'missing' AS tokens_source,
  false AS replayable
FROM raw
