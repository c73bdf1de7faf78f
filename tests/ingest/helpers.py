"""Small logs and a small audit: what the ingest tests are written with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from llm_audit.ingest import Options, Summary, ingest
from llm_audit.sources.local import find
from tests.support import create_stored_tables

MARKER = "MARKERxyzzy prompt that no table may hold"


def chat(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An OpenAI chat completion of 10 tokens in and `number` tokens out."""
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1_750_000_000 + number,
        "model": "gpt-4.1-mini",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": number, "total_tokens": 10 + number},
        **changes,
    }


def embedding(tokens: int = 7) -> dict[str, Any]:
    """An OpenAI embeddings answer: a call without an id."""
    return {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def message(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An Anthropic message of 20 tokens in and `number` tokens out."""
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "ok"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 20, "output_tokens": number},
        **changes,
    }


def line(record: Any) -> bytes:
    return json.dumps(record).encode()


def jsonl(*records: Any) -> bytes:
    """JSON lines; a `bytes` record is written as it is."""
    lines = (record if isinstance(record, bytes) else line(record) for record in records)
    return b"".join(one + b"\n" for one in lines)


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@dataclass
class Audit:
    """An in-memory audit database."""

    connection: duckdb.DuckDBPyConnection

    def ingest(self, *paths: Path | str, options: Options | None = None) -> Summary:
        """Ingest and check what must hold for every ingest: all counts close."""
        summary = ingest(self.connection, find(map(str, paths)), options)
        assert summary.lines == (
            summary.calls + summary.rejects + summary.duplicates + summary.not_calls
        )
        self.check_books()
        return summary

    def check_books(self) -> None:
        """Every file's counts close and agree with the tables, file by file and in total."""
        open_books = self.rows(
            "SELECT path FROM ingested_files "
            "WHERE lines <> calls + rejects + duplicates + not_calls OR least(lines, calls, "
            "rejects, duplicates, not_calls) < 0"
        )
        assert open_books == []
        for table, column in (("calls", "calls"), ("rejects", "rejects")):
            booked = self.rows(
                f"SELECT path, sum({column})::BIGINT FROM ingested_files "
                f"GROUP BY path HAVING sum({column}) > 0 ORDER BY 1"
            )
            found = self.rows(f"SELECT source_file, count(*) FROM {table} GROUP BY 1 ORDER BY 1")
            assert booked == found

    def rows(self, query: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self.connection.execute(query, parameters).fetchall()

    def ids(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT call_id FROM calls ORDER BY 1")]

    def rejects(self) -> list[tuple[int, str]]:
        return [
            (row[0], row[1])
            for row in self.rows("SELECT line_number, reason FROM rejects ORDER BY 1, 2")
        ]


@contextmanager
def audit() -> Iterator[Audit]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        create_stored_tables(connection)
        yield Audit(connection)
