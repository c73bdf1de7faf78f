-- What free labels say about a caller: one row per distinct tag list of a load.
-- Of several tolerances the shortest counts. Keys are the common ones of schedulers, CI systems and OpenTelemetry resource attributes.
WITH pairs AS (
  SELECT
    tags,
    list_transform(tags, lambda tag: lower(split_part(tag, ':', 1))) AS keys,
    list_transform(tags, lambda tag: nullif(trim(substr(tag, strpos(tag, ':') + 1)), tag))
      AS tag_values
  FROM tag_sets
),
named AS (
  SELECT
    *,
    list_position(list_transform(keys, lambda key: key IN
      ('service.name', 'service', 'job', 'app')), true) AS service_at,
    list_position(list_transform(keys, lambda key: key IN
      ('agent', 'agent_name', 'gen_ai.agent.name')), true) AS agent_at,
    list_position(list_transform(keys, lambda key: key IN
      ('env', 'environment', 'deployment.environment.name')), true) AS environment_at,
    list_position(list_transform(keys, lambda key: key IN
      ('dag_id', 'k8s_cronjob', 'k8s.cronjob.name', 'celery_task', 'workflow', 'ls_project')), true)
      AS job_at,
    list_min(list_transform(tags, lambda tag: tag_tolerance_s(tag))) AS declared_tolerance_s,
    list_position(list_transform(keys, lambda key: key IN
      ('scheduler', 'faas.trigger')), true) AS scheduler_at
  FROM pairs
)
SELECT
  tags,
  tag_values[service_at] AS service_name,
  tag_values[job_at] AS job_name,
  tag_values[agent_at] AS agent_name,
  tag_values[environment_at] AS environment,
  CASE
    WHEN scheduler_at > 0 THEN lower(tag_values[scheduler_at])
    WHEN list_has_any(keys, ['dag_id', 'airflow_dag', 'airflow.dag_id']) THEN 'airflow'
    WHEN list_has_any(keys, ['k8s_cronjob', 'k8s.cronjob.name', 'cronjob', 'cron']) THEN 'cron'
    WHEN list_has_any(keys, ['celery_task', 'celery.task']) THEN 'celery'
    WHEN list_has_any(keys, ['ci', 'cicd.pipeline.run.id', 'pipeline_source', 'github_workflow'])
      THEN 'ci'
    WHEN list_has_any(keys, ['dagster_job', 'dagster.job']) THEN 'dagster'
    WHEN list_has_any(keys, ['prefect_flow', 'flow_run_id']) THEN 'prefect'
    WHEN list_has_any(keys, ['messaging.system', 'queue']) THEN 'queue'
  END AS scheduler,
  declared_tolerance_s
FROM named
WHERE service_at > 0 OR job_at > 0 OR agent_at > 0 OR environment_at > 0
  OR declared_tolerance_s IS NOT NULL OR scheduler IS NOT NULL
