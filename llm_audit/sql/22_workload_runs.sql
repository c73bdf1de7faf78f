-- table: workload_runs
-- grain: one row per workload
--
-- Run sizes and the daily clock. `daily_regularity` is the length of the mean direction of run
-- starts on a 24-hour dial: 1 means always the same minute, 0 means any time. Only runs of at least
-- 50 calls count: a person's morning greeting is regular too.
SELECT
  workload_no,
  count(*) AS run_count,
  max(calls) AS max_run_calls,
  max(CASE WHEN size_rank * 2 - run_total IN (0, 1) THEN calls END) AS median_run_calls,
  CAST(sum(CASE WHEN calls >= 100 THEN calls ELSE 0 END) AS DOUBLE) / sum(calls)
    AS share_in_large_runs,
  CAST(sum(CASE WHEN is_pool THEN calls ELSE 0 END) AS DOUBLE) / sum(calls) AS share_in_pool_runs,
  count(DISTINCT CASE WHEN calls >= 50 THEN started_us // 86400000000 END) AS large_run_days,
  sqrt(
    power(avg(CASE WHEN calls >= 50 THEN cos(day_angle) END), 2)
    + power(avg(CASE WHEN calls >= 50 THEN sin(day_angle) END), 2)
  ) AS daily_regularity
FROM (
  SELECT
    *,
    2 * pi() * (started_us % 86400000000) / 86400000000.0 AS day_angle,
    row_number() OVER (PARTITION BY workload_no ORDER BY calls, run_no) AS size_rank,
    count(*) OVER (PARTITION BY workload_no) AS run_total
  FROM run_signals
) AS ranked
GROUP BY workload_no
