-- table: run_signals
-- grain: one row per run
--
-- `is_pool`: a program drains a list. Either the refills exceed what open arrivals at the same rate
-- would show by chance (1 - exp(-0.1 s * rate), or the share of forerunners where bursts make that
-- larger) by half of the rest, or the number in flight is pinned: at least 1.5 on average with a
-- variance under 0.3 of the mean. And the slots fill at once, for the list is there before the first
-- call: a service behind a cap of so many calls at a time refills like a pool when it is busy, but
-- fills as people arrive, a quarter of its slots in a quarter of a call. That is noisy for one run,
-- so it is asked of all such runs of a unit together (the first call left out on both sides). `is_loop`: one call after another, the
-- next within two seconds, eight tenths beyond chance; without latencies in the log nothing seems in
-- flight, and neither is seen. Neither counts where the work restarts again and again after a pause:
-- a timer of five minutes makes one endless island, and its period is its deadline.
SELECT
  unit_no,
  run_no,
  calls,
  started_us,
  ended_us,
  rises,
  falls,
  refills_like_pool
  AND sum(CASE WHEN refills_like_pool THEN early_starts - 1 ELSE 0 END) OVER (PARTITION BY unit_no)
    >= 0.6 * sum(CASE WHEN refills_like_pool THEN mean_in_flight - 1 ELSE 0 END)
      OVER (PARTITION BY unit_no) AS is_pool,
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
    SELECT calls.unit_no, calls.run_no, count(*) AS starts
    FROM call_runs AS calls
    INNER JOIN runs ON calls.unit_no = runs.unit_no AND calls.run_no = runs.run_no
    INNER JOIN run_loads AS loads
      ON calls.unit_no = loads.unit_no AND calls.run_no = loads.run_no
    WHERE calls.ended_us > calls.started_us
      AND (calls.started_us - runs.started_us) * loads.starts <= 0.25 * loads.in_flight_us
    GROUP BY calls.unit_no, calls.run_no
  ) AS early ON runs.unit_no = early.unit_no AND runs.run_no = early.run_no
) AS driven
