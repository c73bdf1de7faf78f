-- grain: one row per other call of the request that the call $call_id is an attempt of, in order
SELECT
  others.call_id,
  others.source_file,
  others.source_line,
  others.started_at,
  others.status,
  others.http_status
FROM calls
INNER JOIN calls AS others
  ON others.attempt_group = calls.attempt_group AND others.call_id <> calls.call_id
WHERE calls.call_id = $call_id
ORDER BY others.started_at, others.source_file, others.source_line, others.call_id
