"""The audits that are looked at: from nothing at all to 500 workloads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from itertools import cycle
from typing import Any

import duckdb

from llm_audit.report import Result
from tests.report import tables, test_hostile
from tests.support import create_stored_tables

Fill = Callable[[duckdb.DuckDBPyConnection], object]


def made(fill: Fill, *, project: bool = False) -> Result:
    """The result of an audit whose derived tables `fill` has filled."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        create_stored_tables(connection)
        tables.create_derived_tables(connection)
        fill(connection)
        return tables.build(connection, project=project)


def nothing(connection: duckdb.DuckDBPyConnection) -> None:
    """No rows: an audit before the first ingest."""


def all_unpriced(connection: duckdb.DuckDBPyConnection) -> None:
    """No call has a known price: there is no bill to draw."""
    tables.add_calls(connection, 1200, days=8)
    for number, label in enumerate(("batch_eligible", "gray_area", "realtime")):
        tables.add_workload(
            connection, number, label=label, calls=400, unpriced_calls=400,
            unpriced_tokens=1_000_000, worth_it=False, advice="unpriced", note="No known price.",
        )  # fmt: skip
    connection.execute("UPDATE costs SET price_status = 'unpriced_model'")
    tables.insert(
        connection, "model_names", provider_name="openai", request_model="gpt-4.1",
        response_model=None, match_method="refused", hint="No such model is known.",
    )  # fmt: skip


def hostile(connection: duckdb.DuckDBPyConnection) -> None:
    """Every column that carries log text carries all attacks at once."""
    test_hostile._fill(connection, " ".join(test_hostile.HOSTILE))


def migrated(connection: duckdb.DuckDBPyConnection) -> None:
    """A migration that was verified: its own section."""
    tables.mixed_audit(connection)
    tables.add_migration(connection)


def many(result: Result, count: int = 500) -> Result:
    """The same audit with `count` workloads: copies of its own, each worth something else.

    Totals grow as the workloads do, so the page stays true to itself.
    """
    copies = -(-count // len(result.workloads))
    worth = [Decimal(1 + 977 * n % copies) / 8 for n in range(copies)]
    sources = cycle(result.workloads)
    workloads = [
        replace(
            _scaled(source, worth[n // len(result.workloads)], 1),
            workload_id=f"w_{n:010x}",
            caller=source.caller and f"{source.caller}-{n:03}",
        )
        for n, source in zip(range(count), sources, strict=False)
    ]
    grown = {
        name: _scaled(getattr(result, name), sum(worth, Decimal(0)), copies)
        for name in ("totals", "labels", "models", "savings", "bridge", "trend", "sensitivity")
    }
    period = replace(result.period, calls=result.period.calls * copies)
    return replace(result, workloads=tuple(workloads), period=period, **grown)


def _scaled(value: Any, money: Decimal, count: int) -> Any:
    """Every amount times `money`, every count times `count`."""
    if isinstance(value, Decimal):
        return value * money
    if isinstance(value, int) and not isinstance(value, bool):
        return value * count
    if isinstance(value, tuple):
        return tuple(_scaled(part, money, count) for part in value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {f.name: _scaled(getattr(value, f.name), money, count) for f in fields(value)}
        return replace(value, **parts)
    return value
