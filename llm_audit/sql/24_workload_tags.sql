-- table: workload_tags
-- grain: one row per workload with a tag whose key the `tag_keys` table knows
--
-- What tags say about waiting beyond the plain durations that ingest reads. `share_blocking`: a
-- check that holds up a merge. `clock_deadline`: due at a time of day (08:00), so within a day.
-- `later_deadline`: due in a week, month or quarter. A deadline counts on nine calls of ten.
SELECT
  workload_no,
  max(CASE WHEN kind = 'blocking' THEN share ELSE 0 END) AS share_blocking,
  min(CASE WHEN kind = 'blocking' THEN name END) AS blocking_name,
  min(
    CASE
      WHEN kind = 'deadline' AND share >= 0.9 AND regexp_matches(value, '^[0-9]{1,2}:[0-9]{2}')
        THEN name
    END
  ) AS clock_deadline,
  min(
    CASE
      WHEN kind = 'deadline' AND share >= 0.9 AND regexp_matches(value, 'week|month|quarter')
        THEN name
    END
  ) AS later_deadline
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
) AS keyed
GROUP BY workload_no
