-- grain: up to three call ids that $name begins, or that are very like it
SELECT call_id
FROM (
  SELECT DISTINCT call_id, jaro_winkler_similarity(call_id, $name) AS likeness
  FROM calls
  WHERE starts_with(call_id, $name) OR jaro_winkler_similarity(call_id, $name) >= 0.95
) AS alike
ORDER BY likeness DESC, call_id
LIMIT 3
