"""Reconciling literal calls with literal export lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from llm_audit import pipeline, prices, reconcile
from llm_audit.reconcile.result import Amount, Comparison
from llm_audit.reconcile.verdict import size
from tests.pricing.helpers import AS_OF
from tests.support import insert_calls

HAIKU = "claude-haiku-4-5"
"""1 USD a million input tokens, 5 USD output, in a batch half; the same on every test's day."""

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
Bucket = dict[str, Any]


def call(day: int, model: str = HAIKU, hour: int = 12, **values: Any) -> dict[str, Any]:
    """A call of November 2026, with a known standard tier."""
    return {
        "provider_name": "openai" if model.startswith("gpt") else "anthropic",
        "response_model": model,
        "started_at": datetime(2026, 11, day, hour),
        "service_tier": "standard",
        "output_tokens": 0,
        **values,
    }


def bucket(
    day: int, kind: str, value: int | None = None, usd: str | None = None, **values: Any
) -> Bucket:
    """A line of an export for a whole day of November 2026."""
    start = datetime(2026, 11, day)
    model = values.get("model", HAIKU)
    return {
        "source_file": "export.json",
        "source_line": 1,
        "source_format": "anthropic_cost_report",
        "provider_name": "openai" if (model or "").startswith("gpt") else "anthropic",
        "bucket_start": start,
        "bucket_end": start + timedelta(days=1),
        "model": model,
        "token_kind": kind,
        "quantity": value,
        "amount_usd": None if usd is None else Decimal(usd),
        **values,
    }


def compare(
    connection: duckdb.DuckDBPyConnection,
    calls: Iterable[Mapping[str, Any]],
    buckets: Iterable[Bucket],
    as_of: date = AS_OF,
) -> reconcile.Reconciliation:
    """Price the calls and hold them against the export lines. The split must close."""
    insert_calls(connection, calls)
    for row in buckets:
        columns, marks = ", ".join(row), ", ".join("?" for _ in row)
        connection.execute(
            f"INSERT INTO usage_buckets ({columns}) VALUES ({marks})", list(row.values())
        )
    prices.load(connection, as_of)
    pipeline.run_steps(connection, 40, 59)
    pipeline.run_steps(connection, 70, 79)
    result = reconcile.build(connection, now=NOW, tool_version="0.1.0")
    assert_closes(result)
    return result


def assert_closes(result: reconcile.Reconciliation) -> None:
    """The parts are the gap, row by row and in total, to the last digit."""
    for row in result.rows:
        assert sum(row.parts.values()) == row.gap == row.theirs - row.ours
    for whole in result.comparisons:
        assert sum(part.amount for part in whole.parts) == whole.gap == whole.theirs - whole.ours
        own = [r for r in result.rows if (r.provider_name, r.basis) == key(whole)]
        for part in whole.parts:
            assert sum(row.parts.get(part.cause, 0) for row in own) == part.amount
        assert whole.unexplained_size == sum(size(row.parts.get("unexplained", 0)) for row in own)


def key(whole: Comparison) -> tuple[str, str]:
    return whole.provider_name, whole.basis


def split(whole: Comparison) -> dict[str, Amount]:
    """The parts that are not zero, by cause."""
    return {part.cause: part.amount for part in whole.parts if part.amount}


def only(result: reconcile.Reconciliation) -> Comparison:
    [whole] = result.comparisons
    return whole
