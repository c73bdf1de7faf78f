-- Ids for the arrived calls that came without one.
UPDATE calls
SET call_id = made_ids.call_id
FROM made_ids
WHERE calls.rowid = made_ids.ordinal
