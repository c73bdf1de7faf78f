-- Every statement of the ledger, by name (ledger.py). SQLite, WAL. Times are unix seconds (UTC),
-- money is USD as decimal text, so that sums are exact. No key, no prompt and no answer is in here:
-- request files and results lie in the run's folder, this holds their paths and digests.

-- name: schema
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  created_at REAL NOT NULL,
  tool_version TEXT NOT NULL,
  choice TEXT NOT NULL,                  -- what was asked for, as JSON
  folder TEXT NOT NULL,
  sync_cost TEXT NOT NULL,
  batch_cost TEXT NOT NULL,
  max_cost TEXT,
  status TEXT NOT NULL                   -- open, cancelled
) STRICT;

CREATE TABLE shards (
  shard_id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs,
  parent_id INTEGER REFERENCES shards,   -- whose requests these are, planned anew
  intent TEXT NOT NULL UNIQUE,
  vendor TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  model TEXT NOT NULL,
  betas TEXT NOT NULL,                   -- separated by commas
  generation INTEGER NOT NULL,
  canary INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  path TEXT NOT NULL,
  sync_cost TEXT NOT NULL,
  batch_cost TEXT NOT NULL,
  ceiling TEXT NOT NULL,                 -- what --max-cost counts for it until its cost is known
  -- What follows changes; each change counts `version` up. A request that has no answer goes into
  -- the next `generation`, in another shard. The same shard made once more is its next `attempt`.
  -- `failures` are calls in a row that did not work, `wait` the seconds after the last of them,
  -- `looks` how often the vendor's list, or its files, were searched without all being found.
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  account TEXT,
  attempt INTEGER NOT NULL,
  file_id TEXT,
  batch_id TEXT,
  provider_status TEXT,
  output_file_id TEXT,
  error_file_id TEXT,
  counts TEXT,
  code TEXT,
  message TEXT,
  submit_started_at REAL,
  submit_ended_at REAL,
  created_at_remote REAL,
  expires_at_remote REAL,
  ended_at_remote REAL,
  next_at REAL NOT NULL,
  wait REAL NOT NULL,
  failures INTEGER NOT NULL,
  missing_since REAL,
  looks INTEGER NOT NULL,
  first_look_at REAL,
  cost TEXT,
  parked TEXT,                           -- why its last step failed, until someone resumes
  refusals INTEGER NOT NULL,             -- by a full queue, since someone last looked
  fence TEXT,                            -- the head of the vendor's list before the POST, as JSON
  suspects TEXT NOT NULL,                -- batches that may be this one, separated by commas
  doubles TEXT NOT NULL,                 -- other batches that were made of it, likewise
  resent INTEGER NOT NULL,               -- 1: sent again though the first POST may yet turn up
  stray INTEGER NOT NULL,                -- 1: an upload of unknown outcome may lie at the vendor
  usage TEXT,                            -- the vendor's own sum of tokens, as JSON
  UNIQUE (vendor, batch_id)
) STRICT;

CREATE TABLE requests (
  run_id TEXT NOT NULL REFERENCES runs,
  request_key TEXT NOT NULL,
  call_id TEXT NOT NULL,
  workload_id TEXT NOT NULL,
  body_sha256 TEXT NOT NULL,
  body_bytes INTEGER NOT NULL,
  units INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  finish_reason TEXT,
  sync_cost TEXT NOT NULL,
  batch_cost TEXT NOT NULL,
  source_file TEXT NOT NULL,
  source_line INTEGER NOT NULL,
  state TEXT NOT NULL,
  generation INTEGER NOT NULL,
  tries INTEGER NOT NULL,                -- generations that failed, those for want of money apart
  reason TEXT,
  PRIMARY KEY (run_id, request_key)
) STRICT, WITHOUT ROWID;

-- A call is bought by one run only, whatever is planned later.
CREATE UNIQUE INDEX request_once ON requests (request_key) WHERE state <> 'released';

