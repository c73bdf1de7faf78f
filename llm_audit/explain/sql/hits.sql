-- grain: one row per rule that fired on the case $case_no
SELECT
  rules.code,
  rules.criterion,
  rules.kind,
  rules.weight,
  rules.why,
  rules.text_0,
  rules.name_1,
  rules.text_1,
  rules.name_2,
  rules.text_2,
  rules.name_3,
  rules.text_3,
  coalesce(reasons.calls, 0) AS calls
FROM rule_hits AS hits
INNER JOIN rules ON rules.code = hits.code
INNER JOIN case_labels AS cases ON cases.case_no = hits.case_no
LEFT JOIN reasons
  ON reasons.workload_id = cases.workload_id
  AND reasons.label = cases.label
  AND reasons.code = rules.code
WHERE hits.case_no = $case_no
ORDER BY abs(rules.weight) DESC, rules.code
