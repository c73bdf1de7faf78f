-- table: rate_sheets
-- grain: one row per model_key, day, band and tier that a call may have been paid at (card_id);
--   the NULL day is that of calls without a time (rate_cards).
-- why: everything a call's costs need, side by side, USD per token: the published rates (list_*),
--   the same under the user's contract (paid_*), on flex (flex_*) and in a batch (batch_*); and
--   those of the standard tier (plain_*), or the tier's own where that has none.
--   A call's batch cost is fresh x batch_input + output x batch_output, and for its cached and
--   written tokens
--     conservative: no hits in the batch, each at batch_miss
--     expected:     hits at expected_hit_share, the misses written anew, writes as they were: the
--                   share that the user's own batches of the model had (measured_batches; measured_hits
--                   says so), else the documented middle (cache_rules), none where nothing is
--                   documented
--     best:         hits and writes as they were.
--   batch_miss is the batch write rate where the vendor writes its cache unasked and charges for
--   it (OpenAI from GPT-5.6 on), else the batch input rate (no cache_control in the batch).
--   Where no batch rate for cached tokens is published, they cost the batch input rate.
--   A dash on the vendor's page (cache_rules.unpublished_rate = 'input') means "no discount".
--   Audio and images: a NULL rate is unknown, except that images without a rate are billed as text.
SELECT
    ROW_NUMBER() OVER (ORDER BY slots.model_key, slots.day, slots.tier, slots.from_tokens)
        AS card_id,
    slots.model_key,
    slots.day,
    slots.tier,
    slots.from_tokens,
    slots.below_tokens,
    COALESCE(life.retired_on <= slots.day, FALSE) AS retired,
    list.is_own = 1 AS has_user_rates,
    CASE
        WHEN list.input IS NOT NULL THEN 'priced'
        WHEN slots.any_tier AND slots.day IS NOT NULL THEN 'unpriced_tier'
        ELSE 'unpriced_date'
    END AS list_status,
    CASE
        WHEN slots.tier = 'batch' THEN 'already_batch'
        WHEN batch.paid_input IS NOT NULL AND (list.output IS NULL OR batch.paid_output IS NOT NULL)
            THEN 'published'
        WHEN batch.input_rule = 'not_offered' THEN 'not_offered'
        ELSE 'unknown'
    END AS batch_status,
    slots.factor <> 1 AS has_contract,
    list.input AS list_input,
    COALESCE(list.cached_input, CASE WHEN slots.dash_is_input THEN list.input END) AS list_cached,
    COALESCE(list.cache_write_5m, CASE WHEN slots.dash_is_input THEN list.input END) AS list_write_5m,
    COALESCE(
        list.cache_write_1h,
        CASE WHEN slots.dash_is_input THEN COALESCE(list.cache_write_5m, list.input) END
    ) AS list_write_1h,
    list.output AS list_output,
    list.audio_input AS list_audio_input,
    list.audio_output AS list_audio_output,
    list.image_input AS list_image_input,
    list.image_output AS list_image_output,
    COALESCE(plain.input, list.input) AS plain_input,
    COALESCE(plain.output, list.output) AS plain_output,
    COALESCE(plain.audio_input, list.audio_input) AS plain_audio_input,
    COALESCE(plain.audio_output, list.audio_output) AS plain_audio_output,
    COALESCE(plain.image_input, list.image_input) AS plain_image_input,
    COALESCE(plain.image_output, list.image_output) AS plain_image_output,
    list.paid_input AS paid_input,
    COALESCE(list.paid_cached_input, CASE WHEN slots.dash_is_input THEN list.paid_input END) AS paid_cached,
    COALESCE(list.paid_cache_write_5m, CASE WHEN slots.dash_is_input THEN list.paid_input END) AS paid_write_5m,
    COALESCE(
        list.paid_cache_write_1h,
        CASE WHEN slots.dash_is_input THEN COALESCE(list.paid_cache_write_5m, list.paid_input) END
    ) AS paid_write_1h,
    list.paid_output AS paid_output,
    list.paid_audio_input AS paid_audio_input,
    list.paid_audio_output AS paid_audio_output,
    list.paid_image_input AS paid_image_input,
    list.paid_image_output AS paid_image_output,
    CASE WHEN list.output IS NULL OR batch.paid_output IS NOT NULL THEN batch.paid_input END AS batch_input,
    COALESCE(batch.paid_cached_input, batch.paid_input) AS batch_cached,
    CAST(
        slots.expected_hit_share * COALESCE(batch.paid_cached_input, batch.paid_input)
        + (1 - slots.expected_hit_share) * COALESCE(batch.paid_cache_write_5m, batch.paid_input)
        AS DECIMAL(14, 12)
    ) AS batch_cached_expected,
    CASE
        WHEN slots.writes_unasked THEN COALESCE(batch.paid_cache_write_5m, batch.paid_input)
        ELSE batch.paid_input
    END AS batch_miss,
    COALESCE(batch.paid_cache_write_5m, batch.paid_input) AS batch_write_5m,
    COALESCE(batch.paid_cache_write_1h, batch.paid_cache_write_5m, batch.paid_input) AS batch_write_1h,
    slots.expected_hit_share,
    slots.measured_hits,
    batch.paid_output AS batch_output,
    batch.paid_audio_input AS batch_audio_input,
    batch.paid_audio_output AS batch_audio_output,
    batch.paid_image_input AS batch_image_input,
    batch.paid_image_output AS batch_image_output,
    CASE WHEN list.output IS NULL OR flex.paid_output IS NOT NULL THEN flex.paid_input END AS flex_input,
    COALESCE(flex.paid_cached_input, flex.paid_input) AS flex_cached,
    COALESCE(flex.paid_cache_write_5m, flex.paid_input) AS flex_write_5m,
    COALESCE(flex.paid_cache_write_1h, flex.paid_cache_write_5m, flex.paid_input) AS flex_write_1h,
    flex.paid_output AS flex_output,
    flex.paid_audio_input AS flex_audio_input,
    flex.paid_audio_output AS flex_audio_output,
    flex.paid_image_input AS flex_image_input,
    flex.paid_image_output AS flex_image_output,
    CAST(fees.usd_per_unit AS DECIMAL(14, 12)) AS search_fee,
    CAST(fees.usd_per_unit * fees.batch_factor AS DECIMAL(14, 12)) AS batch_search_fee