CREATE TABLE shard_requests (
  shard_id INTEGER NOT NULL REFERENCES shards,
  custom_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  request_key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  line INTEGER NOT NULL,                 -- of the request file, from 1
  void INTEGER NOT NULL DEFAULT 0,       -- 1: proven that the vendor did not take it
  PRIMARY KEY (shard_id, custom_id),
  FOREIGN KEY (run_id, request_key) REFERENCES requests
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX bought_once ON shard_requests (request_key, generation) WHERE void = 0;

CREATE TABLE http_log (                  -- for people, who want to know what was said; never read
  call_id INTEGER PRIMARY KEY,
  shard_id INTEGER NOT NULL REFERENCES shards,
  op TEXT NOT NULL,
  started_at REAL NOT NULL,
  ended_at REAL,
  outcome TEXT,                          -- reply, rejected, unknown; NULL: intended, not known
  status INTEGER,
  vendor_request TEXT,                   -- the vendor's own id of the call
  body_sha256 TEXT,
  raw_path TEXT,
  why TEXT
) STRICT;

CREATE TABLE attempts (                  -- batches of a shard that were left for another attempt
  vendor TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  shard_id INTEGER NOT NULL REFERENCES shards,
  why TEXT NOT NULL,
  PRIMARY KEY (vendor, batch_id, shard_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE downloads (
  shard_id INTEGER NOT NULL REFERENCES shards,
  kind TEXT NOT NULL,                    -- output, error
  source TEXT NOT NULL,                  -- the vendor's file id or URL
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT,                           -- NULL: the vendor has it no more
  look INTEGER NOT NULL,
  PRIMARY KEY (shard_id, kind, look)
) STRICT, WITHOUT ROWID;

CREATE TABLE results (
  request_key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  shard_id INTEGER NOT NULL REFERENCES shards,
  custom_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  status_code INTEGER,
  error TEXT,
  finish_reason TEXT,
  model TEXT,
  input_tokens INTEGER NOT NULL,
  cache_read_input_tokens INTEGER NOT NULL,
  cache_creation_5m_input_tokens INTEGER NOT NULL,
  cache_creation_1h_input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  reasoning_output_tokens INTEGER NOT NULL,
  cost TEXT,                             -- NULL: no rate is known for it
  raw_path TEXT,
  raw_offset INTEGER,                    -- bytes before its line; NULL: there is no line
  PRIMARY KEY (request_key, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  shard_id INTEGER NOT NULL REFERENCES shards,
  raw_path TEXT NOT NULL,
  raw_offset INTEGER NOT NULL,
  why TEXT NOT NULL,                     -- not_json, stranger, conflict
  custom_id TEXT,
  PRIMARY KEY (shard_id, raw_path, raw_offset)
) STRICT, WITHOUT ROWID;

CREATE TABLE rates (                     -- batch rates in force when the run was planned
  run_id TEXT NOT NULL REFERENCES runs,
  vendor TEXT NOT NULL,
  model TEXT NOT NULL,
  from_tokens INTEGER NOT NULL,
  below_tokens INTEGER NOT NULL,
  input TEXT NOT NULL,
  cached TEXT NOT NULL,
  write_5m TEXT NOT NULL,
  write_1h TEXT NOT NULL,
  output TEXT NOT NULL,
  PRIMARY KEY (run_id, vendor, model, from_tokens)
) STRICT, WITHOUT ROWID;

CREATE TABLE budgets (                   -- queued tokens that a vendor allows, learned from refusals
  vendor TEXT NOT NULL,
  account TEXT NOT NULL,
  model TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  learned_at REAL NOT NULL,
  PRIMARY KEY (vendor, account, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE pauses (                    -- vendors that want money before they take more
  vendor TEXT PRIMARY KEY,
  since REAL NOT NULL,
  why TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- name: add_run
INSERT INTO runs VALUES (
  :run_id, :created_at, :tool_version, :choice, :folder, :sync_cost, :batch_cost, :max_cost, 'open')

-- name: runs
SELECT run_id, created_at, folder, sync_cost, batch_cost, max_cost, status
FROM runs ORDER BY created_at, run_id

-- name: set_run_status
UPDATE runs SET status = :status WHERE run_id = :run_id

-- name: set_max_cost
UPDATE runs SET max_cost = :max_cost WHERE run_id = :run_id

-- name: add_shard
INSERT INTO shards VALUES (
  :shard_id, :run_id, :parent_id, :intent, :vendor, :endpoint, :model, :betas, :generation,
  :canary, :requests, :bytes, :input_tokens, :sha256, :path, :sync_cost, :batch_cost, :ceiling,
  :state, :version, :account, :attempt, :file_id, :batch_id, :provider_status, :output_file_id,
  :error_file_id, :counts, :code, :message, :submit_started_at, :submit_ended_at,
  :created_at_remote, :expires_at_remote, :ended_at_remote, :next_at, :wait, :failures,
  :missing_since, :looks, :first_look_at, :cost, :parked, :refusals,
  :fence, :suspects, :doubles, :resent, :stray, :usage)

-- name: next_shard_id
SELECT COALESCE(MAX(shard_id), 0) + 1 FROM shards

-- name: shards
SELECT * FROM shards ORDER BY shard_id

-- name: shard
SELECT * FROM shards WHERE shard_id = :shard_id

-- name: move_shard
UPDATE shards SET
  state = :state, version = version + 1, account = :account, attempt = :attempt,
  file_id = :file_id, batch_id = :batch_id, provider_status = :provider_status,
  output_file_id = :output_file_id, error_file_id = :error_file_id, counts = :counts,
  code = :code, message = :message, submit_started_at = :submit_started_at,
  submit_ended_at = :submit_ended_at, created_at_remote = :created_at_remote,
  expires_at_remote = :expires_at_remote, ended_at_remote = :ended_at_remote,
  next_at = :next_at, wait = :wait, failures = :failures, missing_since = :missing_since,
  looks = :looks, first_look_at = :first_look_at, cost = :cost,
  parked = :parked, refusals = :refusals, fence = :fence, suspects = :suspects,
  doubles = :doubles, resent = :resent, stray = :stray, usage = :usage
WHERE shard_id = :shard_id AND state = :old_state AND version = :old_version

-- name: add_request
INSERT INTO requests VALUES (
  :run_id, :request_key, :call_id, :workload_id, :body_sha256, :body_bytes, :units,
  :input_tokens, :output_tokens, :finish_reason, :sync_cost, :batch_cost, :source_file,
  :source_line, 'assigned', 1, 0, NULL)

-- name: assign
INSERT INTO shard_requests VALUES (
  :shard_id, :custom_id, :run_id, :request_key, :generation, :line, 0)

-- name: known_keys
SELECT request_key FROM requests WHERE state <> 'released'

-- name: known_calls
SELECT call_id FROM requests WHERE state <> 'released'

-- name: void
UPDATE shard_requests SET void = 1 WHERE shard_id = :shard_id

-- name: shard_requests
SELECT shard_requests.custom_id, shard_requests.line, shard_requests.generation,
  requests.generation AS latest, requests.*
FROM shard_requests
JOIN requests ON requests.run_id = shard_requests.run_id
  AND requests.request_key = shard_requests.request_key
WHERE shard_requests.shard_id = :shard_id
ORDER BY shard_requests.line

-- An answer that is at home stays: no state leads out of those four. A request that went on into
-- another generation is no more of the shard that it came from.

-- name: set_requests
UPDATE requests SET state = :state, reason = :reason
WHERE (run_id, request_key, generation) IN (
  SELECT run_id, request_key, generation FROM shard_requests WHERE shard_id = :shard_id)
  AND state NOT IN ('succeeded', 'truncated', 'refused', 'incomplete')

-- name: set_request
UPDATE requests SET state = :state, reason = :reason, tries = tries + :tries
WHERE run_id = :run_id AND request_key = :request_key
  AND state NOT IN ('succeeded', 'truncated', 'refused', 'incomplete')

-- name: lose_requests
UPDATE requests SET state = 'lost', reason = :reason
WHERE (run_id, request_key, generation) IN (
  SELECT run_id, request_key, generation FROM shard_requests WHERE shard_id = :shard_id)
  AND state IN ('in_flight', 'missing', 'lost')

-- A first generation was never bought. A later one goes back to the one before, and to what its row
-- said: not billed, or not known.

-- name: release_requests
UPDATE requests SET reason = :reason, state = CASE
  WHEN generation = 1 THEN 'released'
  WHEN EXISTS (
    SELECT 1 FROM results
    WHERE results.request_key = requests.request_key
      AND results.generation = requests.generation - 1 AND results.kind = 'retryable'
  ) THEN 'retryable'
  ELSE 'missing' END,
  generation = MAX(1, generation - 1)
WHERE (run_id, request_key, generation) IN (
  SELECT run_id, request_key, generation FROM shard_requests WHERE shard_id = :shard_id)

-- name: advance_request
UPDATE requests SET state = 'assigned', generation = :generation, reason = NULL
WHERE run_id = :run_id AND request_key = :request_key

-- name: request_states
SELECT state, COUNT(*) FROM requests WHERE run_id = :run_id GROUP BY state

-- name: request_reasons
SELECT state, reason, COUNT(*) FROM requests
WHERE run_id = :run_id AND reason IS NOT NULL GROUP BY state, reason ORDER BY COUNT(*) DESC, reason

-- name: begin_call
INSERT INTO http_log (shard_id, op, started_at) VALUES (:shard_id, :op, :started_at)

-- name: end_call
UPDATE http_log SET ended_at = :ended_at, outcome = :outcome, status = :status,
  vendor_request = :vendor_request, body_sha256 = :body_sha256, raw_path = :raw_path, why = :why
WHERE call_id = :call_id

-- name: add_attempt
INSERT OR IGNORE INTO attempts VALUES (:vendor, :batch_id, :shard_id, :why)

-- name: doubles
SELECT shard_id, batch_id FROM attempts WHERE why = 'double' ORDER BY shard_id, batch_id

-- name: mark_double
UPDATE attempts SET why = 'double_ended' WHERE shard_id = :shard_id AND batch_id = :batch_id

-- name: known_batches
SELECT batch_id FROM shards WHERE vendor = :vendor AND batch_id IS NOT NULL
UNION
SELECT batch_id FROM attempts
WHERE vendor = :vendor AND (shard_id = :shard_id OR why <> 'not_ours')

-- name: add_download
INSERT OR REPLACE INTO downloads VALUES (
  :shard_id, :kind, :source, :path, :bytes, :sha256, :look)

-- name: downloads
SELECT kind, source, path, bytes, sha256, look FROM downloads
WHERE shard_id = :shard_id ORDER BY look, kind DESC

-- name: add_result
INSERT INTO results VALUES (
  :request_key, :generation, :shard_id, :custom_id, :kind, :status_code, :error, :finish_reason,
  :model, :input_tokens, :cache_read_input_tokens, :cache_creation_5m_input_tokens,
  :cache_creation_1h_input_tokens, :output_tokens, :reasoning_output_tokens, :cost, :raw_path,
  :raw_offset)
ON CONFLICT (request_key, generation) DO UPDATE SET
  kind = excluded.kind, status_code = excluded.status_code, error = excluded.error,
  finish_reason = excluded.finish_reason, model = excluded.model,
  input_tokens = excluded.input_tokens,
  cache_read_input_tokens = excluded.cache_read_input_tokens,
  cache_creation_5m_input_tokens = excluded.cache_creation_5m_input_tokens,
  cache_creation_1h_input_tokens = excluded.cache_creation_1h_input_tokens,
  output_tokens = excluded.output_tokens,
  reasoning_output_tokens = excluded.reasoning_output_tokens, cost = excluded.cost,
  raw_path = excluded.raw_path, raw_offset = excluded.raw_offset
WHERE results.kind NOT IN ('succeeded', 'truncated', 'refused', 'incomplete')

-- name: row_costs
SELECT request_key, cost FROM results WHERE shard_id = :shard_id

-- name: usages
SELECT shards.run_id, shards.intent, shards.usage,
  SUM(results.input_tokens) AS input_tokens, SUM(results.output_tokens) AS output_tokens
FROM shards JOIN results ON results.shard_id = shards.shard_id
WHERE shards.usage IS NOT NULL AND (:run_id IS NULL OR shards.run_id = :run_id)
GROUP BY shards.shard_id ORDER BY shards.shard_id

-- name: outcomes
SELECT requests.run_id, requests.request_key, requests.call_id, requests.workload_id,
  requests.body_sha256, requests.input_tokens, requests.output_tokens, requests.finish_reason,
  requests.sync_cost, requests.batch_cost, requests.state, shards.vendor, shards.endpoint,
  shards.model, results.kind, results.finish_reason AS new_finish_reason,
  results.model AS new_model, results.input_tokens AS new_input_tokens,
  results.cache_read_input_tokens, results.cache_creation_5m_input_tokens,
  results.cache_creation_1h_input_tokens, results.output_tokens AS new_output_tokens,
  results.cost, results.raw_path, results.raw_offset
FROM requests
JOIN (
  SELECT run_id, request_key, MAX(shard_id) AS shard_id FROM shard_requests
  GROUP BY run_id, request_key
) AS latest ON latest.run_id = requests.run_id AND latest.request_key = requests.request_key
JOIN shards ON shards.shard_id = latest.shard_id
LEFT JOIN results ON results.request_key = requests.request_key
  AND results.generation = requests.generation
WHERE (:run_id IS NULL OR requests.run_id = :run_id) AND requests.state <> 'released'
ORDER BY requests.run_id, requests.request_key

-- name: failed_rows
SELECT results.error, COUNT(*)
FROM results JOIN shards ON shards.shard_id = results.shard_id
WHERE (:run_id IS NULL OR shards.run_id = :run_id) AND results.kind IN ('retryable', 'rejected')
GROUP BY results.error ORDER BY COUNT(*) DESC, results.error

-- name: rows_counted
SELECT COUNT(*) FROM results JOIN shards ON shards.shard_id = results.shard_id
WHERE :run_id IS NULL OR shards.run_id = :run_id

-- name: add_quarantine
INSERT OR REPLACE INTO quarantine VALUES (:shard_id, :raw_path, :raw_offset, :why, :custom_id)

-- name: quarantine_counts
SELECT quarantine.why, COUNT(*) FROM quarantine
JOIN shards ON shards.shard_id = quarantine.shard_id
WHERE shards.run_id = :run_id GROUP BY quarantine.why

-- name: add_rate
INSERT INTO rates VALUES (
  :run_id, :vendor, :model, :from_tokens, :below_tokens, :input, :cached, :write_5m, :write_1h,
  :output)

-- name: rates
SELECT from_tokens, below_tokens, input, cached, write_5m, write_1h, output FROM rates
WHERE run_id = :run_id AND vendor = :vendor AND model = :model ORDER BY from_tokens

-- name: learn_budget
INSERT OR REPLACE INTO budgets VALUES (:vendor, :account, :model, :tokens, :learned_at)

-- name: budget
SELECT tokens FROM budgets WHERE vendor = :vendor AND account = :account AND model = :model

-- name: pause
INSERT OR IGNORE INTO pauses VALUES (:vendor, :since, :why)

-- name: pauses
SELECT vendor, why FROM pauses

-- name: unpause
DELETE FROM pauses
