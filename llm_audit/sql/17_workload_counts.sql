-- table: workload_counts
-- grain: one row per workload, with the distinct counts that do not add up from cases
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
