-- view: report_hours
-- grain: one row per workload, label and hour of the week (UTC) in which calls start;
--        hour_of_week 0 is Monday 00:00
-- why: 1970-01-01, where started_us begins, was a Thursday: three days after a Monday.
SELECT
  cases.workload_id,
  cases.label,
  hours.hour_of_week,
  CAST(SUM(hours.calls) AS BIGINT) AS calls
FROM (
  SELECT
    case_no,
    ((started_us // 3600000000 + 72) % 168 + 168) % 168 AS hour_of_week,
    COUNT(*) AS calls
  FROM call_cases
  WHERE started_us IS NOT NULL
  GROUP BY case_no, ((started_us // 3600000000 + 72) % 168 + 168) % 168
) AS hours
INNER JOIN case_labels AS cases ON cases.case_no = hours.case_no
GROUP BY cases.workload_id, cases.label, hours.hour_of_week
