-- table: rate_bands
-- grain: one row per model_key and prompt-size band [from_tokens, below_tokens).
-- why: a prompt over a vendor's limit changes the rate of the whole request. The bands of all
--   tiers and dates are cut at the same places, so that one band fits a call on every card.
SELECT
    model_key,
    from_tokens,
    COALESCE(
        LEAD(from_tokens) OVER (PARTITION BY model_key ORDER BY from_tokens),
        9223372036854775807
    ) AS below_tokens
FROM (
    SELECT rate_days.model_key, price_rows.from_tokens
    FROM rate_days
    INNER JOIN price_rows ON price_rows.model_key = rate_days.price_key
    UNION
    SELECT model_key, 0 AS from_tokens FROM rate_days
) AS cuts
