-- table: case_labels
-- grain: one row per case
--
-- The label is the weakest criterion; `score` is its log2 odds. `confidence` is the share of such
-- labels that prove right, by kind of finding, as measured on the development set in both copies and
-- drawn back to what its few dozen callers can prove: never above 0.95. It is NULL (unproven) for
-- gray, which claims nothing, and for realtime by evidence alone, which is right too seldom to say.
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
  CAST(
    CASE
      WHEN verdicts.contradicted > 0 THEN CASE WHEN verdicts.score <= -10 THEN 0.93 END
      WHEN verdicts.unknown = 0 THEN CASE WHEN verdicts.score >= 3 THEN 0.95 ELSE 0.92 END
    END AS DOUBLE
  ) AS confidence,
  verdicts.independence,
  verdicts.tolerance,
  verdicts.storage,
  scores.fired_rules,
  scores.more_fired_rules,
  coalesce(signals.declared_tolerance_s < 86400, FALSE) AS deadline_risk,
  CASE WHEN signals.declared_tolerance_s < 86400 THEN signals.declared_tolerance_s END AS due_in_s,
  coalesce(
    signals.declared_tolerance_s >= 60 AND signals.declared_tolerance_s < 3600, FALSE
  ) AS due_in_minutes,
  coalesce(signals.corrected_calls >= 3 AND signals.share_corrected >= 0.01, FALSE)
  OR coalesce(signals.share_refused >= 0.1 AND signals.calls >= 20, FALSE) AS needs_error_feedback
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
