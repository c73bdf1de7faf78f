-- table: prompt_ends
-- grain: one row per job, last two messages of a prompt, and length of that prompt
--
-- What a continuation can build on. Jobs whose prompts all have the same length are left out: a
-- continued prompt is longer than the one it continues, so they hold no chain. `first_measured_us`:
-- when its answer was complete; NULL without a latency, where a call seems to end as it starts.
SELECT
  facts.job_no,
  facts.last_message_hash,
  facts.previous_message_hash,
  facts.message_count,
  min(facts.ended_us) AS first_ended_us,
  min(CASE WHEN facts.is_answered AND facts.ended_us > facts.started_us THEN facts.ended_us END)
    AS first_measured_us
FROM call_facts AS facts
INNER JOIN (
  SELECT job_no
  FROM call_facts
  WHERE last_message_hash IS NOT NULL
  GROUP BY job_no
  HAVING min(message_count) < max(message_count)
) AS growing ON facts.job_no = growing.job_no
WHERE facts.last_message_hash IS NOT NULL
GROUP BY
  facts.job_no, facts.last_message_hash, facts.previous_message_hash, facts.message_count
