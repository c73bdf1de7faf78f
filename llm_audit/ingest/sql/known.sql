-- Lines whose call is in the database already, and whether this line tells more about it.
SELECT
  located.ordinal,
  known.rowid AS known_ordinal,
  known.source_file AS known_file,
  call_quality(calls.service_tier, calls.tokens_source, calls.started_at, calls.message_count,
    calls.caller)
  > call_quality(known.service_tier, known.tokens_source, known.started_at, known.message_count,
    known.caller) AS is_better
FROM calls
JOIN located ON located.ordinal = calls.rowid
JOIN calls AS known
  ON known.call_id = calls.call_id AND known.rowid < getvariable('first_ordinal')
WHERE calls.rowid >= getvariable('first_ordinal')
  AND located.verdict = 'call'
  AND located.ordinal NOT IN (SELECT ordinal FROM surplus)
  AND known.rowid NOT IN (SELECT ordinal FROM replaced)
