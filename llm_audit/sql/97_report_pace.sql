-- view: report_pace
-- grain: one row per workload and label: pauses from one start to the next in seven classes (upper
--        ends 0.1, 1, 10, 60, 600, 3600 seconds and none), how long answers take, streams, tokens
-- why: durations are counted in classes of three digits, which is what a reader takes in; the rank
--      is then exact and needs no sort of every call. Pauses do need one: by a number for each
--      workload and label, because texts are slow to sort. Tokens are those that a price is asked
--      for; broken counts are left out.
SELECT
  labels.workload_id,
  labels.label,
  COALESCE(gaps.gaps_1, 0) AS gaps_1,
  COALESCE(gaps.gaps_2, 0) AS gaps_2,
  COALESCE(gaps.gaps_3, 0) AS gaps_3,
  COALESCE(gaps.gaps_4, 0) AS gaps_4,
  COALESCE(gaps.gaps_5, 0) AS gaps_5,
  COALESCE(gaps.gaps_6, 0) AS gaps_6,
  COALESCE(gaps.gaps_7, 0) AS gaps_7,
  durations.p50_ms AS duration_p50_ms,
  durations.p95_ms AS duration_p95_ms,
  COALESCE(streams.streaming_calls, 0) AS streaming_calls,
  COALESCE(streams.streaming_known_calls, 0) AS streaming_known_calls,
  COALESCE(tokens.input_tokens, 0) AS input_tokens,
  COALESCE(tokens.cache_read_input_tokens, 0) AS cache_read_input_tokens,
  COALESCE(tokens.output_tokens, 0) AS output_tokens
FROM (
  SELECT workload_id, label, MIN(case_no) AS first_case_no
  FROM case_labels
  GROUP BY workload_id, label
) AS labels
LEFT JOIN (
  SELECT
    first_case_no,
    SUM(CASE WHEN gap_us <= 100000 THEN 1 ELSE 0 END) AS gaps_1,
    SUM(CASE WHEN gap_us > 100000 AND gap_us <= 1000000 THEN 1 ELSE 0 END) AS gaps_2,
    SUM(CASE WHEN gap_us > 1000000 AND gap_us <= 10000000 THEN 1 ELSE 0 END) AS gaps_3,
    SUM(CASE WHEN gap_us > 10000000 AND gap_us <= 60000000 THEN 1 ELSE 0 END) AS gaps_4,
    SUM(CASE WHEN gap_us > 60000000 AND gap_us <= 600000000 THEN 1 ELSE 0 END) AS gaps_5,
    SUM(CASE WHEN gap_us > 600000000 AND gap_us <= 3600000000 THEN 1 ELSE 0 END) AS gaps_6,
    SUM(CASE WHEN gap_us > 3600000000 THEN 1 ELSE 0 END) AS gaps_7
  FROM (
    SELECT
      cases.first_case_no,
      calls.started_us - LAG(calls.started_us) OVER (
        PARTITION BY cases.first_case_no ORDER BY calls.started_us
      ) AS gap_us
    FROM call_cases AS calls
    INNER JOIN (
      SELECT case_no, MIN(case_no) OVER (PARTITION BY workload_id, label) AS first_case_no
      FROM case_labels
    ) AS cases ON cases.case_no = calls.case_no
    WHERE calls.started_us IS NOT NULL
  ) AS steps
  GROUP BY first_case_no
) AS gaps ON gaps.first_case_no = labels.first_case_no
LEFT JOIN (
  SELECT
    workload_id,
    label,
    MIN(CASE WHEN 2 * calls_so_far >= all_calls THEN duration_ms END) AS p50_ms,
    MIN(CASE WHEN 100 * calls_so_far >= 95 * all_calls THEN duration_ms END) AS p95_ms
  FROM (
    SELECT
      workload_id,
      label,
      duration_ms,
      SUM(calls) OVER (
        PARTITION BY workload_id, label ORDER BY duration_ms
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS calls_so_far,
      SUM(calls) OVER (PARTITION BY workload_id, label) AS all_calls
    FROM (
      SELECT cases.workload_id, cases.label, classes.duration_ms, SUM(classes.calls) AS calls
      FROM (
        SELECT case_no, duration_ms, COUNT(*) AS calls
        FROM (
          SELECT
            case_no,
            CASE
              WHEN answered_ms < 1000 THEN answered_ms
              WHEN answered_ms < 10000 THEN answered_ms - answered_ms % 10
              WHEN answered_ms < 100000 THEN answered_ms - answered_ms % 100
              WHEN answered_ms < 1000000 THEN answered_ms - answered_ms % 1000
              ELSE answered_ms - answered_ms % 10000
            END AS duration_ms
          FROM call_cases
          WHERE answered_ms IS NOT NULL
        ) AS rounded
        GROUP BY case_no, duration_ms
      ) AS classes
      INNER JOIN case_labels AS cases ON cases.case_no = classes.case_no
      GROUP BY cases.workload_id, cases.label, classes.duration_ms
    ) AS counted
  ) AS ranked
  GROUP BY workload_id, label
) AS durations
  ON durations.workload_id = labels.workload_id AND durations.label = labels.label
LEFT JOIN (
  SELECT
    cases.workload_id,
    cases.label,
    SUM(CASE WHEN facts.is_streaming THEN facts.calls ELSE 0 END) AS streaming_calls,
    SUM(CASE WHEN facts.is_streaming IS NOT NULL THEN facts.calls ELSE 0 END)
      AS streaming_known_calls
  FROM case_facts AS facts
  INNER JOIN case_labels AS cases ON cases.case_no = facts.case_no
  GROUP BY cases.workload_id, cases.label
) AS streams ON streams.workload_id = labels.workload_id AND streams.label = labels.label
LEFT JOIN (
  SELECT
    workload_id,
    label,
    SUM(
      fresh_tokens + read_tokens + write_5m_tokens + write_1h_tokens + audio_input_tokens
      + image_input_tokens
    ) AS input_tokens,
    SUM(read_tokens) AS cache_read_input_tokens,
    SUM(output_tokens + audio_output_tokens + image_output_tokens) AS output_tokens
  FROM workload_cards
  WHERE price_status <> 'unpriced_tokens'
  GROUP BY workload_id, label
) AS tokens ON tokens.workload_id = labels.workload_id AND tokens.label = labels.label
