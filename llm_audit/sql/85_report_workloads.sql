-- view: report_workloads
-- grain: one row per workload and label
-- why: costs are NULL, not 0, where no call of the row could be priced.
SELECT
  s.workload_id,
  s.label,
  w.caller,
  w.operation_name,
  w.provider_name,
  w.model,
  w.first_call_at,
  w.last_call_at,
  w.active_days,
  l.confidence,
  s.calls,
  s.priced_calls,
  s.unpriced_calls,
  s.unpriced_tokens,
  s.already_batch_calls,
  s.already_batch_cost,
  CASE WHEN s.priced_calls = 0 AND s.unpriced_calls > 0 THEN NULL ELSE s.list_cost END
    AS list_cost,
  CASE WHEN s.priced_calls = 0 AND s.unpriced_calls > 0 THEN NULL ELSE s.contracted_cost END
    AS contracted_cost,
  CASE WHEN s.priced_calls = 0 AND s.unpriced_calls > 0 THEN NULL ELSE s.effective_cost END
    AS effective_cost,
  COALESCE(s.saving_conservative, 0) AS saving_conservative,
  COALESCE(s.saving_expected, 0) AS saving_expected,
  COALESCE(s.saving_best, 0) AS saving_best,
  s.forward_effective_cost,
  COALESCE(s.forward_saving_conservative, 0) AS forward_saving_conservative,
  COALESCE(s.forward_saving_expected, 0) AS forward_saving_expected,
  COALESCE(s.forward_saving_best, 0) AS forward_saving_best,
  COALESCE(s.projected_saving_conservative, 0) AS projected_saving_conservative,
  s.flex_cost,
  s.peak_day_calls,
  COALESCE(l.deadline_risk, FALSE) AS deadline_risk,
  s.worth_it,
  s.advice,
  s.note,
  l.independence,
  l.tolerance,
  l.storage
FROM savings AS s
INNER JOIN workloads AS w ON w.workload_id = s.workload_id
LEFT JOIN workload_labels AS l ON l.workload_id = s.workload_id AND l.label = s.label
