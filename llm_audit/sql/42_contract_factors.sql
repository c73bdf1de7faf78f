-- table: contract_factors
-- grain: one row per model_key and tier: the user's negotiated factor on the list price.
-- why: without a contract the factor is 1.
SELECT
    keys.model_key,
    tiers.tier,
    COALESCE(CAST(contract.factor AS DECIMAL(8, 6)), CAST(1 AS DECIMAL(8, 6))) AS factor
FROM (SELECT DISTINCT model_key FROM model_names WHERE model_key IS NOT NULL) AS keys
CROSS JOIN (
    SELECT 'standard' AS tier
    UNION ALL SELECT 'batch'
    UNION ALL SELECT 'flex'
    UNION ALL SELECT 'priority'
) AS tiers
LEFT JOIN contract_multipliers AS contract
    ON contract.model_key = keys.model_key AND contract.tier = tiers.tier
