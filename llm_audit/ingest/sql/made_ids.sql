-- Ids for calls whose log has none: the file, what the line says, and which of its equals it is.
-- The line number stays out, so that a file that grew or was sorted anew gives the same ids.
WITH nameless AS (
  SELECT
    stage.rowid AS ordinal,
    places.source_file,
    md5(concat_ws('|', stage.started_at, stage.request_model, stage.response_model,
      stage.input_tokens, stage.output_tokens, stage.duration_ms, stage.status, stage.error_type,
      stage.caller, stage.end_user_hash, CAST(stage.tags AS VARCHAR),
      CAST(stage.message_hashes AS VARCHAR))) AS content
  FROM stage
  ASOF JOIN places ON stage.rowid >= places.first_ordinal
  WHERE stage.call_id IS NULL
)
SELECT
  ordinal,
  md5(concat_ws('|', source_file, content,
    row_number() OVER (PARTITION BY source_file, content ORDER BY ordinal))) AS call_id
FROM nameless
