-- One narrow row per arrived line: where it stands in its file and what the format made of it.
-- Lines up to `skip_lines` were accounted for when the file was shorter.
SELECT
  calls.rowid AS ordinal,
  places.place_no,
  places.first_line + calls.rowid - places.first_ordinal AS source_line,
  CASE
    WHEN places.first_line + calls.rowid - places.first_ordinal <= places.skip_lines
      THEN 'read before'
    ELSE split_part(calls.source_file, ' ', 1)
  END AS verdict
FROM calls
ASOF JOIN places ON calls.rowid >= places.first_ordinal
WHERE calls.rowid >= getvariable('first_ordinal')
