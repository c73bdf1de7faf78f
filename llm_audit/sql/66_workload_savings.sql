-- view: workload_savings
-- grain: one row per workload and label: costs and savings, not yet judged.
-- why: saving = baseline - min(baseline, batch), per workload and label, never below 0 and never
--   summed call by call. Where writing a cache in the batch costs more than it brings, it can be
--   left out, so no scenario is dearer than the conservative one.
SELECT
    costs.*,
    COALESCE(days.peak_day_calls, 0) AS peak_day_calls,
    LEAST(costs.batch_expected, costs.batch_conservative) AS batch_cost_expected,
    LEAST(costs.batch_best, costs.batch_conservative) AS batch_cost_best,
    COALESCE(
        costs.effective_cost - LEAST(costs.effective_cost, costs.batch_conservative), 0
    ) AS saving_conservative,
    COALESCE(
        costs.effective_cost
        - LEAST(costs.effective_cost, costs.batch_conservative, costs.batch_expected), 0
    ) AS saving_expected,
    COALESCE(
        costs.effective_cost
        - LEAST(costs.effective_cost, costs.batch_conservative, costs.batch_best), 0
    ) AS saving_best,
    forward.effective_cost AS forward_effective_cost,
    forward.already_batch_cost AS forward_already_batch_cost,
    COALESCE(forward.saving_conservative, 0) AS forward_saving_conservative,
    COALESCE(forward.saving_expected, 0) AS forward_saving_expected,
    COALESCE(forward.saving_best, 0) AS forward_saving_best,
    projected.effective_cost AS projected_effective_cost,
    projected.already_batch_cost AS projected_already_batch_cost,
    projected.unrated_cost AS projected_unrated_cost,
    COALESCE(projected.saving_conservative, 0) AS projected_saving_conservative,
    COALESCE(projected.saving_expected, 0) AS projected_saving_expected,
    COALESCE(projected.saving_best, 0) AS projected_saving_best,
    COALESCE(forward.retired_calls, 0) AS retired_calls,
    life.model AS retired_model,
    life.retired_on,
    life.status AS retired_status,
    life.look_at
FROM workload_costs AS costs
LEFT JOIN workload_days AS days
    ON days.workload_id = costs.workload_id AND days.label = costs.label
LEFT JOIN workload_forward AS forward
    ON forward.workload_id = costs.workload_id AND forward.label = costs.label
    AND forward.basis = 'forward'
LEFT JOIN workload_forward AS projected
    ON projected.workload_id = costs.workload_id AND projected.label = costs.label
    AND projected.basis = 'projected'
LEFT JOIN (SELECT DISTINCT model_key, price_key FROM rate_days) AS keys
    ON keys.model_key = forward.retired_model_key
LEFT JOIN model_lifecycle AS life ON life.model_key = keys.price_key
