-- table: rate_cards
-- grain: one row per model_key, day, band and tier, and under the NULL day one per model_key, band
--   and tier whose card has been the same on every day of the model's life.
-- why: a call without a time may be of any day. A rate that has never changed is its rate all the
--   same; of rates that have changed none is taken, for that would be a guess. The life of a model
--   is the days on which it has a published rate, or else one of the user's own.
SELECT * FROM day_cards
UNION ALL
SELECT
    cards.model_key,
    CAST(NULL AS DATE) AS day,
    cards.from_tokens,
    cards.below_tokens,
    cards.tier,
    cards.input,
    cards.cached_input,
    cards.cache_write_5m,
    cards.cache_write_1h,
    cards.output,
    cards.audio_input,
    cards.audio_output,
    cards.image_input,
    cards.image_output,
    cards.paid_input,
    cards.paid_cached_input,
    cards.paid_cache_write_5m,
    cards.paid_cache_write_1h,
    cards.paid_output,
    cards.paid_audio_input,
    cards.paid_audio_output,
    cards.paid_image_input,
    cards.paid_image_output,
    MAX(cards.input_rule) AS input_rule,
    MAX(cards.is_published) AS is_published,
    MAX(cards.is_own) AS is_own
FROM day_cards AS cards
INNER JOIN (
    SELECT model_key, day, COUNT(*) OVER (PARTITION BY model_key) AS life_days
    FROM (
        SELECT
            model_key,
            day,
            MAX(is_published) AS is_published,
            MAX(MAX(is_published)) OVER (PARTITION BY model_key) AS ever_published
        FROM day_cards
        GROUP BY model_key, day
    ) AS days
    WHERE is_published = ever_published
) AS lives ON lives.model_key = cards.model_key AND lives.day = cards.day
GROUP BY
    cards.model_key, cards.from_tokens, cards.below_tokens, cards.tier, lives.life_days,
    cards.input, cards.cached_input, cards.cache_write_5m,
    cards.cache_write_1h, cards.output, cards.audio_input,
    cards.audio_output, cards.image_input, cards.image_output,
    cards.paid_input, cards.paid_cached_input, cards.paid_cache_write_5m,
    cards.paid_cache_write_1h, cards.paid_output, cards.paid_audio_input,
    cards.paid_audio_output, cards.paid_image_input, cards.paid_image_output
HAVING COUNT(*) = lives.life_days
