-- view: call_list_costs
-- grain: one row per call: its quantities and its costs in USD at list prices.
-- why: tokens DECIMAL(19,0) x rate DECIMAL(14,12) is exact, so are their sums. The three batch
--   scenarios are explained in rate_sheets. A call that is in a batch already costs there what it
--   costs.
SELECT
    call_id,
    card_id,
    model_key,
    day,
    tier,
    total_tokens,
    fresh_tokens,
    read_tokens,
    write_5m_tokens,
    write_1h_tokens,
    output_tokens,
    searches,
    price_status,
    factor,
    batch_factor,
    flex_factor,
    CASE WHEN price_status = 'priced' THEN batch_status END AS batch_status,
    CASE
        WHEN price_status = 'priced' THEN CAST(list_cost AS DECIMAL(38, 12))
        WHEN price_status IN ('not_billed', 'free') THEN CAST(0 AS DECIMAL(38, 12))
    END AS list_cost,
    CASE
        WHEN price_status = 'priced' AND tier = 'batch' THEN CAST(list_cost AS DECIMAL(38, 12))
        WHEN price_status = 'priced'
            THEN CAST(
                batch_plain
                + (read_tokens + write_5m_tokens + write_1h_tokens) * batch_miss
                AS DECIMAL(38, 12)
            )
        WHEN price_status IN ('not_billed', 'free') THEN CAST(0 AS DECIMAL(38, 12))
    END AS batch_conservative,
    CASE
        WHEN price_status = 'priced' AND tier = 'batch' THEN CAST(list_cost AS DECIMAL(38, 12))
        WHEN price_status = 'priced'
            THEN CAST(
                batch_plain + batch_writes + read_tokens * batch_cached_expected
                AS DECIMAL(38, 12)
            )
        WHEN price_status IN ('not_billed', 'free') THEN CAST(0 AS DECIMAL(38, 12))
    END AS batch_expected,
    CASE
        WHEN price_status = 'priced' AND tier = 'batch' THEN CAST(list_cost AS DECIMAL(38, 12))
        WHEN price_status = 'priced'
            THEN CAST(batch_plain + batch_writes + read_tokens * batch_cached AS DECIMAL(38, 12))
        WHEN price_status IN ('not_billed', 'free') THEN CAST(0 AS DECIMAL(38, 12))
    END AS batch_best,
    CASE
        WHEN price_status = 'priced' THEN CAST(flex_cost AS DECIMAL(38, 12))
        WHEN price_status IN ('not_billed', 'free') THEN CAST(0 AS DECIMAL(38, 12))
    END AS flex
FROM (
    SELECT
        quantities.*,
        sheets.card_id,
        sheets.batch_status,
        sheets.factor,
        sheets.batch_factor,
        sheets.flex_factor,
        sheets.batch_miss,
        sheets.batch_cached,
        sheets.batch_cached_expected,
        CASE
            WHEN quantities.quantity_status <> 'priceable' THEN quantities.quantity_status
            WHEN sheets.card_id IS NULL THEN 'unpriced_tier'
            WHEN sheets.list_status <> 'priced' THEN sheets.list_status
            WHEN (quantities.read_tokens > 0 AND sheets.list_cached IS NULL)
                OR (quantities.write_5m_tokens > 0 AND sheets.list_write_5m IS NULL)
                OR (quantities.write_1h_tokens > 0 AND sheets.list_write_1h IS NULL)
                OR (quantities.output_tokens > 0 AND sheets.list_output IS NULL)
                OR (quantities.searches > 0 AND sheets.search_fee IS NULL)
                OR (quantities.output_unknown AND sheets.list_output IS NOT NULL)
                THEN 'unpriced_tokens'
            ELSE 'priced'
        END AS price_status,
        quantities.fresh_tokens * sheets.list_input
            + quantities.read_tokens * COALESCE(sheets.list_cached, 0)
            + quantities.write_5m_tokens * COALESCE(sheets.list_write_5m, 0)
            + quantities.write_1h_tokens * COALESCE(sheets.list_write_1h, 0)
            + quantities.output_tokens * COALESCE(sheets.list_output, 0)
            + quantities.searches * COALESCE(sheets.search_fee, 0) AS list_cost,
        quantities.fresh_tokens * sheets.batch_input
            + quantities.output_tokens * COALESCE(sheets.batch_output, 0)
            + quantities.searches * COALESCE(sheets.batch_search_fee, 0) AS batch_plain,
        quantities.write_5m_tokens * sheets.batch_write_5m
            + quantities.write_1h_tokens * sheets.batch_write_1h AS batch_writes,
        quantities.fresh_tokens * sheets.flex_input
            + quantities.read_tokens * sheets.flex_cached
            + quantities.write_5m_tokens * sheets.flex_write_5m
            + quantities.write_1h_tokens * sheets.flex_write_1h
            + quantities.output_tokens * COALESCE(sheets.flex_output, 0)
            + quantities.searches * COALESCE(sheets.search_fee, 0) AS flex_cost
    FROM call_quantities AS quantities
    LEFT JOIN rate_sheets AS sheets
        ON sheets.model_key = quantities.model_key
        AND sheets.day IS NOT DISTINCT FROM quantities.day
        AND sheets.tier = quantities.tier
        AND sheets.from_tokens <= quantities.prompt_tokens
        AND sheets.below_tokens > quantities.prompt_tokens
) AS priced
