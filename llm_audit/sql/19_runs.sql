-- table: runs
-- grain: one row per run (workload_no, run_no)
SELECT
  workload_no,
  run_no,
  count(*) AS calls,
  min(started_us) AS started_us
FROM call_runs
GROUP BY workload_no, run_no
