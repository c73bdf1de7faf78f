-- table: bucket_lines
-- grain: one row per line of the exports that are compared, basis ('tokens' where it has a quantity
--   of tokens, 'usd' where it has an amount) and export that it stands in: line_no is the line.
-- why: the two bases are never mixed: what an export counts is compared in tokens, what it charges
--   in dollars. Models go by the name that the price card has for them, so that "Claude Haiku 4.5"
--   and claude-haiku-4-5-20251001 are one; a name it does not have stands for itself. family is the
--   endpoint an OpenAI usage page is of ('all': the export covers every one). is_fee: a fee that no
--   log holds; searches are no such fee. is_empty: a bucket that the export shows as empty.
--   rounding is half of the last digit that the provider writes. A record of several exports
--   stands in each of them, though usage_buckets has it once (export_copies). Lines without a day,
--   over more than one, or beyond any real bill cannot be compared (is_usable).
WITH numbered AS (
    SELECT
        *,
        ROW_NUMBER() OVER (ORDER BY source_file, source_line, token_kind) AS line_no,
        JSON_EXTRACT_STRING(export_keys, '$.endpoint') AS endpoint
    FROM usage_buckets
),

standing AS (
    SELECT line_no, source_file, COALESCE(source_page, 0) AS source_page FROM numbered
    UNION
    SELECT numbered.line_no, copies.source_file, COALESCE(copies.source_page, 0) AS source_page
    FROM numbered
    INNER JOIN export_copies AS copies ON copies.record_id = numbered.record_id
),

chosen_lines AS (
    SELECT
        numbered.line_no,
        numbered.provider_name,
        numbered.source_format,
        standing.source_file,
        standing.source_page,
        numbered.bucket_start,
        numbered.bucket_end,
        numbered.model,
        numbered.service_tier,
        numbered.token_kind,
        numbered.api_key,
        numbered.export_keys,
        numbered.endpoint,
        numbered.quantity,
        numbered.amount_usd
    FROM numbered
    INNER JOIN standing ON standing.line_no = numbered.line_no
    WHERE NOT EXISTS (SELECT 1 FROM export_choice)
        OR standing.source_file IN (SELECT source_file FROM export_choice)
)

SELECT
    based.basis,
    based.line_no,
    based.provider_name,
    based.family,
    based.source_format,
    based.source_file,
    based.source_page,
    based.bucket_start,
    COALESCE(based.bucket_end, CAST(based.bucket_start AS DATE) + INTERVAL '1' DAY) AS bucket_end,
    CAST(based.bucket_start AS DATE) AS day,
    COALESCE(names.model, LOWER(TRIM(based.model))) AS model,
    names.model_key,
    based.service_tier AS tier,
    based.token_kind,
    based.token_kind NOT IN (
        'input', 'cached_input', 'cache_write_5m', 'cache_write_1h', 'output', 'audio_input',
        'audio_output', 'image_input', 'image_output', 'cost', 'web_search', 'nothing'
    ) AS is_fee,
    based.token_kind = 'nothing' AS is_empty,
    based.api_key,
    based.export_keys,
    based.value,
    based.rounding,
    based.value IS NOT NULL
    AND based.bucket_start IS NOT NULL
    AND based.token_kind IS NOT NULL
    AND (
        based.bucket_end IS NULL
        OR based.bucket_end <= CAST(based.bucket_start AS DATE) + INTERVAL '1' DAY
        OR based.bucket_end <= based.bucket_start + INTERVAL '1' HOUR
    ) AS is_usable
FROM (
    SELECT
        'tokens' AS basis,
        lines.*,
        CASE
            WHEN lines.endpoint IN ('audio_speeches', 'audio_transcriptions') THEN 'audio'
            ELSE COALESCE(lines.endpoint, 'all')
        END AS family,
        CASE
            WHEN lines.quantity BETWEEN 0 AND 10000000000000
                AND lines.quantity % 1 = 0
                THEN CAST(lines.quantity AS DECIMAL(38, 12))
        END AS value,
        CAST(0 AS DECIMAL(38, 12)) AS rounding
    FROM chosen_lines AS lines
    WHERE lines.quantity IS NOT NULL
        AND lines.token_kind IN (
            'input', 'cached_input', 'cache_write_5m', 'cache_write_1h', 'output', 'audio_input',
            'audio_output', 'image_input', 'image_output', 'nothing'
        )
    UNION ALL
    SELECT
        'usd' AS basis,
        lines.*,
        'all' AS family,
        CASE
            WHEN lines.amount_usd BETWEEN -1000000000000 AND 1000000000000 THEN lines.amount_usd
        END AS value,
        CASE
            WHEN lines.source_format LIKE 'anthropic_console%' THEN CAST(0.005 AS DECIMAL(38, 12))
            WHEN lines.provider_name = 'anthropic' THEN CAST(0.00000005 AS DECIMAL(38, 12))
            ELSE CAST(0.000000000001 AS DECIMAL(38, 12))
        END AS rounding
    FROM chosen_lines AS lines
    WHERE lines.amount_usd IS NOT NULL
) AS based
LEFT JOIN model_names AS names
    ON names.provider_name IS NOT DISTINCT FROM based.provider_name
    AND names.request_model IS NULL
    AND names.response_model = based.model
    AND names.inference_region IS NULL
