-- view: report_models
-- grain: one row per provider and model; the same five parts of the cost as report_totals
SELECT
  provider_name,
  model,
  SUM(calls) AS calls,
  SUM(priced_calls) AS priced_calls,
  SUM(unpriced_calls) AS unpriced_calls,
  SUM(unpriced_tokens) AS unpriced_tokens,
  SUM(effective_cost) AS effective_cost,
  SUM(worth_moving_cost) AS worth_moving_cost,
  SUM(other_eligible_cost) AS other_eligible_cost,
  SUM(gray_area_cost) AS gray_area_cost,
  SUM(realtime_cost) AS realtime_cost,
  SUM(already_batch_cost) AS already_batch_cost,
  SUM(headline_saving) AS saving_conservative
FROM report_segments
GROUP BY provider_name, model
