"""Rows of the report's views as dataclasses: a view's columns are the fields of one of them."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
_T = TypeVar("_T")


def rows(connection: duckdb.DuckDBPyConnection, view: str) -> list[Row]:
    """Every row of a view as a dict; timestamps without a zone are UTC and say so."""
    relation = connection.table(view)
    names = relation.columns
    return [dict(zip(names, map(_in_utc, row), strict=True)) for row in relation.fetchall()]


def read(connection: duckdb.DuckDBPyConnection, view: str, kind: type[_T]) -> list[_T]:
    """Every row of a view as one dataclass."""
    return [make(kind, row) for row in rows(connection, view)]


def make(kind: type[_T], row: Row) -> _T:
    """A dataclass from the columns of the same names."""
    return kind(**{field.name: row[field.name] for field in fields(kind)})  # type: ignore[arg-type]


def _in_utc(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value
