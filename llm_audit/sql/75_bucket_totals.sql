-- table: bucket_totals
-- grain: one row per provider, basis, day, model, token kind, tier and cause of the export lines
--   that count: their side of the comparison.
-- why: for some lines the log has nothing to hold against them, and the line itself says why
--   (cause; the first that fits). All others (cause NULL) are compared with our calls.
--   value_outside is what of their value the log cannot hold if usage is even in time: the share of
--   a line's time that is before the log's first call or after its last, to ten decimals (why:
--   log_totals). rounding is only that of the lines compared. paid_rate is our rate for the kind on
--   that day, in the smallest prompt-size band: for estimates only.
WITH models AS (
    SELECT DISTINCT provider_name, model FROM log_groups
),

keys AS (
    SELECT DISTINCT provider_name, api_key FROM log_groups
),

-- Keys tell something only where both sides have at least one name in common.
named_alike AS (
    SELECT DISTINCT keys.provider_name
    FROM keys
    INNER JOIN bucket_lines AS lines
        ON lines.provider_name = keys.provider_name AND lines.api_key = keys.api_key
),

batched AS (
    SELECT DISTINCT provider_name, day, model FROM log_totals WHERE tier = 'batch'
    UNION
    SELECT provider_name, day, CAST(NULL AS VARCHAR) AS model FROM log_totals WHERE tier = 'batch'
),

-- A line that stands in several pages of the export that counts is one line.
counted AS (
    SELECT DISTINCT
        lines.line_no,
        lines.provider_name,
        lines.basis,
        lines.family,
        lines.day,
        lines.model,
        lines.model_key,
        lines.token_kind,
        lines.is_fee,
        lines.is_empty,
        lines.tier,
        lines.api_key,
        lines.bucket_start,
        lines.bucket_end,
        lines.value,
        lines.rounding
    FROM bucket_lines AS lines
    INNER JOIN bucket_groupings AS splits
        ON splits.provider_name = lines.provider_name
        AND splits.basis = lines.basis
        AND splits.family = lines.family
        AND splits.day = lines.day
        AND splits.source_format = lines.source_format
        AND splits.source_file = lines.source_file
        AND splits.source_page = lines.source_page
        AND splits.is_counted
    WHERE lines.is_usable
),

judged AS (
    SELECT
        lines.provider_name,
        lines.basis,
        lines.day,
        CASE
            WHEN days.by_model = 1 AND NOT lines.is_fee AND lines.token_kind <> 'web_search'
                THEN lines.model
        END AS model,
        CASE
            WHEN lines.is_fee OR (days.by_kind = 1 AND NOT lines.is_empty) THEN lines.token_kind
            ELSE 'cost'
        END AS token_kind,
        lines.tier,
        lines.is_empty,
        CASE
            WHEN CAST(days.first_call_at AS DATE) > lines.day
                OR CAST(days.last_call_at AS DATE) < lines.day
                OR lines.bucket_end <= days.first_call_at
                OR lines.bucket_start > days.last_call_at
                THEN 'outside_period'
            WHEN NOT lines.is_fee
                AND (days.calls = 0 OR (lines.model IS NOT NULL AND models.model IS NULL))
                THEN 'model_not_in_log'
            WHEN named_alike.provider_name IS NOT NULL AND lines.api_key IS NOT NULL
                AND keys.api_key IS NULL
                THEN 'key_not_in_log'
            WHEN lines.is_fee THEN 'tool_fees'
            WHEN lines.tier = 'batch' AND batched.day IS NULL THEN 'batch_share'
        END AS cause,
        lines.value,
        lines.rounding,
        COALESCE(
            CAST(
                GREATEST(DATE_DIFF('microsecond', lines.bucket_start, days.first_call_at), 0)
                + GREATEST(DATE_DIFF('microsecond', days.last_call_at, lines.bucket_end), 0)
                AS DOUBLE
            ) / NULLIF(DATE_DIFF('microsecond', lines.bucket_start, lines.bucket_end), 0),
            0
        ) AS outside_share,
        CASE lines.token_kind
            WHEN 'input' THEN sheets.paid_input
            WHEN 'cached_input' THEN sheets.paid_cached
            WHEN 'cache_write_5m' THEN sheets.paid_write_5m
            WHEN 'cache_write_1h' THEN sheets.paid_write_1h
            WHEN 'output' THEN sheets.paid_output
            WHEN 'audio_input' THEN sheets.paid_audio_input
            WHEN 'audio_output' THEN sheets.paid_audio_output
            WHEN 'image_input' THEN COALESCE(sheets.paid_image_input, sheets.paid_input)
            WHEN 'image_output' THEN sheets.paid_image_output
        END AS paid_rate
    FROM counted AS lines
    INNER JOIN reconciled_days AS days
        ON days.provider_name = lines.provider_name
        AND days.basis = lines.basis
        AND days.family = lines.family
        AND days.day = lines.day
    LEFT JOIN models
        ON models.provider_name = lines.provider_name AND models.model = lines.model
    LEFT JOIN keys
        ON keys.provider_name = lines.provider_name AND keys.api_key = lines.api_key
    LEFT JOIN named_alike ON named_alike.provider_name = lines.provider_name
    LEFT JOIN batched
        ON batched.provider_name = lines.provider_name
        AND batched.day = lines.day
        AND batched.model IS NOT DISTINCT FROM lines.model
    LEFT JOIN rate_sheets AS sheets
        ON sheets.model_key = lines.model_key
        AND sheets.day = lines.day
        AND sheets.tier = COALESCE(lines.tier, 'standard')
        AND sheets.from_tokens = 0
)

SELECT
    provider_name,
    basis,
    day,
    model,
    token_kind,
    tier,
    cause,
    SUM(value) AS value,
    SUM(
        CASE
            WHEN cause IS NULL
                THEN CAST(
                    CAST(CAST(value AS DOUBLE) * LEAST(outside_share, 1) AS DECIMAL(38, 10))
                    AS DECIMAL(38, 12)
                )
            ELSE CAST(0 AS DECIMAL(38, 12))
        END
    ) AS value_outside,
    SUM(CASE WHEN cause IS NULL THEN rounding ELSE CAST(0 AS DECIMAL(38, 12)) END) AS rounding,
    SUM(CASE WHEN is_empty THEN 0 ELSE 1 END) AS lines,
    MAX(paid_rate) AS paid_rate
FROM judged
GROUP BY provider_name, basis, day, model, token_kind, tier, cause
