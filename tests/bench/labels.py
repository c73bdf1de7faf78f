"""Labels at scale: `python -m tests.bench.labels --calls 10000000 --memory 2GB`.

Makes the `calls` table straight in DuckDB (ingest has its own benchmark), runs the steps from
`calls` to `reasons` in a process of its own, and prints seconds, peak memory, the growth from a
tenth of the calls, and which step costs what. The workloads are what a company's gateway sees:
pools that drain lists at night, chats and agents whose prompts grow, single calls all day,
embeddings. More calls mean more callers of the same size, but for one: the front door, a service
that half of all single calls go through, so that one workload holds a tenth of the log.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.run import Run, run_process, say

LIMITS = {"seconds": 60.0, "peak_mb": 4096.0, "growth": 12.0}
CALLS_PER_FAMILY = 100_000
"""One family: a night job, a chat, an agent, a stream of single calls, an index job."""


@dataclass(frozen=True)
class Measured:
    """One labelling of `calls` calls."""

    calls: int
    run: Run
    seconds: float
    """Of the label steps alone."""
    cpu_seconds: float
    """The same on all threads together: steadier than wall time on a machine that others use."""
    steps: Sequence[tuple[str, float, int]]
    """Name, seconds, and rows of each step."""
    labels: dict[str, int]


# Per family of 100,000 calls: 40,000 in pools (20 nights of 2,000, 8 at a time), 20,000 chat turns
# (dialogues of 5), 10,000 agent steps (tasks of 20), 20,000 single calls, 10,000 embeddings.
_KINDS = """
SELECT
  i // 100000 AS family,
  i % 100000 AS place,
  hash(i) AS noise,
  CASE
    WHEN i % 100000 < 40000 THEN 'pool'
    WHEN i % 100000 < 60000 THEN 'chat'
    WHEN i % 100000 < 70000 THEN 'agent'
    WHEN i % 100000 < 90000 THEN 'single'
    ELSE 'index'
  END AS kind
FROM range({first}, {last}) AS numbers(i)
"""

_SHAPED = """
SELECT
  *,
  CASE kind WHEN 'pool' THEN place // 2000 WHEN 'chat' THEN (place - 40000) // 5
    WHEN 'agent' THEN (place - 60000) // 20 WHEN 'index' THEN (place - 90000) // 5000
    ELSE place END AS thread,
  CASE kind WHEN 'pool' THEN place % 2000 WHEN 'chat' THEN place % 5 WHEN 'agent' THEN place % 20
    WHEN 'index' THEN place % 5000 ELSE 0 END AS step
