-- table: call_runs
-- grain: one row per call with a start time
--
-- Runs are islands: a new run opens after a pause of more than ten minutes in which nothing of the
-- workload was in flight. `starts_inside`: another call of the workload was still in flight.
SELECT
  call_no,
  workload_no,
  started_us,
  ended_us,
  busy_until_us > started_us AS starts_inside,
  sum(CASE WHEN started_us - busy_until_us <= 600000000 THEN 0 ELSE 1 END) OVER (
    PARTITION BY workload_no ORDER BY started_us
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS run_no
FROM (
  SELECT
    call_no,
    workload_no,
    started_us,
    ended_us,
    max(ended_us) OVER (
      PARTITION BY workload_no ORDER BY started_us
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS busy_until_us
  FROM call_facts
  WHERE started_us IS NOT NULL
) AS in_order
