-- view: workload_forward
-- grain: one row per workload, label and basis: 'forward' counts every priced call, 'projected'
--   those with a time alone. Calls that no batch could take or that have no rate save nothing.
-- why: a month is the calls of some days, scaled; calls without a time belong to no day.
SELECT
    workload_id,
    label,
    basis,
    effective_cost,
    already_batch_cost,
    unrated_cost,
    effective_cost - LEAST(effective_cost, batch_conservative) AS saving_conservative,
    effective_cost - LEAST(effective_cost, batch_conservative, batch_expected) AS saving_expected,
    effective_cost - LEAST(effective_cost, batch_conservative, batch_best) AS saving_best,
    retired_calls,
    retired_model_key
FROM (
    SELECT
        cards.workload_id,
        cards.label,
        bases.basis,
        SUM(cards.effective_cost) AS effective_cost,
        SUM(CASE WHEN cards.tier = 'batch' THEN cards.effective_cost ELSE 0 END)
            AS already_batch_cost,
        SUM(CASE WHEN cards.has_rates THEN 0 ELSE cards.effective_cost END) AS unrated_cost,
        SUM(cards.batch_conservative) AS batch_conservative,
        SUM(cards.batch_expected) AS batch_expected,
        SUM(cards.batch_best) AS batch_best,
        SUM(CASE WHEN cards.retired AND cards.tier <> 'batch' THEN cards.calls ELSE 0 END)
            AS retired_calls,
        MAX(CASE WHEN cards.retired THEN cards.model_key END) AS retired_model_key
    FROM card_costs AS cards
    INNER JOIN (SELECT 'forward' AS basis UNION ALL SELECT 'projected') AS bases
        ON bases.basis = 'forward' OR cards.day IS NOT NULL
    WHERE cards.basis = 'forward'
    GROUP BY cards.workload_id, cards.label, bases.basis
) AS sums
