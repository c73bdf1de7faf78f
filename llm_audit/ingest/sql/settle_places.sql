-- Where each arrived call stands in the logs. The line stays negative until its file is booked.
UPDATE calls
SET
  source_file = places.source_file,
  source_line = -located.source_line,
  source_format = places.source_format
FROM located
JOIN places ON places.place_no = located.place_no
WHERE calls.rowid = located.ordinal
