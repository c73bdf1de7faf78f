-- view: report_period
-- grain: one row; the calendar days (UTC) from the first call to the last, both included
SELECT
  MIN(started_at) AS start_at,
  MAX(started_at) AS end_at,
  COALESCE(DATE_DIFF('day', CAST(MIN(started_at) AS DATE), CAST(MAX(started_at) AS DATE)) + 1, 0)
    AS days,
  COUNT(*) AS calls,
  COUNT(*) - COUNT(started_at) AS calls_without_time
FROM calls
