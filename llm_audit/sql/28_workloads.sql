-- table: workloads
-- grain: one row per workload, with everything that rules may ask of it
--
-- A share is NULL where the log does not carry the field at all: missing is not evidence. So is
-- `is_caller_known` for nameless calls in a format that names nobody. `share_template`: what part of
-- its job (the same key without template) carries this template; NULL where small ones are pooled.
-- `environment`: the one that most of the calls name. `think_time_pairs`: a size builds on an answer
-- only where nearly all steps of its conversations grow; every third one does by chance.
SELECT
  keys.workload_id,
  keys.caller,
  CASE WHEN nameless.caller IS NULL THEN TRUE WHEN nameless.others_named THEN FALSE END
    AS is_caller_known,
  keys.operation_name,
  keys.provider_name,
  keys.model,
  keys.workload_template AS template_hash,
  CASE WHEN keys.workload_template IS NOT NULL THEN CAST(cases.calls AS DOUBLE) / keys.job_calls END
    AS share_template,
  cases.calls,
  counts.first_call_at,
  counts.last_call_at,
  counts.active_days,
  runs.run_count,
  runs.median_run_calls,
  runs.max_run_calls,
  CAST(runs.run_count AS DOUBLE) / nullif(counts.active_days, 0) AS runs_per_day,
  runs.share_in_large_runs,
  runs.share_in_pool_runs,
  runs.share_in_bulk_runs,
  runs.large_run_days,
  runs.large_run_weeks,
  runs.large_runs_per_day,
  runs.hourly_regularity,
  runs.daily_regularity,
  runs.weekly_regularity,
  runs.bulk_run_days,
  runs.bulk_median_s,
  runs.start_arc_h,
  runs.feedback,
  cases.share_starts_inside,
  cases.share_streaming,
  cases.share_tool_results,
  cases.share_continues_response,
  cases.share_continues_prompt,
  cases.share_unanswered,
  cases.share_token_growth,
  cases.share_conversation,
  cases.think_time_pairs,
  CAST(cases.think_time_pairs AS DOUBLE) / nullif(cases.chained_pairs, 0) AS share_think_time,
  cases.share_prompts_known,
  cases.share_single_turn,
  counts.distinct_prompts,
  CAST(counts.repeated_calls AS DOUBLE) / nullif(counts.answered_calls, 0)
    AS share_duplicate_prompts,
  cases.share_cancelled,
  counts.cancel_minutes,
  CAST(counts.refused_calls AS DOUBLE) / cases.calls AS share_refused,
  counts.corrected_calls,
  CAST(counts.corrected_calls AS DOUBLE) / cases.calls AS share_corrected,
  counts.waited_calls,
  CAST(counts.serial_calls AS DOUBLE) / cases.calls AS share_serial_trace,
  CAST(counts.child_calls AS DOUBLE) / cases.calls AS share_child_calls,
  counts.share_key_batch,
  cases.share_short_timeout,
  cases.client_timeout_min_s,
  cases.declared_tolerance_min_s,
  cases.declared_tolerance_max_s,
  cases.share_scheduled,
  cases.share_queued,
  cases.share_ci,
  cases.scheduler,
  cases.share_batch_tier,
  cases.share_flex_tier,
  cases.share_priority_tier,
  cases.share_short_input,
  cases.share_long_input,
  cases.share_long_output_limit,
  cases.share_end_user,
  counts.distinct_end_users,
  coalesce(words.offline_words, 0) AS offline_words,
  coalesce(words.online_words, 0) AS online_words,
  words.offline_name,
  words.online_name,
  coalesce(tags.share_blocking, 0) AS share_blocking_tags,
  tags.blocking_name,
  tags.clock_deadline,
  tags.later_deadline,
  tags.backlog
  * (
    CAST(date_diff('microsecond', counts.first_call_at, counts.last_call_at) AS DOUBLE) / 3600000000
  )
  / cases.calls AS backlog_h,
  environments.name AS environment,
  keys.workload_no
