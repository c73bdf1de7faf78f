-- table: run_signals
-- grain: one row per run
--
-- How each run was fed. `is_pool`: a program drains a list, which takes three things.
-- 1. The run refills: refills exceed by half of the rest what open arrivals at the same rate would
--    show by chance (1 - exp(-0.1 s * rate), or the share of forerunners where bursts make that
--    larger), or the number in flight is pinned: 1.5 or more on average, with a variance under 0.3
--    of the mean.
-- 2. It is not alone: of three or more large runs of its unit, another refills too. One busy hour
--    in ten looks like a list by luck.
-- 3. Its slots fill at once, for the list is there before the first call. A service behind a cap of
--    so many calls at a time refills too when it is busy, but fills as people arrive. With m calls
--    in flight on average, m - 1 follow the first within a quarter of a call's length in a list,
--    and m / 4 in open arrivals; half the way between is asked, of all such runs of the unit
--    together, for one tells little. The first is the first to last a quarter of the mean: a
--    refused request may lie long before the list.
-- `is_loop`: one call after another, the next within two seconds, eight tenths beyond chance.
-- Without latencies nothing seems in flight, and neither is seen. Neither counts where the work
-- restarts again and again after a pause: a timer of five minutes makes one endless island, and its
-- period is its deadline.
SELECT
  unit_no,
  run_no,
  calls,
  started_us,
  ended_us,
  rises,
  falls,
  refills_like_pool
  AND sum(CASE WHEN refills_like_pool THEN 1 ELSE 0 END) OVER in_unit
    >= least(2, 0.5 * sum(CASE WHEN calls >= 50 THEN 1 ELSE 0 END) OVER in_unit)
  AND sum(CASE WHEN refills_like_pool THEN early_starts - 1 ELSE 0 END) OVER in_unit
    >= sum(CASE WHEN refills_like_pool THEN 0.625 * mean_in_flight - 0.5 ELSE 0 END) OVER in_unit
    AS is_pool,
  is_loop
FROM (
  SELECT
    runs.unit_no,
    runs.run_no,
    runs.calls,
    runs.started_us,
    runs.ended_us,
    loads.rises,
    loads.falls,
    coalesce(loads.mean_in_flight, 0) AS mean_in_flight,
    coalesce(early.starts, 0) AS early_starts,
    coalesce(
      keeps_going AND (
        refill_share - refill_chance >= 0.5 * (1 - refill_chance)
        OR (mean_in_flight >= 1.5 AND variance_in_flight < 0.3 * mean_in_flight)
      ),
      FALSE
    ) AS refills_like_pool,
    coalesce(
      keeps_going
      AND mean_in_flight BETWEEN 0.5 AND 1
      AND succession_chance <= 0.8
      AND succession_share - succession_chance >= 0.8 * (1 - succession_chance),
      FALSE
    ) AS is_loop
  FROM runs
  LEFT JOIN (
    SELECT
      loads.unit_no,
      loads.run_no,
      loads.rises,
      loads.falls,
      loads.restarts <= 3 OR loads.restarts * 3600000000.0 <= loads.observed_us AS keeps_going,
      CAST(loads.refills AS DOUBLE) / runs.calls AS refill_share,
      greatest(
        1 - exp(-100000.0 * runs.calls / loads.observed_us),
        CAST(loads.forerunners AS DOUBLE) / runs.calls
      ) AS refill_chance,
      CAST(loads.successions AS DOUBLE) / runs.calls AS succession_share,
      1 - exp(-2000000.0 * runs.calls / loads.observed_us) AS succession_chance,
      loads.in_flight_us / loads.observed_us AS mean_in_flight,
      loads.in_flight_squared_us / loads.observed_us
      - (loads.in_flight_us / loads.observed_us) * (loads.in_flight_us / loads.observed_us)
        AS variance_in_flight
    FROM run_loads AS loads
    INNER JOIN runs ON loads.unit_no = runs.unit_no AND loads.run_no = runs.run_no
    WHERE loads.observed_us > 0
  ) AS loads ON runs.unit_no = loads.unit_no AND runs.run_no = loads.run_no
  LEFT JOIN (
    SELECT
      unit_no,
      run_no,
      sum(CASE WHEN (started_us - opened_us) * starts <= 0.25 * in_flight_us THEN 1 ELSE 0 END)
        AS starts
    FROM (
      SELECT
        calls.unit_no,
        calls.run_no,
        calls.started_us,
        loads.starts,
        loads.in_flight_us,
        min(
          CASE
            WHEN (calls.ended_us - calls.started_us) * loads.starts >= 0.25 * loads.in_flight_us
              THEN calls.started_us
          END
        ) OVER (PARTITION BY calls.unit_no, calls.run_no) AS opened_us
      FROM call_runs AS calls
      INNER JOIN run_loads AS loads
        ON calls.unit_no = loads.unit_no AND calls.run_no = loads.run_no
      WHERE calls.is_served AND calls.ended_us > calls.started_us
    ) AS lasting
    WHERE started_us >= opened_us
    GROUP BY unit_no, run_no
  ) AS early ON runs.unit_no = early.unit_no AND runs.run_no = early.run_no
) AS driven
WINDOW in_unit AS (PARTITION BY unit_no)
