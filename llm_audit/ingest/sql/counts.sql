-- What became of the lines of each file.
SELECT
  places.source_file,
  count(*) FILTER (verdict = 'call' AND dropped.ordinal IS NULL) AS calls,
  count(*) FILTER (verdict = 'call' AND dropped.ordinal IS NOT NULL) AS duplicates,
  count(*) FILTER (verdict = 'not_call') AS not_calls
FROM located
JOIN places ON places.place_no = located.place_no
LEFT JOIN dropped ON dropped.ordinal = located.ordinal
GROUP BY places.source_file
