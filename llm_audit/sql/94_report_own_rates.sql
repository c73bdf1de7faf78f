-- view: report_own_rates
-- grain: one row per model and tier that a rate of the user's own llm-audit.toml priced
-- why: who signs the figures must see which of them rest on no published price.
SELECT
  sheets.model_key AS model,
  sheets.tier,
  SUM(cards.calls) AS calls,
  SUM(cards.effective_cost) AS effective_cost
FROM card_costs AS cards
INNER JOIN rate_sheets AS sheets ON sheets.card_id = cards.card_id
WHERE cards.basis = 'observed' AND cards.price_status = 'priced' AND sheets.has_user_rates
GROUP BY sheets.model_key, sheets.tier
