-- table: bucket_groupings
-- grain: one row per provider, basis, family, day, export file and page (0: a file without pages):
--   how finely it is split (1 or 0 for models and kinds), and whether its lines of that day count.
-- why: the same usage is often exported more than once: with and without models, by project and by
--   key, by the hour and by the day, from the console and from the API. Added up it would count
--   twice. So pages with the same signature (format, width of the buckets, and every dimension that
--   they name) are one export, and of each day one export counts: the one that covers most of the
--   day, then exact amounts before amounts in cents, then the finest: models, kinds, tiers, keys,
--   the number of other dimensions, the width. A page covers all from its first line to its last.
--   Pages of single endpoints go before an export of all of them if completions are among them, the
--   bulk of any bill, and cover as much of the day.
WITH pages AS (
    SELECT
        provider_name,
        basis,
        family,
        source_format,
        source_file,
        source_page,
        MIN(bucket_start) AS first_start,
        MAX(bucket_end) AS last_end,
        MAX(DATE_DIFF('microsecond', bucket_start, bucket_end)) AS width,
        MAX(CASE WHEN rounding < 0.001 THEN 1 ELSE 0 END) AS is_exact,
        MAX(CASE WHEN model IS NULL THEN 0 ELSE 1 END) AS by_model,
        MAX(CASE WHEN is_fee OR token_kind IN ('cost', 'web_search', 'nothing') THEN 0 ELSE 1 END)
            AS by_kind,
        MAX(CASE WHEN tier IS NULL THEN 0 ELSE 1 END) AS by_tier,
        MAX(CASE WHEN api_key IS NULL THEN 0 ELSE 1 END) AS by_key
    FROM bucket_lines
    WHERE is_usable
    GROUP BY provider_name, basis, family, source_format, source_file, source_page
),

-- The export's other dimensions. What says the same as a column, or merely its unit, is none.
dimensions AS (
    SELECT
        provider_name,
        basis,
        family,
        source_format,
        source_file,
        source_page,
        STRING_AGG(dimension, ' ' ORDER BY dimension) AS dimensions,
        COUNT(*) AS others
    FROM (
        SELECT DISTINCT
            provider_name,
            basis,
            family,
            source_format,
            source_file,
            source_page,
            UNNEST(JSON_KEYS(export_keys)) AS dimension
        FROM bucket_lines
        WHERE is_usable
    ) AS named
    WHERE dimension NOT IN (
        'endpoint', 'quantity_unit', 'api_key_id', 'service_tier', 'usage_type', 'request_type'
    )
    GROUP BY provider_name, basis, family, source_format, source_file, source_page
),

days AS (
    SELECT
        pages.provider_name,
        pages.basis,
        pages.family,
        lines.day,
        pages.source_format,
        pages.source_file,
        pages.source_page,
        pages.width,
        pages.is_exact,
        pages.by_model,
        pages.by_kind,
        pages.by_tier,
        pages.by_key,
        COALESCE(dimensions.others, 0) AS others,
        CONCAT_WS(
            ' ', pages.source_format, pages.width, pages.by_model, pages.by_kind, pages.by_tier,
            pages.by_key, dimensions.dimensions
        ) AS signature,
        GREATEST(pages.first_start, lines.day) AS first_start,
        LEAST(pages.last_end, lines.day + INTERVAL '1' DAY) AS last_end
    FROM pages
    INNER JOIN (
        SELECT DISTINCT provider_name, basis, family, day, source_format, source_file, source_page
        FROM bucket_lines
        WHERE is_usable
    ) AS lines
        ON lines.provider_name = pages.provider_name
        AND lines.basis = pages.basis
        AND lines.family = pages.family
        AND lines.source_format = pages.source_format
        AND lines.source_file = pages.source_file
        AND lines.source_page = pages.source_page
    LEFT JOIN dimensions
        ON dimensions.provider_name = pages.provider_name
        AND dimensions.basis = pages.basis
        AND dimensions.family = pages.family
        AND dimensions.source_format = pages.source_format
        AND dimensions.source_file = pages.source_file
        AND dimensions.source_page = pages.source_page
),

covered AS (
    SELECT
        days.*,
        DATE_DIFF('microsecond', MIN(first_start) OVER export, MAX(last_end) OVER export)
            AS covered_us
    FROM days
    WINDOW export AS (PARTITION BY provider_name, basis, family, day, signature)
),

ranked AS (
    SELECT
        covered.*,
        DENSE_RANK() OVER (
            PARTITION BY provider_name, basis, family, day
            ORDER BY
                covered_us DESC, is_exact DESC, by_model DESC, by_kind DESC, by_tier DESC,
                by_key DESC, others DESC, width, signature
        ) AS place,
        MAX(CASE WHEN family = 'all' THEN covered_us ELSE 0 END) OVER (
            PARTITION BY provider_name, basis, day
        ) AS us_of_all,
        MAX(CASE WHEN family = 'completions' THEN covered_us ELSE 0 END) OVER (
            PARTITION BY provider_name, basis, day
        ) AS us_of_completions
    FROM covered
)

SELECT
    provider_name,
    basis,
    family,
    day,
    source_format,
    source_file,
    source_page,
    by_model,
    by_kind,
    place = 1 AND (us_of_all > us_of_completions) = (family = 'all') AS is_counted
FROM ranked
