-- view: workload_costs
-- grain: one row per workload and label; money is USD at the prices of each call's own day.
-- why: `candidate_calls` are those a batch could still take: priced and not in a batch already.
SELECT
    workload_id,
    label,
    SUM(calls) AS calls,
    SUM(CASE WHEN price_status IN ('priced', 'free') THEN calls ELSE 0 END) AS priced_calls,
    SUM(CASE WHEN price_status LIKE 'unpriced%' THEN calls ELSE 0 END) AS unpriced_calls,
    SUM(CASE WHEN price_status LIKE 'unpriced%' THEN total_tokens ELSE 0 END) AS unpriced_tokens,
    SUM(CASE WHEN price_status NOT IN ('not_billed', 'free') THEN total_tokens ELSE 0 END)
        AS billed_tokens,
    SUM(CASE WHEN batch_status = 'already_batch' THEN calls ELSE 0 END) AS already_batch_calls,
    SUM(CASE WHEN batch_status = 'already_batch' THEN effective_cost ELSE 0 END)
        AS already_batch_cost,
    SUM(CASE WHEN batch_status <> 'already_batch' THEN calls ELSE 0 END) AS candidate_calls,
    SUM(CASE WHEN batch_status = 'published' THEN calls ELSE 0 END) AS batch_rate_calls,
    SUM(CASE WHEN batch_status <> 'already_batch' AND tier = 'flex' THEN calls ELSE 0 END)
        AS flex_paid_calls,
    SUM(CASE WHEN price_status = 'priced' AND can_flex THEN calls ELSE 0 END) AS flex_rate_calls,
    SUM(cache_effect) AS cache_effect,
    SUM(list_cost) AS list_cost,
    SUM(effective_cost) AS effective_cost,
    SUM(batch_conservative) AS batch_conservative,
    SUM(batch_expected) AS batch_expected,
    SUM(batch_best) AS batch_best,
    SUM(flex_cost) AS flex_cost
FROM card_costs
WHERE basis = 'observed'
GROUP BY workload_id, label
