-- view: costs
-- grain: one row per call; money is USD at the prices of the call's day.
-- why: the public table. effective_cost is what the call costs all in: list price times the
--   contract's factor (FinOps FOCUS: ContractedCost and EffectiveCost are the same without
--   commitments). card_id leads to the row of rate_sheets that priced it.
SELECT
    call_id,
    list_cost,
    contracted_cost,
    contracted_cost AS effective_cost,
    batch_cost_conservative,
    batch_cost_expected,
    batch_cost_best,
    flex_cost,
    price_status,
    batch_status,
    card_id
FROM call_costs
