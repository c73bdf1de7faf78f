-- view: report_rejects
-- grain: one row per reason, with its first line as the example a person can open
SELECT reason, lines, source_file AS first_file, line_number AS first_line, excerpt
FROM (
  SELECT
    reason,
    source_file,
    line_number,
    excerpt,
    COUNT(*) OVER (PARTITION BY reason) AS lines,
    ROW_NUMBER() OVER (PARTITION BY reason ORDER BY source_file, line_number, excerpt) AS place
  FROM rejects
) AS numbered
WHERE place = 1
