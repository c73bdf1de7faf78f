-- table: log_groups
-- grain: one row per provider of an export, and model, key, day, tier and price card of its calls
--   in the log: how many, from when to when, and their tokens.
-- why: the log is read once, and not at all where no export was ingested. Calls that the provider
--   does not bill stay out of the counts but belong to the log's period, models and keys. The log
--   does not tell the tokens of an uncounted call, nor the answer's of one that is cut short.
SELECT
    names.seller AS provider_name,
    names.model,
    calls.api_key_alias AS api_key,
    CASE
        WHEN calls.operation_name = 'embeddings' THEN 'embeddings'
        WHEN calls.operation_name = 'moderation' THEN 'moderations'
        WHEN calls.operation_name = 'image' THEN 'images'
        WHEN calls.operation_name = 'audio' THEN 'audio'
        ELSE 'completions'
    END AS family,
    cards.day,
    cards.tier,
    calls.service_tier IS NULL AS tier_unknown,
    cards.card_id,
    cards.price_status,
    calls.tokens_source = 'missing'
        OR cards.fresh_tokens NOT BETWEEN 0 AND 10000000000
        OR cards.output_tokens NOT BETWEEN 0 AND 10000000000
        OR LEAST(
            cards.read_tokens, cards.write_5m_tokens, cards.write_1h_tokens,
            cards.audio_input_tokens, cards.audio_output_tokens, cards.image_input_tokens,
            cards.image_output_tokens, cards.searches
        ) < 0
        AS is_uncounted,
    cards.price_status = 'unpriced_tokens' AND calls.output_tokens IS NULL AS is_cut_short,
    COUNT(*) AS calls,
    MIN(COALESCE(calls.started_at, calls.ended_at)) AS first_call_at,
    MAX(COALESCE(calls.started_at, calls.ended_at)) AS last_call_at,
    SUM(CAST(cards.fresh_tokens AS DECIMAL(19, 0))) AS fresh_tokens,
    SUM(CAST(cards.read_tokens AS DECIMAL(19, 0))) AS read_tokens,
    SUM(CAST(cards.write_5m_tokens AS DECIMAL(19, 0))) AS write_5m_tokens,
    SUM(CAST(cards.write_1h_tokens AS DECIMAL(19, 0))) AS write_1h_tokens,
    SUM(CAST(cards.output_tokens AS DECIMAL(19, 0))) AS output_tokens,
    SUM(CAST(cards.audio_input_tokens AS DECIMAL(19, 0))) AS audio_input_tokens,
    SUM(CAST(cards.audio_output_tokens AS DECIMAL(19, 0))) AS audio_output_tokens,
    SUM(CAST(cards.image_input_tokens AS DECIMAL(19, 0))) AS image_input_tokens,
    SUM(CAST(cards.image_output_tokens AS DECIMAL(19, 0))) AS image_output_tokens,
    SUM(CAST(cards.searches AS DECIMAL(19, 0))) AS searches
FROM calls
INNER JOIN call_cards AS cards ON cards.call_id = calls.call_id
INNER JOIN (
    SELECT
        sold.provider_name,
        sold.request_model,
        sold.response_model,
        sold.inference_region,
        exports.provider_name AS seller,
        COALESCE(sold.model, LOWER(TRIM(COALESCE(sold.response_model, sold.request_model))))
            AS model
    FROM model_names AS sold
    INNER JOIN (SELECT DISTINCT provider_name FROM bucket_lines) AS exports
        ON exports.provider_name = COALESCE(
            sold.provider_name, CASE WHEN sold.surface = 'first_party' THEN sold.provider END
        )
) AS names
    ON names.provider_name IS NOT DISTINCT FROM calls.provider_name
    AND names.request_model IS NOT DISTINCT FROM calls.request_model
    AND names.response_model IS NOT DISTINCT FROM calls.response_model
    AND names.inference_region IS NOT DISTINCT FROM calls.inference_region
GROUP BY
    names.seller, names.model, calls.api_key_alias, 4, cards.day, cards.tier,
    calls.service_tier IS NULL, cards.card_id, cards.price_status, 10, 11
