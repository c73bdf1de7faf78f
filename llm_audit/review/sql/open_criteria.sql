-- Which criteria keep calls gray, and how many calls each.
SELECT workload_id, criterion, CAST(sum(case_calls) AS BIGINT) AS calls
FROM (
  SELECT workload_id, 'independence' AS criterion, independence AS verdict, case_calls
  FROM case_labels WHERE label = 'gray_area'
  UNION ALL
  SELECT workload_id, 'tolerance', tolerance, case_calls
  FROM case_labels WHERE label = 'gray_area'
  UNION ALL
  SELECT workload_id, 'storage', storage, case_calls
  FROM case_labels WHERE label = 'gray_area'
) AS verdicts
WHERE verdict = 'unknown'
GROUP BY workload_id, criterion
ORDER BY workload_id, calls DESC, criterion
