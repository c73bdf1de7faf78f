-- table: call_facts
-- grain: one row per call
--
-- The narrow copy that every later step sorts and joins: small integers instead of names, times as
-- microseconds since 1970 (exact, and the same arithmetic on every engine). Texts are joined late.
-- `is_answered`: the provider answered and was paid for it. `is_refused`: the request itself was
-- wrong (malformed, too long, unknown model): sent again unchanged, it would fail again.
SELECT
  calls.call_no,
  calls.call_id,
  keys.workload_no,
  keys.job_no,
  calls.started_at,
  date_diff('microsecond', TIMESTAMP '1970-01-01 00:00:00', calls.started_at) AS started_us,
  date_diff(
    'microsecond',
    TIMESTAMP '1970-01-01 00:00:00',
    greatest(calls.started_at, coalesce(calls.ended_at, calls.started_at))
  ) AS ended_us,
  CASE
    WHEN calls.status = 'ok' AND calls.ended_at >= calls.started_at
      THEN date_diff('microsecond', calls.started_at, calls.ended_at) // 1000
  END AS answered_ms,
  calls.is_streaming,
  calls.has_tool_result,
  calls.previous_response_id IS NOT NULL AS continues_response,
  calls.service_tier,
  calls.declared_tolerance_s,
  calls.client_timeout_s,
  calls.status = 'cancelled' OR coalesce(calls.http_status = 499, FALSE) AS is_cancelled,
  calls.status = 'ok' AND NOT coalesce(calls.gateway_cache_hit, FALSE) AS is_answered,
  calls.status = 'error' AND coalesce(
    calls.http_status IN (400, 404, 413, 422),
    calls.error_type IN (
      'invalid_request_error', 'context_length_exceeded', 'request_too_large', 'BadRequestError'
    ),
    FALSE
  ) AS is_refused,
  calls.attempt_group,
  calls.trace_id,
  calls.scheduler,
  calls.end_user_hash,
  calls.input_tokens,
  calls.max_output_tokens,
  calls.message_count,
  CASE
    WHEN array_length(calls.message_hashes) >= 1
      THEN calls.message_hashes[array_length(calls.message_hashes)]
  END AS last_message_hash,
  CASE
    WHEN array_length(calls.message_hashes) >= 2
      THEN calls.message_hashes[array_length(calls.message_hashes) - 1]
  END AS previous_message_hash
FROM (SELECT row_number() OVER () AS call_no, * FROM calls) AS calls
INNER JOIN workload_keys AS keys
  ON coalesce(calls.caller, 'unknown caller (' || calls.source_format || ')') = keys.caller
  AND coalesce(calls.operation_name, 'unknown operation') = keys.operation_name
  AND coalesce(calls.provider_name, 'unknown provider') = keys.provider_name
  AND coalesce(calls.request_model, calls.response_model, 'unknown model') = keys.model
  AND calls.template_hash IS NOT DISTINCT FROM keys.template_hash
