"""Literal samples of each format and the canonical values they must become.

`golden/NAME.json` holds cases: why, the record, and what is expected of it: columns of `calls`, or
`reject` (part of the reason), or `not_call`. All cases of a format are one log file, so that the
format is also recognised by itself.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import schema
from llm_audit.formats import formats
from tests.ingest.helpers import Audit, audit, jsonl, write

GOLDEN = {path.stem: path for path in sorted((Path(__file__).parent / "golden").glob("*.json"))}
SECRET = "xyzzySECRET"
"""Stands in every prompt and answer of the samples."""


def cases(name: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(GOLDEN[name].read_text(encoding="utf-8"))
    return loaded


def plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | list | None) else str(value)


def test_every_format_has_golden_rows() -> None:
    """Those of exports are in tests/ingest/test_exports.py: they do not become calls."""
    assert set(GOLDEN) == {name for name, found in formats().items() if not found.is_export}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_rows(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"{name}.jsonl", jsonl(*[case["record"] for case in cases(name)]))
    with audit() as book:
        book.ingest(path)
        rows = calls_by_line(book)
        rejects = dict(book.rejects())
        for number, case in enumerate(cases(name), start=1):
            expect = case["expect"]
            if "reject" in expect:
                assert expect["reject"] in rejects[number], case["why"]
            elif "not_call" in expect:
                assert number not in rows | rejects, case["why"]
            else:
                assert number in rows, f"{case['why']}: {rejects.get(number)}"
                found = {column: plain(rows[number][column]) for column in expect}
                assert found == expect, case["why"]
                assert rows[number]["source_format"] == name


def calls_by_line(book: Audit) -> dict[int, dict[str, Any]]:
    columns = [column.name for column in schema.CALLS]
    rows = [
        dict(zip(columns, row, strict=True))
        for row in book.rows(f"SELECT {', '.join(columns)} FROM calls")
    ]
    return {row["source_line"]: row for row in rows}


@pytest.mark.parametrize("name", GOLDEN)
def test_tokens_are_missing_or_ruled(name: str, tmp_path: Path) -> None:
    """Missing usage is NULL, never zero, and every settled count says by which rule."""
    path = write(tmp_path / f"{name}.jsonl", jsonl(*[case["record"] for case in cases(name)]))
    with audit() as book:
        book.ingest(path)
        wrong = book.rows(
            """
            SELECT call_id FROM calls
            WHERE (tokens_source = 'missing') <> (input_tokens IS NULL AND output_tokens IS NULL)
              OR (tokens_source = 'missing') <> (token_rule IS NULL)
              OR COALESCE(cache_read_input_tokens, 0) + COALESCE(cache_creation_5m_input_tokens, 0)
                + COALESCE(cache_creation_1h_input_tokens, 0) > input_tokens
              OR least(cache_read_input_tokens, cache_creation_5m_input_tokens,
                cache_creation_1h_input_tokens, output_tokens, reasoning_output_tokens) < 0
              OR reasoning_output_tokens > output_tokens
            """
        )
        assert wrong == []


def test_messages_are_hashed_in_order(tmp_path: Path) -> None:
    """Equal beginnings of a conversation have equal hashes; that is how turns are recognised."""

    def ask(number: int, *texts: str) -> dict[str, Any]:
        return {
            "request": {
                "model": "gpt-4.1-mini",
                "messages": [{"role": "user", "content": text} for text in texts],
            },
            "response": {"id": f"chatcmpl-{number}", "object": "chat.completion", "choices": []},
        }

    records = [ask(1, "a"), ask(2, "a", "b"), ask(3, "b", "a"), ask(4, "a")]
    with audit() as book:
        book.ingest(write(tmp_path / "log.jsonl", jsonl(*records)))
        first, second, third, fourth = (
            row[0] for row in book.rows("SELECT message_hashes FROM calls ORDER BY call_id")
        )
    assert first == fourth == second[:1] == third[1:]
    assert len(second) == 2
    assert second != third


def test_no_text_is_stored_anywhere(tmp_path: Path) -> None:
    """Neither in a column of any table nor in the bytes of the database file."""
    folder = tmp_path / "logs"
    for name in GOLDEN:
        records = [case["record"] for case in cases(name)]
        broken = [json.dumps(record)[:-1].encode() for record in records]
        misquoted = [json.dumps(record).replace("\\", "").encode()[:-1] for record in records]
        unknown = [{"prompt": SECRET, "messages": [{"content": SECRET}]}]
        write(folder / f"{name}.jsonl", jsonl(*records, *broken, *misquoted, *unknown))
        assert SECRET.encode() in (folder / f"{name}.jsonl").read_bytes()
    database = tmp_path / "audit.duckdb"
    with duckdb.connect(database) as connection:
        for table in schema.STORED_TABLES:
            connection.execute(schema.create_table_sql(table))
        book = Audit(connection)
        summary = book.ingest(folder)
        assert summary.calls > 50
        assert summary.rejects > 50
        for (table,) in book.rows("SELECT table_name FROM duckdb_tables()"):
            rows = book.rows(f"SELECT CAST(t AS VARCHAR) FROM {table} AS t")
            assert not [row for (row,) in rows if SECRET in row], table
        connection.execute("CHECKPOINT")
    assert SECRET.encode() not in database.read_bytes()
