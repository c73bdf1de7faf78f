-- view: call_cards
-- grain: one row per call: the price card that holds for it (card_id) and its quantities, each
--   token in exactly one of them.
-- why: the costs of a call, and of any sum of calls with the same card, are these quantities times
--   the card's rates. fresh_tokens is the plain text of the prompt, output_tokens that of the
--   answer. Images are apart only where the card has a rate for them. Cached audio cannot be told
--   from cached text, so such a call has no price.
SELECT
    call_id,
    card_id,
    model_key,
    day,
    tier,
    total_tokens,
    price_status,
    CASE
        WHEN price_status <> 'priced' THEN NULL
        WHEN batch_status = 'published' AND NOT batch_media_known THEN 'unknown'
        ELSE batch_status
    END AS batch_status,
    price_status = 'priced' AND flex_known AS has_flex,
    prompt_tokens - read_tokens - write_5m_tokens - write_1h_tokens - audio_input_tokens
        - image_input_tokens AS fresh_tokens,
    read_tokens,
    write_5m_tokens,
    write_1h_tokens,
    completion_tokens - audio_output_tokens - image_output_tokens AS output_tokens,
    audio_input_tokens,
    audio_output_tokens,
    image_input_tokens,
    image_output_tokens,
    searches,
    read_tokens + write_5m_tokens + write_1h_tokens > 0 AS has_cache,
    audio_input_tokens + audio_output_tokens + image_input_tokens + image_output_tokens
        + searches > 0 AS has_extras
FROM (
    SELECT
        quantities.call_id,
        sheets.card_id,
        quantities.model_key,
        quantities.day,
        quantities.tier,
        quantities.total_tokens,
        sheets.batch_status,
        (quantities.audio_input_tokens = 0 OR sheets.batch_audio_input IS NOT NULL)
            AND (quantities.audio_output_tokens = 0 OR sheets.batch_audio_output IS NOT NULL)
            AND (
                quantities.image_input_tokens = 0
                OR sheets.list_image_input IS NULL
                OR sheets.batch_image_input IS NOT NULL
            )
            AND (quantities.image_output_tokens = 0 OR sheets.batch_image_output IS NOT NULL)
            AS batch_media_known,
        sheets.flex_input IS NOT NULL
            AND (quantities.audio_input_tokens = 0 OR sheets.flex_audio_input IS NOT NULL)
            AND (quantities.audio_output_tokens = 0 OR sheets.flex_audio_output IS NOT NULL)
            AND (
                quantities.image_input_tokens = 0
                OR sheets.list_image_input IS NULL
                OR sheets.flex_image_input IS NOT NULL
            )
            AND (quantities.image_output_tokens = 0 OR sheets.flex_image_output IS NOT NULL)
            AS flex_known,
        quantities.prompt_tokens,
        quantities.read_tokens,
        quantities.write_5m_tokens,
        quantities.write_1h_tokens,
        quantities.completion_tokens,
        quantities.audio_input_tokens,
        quantities.audio_output_tokens,
        CASE
            WHEN sheets.list_image_input IS NULL THEN 0 ELSE quantities.image_input_tokens
        END AS image_input_tokens,
        quantities.image_output_tokens,
        quantities.searches,
        CASE
            WHEN quantities.quantity_status <> 'priceable' THEN quantities.quantity_status
            WHEN sheets.card_id IS NULL THEN 'unpriced_tier'
            WHEN sheets.list_status <> 'priced' THEN sheets.list_status
            WHEN (quantities.read_tokens > 0 AND sheets.list_cached IS NULL)
                OR (quantities.write_5m_tokens > 0 AND sheets.list_write_5m IS NULL)
                OR (quantities.write_1h_tokens > 0 AND sheets.list_write_1h IS NULL)
                OR (quantities.completion_tokens > 0 AND sheets.list_output IS NULL
                    AND quantities.completion_tokens
                    > quantities.audio_output_tokens + quantities.image_output_tokens)
                OR (quantities.audio_input_tokens > 0 AND sheets.list_audio_input IS NULL)
                OR (quantities.audio_output_tokens > 0 AND sheets.list_audio_output IS NULL)
                OR (quantities.image_output_tokens > 0 AND sheets.list_image_output IS NULL)
                OR (
                    quantities.audio_input_tokens
                    + CASE
                        WHEN sheets.list_image_input IS NULL THEN 0
                        ELSE quantities.image_input_tokens
                    END > 0
                    AND quantities.read_tokens + quantities.write_5m_tokens
                    + quantities.write_1h_tokens > 0
                )
                OR (quantities.searches > 0 AND sheets.search_fee IS NULL)
                OR (quantities.output_unknown AND sheets.list_output IS NOT NULL)
                THEN 'unpriced_tokens'
            ELSE 'priced'
        END AS price_status
    FROM call_quantities AS quantities
    LEFT JOIN rate_sheets AS sheets
        ON sheets.model_key = quantities.model_key
        AND sheets.day IS NOT DISTINCT FROM quantities.day
        AND sheets.tier = quantities.tier
        AND sheets.from_tokens <= quantities.prompt_tokens
        AND sheets.below_tokens > quantities.prompt_tokens
) AS cards
