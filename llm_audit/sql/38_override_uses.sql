-- view: override_uses
-- grain: one row per override of the user's llm-audit.toml, also for one that decides nothing
-- why: an override stands above every rule, so the report names who signed it and for how much.
SELECT
  overrides.position,
  overrides.names,
  overrides.label,
  overrides.tolerance_s,
  overrides.because,
  overrides.signed_by,
  overrides.until_day,
  CAST(COALESCE(SUM(decided.calls), 0) AS BIGINT) AS calls
FROM overrides
LEFT JOIN (
  SELECT owned.position, signals.case_calls AS calls
  FROM workload_overrides AS owned
  INNER JOIN signals ON signals.workload_no = owned.workload_no
  WHERE owned.place = 1
) AS decided ON decided.position = overrides.position
GROUP BY
  overrides.position, overrides.names, overrides.label, overrides.tolerance_s,
  overrides.because, overrides.signed_by, overrides.until_day
