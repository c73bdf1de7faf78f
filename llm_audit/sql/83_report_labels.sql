-- view: report_labels
-- grain: one row per label, also for a label that no call carries
-- why: these savings count every workload of the label, worth moving or not; the headline
--      (report_savings) counts only those worth moving.
SELECT
  names.label,
  names.position,
  COALESCE(SUM(s.calls), 0) AS calls,
  COALESCE(SUM(s.already_batch_calls), 0) AS already_batch_calls,
  COALESCE(SUM(s.effective_cost), 0) AS effective_cost,
  COALESCE(SUM(s.already_batch_cost), 0) AS already_batch_cost,
  COALESCE(SUM(s.saving_conservative), 0) AS saving_conservative,
  COALESCE(SUM(s.saving_expected), 0) AS saving_expected,
  COALESCE(SUM(s.saving_best), 0) AS saving_best
FROM (VALUES ('batch_eligible', 1), ('gray_area', 2), ('realtime', 3)) AS names (label, position)
LEFT JOIN savings AS s ON s.label = names.label
GROUP BY names.label, names.position
