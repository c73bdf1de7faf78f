-- table: workload_counts
-- grain: one row per workload, with the distinct counts that do not add up from cases
--
-- `waited_calls`: requests that succeeded 20 seconds or more after a first attempt had been refused
-- (rate limit, overload), with nobody giving up in between. SDKs retry within a few seconds.
SELECT
  counts.workload_no,
  counts.first_call_at,
  counts.last_call_at,
  counts.active_days,
  counts.distinct_prompts,
  counts.distinct_end_users,
  counts.cancel_minutes,
  coalesce(waits.waited_calls, 0) AS waited_calls
FROM (
  SELECT
    workload_no,
    min(started_at) AS first_call_at,
    max(started_at) AS last_call_at,
    count(DISTINCT started_us // 86400000000) AS active_days,
    count(DISTINCT last_message_hash) AS distinct_prompts,
    count(DISTINCT end_user_hash) AS distinct_end_users,
    count(DISTINCT CASE WHEN is_cancelled THEN ended_us // 60000000 END) AS cancel_minutes
  FROM call_facts
  GROUP BY workload_no
) AS counts
LEFT JOIN (
  SELECT facts.workload_no, count(DISTINCT calls.attempt_group) AS waited_calls
  FROM calls
  INNER JOIN (
    SELECT attempt_group, min(ended_at) AS refused_at
    FROM calls
    WHERE attempt_group IS NOT NULL AND status = 'error' AND http_status IN (429, 503, 529)
    GROUP BY attempt_group
  ) AS refused ON calls.attempt_group = refused.attempt_group
  INNER JOIN call_facts AS facts ON calls.call_id = facts.call_id
  WHERE calls.status = 'ok' AND calls.started_at >= refused.refused_at + INTERVAL '20' SECOND
  GROUP BY facts.workload_no
) AS waits ON counts.workload_no = waits.workload_no
