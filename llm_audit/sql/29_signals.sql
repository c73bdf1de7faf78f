-- table: signals
-- grain: one row per case: what is alike in its calls, then its part, then its workload
--
-- The one relation that rules are written against; `llm_audit.policy.SIGNALS` names them. An
-- owner's tolerance in llm-audit.toml takes the place of what the calls declare. A workload has up
-- to two parts: its calls in runs that a program drives, and the rest; behind one key and template
-- the rest may be a button. Cancels of the rest are held against the driven part too, unless at
-- least five were to be expected there and at most one minute shows any.
-- `is_never_cancelled`: nobody gave up any of 300 calls (streamed ones, if these are), in a log
-- that records such ends elsewhere; one minute with some is allowed, as when an operator stops a run.
SELECT
  cases.case_no,
  cases.calls AS case_calls,
  cases.is_streaming,
  cases.has_tool_result,
  cases.continues_response,
  cases.continues_prompt,
  cases.service_tier,
  coalesce(overrides.tolerance_s, cases.declared_tolerance_s) AS declared_tolerance_s,
  cases.run_calls,
  cases.in_pool_run,
  cases.in_bulk_run,
  cases.is_short_input,
  CASE
    WHEN parts.cancel_minutes <= 1
      AND cases.in_bulk_run
      AND parts.calls * rest_share_cancelled >= 5
      THEN parts.share_cancelled
    ELSE greatest(parts.share_cancelled, workloads.share_cancelled)
  END AS part_share_cancelled,
  CASE
    WHEN parts.cancel_minutes <= 1
      AND cases.in_bulk_run
      AND parts.calls * rest_share_cancelled >= 5
      THEN parts.cancel_minutes
    ELSE workloads.cancel_minutes
  END AS part_cancel_minutes,
  parts.share_streaming AS part_share_streaming,
  parts.share_end_user AS part_share_end_user,
  cases.in_bulk_run
  AND CASE WHEN cases.is_streaming THEN parts.streaming_calls ELSE parts.calls END >= 300
  AND parts.cancel_minutes <= 1
  AND log.cancelled_calls > parts.cancelled_calls AS is_never_cancelled,
  overrides.label AS override_label,
  workloads.*
FROM case_facts AS cases
INNER JOIN workloads ON cases.workload_no = workloads.workload_no
INNER JOIN (
  SELECT
    counted.workload_no,
    counted.in_bulk_run,
    counted.calls,
    counted.cancelled_calls,
    counted.streaming_calls,
    CAST(counted.cancelled_calls AS DOUBLE) / counted.calls AS share_cancelled,
    counted.streaming_calls / CAST(nullif(counted.stream_known_calls, 0) AS DOUBLE)
      AS share_streaming,
    CAST(counted.end_user_calls AS DOUBLE) / counted.calls AS share_end_user,
    coalesce(minutes.cancel_minutes, 0) AS cancel_minutes,
    (sum(counted.cancelled_calls) OVER whole - counted.cancelled_calls)
    / CAST(nullif(sum(counted.calls) OVER whole - counted.calls, 0) AS DOUBLE)
      AS rest_share_cancelled
  FROM (
    SELECT
      workload_no,
      coalesce(in_bulk_run, FALSE) AS in_bulk_run,
      sum(calls) AS calls,
      sum(cancelled_calls) AS cancelled_calls,
      sum(CASE WHEN is_streaming THEN calls ELSE 0 END) AS streaming_calls,
      sum(CASE WHEN is_streaming IS NOT NULL THEN calls ELSE 0 END) AS stream_known_calls,
      sum(end_user_calls) AS end_user_calls
    FROM case_facts
    GROUP BY workload_no, coalesce(in_bulk_run, FALSE)
  ) AS counted
  LEFT JOIN (
    SELECT
      workload_no,
      coalesce(in_bulk_run, FALSE) AS in_bulk_run,
      count(DISTINCT cancel_minute) AS cancel_minutes
    FROM call_cases
    WHERE is_cancelled
    GROUP BY workload_no, coalesce(in_bulk_run, FALSE)
  ) AS minutes
    ON counted.workload_no = minutes.workload_no AND counted.in_bulk_run = minutes.in_bulk_run
  WINDOW whole AS (PARTITION BY counted.workload_no)
) AS parts
  ON cases.workload_no = parts.workload_no
  AND coalesce(cases.in_bulk_run, FALSE) = parts.in_bulk_run
CROSS JOIN (SELECT sum(cancelled_calls) AS cancelled_calls FROM case_facts) AS log
LEFT JOIN workload_overrides AS overrides
  ON cases.workload_no = overrides.workload_no AND overrides.place = 1
