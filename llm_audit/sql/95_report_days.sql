-- view: report_days
-- grain: one row per workload, label and day (UTC) with calls; its effective cost cut into the five
--        parts of report_segments. The NULL day is that of calls without a time.
-- why: the days and the NULL day add up to report_totals, part by part, because both are sums of
--      card_costs.
SELECT
  days.workload_id,
  days.label,
  days.day,
  days.calls,
  days.effective_cost,
  CASE WHEN days.label = 'batch_eligible' AND savings.worth_it
    THEN days.effective_cost - days.already_batch_cost ELSE 0 END AS worth_moving_cost,
  CASE WHEN days.label = 'batch_eligible' AND NOT savings.worth_it
    THEN days.effective_cost - days.already_batch_cost ELSE 0 END AS other_eligible_cost,
  CASE WHEN days.label = 'gray_area'
    THEN days.effective_cost - days.already_batch_cost ELSE 0 END AS gray_area_cost,
  CASE WHEN days.label = 'realtime'
    THEN days.effective_cost - days.already_batch_cost ELSE 0 END AS realtime_cost,
  days.already_batch_cost
FROM (
  SELECT
    workload_id,
    label,
    day,
    CAST(SUM(calls) AS BIGINT) AS calls,
    COALESCE(SUM(effective_cost), 0) AS effective_cost,
    COALESCE(SUM(CASE WHEN batch_status = 'already_batch' THEN effective_cost END), 0)
      AS already_batch_cost
  FROM card_costs
  WHERE basis = 'observed'
  GROUP BY workload_id, label, day
) AS days
INNER JOIN savings ON savings.workload_id = days.workload_id AND savings.label = days.label
