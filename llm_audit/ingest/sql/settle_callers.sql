-- What the labels of an arrived call say about its caller.
UPDATE calls
SET
  service_name = COALESCE(calls.service_name, tag_facts.service_name, tag_facts.job_name),
  agent_name = COALESCE(calls.agent_name, tag_facts.agent_name),
  environment = COALESCE(calls.environment, tag_facts.environment),
  scheduler = COALESCE(calls.scheduler, tag_facts.scheduler),
  declared_tolerance_s = COALESCE(calls.declared_tolerance_s, tag_facts.declared_tolerance_s),
  caller = COALESCE(calls.service_name, tag_facts.service_name, tag_facts.job_name, calls.caller)
FROM tag_facts
WHERE calls.rowid >= getvariable('first_ordinal') AND calls.tags = tag_facts.tags
