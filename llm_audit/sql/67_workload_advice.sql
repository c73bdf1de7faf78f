-- view: workload_advice
-- grain: one row per workload and label: the one thing to do about it.
-- why: the first case that holds wins. Work that one call makes wait for the next, and that no
--   person waits for, cannot be batched but can run on the flex tier at the same rates; so can
--   work that is due within the hour.
--   Where a batch is dearer, cache hits are the reason if the calls would be as dear without them;
--   else rates of the user's own lie below those of the batch.
--   100 calls within 24 hours is the least that is worth a migration. Eligible work whose wrong
--   requests are mended at once, or that has many of them, is worth it all the same, since a failed
--   request of a batch costs nothing; but its errors should be met in ten calls, not in ten thousand.
--   deadline_kept: no call is due sooner than the longest of the user's own batches took. Where a
--   workload has several models, the slowest counts; one that was not measured leaves all untold.
SELECT
    savings.*,
    COALESCE(verdicts.deadline_risk, FALSE) AS deadline_risk,
    COALESCE(verdicts.due_in_minutes, FALSE) AS due_in_minutes,
    COALESCE(verdicts.deadline_risk AND verdicts.due_in_s >= own.turnaround_max_s, FALSE)
        AS deadline_kept,
    own.turnaround,
    CASE
        WHEN savings.already_batch_calls > 0 AND savings.candidate_calls = 0
            AND savings.unpriced_calls = 0
            THEN 'already_batch'
        WHEN savings.label = 'realtime' AND verdicts.independence = 'contradicted'
            AND verdicts.tolerance = 'supported' AND savings.flex_cost < savings.effective_cost
            THEN 'flex'
        WHEN savings.label = 'realtime' THEN 'realtime'
        WHEN savings.candidate_calls = 0 AND savings.unpriced_calls > 0 THEN 'unpriced'
        WHEN savings.candidate_calls = 0 THEN 'below_floor'
        WHEN savings.retired_calls = savings.candidate_calls THEN 'retired_model'
        WHEN savings.batch_rate_calls = 0 THEN 'no_batch_rate'
        WHEN savings.saving_conservative = 0
            AND savings.flex_paid_calls = savings.candidate_calls
            THEN 'flex'
        WHEN savings.saving_conservative = 0
            AND savings.batch_conservative > savings.effective_cost
            AND savings.cache_effect < 0
            AND savings.effective_cost - savings.cache_effect >= savings.batch_conservative
            THEN 'keep_sync_cache_cheaper'
        WHEN savings.saving_conservative = 0 THEN 'no_batch_rate'
        WHEN savings.label = 'gray_area' AND verdicts.due_in_minutes
            AND savings.flex_cost < savings.effective_cost
            THEN 'flex'
        WHEN savings.peak_day_calls < 100 THEN 'below_floor'
        WHEN savings.label = 'gray_area' THEN 'ask_owner'
        WHEN verdicts.needs_error_feedback THEN 'needs_error_feedback'
        ELSE 'batch'
    END AS advice
FROM workload_savings AS savings
LEFT JOIN workload_labels AS verdicts
    ON verdicts.workload_id = savings.workload_id AND verdicts.label = savings.label
LEFT JOIN (
    SELECT
        workload_id,
        label,
        MAX(turnaround_max_s) AS turnaround_max_s,
        MAX(CASE WHEN place = 1 THEN turnaround END) AS turnaround
    FROM (
        SELECT
            cards.workload_id,
            cards.label,
            measured.turnaround_max_s,
            measured.turnaround,
            ROW_NUMBER() OVER (
                PARTITION BY cards.workload_id, cards.label
                ORDER BY measured.turnaround_max_s DESC, measured.turnaround
            ) AS place
        FROM workload_cards AS cards
        LEFT JOIN measured_batches AS measured ON measured.model_key = cards.model_key
    ) AS ranked
    GROUP BY workload_id, label
    HAVING COUNT(*) = COUNT(turnaround_max_s)
) AS own ON own.workload_id = savings.workload_id AND own.label = savings.label
