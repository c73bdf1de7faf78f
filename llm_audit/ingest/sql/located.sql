-- One narrow row per staged line: where it stands in its file and what the format made of it.
-- Lines above `skip_lines` were accounted for when the file was shorter.
SELECT
  stage.rowid AS ordinal,
  places.source_file,
  places.first_line + stage.rowid - places.first_ordinal AS source_line,
  CASE
    WHEN NOT COALESCE(stage.recognised, false) THEN 'residue'
    WHEN stage.not_call_reason IS NOT NULL THEN 'not_call'
    WHEN stage.reject_reason IS NOT NULL THEN 'reject'
    ELSE 'call'
  END AS verdict,
  stage.call_id
FROM stage
ASOF JOIN places ON stage.rowid >= places.first_ordinal
WHERE places.first_line + stage.rowid - places.first_ordinal > places.skip_lines
