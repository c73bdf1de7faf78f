-- table: workload_cards
-- grain: one row per workload, label, day, price card, price_status and batch_status.
-- why: costs are linear in tokens within one card, so everything after this step works on a few
--   thousand sums instead of every call. A call without a batch or flex rate counts at what it
--   costs today: it saves nothing.
SELECT
    labels.workload_id,
    labels.label,
    costs.day,
    costs.card_id,
    costs.model_key,
    costs.tier,
    costs.price_status,
    costs.batch_status,
    COUNT(*) AS calls,
    SUM(costs.total_tokens) AS total_tokens,
    SUM(costs.fresh_tokens) AS fresh_tokens,
    SUM(costs.read_tokens) AS read_tokens,
    SUM(costs.write_5m_tokens) AS write_5m_tokens,
    SUM(costs.write_1h_tokens) AS write_1h_tokens,
    SUM(costs.output_tokens) AS output_tokens,
    SUM(costs.searches) AS searches,
    SUM(costs.list_cost) AS list_cost,
    SUM(costs.contracted_cost) AS contracted_cost,
    SUM(COALESCE(costs.batch_cost_conservative, costs.contracted_cost)) AS batch_conservative,
    SUM(COALESCE(costs.batch_cost_expected, costs.contracted_cost)) AS batch_expected,
    SUM(COALESCE(costs.batch_cost_best, costs.contracted_cost)) AS batch_best,
    SUM(COALESCE(costs.flex_cost, costs.contracted_cost)) AS flex_cost,
    SUM(CASE WHEN costs.flex_cost IS NOT NULL THEN 1 ELSE 0 END) AS flex_calls
FROM labels
INNER JOIN call_costs AS costs ON costs.call_id = labels.call_id
GROUP BY
    labels.workload_id, labels.label, costs.day, costs.card_id, costs.model_key, costs.tier,
    costs.price_status, costs.batch_status
