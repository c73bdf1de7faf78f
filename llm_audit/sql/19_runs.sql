-- table: runs
-- grain: one row per run (unit_no, run_no) with a served call; failed calls do not count
SELECT
  unit_no,
  run_no,
  count(*) AS calls,
  min(started_us) AS started_us,
  max(ended_us) AS ended_us
FROM call_runs
WHERE is_served
GROUP BY unit_no, run_no
