-- view: report_forward
-- grain: one row; what the calls with a time cost on the report's --as-of day, and how much of that
--        has no rate on that day and stands at what was paid
SELECT
  COALESCE(SUM(projected_effective_cost), 0) AS effective_cost,
  COALESCE(SUM(projected_unrated_cost), 0) AS unrated_cost
FROM savings
