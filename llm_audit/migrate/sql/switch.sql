-- The workloads that are named ($chosen: ids), or else that the headline counts, and what a batch
-- would save on their eligible calls; money is USD. note: why a workload is not to be moved.
-- formats: the log formats of its calls, which tell in what shape the job sends its requests. days:
-- of the whole log.
WITH logged AS (
  SELECT
    labels.workload_id,
    list(DISTINCT calls.source_format ORDER BY calls.source_format) AS formats
  FROM calls
  JOIN labels ON labels.call_id = calls.call_id
  GROUP BY labels.workload_id
)
SELECT
  workloads.workload_id,
  workloads.caller,
  workloads.operation_name,
  workloads.provider_name,
  workloads.model,
  workloads.calls,
  workloads.first_call_at,
  workloads.last_call_at,
  workloads.declared_tolerance_min_s,
  COALESCE(savings.calls, 0) AS eligible_calls,
  savings.effective_cost,
  savings.batch_cost_conservative,
  savings.saving_conservative,
  savings.saving_expected,
  COALESCE(savings.worth_it AND savings.advice = 'batch', false) AS moves,
  COALESCE(savings.note, 'none of its calls is labelled batch_eligible') AS note,
  COALESCE(logged.formats, []) AS formats,
  report_period.days
FROM workloads
CROSS JOIN report_period
LEFT JOIN logged ON logged.workload_id = workloads.workload_id
LEFT JOIN savings
  ON savings.workload_id = workloads.workload_id
  AND savings.label = 'batch_eligible'
WHERE COALESCE(list_contains($chosen, workloads.workload_id), savings.worth_it, false)
ORDER BY savings.saving_conservative DESC NULLS LAST, workloads.workload_id
