-- table: conversation_steps
-- grain: one row per call that follows another call of the same conversation
--
-- Works where prompts are not logged. `waits`: the call before had ended; ids of jobs and reports
-- are written into conversation fields too, but their calls overlap. `grows`: it waits and has more
-- messages. `tokens_grow`: the input is the last input plus the last answer and something new, the
-- size that a replayed history has. `pause_us`: from the end of the call before to this one.
SELECT
  call_no,
  previous_ended_at <= started_at AS waits,
  message_count > previous_message_count AND previous_ended_at <= started_at AS grows,
  previous_ended_at <= started_at
  AND input_tokens > previous_input_tokens
  AND input_tokens * 10 >= previous_input_tokens * 10 + previous_output_tokens * 8
  AND input_tokens * 10 <= (previous_input_tokens + previous_output_tokens) * 16 + 30000
    AS tokens_grow,
  CASE
    WHEN previous_ended_at <= started_at
      THEN date_diff('microsecond', previous_ended_at, started_at)
  END AS pause_us
FROM (
  SELECT
    facts.call_no,
    calls.started_at,
    calls.message_count,
    calls.input_tokens,
    lag(calls.message_count) OVER conversation AS previous_message_count,
    lag(calls.input_tokens) OVER conversation AS previous_input_tokens,
    lag(calls.output_tokens) OVER conversation AS previous_output_tokens,
    lag(calls.ended_at) OVER conversation AS previous_ended_at
  FROM calls
  INNER JOIN call_facts AS facts ON calls.call_id = facts.call_id
  WHERE calls.conversation_id IS NOT NULL
  WINDOW conversation AS (
    PARTITION BY facts.job_no, calls.conversation_id ORDER BY calls.started_at, calls.message_count
  )
) AS steps
WHERE previous_ended_at IS NOT NULL
