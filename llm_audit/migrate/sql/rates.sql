-- What a token costs in a batch today, for the models of the planned calls; one row per vendor,
-- model and band of prompt sizes, USD per token. A run keeps these rows, so that its results are
-- priced without the audit's database, which may be busy or moved by then.
SELECT DISTINCT
  $vendor AS vendor,
  $model AS model,
  sheets.from_tokens,
  sheets.below_tokens,
  sheets.batch_input,
  sheets.batch_cached,
  sheets.batch_write_5m,
  sheets.batch_write_1h,
  COALESCE(sheets.batch_output, 0) AS batch_output
FROM call_quantities AS quantities
JOIN pricing_meta ON true
JOIN rate_sheets AS sheets
  ON sheets.model_key = quantities.model_key
  AND sheets.day = pricing_meta.as_of
  AND sheets.tier = 'standard'
WHERE quantities.call_id = $call_id AND sheets.batch_input IS NOT NULL
ORDER BY sheets.from_tokens
