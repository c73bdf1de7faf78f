-- view: reconciliation_summary
-- grain: one row per provider and basis that an export was ingested of: both totals, the gap and
--   its parts, and unexplained_size, which is the unexplained without regard to sign.
--   log_days are the days of our calls and log_days_compared those that the export covers, or an
--   endpoint of them; calls_not_compared and cost_not_compared (USD) are ours on other days and
--   endpoints. lines_set_aside are those of exports that repeat a day (bucket_groupings),
--   lines_left_out those that cannot be compared at all (bucket_lines), lines_rejected those that
--   could not even be read; pages_missing counts the exports that stop before their end.
-- why: a day too many and a day too few are two errors, not none: the verdict takes the size.
WITH compared AS (
    SELECT
        provider_name,
        basis,
        MIN(day) AS first_day,
        MAX(day) AS last_day,
        SUM(lines) AS lines,
        SUM(ours) AS ours,
        SUM(theirs) AS theirs,
        SUM(gap) AS gap,
        SUM(outside_period) AS outside_period,
        SUM(model_not_in_log) AS model_not_in_log,
        SUM(key_not_in_log) AS key_not_in_log,
        SUM(batch_share) AS batch_share,
        SUM(tool_fees) AS tool_fees,
        SUM(unpriced) AS unpriced,
        SUM(rounding) AS rounding,
        SUM(unexplained) AS unexplained,
        SUM(ABS(unexplained)) AS unexplained_size
    FROM reconciliation
    GROUP BY provider_name, basis
),

levels AS (
    SELECT provider_name, basis, MIN(by_model) = 1 AS by_model, MIN(by_kind) = 1 AS by_kind
    FROM reconciled_days
    GROUP BY provider_name, basis
),

written AS (
    SELECT
        provider_name,
        basis,
        COUNT(DISTINCT CASE WHEN is_usable THEN line_no END) AS lines,
        COUNT(DISTINCT CASE WHEN NOT is_usable THEN line_no END) AS lines_left_out
    FROM bucket_lines
    WHERE NOT is_empty
    GROUP BY provider_name, basis
),

-- Our calls of each day and endpoint, and on which basis an export is of them.
spent AS (
    SELECT
        groups.provider_name,
        groups.family,
        groups.day,
        groups.calls,
        COALESCE(costs.effective_cost, CAST(0 AS DECIMAL(38, 12))) AS effective_cost
    FROM (
        SELECT provider_name, family, day, SUM(calls) AS calls
        FROM log_groups
        WHERE price_status <> 'not_billed' AND day IS NOT NULL
        GROUP BY provider_name, family, day
    ) AS groups
    LEFT JOIN (
        SELECT provider_name, family, day, SUM(effective_cost) AS effective_cost
        FROM log_totals
        GROUP BY provider_name, family, day
    ) AS costs
        ON costs.provider_name = groups.provider_name
        AND costs.family = groups.family
        AND costs.day = groups.day
),

coverage AS (
    SELECT
        levels.provider_name,
        levels.basis,
        COUNT(DISTINCT spent.day) AS log_days,
        COUNT(DISTINCT CASE WHEN days.day IS NOT NULL THEN spent.day END) AS log_days_compared,
        SUM(CASE WHEN days.day IS NULL THEN spent.calls ELSE 0 END) AS calls_not_compared,
        SUM(
            CASE WHEN days.day IS NULL THEN spent.effective_cost
                ELSE CAST(0 AS DECIMAL(38, 12)) END
        ) AS cost_not_compared
    FROM levels
    INNER JOIN spent ON spent.provider_name = levels.provider_name
    LEFT JOIN reconciled_days AS days
        ON days.provider_name = levels.provider_name
        AND days.basis = levels.basis
        AND days.day = spent.day
        AND (days.family = 'all' OR days.family = spent.family)
    GROUP BY levels.provider_name, levels.basis
),

periods AS (
    SELECT
        provider_name,
        MIN(first_call_at) AS first_call_at,
        MAX(last_call_at) AS last_call_at,
        SUM(CASE WHEN day IS NULL THEN calls ELSE 0 END) AS calls_without_time
    FROM log_groups
    GROUP BY provider_name
),

