-- view: workload_days
-- grain: one row per workload and label: the most calls that were billed on one day.
-- why: moving to batches is work; a handful of calls a day does not repay it. Calls without a time
--   say nothing about a day: they count, all together, only where no call of the workload has one.
SELECT
    workload_id,
    label,
    COALESCE(MAX(CASE WHEN day IS NOT NULL THEN day_calls END), MAX(day_calls)) AS peak_day_calls
FROM (
    SELECT workload_id, label, day, SUM(calls) AS day_calls
    FROM workload_cards
    WHERE price_status <> 'not_billed'
    GROUP BY workload_id, label, day
) AS days
GROUP BY workload_id, label
