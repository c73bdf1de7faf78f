-- grain: one row per set of names that the calls of the workload $workload_id carry
SELECT
  names.provider_name,
  names.request_model,
  names.response_model,
  names.region,
  names.match_method,
  names.steps,
  names.hint,
  names.price_key,
  names.model_key,
  count(*) AS calls
FROM labels
INNER JOIN calls ON calls.call_id = labels.call_id
INNER JOIN model_names AS names
  ON names.provider_name IS NOT DISTINCT FROM calls.provider_name
  AND names.request_model IS NOT DISTINCT FROM calls.request_model
  AND names.response_model IS NOT DISTINCT FROM calls.response_model
  AND names.inference_region IS NOT DISTINCT FROM calls.inference_region
WHERE labels.workload_id = $workload_id
  AND ($call_id IS NULL OR labels.call_id = $call_id)
GROUP BY ALL
ORDER BY calls DESC, names.request_model, names.response_model
