-- grain: one row per workload, the largest first
SELECT
  workloads.workload_id,
  workloads.caller,
  workloads.operation_name,
  workloads.model,
  workloads.template_hash,
  (
    SELECT max_by(labels.label, labels.calls)
    FROM workload_labels AS labels
    WHERE labels.workload_id = workloads.workload_id
  ) AS label,
  workloads.calls
FROM workloads
ORDER BY workloads.calls DESC, workloads.workload_id
