-- table: prompt_continuations
-- grain: one row per call whose prompt contains the whole prompt of another call
--
-- The other prompt's last message (a question or a tool result, hashed) stands inside this longer
-- prompt. Only the eight messages before the last are looked at: an agent step adds the answer and
-- its tool results, rarely more, and a long transcript would otherwise be unnested again and again.
-- `is_answered`: that call had ended before this one started, so its answer could be used. Where it
-- had not, this prompt repeats a conversation that came from elsewhere: nobody had answered yet.
SELECT
  later.call_no,
  max(CASE WHEN earlier.first_ended_us <= later.started_us THEN 1 ELSE 0 END) = 1 AS is_answered
FROM (
  SELECT
    facts.call_no,
    facts.job_no,
    facts.started_us,
    facts.message_count,
    unnest(calls.message_hashes[-9:-2]) AS message_hash
  FROM call_facts AS facts
  INNER JOIN calls ON facts.call_id = calls.call_id
  WHERE facts.message_count >= 2
    AND facts.job_no IN (SELECT job_no FROM prompt_ends)
) AS later
INNER JOIN prompt_ends AS earlier
  ON later.job_no = earlier.job_no
  AND later.message_hash = earlier.last_message_hash
  AND earlier.message_count < later.message_count
GROUP BY later.call_no
