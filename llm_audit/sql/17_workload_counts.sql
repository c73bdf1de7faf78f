-- table: workload_counts
-- grain: one row per workload, with the distinct counts that do not add up from cases
--
-- `repeated_calls`: answers that were paid for again. Two prompts are the same where their length
-- and their last two messages are: one question after another answer is another prompt. Failed
-- attempts, a gateway's cache hits and attempts of one request are no repetitions.
-- `corrected_calls`: refused requests whose conversation, trace or attempts went on within a minute
-- with another prompt: somebody read the error. Of more than 20 calls, such a thread is a whole job,
-- and what follows there is the next item.
-- `waited_calls`: requests that succeeded 20 seconds or more after a first attempt had been refused
-- (rate limit, overload), with nobody giving up in between. SDKs retry within a few seconds.
-- `serial_calls`: answered calls that start within a minute after all earlier ones of their trace have
-- ended. Only traces of 3 to 200 calls count, at least five, each with another one within ten minutes:
-- a trace that is a whole run says nothing, nor does one without latencies. `child_calls`: their
-- parent is another call, which had been answered before they started.
-- `share_key_batch`: of the tokens that, by the provider's exports, the workload's keys sent to its
-- models. An export names no template, so it says nothing finer than that.
SELECT
  counts.workload_no,
  counts.first_call_at,
  counts.last_call_at,
  counts.active_days,
  counts.distinct_prompts,
  prompts.answered_calls,
  prompts.repeated_calls,
  counts.distinct_end_users,
  counts.cancel_minutes,
  counts.refused_calls,
  coalesce(CAST(corrections.corrected_calls AS BIGINT), 0) AS corrected_calls,
  coalesce(waits.waited_calls, 0) AS waited_calls,
  CASE WHEN traced.serial_traces >= 5 THEN traced.serial_calls END AS serial_calls,
  children.child_calls,
  batching.share_key_batch
