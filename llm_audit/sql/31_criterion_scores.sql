-- table: criterion_scores
-- grain: one row per case and criterion (independence, tolerance, storage)
--
-- What settles a criterion, first match: the owner's label, a declared deadline or tier (the
-- strictest of several), a veto, the sum of the evidence. Who labels calls realtime says that
-- somebody waits: it settles tolerance and says nothing of the other two. Words in names add to
-- evidence that is not already against: they may tip a scale, never turn one. Scores are log2 odds
-- within [-10, 10].
SELECT
  case_no,
  criterion,
  score,
  CASE
    WHEN score >= thresholds.supported THEN 'supported'
    WHEN score >= thresholds.hinted THEN 'hinted'
    WHEN score <= thresholds.contradicted THEN 'contradicted'
    ELSE 'unknown'
  END AS verdict
FROM (
  SELECT
    case_no,
    criterion,
    CASE
      WHEN override_label = 'batch_eligible' THEN 10.0
      WHEN override_label = 'realtime' AND criterion = 'tolerance' THEN -10.0
      WHEN override_label = 'gray_area' THEN 0.0
      WHEN declared IS NOT NULL THEN declared
      WHEN vetoes > 0 THEN -10.0
      ELSE greatest(
        -10.0,
        least(10.0, evidence + CASE WHEN evidence >= 0 THEN words ELSE least(words, 0.0) END)
      )
    END AS score
  FROM (
    SELECT
      cases.case_no,
      cases.criterion,
      cases.override_label,
      min(CASE WHEN hits.kind = 'declared' THEN hits.weight END) AS declared,
      sum(CASE WHEN hits.kind = 'veto' THEN 1 ELSE 0 END) AS vetoes,
      sum(CASE WHEN hits.kind = 'evidence' THEN hits.weight ELSE 0.0 END) AS evidence,
      sum(CASE WHEN hits.kind = 'words' THEN hits.weight ELSE 0.0 END) AS words
    FROM (
      SELECT signals.case_no, signals.override_label, criteria.criterion
      FROM signals
      CROSS JOIN (
        SELECT 'independence' AS criterion
        UNION ALL
        SELECT 'tolerance'
        UNION ALL
        SELECT 'storage'
      ) AS criteria
    ) AS cases
    LEFT JOIN rule_hits AS hits
      ON cases.case_no = hits.case_no AND cases.criterion = hits.criterion
    GROUP BY cases.case_no, cases.criterion, cases.override_label
  ) AS weighed
) AS scored
CROSS JOIN thresholds
