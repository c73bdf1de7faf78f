-- Ids that stand on several arrived lines.
SELECT calls.call_id
FROM calls
JOIN located ON located.ordinal = calls.rowid
WHERE calls.rowid >= getvariable('first_ordinal') AND located.verdict = 'call'
GROUP BY calls.call_id
HAVING count(*) > 1
