"""Pricing literal calls: insert, label by hand, load the card, run the price steps."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from llm_audit import pipeline, prices
from llm_audit.prices import catalogue
from tests.support import insert_calls

AS_OF = date(2026, 11, 22)
DAY = datetime(2026, 11, 10, 9, 30)


def call(model: str, **values: Any) -> dict[str, Any]:
    """A standard call of a model on `DAY`; the provider follows from the name."""
    provider = "anthropic" if "claude" in model else "openai"
    return {"provider_name": provider, "response_model": model, "started_at": DAY, **values}


def price(
    connection: duckdb.DuckDBPyConnection,
    calls: Iterable[Mapping[str, Any]],
    as_of: date = AS_OF,
    **options: Any,
) -> list[dict[str, Any]]:
    """The rows of `costs`, in the order of the calls."""
    insert_calls(connection, calls)
    prices.load(connection, as_of, **options)
    pipeline.run_steps(connection, 40, 59)
    return rows(
        connection,
        "SELECT costs.* FROM costs JOIN calls USING (call_id) ORDER BY source_line",
    )


def save(
    connection: duckdb.DuckDBPyConnection,
    calls: Iterable[Mapping[str, Any]],
    as_of: date = AS_OF,
    *,
    label: str = "batch_eligible",
    verdicts: tuple[str, str, str] = ("supported", "supported", "supported"),
    deadline_risk: bool = False,
    due_in_s: float | None = None,
    due_in_minutes: bool = False,
    needs_error_feedback: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """The one row of `savings` for calls that are all one workload under one label."""
    price(connection, calls, as_of, **options)
    connection.execute(
        "CREATE OR REPLACE TABLE labels AS "
        "SELECT call_id, 'w_1' AS workload_id, ? AS label FROM calls",
        [label],
    )
    connection.execute(
        "CREATE OR REPLACE TABLE workload_labels AS SELECT 'w_1' AS workload_id, ? AS label, "
        "? AS independence, ? AS tolerance, ? AS storage, ? AS deadline_risk, "
        "CAST(? AS DOUBLE) AS due_in_s, ? AS due_in_minutes, ? AS needs_error_feedback",
        [label, *verdicts, deadline_risk, due_in_s, due_in_minutes, needs_error_feedback],
    )
    pipeline.run_steps(connection, 60, 79)
    (row,) = rows(connection, "SELECT * FROM savings")
    return row


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def copy_of_pricing(folder: Path) -> Path:
    """A private copy of the price data that a test may spoil."""
    return Path(shutil.copytree(catalogue.folder(), folder / "pricing"))
