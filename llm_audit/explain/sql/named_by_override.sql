-- grain: one row if the workload $workload_id is named by an override with these LIKE patterns
--
-- As `sql/13_workload_overrides.sql` asks, for overrides that have ended and are no table's rows.
SELECT workload_id
FROM workloads
WHERE workload_id = $workload_id
  AND caller LIKE $caller_like ESCAPE '\'
  AND workload_id LIKE $workload_like ESCAPE '\'
  AND model LIKE $model_like ESCAPE '\'
  AND operation_name LIKE $operation_like ESCAPE '\'
