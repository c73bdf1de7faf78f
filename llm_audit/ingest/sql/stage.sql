-- An empty relation with every column that a format may leave out. A format's rows are added to it
-- by name, so that the statements after this one can rely on all columns.
SELECT
  *,
  CAST(NULL AS BOOLEAN) AS recognised,
  CAST(NULL AS VARCHAR) AS not_call_reason,
  CAST(NULL AS VARCHAR) AS reject_reason,
  CAST(NULL AS VARCHAR) AS fallback_caller
FROM calls
WHERE false
