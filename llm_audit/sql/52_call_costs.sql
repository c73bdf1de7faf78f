-- table: call_costs
-- grain: one row per call: its quantities, the card that prices it, and its costs in USD.
-- why: NULL is unknown, never 0; 0 is what a call costs that nobody bills. A contract's factor is
--   put on the sum of a call, rounded at the 12th decimal; without a contract (factor 1) the sum
--   stays as it is, which is also seven times faster.
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
    batch_status,
    list_cost,
    CASE
        WHEN factor = 1 OR factor IS NULL THEN list_cost
        ELSE CAST(CAST(list_cost AS DECIMAL(26, 12)) * factor AS DECIMAL(38, 12))
    END AS contracted_cost,
    CASE
        WHEN batch_factor = 1 OR batch_factor IS NULL THEN batch_conservative
        ELSE CAST(CAST(batch_conservative AS DECIMAL(26, 12)) * batch_factor AS DECIMAL(38, 12))
    END AS batch_cost_conservative,
    CASE
        WHEN batch_factor = 1 OR batch_factor IS NULL THEN batch_expected
        ELSE CAST(CAST(batch_expected AS DECIMAL(26, 12)) * batch_factor AS DECIMAL(38, 12))
    END AS batch_cost_expected,
    CASE
        WHEN batch_factor = 1 OR batch_factor IS NULL THEN batch_best
        ELSE CAST(CAST(batch_best AS DECIMAL(26, 12)) * batch_factor AS DECIMAL(38, 12))
    END AS batch_cost_best,
    CASE
        WHEN flex_factor = 1 OR flex_factor IS NULL THEN flex
        ELSE CAST(CAST(flex AS DECIMAL(26, 12)) * flex_factor AS DECIMAL(38, 12))
    END AS flex_cost
FROM call_list_costs
