-- Lines that need a second look: not of this format, or with a value that cannot be right.
-- Lines of other formats that were read before come along, as ids made for lines count from the top.
SELECT
  located.ordinal,
  places.source_file,
  located.source_line,
  located.verdict <> 'read before' AS is_new,
  CASE WHEN located.verdict = 'reject' THEN substr(calls.source_file, 8) END AS reject_reason
FROM located
JOIN places ON places.place_no = located.place_no
JOIN calls ON calls.rowid = located.ordinal
WHERE located.verdict IN ('residue', 'reject')
  OR (located.verdict = 'read before' AND calls.source_file = 'residue')
ORDER BY located.ordinal
