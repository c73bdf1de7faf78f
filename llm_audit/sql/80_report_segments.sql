-- view: report_segments
-- grain: one row per workload and label; its effective cost cut into five parts that never overlap
-- why: every bar of the report is a sum of these parts, so no two bars can disagree. What is batched
--      already is taken out first: it cannot be saved twice.
SELECT
  s.workload_id,
  s.label,
  w.provider_name,
  w.model,
  s.calls,
  s.priced_calls,
  s.unpriced_calls,
  s.unpriced_tokens,
  s.billed_tokens,
  s.already_batch_calls,
  CASE WHEN s.label = 'batch_eligible' AND s.worth_it THEN s.calls - s.already_batch_calls ELSE 0 END
    AS worth_moving_calls,
  COALESCE(s.list_cost, 0) AS list_cost,
  COALESCE(s.contracted_cost, 0) AS contracted_cost,
  COALESCE(s.effective_cost, 0) AS effective_cost,
  COALESCE(s.already_batch_cost, 0) AS already_batch_cost,
  CASE WHEN s.label = 'batch_eligible' AND s.worth_it
    THEN COALESCE(s.effective_cost, 0) - COALESCE(s.already_batch_cost, 0) ELSE 0 END
    AS worth_moving_cost,
  CASE WHEN s.label = 'batch_eligible' AND NOT s.worth_it
    THEN COALESCE(s.effective_cost, 0) - COALESCE(s.already_batch_cost, 0) ELSE 0 END
    AS other_eligible_cost,
  CASE WHEN s.label = 'gray_area'
    THEN COALESCE(s.effective_cost, 0) - COALESCE(s.already_batch_cost, 0) ELSE 0 END
    AS gray_area_cost,
  CASE WHEN s.label = 'realtime'
    THEN COALESCE(s.effective_cost, 0) - COALESCE(s.already_batch_cost, 0) ELSE 0 END
    AS realtime_cost,
  CASE WHEN s.label = 'batch_eligible' AND s.worth_it
    THEN COALESCE(s.saving_conservative, 0) ELSE 0 END AS headline_saving
FROM savings AS s
INNER JOIN workloads AS w ON w.workload_id = s.workload_id
