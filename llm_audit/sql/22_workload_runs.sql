-- table: workload_runs
-- grain: one row per workload
--
-- Run sizes, and when runs start. A workload takes the runs of its whole job where at least 80 % of
-- its calls lie in driven runs of the job and clearly fewer in its own; so a chat does not inherit
-- the nature of a backfill beside it. `bulk` runs are those that a program drives (pool or loop).
--
-- Regularity is the length of the mean direction of run starts on a dial of an hour, a day or a
-- week: 1 means always the same, 0 means any time. Only runs of at least 50 calls count there: a
-- person's morning greeting is regular too. The dial of an hour tells a clock, which starts within
-- seconds, from a person of regular habits; and a change of the clocks moves no minute.
--
-- Days are steps of 24 hours that begin half a day before the first such run: no midnight and no
-- time zone matters, and daily runs that come a little early or late fall in days of their own.
-- Weeks are counted by pauses of five days. `start_arc_h`: the part of the day in which all bulk
-- runs start. `feedback`: rises minus falls of the input, as a share.
SELECT
  chosen.workload_no,
  chosen.unit_no,
  units.run_count,
  units.max_run_calls,
  units.median_run_calls,
  units.share_in_large_runs,
  units.share_in_pool_runs,
  units.share_in_bulk_runs,
  units.large_run_days,
  units.large_run_weeks,
  units.large_runs_per_day,
  units.hourly_regularity,
  units.daily_regularity,
  units.weekly_regularity,
  units.bulk_run_days,
  units.bulk_median_s,
  units.feedback,
  24 - CAST(
    greatest(units.longest_gap_us, 86400000000 - (units.last_bulk_us - units.first_bulk_us))
    AS DOUBLE
  ) / 3600000000 AS start_arc_h
FROM (
  SELECT
    own.workload_no,
    CASE
      WHEN inherited.share >= 0.8 AND inherited.share >= own.share + 0.2 THEN -own.job_no
      ELSE own.workload_no
    END AS unit_no
  FROM (
    SELECT
      keys.workload_no,
      keys.job_no,
      coalesce(
        CAST(sum(CASE WHEN runs.is_pool OR runs.is_loop THEN runs.calls END) AS DOUBLE)
        / sum(runs.calls), 0
      ) AS share
    FROM (SELECT DISTINCT workload_no, job_no FROM workload_keys) AS keys
    LEFT JOIN run_signals AS runs ON keys.workload_no = runs.unit_no
    GROUP BY keys.workload_no, keys.job_no
  ) AS own
  LEFT JOIN (
    SELECT
      facts.workload_no,
      CAST(sum(CASE WHEN runs.is_pool OR runs.is_loop THEN 1 ELSE 0 END) AS DOUBLE) / count(*)
        AS share
    FROM call_runs AS calls
    INNER JOIN run_signals AS runs ON calls.unit_no = runs.unit_no AND calls.run_no = runs.run_no
    INNER JOIN call_facts AS facts ON calls.call_no = facts.call_no
    WHERE calls.unit_no < 0
    GROUP BY facts.workload_no
  ) AS inherited ON own.workload_no = inherited.workload_no
) AS chosen
INNER JOIN (
  SELECT
    unit_no,
    count(*) AS run_count,
    max(calls) AS max_run_calls,
    max(CASE WHEN size_rank * 2 - run_total IN (0, 1) THEN calls END) AS median_run_calls,
    CAST(sum(CASE WHEN calls >= 100 THEN calls ELSE 0 END) AS DOUBLE) / sum(calls)
      AS share_in_large_runs,
    CAST(sum(CASE WHEN is_pool THEN calls ELSE 0 END) AS DOUBLE) / sum(calls) AS share_in_pool_runs,
    CAST(sum(CASE WHEN is_bulk THEN calls ELSE 0 END) AS DOUBLE) / sum(calls) AS share_in_bulk_runs,
    count(DISTINCT large_day) AS large_run_days,
    CAST(sum(CASE WHEN is_large AND large_pause_us >= 432000000000 THEN 1 ELSE 0 END) AS BIGINT)
      AS large_run_weeks,
    CAST(sum(CASE WHEN is_large THEN 1 ELSE 0 END) AS DOUBLE) / nullif(count(DISTINCT large_day), 0)
      AS large_runs_per_day,
    sqrt(
      power(avg(CASE WHEN is_large THEN cos(2 * pi() * hour_us / 3600000000.0) END), 2)
      + power(avg(CASE WHEN is_large THEN sin(2 * pi() * hour_us / 3600000000.0) END), 2)
    ) AS hourly_regularity,
    sqrt(
      power(avg(CASE WHEN is_large THEN cos(2 * pi() * day_us / 86400000000.0) END), 2)
      + power(avg(CASE WHEN is_large THEN sin(2 * pi() * day_us / 86400000000.0) END), 2)
    ) AS daily_regularity,
    sqrt(
      power(avg(CASE WHEN is_large THEN cos(2 * pi() * week_us / 604800000000.0) END), 2)
      + power(avg(CASE WHEN is_large THEN sin(2 * pi() * week_us / 604800000000.0) END), 2)
    ) AS weekly_regularity,
    count(DISTINCT bulk_day) AS bulk_run_days,
    CAST(
      max(CASE WHEN is_bulk AND time_rank * 2 - kind_total IN (0, 1) THEN ended_us - started_us END)
      AS DOUBLE
    ) / 1000000 AS bulk_median_s,
    CAST(sum(CASE WHEN is_bulk THEN rises - falls END) AS DOUBLE)
    / nullif(sum(CASE WHEN is_bulk THEN rises + falls END), 0) AS feedback,
    max(CASE WHEN is_bulk THEN day_us - earlier_day_us ELSE 0 END) AS longest_gap_us,
    min(CASE WHEN is_bulk THEN day_us END) AS first_bulk_us,
    max(CASE WHEN is_bulk THEN day_us END) AS last_bulk_us
  FROM (
    SELECT
      *,
      row_number() OVER (PARTITION BY unit_no ORDER BY calls, run_no) AS size_rank,
      count(*) OVER (PARTITION BY unit_no) AS run_total,
      row_number() OVER (PARTITION BY unit_no, is_bulk ORDER BY ended_us - started_us, run_no)
        AS time_rank,
      count(*) OVER (PARTITION BY unit_no, is_bulk) AS kind_total,
      CASE WHEN is_bulk THEN
        (started_us - min(started_us) OVER (PARTITION BY unit_no, is_bulk) + 43200000000)
        // 86400000000
      END AS bulk_day,
      CASE WHEN is_large THEN
        (started_us - min(started_us) OVER (PARTITION BY unit_no, is_large) + 43200000000)
        // 86400000000
      END AS large_day,
      started_us - lag(started_us, 1, started_us - 864000000000) OVER (
        PARTITION BY unit_no, is_large ORDER BY started_us, run_no
      ) AS large_pause_us,
      lag(day_us, 1, day_us) OVER (PARTITION BY unit_no, is_bulk ORDER BY day_us) AS earlier_day_us
    FROM (
      SELECT
        *,
        is_pool OR is_loop AS is_bulk,
        calls >= 50 AS is_large,
        started_us % 3600000000 AS hour_us,
        started_us % 86400000000 AS day_us,
        started_us % 604800000000 AS week_us
      FROM run_signals
    ) AS timed
  ) AS ranked
  GROUP BY unit_no
) AS units ON chosen.unit_no = units.unit_no
