-- view: report_files
-- grain: one row per log file; lines = calls + rejects + duplicates + not_calls
SELECT path, format, lines, calls, rejects, duplicates, not_calls
FROM ingested_files
