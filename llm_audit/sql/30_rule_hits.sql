-- table: rule_hits
-- grain: one row per case and rule that fired on it
SELECT
  scores.case_no,
  rules.bit,
  rules.code,
  rules.criterion,
  rules.kind,
  rules.weight
FROM rule_scores AS scores
INNER JOIN rules ON (scores.fired_rules & rules.bit) <> 0
