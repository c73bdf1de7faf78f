"""The pipeline's SELECTs on a second engine: `python -m tests.portable.parity` (`make parity`).

Audits sample_logs/ with DuckDB, hands every table to a local Spark as Parquet, runs each SELECT
there on DuckDB's own inputs, and compares: the same columns of the same kind, the same rows in any
order. Decimals have to be equal to the last digit and have the same number of them; doubles within
1e-9. Each step has DuckDB's inputs, so a difference shows at the step that makes it; and where all
values and kinds are the same, so is the whole road.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit import pipeline
from llm_audit.policy import Policy
from llm_audit.workspace import Workspace
from tests.portable.spark import SETTINGS, Query, queries, to_spark
from tests.support import ROOT

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

Row = tuple[Any, ...]

AS_OF = date(2026, 11, 22)

# Something of everything that a user may add, so that no join on it stays empty.
POLICY = b"""
[[override]]
caller = "support-*"
label = "realtime"
because = "people wait for the answer"
by = "ana@example.com"

[[override]]
caller = "review-insights"
tolerance = "2 h"
because = "read at noon"
by = "ana@example.com"

[[prices]]
provider = "anthropic"
model = "claude-sonnet-*"
multiplier = 0.9
because = "enterprise agreement"

[[prices]]
provider = "openai"
model = "gpt-4.1"
input = 1.7
output = 6.8
because = "contract"

[[measured]]
provider = "anthropic"
model = "claude-sonnet-4-6"
cache_hit_share = 0.41
requests = 4821
turnaround_p90 = "40 min"
turnaround_max = "90 min"
batches = 22
measured_on = 2026-11-20
"""

# Exports that differ from the log in every way the reconciliation tells apart: more than the log
# has, a fee, a model and a key of others, a day before it, a batch, an hour, the same day twice.
EXPORTS = (
    """INSERT INTO usage_buckets
    SELECT 'usage.json', 0, 'openai_usage', date_trunc('day', started_at),
      date_trunc('day', started_at) + INTERVAL 1 DAY, provider_name, response_model,
      CASE WHEN service_tier = 'batch' THEN 'batch' END, kind,
      sum(CASE kind WHEN 'input' THEN input_tokens ELSE output_tokens END) * 1.013, NULL,
      any_value(api_key_alias), '{"endpoint": "completions", "project_id": "p"}', 1,
      md5(concat_ws('|', 'usage', min(call_id), min(kind)))
    FROM calls CROSS JOIN (VALUES ('input'), ('output')) AS kinds (kind)
    WHERE provider_name = 'openai' AND status = 'ok' AND started_at IS NOT NULL
    GROUP BY ALL HAVING sum(input_tokens) > 0""",
    """INSERT INTO usage_buckets
    SELECT 'cost.csv', 0, 'anthropic_cost_report', date_trunc('day', started_at),
      date_trunc('day', started_at) + INTERVAL 1 DAY, provider_name, response_model, NULL, kind,
      NULL, sum(output_tokens + input_tokens) * 0.0000031,
      NULL, '{"workspace": "w"}', 0, md5(concat_ws('|', 'cost', min(call_id), min(kind)))
    FROM calls CROSS JOIN (VALUES ('input'), ('output'), ('code_execution')) AS kinds (kind)
    WHERE provider_name = 'anthropic' AND status = 'ok' AND started_at IS NOT NULL
    GROUP BY ALL""",
    """INSERT INTO usage_buckets
    SELECT 'hours.json', 0, 'openai_usage', date_trunc('hour', started_at),
      date_trunc('hour', started_at) + INTERVAL 1 HOUR, provider_name, NULL, NULL, 'input',
      sum(input_tokens) + 0.5, NULL, NULL, '{"endpoint": "embeddings"}', 0,
      md5(concat_ws('|', 'hours', min(call_id)))
    FROM calls WHERE provider_name = 'openai' AND started_at IS NOT NULL GROUP BY ALL""",
    """INSERT INTO usage_buckets
    SELECT 'cost.csv', 0, 'anthropic_cost_report', TIMESTAMP '2026-10-03' + to_days(n),
      TIMESTAMP '2026-10-04' + to_days(n), 'anthropic', model, tier, 'output', NULL, 1.234567,
      key, '{"workspace": "w"}', 0, 'other-' || n
    FROM (VALUES (0, 'claude-opus-4-8', NULL, NULL), (3, 'Claude Unknown 9 ', NULL, NULL),
      (4, 'claude-sonnet-4-6', 'batch', NULL), (5, 'claude-sonnet-4-6', NULL, 'another key'))
      AS others (n, model, tier, key)""",
    "UPDATE usage_buckets SET source_line = rowid + 1",
    "INSERT INTO export_copies SELECT 'copy.csv', 2, record_id FROM usage_buckets "
    "WHERE source_file = 'cost.csv' AND token_kind = 'input'",
    "INSERT INTO export_files VALUES "
    "('usage.json', 'openai_usage', 'openai', 0, 'completions', '2026-10-18', TRUE), "
    "('cost.csv', 'anthropic_cost_report', 'anthropic', 3, NULL, NULL, NULL)",
)

ARBITRARY = {"call_facts": {"call_no"}}
"""Columns that hold any distinct numbers: of these only the distinctness is compared."""


@dataclass(frozen=True)
class Outcome:
    """How one step fared: `difference` is empty where Spark does as DuckDB does."""

    step: str
    rows: int
    difference: str = ""


def policy() -> Policy:
    return Policy.parse(POLICY, "llm-audit.toml", today=AS_OF)


def audit(folder: Path) -> Path:
    """Audit sample_logs/ and the exports above in a new database below `folder`."""
    path = folder / "audit.duckdb"
    command = [sys.executable, "-m", "llm_audit", "--db", str(path), "ingest"]
    subprocess.run([*command, str(ROOT / "sample_logs")], check=True, capture_output=True, cwd=ROOT)
    with Workspace(path).connect() as connection:
        for statement in EXPORTS:
            connection.execute(statement)
        pipeline.run(connection, policy(), AS_OF)
    return path


def write_tables(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Every table and view as `folder`/NAME.parquet. Returns the names."""
    names = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
    for name in names:
        # Parquet has no HUGEINT, the type of DuckDB's sums of integers; Spark's sums are BIGINT.
        columns = ", ".join(
            f'"{column}"::BIGINT AS "{column}"' if type_ == "HUGEINT" else f'"{column}"'
            for column, type_, *_ in connection.execute(f"DESCRIBE {name}").fetchall()
        )
        target = folder / f"{name}.parquet"
        connection.execute(f"COPY (SELECT {columns} FROM {name}) TO '{target}' (FORMAT parquet)")
    return names


