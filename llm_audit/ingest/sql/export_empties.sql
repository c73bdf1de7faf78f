-- The buckets that a page shows as empty, as rows without a quantity or without an amount. They do
-- not say what they are of: the other records of the page do, or of the file if they agree.
WITH records AS (
  SELECT
    source_file,
    source_format,
    source_page,
    provider_name,
    json_extract_string(export_keys, '$.endpoint') AS endpoint,
    bool_or(entry.quantity IS NOT NULL) AS has_quantity,
    bool_or(entry.amount_usd IS NOT NULL) AS has_amount
  FROM (SELECT *, unnest(quantities) AS entry FROM export_records)
  GROUP BY source_file, source_format, source_page, provider_name, endpoint
),
subjects AS (
  SELECT source_file, source_format, provider_name, endpoint, list(DISTINCT source_page) AS pages,
    bool_or(has_quantity) AS has_quantity, bool_or(has_amount) AS has_amount,
    count(*) OVER (PARTITION BY source_file, source_format) AS of_file
  FROM records
  GROUP BY source_file, source_format, provider_name, endpoint
)
SELECT
  empties.source_file,
  empties.source_line,
  empties.source_page,
  empties.source_format,
  empties.bucket_start,
  empties.bucket_end,
  subjects.provider_name,
  'nothing' AS token_kind,
  CASE WHEN subjects.has_quantity THEN 0 END AS quantity,
  CASE WHEN subjects.has_amount THEN 0 END AS amount_usd,
  CASE WHEN subjects.endpoint IS NULL THEN JSON '{}'
    ELSE json_object('endpoint', subjects.endpoint) END AS export_keys
FROM (
  SELECT * EXCLUDE (start_text, end_text), to_time(start_text) AS bucket_start,
    to_time(end_text) AS bucket_end
  FROM export_empties
) AS empties
JOIN subjects
  ON subjects.source_file = empties.source_file
  AND subjects.source_format = empties.source_format
  AND (subjects.of_file = 1 OR list_contains(subjects.pages, empties.source_page))
WHERE empties.bucket_end > empties.bucket_start
