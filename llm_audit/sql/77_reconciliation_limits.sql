-- view: reconciliation_limits
-- grain: one row per cell of reconciliation_cells: rest is the gap without the lines that have a
--   cause of their own, and beside it the most that our calls without a price or without counts,
--   and the time outside of the log, can hold of it. Nothing is explained beyond these limits.
-- why: absorbed is what our calls of unknown tier are too many by where batch lines have no batch
--   call against them: those are the same calls (in USD at twice the price). unpriced_limit is
--   the share of the compared amount that our unpriced tokens have in the cell's tokens (USD), plus
--   what calls without counts come to if they are like the others, to ten decimals
--   (why: log_totals). Tokens are whole.
SELECT
    cells.basis,
    cells.provider_name,
    cells.day,
    cells.model,
    cells.token_kind,
    cells.ours,
    cells.theirs,
    cells.outside,
    cells.no_model,
    cells.no_key,
    cells.fees,
    cells.batch - cells.absorbed AS batch,
    cells.compared - cells.ours + cells.absorbed AS rest,
    cells.rounding AS rounding_limit,
    CASE
        WHEN cells.basis = 'tokens'
            THEN CAST(FLOOR(GREATEST(cells.uncounted, 0)) AS DECIMAL(38, 12))
        ELSE GREATEST(cells.uncounted + cells.unpriced, CAST(0 AS DECIMAL(38, 12)))
    END AS unpriced_limit,
    CASE
        WHEN cells.basis = 'tokens'
            THEN CAST(FLOOR(GREATEST(cells.value_outside, 0)) AS DECIMAL(38, 12))
        ELSE GREATEST(cells.value_outside, CAST(0 AS DECIMAL(38, 12)))
    END AS outside_limit,
    cells.lines,
    cells.paid_rate,
    cells.batch_rate
FROM (
    SELECT
        reconciliation_cells.*,
        GREATEST(
            LEAST(
                ours - compared,
                tier_unknown,
                batch + CASE WHEN basis = 'usd' THEN batch ELSE 0 END
            ),
            CAST(0 AS DECIMAL(38, 12))
        ) AS absorbed,
        CASE
            WHEN unpriced_quantity = 0 THEN CAST(0 AS DECIMAL(38, 12))
            WHEN unpriced_quantity = quantity THEN compared
            ELSE CAST(
                CAST(
                    CAST(compared AS DOUBLE)
                    * (CAST(unpriced_quantity AS DOUBLE) / CAST(quantity AS DOUBLE))
                    AS DECIMAL(38, 10)
                ) AS DECIMAL(38, 12)
            )
        END AS unpriced
    FROM reconciliation_cells
) AS cells
