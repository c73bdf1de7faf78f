"""Rows of the tables as dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]


def rows(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    values: Sequence[object] | Mapping[str, object] = (),
) -> list[Row]:
    """The answer to `query`; what comes from outside travels in `values`."""
    answer = connection.execute(
        query, dict(values) if isinstance(values, Mapping) else list(values)
    )
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@cache
def query(name: str) -> str:
    """The SELECT of `explain/sql/<name>.sql`."""
    return resources.files("llm_audit.explain").joinpath(f"sql/{name}.sql").read_text("utf-8")
