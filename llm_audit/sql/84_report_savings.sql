-- view: report_savings
-- grain: two rows: 'observed' at the prices of each call's own day, 'forward' the same calls at the
--        price card in force on the report's --as-of day
-- why: the headline counts batch-eligible workloads worth moving and nothing else. The gray area is
--      what an owner's yes would add, so it stands apart. Calls that have no price on the later day
--      keep what they cost: the bill must not shrink by forgetting them.
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
  'forward' AS basis,
  COALESCE(SUM(COALESCE(forward_effective_cost, effective_cost)), 0) AS effective_cost,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it AND forward_saving_conservative > 0
    THEN GREATEST(COALESCE(forward_effective_cost, effective_cost) - already_batch_cost, 0) END), 0)
    AS eligible_cost,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it
    THEN forward_saving_conservative END), 0) AS conservative,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it
    THEN forward_saving_expected END), 0) AS expected,
  COALESCE(SUM(CASE WHEN label = 'batch_eligible' AND worth_it
    THEN forward_saving_best END), 0) AS best,
  COALESCE(SUM(CASE WHEN label = 'gray_area' AND worth_it
    THEN forward_saving_conservative END), 0) AS gray_area
FROM savings
