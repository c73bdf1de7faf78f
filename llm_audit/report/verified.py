"""Reads what `llm-audit migrate verify` has kept (verified_* tables) into a `Migration`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_audit.report import migrated as m
from llm_audit.report.rows import Row, make, read, rows

if TYPE_CHECKING:
    import duckdb

CHECKS = (
    "finish", "not_refused", "non_empty", "json_valid", "json_schema", "tool_names",
    "tool_arguments", "vectors",
)  # fmt: skip
"""The order of the checks, from what concerns every answer to what few have."""

DIMENSIONS = ("states", "failures", "odd_lines", "not_compared")

RATES = (
    "answered", "one_end", "same_model", "expired", "failed", "same_text", "same_json",
    "same_fields",
)  # fmt: skip
"""Of `verified_shares`, what stands in a `Migration` itself; these in its cost:"""
COST_RATES = ("prompt_equal", "cached_logged", "cached_measured")

_TOKEN_KINDS = ("input", "cached_input", "cache_write_5m", "cache_write_1h", "output")
_NOTHING: Row = {"count": 0, "of": 0, "similarity": None}


def migration(connection: duckdb.DuckDBPyConnection) -> m.Migration | None:
    """What was found last; None where nothing was, or by a version that kept nothing."""
    # Of an older version's database, opened only to read, the tables are not there.
    there = "SELECT 1 FROM information_schema.tables WHERE table_name = 'verified_totals'"
    if not connection.execute(there).fetchall():
        return None
    found = rows(connection, "verified_totals")
    if not found:
        return None
    [totals] = found
    shares = {row["name"]: row for row in rows(connection, "verified_shares")}
    turnaround = read(connection, "verified_turnaround", m.Turnaround)
    workloads = read(connection, "verified_workloads", m.MigratedWorkload)
    return make(
        m.Migration,
        {
            **totals,
            **{name: _rate(shares, name) for name in RATES},
            **_counts(connection),
            "runs": tuple(sorted(row["run_id"] for row in rows(connection, "verified_runs"))),
            "batches": len(rows(connection, "verified_batches")),
            "turnaround": tuple(sorted(turnaround, key=lambda times: times.vendor)),
            "cost": _cost(connection, totals, shares),
            "checks": tuple(sorted(read(connection, "verified_checks", m.Check), key=_place)),
            "same_text": _agreement(shares, "same_text"),
            "noise": _noise(shares),
            "workloads": tuple(sorted(workloads, key=lambda w: (-w.sync_cost, w.workload_id))),
        },
    )


def _cost(
    connection: duckdb.DuckDBPyConnection, totals: Row, shares: dict[str, Row]
) -> m.MigratedCost:
    tokens = read(connection, "verified_costs", m.TokenCost)
    # Of a look by an older version nobody knows: no saving is told until the next one.
    alike = bool(totals.get("prompts_alike"))
    tokens.sort(key=lambda line: (_of_known(_TOKEN_KINDS, line.token_kind), line.token_kind))
    return make(
        m.MigratedCost,
        {
            **totals,
            "claimed_saving": totals["sync_cost"] - totals["claimed_cost"],
            "measured_saving": totals["sync_cost"] - totals["measured_cost"] if alike else None,
            "prompts_alike": alike,
            "tokens": tuple(tokens),
            **{name: _rate(shares, name) for name in COST_RATES},
        },
    )


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[m.Counted, ...]]:
    """By dimension, the most frequent first."""
    found: dict[str, list[m.Counted]] = {dimension: [] for dimension in DIMENSIONS}
    for row in rows(connection, "verified_counts"):
        if row["dimension"] in found:
            found[row["dimension"]].append(make(m.Counted, row))
    return {
        dimension: tuple(sorted(counted, key=lambda c: (-c.number, c.name)))
        for dimension, counted in found.items()
    }


def _rate(shares: dict[str, Row], name: str) -> m.Rate:
    return make(m.Rate, shares.get(name, _NOTHING))


def _agreement(shares: dict[str, Row], name: str) -> m.Agreement:
    return make(m.Agreement, shares.get(name, _NOTHING))


def _noise(shares: dict[str, Row]) -> m.NoiseFloor | None:
    if "noise_across" not in shares:
        return None
    return m.NoiseFloor(*(_agreement(shares, f"noise_{n}") for n in ("logged", "batch", "across")))


def _place(check: m.Check) -> tuple[int, str]:
    return _of_known(CHECKS, check.name), check.name


def _of_known(known: tuple[str, ...], name: str) -> int:
    return known.index(name) if name in known else len(known)