-- A rejected record does not say of which basis it was: its format's other records do, if any.
format_bases AS (
    SELECT DISTINCT source_format, basis FROM bucket_lines
),

chosen_files AS (
    SELECT path, source_format, provider_name, rejects, endpoint, last_page_at, has_more
    FROM export_files
    WHERE NOT EXISTS (SELECT 1 FROM export_choice)
        OR path IN (SELECT source_file FROM export_choice)
),

rejected AS (
    SELECT levels.provider_name, levels.basis, SUM(files.rejects) AS lines_rejected
    FROM levels
    INNER JOIN chosen_files AS files
        ON files.provider_name = levels.provider_name OR files.provider_name IS NULL
    WHERE files.source_format NOT IN (SELECT source_format FROM format_bases)
        OR EXISTS (
            SELECT 1
            FROM format_bases
            WHERE format_bases.source_format = files.source_format
                AND format_bases.basis = levels.basis
        )
    GROUP BY levels.provider_name, levels.basis
),

-- Pages are one export however many files they are in: the last page of all tells.
stopped AS (
    SELECT levels.provider_name, levels.basis, COUNT(*) AS pages_missing
    FROM levels
    INNER JOIN (
        SELECT
            files.provider_name,
            files.source_format,
            files.endpoint,
            MAX(CASE WHEN files.has_more THEN 1 ELSE 0 END) AS has_more
        FROM chosen_files AS files
        INNER JOIN (
            SELECT source_format, endpoint, MAX(last_page_at) AS last_page_at
            FROM chosen_files
            GROUP BY source_format, endpoint
        ) AS ends
            ON ends.source_format = files.source_format
            AND ends.endpoint = files.endpoint
            AND ends.last_page_at IS NOT DISTINCT FROM files.last_page_at
        GROUP BY files.provider_name, files.source_format, files.endpoint
    ) AS series ON series.provider_name = levels.provider_name AND series.has_more = 1
    INNER JOIN format_bases
        ON format_bases.source_format = series.source_format
        AND format_bases.basis = levels.basis
    GROUP BY levels.provider_name, levels.basis
)

SELECT
    compared.provider_name,
    compared.basis,
    compared.first_day,
    compared.last_day,
    periods.first_call_at,
    periods.last_call_at,
    COALESCE(periods.calls_without_time, 0) AS calls_without_time,
    COALESCE(coverage.log_days, 0) AS log_days,
    COALESCE(coverage.log_days_compared, 0) AS log_days_compared,
    COALESCE(coverage.calls_not_compared, 0) AS calls_not_compared,
    COALESCE(coverage.cost_not_compared, CAST(0 AS DECIMAL(38, 12))) AS cost_not_compared,
    levels.by_model,
    levels.by_kind,
    COALESCE(written.lines, 0) - compared.lines AS lines_set_aside,
    COALESCE(written.lines_left_out, 0) AS lines_left_out,
    COALESCE(rejected.lines_rejected, 0) AS lines_rejected,
    COALESCE(stopped.pages_missing, 0) AS pages_missing,
    compared.lines,
    compared.ours,
    compared.theirs,
    compared.gap,
    compared.outside_period,
    compared.model_not_in_log,
    compared.key_not_in_log,
    compared.batch_share,
    compared.tool_fees,
    compared.unpriced,
    compared.rounding,
    compared.unexplained,
    compared.unexplained_size
FROM compared
INNER JOIN levels
    ON levels.provider_name = compared.provider_name AND levels.basis = compared.basis
LEFT JOIN written
    ON written.provider_name = compared.provider_name AND written.basis = compared.basis
LEFT JOIN coverage
    ON coverage.provider_name = compared.provider_name AND coverage.basis = compared.basis
LEFT JOIN periods ON periods.provider_name = compared.provider_name
LEFT JOIN rejected
    ON rejected.provider_name = compared.provider_name AND rejected.basis = compared.basis
LEFT JOIN stopped
    ON stopped.provider_name = compared.provider_name AND stopped.basis = compared.basis
