-- table: labels
-- grain: one row per call
SELECT
  calls.call_id,
  cases.workload_id,
  cases.label,
  cases.score,
  cases.confidence,
  cases.independence,
  cases.tolerance,
  cases.storage,
  cases.fired_rules,
  cases.more_fired_rules
FROM call_cases AS calls
INNER JOIN case_labels AS cases ON calls.case_no = cases.case_no
