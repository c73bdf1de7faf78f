-- The calls whose bodies are to be read, file by file and line by line, with what is known of the
-- file. `versions`: how often a file of that path was read with other content.
SELECT
  calls.source_file,
  files.size,
  files.digest,
  COALESCE(files.versions, 0) AS versions,
  calls.source_line,
  calls.call_id,
  calls.source_format,
  migration_calls.workload_id,
  migration_calls.endpoint,
  COALESCE(calls.input_tokens, 0) AS input_tokens,
  COALESCE(calls.output_tokens, 0) AS output_tokens,
  calls.finish_reason,
  migration_calls.sync_cost,
  migration_calls.batch_cost
FROM migration_calls
JOIN calls ON calls.call_id = migration_calls.call_id
LEFT JOIN (
  SELECT path, arg_max(size, rowid) AS size, arg_max(digest, rowid) AS digest,
    count(*) AS versions
  FROM ingested_files
  GROUP BY path
) AS files ON files.path = calls.source_file
WHERE migration_calls.reason IS NULL
ORDER BY calls.source_file, calls.source_line, calls.call_id
