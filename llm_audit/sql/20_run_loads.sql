-- table: run_loads
-- grain: one row per run of at least 50 calls
--
-- How a run is driven. A program that drains a list starts a call when another one ends (`refills`:
-- starts within 0.1 s after a completion) or keeps the number in flight constant (time-weighted
-- sums of it, for variance over mean). People and events do neither.
SELECT
  workload_no,
  run_no,
  sum(CASE WHEN step = 1 AND at_us - last_ended_us < 100000 THEN 1 ELSE 0 END) AS refills,
  sum(CAST(lasts_us AS DOUBLE)) AS observed_us,
  sum(CAST(in_flight AS DOUBLE) * lasts_us) AS in_flight_us,
  sum(CAST(in_flight AS DOUBLE) * in_flight * lasts_us) AS in_flight_squared_us
FROM (
  SELECT
    workload_no,
    run_no,
    step,
    at_us,
    sum(step) OVER in_order AS in_flight,
    max(CASE WHEN step = -1 THEN at_us END) OVER in_order AS last_ended_us,
    lead(at_us) OVER (PARTITION BY workload_no, run_no ORDER BY at_us, step) - at_us AS lasts_us
  FROM (
    SELECT calls.workload_no, calls.run_no, calls.started_us AS at_us, 1 AS step
    FROM call_runs AS calls
    INNER JOIN runs ON calls.workload_no = runs.workload_no AND calls.run_no = runs.run_no
    WHERE runs.calls >= 50
    UNION ALL
    SELECT calls.workload_no, calls.run_no, calls.ended_us AS at_us, -1 AS step
    FROM call_runs AS calls
    INNER JOIN runs ON calls.workload_no = runs.workload_no AND calls.run_no = runs.run_no
    WHERE runs.calls >= 50
  ) AS events
  WINDOW in_order AS (
    PARTITION BY workload_no, run_no ORDER BY at_us, step
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
) AS timeline
GROUP BY workload_no, run_no
