-- view: report_bridge
-- grain: one row per level ('total') and step between two levels, from the list price without any
--        discount down to the bill after the move; observed, USD
-- why: what a reader of bills wants to see subtracted, and what is put back on: a 'step' is negative
--      where it makes the bill smaller, and the steps after a total add up to the next one exactly.
SELECT 1 AS position, 'list_price' AS name, 'total' AS kind,
  CASE WHEN (SELECT COUNT(*) FROM report_own_rates) > 0
    THEN 'List price, your own rates where you gave them: nothing cached, standard tier'
    ELSE 'List price of every token: nothing cached, standard tier' END AS title,
  plain_cost AS amount
FROM (
  SELECT COALESCE(SUM(plain_cost), 0) AS plain_cost FROM card_costs WHERE basis = 'observed'
) AS plain
UNION ALL
SELECT 2, 'cache', 'step', 'Prompt caching you use today: reads cheaper, writes dearer',
  COALESCE(SUM(cache_effect), 0)
FROM card_costs
WHERE basis = 'observed'
UNION ALL
SELECT 3, 'tiers', 'step', 'Batch, flex and priority tiers you use today',
  COALESCE(SUM(list_cost - cache_effect - plain_cost), 0)
FROM card_costs
WHERE basis = 'observed'
UNION ALL
SELECT 4, 'negotiated', 'step', 'Your negotiated prices', COALESCE(SUM(effective_cost - list_cost), 0)
FROM card_costs
WHERE basis = 'observed'
UNION ALL
SELECT 5, 'bill', 'total', 'Bill today', effective_cost
FROM report_totals
UNION ALL
SELECT 6, 'batch_rate', 'step', 'Batch rate on the workloads worth moving, every cache hit kept',
  -best
FROM report_savings
WHERE basis = 'observed'
UNION ALL
SELECT 7, 'cache_lost', 'step', 'Cache hits that a batch may lose', best - conservative
FROM report_savings
WHERE basis = 'observed'
UNION ALL
SELECT 8, 'expired', 'step', 'Requests that expire and are sent again: none is assumed',
  CAST(0 AS DECIMAL(38, 12))
UNION ALL
SELECT 9, 'bill_after', 'total', 'Bill after the move', effective_cost - conservative
FROM report_savings
WHERE basis = 'observed'
