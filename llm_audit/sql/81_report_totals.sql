-- view: report_totals
-- grain: one row; what the whole log cost on its own days, and the five parts of that cost
SELECT
  COALESCE(SUM(calls), 0) AS calls,
  COALESCE(SUM(priced_calls), 0) AS priced_calls,
  COALESCE(SUM(unpriced_calls), 0) AS unpriced_calls,
  COALESCE(SUM(unpriced_tokens), 0) AS unpriced_tokens,
  COALESCE(SUM(billed_tokens), 0) AS billed_tokens,
  COALESCE(SUM(already_batch_calls), 0) AS already_batch_calls,
  COALESCE(SUM(worth_moving_calls), 0) AS worth_moving_calls,
  COALESCE(SUM(list_cost), 0) AS list_cost,
  COALESCE(SUM(contracted_cost), 0) AS contracted_cost,
  COALESCE(SUM(effective_cost), 0) AS effective_cost,
  COALESCE(SUM(worth_moving_cost), 0) AS worth_moving_cost,
  COALESCE(SUM(other_eligible_cost), 0) AS other_eligible_cost,
  COALESCE(SUM(gray_area_cost), 0) AS gray_area_cost,
  COALESCE(SUM(realtime_cost), 0) AS realtime_cost,
  COALESCE(SUM(already_batch_cost), 0) AS already_batch_cost
FROM report_segments
