-- view: call_quantities
-- grain: one row per call: what is to be priced, and whether it can be.
-- why: input_tokens includes cached and written ones; here they are apart (fresh_tokens is the
--   rest). An unknown tier counts as standard. Audio and generated images have rates of their
--   own that the card does not carry: such calls are not priced as text. Counts below zero, over
--   ten billion, or with more cached than whole tokens are a broken log, not a price. A failed call
--   is not billed, whatever its tokens. A cancelled one is, up to where it stopped, except in a
--   batch: without a count its cost is unknown. A call without tokens costs nothing, unless its
--   kind is not billed by the token or the log itself names a cost. A NULL day is an unknown one.
SELECT
    call_id,
    model_key,
    day,
    tier,
    prompt_tokens,
    CASE WHEN prompt_tokens BETWEEN 0 AND 10000000000 THEN prompt_tokens ELSE 0 END
        + CASE WHEN output_tokens BETWEEN 0 AND 10000000000 THEN output_tokens ELSE 0 END
        AS total_tokens,
    CASE
        WHEN read_tokens + write_5m_tokens + write_1h_tokens BETWEEN 0 AND prompt_tokens
            THEN CAST(
                prompt_tokens - read_tokens - write_5m_tokens - write_1h_tokens AS DECIMAL(19, 0)
            )
    END AS fresh_tokens,
    read_tokens,
    write_5m_tokens,
    write_1h_tokens,
    output_tokens,
    output_unknown,
    searches,
    CASE
        WHEN gateway_cache_hit THEN 'not_billed'
        WHEN status = 'error' THEN 'not_billed'
        WHEN status = 'cancelled' AND prompt_tokens = 0 AND output_tokens = 0
            AND (tier = 'batch' OR NOT input_unknown)
            THEN 'not_billed'
        WHEN is_free THEN 'free'
        WHEN tokens_source = 'missing' OR input_unknown OR other_media
            OR prompt_tokens NOT BETWEEN 0 AND 10000000000
            OR output_tokens NOT BETWEEN 0 AND 10000000000
            OR searches NOT BETWEEN 0 AND 10000000000
            OR read_tokens < 0 OR write_5m_tokens < 0 OR write_1h_tokens < 0
            OR read_tokens + write_5m_tokens + write_1h_tokens > prompt_tokens
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
        CAST(COALESCE(calls.started_at, calls.ended_at) AS DATE) AS day,
        COALESCE(calls.service_tier, 'standard') AS tier,
        calls.status,
        calls.tokens_source,
        calls.gateway_cache_hit,
        calls.input_tokens IS NULL AS input_unknown,
        calls.output_tokens IS NULL AS output_unknown,
        COALESCE(calls.audio_input_tokens, 0) > 0 OR COALESCE(calls.audio_output_tokens, 0) > 0
            OR COALESCE(calls.image_output_tokens, 0) > 0 AS other_media,
        COALESCE(calls.input_tokens, 0) = 0 AND COALESCE(calls.output_tokens, 0) = 0
            AND COALESCE(calls.web_search_requests, 0) = 0 AS no_tokens,
        COALESCE(calls.operation_name IN ('image', 'audio', 'rerank'), FALSE)
            OR COALESCE(calls.logged_cost > 0, FALSE) AS billed_otherwise,
        free_operations.operation_name IS NOT NULL AS is_free,
        CAST(COALESCE(calls.input_tokens, 0) AS DECIMAL(19, 0)) AS prompt_tokens,
        CAST(COALESCE(calls.cache_read_input_tokens, 0) AS DECIMAL(19, 0)) AS read_tokens,
        CAST(COALESCE(calls.cache_creation_5m_input_tokens, 0) AS DECIMAL(19, 0))
            AS write_5m_tokens,
        CAST(COALESCE(calls.cache_creation_1h_input_tokens, 0) AS DECIMAL(19, 0))
            AS write_1h_tokens,
        CAST(COALESCE(calls.output_tokens, 0) AS DECIMAL(19, 0)) AS output_tokens,
        CAST(COALESCE(calls.web_search_requests, 0) AS DECIMAL(19, 0)) AS searches
    FROM calls
    LEFT JOIN model_names AS names
        ON names.provider_name IS NOT DISTINCT FROM calls.provider_name
        AND names.request_model IS NOT DISTINCT FROM calls.request_model
        AND names.response_model IS NOT DISTINCT FROM calls.response_model
    LEFT JOIN free_operations
        ON free_operations.provider = names.provider
        AND free_operations.surface = names.surface
        AND free_operations.operation_name = calls.operation_name
) AS quantities
