-- Every workload with gray calls, dearest possible saving first, with what already names it.
-- `alike`: workloads of this log with the same caller, operation and model; `answer`: the owner's
-- override in force; `advice`: 'ask_owner' where a yes can move it. The spend is NULL where no price
-- is known.
SELECT
  verdicts.workload_id,
  workloads.caller,
  workloads.operation_name,
  workloads.provider_name,
  workloads.model,
  verdicts.calls,
  savings.effective_cost,
  coalesce(savings.saving_conservative, 0) AS saving_conservative,
  verdicts.independence,
  verdicts.tolerance,
  verdicts.storage,
  namesakes.alike,
  overrides.sentence AS answer,
  savings.advice
FROM workload_labels AS verdicts
INNER JOIN workloads ON verdicts.workload_id = workloads.workload_id
INNER JOIN (
  SELECT caller, operation_name, model, count(*) AS alike
  FROM workloads
  GROUP BY caller, operation_name, model
) AS namesakes
  ON workloads.caller = namesakes.caller
  AND workloads.operation_name = namesakes.operation_name
  AND workloads.model = namesakes.model
LEFT JOIN savings
  ON verdicts.workload_id = savings.workload_id AND verdicts.label = savings.label
LEFT JOIN workload_overrides AS overrides
  ON workloads.workload_no = overrides.workload_no AND overrides.place = 1
WHERE verdicts.label = 'gray_area'
ORDER BY
  saving_conservative DESC,
  coalesce(savings.effective_cost, 0) DESC,
  verdicts.calls DESC,
  verdicts.workload_id
