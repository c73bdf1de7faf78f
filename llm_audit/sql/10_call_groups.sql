-- table: call_groups
-- grain: one row per distinct set of names that calls carry (key, service, prompt, tags, ...)
--
-- One pass over the wide texts; what follows works on these few rows. A missing caller gets a
-- readable stand-in, so that ownerless calls still form a workload.
SELECT
  source_format,
  coalesce(caller, 'unknown caller (' || source_format || ')') AS caller,
  coalesce(operation_name, 'unknown operation') AS operation_name,
  coalesce(provider_name, 'unknown provider') AS provider_name,
  coalesce(request_model, response_model, 'unknown model') AS model,
  template_hash,
  service_name,
  prompt_name,
  agent_name,
  team,
  environment,
  tags,
  count(*) AS calls
FROM calls
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
