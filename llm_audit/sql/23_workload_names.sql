-- table: workload_names
-- grain: one row per workload and name: its caller, service, prompt, agent, team, environment, tags
--
-- `words` is the name cut at anything but letters and digits and padded with blanks, so that a word
-- can be found whole. Names on fewer than 2 % of a workload's calls (run ids, dates) are dropped.
SELECT
  named.workload_no,
  named.name,
  ' ' || regexp_replace(lower(named.name), '[^a-z0-9]+', ' ', 'g') || ' ' AS words,
  CAST(named.calls AS DOUBLE) / totals.calls AS share
FROM (
  SELECT workload_no, name, sum(calls) AS calls
  FROM (
    SELECT
      keys.workload_no,
      sets.calls,
      unnest(
        list_distinct(
          list_concat(
            [
              sets.caller,
              sets.service_name,
              sets.prompt_name,
              sets.agent_name,
              sets.team,
              sets.environment
            ],
            coalesce(sets.tags, [])
          )
        )
      ) AS name
    FROM call_groups AS sets
    INNER JOIN workload_keys AS keys
      ON sets.caller = keys.caller
      AND sets.operation_name = keys.operation_name
      AND sets.provider_name = keys.provider_name
      AND sets.model = keys.model
      AND sets.template_hash IS NOT DISTINCT FROM keys.template_hash
  ) AS each_name
  WHERE name IS NOT NULL
  GROUP BY workload_no, name
) AS named
INNER JOIN (
  SELECT workload_no, sum(calls) AS calls FROM workload_keys GROUP BY workload_no
) AS totals ON named.workload_no = totals.workload_no
WHERE named.calls * 50 >= totals.calls
