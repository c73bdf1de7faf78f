-- view: rule_uses
-- grain: one row per rule that fired, with the calls that it fired on
-- why: a weight is NULL where the rule decides alone (a veto).
SELECT
  rules.code,
  rules.criterion,
  CASE WHEN rules.kind <> 'veto' THEN rules.weight END AS weight,
  rules.why,
  rules.own,
  CAST(SUM(reasons.calls) AS BIGINT) AS calls
FROM rules
INNER JOIN reasons ON reasons.code = rules.code
GROUP BY rules.code, rules.criterion, rules.kind, rules.weight, rules.why, rules.own
