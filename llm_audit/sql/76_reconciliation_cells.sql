-- table: reconciliation_cells
-- grain: one row per basis, provider, day, model and token kind at the level that the export has:
--   both sides, what of theirs has a cause of its own, and the limits of what else may explain.
-- why: a NULL model is "all models of that day", the kind 'cost' is "all kinds": an export without
--   that split. Calls to an endpoint that no export of the day is of are not compared. Fees are
--   compared per kind, whatever the model: providers bill them apart; of fees the log holds
--   searches only. compared is theirs without the lines that have a cause.
WITH sides AS (
    SELECT
        basis,
        provider_name,
        day,
        model,
        token_kind,
        CAST(0 AS DECIMAL(38, 12)) AS ours,
        value AS theirs,
        CASE WHEN cause IS NULL THEN value END AS compared,
        CASE WHEN cause = 'outside_period' THEN value END AS outside,
        CASE WHEN cause = 'model_not_in_log' THEN value END AS no_model,
        CASE WHEN cause = 'key_not_in_log' THEN value END AS no_key,
        CASE WHEN cause = 'batch_share' THEN value END AS batch,
        CASE WHEN cause = 'tool_fees' THEN value END AS fees,
        value_outside,
        rounding,
        lines,
        CAST(0 AS DECIMAL(38, 12)) AS tier_unknown,
        CAST(0 AS DECIMAL(38, 0)) AS quantity,
        CAST(0 AS DECIMAL(38, 0)) AS unpriced_quantity,
        CAST(0 AS DECIMAL(38, 12)) AS uncounted,
        CASE WHEN COALESCE(tier, 'standard') = 'standard' THEN paid_rate END AS their_rate,
        CAST(NULL AS DECIMAL(14, 12)) AS our_rate,
        CASE WHEN tier = 'batch' THEN paid_rate END AS batch_rate
    FROM bucket_totals
    UNION ALL
    SELECT
        days.basis,
        days.provider_name,
        days.day,
        CASE WHEN days.by_model = 1 AND spent.token_kind <> 'web_search' THEN spent.model END
            AS model,
        CASE WHEN days.by_kind = 1 THEN spent.token_kind ELSE 'cost' END AS token_kind,
        CASE
            WHEN days.basis = 'tokens' THEN CAST(spent.quantity AS DECIMAL(38, 12))
            ELSE spent.effective_cost
        END AS ours,
        CAST(0 AS DECIMAL(38, 12)) AS theirs,
        CAST(NULL AS DECIMAL(38, 12)) AS compared,
        CAST(NULL AS DECIMAL(38, 12)) AS outside,
        CAST(NULL AS DECIMAL(38, 12)) AS no_model,
        CAST(NULL AS DECIMAL(38, 12)) AS no_key,
        CAST(NULL AS DECIMAL(38, 12)) AS batch,
        CAST(NULL AS DECIMAL(38, 12)) AS fees,
        CAST(0 AS DECIMAL(38, 12)) AS value_outside,
        CAST(0 AS DECIMAL(38, 12)) AS rounding,
        0 AS lines,
        CASE
            WHEN NOT spent.tier_unknown THEN CAST(0 AS DECIMAL(38, 12))
            WHEN days.basis = 'tokens' THEN CAST(spent.quantity AS DECIMAL(38, 12))
            ELSE spent.effective_cost
        END AS tier_unknown,
        spent.quantity,
        spent.unpriced_quantity,
        CASE WHEN days.basis = 'tokens' THEN spent.likely_quantity ELSE spent.likely_cost END
            AS uncounted,
        CAST(NULL AS DECIMAL(14, 12)) AS their_rate,
        CASE WHEN spent.tier = 'standard' THEN spent.paid_rate END AS our_rate,
        CAST(NULL AS DECIMAL(14, 12)) AS batch_rate
    FROM reconciled_days AS days
    INNER JOIN log_totals AS spent
        ON spent.provider_name = days.provider_name
        AND spent.day = days.day
        AND (days.family = 'all' OR days.family = spent.family)
    WHERE (days.basis = 'usd' OR spent.token_kind <> 'web_search')
        AND (spent.quantity > 0 OR spent.likely_quantity > 0)
)

SELECT
    basis,
    provider_name,
    day,
    model,
    token_kind,
    SUM(ours) AS ours,
    SUM(theirs) AS theirs,
    COALESCE(SUM(compared), CAST(0 AS DECIMAL(38, 12))) AS compared,
    COALESCE(SUM(outside), CAST(0 AS DECIMAL(38, 12))) AS outside,
    COALESCE(SUM(no_model), CAST(0 AS DECIMAL(38, 12))) AS no_model,
    COALESCE(SUM(no_key), CAST(0 AS DECIMAL(38, 12))) AS no_key,
    COALESCE(SUM(batch), CAST(0 AS DECIMAL(38, 12))) AS batch,
    COALESCE(SUM(fees), CAST(0 AS DECIMAL(38, 12))) AS fees,
    SUM(value_outside) AS value_outside,
    SUM(rounding) AS rounding,
    SUM(lines) AS lines,
    SUM(tier_unknown) AS tier_unknown,
    SUM(quantity) AS quantity,
    SUM(unpriced_quantity) AS unpriced_quantity,
    SUM(uncounted) AS uncounted,
    COALESCE(MAX(their_rate), MAX(our_rate)) AS paid_rate,
    MAX(batch_rate) AS batch_rate
FROM sides
GROUP BY basis, provider_name, day, model, token_kind
