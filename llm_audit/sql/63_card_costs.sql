-- table: card_costs
-- grain: one row per row of card_bases: what those calls cost at the rates of its card, in a batch
--   and on the flex tier; USD.
-- why: the arithmetic of `costs`, on sums: exact, so both agree to the last decimal. Where a batch
--   or the flex tier has no rate, the calls count at what they cost: they save nothing. plain_cost
--   is the list price of every token on the standard tier with nothing cached, cache_effect what
--   reading and writing a cache makes of the list price on the call's own tier (below 0: cheaper).
SELECT
    costs.workload_id,
    costs.label,
    costs.basis,
    costs.day,
    costs.card_id,
    costs.model_key,
    costs.tier,
    costs.price_status,
    costs.batch_status,
    costs.has_rates,
    costs.can_flex,
    costs.retired,
    costs.calls,
    costs.total_tokens,
    costs.plain_cost,
    costs.cache_effect,
    costs.list_cost,
    COALESCE(costs.own_cost, costs.list_cost) AS effective_cost,
    COALESCE(costs.batch_plain + costs.batch_missed, costs.own_cost, costs.list_cost)
        AS batch_conservative,
    COALESCE(costs.batch_plain + costs.batch_some_hits, costs.own_cost, costs.list_cost)
        AS batch_expected,
    COALESCE(costs.batch_plain + costs.batch_all_hits, costs.own_cost, costs.list_cost)
        AS batch_best,
    COALESCE(costs.flex_cost, costs.own_cost, costs.list_cost) AS flex_cost
FROM (
    SELECT
        used.workload_id,
        used.label,
        used.basis,
        used.day,
        used.card_id,
        used.model_key,
        used.tier,
        used.price_status,
        used.batch_status,
        used.has_rates,
        used.can_flex,
        used.retired,
        used.calls,
        used.total_tokens,
        CASE
            WHEN used.is_priced THEN CAST(
                (used.fresh + used.reads + used.writes_5m + used.writes_1h) * sheets.plain_input
                + used.output * COALESCE(sheets.plain_output, 0)
                + CASE WHEN used.has_extras THEN
                    used.audio_in * COALESCE(sheets.plain_audio_input, 0)
                    + used.audio_out * COALESCE(sheets.plain_audio_output, 0)
                    + used.image_in * COALESCE(sheets.plain_image_input, 0)
                    + used.image_out * COALESCE(sheets.plain_image_output, 0)
                    + used.searches * COALESCE(sheets.search_fee, 0)
                ELSE 0 END
                AS DECIMAL(38, 12)
            )
            WHEN used.not_billed THEN CAST(0 AS DECIMAL(38, 12))
        END AS plain_cost,
        CASE
            WHEN used.is_priced AND used.has_cache THEN CAST(
                used.reads * (COALESCE(sheets.list_cached, 0) - sheets.list_input)
                + used.writes_5m * (COALESCE(sheets.list_write_5m, 0) - sheets.list_input)
                + used.writes_1h * (COALESCE(sheets.list_write_1h, 0) - sheets.list_input)
                AS DECIMAL(38, 12)
            )
            WHEN used.is_priced OR used.not_billed THEN CAST(0 AS DECIMAL(38, 12))
        END AS cache_effect,
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
            workload_id,
            label,
            basis,
            day,
            card_id,
            sheet_id,
            model_key,
            tier,
            price_status,
            batch_status,
            has_rates,
            is_priced,
            not_billed,
            can_batch,
            can_flex,
            retired,
            calls,
            total_tokens,
            read_tokens + write_5m_tokens + write_1h_tokens > 0 AS has_cache,
            audio_input_tokens + audio_output_tokens + image_input_tokens + image_output_tokens + searches
                > 0 AS has_extras,
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
        FROM card_bases
    ) AS used
    LEFT JOIN rate_sheets AS sheets ON sheets.card_id = used.sheet_id
) AS costs
