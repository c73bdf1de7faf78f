-- table: rates
-- grain: one row per model_key, day, band, tier and token kind: the price row in force.
-- why: of the rows valid that day the one with the highest limit below the prompt wins. Only
--   rates that hold everywhere are used: calls carry no region.
SELECT model_key, day, from_tokens, below_tokens, tier, token_kind, usd_per_token, rule
FROM (
    SELECT
        rate_days.model_key,
        rate_days.day,
        rate_bands.from_tokens,
        rate_bands.below_tokens,
        price_rows.tier,
        price_rows.token_kind,
        price_rows.usd_per_token,
        price_rows.rule,
        ROW_NUMBER() OVER (
            PARTITION BY
                rate_days.model_key, rate_days.day, rate_bands.from_tokens,
                price_rows.tier, price_rows.token_kind
            ORDER BY price_rows.from_tokens DESC
        ) AS choice
    FROM rate_days
    INNER JOIN rate_bands
        ON rate_bands.model_key = rate_days.model_key
    INNER JOIN price_rows
        ON price_rows.model_key = rate_days.model_key
        AND price_rows.effective_from <= rate_days.day
        AND (price_rows.effective_to IS NULL OR price_rows.effective_to > rate_days.day)
        AND price_rows.from_tokens <= rate_bands.from_tokens
        AND price_rows.region_scope = 'any'
) AS candidates
WHERE choice = 1
