-- table: rate_cards
-- grain: one row per model_key, day, band and tier, and under the NULL day one per model_key, band
--   and tier whose card has been the same on every day of the model's life.
-- why: a call without a time may be of any day. A rate that has never changed is its rate all the
--   same; of rates that have changed none is taken, for that would be a guess.
SELECT
    model_key,
    day,
    from_tokens,
    below_tokens,
    tier,
    input,
    cached_input,
    cache_write_5m,
    cache_write_1h,
    output,
    input_rule
FROM day_cards
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
    MAX(cards.input_rule) AS input_rule
FROM day_cards AS cards
INNER JOIN (
    SELECT model_key, COUNT(DISTINCT day) AS days FROM day_cards GROUP BY model_key
) AS lives ON lives.model_key = cards.model_key
GROUP BY
    cards.model_key, cards.from_tokens, cards.below_tokens, cards.tier, cards.input,
    cards.cached_input, cards.cache_write_5m, cards.cache_write_1h, cards.output, lives.days
HAVING COUNT(*) = lives.days
