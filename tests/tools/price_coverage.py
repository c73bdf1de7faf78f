"""How much of real logs stays unpriced: `python -m tests.tools.price_coverage [FOLDER]`.

Ingests a folder (../shared/logs unless told otherwise) into memory, prices it, and prints per log
format how many calls and which share of their tokens have no price, with the commonest reasons and
models. Run by hand after a change of `pricing/` or of a format.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from llm_audit import pipeline, prices
from llm_audit.ingest import ingest
from llm_audit.sources.local import find
from llm_audit.text import printable
from tests.support import SHARED, create_stored_tables

AS_OF = date(2026, 11, 22)
TOP = 4

PER_FORMAT = """
SELECT
  source_format,
  count(*) AS calls,
  count(*) FILTER (WHERE starts_with(price_status, 'unpriced')) AS unpriced_calls,
  CAST(sum(tokens) AS BIGINT) AS tokens,
  CAST(sum(tokens) FILTER (WHERE starts_with(price_status, 'unpriced')) AS BIGINT)
    AS unpriced_tokens
FROM priced_calls
GROUP BY ALL
ORDER BY ALL
"""

REASONS = """
SELECT price_status, model, count(*) AS calls, CAST(sum(tokens) AS BIGINT) AS tokens
FROM priced_calls
WHERE starts_with(price_status, 'unpriced') AND source_format = ?
GROUP BY ALL
ORDER BY tokens DESC, calls DESC, price_status, model
"""


def price_logs(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Ingest a folder and make `costs`, and `priced_calls`: format, model, tokens and status."""
    ingest(connection, find([str(folder)]), None)
    prices.load(connection, AS_OF)
    pipeline.run_steps(connection, 40, 59)
    connection.execute(
        "CREATE OR REPLACE TEMP VIEW priced_calls AS "
        "SELECT calls.source_format, COALESCE(calls.response_model, calls.request_model) AS model, "
        "COALESCE(calls.input_tokens, 0) + COALESCE(calls.output_tokens, 0) AS tokens, "
        "costs.price_status FROM calls JOIN costs USING (call_id)"
    )


def lines(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The table, a line a format, its commonest reasons indented below it."""
    yield f"{'format':34} {'calls':>7} {'unpriced':>8} {'tokens':>12} {'unpriced':>12} {'share':>7}"
    sums = [0, 0, 0, 0]
    for name, *counts in connection.execute(PER_FORMAT).fetchall():
        numbers = [int(count or 0) for count in counts]
        sums = [total + number for total, number in zip(sums, numbers, strict=True)]
        yield row(name, numbers)
        yield from reasons(connection, name)
    yield row("all", sums)


def row(name: str, numbers: list[int]) -> str:
    calls, unpriced_calls, tokens, unpriced_tokens = numbers
    share = unpriced_tokens / max(tokens, 1)
    return (
        f"{name:34} {calls:7,} {unpriced_calls:8,} {tokens:12,} {unpriced_tokens:12,} {share:7.1%}"
    )


def reasons(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[str]:
    found = connection.execute(REASONS, [name]).fetchall()
    for status, model, calls, tokens in found[:TOP]:
        text = printable(model or "(no model)", 60)
        yield f"    {status:16} {text:60} {calls:5,} calls {tokens:12,} tokens"
    if len(found) > TOP:
        yield f"    and {len(found) - TOP} more"


def main() -> None:
    """Print the table; an absent folder is said, not guessed."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "logs"
    if not folder.exists():
        raise SystemExit(f"{folder} is not on this machine: name a folder of logs")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        create_stored_tables(connection)
        price_logs(connection, folder)
        print("\n".join(lines(connection)))


if __name__ == "__main__":
    main()
