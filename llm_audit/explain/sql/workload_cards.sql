-- grain: one row per day, price card, price_status, batch_status and has_flex of the workload
--   $workload_id and label $label
SELECT
  cards.*,
  sheets.* EXCLUDE (card_id, model_key, day, tier, batch_status)
FROM workload_cards AS cards
LEFT JOIN rate_sheets AS sheets ON sheets.card_id = cards.card_id
WHERE cards.workload_id = $workload_id AND cards.label = $label
ORDER BY cards.day, cards.card_id, cards.price_status