FROM (
  SELECT
    workload_no,
    min(started_at) AS first_call_at,
    max(started_at) AS last_call_at,
    count(DISTINCT started_us // 86400000000) AS active_days,
    count(DISTINCT last_message_hash) AS distinct_prompts,
    count(DISTINCT end_user_hash) AS distinct_end_users,
    count(DISTINCT CASE WHEN is_cancelled THEN ended_us // 60000000 END) AS cancel_minutes,
    sum(CASE WHEN is_refused THEN 1 ELSE 0 END) AS refused_calls
  FROM call_facts
  GROUP BY workload_no
) AS counts
LEFT JOIN (
  SELECT
    workload_no,
    sum(answers) AS answered_calls,
    sum(CASE WHEN is_one_request THEN 0 ELSE answers - 1 END) AS repeated_calls
  FROM (
    SELECT
      workload_no,
      count(*) AS answers,
      min(attempt_group) = max(attempt_group) AS is_one_request
    FROM call_facts
    WHERE is_answered AND last_message_hash IS NOT NULL
    GROUP BY workload_no, last_message_hash, previous_message_hash, message_count
  ) AS same
  GROUP BY workload_no
) AS prompts ON counts.workload_no = prompts.workload_no
LEFT JOIN (
  SELECT workload_no, sum(CASE WHEN is_corrected THEN 1 ELSE 0 END) AS corrected_calls
  FROM (
    SELECT
      facts.workload_no,
      facts.is_refused
      AND count(*) OVER (PARTITION BY facts.job_no, threads.thread) <= 20
      AND lead(facts.started_us) OVER in_order BETWEEN facts.ended_us AND facts.ended_us + 60000000
      AND lead(calls.message_hashes) OVER in_order <> calls.message_hashes AS is_corrected
    FROM calls
    INNER JOIN call_facts AS facts ON calls.call_id = facts.call_id
    INNER JOIN (
      SELECT DISTINCT
        facts.job_no,
        coalesce(calls.conversation_id, calls.trace_id, calls.attempt_group) AS thread
      FROM calls
      INNER JOIN call_facts AS facts ON calls.call_id = facts.call_id
      WHERE facts.is_refused
    ) AS threads
      ON facts.job_no = threads.job_no
      AND coalesce(calls.conversation_id, calls.trace_id, calls.attempt_group) = threads.thread
    WHERE facts.job_no IN (SELECT job_no FROM call_facts WHERE is_refused)
    WINDOW in_order AS (PARTITION BY facts.job_no, threads.thread ORDER BY facts.started_us)
  ) AS steps
  GROUP BY workload_no
) AS corrections ON counts.workload_no = corrections.workload_no
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
LEFT JOIN (
  SELECT
    workload_no,
    count(*) AS serial_calls,
    count(DISTINCT trace_id) AS serial_traces
  FROM (
    SELECT
      facts.workload_no,
      facts.trace_id,
      facts.started_us,
      max(facts.ended_us) OVER (
        PARTITION BY facts.job_no, facts.trace_id
        ORDER BY facts.started_us, facts.ended_us
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) AS ended_before_us
    FROM call_facts AS facts
    INNER JOIN (
      SELECT
        job_no,
        trace_id,
        first_us,
        last_us,
        lag(last_us) OVER in_order AS last_before_us,
        lead(first_us) OVER in_order AS first_after_us
      FROM (
        SELECT
          job_no,
          trace_id,
          min(started_us) AS first_us,
          max(ended_us) AS last_us
        FROM call_facts
        WHERE trace_id IS NOT NULL AND is_answered AND ended_us > started_us
        GROUP BY job_no, trace_id
        HAVING count(*) BETWEEN 3 AND 200
      ) AS sized
      WINDOW in_order AS (PARTITION BY job_no ORDER BY first_us, last_us)
    ) AS traces
      ON facts.job_no = traces.job_no
      AND facts.trace_id = traces.trace_id
    WHERE facts.is_answered
      AND facts.ended_us > facts.started_us
      AND (
        traces.last_before_us >= traces.first_us - 600000000
        OR traces.first_after_us <= traces.last_us + 600000000
      )
  ) AS steps
  WHERE started_us BETWEEN ended_before_us AND ended_before_us + 60000000
  GROUP BY workload_no
) AS traced ON counts.workload_no = traced.workload_no
LEFT JOIN (
  SELECT facts.workload_no, count(*) AS child_calls
  FROM (SELECT call_id, parent_id, started_at FROM calls WHERE parent_id IS NOT NULL) AS later
  INNER JOIN calls AS earlier
    ON later.parent_id = earlier.call_id
    AND earlier.status = 'ok'
    AND earlier.ended_at > earlier.started_at
    AND earlier.ended_at <= later.started_at
  INNER JOIN call_facts AS facts ON later.call_id = facts.call_id
  GROUP BY facts.workload_no
) AS children ON counts.workload_no = children.workload_no
LEFT JOIN (
  SELECT
    workload_no,
    CAST(sum(batch_tokens) AS DOUBLE) / CAST(sum(tokens) AS DOUBLE) AS share_key_batch
  FROM (
    SELECT DISTINCT facts.workload_no, used.api_key, used.model, used.tokens, used.batch_tokens
    FROM calls
    INNER JOIN (
      SELECT
        provider_name,
        model,
        api_key,
        sum(quantity) AS tokens,
        sum(CASE WHEN service_tier = 'batch' THEN quantity ELSE 0 END) AS batch_tokens
      FROM usage_buckets
      WHERE token_kind IN ('input', 'cached_input', 'output')
        AND quantity > 0
        AND service_tier IS NOT NULL
      GROUP BY provider_name, model, api_key
    ) AS used
      ON calls.provider_name = used.provider_name
      AND calls.api_key_alias = used.api_key
      AND used.model IN (calls.request_model, calls.response_model)
    INNER JOIN call_facts AS facts ON calls.call_id = facts.call_id
  ) AS keyed
  GROUP BY workload_no
) AS batching ON counts.workload_no = batching.workload_no
