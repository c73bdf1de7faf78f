-- table: reconciliation
-- grain: one row per cell of reconciliation_cells: gap = theirs - ours, and the parts that it is
--   made of, which add up to it exactly. Tokens, or USD; never both in one row.
-- why: the parts are taken in a fixed order, each from what the ones before it left.
--   outside_period, model_not_in_log, key_not_in_log, tool_fees: lines the log has nothing against.
--   batch_share: batch lines where the log has no batch call that day, less what is absorbed.
--   unpriced, then outside_period again: a surplus of theirs, up to their limits.
--   rounding: what is left, if it is no more than the export's own rounding of the lines compared.
--   unexplained: the rest, with either sign.
-- cause is the largest part.
WITH surplus AS (
    SELECT
        limits.*,
        CASE
            WHEN rest > rounding_limit THEN LEAST(rest, unpriced_limit)
            ELSE CAST(0 AS DECIMAL(38, 12))
        END AS unpriced
    FROM reconciliation_limits AS limits
),

timed AS (
    SELECT
        surplus.*,
        CASE
            WHEN rest - unpriced > rounding_limit THEN LEAST(rest - unpriced, outside_limit)
            ELSE CAST(0 AS DECIMAL(38, 12))
        END AS late
    FROM surplus
),

settled AS (
    SELECT
        timed.*,
        outside + late AS outside_period,
        ABS(rest - unpriced - late) <= rounding_limit AS is_rounding,
        rest - unpriced - late AS left_over
    FROM timed
),

parted AS (
    SELECT
        basis,
        provider_name,
        day,
        model,
        token_kind,
        ours,
        theirs,
        theirs - ours AS gap,
        lines,
        outside_period,
        no_model AS model_not_in_log,
        no_key AS key_not_in_log,
        batch AS batch_share,
        fees AS tool_fees,
        unpriced,
        CASE WHEN is_rounding THEN left_over ELSE CAST(0 AS DECIMAL(38, 12)) END AS rounding,
        CASE WHEN is_rounding THEN CAST(0 AS DECIMAL(38, 12)) ELSE left_over END AS unexplained,
        paid_rate,
        batch_rate
    FROM settled
),

measured AS (
    SELECT
        parted.*,
        GREATEST(
            ABS(outside_period), ABS(model_not_in_log), ABS(key_not_in_log), ABS(batch_share),
            ABS(tool_fees), ABS(unpriced), ABS(rounding), ABS(unexplained)
        ) AS largest
    FROM parted
)

SELECT
    basis,
    provider_name,
    day,
    model,
    token_kind,
    ours,
    theirs,
    gap,
    lines,
    outside_period,
    model_not_in_log,
    key_not_in_log,
    batch_share,
    tool_fees,
    unpriced,
    rounding,
    unexplained,
    CASE
        WHEN gap = 0 AND largest = 0 THEN CAST(NULL AS VARCHAR)
        WHEN largest = ABS(unexplained) THEN 'unexplained'
        WHEN largest = ABS(outside_period) THEN 'outside_period'
        WHEN largest = ABS(model_not_in_log) THEN 'model_not_in_log'
        WHEN largest = ABS(key_not_in_log) THEN 'key_not_in_log'
        WHEN largest = ABS(batch_share) THEN 'batch_share'
        WHEN largest = ABS(tool_fees) THEN 'tool_fees'
        WHEN largest = ABS(unpriced) THEN 'unpriced'
        ELSE 'rounding'
    END AS cause,
    paid_rate,
    batch_rate
FROM measured
