-- table: call_cases
-- grain: one row per call
--
-- A case is the set of a workload's calls that are alike in everything a rule may ask of a single
-- call. Rules are evaluated once per case, never per call. `case_no` packs the answers into decimal
-- digits behind the workload's number, so that a case needs no lookup: streaming, tool result,
-- server-side continuation, prompt continuation, tier, declared tolerance (under a minute, an hour,
-- a day, longer), size of the run, pool or loop, short input.
-- `pause_us`: from an answer to the call that builds on it by its prompt or by the provider's id;
-- `sized_pause_us`: to one that has but the size for it. Before a tool result it is the tool that
-- takes its time, so both are NULL there.
SELECT
  facts.call_id,
  facts.workload_no,
  facts.workload_no * 1000000000
  + CASE WHEN facts.is_streaming THEN 2 WHEN NOT facts.is_streaming THEN 1 ELSE 0 END
  + CASE WHEN facts.has_tool_result THEN 20 WHEN NOT facts.has_tool_result THEN 10 ELSE 0 END
  + CASE WHEN facts.continues_response THEN 100 ELSE 0 END
  + CASE WHEN continuations.is_answered OR steps.grows THEN 1000 ELSE 0 END
  + CASE facts.service_tier
    WHEN 'standard' THEN 10000
    WHEN 'batch' THEN 20000
    WHEN 'flex' THEN 30000
    WHEN 'priority' THEN 40000
    ELSE 0
  END
  + CASE
    WHEN facts.declared_tolerance_s >= 86400 THEN 400000
    WHEN facts.declared_tolerance_s >= 3600 THEN 300000
    WHEN facts.declared_tolerance_s >= 60 THEN 200000
    WHEN facts.declared_tolerance_s IS NOT NULL THEN 100000
    ELSE 0
  END
  + CASE
    WHEN runs.calls >= 1000 THEN 5000000
    WHEN runs.calls >= 100 THEN 4000000
    WHEN runs.calls >= 50 THEN 3000000
    WHEN runs.calls >= 20 THEN 2000000
    WHEN runs.calls IS NOT NULL THEN 1000000
    ELSE 0
  END
  + CASE WHEN runs.is_pool THEN 10000000 WHEN runs.is_loop THEN 20000000 ELSE 0 END
  + CASE
    WHEN facts.input_tokens < 40 THEN 200000000
    WHEN facts.input_tokens IS NOT NULL THEN 100000000
    ELSE 0
  END AS case_no,
  coalesce(continuations.is_answered, FALSE) OR coalesce(steps.grows, FALSE) AS continues_prompt,
  coalesce(NOT continuations.is_answered, FALSE) AS repeats_unanswered,
  coalesce(steps.tokens_grow, FALSE) AS tokens_grow,
  coalesce(steps.waits, FALSE) AS follows_in_conversation,
  CASE
    WHEN NOT coalesce(facts.has_tool_result, FALSE)
      THEN least(
        continuations.pause_us,
        responses.pause_us,
        CASE
          WHEN continuations.is_answered OR steps.grows OR facts.continues_response
            THEN steps.pause_us
        END
      )
  END AS pause_us,
  CASE
    WHEN steps.tokens_grow
      AND NOT coalesce(steps.grows, FALSE)
      AND NOT facts.continues_response
      AND continuations.call_no IS NULL
      AND NOT coalesce(facts.has_tool_result, FALSE)
      THEN steps.pause_us
  END AS sized_pause_us,
  call_runs.starts_inside,
  runs.calls AS run_calls,
  runs.is_pool AS in_pool_run,
  runs.is_pool OR runs.is_loop AS in_bulk_run,
  facts.started_us,
  facts.answered_ms,
  facts.is_streaming,
  facts.has_tool_result,
  facts.continues_response,
  facts.service_tier,
  facts.declared_tolerance_s,
  facts.client_timeout_s,
  facts.is_cancelled,
  CASE WHEN facts.is_cancelled THEN facts.ended_us // 60000000 END AS cancel_minute,
  facts.scheduler,
  facts.end_user_hash IS NOT NULL AS has_end_user,
  facts.input_tokens,
  facts.max_output_tokens,
  facts.message_count,
  facts.last_message_hash IS NOT NULL AS has_prompt_hashes
FROM call_facts AS facts
LEFT JOIN prompt_continuations AS continuations ON facts.call_no = continuations.call_no
LEFT JOIN conversation_steps AS steps ON facts.call_no = steps.call_no
LEFT JOIN (
  SELECT
    later.call_id,
    date_diff('microsecond', earlier.ended_at, later.started_at) AS pause_us
  FROM calls AS later
  INNER JOIN calls AS earlier
    ON later.previous_response_id = earlier.call_id AND earlier.ended_at <= later.started_at
) AS responses ON facts.call_id = responses.call_id
LEFT JOIN workload_runs ON facts.workload_no = workload_runs.workload_no
LEFT JOIN call_runs
  ON facts.call_no = call_runs.call_no AND workload_runs.unit_no = call_runs.unit_no
LEFT JOIN run_signals AS runs
  ON call_runs.unit_no = runs.unit_no AND call_runs.run_no = runs.run_no
