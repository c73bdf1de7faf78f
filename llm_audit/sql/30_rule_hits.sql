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
INNER JOIN rules
  ON (CASE rules.word WHEN 0 THEN scores.fired_rules ELSE scores.more_fired_rules END & rules.bit)
  <> 0
