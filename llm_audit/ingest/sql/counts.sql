-- What became of the lines of each file.
SELECT
  located.source_file,
  count(*) FILTER (verdict = 'call' AND dropped.ordinal IS NULL) AS calls,
  count(*) FILTER (verdict = 'call' AND dropped.ordinal IS NOT NULL) AS duplicates,
  count(*) FILTER (verdict = 'not_call') AS not_calls
FROM located
LEFT JOIN dropped ON dropped.ordinal = located.ordinal
GROUP BY located.source_file
