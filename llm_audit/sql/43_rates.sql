-- table: rates
-- grain: one row per model_key, day, band, tier and token kind: the price row in force.
-- why: of the rows valid that day the user's own goes first, then the one with the highest limit
--   below the prompt. A regional factor (region_factors) holds for every token kind of ours; the
--   data's checks keep the product within twelve decimals. paid_per_token is the rate under the
--   user's contract, rounded at the 12th decimal: a contract changes the rate of a token, so a call
--   and a sum of calls cost the same. A rate of the user's own is what they pay: nothing comes on
--   top of it.
SELECT
    model_key,
    day,
    from_tokens,
    below_tokens,
    tier,
    token_kind,
    rule,
    usd_per_token,
    CASE
        WHEN rule = 'user' THEN usd_per_token
        ELSE CAST(usd_per_token * factor AS DECIMAL(14, 12))
    END AS paid_per_token
FROM (
    SELECT
        rate_days.model_key,
        rate_days.day,
        rate_bands.from_tokens,
        rate_bands.below_tokens,
        price_rows.tier,
        price_rows.token_kind,
        price_rows.rule,
        contract_factors.factor,
        CASE
            WHEN price_rows.rule = 'user' OR region_factors.region_factor IS NULL
                THEN price_rows.usd_per_token
            ELSE CAST(
                price_rows.usd_per_token * region_factors.region_factor AS DECIMAL(14, 12)
            )
        END AS usd_per_token,
        ROW_NUMBER() OVER (
            PARTITION BY
                rate_days.model_key, rate_days.day, rate_bands.from_tokens,
                price_rows.tier, price_rows.token_kind
            ORDER BY
                CASE WHEN price_rows.rule = 'user' THEN 0 ELSE 1 END, price_rows.from_tokens DESC
        ) AS choice
    FROM rate_days
    INNER JOIN rate_bands
        ON rate_bands.model_key = rate_days.model_key
    INNER JOIN price_rows
        ON price_rows.model_key = rate_days.price_key
        AND price_rows.effective_from <= rate_days.day
        AND (price_rows.effective_to IS NULL OR price_rows.effective_to > rate_days.day)
        AND price_rows.from_tokens <= rate_bands.from_tokens
        AND price_rows.region_scope = 'any'
    INNER JOIN contract_factors
        ON contract_factors.model_key = rate_days.model_key
        AND contract_factors.tier = price_rows.tier
    LEFT JOIN region_factors
        ON region_factors.model_key = rate_days.model_key
        AND region_factors.effective_from <= rate_days.day
        AND region_factors.effective_to > rate_days.day
) AS candidates
WHERE choice = 1
