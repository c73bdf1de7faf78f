-- What speaks for and against each criterion of the gray calls, strongest first.
SELECT workload_id, criterion, coalesce(weight, 0) AS weight, evidence
FROM reasons
WHERE label = 'gray_area' AND criterion IS NOT NULL AND code <> 'OVERRIDE'
ORDER BY workload_id, criterion, abs(coalesce(weight, 0)) DESC, calls DESC, code
