-- table: reconciled_days
-- grain: one row per provider, basis, family and day that the exports cover: the level at which the
--   day is compared (1 or 0: by_model, by_kind), and the span of the log with all its calls to that
--   provider, timed or not.
-- why: a day is compared as finely as its export is split, never finer: a total without models is
--   not forced onto models. A day inside an export file without a line is a day without a charge,
--   so our calls on it have to be explained too; our calls on other days, and to endpoints that no
--   export of the day is of, are not compared.
WITH idle AS (
    SELECT DISTINCT
        spans.provider_name,
        spans.basis,
        spans.family,
        logged.day,
        spans.by_model,
        spans.by_kind
    FROM (
        SELECT
            provider_name,
            basis,
            family,
            source_file,
            MIN(by_model) AS by_model,
            MIN(by_kind) AS by_kind,
            MIN(day) AS first_day,
            MAX(day) AS last_day
        FROM bucket_groupings
        GROUP BY provider_name, basis, family, source_file
    ) AS spans
    INNER JOIN (SELECT DISTINCT provider_name, day FROM log_totals) AS logged
        ON logged.provider_name = spans.provider_name
        AND logged.day > spans.first_day
        AND logged.day < spans.last_day
    LEFT JOIN bucket_groupings AS known
        ON known.provider_name = spans.provider_name
        AND known.basis = spans.basis
        AND known.day = logged.day
        AND (known.family = spans.family OR known.family = 'all' OR spans.family = 'all')
    WHERE known.day IS NULL
),

periods AS (
    SELECT
        provider_name,
        MIN(first_call_at) AS first_call_at,
        MAX(last_call_at) AS last_call_at,
        SUM(calls) AS calls
    FROM log_groups
    GROUP BY provider_name
),

covered AS (
    SELECT provider_name, basis, family, day, by_model, by_kind
    FROM bucket_groupings
    WHERE is_counted
    UNION
    SELECT provider_name, basis, family, day, by_model, by_kind FROM idle
)

SELECT
    covered.provider_name,
    covered.basis,
    covered.family,
    covered.day,
    MIN(MIN(covered.by_model)) OVER of_day AS by_model,
    MIN(MIN(covered.by_kind)) OVER of_day AS by_kind,
    MIN(periods.first_call_at) AS first_call_at,
    MAX(periods.last_call_at) AS last_call_at,
    COALESCE(MAX(periods.calls), 0) AS calls
FROM covered
LEFT JOIN periods ON periods.provider_name = covered.provider_name
GROUP BY covered.provider_name, covered.basis, covered.family, covered.day
WINDOW of_day AS (PARTITION BY covered.provider_name, covered.basis, covered.day)
