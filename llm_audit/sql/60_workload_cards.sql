-- table: workload_cards
-- grain: one row per workload, label, day, price card, price_status, batch_status and has_flex.
-- why: costs are linear in tokens within one card, so everything after this step works on a few
--   thousand sums instead of every call.
SELECT
    labels.workload_id,
    labels.label,
    cards.day,
    cards.card_id,
    cards.model_key,
    cards.tier,
    cards.price_status,
    cards.batch_status,
    cards.has_flex,
    COUNT(*) AS calls,
    SUM(cards.total_tokens) AS total_tokens,
    SUM(cards.fresh_tokens) AS fresh_tokens,
    SUM(cards.read_tokens) AS read_tokens,
    SUM(cards.write_5m_tokens) AS write_5m_tokens,
    SUM(cards.write_1h_tokens) AS write_1h_tokens,
    SUM(cards.output_tokens) AS output_tokens,
    SUM(cards.audio_input_tokens) AS audio_input_tokens,
    SUM(cards.audio_output_tokens) AS audio_output_tokens,
    SUM(cards.image_input_tokens) AS image_input_tokens,
    SUM(cards.image_output_tokens) AS image_output_tokens,
    SUM(cards.searches) AS searches
FROM labels
INNER JOIN call_cards AS cards ON cards.call_id = labels.call_id
GROUP BY
    labels.workload_id, labels.label, cards.day, cards.card_id, cards.model_key, cards.tier,
    cards.price_status, cards.batch_status, cards.has_flex