FROM kinds
"""

# Times in seconds since the first day. A slot of a pool takes its next item 20 ms after the last.
_TIMED = """
SELECT
  *,
  CASE kind
    WHEN 'pool' THEN thread * 86400 + 7200 + family % 3600 + (step // 8) * 3.02 + (step % 8) * 0.37
    WHEN 'index' THEN thread * 864000 + family % 3600 + (step // 4) * 0.61 + (step % 4) * 0.1
    WHEN 'chat' THEN (hash(family, thread) % 1728000) + step * 45.0 + noise % 20
    WHEN 'agent' THEN (hash(family, thread, 1) % 1728000) + step * 9.0
    ELSE noise % 1728000 + (noise % 997) / 997.0
  END AS at_s,
  CASE kind WHEN 'pool' THEN 3.0 WHEN 'index' THEN 0.6 WHEN 'agent' THEN 6.5
    ELSE 2.0 + noise % 5 END AS lasts_s,
  CASE kind
    WHEN 'index' THEN NULL
    WHEN 'pool' THEN [hash(kind), hash(family, place)]
    WHEN 'single' THEN [hash(kind), hash(family, place)]
    ELSE list_prepend(hash(kind), list_transform(range(0, 2 * step + 1),
      lambda n: hash(family, kind, thread, n)))
  END AS message_hashes
FROM shaped
"""

_CALLS = """
SELECT
  'chatcmpl-' || lpad(CAST(family * 100000 + place AS VARCHAR), 12, '0') AS call_id,
  '/logs/gateway.jsonl' AS source_file,
  family * 100000 + place AS source_line,
  'litellm_slp' AS source_format,
  'openai' AS provider_name,
  CASE kind WHEN 'index' THEN 'embeddings' ELSE 'chat' END AS operation_name,
  CASE kind WHEN 'index' THEN 'text-embedding-3-small' ELSE 'gpt-4.1' END AS request_model,
  request_model AS response_model,
  TIMESTAMP '2026-11-02' + to_microseconds(CAST(at_s * 1e6 AS BIGINT)) AS started_at,
  started_at + to_microseconds(CAST(lasts_s * 1e6 AS BIGINT)) AS ended_at,
  1000 * lasts_s AS duration_ms,
  CASE WHEN kind = 'single' AND noise % 200 = 0 THEN 'cancelled' ELSE 'ok' END AS status,
  200 AS http_status,
  'standard' AS service_tier,
  kind = 'chat' AS is_streaming,
  CASE kind WHEN 'index' THEN 600 ELSE 300 + step * 250 END AS input_tokens,
  CASE kind WHEN 'index' THEN 0 ELSE 200 END AS output_tokens,
  'reported' AS tokens_source,
  CASE WHEN kind = 'single' AND family % 2 = 0 THEN 'front-door'
    ELSE kind || '-' || family END AS caller,
  'team-' || family % 40 AS team,
  caller AS api_key_alias,
  CASE WHEN kind = 'chat' THEN md5(CAST(thread % 997 AS VARCHAR)) END AS end_user_hash,
  CASE WHEN kind = 'chat' THEN 'session-' || family || '-' || thread END AS conversation_id,
  'trace-' || noise AS trace_id,
  ['env:prod', 'service.name:' || caller] AS tags,
  CASE WHEN kind = 'pool' THEN 'airflow' END AS scheduler,
  600.0 AS client_timeout_s,
  CAST(hash(kind, family % 7, CASE WHEN kind = 'single' THEN noise % 4 ELSE 0 END) AS VARCHAR)
    AS template_hash,
  CAST(len(message_hashes) AS INTEGER) AS message_count,
  message_hashes,
  CASE WHEN kind <> 'index' THEN kind = 'agent' AND step > 0 END AS has_tool_result,
  FALSE AS replayable
FROM timed
"""


def make_calls(database: Path, calls: int, memory: str) -> None:
    """A `calls` table of so many rows, family by family, in the order of their ends."""
    import duckdb

    from llm_audit import schema

    with duckdb.connect(str(database), config={"memory_limit": memory, "threads": 2}) as connection:
        connection.execute(f"SET temp_directory = '{database}.spill'")
        for name in schema.STORED_TABLES:
            connection.execute(schema.create_table_sql(name))
        for first in range(0, calls, 10 * CALLS_PER_FAMILY):
            last = min(calls, first + 10 * CALLS_PER_FAMILY)
            kinds = _KINDS.format(first=first, last=last)
            connection.execute(
                f"INSERT INTO calls BY NAME WITH kinds AS ({kinds}), shaped AS ({_SHAPED}), "
                f"timed AS ({_TIMED}) {_CALLS} ORDER BY ended_at"
            )


def label_calls(database: Path, memory: str, out: Path) -> None:
    """The label steps, each with its seconds, as the pipeline runs them."""
    from llm_audit import pipeline, scoring
    from llm_audit.policy import Policy
    from llm_audit.workspace import Workspace

    took: dict[str, float] = {}
    with Workspace(database, memory, 2).connect() as connection:
        policy = Policy.load()
        begin, begin_cpu = time.perf_counter(), time.process_time()
        scoring.create_rule_tables(connection, policy)
        for step in pipeline.steps():
            if step.number >= 30 and "rule_scores" not in took:
                started = time.perf_counter()
                select = scoring.rule_scores_sql(policy)
                connection.execute(f"CREATE OR REPLACE TABLE rule_scores AS {select}")
                took["rule_scores"] = time.perf_counter() - started
            if step.number >= 40:
                break
            started = time.perf_counter()
            pipeline.run_steps(connection, step.number, step.number)
            took[step.name] = time.perf_counter() - started
        seconds = time.perf_counter() - begin
        cpu_seconds = time.process_time() - begin_cpu

        def rows(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        steps = [(n, s, rows(f"SELECT count(*) FROM {n}")[0][0]) for n, s in took.items()]
        labels = dict(rows("SELECT label, count(*) FROM labels GROUP BY 1 ORDER BY 1"))
    out.write_text(
        json.dumps({"seconds": seconds, "cpu": cpu_seconds, "steps": steps, "labels": labels})
    )


def measure(calls: int, memory: str, folder: Path) -> Measured:
    """Make and label so many calls, each in a process of its own."""
    database = folder / f"labels-{calls}.duckdb"
    out = folder / f"labels-{calls}.json"
    here = [sys.executable, "-m", "tests.bench.labels", "--memory", memory]
    say(f"making {calls:,} calls")
    run_process([*here, "--make", str(database), "--calls", str(calls)])
    say(f"labelling {calls:,} calls in {memory}")
    run = run_process([*here, "--label", str(database), "--json", str(out)])
    answer = json.loads(out.read_text())
    database.unlink()
    steps = [(str(name), float(took), int(rows)) for name, took, rows in answer["steps"]]
    return Measured(calls, run, answer["seconds"], answer["cpu"], steps, answer["labels"])


def text(small: Measured, large: Measured, shown: int) -> str:
    """Both sizes, what they are held to, and the dearest steps."""
    growth = large.seconds / small.seconds
    lines = [f"{'calls':>12}{'labels s':>10}{'cpu s':>8}{'process s':>11}{'peak MB':>9}  labels"]
    for one in (small, large):
        labels = ", ".join(f"{name} {count:,}" for name, count in one.labels.items())
        lines.append(f"{one.calls:>12,}{one.seconds:>10.1f}{one.cpu_seconds:>8.1f}{one.run.seconds:>11.1f}"
                     f"{one.run.peak_mb:>9.0f}  {labels}")  # fmt: skip
    for name, value in (("seconds", large.seconds), ("peak_mb", large.run.peak_mb),
                        ("growth", growth)):  # fmt: skip
        mark = "ok" if value <= LIMITS[name] else "OVER"
        lines.append(f"{name:<12}{value:>10.1f}  <= {LIMITS[name]:g}  {mark}")
    before = {name: took for name, took, _ in small.steps}
    lines += ["", f"{'step':<32}{'s':>8}{'share':>8}{'growth':>8}{'rows':>14}"]
    for name, took, rows in sorted(large.steps, key=lambda step: -step[1])[:shown]:
        times = took / before[name] if before.get(name) else 0.0
        lines.append(f"{name:<32}{took:>8.2f}{took / large.seconds:>8.1%}{times:>8.1f}{rows:>14,}")
    return "\n".join(lines)


def main() -> int:
    """Command line; `--make` and `--label` are the two halves of a measurement."""
    parser = argparse.ArgumentParser(description="Seconds and memory of the label steps.")
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--steps", type=int, default=12, help="how many of the dearest to show")
    parser.add_argument("--workdir", type=Path, help="where the databases are made (8 GB)")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--label", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_calls(options.make, options.calls, options.memory)
        return 0
    if options.label:
        label_calls(options.label, options.memory, options.json)
        return 0
    with tempfile.TemporaryDirectory(prefix="llm-audit-labels-", dir=options.workdir) as folder:
        small = measure(options.calls // 10, options.memory, Path(folder))
        large = measure(options.calls, options.memory, Path(folder))
    print(text(small, large, options.steps))
    if options.json:
        options.json.write_text(json.dumps([asdict(small), asdict(large)], indent=1) + "\n")
    over = (
        large.seconds > LIMITS["seconds"]
        or large.run.peak_mb > LIMITS["peak_mb"]
        or large.seconds > LIMITS["growth"] * small.seconds
    )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
