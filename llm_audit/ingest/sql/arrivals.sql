-- What each line becomes, in the columns of `calls`, as they arrive from a format's SELECT (`lines`).
-- Until a line is settled, `source_file` holds the verdict on it.
SELECT
  * EXCLUDE (recognised, not_call_reason, reject_reason),
  CASE
    WHEN NOT COALESCE(recognised, false) THEN 'residue'
    WHEN not_call_reason IS NOT NULL THEN 'not_call'
    WHEN reject_reason IS NOT NULL THEN 'reject ' || reject_reason
    ELSE 'call'
  END AS source_file
FROM lines
