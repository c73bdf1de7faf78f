-- What a person may call a workload: $name is its id or its caller, $pattern a LIKE pattern of it.
SELECT workload_id
FROM workloads
WHERE workload_id = $name OR caller = $name OR caller LIKE $pattern ESCAPE '\'
ORDER BY workload_id
