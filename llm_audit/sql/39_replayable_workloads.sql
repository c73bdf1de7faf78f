-- view: replayable_workloads
-- grain: one row per workload and label with calls that were answered and whose whole request is in
--        the log, sent to a vendor that `migrate` drives
-- why: who is told to move a workload is told the command that plans it, where it can be planned.
--      LiteLLM logs what other vendors were sent in OpenAI's shape, and nothing is converted.
SELECT labels.workload_id, labels.label, COUNT(*) AS calls
FROM labels
INNER JOIN calls ON calls.call_id = labels.call_id
WHERE calls.replayable
  AND calls.status = 'ok'
  AND calls.previous_response_id IS NULL
  AND calls.provider_name IN ('openai', 'anthropic')
  AND NOT (calls.source_format = 'litellm_slp' AND calls.provider_name <> 'openai')
GROUP BY labels.workload_id, labels.label
