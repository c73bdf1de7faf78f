-- table: call_runs
-- grain: one row per unit and call with a start time
--
-- A unit is a workload (`unit_no` its number) or, where a job has several workloads, the whole job
-- (minus the job's number): one list of work whose prompts have many templates crumbles at the fine
-- grain, and a chat beside a backfill blurs at the coarse one. Runs are islands: a new run opens
-- after a pause of more than ten minutes in which nothing of the unit was in flight.
-- `starts_inside`: another call of the unit was still in flight.
-- `is_served`: answered, given up in flight, or of unknown outcome. Only such calls make runs: a
-- service that retries while its provider is down looks like a program that drains a list. A failed
-- call belongs to the run that it stands in or follows.
SELECT
  call_no,
  unit_no,
  started_us,
  ended_us,
  input_tokens,
  is_served,
  busy_until_us > started_us AS starts_inside,
  sum(CASE WHEN NOT is_served OR started_us - busy_until_us <= 600000000 THEN 0 ELSE 1 END) OVER (
    PARTITION BY unit_no ORDER BY started_us
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS run_no
FROM (
  SELECT
    call_no,
    unit_no,
    started_us,
    ended_us,
    input_tokens,
    is_served,
    max(CASE WHEN is_served THEN ended_us END) OVER (
      PARTITION BY unit_no ORDER BY started_us
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS busy_until_us
  FROM (
    SELECT
      call_no,
      workload_no AS unit_no,
      started_us,
      ended_us,
      input_tokens,
      coalesce(is_answered, TRUE) OR coalesce(is_cancelled, FALSE) AS is_served
    FROM call_facts
    WHERE started_us IS NOT NULL
    UNION ALL
    SELECT
      call_no,
      -job_no AS unit_no,
      started_us,
      ended_us,
      input_tokens,
      coalesce(is_answered, TRUE) OR coalesce(is_cancelled, FALSE) AS is_served
    FROM call_facts
    WHERE started_us IS NOT NULL AND job_no IN (
      SELECT job_no FROM workload_keys GROUP BY job_no HAVING count(DISTINCT workload_no) > 1
    )
  ) AS both_grains
) AS in_order
