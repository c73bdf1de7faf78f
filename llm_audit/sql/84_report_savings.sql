-- view: report_savings
-- grain: two rows: 'observed' at the prices of each call's own day, 'projected' at the price card
--        in force on the report's --as-of day, and only the calls that have a time
-- why: the headline counts batch-eligible workloads worth moving and nothing else. The gray area is
--      what an owner's yes would add, so it stands apart.
SELECT
  'observed' AS basis,
  COALESCE(SUM(effective_cost), 0) AS effective_cost,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it
    THEN effective_cost - already_batch_cost END), 0) AS eligible_cost,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it THEN saving_conservative END), 0)
    AS conservative,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it THEN saving_expected END), 0)
    AS expected,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it THEN saving_best END), 0) AS best,
  COALESCE(SUM(CASE WHEN label = 'gray_area' AND worth_it
    THEN saving_conservative END), 0) AS gray_area
FROM savings
UNION ALL
SELECT
  'projected' AS basis,
  COALESCE(SUM(projected_effective_cost), 0) AS effective_cost,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it AND projected_saving_conservative > 0
    THEN projected_effective_cost - projected_already_batch_cost END), 0) AS eligible_cost,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it
    THEN projected_saving_conservative END), 0) AS conservative,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it
    THEN projected_saving_expected END), 0) AS expected,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it
    THEN projected_saving_best END), 0) AS best,
  COALESCE(SUM(CASE WHEN label = 'gray_area' AND worth_it
    THEN projected_saving_conservative END), 0) AS gray_area
FROM savings
