-- view: workload_sellers
-- grain: one row per workload and label whose calls have a known seller: the one of most calls, what
--   it promises about its batches, and when its rates were last looked at
-- why: a limit is NULL where the seller publishes none; window_hours is NULL where none is promised.
--   oldest_verified_on is of the rates in force on pricing_meta.as_of.
SELECT
  sellers.workload_id,
  sellers.label,
  sellers.provider,
  sellers.surface,
  terms.io_discount,
  terms.max_requests,
  terms.max_bytes,
  terms.max_queued_tokens AS queue_note,
  terms.window_hours,
  sellers.oldest_verified_on
FROM (
  SELECT
    cards.workload_id,
    cards.label,
    names.provider,
    names.surface,
    MIN(verified.oldest_verified_on) AS oldest_verified_on,
    ROW_NUMBER() OVER (
      PARTITION BY cards.workload_id, cards.label
      ORDER BY SUM(cards.calls) DESC, names.provider, names.surface
    ) AS place
  FROM workload_cards AS cards
  INNER JOIN (
    SELECT DISTINCT model_key, price_key, provider, surface
    FROM model_names
    WHERE model_key IS NOT NULL
  ) AS names ON names.model_key = cards.model_key
  LEFT JOIN (
    SELECT price_rows.model_key, MIN(price_rows.verified_on) AS oldest_verified_on
    FROM price_rows
    CROSS JOIN pricing_meta
    WHERE price_rows.effective_from <= pricing_meta.as_of
      AND (price_rows.effective_to IS NULL OR price_rows.effective_to > pricing_meta.as_of)
    GROUP BY price_rows.model_key
  ) AS verified ON verified.model_key = names.price_key
  GROUP BY cards.workload_id, cards.label, names.provider, names.surface
) AS sellers
LEFT JOIN batch_terms AS terms
  ON terms.provider = sellers.provider AND terms.surface = sellers.surface
WHERE sellers.place = 1
