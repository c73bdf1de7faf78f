"""From calls to savings: runs the numbered SELECTs of `sql/` in order, each as one table or view."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Step:
    """One file of `sql/`: it becomes the table or view `name`."""

    number: int
    name: str
    kind: str
    select: str


_HEADER = re.compile(r"^-- (table|view): (\w+)$", re.MULTILINE)


@cache
def steps() -> tuple[Step, ...]:
    """All steps in order, read from the packaged `sql/NN_name.sql` files."""
    found = []
    for file in resources.files("llm_audit").joinpath("sql").iterdir():
        if not file.name.endswith(".sql"):
            continue
        text = file.read_text(encoding="utf-8")
        header = _HEADER.search(text)
        assert header, f"{file.name} has no `-- table: NAME` or `-- view: NAME` line"
        found.append(Step(int(file.name[:2]), header[2], header[1], text.rstrip().rstrip(";")))
    return tuple(sorted(found, key=lambda step: step.number))


def run_steps(connection: duckdb.DuckDBPyConnection, first: int, last: int) -> None:
    """Create every table and view whose number is in [first, last]."""
    for step in steps():
        if first <= step.number <= last:
            connection.execute(f"DROP VIEW IF EXISTS {step.name}") if step.kind == "view" else None
            connection.execute(f"CREATE OR REPLACE {step.kind} {step.name} AS\n{step.select}")
