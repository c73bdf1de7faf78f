-- table: run_signals
-- grain: one row per run
--
-- `is_pool`: a program drains a list. Either the refills exceed what open arrivals at the same rate
-- would show by chance (1 - exp(-0.1 s * rate)) by half of the rest, or the number in flight is
-- pinned: at least 1.5 on average with a variance under 0.3 of the mean. Real chat and agent
-- traffic stays clear of both.
SELECT
  runs.workload_no,
  runs.run_no,
  runs.calls,
  runs.started_us,
  coalesce(
    refill_share - chance_share >= 0.5 * (1 - chance_share)
    OR (mean_in_flight >= 1.5 AND variance_in_flight < 0.3 * mean_in_flight),
    FALSE
  ) AS is_pool
FROM runs
LEFT JOIN (
  SELECT
    loads.workload_no,
    loads.run_no,
    CAST(loads.refills AS DOUBLE) / runs.calls AS refill_share,
    1 - exp(-100000.0 * runs.calls / loads.observed_us) AS chance_share,
    loads.in_flight_us / loads.observed_us AS mean_in_flight,
    loads.in_flight_squared_us / loads.observed_us
    - (loads.in_flight_us / loads.observed_us) * (loads.in_flight_us / loads.observed_us)
      AS variance_in_flight
  FROM run_loads AS loads
  INNER JOIN runs ON loads.workload_no = runs.workload_no AND loads.run_no = runs.run_no
  WHERE loads.observed_us > 0
) AS loads ON runs.workload_no = loads.workload_no AND runs.run_no = loads.run_no
