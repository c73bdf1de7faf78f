-- table: prompt_continuations
-- grain: one row per call whose prompt contains the whole prompt of another call
--
-- The other prompt's last two messages stand inside this longer prompt, one after the other; a
-- prompt of one message stands at its beginning. The last message alone proves nothing: many prompts
-- of a list end with the same instruction. Only the eight messages before the last are looked at: an
-- agent step adds the answer and its tool results, rarely more, and a long transcript would otherwise
-- be unnested again and again.
-- `is_answered`: that call had ended before this one started, so its answer could be used. Where it
-- had not, this prompt repeats a conversation that came from elsewhere: nobody had answered yet.
-- `pause_us`: from the last such answer to this call.
SELECT
  later.call_no,
  max(CASE WHEN earlier.first_ended_us <= later.started_us THEN 1 ELSE 0 END) = 1 AS is_answered,
  min(
    CASE
      WHEN earlier.first_measured_us <= later.started_us
        THEN later.started_us - earlier.first_measured_us
    END
  ) AS pause_us
FROM (
  SELECT
    facts.call_no,
    facts.job_no,
    facts.started_us,
    facts.message_count,
    CASE
      WHEN array_length(calls.message_hashes) > back.steps
        THEN calls.message_hashes[array_length(calls.message_hashes) - CAST(back.steps AS BIGINT)]
    END AS message_hash,
    CASE
      WHEN array_length(calls.message_hashes) > back.steps + 1
        THEN
          calls.message_hashes[array_length(calls.message_hashes) - CAST(back.steps AS BIGINT) - 1]
    END AS previous_message_hash
  FROM call_facts AS facts
  INNER JOIN calls ON facts.call_id = calls.call_id
  CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6), (7), (8)) AS back (steps)
  WHERE facts.message_count >= 2
    AND facts.job_no IN (SELECT job_no FROM prompt_ends)
) AS later
INNER JOIN prompt_ends AS earlier
  ON later.job_no = earlier.job_no
  AND later.message_hash = earlier.last_message_hash
  AND later.previous_message_hash IS NOT DISTINCT FROM earlier.previous_message_hash
  AND earlier.message_count < later.message_count
GROUP BY later.call_no