def session() -> SparkSession:
    """A local Spark with `SETTINGS`. Errors: `ImportError` without pyspark."""
    from pyspark.sql import SparkSession

    builder = (
        SparkSession.builder.master("local[2]")
        .appName("llm-audit parity")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
        .config("spark.log.level", "FATAL")
    )
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    started: SparkSession = builder.getOrCreate()
    return started


def outcomes(only: Sequence[str] = ()) -> Iterator[Outcome]:
    """Run and compare every step, or those named; one outcome each, in order."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        database = audit(folder)
        with Workspace(database).connect(read_only=True) as connection:
            spark = session()
            try:
                for name in write_tables(connection, folder):
                    frame = spark.read.parquet(str(folder / f"{name}.parquet"))
                    frame.createOrReplaceTempView(name)
                for query in queries(policy()):
                    if not only or query.name in only:
                        yield compare(connection, spark, query)
            finally:
                spark.stop()


def compare(connection: duckdb.DuckDBPyConnection, spark: SparkSession, query: Query) -> Outcome:
    """Run one step on Spark and hold its rows against the table that DuckDB made."""
    found = connection.execute(f"SELECT * FROM {query.name}")
    expected = found.fetchall()
    kinds = {column[0]: _kind(str(column[1])) for column in found.description or ()}
    try:
        frame = spark.sql(to_spark(query.select))
        actual = [tuple(row) for row in frame.collect()]
    except Exception as error:  # whatever Spark says is the finding
        return Outcome(query.name, len(expected), f"does not run: {' '.join(str(error).split())}")
    theirs = {field.name: _kind(field.dataType.simpleString()) for field in frame.schema.fields}
    difference = _columns(kinds, theirs) or _numbers(actual, list(kinds), query.name)
    if not difference:
        kept = [name for name in kinds if name not in ARBITRARY.get(query.name, set())]
        ours, same = (
            [_only(row, list(kinds), kept) for row in rows] for rows in (expected, actual)
        )
        difference = differing(ours, same, kept)
    return Outcome(query.name, len(expected), difference)


def _kind(type_: str) -> str:
    """What has to be the same of a column's type: not the width of integers and decimals."""
    name = type_.lower()
    if name.startswith("decimal"):
        scale = name.rstrip(")").partition(",")[2].strip() or "0"
        return f"decimal of scale {scale}"
    if name in {"tinyint", "smallint", "integer", "int", "bigint", "hugeint", "ubigint"}:
        return "integer"
    return {"varchar": "string", "json": "string", "timestamp_ntz": "timestamp"}.get(name, name)


