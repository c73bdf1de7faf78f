-- Arrived lines whose call is told better, or was told first, by another line.
SELECT ordinal FROM surplus
UNION ALL
SELECT ordinal FROM known WHERE NOT is_better
