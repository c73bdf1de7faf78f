-- table: day_cards
-- grain: one row per model_key, day, band and tier: the five rates side by side, USD per token.
-- why: NULL is "no rate known", and stays NULL.
SELECT
    model_key,
    day,
    from_tokens,
    below_tokens,
    tier,
    MAX(CASE WHEN token_kind = 'input' THEN usd_per_token END) AS input,
    MAX(CASE WHEN token_kind = 'cached_input' THEN usd_per_token END) AS cached_input,
    MAX(CASE WHEN token_kind = 'cache_write_5m' THEN usd_per_token END) AS cache_write_5m,
    MAX(CASE WHEN token_kind = 'cache_write_1h' THEN usd_per_token END) AS cache_write_1h,
    MAX(CASE WHEN token_kind = 'output' THEN usd_per_token END) AS output,
    MAX(CASE WHEN token_kind = 'input' THEN rule END) AS input_rule
FROM rates
GROUP BY model_key, day, from_tokens, below_tokens, tier
