-- Calls, saving and advice per workload and label.
SELECT
  verdicts.workload_id,
  verdicts.label,
  verdicts.calls,
  coalesce(savings.saving_conservative, 0) AS saving_conservative,
  coalesce(savings.worth_it, FALSE) AS worth_it,
  savings.note
FROM workload_labels AS verdicts
LEFT JOIN savings
  ON verdicts.workload_id = savings.workload_id AND verdicts.label = savings.label
