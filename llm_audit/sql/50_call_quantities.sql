-- view: call_quantities
-- grain: one row per call: what is to be priced, and whether it can be.
-- why: input_tokens includes cached and written ones. An unknown tier counts as standard; the
--   Priority Tier of Anthropic is a commitment without a published rate, not its fast mode, so it
--   is a tier of its own that no card has. Counts below zero, over ten billion, or with more cached
--   than whole tokens are a broken log, not a price (they are cut to just outside those limits, so
--   that no sum overflows). A failed call is not billed, whatever its tokens. A cancelled one is, up
--   to where it stopped, except in a batch; without a count its cost is unknown. A call without
--   tokens costs nothing, unless its kind is not billed by the token or the log itself names a
--   cost. A NULL day is an unknown one.
SELECT
    call_id,
    model_key,
    happened_at,
    day,
    tier,
    prompt_tokens,
    CASE WHEN prompt_tokens BETWEEN 0 AND 10000000000 THEN prompt_tokens ELSE 0 END
        + CASE WHEN completion_tokens BETWEEN 0 AND 10000000000 THEN completion_tokens ELSE 0 END
        AS total_tokens,
    read_tokens,
    write_5m_tokens,
    write_1h_tokens,
    completion_tokens,
    audio_input_tokens,
    audio_output_tokens,
    image_input_tokens,
    image_output_tokens,
    output_unknown,
    searches,
    CASE
        WHEN gateway_cache_hit THEN 'not_billed'
        WHEN status = 'error' THEN 'not_billed'
        WHEN status = 'cancelled' AND (tier = 'batch' OR (no_tokens AND NOT input_unknown))
            THEN 'not_billed'
        WHEN is_free THEN 'free'
        WHEN tokens_source = 'missing' OR input_unknown
            OR prompt_tokens NOT BETWEEN 0 AND 10000000000
            OR completion_tokens NOT BETWEEN 0 AND 10000000000
            OR searches NOT BETWEEN 0 AND 10000000000
            OR read_tokens NOT BETWEEN 0 AND prompt_tokens
            OR write_5m_tokens NOT BETWEEN 0 AND prompt_tokens
            OR write_1h_tokens NOT BETWEEN 0 AND prompt_tokens
            OR audio_input_tokens NOT BETWEEN 0 AND prompt_tokens
            OR image_input_tokens NOT BETWEEN 0 AND prompt_tokens
            OR audio_output_tokens NOT BETWEEN 0 AND completion_tokens
            OR image_output_tokens NOT BETWEEN 0 AND completion_tokens
            OR read_tokens + write_5m_tokens + write_1h_tokens > prompt_tokens
            OR audio_input_tokens + image_input_tokens > prompt_tokens
            OR audio_output_tokens + image_output_tokens > completion_tokens
            OR (no_tokens AND billed_otherwise)
            THEN 'unpriced_tokens'
        WHEN no_tokens AND NOT output_unknown THEN 'not_billed'
        WHEN model_key IS NULL THEN 'unpriced_model'
        ELSE 'priceable'
    END AS quantity_status
FROM (
    SELECT
        calls.call_id,
        names.model_key,
        COALESCE(calls.started_at, calls.ended_at) AS happened_at,
        CAST(COALESCE(calls.started_at, calls.ended_at) AS DATE) AS day,
        CASE
            WHEN calls.service_tier = 'batch' THEN 'batch'
            WHEN names.provider = 'anthropic' AND calls.inference_speed = 'fast' THEN 'priority'
            WHEN names.provider = 'anthropic' AND calls.service_tier = 'priority' THEN 'committed'
            ELSE COALESCE(calls.service_tier, 'standard')
        END AS tier,
        calls.status,
        calls.tokens_source,
        calls.gateway_cache_hit,
        calls.input_tokens IS NULL AS input_unknown,
        calls.output_tokens IS NULL AS output_unknown,
        COALESCE(calls.input_tokens, 0) = 0 AND COALESCE(calls.output_tokens, 0) = 0
            AND COALESCE(calls.web_search_requests, 0) = 0 AS no_tokens,
        COALESCE(calls.operation_name IN ('image', 'audio', 'rerank'), FALSE)
            OR COALESCE(calls.logged_cost > 0, FALSE) AS billed_otherwise,
        free_operations.operation_name IS NOT NULL AS is_free,
        LEAST(GREATEST(COALESCE(calls.input_tokens, 0), -1), 10000000001) AS prompt_tokens,
        LEAST(GREATEST(COALESCE(calls.cache_read_input_tokens, 0), -1), 10000000001) AS read_tokens,
        LEAST(GREATEST(COALESCE(calls.cache_creation_5m_input_tokens, 0), -1), 10000000001) AS write_5m_tokens,
        LEAST(GREATEST(COALESCE(calls.cache_creation_1h_input_tokens, 0), -1), 10000000001) AS write_1h_tokens,
        LEAST(GREATEST(COALESCE(calls.output_tokens, 0), -1), 10000000001) AS completion_tokens,
        LEAST(GREATEST(COALESCE(calls.audio_input_tokens, 0), -1), 10000000001) AS audio_input_tokens,
        LEAST(GREATEST(COALESCE(calls.audio_output_tokens, 0), -1), 10000000001) AS audio_output_tokens,
        LEAST(GREATEST(COALESCE(calls.image_input_tokens, 0), -1), 10000000001) AS image_input_tokens,
        LEAST(GREATEST(COALESCE(calls.image_output_tokens, 0), -1), 10000000001) AS image_output_tokens,
        LEAST(GREATEST(COALESCE(calls.web_search_requests, 0), -1), 10000000001) AS searches
    FROM calls
    LEFT JOIN model_names AS names
        ON names.provider_name IS NOT DISTINCT FROM calls.provider_name
        AND names.request_model IS NOT DISTINCT FROM calls.request_model
        AND names.response_model IS NOT DISTINCT FROM calls.response_model
        AND names.inference_region IS NOT DISTINCT FROM calls.inference_region
    LEFT JOIN free_operations
        ON free_operations.provider = names.provider
        AND free_operations.surface = names.surface
        AND free_operations.operation_name = calls.operation_name
) AS quantities
