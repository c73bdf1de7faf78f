-- The distinct label lists of the arrived calls.
SELECT DISTINCT tags
FROM calls
WHERE rowid >= getvariable('first_ordinal') AND tags IS NOT NULL
