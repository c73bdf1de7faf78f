"""The batch rates of a plan's models, read from the audit's price card once, when a run begins."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.migrate.ledger import Rate
from llm_audit.migrate.model import Vendor
from llm_audit.migrate.plan import Plan

if TYPE_CHECKING:
    import duckdb


def of_plan(connection: duckdb.DuckDBPyConnection, plan: Plan) -> list[tuple[Vendor, str, Rate]]:
    """Rates by vendor and model; a model without a rate is not among them, and stays unpriced."""
    query = Path(__file__).with_name("sql").joinpath("rates.sql").read_text(encoding="utf-8")
    found: list[tuple[Vendor, str, Rate]] = []
    seen: set[tuple[Vendor, str]] = set()
    for planned in plan.shards:
        key = (planned.shard.vendor, planned.shard.model)
        if key in seen:
            continue
        seen.add(key)
        rows = connection.execute(
            query,
            {"vendor": key[0].value, "model": key[1], "call_id": planned.requests[0].call_id},
        ).fetchall()
        for _, _, start, below, *rates in rows:
            found.append((*key, Rate(int(start), int(below), *map(Decimal, rates))))
    return found
