-- table: workload_overrides
-- grain: one row per workload and override that names it; `place` 1 is the one in force
--
-- The first matching override of llm-audit.toml wins, as in an ordered list of rules.
SELECT
  workloads.workload_no,
  overrides.position,
  overrides.label,
  overrides.tolerance_s,
  overrides.sentence,
  row_number() OVER (PARTITION BY workloads.workload_no ORDER BY overrides.position) AS place
FROM (
  SELECT DISTINCT workload_no, workload_id, caller, model, operation_name FROM workload_keys
) AS workloads
INNER JOIN overrides
  ON workloads.caller LIKE overrides.caller_like ESCAPE '\'
  AND workloads.workload_id LIKE overrides.workload_like ESCAPE '\'
  AND workloads.model LIKE overrides.model_like ESCAPE '\'
  AND workloads.operation_name LIKE overrides.operation_like ESCAPE '\'
