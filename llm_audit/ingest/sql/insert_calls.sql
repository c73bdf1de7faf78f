-- The rows that become calls: the format's columns, the place in the log, and what tags say.
SELECT
  stage.* EXCLUDE (
    call_id, source_file, source_line, source_format, caller, service_name, agent_name,
    environment, scheduler, declared_tolerance_s, recognised, not_call_reason, reject_reason,
    fallback_caller
  ),
  COALESCE(stage.call_id, made_ids.call_id) AS call_id,
  places.source_file,
  places.source_format,
  places.first_line + stage.rowid - places.first_ordinal AS source_line,
  COALESCE(stage.caller, stage.service_name, tag_facts.service_name, stage.api_key_alias,
    tag_facts.job_name, stage.agent_name, tag_facts.agent_name, stage.team, stage.fallback_caller)
    AS caller,
  COALESCE(stage.service_name, tag_facts.service_name, tag_facts.job_name) AS service_name,
  COALESCE(stage.agent_name, tag_facts.agent_name) AS agent_name,
  COALESCE(stage.environment, tag_facts.environment) AS environment,
  COALESCE(stage.scheduler, tag_facts.scheduler) AS scheduler,
  COALESCE(stage.declared_tolerance_s, tag_facts.declared_tolerance_s) AS declared_tolerance_s
FROM stage
ASOF JOIN places ON stage.rowid >= places.first_ordinal
LEFT JOIN made_ids ON made_ids.ordinal = stage.rowid
LEFT JOIN tag_facts ON tag_facts.tags = stage.tags
LEFT JOIN dropped ON dropped.ordinal = stage.rowid
WHERE stage.recognised
  AND stage.not_call_reason IS NULL
  AND stage.reject_reason IS NULL
  AND dropped.ordinal IS NULL
  AND places.first_line + stage.rowid - places.first_ordinal > places.skip_lines
