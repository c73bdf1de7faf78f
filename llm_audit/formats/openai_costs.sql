-- format: openai_costs
-- title: OpenAI organisation costs, as pages of the costs API or as the dashboard's CSV export
-- docs: platform.openai.com/docs/api-reference/usage/costs
-- reader: json
-- yields: usage_buckets
-- records: data[].results[]
-- records: results[]
-- may_lack: project_id, organization_id, project_name, organization_name, user_email, api_source
-- detect: object=page, data[].object=bucket, data[].results[].object=organization.costs.result
-- detect: object=bucket, results[].object=organization.costs.result, start_time
-- detect: object=organization.costs.result, start_time, amount
-- detect: start_time, end_time, start_time_iso, end_time_iso, amount_value
-- tokens: a line item names model and kind: "gpt-5-nano, input_tokens", "gpt-5, cached input",
--   "batch | gpt-5, output, long context", "gpt-audio audio, input"; or a fee: "web search tool
--   calls". It is kept as written in export_keys.
-- columns:
--   object: VARCHAR
--   start_time: VARCHAR
--   end_time: VARCHAR
--   start_time_iso: VARCHAR
--   end_time_iso: VARCHAR
--   amount: JSON
--   amount_value: VARCHAR
--   amount_currency: VARCHAR
--   line_item: VARCHAR
--   quantity: VARCHAR
--   quantity_unit: VARCHAR
--   project_id: VARCHAR
--   project_name: VARCHAR
--   organization_id: VARCHAR
--   organization_name: VARCHAR
--   user_id: VARCHAR
--   user_name: VARCHAR
--   user_email: VARCHAR
--   api_key_id: VARCHAR
--   api_key_name: VARCHAR
--   api_key_redacted: VARCHAR
--   api_source: VARCHAR
--   other_dimensions: VARCHAR
WITH parts AS (
  SELECT
    *,
    COALESCE(json_extract_string(amount, '$.value'), amount_value) AS amount_text,
    COALESCE(json_extract_string(amount, '$.currency'), amount_currency) AS currency_text,
    regexp_extract(line_item, '^\s*(batch|flex|priority|standard)[^|]*\|', 1, 'i') AS named_tier,
    regexp_replace(line_item, '^\s*(batch|flex|priority|standard)[^|]*\|\s*', '', 'i') AS item
  FROM raw
),
-- "MODEL audio, cached input, long context": the words behind the first comma say what of it.
named AS (
  SELECT
    *,
    trim(regexp_replace(split_part(item, ',', 1), ' (audio|image|text)$', '')) AS subject,
    regexp_extract(split_part(item, ',', 1), ' (audio|image|text)$', 1) AS modality,
    replace(lower(trim(split_part(item, ',', 2))), '_', ' ') AS words
  FROM parts
),
kinds AS (
  SELECT
    *,
    CASE
      WHEN regexp_matches(words, 'cache (write|creation)') THEN 'cache_write_5m'
      WHEN contains(words, 'cached') THEN 'cached_input'
      WHEN regexp_matches(words, '\binput\b') THEN
        CASE COALESCE(nullif(modality, ''), regexp_extract(words, 'audio|image'))
          WHEN 'audio' THEN 'audio_input' WHEN 'image' THEN 'image_input' ELSE 'input' END
      WHEN regexp_matches(words, '\boutput\b') THEN
        CASE COALESCE(nullif(modality, ''), regexp_extract(words, 'audio|image'))
          WHEN 'audio' THEN 'audio_output' WHEN 'image' THEN 'image_output' ELSE 'output' END
    END AS kind,
    CASE lower(trim(quantity_unit))
      WHEN '1000_tokens' THEN 1000 WHEN '1000000_tokens' THEN 1000000 ELSE 1 END AS unit_size
  FROM named
)
SELECT
  object = 'organization.costs.result' OR (object IS NULL AND amount_value IS NOT NULL)
    AS recognised,
  COALESCE(
    bad_object('amount', amount),
    bad_amount('amount', amount_text),
    bad_quantity('quantity', quantity),
    CASE WHEN to_amount(amount_text) IS NOT NULL THEN bad_currency(currency_text) END
  ) AS reject_reason,
  to_time(COALESCE(nullif(start_time, ''), start_time_iso)) AS bucket_start,
  to_time(COALESCE(nullif(end_time, ''), end_time_iso)) AS bucket_end,
  'openai' AS provider_name,
  -- An id has no spaces and a digit: "Image models" is none.
  CASE WHEN regexp_full_match(subject, '[A-Za-z0-9][\w.:/+-]*') AND regexp_matches(subject, '[0-9]')
    THEN subject END AS model,
  COALESCE(to_export_tier(nullif(named_tier, '')),
    to_export_tier(nullif(regexp_extract(words, '\b(batch|flex|priority)\b', 1), '')))
    AS service_tier,
  COALESCE(if_known(api_key_name), api_key_id) AS api_key,
  MAP {
    'api_key_id': CASE WHEN if_known(api_key_name) IS NOT NULL THEN api_key_id END,
    'api_source': api_source,
    'line_item': line_item,
    'organization_id': organization_id,
    'other': other_dimensions,
    'project_id': project_id,
    'project_name': CASE WHEN if_known(project_id) IS NULL THEN project_name END,
    'quantity_unit': quantity_unit,
    'user_hash': to_user_hash(COALESCE(if_known(user_id), if_known(user_email), user_name))
  } AS export_keys,
  [charged(
    COALESCE(
      kind,
      CASE
        WHEN contains(lower(item), 'web search') THEN 'web_search'
        WHEN contains(lower(item), 'file search') THEN 'file_search'
        WHEN contains(lower(item), 'code interpreter') THEN 'code_interpreter'
        WHEN quantity_unit IN ('images', 'characters') THEN quantity_unit
        WHEN quantity_unit IN ('seconds', 'duration_seconds') THEN 'seconds'
        ELSE 'cost'
      END
    ),
    to_quantity(quantity) * unit_size,
    to_amount(amount_text)
  )] AS quantities
FROM kinds
