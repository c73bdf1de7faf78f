"""Which facts a log leaves out, as data (`fields.toml`), of how many calls, and how to log them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """A fact that a log may carry: the columns that hold it and the signals made of it.

    how: what to add to a record of a source format, for those that `fields.toml` knows.
    """

    columns: tuple[str, ...]
    signals: tuple[str, ...]
    missing: str
    action: str
    what_if: bool = True
    not_for: frozenset[str] = frozenset()
    how: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Coverage:
    """On how many of a workload's calls, per source format, each fact is in the log.

    Calls that are in a batch already are not counted: nothing is left to find out about them.
    """

    operation_name: str
    formats: Mapping[str, int]
    with_fact: Mapping[Field, Mapping[str, int]]

    @property
    def calls(self) -> int:
        """All calls that are counted."""
        return sum(self.formats.values())

    def calls_with(self, fact: Field) -> int:
        """The calls that carry the fact."""
        return sum(self.with_fact[fact].values())

    def missing(self) -> tuple[Field, ...]:
        """The facts that most of the calls do not carry, but could."""
        return tuple(
            fact
            for fact in self.with_fact
            if self.operation_name not in fact.not_for
            and self.calls_with(fact) < self.calls * KNOWN_FROM
        )


@cache
def fields() -> tuple[Field, ...]:
    """Every fact, the most telling first."""
    text = resources.files("llm_audit.explain").joinpath("fields.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return tuple(
        Field(
            tuple(entry["columns"]),
            tuple(entry["signals"]),
            entry["missing"],
            entry["action"],
            entry.get("what_if", True),
            frozenset(entry.get("not_for", ())),
            data["otherwise"] | _per_format(entry.get("how", {}), data["groups"]),
        )
        for entry in data["field"]
    )


def _per_format(how: Mapping[str, str], groups: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What to add per format: its own entry, else that of the last group it belongs to."""
    found: dict[str, str] = {}
    for group, members in groups.items():
        if group in how:
            found |= dict.fromkeys(members, how[group])
    return found | {name: text for name, text in how.items() if name not in groups}


def coverage(
    connection: duckdb.DuckDBPyConnection, workload_id: str, operation_name: str
) -> Coverage:
    """Count, in one pass over the workload's calls."""
    counts = ", ".join(f"count({_first_of(fact.columns)})" for fact in fields())
    found = rows(
        connection,
        "SELECT coalesce(calls.source_format, '') AS format, count(*) AS calls, "  # noqa: S608
        f"[{counts}] AS counts FROM calls INNER JOIN labels ON labels.call_id = calls.call_id "
        "WHERE labels.workload_id = ? AND calls.service_tier IS DISTINCT FROM 'batch' "
        "GROUP BY 1 ORDER BY 2 DESC, 1",
        [workload_id],
    )
    return Coverage(
        operation_name,
        {row["format"]: row["calls"] for row in found},
        {
            fact: {row["format"]: row["counts"][place] for row in found}
            for place, fact in enumerate(fields())
        },
    )


def _first_of(columns: Sequence[str]) -> str:
    return f"coalesce({', '.join(f'calls.{column}' for column in columns)})"
