-- Every workload with its labels and the owner's override in force, if there is one.
SELECT
  workloads.workload_id,
  workloads.caller,
  string_agg(verdicts.label, ' and ' ORDER BY verdicts.calls DESC, verdicts.label) AS labels,
  max(overrides.sentence) AS answer
FROM workloads
INNER JOIN workload_labels AS verdicts ON workloads.workload_id = verdicts.workload_id
LEFT JOIN workload_overrides AS overrides
  ON workloads.workload_no = overrides.workload_no AND overrides.place = 1
GROUP BY workloads.workload_id, workloads.caller
