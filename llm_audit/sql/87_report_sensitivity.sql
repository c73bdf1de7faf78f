-- view: report_sensitivity
-- grain: one row per assumption: the observed saving if only that assumption were different
-- why: a reader who doubts one assumption finds here what the doubt is worth. Each row after the
--      third adds to the headline workloads, or prices them, in another way. The last row is there
--      only where the user's own batches were in time for a deadline that the headline leaves out.
SELECT 1 AS position, 'conservative' AS name,
  'Headline: every cache hit of today is lost in the batch' AS title,
  COALESCE(SUM(saving_conservative), 0) AS saving
FROM savings
WHERE label = 'batch_eligible' AND worth_it
UNION ALL
SELECT 2, 'expected',
  CASE WHEN (SELECT COUNT(cache_hit_share) FROM measured_batches) > 0
    THEN 'Cache hits survive in a batch as often as in your own, else as the vendor''s rules make likely'
    ELSE 'Cache hits survive in a batch as often as the vendor''s rules make likely' END,
  COALESCE(SUM(saving_expected), 0)
FROM savings
WHERE label = 'batch_eligible' AND worth_it
UNION ALL
SELECT 3, 'best', 'Every cache hit of today is kept in the batch',
  COALESCE(SUM(saving_best), 0)
FROM savings
WHERE label = 'batch_eligible' AND worth_it
UNION ALL
SELECT 4, 'gray_area_converted', 'The owners of all gray workloads say that the results can wait',
  COALESCE(SUM(saving_conservative), 0)
FROM savings
WHERE label IN ('batch_eligible', 'gray_area') AND worth_it
UNION ALL
SELECT 5, 'deadline_risk_included', 'Workloads with a deadline under 24 hours move as well',
  COALESCE(SUM(s.saving_conservative), 0)
FROM savings AS s
LEFT JOIN workload_labels AS l ON l.workload_id = s.workload_id AND l.label = s.label
WHERE s.label = 'batch_eligible' AND (
  s.worth_it OR l.deadline_risk AND s.advice IN ('batch', 'needs_error_feedback')
)
UNION ALL
SELECT 6, 'small_workloads_included', 'Eligible workloads too small to be worth the work move as well',
  COALESCE(SUM(saving_conservative), 0)
FROM savings
WHERE label = 'batch_eligible' AND (worth_it OR advice = 'below_floor')
UNION ALL
SELECT 7, 'flex_instead_of_batch', 'The same workloads use the flex tier instead, where one is sold',
  COALESCE(SUM(effective_cost - flex_cost), 0)
FROM savings
WHERE label = 'batch_eligible' AND worth_it AND flex_cost < effective_cost
UNION ALL
SELECT 8, 'confident_only', 'Only workloads whose label is right at least nine times in ten move',
  COALESCE(SUM(s.saving_conservative), 0)
FROM savings AS s
INNER JOIN workload_labels AS l ON l.workload_id = s.workload_id AND l.label = s.label
WHERE s.label = 'batch_eligible' AND s.worth_it AND l.confidence >= 0.9
UNION ALL
SELECT 9, 'due_in_6_hours',
  'Every result is due within 6 hours: only a seller that promises that counts',
  COALESCE(SUM(s.saving_conservative), 0)
FROM savings AS s
INNER JOIN workload_sellers AS w ON w.workload_id = s.workload_id AND w.label = s.label
WHERE s.label = 'batch_eligible' AND s.worth_it AND w.window_hours <= 6
UNION ALL
SELECT 10, 'due_in_1_hour',
  'Every result is due within the hour: only a seller that promises that counts',
  COALESCE(SUM(s.saving_conservative), 0)
FROM savings AS s
INNER JOIN workload_sellers AS w ON w.workload_id = s.workload_id AND w.label = s.label
WHERE s.label = 'batch_eligible' AND s.worth_it AND w.window_hours <= 1
UNION ALL
SELECT 11, 'expired_2_percent',
  '2% of the requests expire in the batch and are sent again at today''s price',
  CAST(0.98 * COALESCE(SUM(saving_conservative), 0) AS DECIMAL(38, 12))
FROM savings
WHERE label = 'batch_eligible' AND worth_it
UNION ALL
SELECT 12, 'old_prices_lower',
  'Rates that nobody has verified for more than 90 days have fallen by 10% since',
  COALESCE(SUM(s.saving_conservative), 0)
  - CAST(0.1 * COALESCE(SUM(
    CASE WHEN w.oldest_verified_on < p.as_of - INTERVAL '90' DAY THEN s.saving_conservative END
  ), 0) AS DECIMAL(38, 12))
FROM savings AS s
CROSS JOIN pricing_meta AS p
LEFT JOIN workload_sellers AS w ON w.workload_id = s.workload_id AND w.label = s.label
WHERE s.label = 'batch_eligible' AND s.worth_it
UNION ALL
SELECT 13, 'deadline_kept_included',
  'Workloads that your own batches have never been too late for move as well',
  SUM(s.saving_conservative)
FROM savings AS s
WHERE s.label = 'batch_eligible' AND (
  s.worth_it OR s.deadline_kept AND s.advice IN ('batch', 'needs_error_feedback')
)
HAVING COUNT(CASE WHEN s.deadline_kept AND NOT s.worth_it THEN 1 END) > 0
