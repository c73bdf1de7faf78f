-- table: workload_words
-- grain: one row per workload in whose names a word of the `words` table stands
--
-- Intent as people name it: weak, because names lie both ways, and empty when the policy says
-- `words = false`. Our own stand-in for a missing caller is not a name, nor is a client library's.
SELECT
  names.workload_no,
  count(DISTINCT CASE WHEN words.kind = 'offline' AND share >= 0.5 THEN words.word END)
    AS offline_words,
  count(DISTINCT CASE WHEN words.kind = 'online' AND share >= 0.5 THEN words.word END)
    AS online_words,
  min(CASE WHEN words.kind = 'offline' AND share >= 0.5 THEN names.name END) AS offline_name,
  min(CASE WHEN words.kind = 'online' AND share >= 0.5 THEN names.name END) AS online_name
FROM workload_names AS names
INNER JOIN words ON names.words LIKE '% ' || words.word || ' %'
WHERE names.name NOT LIKE 'unknown caller (%' AND names.words NOT LIKE ' user agent %'
GROUP BY names.workload_no
