"""Which calls may be replayed, by the tables alone, and a reason for every other call.

The answer is a table, `migration_calls`, one row per call: `llm-audit sql "SELECT reason, detail,
count(*) FROM migration_calls GROUP BY ALL"` shows what the dry run shows. It holds no text of a
prompt or an answer.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING, Any

from llm_audit.errors import UsageError
from llm_audit.migrate import replay
from llm_audit.migrate.bodies import LogFile
from llm_audit.migrate.model import LeftOut
from llm_audit.policy.globs import like_pattern
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Choice:
    """What the user wants of the eligible calls.

    workloads: ids, callers or globs of callers; none: all. sample: so many calls from all over
    the log, the same ones each time. limit: the first so many in the order of the log.
    """

    workloads: tuple[str, ...] = ()
    sample: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that may be replayed if its body allows it; see `sql/to_read.sql`."""

    source_line: int
    call_id: str
    source_format: str
    workload_id: str
    endpoint: str
    input_tokens: int
    output_tokens: int
    finish_reason: str | None
    sync_cost: Decimal
    batch_cost: Decimal


KEY_PREFIX = "la1:"
"""What stands before a call's id in the text whose sha256 is its request key."""


def judge(
    connection: duckdb.DuckDBPyConnection, choice: Choice, bought: Collection[str] = frozenset()
) -> None:
    """Create `migration_calls` from the labelled and priced tables.

    bought: request keys of earlier runs; a sample or a limit then takes other calls.
    Errors: `UsageError` for a workload that is not in the log.
    """
    _load_rules(connection)
    _fill(connection, "bought_requests", "request_key", [(key,) for key in bought])
    connection.execute(
        f"CREATE OR REPLACE TABLE migration_calls AS {_sql('candidates')}",
        {
            "chosen": chosen(connection, choice.workloads),
            "sample": choice.sample,
            "max_calls": choice.limit,
            "key_prefix": KEY_PREFIX,
        },
    )


def by_file(
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[tuple[LogFile, list[Candidate]]]:
    """The candidates of each log, in the order of its lines; one log in memory at a time."""
    rows = _stream(connection.cursor().execute(_sql("to_read")))
    for (path, size, digest, versions), group in groupby(rows, key=lambda row: row[:4]):
        yield LogFile(path, size, digest, versions), [Candidate(*row[4:]) for row in group]


def leave_out(connection: duckdb.DuckDBPyConnection, left: Sequence[LeftOut]) -> None:
    """Book the reasons that only the bodies could tell."""
    for start in range(0, len(left), 50_000):
        part = left[start : start + 50_000]
        connection.execute(
            "UPDATE migration_calls SET reason = told.reason, detail = told.detail FROM "
            "(SELECT unnest(?) AS call_id, unnest(?) AS reason, unnest(?) AS detail) AS told "
            "WHERE migration_calls.call_id = told.call_id",
            [[x.call_id for x in part], [x.reason for x in part], [x.detail for x in part]],
        )


def rows(
    connection: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """The answer to `sql/<name>.sql`."""
    return connection.execute(_sql(name), values or {}).fetchall()


def _load_rules(connection: duckdb.DuckDBPyConnection) -> None:
    rules = replay.rules()
    shapes = [
        (name, operation, endpoint, rules.endpoints[endpoint].vendor)
        for name, shape in rules.shapes.items()
        for operation, endpoint in shape.endpoints.items()
    ]
    formats: list[tuple[str, str | None, str | None]] = [
        *((name, None, shape.otherwise) for name, shape in rules.shapes.items()),
        *((name, why, None) for name, why in rules.not_replay_grade.items()),
    ]
    _fill(connection, "replay_shapes", "source_format operation_name endpoint vendor", shapes)
    _fill(connection, "replay_formats", "source_format why otherwise", formats)
    _fill(connection, "replay_reasons", "reason sentence", rules.reasons.items())


def _fill(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    names: str,
    values: Iterable[Sequence[str | None]],
) -> None:
    columns = ", ".join(f"unnest(?::VARCHAR[]) AS {name}" for name in names.split())
    lists = [list(column) for column in zip(*values, strict=True)]
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {columns}",
        lists or [[] for _ in names.split()],
    )


def chosen(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[str] | None:
    """The ids of the workloads that these names mean."""
    if not names:
        return None
    ids: set[str] = set()
    for name in names:
        found = connection.execute(
            _sql("names"), {"name": name, "pattern": like_pattern(name)}
        ).fetchall()
        if not found:
            raise UsageError(
                f"there is no workload or caller {printable(name, 80)!r} in this log",
                slug="migrate-workload",
                hint=_nearest(connection, name),
            )
        ids.update(workload_id for (workload_id,) in found)
    return sorted(ids)


def _nearest(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    known = connection.execute(
        "SELECT DISTINCT unnest([workload_id, caller]) FROM workloads ORDER BY 1"
    ).fetchall()
    near = difflib.get_close_matches(name, [text for (text,) in known], n=3, cutoff=0.5)
    if near:
        return "did you mean " + ", ".join(repr(printable(text, 80)) for text in near) + "?"
    return 'see them all: llm-audit sql "SELECT workload_id, caller, model FROM workloads"'


def _stream(answer: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while part := answer.fetchmany(10_000):
        yield from part


def _sql(name: str) -> str:
    query = resources.files("llm_audit.migrate").joinpath("sql", f"{name}.sql")
    return query.read_text(encoding="utf-8")