FROM (
  SELECT
    workload_no,
    CAST(sum(calls) AS BIGINT) AS calls,
    CAST(sum(starts_inside_calls) AS DOUBLE) / sum(calls) AS share_starts_inside,
    sum(CASE WHEN is_streaming THEN calls ELSE 0 END)
    / CAST(nullif(sum(CASE WHEN is_streaming IS NOT NULL THEN calls ELSE 0 END), 0) AS DOUBLE)
      AS share_streaming,
    sum(CASE WHEN has_tool_result THEN calls ELSE 0 END)
    / CAST(nullif(sum(CASE WHEN has_tool_result IS NOT NULL THEN calls ELSE 0 END), 0) AS DOUBLE)
      AS share_tool_results,
    CAST(sum(CASE WHEN continues_response THEN calls ELSE 0 END) AS DOUBLE) / sum(calls)
      AS share_continues_response,
    CAST(sum(CASE WHEN continues_prompt THEN calls ELSE 0 END) AS DOUBLE) / sum(calls)
      AS share_continues_prompt,
    CAST(sum(unanswered_calls) AS DOUBLE) / sum(calls) AS share_unanswered,
    CAST(sum(token_growth_calls) AS DOUBLE) / sum(calls) AS share_token_growth,
    CAST(sum(following_calls) AS DOUBLE) / sum(calls) AS share_conversation,
    CAST(
      sum(think_time_calls)
      + CASE
        WHEN sum(token_growth_calls) * 10 >= sum(following_calls) * 8
          THEN sum(sized_think_time_calls)
        ELSE 0
      END AS BIGINT
    ) AS think_time_pairs,
    CAST(
      sum(chained_calls)
      + CASE
        WHEN sum(token_growth_calls) * 10 >= sum(following_calls) * 8 THEN sum(sized_calls)
        ELSE 0
      END AS BIGINT
    ) AS chained_pairs,
    CAST(sum(prompt_calls) AS DOUBLE) / sum(calls) AS share_prompts_known,
    sum(single_turn_calls) / CAST(nullif(sum(counted_message_calls), 0) AS DOUBLE)
      AS share_single_turn,
    CAST(sum(cancelled_calls) AS DOUBLE) / sum(calls) AS share_cancelled,
    sum(short_timeout_calls) / CAST(nullif(sum(timeout_calls), 0) AS DOUBLE)
      AS share_short_timeout,
    min(client_timeout_min_s) AS client_timeout_min_s,
    min(declared_tolerance_s) AS declared_tolerance_min_s,
    max(declared_tolerance_max_s) AS declared_tolerance_max_s,
    CAST(sum(scheduled_calls) AS DOUBLE) / sum(calls) AS share_scheduled,
    CAST(sum(queued_calls) AS DOUBLE) / sum(calls) AS share_queued,
    CAST(sum(ci_calls) AS DOUBLE) / sum(calls) AS share_ci,
    min(scheduler) AS scheduler,
    CAST(sum(CASE WHEN service_tier = 'batch' THEN calls ELSE 0 END) AS DOUBLE) / sum(calls)
      AS share_batch_tier,
    CAST(sum(CASE WHEN service_tier = 'flex' THEN calls ELSE 0 END) AS DOUBLE) / sum(calls)
      AS share_flex_tier,
    CAST(sum(CASE WHEN service_tier = 'priority' THEN calls ELSE 0 END) AS DOUBLE) / sum(calls)
      AS share_priority_tier,
    sum(short_input_calls) / CAST(nullif(sum(counted_input_calls), 0) AS DOUBLE)
      AS share_short_input,
    sum(long_input_calls) / CAST(nullif(sum(counted_input_calls), 0) AS DOUBLE)
      AS share_long_input,
    CAST(sum(long_output_calls) AS DOUBLE) / sum(calls) AS share_long_output_limit,
    CAST(sum(end_user_calls) AS DOUBLE) / sum(calls) AS share_end_user
  FROM case_facts
  GROUP BY workload_no
) AS cases
INNER JOIN (
  SELECT
    workload_no,
    workload_id,
    caller,
    operation_name,
    provider_name,
    model,
    workload_template,
    sum(sum(calls)) OVER (PARTITION BY job_no) AS job_calls
  FROM workload_keys
  GROUP BY
    workload_no, workload_id, caller, operation_name, provider_name, model, workload_template, job_no
) AS keys ON cases.workload_no = keys.workload_no
INNER JOIN workload_counts AS counts ON cases.workload_no = counts.workload_no
LEFT JOIN workload_runs AS runs ON cases.workload_no = runs.workload_no
LEFT JOIN workload_words AS words ON cases.workload_no = words.workload_no
LEFT JOIN workload_tags AS tags ON cases.workload_no = tags.workload_no
LEFT JOIN (
  SELECT
    keys.workload_no,
    lower(trim(call_groups.environment)) AS name,
    sum(call_groups.calls) AS calls
  FROM call_groups
  INNER JOIN workload_keys AS keys
    ON call_groups.caller = keys.caller
    AND call_groups.operation_name = keys.operation_name
    AND call_groups.provider_name = keys.provider_name
    AND call_groups.model = keys.model
    AND call_groups.template_hash IS NOT DISTINCT FROM keys.template_hash
  GROUP BY keys.workload_no, lower(trim(call_groups.environment))
) AS environments
  ON cases.workload_no = environments.workload_no AND environments.calls * 2 > cases.calls
LEFT JOIN (
  SELECT
    'unknown caller (' || source_format || ')' AS caller,
    max(CASE WHEN caller <> 'unknown caller (' || source_format || ')' THEN 1 ELSE 0 END) = 1
      AS others_named
  FROM call_groups
  GROUP BY source_format
) AS nameless ON keys.caller = nameless.caller
