-- view: card_bases
-- grain: one row per row of workload_cards and basis: which card its tokens are priced by. 'observed'
--   is the card of the call's own day; 'forward' the one of pricing_meta.as_of.
-- why: what was paid is the past; only today's rates and models on sale can be saved on. Calls that
--   have no rate today keep the card they were paid at (has_rates is false) and can move nowhere:
--   the bill must not shrink by forgetting them. A retired model keeps its last rates and can move
--   nowhere either. What is in a batch already does not go to the flex tier.
SELECT
    cards.workload_id,
    cards.label,
    'observed' AS basis,
    cards.day,
    cards.card_id,
    cards.card_id AS sheet_id,
    cards.model_key,
    cards.tier,
    cards.price_status,
    cards.batch_status,
    TRUE AS has_rates,
    cards.price_status = 'priced' AS is_priced,
    cards.price_status IN ('not_billed', 'free') AS not_billed,
    COALESCE(cards.batch_status = 'published', FALSE) AS can_batch,
    cards.has_flex AND cards.tier <> 'batch' AS can_flex,
    FALSE AS retired,
    cards.calls,
    cards.total_tokens,
    cards.fresh_tokens,
    cards.read_tokens,
    cards.write_5m_tokens,
    cards.write_1h_tokens,
    cards.output_tokens,
    cards.audio_input_tokens,
    cards.audio_output_tokens,
    cards.image_input_tokens,
    cards.image_output_tokens,
    cards.searches
FROM workload_cards AS cards
UNION ALL
SELECT
    workload_id,
    label,
    'forward' AS basis,
    day,
    card_id,
    CASE WHEN has_rates THEN today_id ELSE card_id END AS sheet_id,
    model_key,
    tier,
    price_status,
    batch_status,
    has_rates,
    TRUE AS is_priced,
    FALSE AS not_billed,
    has_rates AND has_batch_rates AND NOT retired AS can_batch,
    FALSE AS can_flex,
    retired,
    calls,
    total_tokens,
    fresh_tokens,
    read_tokens,
    write_5m_tokens,
    write_1h_tokens,
    output_tokens,
    audio_input_tokens,
    audio_output_tokens,
    image_input_tokens,
    image_output_tokens,
    searches
FROM (
    SELECT
        cards.*,
        today.card_id AS today_id,
        today.retired,
        today.list_status = 'priced'
        AND (cards.read_tokens = 0 OR today.list_cached IS NOT NULL)
        AND (cards.write_5m_tokens = 0 OR today.list_write_5m IS NOT NULL)
        AND (cards.write_1h_tokens = 0 OR today.list_write_1h IS NOT NULL)
        AND (cards.output_tokens = 0 OR today.list_output IS NOT NULL)
        AND (cards.audio_input_tokens = 0 OR today.list_audio_input IS NOT NULL)
        AND (cards.audio_output_tokens = 0 OR today.list_audio_output IS NOT NULL)
        AND (cards.image_input_tokens = 0 OR today.list_image_input IS NOT NULL)
        AND (cards.image_output_tokens = 0 OR today.list_image_output IS NOT NULL)
        AND (cards.searches = 0 OR today.search_fee IS NOT NULL) AS has_rates,
        today.batch_status = 'published'
        AND (cards.audio_input_tokens = 0 OR today.batch_audio_input IS NOT NULL)
        AND (cards.audio_output_tokens = 0 OR today.batch_audio_output IS NOT NULL)
        AND (cards.image_input_tokens = 0 OR today.batch_image_input IS NOT NULL)
        AND (cards.image_output_tokens = 0 OR today.batch_image_output IS NOT NULL)
        AS has_batch_rates
    FROM workload_cards AS cards
    INNER JOIN rate_sheets AS paid ON paid.card_id = cards.card_id
    CROSS JOIN pricing_meta
    INNER JOIN rate_sheets AS today
        ON today.model_key = paid.model_key
        AND today.tier = paid.tier
        AND today.from_tokens = paid.from_tokens
        AND today.day = pricing_meta.as_of
    WHERE cards.price_status = 'priced'
) AS forward
