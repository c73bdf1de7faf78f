-- view: report_period
-- grain: one row; the calendar days (UTC) from the first call to the last, both included
-- why: a call is of the day it is priced on (call_quantities): its start, or else its end
SELECT
  MIN(called_at) AS start_at,
  MAX(called_at) AS end_at,
  COALESCE(
    DATE_DIFF('day', CAST(MIN(called_at) AS DATE), CAST(MAX(called_at) AS DATE)) + 1, 0
  ) AS days,
  COUNT(*) AS calls,
  COUNT(*) - COUNT(called_at) AS calls_without_time
FROM (SELECT COALESCE(started_at, ended_at) AS called_at FROM calls) AS times
