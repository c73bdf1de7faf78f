"""Pricing thousands of literal calls at once: one statement to insert them, not one each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from llm_audit import pipeline, prices, schema
from llm_audit.policy import Measured, PriceMultiplier, UserPrice
from tests.pricing.helpers import AS_OF


def price_many(
    connection: duckdb.DuckDBPyConnection,
    calls: Sequence[Mapping[str, Any]],
    *,
    multipliers: Sequence[PriceMultiplier] = (),
    user_prices: Sequence[UserPrice] = (),
    measured: Sequence[Measured] = (),
) -> None:
    """Fill `calls`, the price card of `AS_OF` and everything up to `costs`.

    `source_line` is the number of the call, from 0.
    """
    _insert(connection, calls)
    prices.load(
        connection, AS_OF, multipliers=multipliers, user_prices=user_prices, measured=measured
    )
    pipeline.run_steps(connection, 40, 59)


def _insert(connection: duckdb.DuckDBPyConnection, calls: Sequence[Mapping[str, Any]]) -> None:
    types = {column.name: column.sql_type for column in schema.CALLS}
    rows = [
        {
            "call_id": f"call-{number}",
            "source_file": "test.jsonl",
            "source_line": number,
            "status": "ok",
            "tokens_source": "reported",
            **call,
        }
        for number, call in enumerate(calls)
    ]
    used = sorted({column for row in rows for column in row})
    connection.execute(
        "INSERT INTO calls BY NAME SELECT unnest(from_json(?::JSON, ?), recursive := true)",
        [json.dumps(rows, default=str), json.dumps([{column: types[column] for column in used}])],
    )
