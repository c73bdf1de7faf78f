-- Lines that repeat a call of this load. The one that tells most stays, the first among equals:
-- a batch envelope, reported tokens, a time, a prompt, a caller.
SELECT ordinal
FROM (
  SELECT
    located.ordinal,
    row_number() OVER (
      PARTITION BY located.call_id
      ORDER BY
        call_quality(stage.service_tier, stage.tokens_source, stage.started_at,
          stage.message_count, COALESCE(stage.caller, stage.api_key_alias)) DESC,
        located.ordinal
    ) AS place
  FROM located
  JOIN repeated ON repeated.call_id = located.call_id
  JOIN stage ON stage.rowid = located.ordinal
  WHERE located.verdict = 'call'
)
WHERE place > 1
