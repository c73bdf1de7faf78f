-- table: case_labels
-- grain: one row per case
--
-- The label is the weakest criterion. `score` is its log2 odds; `confidence` the same evidence as a
-- share, 0.5 where there is none: 1 / (1 + 2^-score) for or against, whichever is the label's side.
SELECT
  verdicts.case_no,
  signals.workload_id,
  signals.case_calls,
  CASE
    WHEN verdicts.contradicted > 0 THEN 'realtime'
    WHEN verdicts.unknown = 0 THEN 'batch_eligible'
    ELSE 'gray_area'
  END AS label,
  verdicts.score,
  1 / (1 + power(2, -abs(verdicts.score))) AS confidence,
  verdicts.independence,
  verdicts.tolerance,
  verdicts.storage,
  scores.fired_rules,
  coalesce(signals.declared_tolerance_s < 86400, FALSE) AS deadline_risk
FROM (
  SELECT
    case_no,
    min(score) AS score,
    sum(CASE WHEN verdict = 'contradicted' THEN 1 ELSE 0 END) AS contradicted,
    sum(CASE WHEN verdict = 'unknown' THEN 1 ELSE 0 END) AS unknown,
    max(CASE WHEN criterion = 'independence' THEN verdict END) AS independence,
    max(CASE WHEN criterion = 'tolerance' THEN verdict END) AS tolerance,
    max(CASE WHEN criterion = 'storage' THEN verdict END) AS storage
  FROM criterion_scores
  GROUP BY case_no
) AS verdicts
INNER JOIN signals ON verdicts.case_no = signals.case_no
INNER JOIN rule_scores AS scores ON verdicts.case_no = scores.case_no
