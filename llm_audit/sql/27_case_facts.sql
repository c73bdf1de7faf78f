-- table: case_facts
-- grain: one row per case, with counts that add up to workloads
--
-- A task queue is not a scheduler: something happened, and somebody may wait for it.
-- `think_time_calls`: 8 s to 30 min after the answer they build on, as people read and write.
SELECT
  case_no,
  workload_no,
  count(*) AS calls,
  any_value(is_streaming) AS is_streaming,
  any_value(has_tool_result) AS has_tool_result,
  any_value(continues_response) AS continues_response,
  any_value(continues_prompt) AS continues_prompt,
  any_value(service_tier) AS service_tier,
  min(declared_tolerance_s) AS declared_tolerance_s,
  max(declared_tolerance_s) AS declared_tolerance_max_s,
  min(run_calls) AS run_calls,
  any_value(in_pool_run) AS in_pool_run,
  any_value(in_bulk_run) AS in_bulk_run,
  max(input_tokens) < 40 AS is_short_input,
  min(client_timeout_s) AS client_timeout_min_s,
  sum(CASE WHEN client_timeout_s <= 60 THEN 1 ELSE 0 END) AS short_timeout_calls,
  count(client_timeout_s) AS timeout_calls,
  sum(CASE WHEN is_cancelled THEN 1 ELSE 0 END) AS cancelled_calls,
  sum(CASE WHEN scheduler NOT IN ('queue', 'celery') THEN 1 ELSE 0 END) AS scheduled_calls,
  sum(CASE WHEN scheduler IN ('queue', 'celery') THEN 1 ELSE 0 END) AS queued_calls,
  sum(CASE WHEN scheduler = 'ci' THEN 1 ELSE 0 END) AS ci_calls,
  min(scheduler) AS scheduler,
  sum(CASE WHEN has_end_user THEN 1 ELSE 0 END) AS end_user_calls,
  sum(CASE WHEN follows_in_conversation THEN 1 ELSE 0 END) AS following_calls,
  count(pause_us) AS chained_calls,
  sum(CASE WHEN pause_us BETWEEN 8000000 AND 1800000000 THEN 1 ELSE 0 END) AS think_time_calls,
  count(sized_pause_us) AS sized_calls,
  sum(CASE WHEN sized_pause_us BETWEEN 8000000 AND 1800000000 THEN 1 ELSE 0 END)
    AS sized_think_time_calls,
  sum(CASE WHEN tokens_grow THEN 1 ELSE 0 END) AS token_growth_calls,
  sum(CASE WHEN repeats_unanswered THEN 1 ELSE 0 END) AS unanswered_calls,
  sum(CASE WHEN starts_inside THEN 1 ELSE 0 END) AS starts_inside_calls,
  sum(CASE WHEN has_prompt_hashes THEN 1 ELSE 0 END) AS prompt_calls,
  sum(CASE WHEN message_count <= 2 THEN 1 ELSE 0 END) AS single_turn_calls,
  count(message_count) AS counted_message_calls,
  sum(CASE WHEN input_tokens < 40 THEN 1 ELSE 0 END) AS short_input_calls,
  sum(CASE WHEN input_tokens >= 100 THEN 1 ELSE 0 END) AS long_input_calls,
  count(input_tokens) AS counted_input_calls,
  sum(CASE WHEN max_output_tokens > 21333 THEN 1 ELSE 0 END) AS long_output_calls
FROM call_cases
GROUP BY case_no, workload_no
