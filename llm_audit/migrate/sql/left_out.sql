-- Why calls are left out: one row per reason and sentence, the dearest to the headline first.
SELECT
  reason,
  detail,
  count(*) AS calls,
  COALESCE(sum(sync_cost), 0) AS sync_cost,
  COALESCE(sum(CASE WHEN in_headline THEN saving_conservative END), 0) AS headline_saving
FROM migration_calls
WHERE reason IS NOT NULL
GROUP BY reason, detail
ORDER BY headline_saving DESC, calls DESC, reason, detail
