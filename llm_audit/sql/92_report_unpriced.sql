-- view: report_unpriced
-- grain: one row per provider, model and cause for which no price could be told
-- why: an unknown price is never 0. These calls are in every count and in no amount of money.
SELECT provider_name, model, price_status, hint, COUNT(*) AS calls, SUM(tokens) AS tokens
FROM (
  SELECT
    c.provider_name,
    COALESCE(c.request_model, c.response_model) AS model,
    k.price_status,
    CASE
      WHEN k.price_status = 'unpriced_date' AND COALESCE(c.started_at, c.ended_at) IS NULL
        THEN 'the log tells no time: only a rate that has never changed could price these calls'
      WHEN k.price_status = 'unpriced_tier' AND n.provider = 'anthropic'
        AND c.service_tier = 'priority'
        THEN 'the Priority Tier is a commitment: no rate per token is published for it'
      ELSE n.hint
    END AS hint,
    COALESCE(c.input_tokens, 0) + COALESCE(c.output_tokens, 0) AS tokens
  FROM costs AS k
  INNER JOIN calls AS c ON c.call_id = k.call_id
  LEFT JOIN model_names AS n
    ON n.provider_name IS NOT DISTINCT FROM c.provider_name
    AND n.request_model IS NOT DISTINCT FROM c.request_model
    AND n.response_model IS NOT DISTINCT FROM c.response_model
    AND n.inference_region IS NOT DISTINCT FROM c.inference_region
  WHERE k.price_status LIKE 'unpriced%'
) AS unpriced
GROUP BY provider_name, model, price_status, hint
