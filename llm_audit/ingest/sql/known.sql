-- Lines whose call is in the database already, and whether this line tells more about it.
SELECT
  located.ordinal,
  located.call_id,
  calls.source_file AS known_file,
  call_quality(stage.service_tier, stage.tokens_source, stage.started_at, stage.message_count,
    COALESCE(stage.caller, stage.api_key_alias))
  > call_quality(calls.service_tier, calls.tokens_source, calls.started_at, calls.message_count,
    calls.caller) AS is_better
FROM located
JOIN calls ON calls.call_id = located.call_id
JOIN stage ON stage.rowid = located.ordinal
WHERE located.verdict = 'call'
  AND located.ordinal NOT IN (SELECT ordinal FROM surplus)
