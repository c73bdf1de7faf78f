-- The workloads of which calls are planned, or that the headline counts; money is USD. Where
-- workloads were chosen, it is these, whatever became of them.
SELECT
  planned.workload_id,
  workloads.caller,
  workloads.operation_name,
  workloads.provider_name,
  workloads.model,
  count(*) AS calls,
  count(*) FILTER (planned.reason IS NULL) AS requests,
  COALESCE(sum(planned.sync_cost) FILTER (planned.reason IS NULL), 0) AS sync_cost,
  COALESCE(sum(planned.batch_cost) FILTER (planned.reason IS NULL), 0) AS batch_cost,
  COALESCE(sum(planned.saving_conservative) FILTER (planned.in_headline), 0) AS headline_saving,
  mode(planned.detail ORDER BY planned.detail) FILTER (planned.reason IS NOT NULL) AS main_reason
FROM migration_calls AS planned
JOIN workloads ON workloads.workload_id = planned.workload_id
GROUP BY ALL
HAVING bool_and(planned.reason IS DISTINCT FROM 'not_chosen')
  AND (
    requests > 0
    OR bool_or(planned.in_headline)
    OR EXISTS (SELECT 1 FROM migration_calls AS others WHERE others.reason = 'not_chosen')
  )
ORDER BY headline_saving DESC, planned.workload_id
