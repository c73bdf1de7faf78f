-- view: costs
-- grain: one row per call; money is USD at the prices of the call's day.
-- why: the public table. tokens DECIMAL(19,0) x rate DECIMAL(14,12) is exact, so are the sums.
--   list_cost is at published rates (or the user's own, which go before them), contracted_cost
--   under the user's contract; effective_cost is what the call
--   costs all in (FinOps FOCUS: the same as contracted without commitments). The batch scenarios
--   are explained in rate_sheets; a call that is in a batch already costs there what it costs. NULL
--   is unknown, never 0; 0 is what a call costs that nobody bills. card_id leads to the row of
--   rate_sheets that priced it.
SELECT
    call_id,
    list_cost,
    COALESCE(own_cost, list_cost) AS contracted_cost,
    COALESCE(own_cost, list_cost) AS effective_cost,
    CASE
        WHEN tier = 'batch' OR not_billed THEN COALESCE(own_cost, list_cost)
        ELSE batch_plain + batch_missed
    END AS batch_cost_conservative,
    CASE
        WHEN tier = 'batch' OR not_billed THEN COALESCE(own_cost, list_cost)
        ELSE batch_plain + batch_some_hits
    END AS batch_cost_expected,
    CASE
        WHEN tier = 'batch' OR not_billed THEN COALESCE(own_cost, list_cost)
        ELSE batch_plain + batch_all_hits
    END AS batch_cost_best,
    CASE WHEN not_billed THEN list_cost ELSE flex_cost END AS flex_cost,
    price_status,
    batch_status,
    card_id
FROM (
    SELECT
        used.call_id,
        used.card_id,
        used.tier,
        used.price_status,
        used.not_billed,
        used.batch_status,
        CASE
            WHEN used.is_priced THEN CAST(
                used.fresh * sheets.list_input
                + used.reads * COALESCE(sheets.list_cached, 0)
                + used.writes_5m * COALESCE(sheets.list_write_5m, 0)
                + used.writes_1h * COALESCE(sheets.list_write_1h, 0)
                + used.output * COALESCE(sheets.list_output, 0)
                + CASE WHEN used.has_extras THEN
                    used.audio_in * COALESCE(sheets.list_audio_input, 0)
                    + used.audio_out * COALESCE(sheets.list_audio_output, 0)
                    + used.image_in * COALESCE(sheets.list_image_input, 0)
                    + used.image_out * COALESCE(sheets.list_image_output, 0)
                    + used.searches * COALESCE(sheets.search_fee, 0)
                ELSE 0 END
                AS DECIMAL(38, 12)
            )
            WHEN used.not_billed THEN CAST(0 AS DECIMAL(38, 12))
        END AS list_cost,
        CASE
            WHEN used.is_priced AND sheets.has_contract THEN CAST(
                used.fresh * sheets.paid_input
                + used.reads * COALESCE(sheets.paid_cached, 0)
                + used.writes_5m * COALESCE(sheets.paid_write_5m, 0)
                + used.writes_1h * COALESCE(sheets.paid_write_1h, 0)
                + used.output * COALESCE(sheets.paid_output, 0)
                + CASE WHEN used.has_extras THEN
                    used.audio_in * COALESCE(sheets.paid_audio_input, 0)
                    + used.audio_out * COALESCE(sheets.paid_audio_output, 0)
                    + used.image_in * COALESCE(sheets.paid_image_input, 0)
                    + used.image_out * COALESCE(sheets.paid_image_output, 0)
                    + used.searches * COALESCE(sheets.search_fee, 0)
                ELSE 0 END
                AS DECIMAL(38, 12)
            )
        END AS own_cost,
        CASE
            WHEN used.can_batch THEN CAST(
                used.fresh * sheets.batch_input
                + used.output * COALESCE(sheets.batch_output, 0)
                + CASE WHEN used.has_extras THEN
                    used.audio_in * COALESCE(sheets.batch_audio_input, 0)
                    + used.audio_out * COALESCE(sheets.batch_audio_output, 0)
                    + used.image_in * COALESCE(sheets.batch_image_input, 0)
                    + used.image_out * COALESCE(sheets.batch_image_output, 0)
                    + used.searches * COALESCE(sheets.batch_search_fee, 0)
                ELSE 0 END
                AS DECIMAL(38, 12)
            )
        END AS batch_plain,
        CASE
            WHEN used.can_batch AND used.has_cache THEN CAST(
                (used.reads + used.writes_5m + used.writes_1h) * sheets.batch_miss
                AS DECIMAL(38, 12)
            )
            ELSE CAST(0 AS DECIMAL(38, 12))
        END AS batch_missed,
        CASE
            WHEN used.can_batch AND used.has_cache THEN CAST(
                used.writes_5m * sheets.batch_write_5m
                + used.writes_1h * sheets.batch_write_1h
                + used.reads * sheets.batch_cached_expected
                AS DECIMAL(38, 12)
            )
            ELSE CAST(0 AS DECIMAL(38, 12))
        END AS batch_some_hits,
        CASE
            WHEN used.can_batch AND used.has_cache THEN CAST(
                used.writes_5m * sheets.batch_write_5m
                + used.writes_1h * sheets.batch_write_1h
                + used.reads * sheets.batch_cached
                AS DECIMAL(38, 12)
            )
            ELSE CAST(0 AS DECIMAL(38, 12))
        END AS batch_all_hits,
        CASE
            WHEN used.can_flex THEN CAST(
                used.fresh * sheets.flex_input
                + used.reads * COALESCE(sheets.flex_cached, 0)
                + used.writes_5m * COALESCE(sheets.flex_write_5m, 0)
                + used.writes_1h * COALESCE(sheets.flex_write_1h, 0)
                + used.output * COALESCE(sheets.flex_output, 0)
                + CASE WHEN used.has_extras THEN
                    used.audio_in * COALESCE(sheets.flex_audio_input, 0)
                    + used.audio_out * COALESCE(sheets.flex_audio_output, 0)
                    + used.image_in * COALESCE(sheets.flex_image_input, 0)
                    + used.image_out * COALESCE(sheets.flex_image_output, 0)
                    + used.searches * COALESCE(sheets.search_fee, 0)
                ELSE 0 END
                AS DECIMAL(38, 12)
            )
        END AS flex_cost
    FROM (
        SELECT
            call_id,
            card_id,
            tier,
            price_status,
            batch_status,
            price_status = 'priced' AS is_priced,
            price_status IN ('not_billed', 'free') AS not_billed,
            batch_status = 'published' AS can_batch,
            has_flex AS can_flex,
            has_cache,
            has_extras,
            CAST(fresh_tokens AS DECIMAL(19, 0)) AS fresh,
            CAST(read_tokens AS DECIMAL(19, 0)) AS reads,
            CAST(write_5m_tokens AS DECIMAL(19, 0)) AS writes_5m,
            CAST(write_1h_tokens AS DECIMAL(19, 0)) AS writes_1h,
            CAST(output_tokens AS DECIMAL(19, 0)) AS output,
            CAST(audio_input_tokens AS DECIMAL(19, 0)) AS audio_in,
            CAST(audio_output_tokens AS DECIMAL(19, 0)) AS audio_out,
            CAST(image_input_tokens AS DECIMAL(19, 0)) AS image_in,
            CAST(image_output_tokens AS DECIMAL(19, 0)) AS image_out,
            CAST(searches AS DECIMAL(19, 0)) AS searches
        FROM call_cards
    ) AS used
    LEFT JOIN rate_sheets AS sheets ON sheets.card_id = used.card_id
) AS products
