-- What the audit says of the calls $calls, in the order of their logs: where the answer stands, and
-- what each kind of token was to cost in a batch (conservative: no cache hits), in USD.
SELECT
  calls.source_file,
  files.size,
  files.digest,
  COALESCE(files.versions, 0) AS versions,
  calls.source_line,
  calls.call_id,
  calls.source_format,
  calls.response_model,
  COALESCE(cards.read_tokens, 0) AS read_tokens,
  COALESCE(cards.write_5m_tokens, 0) AS write_5m_tokens,
  COALESCE(cards.write_1h_tokens, 0) AS write_1h_tokens,
  COALESCE(cards.fresh_tokens, 0) AS fresh_tokens,
  COALESCE(cards.output_tokens, 0) AS output_tokens,
  COALESCE(CAST(CAST(cards.read_tokens AS DECIMAL(19, 0)) * sheets.batch_miss AS DECIMAL(38, 12)), 0)
    AS read_cost,
  COALESCE(CAST(CAST(cards.write_5m_tokens AS DECIMAL(19, 0)) * sheets.batch_miss AS DECIMAL(38, 12)), 0)
    AS write_5m_cost,
  COALESCE(CAST(CAST(cards.write_1h_tokens AS DECIMAL(19, 0)) * sheets.batch_miss AS DECIMAL(38, 12)), 0)
    AS write_1h_cost,
  COALESCE(CAST(CAST(cards.fresh_tokens AS DECIMAL(19, 0)) * sheets.batch_input AS DECIMAL(38, 12)), 0)
    AS fresh_cost,
  COALESCE(CAST(CAST(cards.output_tokens AS DECIMAL(19, 0)) * sheets.batch_output AS DECIMAL(38, 12)), 0)
    AS output_cost
FROM (SELECT DISTINCT unnest($calls) AS call_id) AS asked
JOIN calls ON calls.call_id = asked.call_id
LEFT JOIN call_cards AS cards ON cards.call_id = calls.call_id
LEFT JOIN rate_sheets AS sheets ON sheets.card_id = cards.card_id
LEFT JOIN (
  SELECT path, arg_max(size, rowid) AS size, arg_max(digest, rowid) AS digest,
    count(*) AS versions
  FROM ingested_files
  GROUP BY path
) AS files ON files.path = calls.source_file
ORDER BY calls.source_file, calls.source_line, calls.call_id
