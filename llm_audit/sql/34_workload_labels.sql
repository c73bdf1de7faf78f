-- table: workload_labels
-- grain: one row per workload and label
--
-- Verdicts and confidence are those of the case with most calls; `reason_pattern` is its bit mask.
-- `deadline_risk`: some of the calls must be back in less than the 24 hours a batch may take;
-- `due_in_s`: the shortest of these deadlines. `due_in_minutes`: some of them within the hour. `needs_error_feedback`: of its requests, one in a
-- hundred is refused and corrected at once, or one in ten refused; a batch shows that hours later.
SELECT
  workload_id,
  label,
  CAST(sum(case_calls) AS BIGINT) AS calls,
  max(CASE WHEN place = 1 THEN confidence END) AS confidence,
  max(CASE WHEN place = 1 THEN independence END) AS independence,
  max(CASE WHEN place = 1 THEN tolerance END) AS tolerance,
  max(CASE WHEN place = 1 THEN storage END) AS storage,
  max(CASE WHEN place = 1 THEN fired_rules END) AS reason_pattern,
  max(CASE WHEN deadline_risk THEN 1 ELSE 0 END) = 1 AS deadline_risk,
  min(due_in_s) AS due_in_s,
  max(CASE WHEN due_in_minutes THEN 1 ELSE 0 END) = 1 AS due_in_minutes,
  max(CASE WHEN needs_error_feedback THEN 1 ELSE 0 END) = 1 AS needs_error_feedback
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY workload_id, label ORDER BY case_calls DESC, case_no) AS place
  FROM case_labels
) AS ranked
GROUP BY workload_id, label
