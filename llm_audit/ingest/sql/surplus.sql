-- Lines that repeat a call of this load. The one that tells most stays, the first among equals:
-- a batch envelope, reported tokens, a time, a prompt, a caller.
SELECT ordinal
FROM (
  SELECT
    located.ordinal,
    row_number() OVER (
      PARTITION BY calls.call_id
      ORDER BY
        call_quality(calls.service_tier, calls.tokens_source, calls.started_at,
          calls.message_count, calls.caller) DESC,
        located.ordinal
    ) AS place
  FROM repeated
  JOIN calls ON calls.call_id = repeated.call_id
  JOIN located ON located.ordinal = calls.rowid
  WHERE calls.rowid >= getvariable('first_ordinal') AND located.verdict = 'call'
)
WHERE place > 1
