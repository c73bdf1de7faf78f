-- table: rate_days
-- grain: one row per priced model (model_key) and day on which its rates are looked up: the days
--   it was called, the day of the forward price card, and the days on which a rate of it changed.
--   A NULL day stands for the calls whose time the log does not tell.
-- why: rates are looked up once per model and day, not once per call.
SELECT DISTINCT
    names.model_key,
    names.provider,
    names.surface,
    days.day
FROM (
    SELECT DISTINCT
        provider_name,
        request_model,
        response_model,
        CAST(COALESCE(started_at, ended_at) AS DATE) AS day
    FROM calls
) AS days
INNER JOIN model_names AS names
    ON names.provider_name IS NOT DISTINCT FROM days.provider_name
    AND names.request_model IS NOT DISTINCT FROM days.request_model
    AND names.response_model IS NOT DISTINCT FROM days.response_model
WHERE names.model_key IS NOT NULL
UNION
SELECT names.model_key, names.provider, names.surface, pricing_meta.as_of
FROM model_names AS names
CROSS JOIN pricing_meta
WHERE names.model_key IS NOT NULL
UNION
SELECT names.model_key, names.provider, names.surface, changes.day
FROM model_names AS names
INNER JOIN (
    SELECT model_key, effective_from AS day FROM price_rows
    UNION
    SELECT model_key, effective_to FROM price_rows WHERE effective_to IS NOT NULL
) AS changes ON changes.model_key = names.model_key