def _columns(ours: dict[str, str], theirs: dict[str, str]) -> str:
    if list(ours) != list(theirs):
        return f"columns {sorted(ours.keys() ^ theirs.keys())} or their order"
    other = [f"{n}: {ours[n]} / {theirs[n]}" for n in ours if not _alike(ours[n], theirs[n])]
    return f"kinds of columns: {'; '.join(other)}" if other else ""


def _alike(ours: str, theirs: str) -> bool:
    integers = {"integer", "decimal of scale 0"}  # UBIGINT is one of Spark's decimals
    return ours == theirs or {ours, theirs} <= integers or "array" in theirs or theirs == "void"


def _numbers(rows: Sequence[Row], columns: Sequence[str], step: str) -> str:
    for name in ARBITRARY.get(step, set()):
        place = columns.index(name)
        if len({row[place] for row in rows}) < len(rows):
            return f"{name} is not distinct"
    return ""


def _only(row: Row, columns: Sequence[str], kept: Sequence[str]) -> Row:
    return tuple(value for name, value in zip(columns, row, strict=True) if name in kept)


def differing(ours: Sequence[Row], theirs: Sequence[Row], columns: Sequence[str]) -> str:
    """Empty, or the first row of each side that the other has not."""
    left, right = _grouped(ours), _grouped(theirs)
    other = [key for key in left.keys() | right.keys() if not _close(left.get(key), right.get(key))]
    if not other:
        return ""
    first = (
        f"{who} {dict(zip(columns, key, strict=True))} {side[key][:2]}"
        for who, side in (("DuckDB", left), ("Spark", right))
        for key in sorted((key for key in other if key in side), key=repr)[:1]
    )
    return f"{len(other)} of {len(ours)} and {len(theirs)} rows: {'; '.join(first)}"


def _grouped(rows: Iterable[Row]) -> dict[Row, list[Row]]:
    """Rows by all their values but the doubles -> the doubles, sorted."""
    groups: dict[Row, list[Row]] = defaultdict(list)
    for row in rows:
        key = tuple(_plain(value) for value in row)
        groups[key].append(tuple(value for value in row if isinstance(value, float)))
    return {key: sorted(doubles) for key, doubles in groups.items()}


def _plain(value: object) -> object:
    """A value that both engines spell the same way; doubles are compared apart."""
    if isinstance(value, float):
        return "a double"
    if isinstance(value, list | tuple):
        return tuple(_plain(each) for each in value)
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _close(ours: Sequence[Row] | None, theirs: Sequence[Row] | None) -> bool:
    if ours is None or theirs is None:
        return False
    return len(ours) == len(theirs) and all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
        for left, right in zip(ours, theirs, strict=True)
        for a, b in zip(left, right, strict=True)
    )


def main() -> int:
    """Print every step, or those named as arguments; 1 if one differs."""
    failed = 0
    for outcome in outcomes(sys.argv[1:]):
        failed += bool(outcome.difference)
        print(f"{outcome.step}: {outcome.rows} rows {outcome.difference or 'the same'}"[:1500])
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
