-- table: log_totals
-- grain: one row per provider, family, model, day, tier and token kind of the log: our side of the
--   comparison. Only calls that the provider bills and that have a time.
-- why: the same products as in costs (tokens x the card's rate), summed by kind instead of by call.
--   unpriced_quantity is the part of quantity without a price. The tokens of uncounted calls the
--   log does not tell: likely_quantity and likely_cost are what they come to if they are like the
--   counted calls of that model, kind and day (of any day where there are none; else nothing).
--   Estimates are rounded to ten decimals: no two engines agree on the last digits of a DOUBLE.
WITH totals AS (
    SELECT
        provider_name,
        family,
        model,
        day,
        tier,
        tier_unknown,
        token_kind,
        SUM(quantity) AS quantity,
        SUM(CASE WHEN is_priced THEN CAST(0 AS DECIMAL(38, 0)) ELSE quantity END)
            AS unpriced_quantity,
        SUM(uncounted_calls) AS uncounted_calls,
        SUM(calls - uncounted_calls) AS counted_calls,
        SUM(
            CASE
                WHEN is_priced THEN CAST(
                    CAST(quantity AS DECIMAL(24, 0)) * COALESCE(list_rate, 0) AS DECIMAL(38, 12)
                )
                ELSE CAST(0 AS DECIMAL(38, 12))
            END
        ) AS list_cost,
        SUM(
            CASE
                WHEN is_priced THEN CAST(
                    CAST(quantity AS DECIMAL(24, 0)) * COALESCE(paid_rate, 0) AS DECIMAL(38, 12)
                )
                ELSE CAST(0 AS DECIMAL(38, 12))
            END
        ) AS effective_cost,
        MAX(CASE WHEN is_priced THEN paid_rate END) AS paid_rate
    FROM (
        SELECT
            spent.provider_name,
            spent.family,
            spent.model,
            spent.day,
            spent.tier,
            spent.tier_unknown,
            kinds.token_kind,
            spent.calls,
            spent.price_status IN ('priced', 'free') AS is_priced,
            CASE
                WHEN spent.is_uncounted OR (
                    spent.is_cut_short
                    AND kinds.token_kind IN ('output', 'audio_output', 'image_output')
                ) THEN spent.calls
                ELSE 0
            END AS uncounted_calls,
            CASE
                WHEN spent.is_uncounted THEN CAST(0 AS DECIMAL(38, 0))
                WHEN kinds.token_kind = 'input' THEN spent.fresh_tokens
                WHEN kinds.token_kind = 'cached_input' THEN spent.read_tokens
                WHEN kinds.token_kind = 'cache_write_5m' THEN spent.write_5m_tokens
                WHEN kinds.token_kind = 'cache_write_1h' THEN spent.write_1h_tokens
                WHEN kinds.token_kind = 'output' THEN spent.output_tokens
                WHEN kinds.token_kind = 'audio_input' THEN spent.audio_input_tokens
                WHEN kinds.token_kind = 'audio_output' THEN spent.audio_output_tokens
                WHEN kinds.token_kind = 'image_input' THEN spent.image_input_tokens
                WHEN kinds.token_kind = 'image_output' THEN spent.image_output_tokens
                ELSE spent.searches
            END AS quantity,
            CASE
                WHEN spent.price_status = 'free' THEN CAST(0 AS DECIMAL(14, 12))
                WHEN kinds.token_kind = 'input' THEN sheets.list_input
                WHEN kinds.token_kind = 'cached_input' THEN sheets.list_cached
                WHEN kinds.token_kind = 'cache_write_5m' THEN sheets.list_write_5m
                WHEN kinds.token_kind = 'cache_write_1h' THEN sheets.list_write_1h
                WHEN kinds.token_kind = 'output' THEN sheets.list_output
                WHEN kinds.token_kind = 'audio_input' THEN sheets.list_audio_input
                WHEN kinds.token_kind = 'audio_output' THEN sheets.list_audio_output
                WHEN kinds.token_kind = 'image_input' THEN sheets.list_image_input
                WHEN kinds.token_kind = 'image_output' THEN sheets.list_image_output
                ELSE sheets.search_fee
            END AS list_rate,
            CASE
                WHEN spent.price_status = 'free' THEN CAST(0 AS DECIMAL(14, 12))
                WHEN kinds.token_kind = 'input' THEN sheets.paid_input
                WHEN kinds.token_kind = 'cached_input' THEN sheets.paid_cached
                WHEN kinds.token_kind = 'cache_write_5m' THEN sheets.paid_write_5m
                WHEN kinds.token_kind = 'cache_write_1h' THEN sheets.paid_write_1h
                WHEN kinds.token_kind = 'output' THEN sheets.paid_output
                WHEN kinds.token_kind = 'audio_input' THEN sheets.paid_audio_input
                WHEN kinds.token_kind = 'audio_output' THEN sheets.paid_audio_output
                WHEN kinds.token_kind = 'image_input' THEN sheets.paid_image_input
                WHEN kinds.token_kind = 'image_output' THEN sheets.paid_image_output
                ELSE sheets.search_fee
            END AS paid_rate
        FROM log_groups AS spent
        CROSS JOIN (
            VALUES
                ('input'), ('cached_input'), ('cache_write_5m'), ('cache_write_1h'), ('output'),
                ('audio_input'), ('audio_output'), ('image_input'), ('image_output'), ('web_search')
        ) AS kinds (token_kind)
        LEFT JOIN rate_sheets AS sheets ON sheets.card_id = spent.card_id
        WHERE spent.price_status <> 'not_billed' AND spent.day IS NOT NULL
    ) AS amounts
    GROUP BY provider_name, family, model, day, tier, tier_unknown, token_kind
)

SELECT
    provider_name,
    family,
    model,
    day,
    tier,
    tier_unknown,
    token_kind,
    quantity,
    unpriced_quantity,
    list_cost,
    effective_cost,
    CAST(
        CAST(
            COALESCE(
                CAST(SUM(quantity) OVER of_day AS DOUBLE)
                / NULLIF(CAST(SUM(counted_calls) OVER of_day AS DOUBLE), 0),
                CAST(SUM(quantity) OVER of_model AS DOUBLE)
                / NULLIF(CAST(SUM(counted_calls) OVER of_model AS DOUBLE), 0),
                0
            ) * CAST(uncounted_calls AS DOUBLE) AS DECIMAL(38, 10)
        ) AS DECIMAL(38, 12)
    ) AS likely_quantity,
    CAST(
        CAST(
            COALESCE(
                CAST(SUM(effective_cost) OVER of_day AS DOUBLE)
                / NULLIF(CAST(SUM(counted_calls) OVER of_day AS DOUBLE), 0),
                CAST(SUM(effective_cost) OVER of_model AS DOUBLE)
                / NULLIF(CAST(SUM(counted_calls) OVER of_model AS DOUBLE), 0),
                0
            ) * CAST(uncounted_calls AS DOUBLE) AS DECIMAL(38, 10)
        ) AS DECIMAL(38, 12)
    ) AS likely_cost,
    paid_rate
FROM totals
WINDOW
    of_day AS (PARTITION BY provider_name, model, day, token_kind),
    of_model AS (PARTITION BY provider_name, model, token_kind)
