-- table: day_cards
-- grain: one row per model_key, day, band and tier: its rates side by side, USD per token; as
--   published, and as the user's contract makes them (paid_*).
-- why: NULL is "no rate known", and stays NULL. is_published and is_own: whether one of the rates is
--   ours, and whether one is the user's.
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
    MAX(CASE WHEN token_kind = 'audio_input' THEN usd_per_token END) AS audio_input,
    MAX(CASE WHEN token_kind = 'audio_output' THEN usd_per_token END) AS audio_output,
    MAX(CASE WHEN token_kind = 'image_input' THEN usd_per_token END) AS image_input,
    MAX(CASE WHEN token_kind = 'image_output' THEN usd_per_token END) AS image_output,
    MAX(CASE WHEN token_kind = 'input' THEN paid_per_token END) AS paid_input,
    MAX(CASE WHEN token_kind = 'cached_input' THEN paid_per_token END) AS paid_cached_input,
    MAX(CASE WHEN token_kind = 'cache_write_5m' THEN paid_per_token END) AS paid_cache_write_5m,
    MAX(CASE WHEN token_kind = 'cache_write_1h' THEN paid_per_token END) AS paid_cache_write_1h,
    MAX(CASE WHEN token_kind = 'output' THEN paid_per_token END) AS paid_output,
    MAX(CASE WHEN token_kind = 'audio_input' THEN paid_per_token END) AS paid_audio_input,
    MAX(CASE WHEN token_kind = 'audio_output' THEN paid_per_token END) AS paid_audio_output,
    MAX(CASE WHEN token_kind = 'image_input' THEN paid_per_token END) AS paid_image_input,
    MAX(CASE WHEN token_kind = 'image_output' THEN paid_per_token END) AS paid_image_output,
    MAX(CASE WHEN token_kind = 'input' THEN rule END) AS input_rule,
    MAX(CASE WHEN rule = 'user' THEN 0 ELSE 1 END) AS is_published,
    MAX(CASE WHEN rule = 'user' THEN 1 ELSE 0 END) AS is_own
FROM rates
GROUP BY model_key, day, from_tokens, below_tokens, tier
