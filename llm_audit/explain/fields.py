"""Which facts a log leaves out, as data (`fields.toml`), and of how many calls."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from llm_audit.explain.rows import rows

if TYPE_CHECKING:
    import duckdb

KNOWN_FROM = 0.5
"""A fact that fewer calls than this share carry is called missing."""


@dataclass(frozen=True)
class Field:
    """A fact that a log may carry: the columns that hold it and the signals made of it."""

    columns: tuple[str, ...]
    signals: tuple[str, ...]
    missing: str
    action: str
    what_if: bool = True


@dataclass(frozen=True)
class Coverage:
    """On how many of a workload's calls each fact is in the log."""

    calls: int
    calls_with: Mapping[Field, int]

    def missing(self) -> tuple[Field, ...]:
        """The facts that most of the calls do not carry."""
        return tuple(f for f, n in self.calls_with.items() if n < self.calls * KNOWN_FROM)


@cache
def fields() -> tuple[Field, ...]:
    """Every fact, the most telling first."""
    text = resources.files("llm_audit.explain").joinpath("fields.toml").read_text(encoding="utf-8")
    return tuple(
        Field(
            tuple(entry["columns"]),
            tuple(entry["signals"]),
            entry["missing"],
            entry["action"],
            entry.get("what_if", True),
        )
        for entry in tomllib.loads(text)["field"]
    )


def coverage(connection: duckdb.DuckDBPyConnection, workload_id: str) -> Coverage:
    """Count, in one pass over the workload's calls."""
    counts = ", ".join(f"count({_first_of(field.columns)})" for field in fields())
    [row] = rows(
        connection,
        f"SELECT count(*) AS calls, [{counts}] AS counts FROM calls "  # noqa: S608
        "INNER JOIN labels ON labels.call_id = calls.call_id WHERE labels.workload_id = ?",
        [workload_id],
    )
    return Coverage(row["calls"], dict(zip(fields(), row["counts"], strict=True)))


def _first_of(columns: Sequence[str]) -> str:
    return f"coalesce({', '.join(f'calls.{column}' for column in columns)})"
