-- table: run_loads
-- grain: one row per run of at least 50 calls
--
-- How a run is driven. A program that drains a list starts a call when another one ends (`refills`:
-- starts within 0.1 s after a completion) or keeps the number in flight constant (time-weighted
-- sums of it, for variance over mean). People and events do neither: their starts lie as often just
-- before a completion (`forerunners`), however dense and bursty they are. `successions`: starts
-- within two seconds after the last call ended while nothing else was in flight, as a loop does.
-- Calls without a latency are left out: they would all seem to start as they end.
-- `restarts`: pauses of 30 s and more inside the run. `rises` and `falls` compare each input with
-- that of the call that ended last: balanced for items of a list, rising where answers are fed back.
SELECT
  unit_no,
  run_no,
  sum(CASE WHEN step = 1 AND at_us - last_ended_us < 100000 THEN 1 ELSE 0 END) AS refills,
  sum(CASE WHEN step = 1 AND next_ended_us - at_us < 100000 THEN 1 ELSE 0 END) AS forerunners,
  sum(CASE WHEN step = 1 AND in_flight = 1 AND at_us - last_ended_us < 2000000 THEN 1 ELSE 0 END)
    AS successions,
  sum(CASE WHEN step = 1 AND input_tokens > last_input_tokens THEN 1 ELSE 0 END) AS rises,
  sum(CASE WHEN step = 1 AND input_tokens < last_input_tokens THEN 1 ELSE 0 END) AS falls,
  sum(CASE WHEN in_flight = 0 AND lasts_us >= 30000000 THEN 1 ELSE 0 END) AS restarts,
  sum(CAST(CASE WHEN in_flight > 0 THEN lasts_us END AS DOUBLE)) AS busy_us,
  sum(CAST(lasts_us AS DOUBLE)) AS observed_us,
  sum(CAST(in_flight AS DOUBLE) * lasts_us) AS in_flight_us,
  sum(CAST(in_flight AS DOUBLE) * in_flight * lasts_us) AS in_flight_squared_us,
  sum(CASE WHEN step = 1 THEN 1 ELSE 0 END) AS starts
FROM (
  SELECT
    unit_no,
    run_no,
    step,
    at_us,
    input_tokens,
    sum(step) OVER in_order AS in_flight,
    last_value(CASE WHEN step = -1 THEN at_us END IGNORE NULLS) OVER in_order AS last_ended_us,
    last_value(CASE WHEN step = -1 THEN input_tokens END IGNORE NULLS) OVER in_order
      AS last_input_tokens,
    first_value(CASE WHEN step = -1 THEN at_us END IGNORE NULLS) OVER (
      PARTITION BY unit_no, run_no ORDER BY at_us, step
      ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
    ) AS next_ended_us,
    lead(at_us) OVER (PARTITION BY unit_no, run_no ORDER BY at_us, step) - at_us AS lasts_us
  FROM (
    SELECT calls.unit_no, calls.run_no, calls.started_us AS at_us, 1 AS step, calls.input_tokens
    FROM call_runs AS calls
    INNER JOIN runs ON calls.unit_no = runs.unit_no AND calls.run_no = runs.run_no
    WHERE runs.calls >= 50 AND calls.is_served AND calls.ended_us > calls.started_us
    UNION ALL
    SELECT calls.unit_no, calls.run_no, calls.ended_us AS at_us, -1 AS step, calls.input_tokens
    FROM call_runs AS calls
    INNER JOIN runs ON calls.unit_no = runs.unit_no AND calls.run_no = runs.run_no
    WHERE runs.calls >= 50 AND calls.is_served AND calls.ended_us > calls.started_us
  ) AS events
  WINDOW in_order AS (
    PARTITION BY unit_no, run_no ORDER BY at_us, step
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
) AS timeline
GROUP BY unit_no, run_no
