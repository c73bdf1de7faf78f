-- view: forward_cards
-- grain: one row per workload, label and price card that priced calls of it: what the same calls
--   cost at the rates of pricing_meta.as_of, and what they would in a batch.
-- why: what was paid is the past; only today's rates and models on sale can be saved on. Calls that
--   have no rate on that day keep what they cost and save nothing: the bill must not shrink by
--   forgetting them. A retired model keeps its last rates as its cost and saves nothing.
SELECT
    workload_id,
    label,
    day,
    tier,
    calls,
    model_key,
    retired,
    has_rates,
    CASE WHEN has_rates THEN todays_cost ELSE contracted_cost END AS effective_cost,
    CASE
        WHEN has_rates AND can_move THEN batch_conservative
        WHEN has_rates THEN todays_cost
        ELSE contracted_cost
    END AS batch_conservative,
    CASE
        WHEN has_rates AND can_move THEN batch_expected
        WHEN has_rates THEN todays_cost
        ELSE contracted_cost
    END AS batch_expected,
    CASE
        WHEN has_rates AND can_move THEN batch_best
        WHEN has_rates THEN todays_cost
        ELSE contracted_cost
    END AS batch_best
FROM (
    SELECT
        sums.workload_id,
        sums.label,
        sums.day,
        sums.tier,
        sums.calls,
        sums.contracted_cost,
        sums.model_key,
        today.retired,
        today.list_status = 'priced'
        AND (sums.read_tokens = 0 OR today.list_cached IS NOT NULL)
        AND (sums.write_5m_tokens = 0 OR today.list_write_5m IS NOT NULL)
        AND (sums.write_1h_tokens = 0 OR today.list_write_1h IS NOT NULL)
        AND (sums.output_tokens = 0 OR today.list_output IS NOT NULL)
        AND (sums.searches = 0 OR today.search_fee IS NOT NULL) AS has_rates,
        sums.tier <> 'batch' AND today.batch_input IS NOT NULL AND NOT today.retired AS can_move,
        CAST(
            CAST(
                sums.fresh_tokens * today.list_input
                + sums.read_tokens * COALESCE(today.list_cached, 0)
                + sums.write_5m_tokens * COALESCE(today.list_write_5m, 0)
                + sums.write_1h_tokens * COALESCE(today.list_write_1h, 0)
                + sums.output_tokens * COALESCE(today.list_output, 0)
                + sums.searches * COALESCE(today.search_fee, 0)
                AS DECIMAL(26, 12)
            ) * today.factor AS DECIMAL(38, 12)
        ) AS todays_cost,
        CAST(
            CAST(
                sums.fresh_tokens * today.batch_input
                + (sums.read_tokens + sums.write_5m_tokens + sums.write_1h_tokens)
                * today.batch_miss
                + sums.output_tokens * COALESCE(today.batch_output, 0)
                + sums.searches * COALESCE(today.batch_search_fee, 0)
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
                + sums.searches * COALESCE(today.batch_search_fee, 0)
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
                + sums.searches * COALESCE(today.batch_search_fee, 0)
                AS DECIMAL(26, 12)
            ) * today.batch_factor AS DECIMAL(38, 12)
        ) AS batch_best
    FROM (
        SELECT
            workload_id,
            label,
            day,
            card_id,
            model_key,
            tier,
            SUM(calls) AS calls,
            SUM(contracted_cost) AS contracted_cost,
            CAST(SUM(fresh_tokens) AS DECIMAL(18, 0)) AS fresh_tokens,
            CAST(SUM(read_tokens) AS DECIMAL(18, 0)) AS read_tokens,
            CAST(SUM(write_5m_tokens) AS DECIMAL(18, 0)) AS write_5m_tokens,
            CAST(SUM(write_1h_tokens) AS DECIMAL(18, 0)) AS write_1h_tokens,
            CAST(SUM(output_tokens) AS DECIMAL(18, 0)) AS output_tokens,
            CAST(SUM(searches) AS DECIMAL(18, 0)) AS searches
        FROM workload_cards
        WHERE price_status = 'priced'
        GROUP BY workload_id, label, day, card_id, model_key, tier
    ) AS sums
    INNER JOIN rate_sheets AS paid ON paid.card_id = sums.card_id
    CROSS JOIN pricing_meta
    INNER JOIN rate_sheets AS today
        ON today.model_key = paid.model_key
        AND today.tier = paid.tier
        AND today.from_tokens = paid.from_tokens
        AND today.day = pricing_meta.as_of
) AS forward
