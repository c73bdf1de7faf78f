-- Ids for calls whose log has none: the file, what the line says, and which of its equals it is.
-- The line number stays out, so that a file that grew or was sorted anew gives the same ids.
WITH nameless AS (
  SELECT
    calls.rowid AS ordinal,
    places.source_file,
    md5(concat_ws('|', calls.started_at, calls.request_model, calls.response_model,
      calls.input_tokens, calls.output_tokens, calls.duration_ms, calls.status, calls.error_type,
      calls.caller, calls.end_user_hash, CAST(calls.tags AS VARCHAR),
      CAST(calls.message_hashes AS VARCHAR))) AS content
  FROM calls
  ASOF JOIN places ON calls.rowid >= places.first_ordinal
  WHERE calls.rowid >= getvariable('first_ordinal') AND calls.call_id IS NULL
)
SELECT
  ordinal,
  md5(concat_ws('|', source_file, content,
    row_number() OVER (PARTITION BY source_file, content ORDER BY ordinal))) AS call_id
FROM nameless
