"""The workloads as CSV: one row per workload and label, for spreadsheets and notebooks.

A column is named by its key in the JSON, below `workloads[]`, with dots into objects:
`effective_cost`, `criteria.tolerance`, `activity.duration_p50_ms`. Of the lists only the codes of
the reasons are here, separated by blanks; calls by day and by hour stand in the JSON alone. Savings
of realtime rows are blank: what a batch would cost less is no claim where somebody waits.
"""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from llm_audit.report.csv_text import Cell, csv_text
from llm_audit.report.result import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_audit.report.result import Result


def to_csv(result: Result) -> str:
    """The document; of an audit without calls, its header alone."""
    columns = tuple(_columns(Workload))
    rows = ([_value(workload, column) for column in columns] for workload in result.workloads)
    return csv_text(columns, rows)


def _columns(kind: Any) -> Iterator[str]:
    """The dotted names of everything in a dataclass that fits a cell."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        hint = hints[field.name]
        if get_origin(hint) is types.UnionType:  # only `X | None` occurs
            hint = get_args(hint)[0]
        if is_dataclass(hint):
            yield from (f"{field.name}.{name}" for name in _columns(hint))
        elif get_origin(hint) is not tuple or field.name == "reasons":
            yield field.name


def _value(workload: Workload, column: str) -> Cell:
    if column == "reasons":
        return " ".join(reason.code for reason in workload.reasons)
    if "saving_" in column and not workload.claims:
        return None
    value: Any = workload
    for name in column.split("."):
        value = None if value is None else getattr(value, name)
    cell: Cell = value
    return cell
