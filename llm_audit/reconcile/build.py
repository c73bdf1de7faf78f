"""Reads `reconciliation*` (sql/78 and 79) into one `Reconciliation`: the only module that queries.

Order is settled here, not in SQL: the same tables give the same bytes on every engine.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llm_audit.errors import InputError
from llm_audit.reconcile.result import (
    ELSEWHERE,
    SCHEMA_VERSION,
    Amount,
    Comparison,
    Part,
    Reconciliation,
    Row,
)
from llm_audit.reconcile.verdict import Covered, size, verdict
from llm_audit.schema import GAP_CAUSES

if TYPE_CHECKING:
    import duckdb

_Row = dict[str, Any]


def build(
    connection: duckdb.DuckDBPyConnection, *, now: datetime, tool_version: str
) -> Reconciliation:
    """The reconciliation of every export in `connection`, whose steps up to 79 have run.

    now: when it is made, UTC. Errors: `InputError` when no export was ingested, or none of its
    lines can be compared.
    """
    if not connection.execute(
        "SELECT 1 FROM usage_buckets WHERE token_kind <> 'nothing' OR token_kind IS NULL LIMIT 1"
    ).fetchall():
        raise InputError(
            "there is no usage or cost export in this database",
            slug="no-export",
            hint="name one: `llm-audit reconcile FILE` reads OpenAI's usage and costs API, its "
            "dashboard CSVs, Anthropic's Admin API reports and its Console CSVs",
        )
    summaries = _rows(connection, "reconciliation_summary")
    if not summaries:
        raise InputError(
            "no line of the exports can be compared",
            slug="export-unusable",
            hint="a line needs a day, a provider, and tokens or an amount; see them: "
            'llm-audit sql "SELECT * FROM usage_buckets LIMIT 10"',
        )
    estimates = _estimates(connection)
    [pricing] = _rows(connection, "pricing_meta")
    summaries.sort(key=lambda row: (row["provider_name"] or "", row["basis"] != "usd"))
    return Reconciliation(
        schema_version=SCHEMA_VERSION,
        tool_version=tool_version,
        generated_at=now.astimezone(UTC).replace(microsecond=0),
        pricing_version=pricing["version"],
        comparisons=tuple(_comparison(row, estimates) for row in summaries),
        rows=_gaps(connection),
    )


def _comparison(row: _Row, estimates: dict[tuple[str, ...], Decimal | None]) -> Comparison:
    provider, basis = row["provider_name"], row["basis"]
    parts = {cause: _amount(basis, row[cause]) for cause in GAP_CAUSES}
    ours, theirs = _amount(basis, row["ours"]), _amount(basis, row["theirs"])
    unexplained = _amount(basis, row["unexplained_size"])
    return Comparison(
        provider_name=provider,
        basis=basis,
        first_day=row["first_day"],
        last_day=row["last_day"],
        first_call_at=_in_utc(row["first_call_at"]),
        last_call_at=_in_utc(row["last_call_at"]),
        calls_without_time=int(row["calls_without_time"]),
        log_days=int(row["log_days"]),
        log_days_compared=int(row["log_days_compared"]),
        calls_not_compared=int(row["calls_not_compared"]),
        cost_not_compared=row["cost_not_compared"],
        by_model=row["by_model"],
        by_kind=row["by_kind"],
        lines=int(row["lines"]),
        lines_set_aside=int(row["lines_set_aside"]),
        lines_left_out=int(row["lines_left_out"]),
        lines_rejected=int(row["lines_rejected"]),
        pages_missing=int(row["pages_missing"]),
        ours=ours,
        theirs=theirs,
        gap=_amount(basis, row["gap"]),
        parts=tuple(
            Part(cause, amount, estimates.get((provider, basis, cause)))
            for cause, amount in parts.items()
        ),
        unexplained_size=unexplained,
        verdict=verdict(
            provider,
            basis,
            ours=ours,
            theirs=theirs,
            elsewhere=_amount(basis, sum((row[cause] for cause in ELSEWHERE), Decimal(0))),
            unexplained=unexplained,
            covered=Covered(
                log_days=int(row["log_days"]),
                compared=int(row["log_days_compared"]),
                lines_rejected=int(row["lines_rejected"]),
                pages_missing=int(row["pages_missing"]),
            ),
        ),
    )


def _estimates(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, ...], Decimal | None]:
    """What tokens would cost at our rates, for a sense of size: the export names no amount.

    USD by provider, basis and cause; None as soon as one of its rows has no rate.
    """
    found: defaultdict[tuple[str, ...], list[Decimal | None]] = defaultdict(list)
    for row in _rows(connection, "reconciliation"):
        for cause in GAP_CAUSES:
            if row["basis"] == "tokens" and row[cause] != 0:
                rate = row["batch_rate" if cause == "batch_share" else "paid_rate"]
                estimate = None if rate is None else int(row[cause]) * rate
                found[row["provider_name"], row["basis"], cause].append(estimate)
    return {
        key: None if None in amounts else sum((a for a in amounts if a is not None), Decimal(0))
        for key, amounts in found.items()
    }


def _gaps(connection: duckdb.DuckDBPyConnection) -> tuple[Row, ...]:
    rows = [
        Row(
            provider_name=row["provider_name"],
            basis=row["basis"],
            day=row["day"],
            model=row["model"],
            token_kind=row["token_kind"],
            ours=_amount(row["basis"], row["ours"]),
            theirs=_amount(row["basis"], row["theirs"]),
            gap=_amount(row["basis"], row["gap"]),
            cause=row["cause"],
            parts={
                cause: _amount(row["basis"], row[cause]) for cause in GAP_CAUSES if row[cause] != 0
            },
        )
        for row in _rows(connection, "reconciliation")
        if row["cause"] is not None
    ]
    rows.sort(
        key=lambda row: (
            row.provider_name,
            row.basis != "usd",
            -max(size(part) for part in row.parts.values()),
            row.day,
            row.model or "",
            row.token_kind,
        )
    )
    return tuple(rows)


def _amount(basis: str, value: Decimal) -> Amount:
    return int(value) if basis == "tokens" else value


def _rows(connection: duckdb.DuckDBPyConnection, table: str) -> list[_Row]:
    relation = connection.table(table)
    names = relation.columns
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.replace(tzinfo=UTC)