FROM (
    SELECT
        rate_days.model_key,
        rate_days.price_key,
        rate_days.provider,
        rate_days.surface,
        rate_days.day,
        rate_bands.from_tokens,
        rate_bands.below_tokens,
        contract_factors.tier,
        contract_factors.factor,
        known.model_key IS NOT NULL AS any_tier,
        COALESCE(cache_rules.unpublished_rate = 'input', FALSE) AS dash_is_input,
        COALESCE(cache_rules.caching = 'automatic', FALSE) AS writes_unasked,
        CAST(
            COALESCE(measured_batches.cache_hit_share, cache_rules.expected_hit_share, 0)
            AS DECIMAL(3, 2)
        ) AS expected_hit_share,
        measured_batches.hits AS measured_hits
    FROM rate_days
    INNER JOIN rate_bands ON rate_bands.model_key = rate_days.model_key
    INNER JOIN contract_factors ON contract_factors.model_key = rate_days.model_key
    LEFT JOIN (SELECT DISTINCT model_key, day FROM rate_cards) AS known
        ON known.model_key = rate_days.model_key
        AND known.day IS NOT DISTINCT FROM rate_days.day
    LEFT JOIN cache_rules
        ON cache_rules.provider = rate_days.provider AND cache_rules.surface = rate_days.surface
    LEFT JOIN measured_batches ON measured_batches.model_key = rate_days.model_key
) AS slots
LEFT JOIN rate_cards AS list
    ON list.model_key = slots.model_key
    AND list.day IS NOT DISTINCT FROM slots.day
    AND list.from_tokens = slots.from_tokens AND list.tier = slots.tier
LEFT JOIN rate_cards AS plain
    ON plain.model_key = slots.model_key
    AND plain.day IS NOT DISTINCT FROM slots.day
    AND plain.from_tokens = slots.from_tokens AND plain.tier = 'standard'
LEFT JOIN rate_cards AS batch
    ON batch.model_key = slots.model_key
    AND batch.day IS NOT DISTINCT FROM slots.day
    AND batch.from_tokens = slots.from_tokens AND batch.tier = 'batch'
LEFT JOIN rate_cards AS flex
    ON flex.model_key = slots.model_key
    AND flex.day IS NOT DISTINCT FROM slots.day
    AND flex.from_tokens = slots.from_tokens AND flex.tier = 'flex'
LEFT JOIN unit_fees AS fees
    ON fees.provider = slots.provider AND fees.surface = slots.surface
    AND fees.fee = 'web_search'
    AND (fees.effective_from IS NULL OR fees.effective_from <= slots.day)
    AND (fees.effective_to IS NULL OR fees.effective_to > slots.day)
LEFT JOIN model_lifecycle AS life ON life.model_key = slots.price_key
