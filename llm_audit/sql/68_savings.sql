-- table: savings
-- grain: one row per workload and label; money is USD.
-- why: the public table. worth_it: enough calls within 24 hours, and a conservative saving that the
--   owner can have or could have had: on a retired model it lies in the past (forward_* is 0), and
--   where the log does not even tell (gray) there is nothing left to ask for.
--   A deadline shorter than the 24 hours of a batch keeps a workload out, even where the user's own
--   batches have always been in time (deadline_kept): no vendor promises less. Savings of realtime
--   rows are what a batch would cost less, not a claim. Money is NULL where nothing was priced.
--   billed_tokens are those of priced and unpriced calls. forward_* is the same log at the card of
--   pricing_meta.as_of; projected_* is forward_* without the calls that have no time, the only part
--   that may be scaled to a month. projected_unrated_cost is what of it has no rate on that day.
SELECT
    workload_id,
    label,
    CAST(calls AS BIGINT) AS calls,
    CAST(priced_calls AS BIGINT) AS priced_calls,
    CAST(unpriced_calls AS BIGINT) AS unpriced_calls,
    CAST(unpriced_tokens AS BIGINT) AS unpriced_tokens,
    CAST(already_batch_calls AS BIGINT) AS already_batch_calls,
    CAST(billed_tokens AS BIGINT) AS billed_tokens,
    already_batch_cost,
    list_cost,
    effective_cost AS contracted_cost,
    effective_cost,
    CASE WHEN batch_rate_calls > 0 OR already_batch_calls > 0 THEN batch_conservative END
        AS batch_cost_conservative,
    CASE WHEN batch_rate_calls > 0 OR already_batch_calls > 0 THEN batch_cost_expected END
        AS batch_cost_expected,
    CASE WHEN batch_rate_calls > 0 OR already_batch_calls > 0 THEN batch_cost_best END
        AS batch_cost_best,
    CASE WHEN flex_rate_calls > 0 THEN flex_cost END AS flex_cost,
    saving_conservative,
    saving_expected,
    saving_best,
    forward_effective_cost,
    forward_already_batch_cost,
    forward_saving_conservative,
    forward_saving_expected,
    forward_saving_best,
    projected_effective_cost,
    projected_already_batch_cost,
    projected_unrated_cost,
    projected_saving_conservative,
    projected_saving_expected,
    projected_saving_best,
    CAST(peak_day_calls AS BIGINT) AS peak_day_calls,
    peak_day_calls >= 100 AND saving_conservative > 0 AND NOT deadline_risk
        AND (
            advice IN ('batch', 'needs_error_feedback', 'ask_owner')
            OR (advice = 'retired_model' AND label = 'batch_eligible')
        ) AS worth_it,
    deadline_kept,
    advice,
    CASE
        WHEN advice = 'already_batch' THEN 'These calls are in a batch already.'
        WHEN advice = 'flex' AND label = 'realtime'
            THEN 'Each call waits for the one before, so a batch will not do. If the result may come '
                || 'later, the flex tier serves the same calls for $' || CAST(CAST(flex_cost AS DECIMAL(38, 4)) AS VARCHAR)
                || ' instead of $' || CAST(CAST(effective_cost AS DECIMAL(38, 4)) AS VARCHAR) || '.'
        WHEN advice = 'flex' AND label = 'gray_area' AND due_in_minutes
            THEN 'Due within the hour, too soon for a batch: on the flex tier the same calls would '
                || 'cost $' || CAST(CAST(flex_cost AS DECIMAL(38, 4)) AS VARCHAR)
                || ' instead of $' || CAST(CAST(effective_cost AS DECIMAL(38, 4)) AS VARCHAR) || '.'
        WHEN advice = 'flex' THEN 'These calls run on the flex tier, at batch rates already.'
        WHEN advice = 'realtime' THEN 'Someone waits for these results.'
        WHEN advice = 'unpriced'
            THEN 'No price is known for these calls, so no saving either: see the data quality section.'
        WHEN advice = 'below_floor' AND candidate_calls = 0 THEN 'Nothing here was billed.'
        WHEN advice = 'below_floor'
            THEN 'Too few calls to be worth a migration: ' || CAST(peak_day_calls AS VARCHAR)
                || ' within 24 hours at most.'
        WHEN advice = 'retired_model' AND look_at IS NOT NULL
            THEN retired_model || CASE WHEN retired_status = 'retired' THEN ' was retired on '
                ELSE ' was announced to be retired on ' END || CAST(retired_on AS VARCHAR)
                || ', so nothing is saved from now on: look at the batch rates of ' || look_at || '.'
        WHEN advice = 'retired_model'
            THEN retired_model || ' has been retired, so nothing is saved from now on: price the '
                || 'model that replaces it.'
        WHEN advice = 'no_batch_rate' AND batch_rate_calls = 0
            THEN 'No batch rate is published for this model and tier.'
        WHEN advice = 'no_batch_rate' AND batch_conservative > effective_cost
            THEN 'Keep synchronous: at the rates you pay these calls cost $'
                || CAST(CAST(effective_cost AS DECIMAL(38, 4)) AS VARCHAR)
                || '; at the batch rates we know they would cost $'
                || CAST(CAST(batch_conservative AS DECIMAL(38, 4)) AS VARCHAR) || '.'
        WHEN advice = 'no_batch_rate' THEN 'A batch of these calls costs as much as they cost today.'
        WHEN advice = 'keep_sync_cache_cheaper'
            THEN 'Keep synchronous: cache hits make these calls cost $'
                || CAST(CAST(effective_cost AS DECIMAL(38, 4)) AS VARCHAR)
                || '; a batch without hits would cost $'
                || CAST(CAST(batch_conservative AS DECIMAL(38, 4)) AS VARCHAR)
                || CASE WHEN flex_rate_calls > 0 AND flex_cost < effective_cost
                    THEN ', the flex tier $' || CAST(CAST(flex_cost AS DECIMAL(38, 4)) AS VARCHAR)
                    ELSE '' END || '.'
        WHEN deadline_risk
            THEN 'A batch may take 24 hours and some of these calls are due earlier: not in the '
                || 'headline.'
                || COALESCE(
                    ' ' || turnaround || ': ' || CASE WHEN deadline_kept
                        THEN 'no call here is due sooner.' ELSE 'some calls here are due sooner.' END,
                    ''
                )
        WHEN advice = 'needs_error_feedback'
            THEN 'Try ten calls synchronously first: many of its requests are refused, and a batch '
                || 'shows its errors only at the end. Then move to the batch API.'
        WHEN advice = 'ask_owner' THEN 'Ask the owner: may the results come hours later?'
        ELSE 'Move to the batch API if the results may arrive up to 24 hours later.'
    END AS note
FROM workload_advice
