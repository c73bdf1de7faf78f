-- view: workload_days
-- grain: one row per workload and label: the most calls that were billed within 24 hours.
-- why: moving to batches is work; a handful of calls a day does not repay it. A batch waits for
--   calls as long as it runs, so what counts is any 24 hours, not a day that ends at midnight in
--   London. Slots of ten minutes are counted instead of calls: what lies across the edge of one is
--   left out. Calls without a time say nothing about a day: they count, all together, only where no
--   call of the workload has one.
SELECT
    workload_id,
    label,
    COALESCE(
        MAX(CASE WHEN slot IS NOT NULL THEN day_calls END),
        MAX(day_calls)
    ) AS peak_day_calls
FROM (
    SELECT
        workload_id,
        label,
        slot,
        SUM(calls) OVER (
            PARTITION BY workload_id, label ORDER BY slot
            RANGE BETWEEN 143 PRECEDING AND CURRENT ROW
        ) AS day_calls
    FROM (
        SELECT
            labels.workload_id,
            labels.label,
            DATE_DIFF('microsecond', TIMESTAMP '1970-01-01 00:00:00', quantities.happened_at)
                // 600000000 AS slot,
            COUNT(*) AS calls
        FROM labels
        INNER JOIN call_quantities AS quantities ON quantities.call_id = labels.call_id
        WHERE quantities.quantity_status <> 'not_billed'
        GROUP BY 1, 2, 3
    ) AS slots
) AS days
GROUP BY workload_id, label
