-- The records, known or new (ordinal), that stand in another page or file with as much or more.
-- Records of one page, or of a file without pages, are added up: two of the same identity are two
-- that the vendor tells apart and the export does not. Pages and files repeat one another: the one
-- with the most in it stays (a bucket that was still open when it was exported only grew), the
-- known one among equals. Records with nothing in them repeat nothing.
WITH known AS (
  SELECT
    record_identity(source_format, bucket_start, bucket_end, provider_name, model, service_tier,
      api_key, export_keys) AS identity,
    source_file,
    source_page,
    sum(COALESCE(quantity, 0)) AS quantity,
    sum(COALESCE(amount_usd, 0)) AS amount_usd
  FROM usage_buckets
  WHERE source_format IN (SELECT source_format FROM export_records) AND token_kind <> 'nothing'
  GROUP BY ALL
),
arrived AS (
  SELECT
    rowid AS ordinal,
    identity,
    source_file,
    source_page,
    min(rowid) OVER page AS first_ordinal,
    sum(list_sum(list_transform(quantities, lambda q: COALESCE(q.quantity, 0)))) OVER page
      AS quantity,
    sum(list_sum(list_transform(quantities, lambda q: COALESCE(q.amount_usd, 0)))) OVER page
      AS amount_usd
  FROM export_records
  WHERE len(quantities) > 0
  WINDOW page AS (PARTITION BY identity, source_file, source_page)
),
candidates AS (
  SELECT CAST(NULL AS BIGINT) AS ordinal, CAST(NULL AS BIGINT) AS first_ordinal, * FROM known
  UNION ALL BY NAME
  SELECT * FROM arrived
)
SELECT
  ordinal,
  identity,
  source_file,
  source_page
FROM candidates
QUALIFY dense_rank() OVER (
  PARTITION BY identity
  ORDER BY quantity DESC, abs(amount_usd) DESC, first_ordinal NULLS FIRST, source_file, source_page
) > 1
