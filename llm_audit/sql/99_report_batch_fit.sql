-- view: report_batch_fit
-- grain: one row per workload and label that could be batched and whose seller has a batch API: its
--        busiest day (UTC) beside the limits of one batch
-- why: `batches` keeps a tenth of each limit free. input_bytes is an estimate: four bytes a token.
--      Calls that nobody bills or that are batched already are not counted.
SELECT
  workload_id,
  label,
  requests,
  input_tokens,
  input_bytes,
  max_requests,
  max_bytes,
  queue_note,
  window_hours,
  CASE
    WHEN max_requests IS NULL AND max_bytes IS NULL THEN NULL
    ELSE GREATEST(
      COALESCE((10 * requests + 9 * max_requests - 1) // (9 * max_requests), 1),
      COALESCE((10 * input_bytes + 9 * max_bytes - 1) // (9 * max_bytes), 1)
    )
  END AS batches
FROM (
  SELECT
    days.workload_id,
    days.label,
    days.requests,
    days.input_tokens,
    4 * days.input_tokens AS input_bytes,
    sellers.max_requests,
    sellers.max_bytes,
    sellers.queue_note,
    sellers.window_hours,
    ROW_NUMBER() OVER (
      PARTITION BY days.workload_id, days.label
      ORDER BY days.requests DESC, days.input_tokens DESC, days.day
    ) AS place
  FROM (
    SELECT
      workload_id,
      label,
      day,
      CAST(SUM(calls) AS BIGINT) AS requests,
      CAST(SUM(
        fresh_tokens + read_tokens + write_5m_tokens + write_1h_tokens + audio_input_tokens
        + image_input_tokens
      ) AS BIGINT) AS input_tokens
    FROM workload_cards
    WHERE day IS NOT NULL
      AND price_status NOT IN ('not_billed', 'unpriced_tokens')
      AND tier <> 'batch'
      AND label <> 'realtime'
    GROUP BY workload_id, label, day
  ) AS days
  INNER JOIN workload_sellers AS sellers
    ON sellers.workload_id = days.workload_id AND sellers.label = days.label
  WHERE sellers.io_discount IS NOT NULL
) AS ranked
WHERE place = 1
