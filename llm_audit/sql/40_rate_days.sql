-- table: rate_days
-- grain: one row per priced model (model_key) and day on which its rates are looked up: the days
--   it was called or billed by an export, the day of the forward price card, and the days on which
--   a rate of it changed. A NULL day stands for the calls whose time the log does not tell.
-- why: rates are looked up once per model and day, not once per call.
SELECT DISTINCT
    names.model_key,
    names.price_key,
    names.provider,
    names.surface,
    days.day
FROM model_names AS names
INNER JOIN (
    SELECT DISTINCT
        provider_name,
        request_model,
        response_model,
        inference_region,
        CAST(COALESCE(started_at, ended_at) AS DATE) AS day
    FROM calls
    UNION ALL
    SELECT DISTINCT
        provider_name,
        CAST(NULL AS VARCHAR) AS request_model,
        model AS response_model,
        CAST(NULL AS VARCHAR) AS inference_region,
        CAST(bucket_start AS DATE) AS day
    FROM usage_buckets
) AS days
    ON days.provider_name IS NOT DISTINCT FROM names.provider_name
    AND days.request_model IS NOT DISTINCT FROM names.request_model
    AND days.response_model IS NOT DISTINCT FROM names.response_model
    AND days.inference_region IS NOT DISTINCT FROM names.inference_region
WHERE names.model_key IS NOT NULL
UNION
SELECT
    names.model_key,
    names.price_key,
    names.provider,
    names.surface,
    pricing_meta.as_of AS day
FROM model_names AS names
CROSS JOIN pricing_meta
WHERE names.model_key IS NOT NULL
UNION
SELECT
    names.model_key,
    names.price_key,
    names.provider,
    names.surface,
    changes.day
FROM model_names AS names
INNER JOIN (
    SELECT model_key, effective_from AS day FROM price_rows
    UNION
    SELECT model_key, effective_to AS day FROM price_rows WHERE effective_to IS NOT NULL
) AS changes ON changes.model_key = names.price_key
UNION
SELECT
    names.model_key,
    names.price_key,
    names.provider,
    names.surface,
    changes.day
FROM model_names AS names
INNER JOIN (
    SELECT model_key, effective_from AS day FROM region_factors
    UNION
    SELECT model_key, effective_to AS day FROM region_factors
) AS changes ON changes.model_key = names.model_key
