-- table: reasons
-- grain: one row per workload, label and rule that fired; and one per owner's override in force
--
-- The sentence is filled from the case with most calls; `calls` counts all calls of that workload
-- and label on which the rule fired.
SELECT
  fired.workload_id,
  fired.label,
  fired.code,
  fired.criterion,
  fired.weight,
  rules.text_0
  || CASE WHEN rules.name_1 IS NULL THEN '' ELSE coalesce(first_value.text, 'unknown') END
  || rules.text_1
  || CASE WHEN rules.name_2 IS NULL THEN '' ELSE coalesce(second_value.text, 'unknown') END
  || rules.text_2
  || CASE WHEN rules.name_3 IS NULL THEN '' ELSE coalesce(third_value.text, 'unknown') END
  || rules.text_3 AS evidence,
  CAST(fired.calls AS BIGINT) AS calls
FROM (
  SELECT
    cases.workload_id,
    cases.label,
    hits.code,
    hits.criterion,
    hits.weight,
    cases.case_no,
    sum(cases.case_calls) OVER (PARTITION BY cases.workload_id, cases.label, hits.code) AS calls,
    row_number() OVER (
      PARTITION BY cases.workload_id, cases.label, hits.code
      ORDER BY cases.case_calls DESC, cases.case_no
    ) AS place
  FROM case_labels AS cases
  INNER JOIN rule_hits AS hits ON cases.case_no = hits.case_no
) AS fired
INNER JOIN rules ON fired.code = rules.code
LEFT JOIN signal_texts AS first_value
  ON fired.case_no = first_value.case_no AND rules.name_1 = first_value.name
LEFT JOIN signal_texts AS second_value
  ON fired.case_no = second_value.case_no AND rules.name_2 = second_value.name
LEFT JOIN signal_texts AS third_value
  ON fired.case_no = third_value.case_no AND rules.name_3 = third_value.name
WHERE fired.place = 1
UNION ALL
SELECT
  cases.workload_id,
  cases.label,
  'OVERRIDE' AS code,
  CASE
    WHEN overrides.label IS NULL OR overrides.label = 'realtime' THEN 'tolerance'
  END AS criterion,
  NULL AS weight,
  overrides.sentence AS evidence,
  CAST(sum(cases.case_calls) AS BIGINT) AS calls
FROM case_labels AS cases
INNER JOIN signals ON cases.case_no = signals.case_no
INNER JOIN workload_overrides AS overrides
  ON signals.workload_no = overrides.workload_no AND overrides.place = 1
GROUP BY cases.workload_id, cases.label, overrides.label, overrides.sentence
