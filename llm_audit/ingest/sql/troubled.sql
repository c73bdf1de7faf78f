-- Lines that need a second look: not of this format, or with a value that cannot be right.
SELECT located.ordinal, located.source_file, located.source_line, stage.reject_reason
FROM located
JOIN stage ON stage.rowid = located.ordinal
WHERE located.verdict IN ('residue', 'reject')
ORDER BY located.ordinal
