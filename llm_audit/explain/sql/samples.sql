-- grain: three calls of the workload $workload_id, of different labels if it has any
--
-- Of each label the first call, the one in the middle and the last, in this order.
SELECT
  call_id,
  source_file,
  source_line,
  started_at,
  duration_ms,
  input_tokens,
  output_tokens,
  case_no,
  label
FROM (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY label
      ORDER BY
        CASE WHEN place = 1 THEN 0 WHEN place = label_calls // 2 + 1 THEN 1
          WHEN place = label_calls THEN 2 ELSE 3 END,
        place
    ) AS choice
  FROM (
    SELECT
      calls.call_id,
      calls.source_file,
      calls.source_line,
      calls.started_at,
      calls.duration_ms,
      calls.input_tokens,
      calls.output_tokens,
      cases.case_no,
      labels.label,
      row_number() OVER (
        PARTITION BY labels.label
        ORDER BY calls.started_at, calls.source_file, calls.source_line, calls.call_id
      ) AS place,
      count(*) OVER (PARTITION BY labels.label) AS label_calls
    FROM labels
    INNER JOIN calls ON calls.call_id = labels.call_id
    INNER JOIN call_cases AS cases ON cases.call_id = labels.call_id
    WHERE labels.workload_id = $workload_id
  ) AS placed
) AS chosen
WHERE choice <= 3
ORDER BY choice, label_calls DESC, label
LIMIT 3
