-- Arrived lines that are no calls, or whose call another line tells.
DELETE FROM calls
WHERE rowid IN (SELECT ordinal FROM located WHERE verdict <> 'call')
  OR rowid IN (SELECT ordinal FROM dropped)
