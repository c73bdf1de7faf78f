-- table: signal_texts
-- grain: one row per case and signal that an evidence sentence of a fired rule names
--
-- How a value reads in a sentence: shares as percent, seconds as the unit a person would use.
SELECT
  case_no,
  name,
  CASE
    WHEN share IS NOT NULL THEN
      replace(CAST(CAST(100 * share AS DECIMAL(9, 1)) AS VARCHAR) || ' %', '.0 %', ' %')
    WHEN seconds >= 7200 THEN
      replace(CAST(CAST(seconds / 3600 AS DECIMAL(18, 1)) AS VARCHAR) || ' h', '.0 h', ' h')
    WHEN seconds >= 120 THEN
      replace(CAST(CAST(seconds / 60 AS DECIMAL(18, 1)) AS VARCHAR) || ' min', '.0 min', ' min')
    WHEN seconds IS NOT NULL THEN
      replace(CAST(CAST(seconds AS DECIMAL(18, 1)) AS VARCHAR) || ' s', '.0 s', ' s')
    ELSE plain
  END AS text
FROM (
  SELECT
    signals.case_no,
    used.name,
    CASE used.name
      WHEN 'share_in_large_runs' THEN signals.share_in_large_runs
      WHEN 'share_in_pool_runs' THEN signals.share_in_pool_runs
      WHEN 'share_in_bulk_runs' THEN signals.share_in_bulk_runs
      WHEN 'feedback' THEN signals.feedback
      WHEN 'share_unanswered' THEN signals.share_unanswered
      WHEN 'share_queued' THEN signals.share_queued
      WHEN 'part_share_cancelled' THEN signals.part_share_cancelled
      WHEN 'part_share_streaming' THEN signals.part_share_streaming
      WHEN 'part_share_end_user' THEN signals.part_share_end_user
      WHEN 'share_starts_inside' THEN signals.share_starts_inside
      WHEN 'share_streaming' THEN signals.share_streaming
      WHEN 'share_tool_results' THEN signals.share_tool_results
      WHEN 'share_continues_response' THEN signals.share_continues_response
      WHEN 'share_continues_prompt' THEN signals.share_continues_prompt
      WHEN 'share_token_growth' THEN signals.share_token_growth
      WHEN 'share_conversation' THEN signals.share_conversation
      WHEN 'share_serial_trace' THEN signals.share_serial_trace
      WHEN 'share_child_calls' THEN signals.share_child_calls
      WHEN 'share_think_time' THEN signals.share_think_time
      WHEN 'share_prompts_known' THEN signals.share_prompts_known
      WHEN 'share_single_turn' THEN signals.share_single_turn
      WHEN 'share_cancelled' THEN signals.share_cancelled
      WHEN 'share_short_timeout' THEN signals.share_short_timeout
      WHEN 'share_scheduled' THEN signals.share_scheduled
      WHEN 'share_ci' THEN signals.share_ci
      WHEN 'share_batch_tier' THEN signals.share_batch_tier
      WHEN 'share_flex_tier' THEN signals.share_flex_tier
      WHEN 'share_priority_tier' THEN signals.share_priority_tier
      WHEN 'share_short_input' THEN signals.share_short_input
      WHEN 'share_long_input' THEN signals.share_long_input
      WHEN 'share_long_output_limit' THEN signals.share_long_output_limit
      WHEN 'share_end_user' THEN signals.share_end_user
      WHEN 'share_blocking_tags' THEN signals.share_blocking_tags
      WHEN 'share_template' THEN signals.share_template
      WHEN 'share_duplicate_prompts' THEN signals.share_duplicate_prompts
      WHEN 'share_refused' THEN signals.share_refused
      WHEN 'share_corrected' THEN signals.share_corrected
      WHEN 'share_key_batch' THEN signals.share_key_batch
    END AS share,
    CASE used.name
      WHEN 'declared_tolerance_s' THEN signals.declared_tolerance_s
      WHEN 'bulk_median_s' THEN signals.bulk_median_s
      WHEN 'backlog_h' THEN signals.backlog_h * 3600
      WHEN 'client_timeout_min_s' THEN signals.client_timeout_min_s
      WHEN 'declared_tolerance_min_s' THEN signals.declared_tolerance_min_s
      WHEN 'declared_tolerance_max_s' THEN signals.declared_tolerance_max_s
    END AS seconds,
    CASE used.name
      WHEN 'case_calls' THEN CAST(signals.case_calls AS VARCHAR)
      WHEN 'is_streaming' THEN CAST(signals.is_streaming AS VARCHAR)
      WHEN 'has_tool_result' THEN CAST(signals.has_tool_result AS VARCHAR)
      WHEN 'continues_response' THEN CAST(signals.continues_response AS VARCHAR)
      WHEN 'continues_prompt' THEN CAST(signals.continues_prompt AS VARCHAR)
      WHEN 'service_tier' THEN signals.service_tier
      WHEN 'run_calls' THEN CAST(signals.run_calls AS VARCHAR)
      WHEN 'in_pool_run' THEN CAST(signals.in_pool_run AS VARCHAR)
      WHEN 'in_bulk_run' THEN CAST(signals.in_bulk_run AS VARCHAR)
      WHEN 'is_never_cancelled' THEN CAST(signals.is_never_cancelled AS VARCHAR)
      WHEN 'is_caller_known' THEN CAST(signals.is_caller_known AS VARCHAR)
      WHEN 'part_cancel_minutes' THEN CAST(signals.part_cancel_minutes AS VARCHAR)
      WHEN 'corrected_calls' THEN CAST(signals.corrected_calls AS VARCHAR)
      WHEN 'think_time_pairs' THEN CAST(signals.think_time_pairs AS VARCHAR)
      WHEN 'waited_calls' THEN CAST(signals.waited_calls AS VARCHAR)
      WHEN 'large_run_weeks' THEN CAST(signals.large_run_weeks AS VARCHAR)
      WHEN 'bulk_run_days' THEN CAST(signals.bulk_run_days AS VARCHAR)
      WHEN 'large_runs_per_day' THEN
        CAST(CAST(signals.large_runs_per_day AS DECIMAL(18, 1)) AS VARCHAR)
      WHEN 'start_arc_h' THEN CAST(CAST(signals.start_arc_h AS DECIMAL(18, 1)) AS VARCHAR)
      WHEN 'weekly_regularity' THEN
        CAST(CAST(signals.weekly_regularity AS DECIMAL(18, 2)) AS VARCHAR)
      WHEN 'is_short_input' THEN CAST(signals.is_short_input AS VARCHAR)
      WHEN 'workload_id' THEN signals.workload_id
      WHEN 'caller' THEN signals.caller
      WHEN 'operation_name' THEN signals.operation_name
      WHEN 'provider_name' THEN signals.provider_name
      WHEN 'model' THEN signals.model
      WHEN 'template_hash' THEN signals.template_hash
      WHEN 'calls' THEN CAST(signals.calls AS VARCHAR)
      WHEN 'active_days' THEN CAST(signals.active_days AS VARCHAR)
      WHEN 'run_count' THEN CAST(signals.run_count AS VARCHAR)
      WHEN 'median_run_calls' THEN CAST(signals.median_run_calls AS VARCHAR)
      WHEN 'max_run_calls' THEN CAST(signals.max_run_calls AS VARCHAR)
      WHEN 'large_run_days' THEN CAST(signals.large_run_days AS VARCHAR)
      WHEN 'distinct_prompts' THEN CAST(signals.distinct_prompts AS VARCHAR)
      WHEN 'cancel_minutes' THEN CAST(signals.cancel_minutes AS VARCHAR)
      WHEN 'scheduler' THEN signals.scheduler
      WHEN 'distinct_end_users' THEN CAST(signals.distinct_end_users AS VARCHAR)
      WHEN 'offline_words' THEN CAST(signals.offline_words AS VARCHAR)
      WHEN 'online_words' THEN CAST(signals.online_words AS VARCHAR)
      WHEN 'offline_name' THEN signals.offline_name
      WHEN 'online_name' THEN signals.online_name
      WHEN 'blocking_name' THEN signals.blocking_name
      WHEN 'clock_deadline' THEN signals.clock_deadline
      WHEN 'later_deadline' THEN signals.later_deadline
      WHEN 'environment' THEN signals.environment
      WHEN 'runs_per_day' THEN CAST(CAST(signals.runs_per_day AS DECIMAL(18, 2)) AS VARCHAR)
      WHEN 'hourly_regularity' THEN
        CAST(CAST(signals.hourly_regularity AS DECIMAL(18, 2)) AS VARCHAR)
      WHEN 'daily_regularity' THEN CAST(CAST(signals.daily_regularity AS DECIMAL(18, 2)) AS VARCHAR)
    END AS plain
  FROM signals
  INNER JOIN (
    SELECT hits.case_no, rules.name_1 AS name
    FROM rule_hits AS hits INNER JOIN rules ON hits.code = rules.code
    WHERE rules.name_1 IS NOT NULL
    UNION
    SELECT hits.case_no, rules.name_2
    FROM rule_hits AS hits INNER JOIN rules ON hits.code = rules.code
    WHERE rules.name_2 IS NOT NULL
    UNION
    SELECT hits.case_no, rules.name_3
    FROM rule_hits AS hits INNER JOIN rules ON hits.code = rules.code
    WHERE rules.name_3 IS NOT NULL
  ) AS used ON signals.case_no = used.case_no
) AS named
