-- What each record of an export becomes, as it arrives from a format's SELECT (`lines`).
SELECT
  COALESCE(recognised, false) AS recognised,
  COALESCE(
    reject_reason,
    CASE
      WHEN bucket_start IS NULL OR bucket_end IS NULL THEN 'its time is missing or no time'
      WHEN bucket_end <= bucket_start THEN 'it ends before it starts'
      WHEN list_bool_or(list_transform(quantities, lambda q: q.quantity < 0))
        THEN 'a negative quantity'
    END
  ) AS reject_reason,
  bucket_start,
  bucket_end,
  provider_name,
  to_export_text(model) AS model,
  service_tier,
  to_export_text(api_key) AS api_key,
  to_json(map_from_entries(list_sort(list_transform(
    list_filter(map_entries(export_keys), lambda entry: to_export_text(entry.value) IS NOT NULL),
    lambda entry: {'key': entry.key, 'value': to_export_text(entry.value)}
  )))) AS export_keys,
  list_filter(quantities, lambda q: q.amount_usd IS NOT NULL OR q.quantity <> 0) AS quantities
FROM lines
