-- table: workload_keys
-- grain: one row per distinct caller x operation x provider x model x template found in `calls`
--
-- Two grains. A template with at least 100 calls and 5 % of its job (the same key without template)
-- is a workload of its own, so that a chat and a backfill behind one key are judged apart. All
-- smaller templates of a job share one pooled workload (template NULL), so that a job with hundreds
-- of templates does not crumble into pieces too small to judge.
SELECT
  caller,
  operation_name,
  provider_name,
  model,
  template_hash,
  job_no,
  dense_rank() OVER (ORDER BY job_no, workload_template) AS workload_no,
  'w_' || substring(
    md5(
      caller || '|' || operation_name || '|' || provider_name || '|' || model
      || '|' || coalesce(workload_template, '')
    ), 1, 10
  ) AS workload_id,
  workload_template,
  calls
FROM (
  SELECT
    *,
    CASE
      WHEN calls >= 100 AND calls * 20 >= sum(calls) OVER (PARTITION BY job_no) THEN template_hash
    END AS workload_template
  FROM (
    SELECT
      caller,
      operation_name,
      provider_name,
      model,
      template_hash,
      dense_rank() OVER (ORDER BY caller, operation_name, provider_name, model) AS job_no,
      CAST(sum(calls) AS BIGINT) AS calls
    FROM call_groups
    GROUP BY caller, operation_name, provider_name, model, template_hash
  ) AS numbered
) AS pooled
