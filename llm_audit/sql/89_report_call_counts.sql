-- view: report_call_counts
-- grain: one row per way to count all calls (by outcome, by token source, by price status) and value
SELECT 'status' AS dimension, COALESCE(status, 'unknown') AS value, COUNT(*) AS calls
FROM calls
GROUP BY COALESCE(status, 'unknown')
UNION ALL
SELECT 'tokens_source', COALESCE(tokens_source, 'unknown'), COUNT(*)
FROM calls
GROUP BY COALESCE(tokens_source, 'unknown')
UNION ALL
SELECT 'price_status', COALESCE(price_status, 'unknown'), SUM(calls)
FROM workload_cards
GROUP BY COALESCE(price_status, 'unknown')
