-- grain: one row: the price card of the call $call_id and its quantities
SELECT
  cards.*,
  1 AS calls,
  sheets.* EXCLUDE (card_id, model_key, day, tier, batch_status)
FROM call_cards AS cards
LEFT JOIN rate_sheets AS sheets ON sheets.card_id = cards.card_id
WHERE cards.call_id = $call_id
