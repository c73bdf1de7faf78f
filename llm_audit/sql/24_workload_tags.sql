-- table: workload_tags
-- grain: one row per workload with a tag whose key the `tag_keys` table knows
--
-- What tags say about waiting beyond the plain durations that ingest reads. `share_blocking`: a
-- check that holds up a merge. `clock_deadline`: due at a time of day (08:00), so within a day.
-- `later_deadline`: due in a week, month or quarter. A deadline counts on nine calls of ten.
-- `backlog`: the shortest queue that the calls report, if at least half of them report one.
SELECT
  keyed.workload_no,
  max(CASE WHEN keyed.kind = 'blocking' THEN keyed.share ELSE 0 END) AS share_blocking,
  min(CASE WHEN keyed.kind = 'blocking' THEN keyed.name END) AS blocking_name,
  min(
    CASE
      WHEN keyed.kind = 'deadline'
        AND keyed.share >= 0.9
        AND regexp_matches(keyed.value, '^[0-9]{1,2}:[0-9]{2}')
        THEN keyed.name
    END
  ) AS clock_deadline,
  min(
    CASE
      WHEN keyed.kind = 'deadline'
        AND keyed.share >= 0.9
        AND regexp_matches(keyed.value, 'week|month|quarter')
        THEN keyed.name
    END
  ) AS later_deadline,
  min(
    CASE WHEN keyed.kind = 'backlog' AND keyed.share >= 0.5 THEN CAST(keyed.value AS BIGINT) END
  ) AS backlog
FROM (
  SELECT
    names.workload_no,
    names.name,
    names.share,
    tag_keys.kind,
    lower(trim(substring(names.name, length(tag_keys.key) + 2))) AS value
  FROM workload_names AS names
  INNER JOIN tag_keys
    ON lower(names.name) = tag_keys.key
    OR starts_with(lower(names.name), tag_keys.key || ':')
  WHERE tag_keys.kind <> 'backlog'
  UNION ALL
  SELECT
    queued.workload_no,
    NULL AS name,
    CAST(queued.calls AS DOUBLE) / totals.calls AS share,
    'backlog' AS kind,
    CAST(queued.depth AS VARCHAR) AS value
  FROM (
    SELECT
      keys.workload_no,
      sum(each_tag.calls) AS calls,
      min(
        CASE
          WHEN regexp_matches(each_tag.tag, '^[^:]+:[0-9]{1,15}$')
            THEN CAST(substring(each_tag.tag, strpos(each_tag.tag, ':') + 1) AS BIGINT)
        END
      ) AS depth
    FROM (
      SELECT
        caller,
        operation_name,
        provider_name,
        model,
        template_hash,
        calls,
        unnest(tags) AS tag
      FROM call_groups
    ) AS each_tag
    INNER JOIN tag_keys
      ON lower(substring(each_tag.tag, 1, strpos(each_tag.tag, ':') - 1)) = tag_keys.key
      AND tag_keys.kind = 'backlog'
    INNER JOIN workload_keys AS keys
      ON each_tag.caller = keys.caller
      AND each_tag.operation_name = keys.operation_name
      AND each_tag.provider_name = keys.provider_name
      AND each_tag.model = keys.model
      AND each_tag.template_hash IS NOT DISTINCT FROM keys.template_hash
    WHERE strpos(each_tag.tag, ':') > 1
    GROUP BY keys.workload_no
  ) AS queued
  INNER JOIN (
    SELECT workload_no, sum(calls) AS calls FROM workload_keys GROUP BY workload_no
  ) AS totals ON queued.workload_no = totals.workload_no
) AS keyed
GROUP BY keyed.workload_no
