-- view: workload_forward
-- grain: one row per workload and label; the same calls at the rates of pricing_meta.as_of.
-- why: what was paid is the past; only today's rates and models on sale can be saved on. Calls
--   whose model or tier has no rate on that day are left out. A retired model keeps its last
--   rates as its cost and saves nothing.
SELECT
    workload_id,
    label,
    SUM(effective_cost) AS effective_cost,
    SUM(CASE WHEN can_move THEN batch_conservative ELSE effective_cost END) AS batch_conservative,
    SUM(CASE WHEN can_move THEN batch_expected ELSE effective_cost END) AS batch_expected,
    SUM(CASE WHEN can_move THEN batch_best ELSE effective_cost END) AS batch_best,
    SUM(CASE WHEN retired AND candidate THEN calls ELSE 0 END) AS retired_calls,
    MAX(CASE WHEN retired THEN model_key END) AS retired_model_key
FROM (
    SELECT
        sums.workload_id,
        sums.label,
        sums.calls,
        today.model_key,
        today.retired,
        sums.tier <> 'batch' AS candidate,
        sums.tier <> 'batch' AND today.batch_input IS NOT NULL AND NOT today.retired AS can_move,
        CAST(
            CAST(
                sums.fresh_tokens * today.list_input
                + sums.read_tokens * COALESCE(today.list_cached, 0)
                + sums.write_5m_tokens * COALESCE(today.list_write_5m, 0)
                + sums.write_1h_tokens * COALESCE(today.list_write_1h, 0)
                + sums.output_tokens * COALESCE(today.list_output, 0)
                + sums.searches * today.search_fee
                AS DECIMAL(26, 12)
            ) * today.factor AS DECIMAL(38, 12)
        ) AS effective_cost,
        CAST(
            CAST(
                sums.fresh_tokens * today.batch_input
                + (sums.read_tokens + sums.write_5m_tokens + sums.write_1h_tokens)
                * today.batch_miss
                + sums.output_tokens * COALESCE(today.batch_output, 0)
                + sums.searches * today.batch_search_fee
                AS DECIMAL(26, 12)
            ) * today.batch_factor AS DECIMAL(38, 12)
        ) AS batch_conservative,
        CAST(
            CAST(
                sums.fresh_tokens * today.batch_input
                + sums.read_tokens * today.batch_cached_expected
                + sums.write_5m_tokens * today.batch_write_5m
                + sums.write_1h_tokens * today.batch_write_1h
                + sums.output_tokens * COALESCE(today.batch_output, 0)
                + sums.searches * today.batch_search_fee
                AS DECIMAL(26, 12)
            ) * today.batch_factor AS DECIMAL(38, 12)
        ) AS batch_expected,
        CAST(
            CAST(
                sums.fresh_tokens * today.batch_input
                + sums.read_tokens * today.batch_cached
                + sums.write_5m_tokens * today.batch_write_5m
                + sums.write_1h_tokens * today.batch_write_1h
                + sums.output_tokens * COALESCE(today.batch_output, 0)
                + sums.searches * today.batch_search_fee
                AS DECIMAL(26, 12)
            ) * today.batch_factor AS DECIMAL(38, 12)
        ) AS batch_best
    FROM (
        SELECT
            workload_id,
            label,
            card_id,
            tier,
            SUM(calls) AS calls,
            CAST(SUM(fresh_tokens) AS DECIMAL(18, 0)) AS fresh_tokens,
            CAST(SUM(read_tokens) AS DECIMAL(18, 0)) AS read_tokens,
            CAST(SUM(write_5m_tokens) AS DECIMAL(18, 0)) AS write_5m_tokens,
            CAST(SUM(write_1h_tokens) AS DECIMAL(18, 0)) AS write_1h_tokens,
            CAST(SUM(output_tokens) AS DECIMAL(18, 0)) AS output_tokens,
            CAST(SUM(searches) AS DECIMAL(18, 0)) AS searches
        FROM workload_cards
        WHERE price_status = 'priced'
        GROUP BY workload_id, label, card_id, tier
    ) AS sums
    INNER JOIN rate_sheets AS paid ON paid.card_id = sums.card_id
    CROSS JOIN pricing_meta
    INNER JOIN rate_sheets AS today
        ON today.model_key = paid.model_key
        AND today.tier = paid.tier
        AND today.from_tokens = paid.from_tokens
        AND today.day = pricing_meta.as_of
        AND today.list_status = 'priced'
) AS forward
GROUP BY workload_id, label
