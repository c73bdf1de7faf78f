-- One row per call: why it is not replayed (the first reason that holds, `replay.toml` has the
-- sentences), or NULL where its body may be read. saving_conservative is what the report counts for
-- the call: nothing where a batch has no rate. bought_requests: request keys of earlier runs, made
-- with $key_prefix. $chosen: workload ids or NULL for all; $sample, $max_calls: numbers or NULL.
WITH offered AS (
  SELECT DISTINCT attempt_group FROM calls WHERE status = 'ok' AND attempt_group IS NOT NULL
),
judged AS (
  SELECT
    calls.call_id,
    calls.source_file,
    calls.source_line,
    labels.workload_id,
    labels.label,
    COALESCE(savings.worth_it AND labels.label = 'batch_eligible', false) AS in_headline,
    shapes.vendor,
    shapes.endpoint,
    CASE WHEN formats.source_format IS NULL
      THEN 'nothing says where the request stands in this log format'
      ELSE COALESCE(formats.why, formats.otherwise) END AS format_why,
    costs.effective_cost AS sync_cost,
    costs.batch_cost_conservative AS batch_cost,
    COALESCE(costs.effective_cost - costs.batch_cost_conservative, 0) AS saving_conservative,
    CASE
      WHEN NOT COALESCE(list_contains($chosen, labels.workload_id), true) THEN 'not_chosen'
      WHEN costs.batch_status = 'already_batch' OR calls.service_tier = 'batch'
        THEN 'already_batch'
      WHEN labels.label = 'realtime' AND labels.independence = 'contradicted' THEN 'chain'
      WHEN labels.label <> 'batch_eligible' THEN labels.label
      WHEN savings.advice = 'keep_sync_cache_cheaper' THEN 'cache_cheaper'
      WHEN savings.advice <> 'batch' THEN savings.advice
      WHEN NOT savings.worth_it THEN 'deadline_risk'
      WHEN calls.gateway_cache_hit THEN 'gateway_cache'
      WHEN calls.status <> 'ok' AND offered.attempt_group IS NOT NULL THEN 'other_attempt'
      WHEN calls.status <> 'ok' THEN 'failed_call'
      WHEN costs.price_status <> 'priced' THEN 'unpriced'
      WHEN calls.service_tier = 'flex' THEN 'flex'
      WHEN costs.batch_status IS DISTINCT FROM 'published' THEN 'no_batch_rate'
      WHEN calls.provider_name NOT IN ('openai', 'anthropic') THEN 'seller'
      WHEN calls.provider_name = 'openai' AND calls.inference_region IS NOT NULL THEN 'regional'
      WHEN formats.source_format IS NULL OR formats.why IS NOT NULL THEN 'format'
      WHEN shapes.vendor IS DISTINCT FROM calls.provider_name THEN 'reshaped'
      WHEN NOT COALESCE(calls.replayable, false) THEN 'no_body'
      WHEN calls.previous_response_id IS NOT NULL THEN 'vendor_state'
      WHEN sha256($key_prefix || calls.call_id) IN (SELECT request_key FROM bought_requests)
        THEN 'bought'
    END AS reason
  FROM calls
  JOIN labels ON labels.call_id = calls.call_id
  JOIN costs ON costs.call_id = calls.call_id
  JOIN savings ON savings.workload_id = labels.workload_id AND savings.label = labels.label
  LEFT JOIN offered ON offered.attempt_group = calls.attempt_group
  LEFT JOIN replay_formats AS formats ON formats.source_format = calls.source_format
  LEFT JOIN replay_shapes AS shapes
    ON shapes.source_format = calls.source_format
    AND shapes.operation_name = calls.operation_name
),
sampled AS (
  SELECT
    *,
    CASE WHEN reason IS NULL
      THEN row_number() OVER (PARTITION BY reason IS NULL ORDER BY md5(call_id), call_id) END
      AS sample_place
  FROM judged
),
counted AS (
  SELECT
    *,
    CASE WHEN reason IS NULL AND COALESCE(sample_place <= $sample, true)
      THEN row_number() OVER (
        PARTITION BY reason IS NULL AND COALESCE(sample_place <= $sample, true)
        ORDER BY source_file, source_line, call_id
      ) END AS place
  FROM sampled
),
settled AS (
  SELECT
    * EXCLUDE (reason),
    CASE
      WHEN reason IS NOT NULL THEN reason
      WHEN place IS NULL THEN 'not_sampled'
      WHEN place > $max_calls THEN 'over_limit'
    END AS reason
  FROM counted
)
SELECT
  settled.call_id,
  settled.workload_id,
  settled.label,
  settled.in_headline,
  settled.vendor,
  settled.endpoint,
  settled.sync_cost,
  settled.batch_cost,
  settled.saving_conservative,
  settled.reason,
  CASE WHEN settled.reason IN ('format', 'reshaped')
    THEN COALESCE(settled.format_why, reasons.sentence) ELSE reasons.sentence END AS detail
FROM settled
LEFT JOIN replay_reasons AS reasons ON reasons.reason = settled.reason
