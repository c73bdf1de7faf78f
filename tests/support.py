"""What several test folders share: where shared material is, and a way to write literal calls."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import schema

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("LLM_AUDIT_SHARED") or ROOT.parent / "shared")


def shared(*parts: str) -> Path:
    """A path below ../shared; skips the test where that folder is not on this machine."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not on this machine (../shared is the developers' own)")
    return path


def insert_calls(connection: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert literal calls; what a row leaves out takes a plausible default or NULL."""
    for number, row in enumerate(rows):
        call = {
            "call_id": f"call-{number}",
            "source_file": "test.jsonl",
            "source_line": number + 1,
            "source_format": "test",
            "status": "ok",
            "tokens_source": "reported",
            **row,
        }
        columns = ", ".join(call)
        marks = ", ".join("?" for _ in call)
        connection.execute(f"INSERT INTO calls ({columns}) VALUES ({marks})", list(call.values()))


def create_stored_tables(connection: duckdb.DuckDBPyConnection) -> None:
    for name in schema.STORED_TABLES:
        connection.execute(schema.create_table_sql(name))
