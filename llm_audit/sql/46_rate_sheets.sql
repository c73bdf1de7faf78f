-- table: rate_sheets
-- grain: one row per model_key, day, band and tier that a call may have been paid at (card_id);
--   the NULL day is that of calls without a time (rate_cards).
-- why: everything a call's costs need, side by side: what was paid (list_*), the same call on
--   flex (flex_*) and in a batch. A call's batch cost is
--     fresh x batch_input + output x batch_output, and for its cached and written tokens
--     conservative: no hits in the batch, each at batch_miss
--     expected:     hits at the documented middle share (cache_rules.expected_hit_share), the
--                   misses written anew, writes as they were
--     best:         hits and writes as they were.
--   batch_miss is the batch write rate where the vendor writes its cache unasked and charges for
--   it (OpenAI from GPT-5.6 on), else the batch input rate (no cache_control in the batch).
--   Where no batch rate for cached tokens is published, they cost the batch input rate.
--   A dash on the vendor's page (cache_rules.unpublished_rate = 'input') means "no discount".
SELECT
    ROW_NUMBER() OVER (ORDER BY model_key, day, tier, from_tokens) AS card_id,
    model_key,
    day,
    tier,
    from_tokens,
    below_tokens,
    retired,
    CASE
        WHEN list_input IS NOT NULL THEN 'priced'
        WHEN any_tier AND day IS NOT NULL THEN 'unpriced_tier'
        ELSE 'unpriced_date'
    END AS list_status,
    CASE
        WHEN tier = 'batch' THEN 'already_batch'
        WHEN batch_input IS NOT NULL THEN 'published'
        WHEN batch_rule = 'not_offered' THEN 'not_offered'
        ELSE 'unknown'
    END AS batch_status,
    list_input,
    list_cached,
    list_write_5m,
    list_write_1h,
    list_output,
    batch_input,
    batch_output,
    batch_cached,
    CAST(
        expected_hit_share * batch_cached + (1 - expected_hit_share) * batch_write_5m
        AS DECIMAL(14, 12)
    ) AS batch_cached_expected,
    batch_miss,
    batch_write_5m,
    batch_write_1h,
    flex_input,
    flex_cached,
    flex_write_5m,
    flex_write_1h,
    flex_output,
    search_fee,
    batch_search_fee,
    factor,
    batch_factor,
    flex_factor
FROM (
    SELECT
        slots.model_key,
        slots.day,
        slots.tier,
        slots.from_tokens,
        slots.below_tokens,
        slots.any_tier,
        COALESCE(life.retired_on <= slots.day, FALSE) AS retired,
        paid.input AS list_input,
        paid.output AS list_output,
        CASE
            WHEN cache_rules.unpublished_rate = 'input' THEN COALESCE(paid.cached_input, paid.input)
            ELSE paid.cached_input
        END AS list_cached,
        CASE
            WHEN cache_rules.unpublished_rate = 'input'
                THEN COALESCE(paid.cache_write_5m, paid.input)
            ELSE paid.cache_write_5m
        END AS list_write_5m,
        CASE
            WHEN cache_rules.unpublished_rate = 'input'
                THEN COALESCE(paid.cache_write_1h, paid.cache_write_5m, paid.input)
            ELSE paid.cache_write_1h
        END AS list_write_1h,
        CASE WHEN paid.output IS NULL OR batch.output IS NOT NULL THEN batch.input END
            AS batch_input,
        batch.output AS batch_output,
        batch.input_rule AS batch_rule,
        COALESCE(batch.cached_input, batch.input) AS batch_cached,
        COALESCE(batch.cache_write_5m, batch.input) AS batch_write_5m,
        COALESCE(batch.cache_write_1h, batch.cache_write_5m, batch.input) AS batch_write_1h,
        CASE
            WHEN cache_rules.caching = 'automatic' THEN COALESCE(batch.cache_write_5m, batch.input)
            ELSE batch.input
        END AS batch_miss,
        CAST(cache_rules.expected_hit_share AS DECIMAL(3, 2)) AS expected_hit_share,
        CASE WHEN paid.output IS NULL OR flex.output IS NOT NULL THEN flex.input END AS flex_input,
        flex.output AS flex_output,
        COALESCE(flex.cached_input, flex.input) AS flex_cached,
        COALESCE(flex.cache_write_5m, flex.input) AS flex_write_5m,
        COALESCE(flex.cache_write_1h, flex.cache_write_5m, flex.input) AS flex_write_1h,
        CAST(fees.usd_per_unit AS DECIMAL(14, 12)) AS search_fee,
        CAST(fees.usd_per_unit * fees.batch_factor AS DECIMAL(14, 12)) AS batch_search_fee,
        CAST(paid_factor.factor AS DECIMAL(8, 6)) AS factor,
        CAST(batch_factor.factor AS DECIMAL(8, 6)) AS batch_factor,
        CAST(flex_factor.factor AS DECIMAL(8, 6)) AS flex_factor
    FROM (
        SELECT
            rate_days.model_key,
            rate_days.provider,
            rate_days.surface,
            rate_days.day,
            rate_bands.from_tokens,
            rate_bands.below_tokens,
            contract_factors.tier,
            known.day IS NOT NULL AS any_tier
        FROM rate_days
        INNER JOIN rate_bands ON rate_bands.model_key = rate_days.model_key
        INNER JOIN contract_factors ON contract_factors.model_key = rate_days.model_key
        LEFT JOIN (SELECT DISTINCT model_key, day FROM rate_cards) AS known
            ON known.model_key = rate_days.model_key
            AND known.day IS NOT DISTINCT FROM rate_days.day
    ) AS slots
    LEFT JOIN rate_cards AS paid
        ON paid.model_key = slots.model_key
        AND paid.day IS NOT DISTINCT FROM slots.day
        AND paid.from_tokens = slots.from_tokens AND paid.tier = slots.tier
    LEFT JOIN rate_cards AS batch
        ON batch.model_key = slots.model_key
        AND batch.day IS NOT DISTINCT FROM slots.day
        AND batch.from_tokens = slots.from_tokens AND batch.tier = 'batch'
    LEFT JOIN rate_cards AS flex
        ON flex.model_key = slots.model_key
        AND flex.day IS NOT DISTINCT FROM slots.day
        AND flex.from_tokens = slots.from_tokens AND flex.tier = 'flex'
    LEFT JOIN cache_rules
        ON cache_rules.provider = slots.provider AND cache_rules.surface = slots.surface
    LEFT JOIN unit_fees AS fees
        ON fees.provider = slots.provider AND fees.surface = slots.surface
        AND fees.fee = 'web_search'
        AND (fees.effective_from IS NULL OR fees.effective_from <= slots.day)
        AND (fees.effective_to IS NULL OR fees.effective_to > slots.day)
    LEFT JOIN model_lifecycle AS life ON life.model_key = slots.model_key
    LEFT JOIN contract_factors AS paid_factor
        ON paid_factor.model_key = slots.model_key AND paid_factor.tier = slots.tier
    LEFT JOIN contract_factors AS batch_factor
        ON batch_factor.model_key = slots.model_key AND batch_factor.tier = 'batch'
    LEFT JOIN contract_factors AS flex_factor
        ON flex_factor.model_key = slots.model_key AND flex_factor.tier = 'flex'
) AS sheets
