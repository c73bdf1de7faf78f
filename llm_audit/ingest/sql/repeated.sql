-- Ids that stand on several lines of this load.
SELECT call_id
FROM located
WHERE verdict = 'call' AND call_id IS NOT NULL
GROUP BY call_id
HAVING count(*) > 1
