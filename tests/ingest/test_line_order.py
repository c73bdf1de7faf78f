"""Rows are matched to lines by their number, so DuckDB must keep the order of the lines.

With several threads and several row groups it keeps it in some plans only; small logs never show.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit.formats import formats
from llm_audit.ingest import ingest, loading
from llm_audit.ingest.accounts import statement
from llm_audit.sources.local import find

LINES = 260_000
"""More than two of DuckDB's row groups (122,880 rows)."""


def _line(number: int) -> str:
    if number % 50_000 == 777:
        return '{"call_type": "acompletion", "cut off'
    record: dict[str, Any] = {
        "id": f"call-{number}",
        "call_type": "acompletion",
        "startTime": 1_795_000_000 + number,
        "status": "success",
        "model": "gpt-4o-mini",
        "prompt_tokens": number % 97,
        "completion_tokens": 3,
        "messages": [{"role": "user", "content": f"question {number}"}],
    }
    return json.dumps(record)


def test_every_row_of_a_large_file_knows_its_line(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    log = tmp_path / "large.jsonl"
    log.write_text("".join(f"{_line(number)}\n" for number in range(1, LINES + 1)))
    connection.execute("SET threads = 4")
    summary = ingest(connection, find([str(log)]))
    assert summary.rejects == 6
    assert summary.calls == LINES - 6
    misplaced = connection.execute(
        "SELECT count(*) FROM calls WHERE call_id <> 'call-' || source_line"
    ).fetchone()
    assert misplaced == (0,)
    rejects = connection.execute("SELECT line_number FROM rejects ORDER BY 1").fetchall()
    assert [line for (line,) in rejects] == list(range(777, LINES, 50_000))


@pytest.mark.parametrize("name", [n for n, found in formats().items() if not found.is_export])
def test_every_format_is_read_in_parallel(
    name: str, tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    """A join or an aggregate in a format's SELECT would force it onto one thread."""
    log = tmp_path / "log.jsonl"
    log.write_text("{}\n")
    loading.prepare(connection)
    connection.execute("SET threads = 2")
    reader: Any = connection.read_json
    reader([str(log)], columns=dict(formats()[name].columns)).create_view("raw")
    arrivals = f"WITH lines AS ({formats()[name].select}) {statement('arrivals')}"
    plan = connection.execute(f"EXPLAIN INSERT INTO calls BY NAME {arrivals}").fetchall()
    assert "Batch Insert" in plan[0][1]
