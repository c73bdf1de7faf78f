"""The result as plain text for a terminal: the bottom line first, then the workloads.

Nothing but printable characters is written, whatever the log held, and no line is wider than asked.
"""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_audit.report import wording
from llm_audit.report.figures import count, money, over, plural
from llm_audit.report.headline import headline, plain
from llm_audit.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_audit.report.result import Result, Workload

MOST_WORKLOADS = 20
NARROWEST = 40
_GAP = "  "
_ASCII = str.maketrans({"…": "~", "─": "-", "●": "*", "▲": "^", "■": "#", "◆": "+", "○": "o"})


@dataclass(frozen=True)
class _Column:
    """A column: its head, whether it aligns right, when a narrow screen drops it."""

    head: str
    right: bool
    drop: int


_COLUMNS = (
    _Column("Workload", False, 0),
    _Column("Model", False, 2),
    _Column("Label", False, 0),
    _Column("Advice", False, 3),
    _Column("Calls", True, 4),
    _Column("Spend", True, 1),
    _Column("Saving", True, 0),
)
"""drop 0 always stays; of the others the highest goes first."""


def table(result: Result, *, width: int = 100, encoding: str = "utf-8") -> str:
    """The text, ending in a newline; ASCII alone where `encoding` is not a Unicode one."""
    width = max(width, NARROWEST)
    blocks = [_bottom_line(result, width)]
    if result.workloads:
        blocks.append(_workloads(result, width))
    if result.data_quality.policy_warnings:
        blocks.append(_policy_warnings(result, width))
    blocks.append(_footer(result, width))
    text = "\n\n".join(blocks) + "\n"
    if encoding.lower().replace("-", "").startswith("utf"):
        return text
    # One character for one, so the columns still stand.
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def _bottom_line(result: Result, width: int) -> str:
    top = headline(result)
    paragraphs = [plain(top.sentence), plain(top.detail)]
    paragraphs += [plain(sentence) for sentence in top.reconciled]
    paragraphs += [f"! {banner.title}: {plain(banner.text)}" for banner in top.banners]
    return "\n".join(_wrapped(paragraph, width) for paragraph in paragraphs)


def _workloads(result: Result, width: int) -> str:
    shown = result.workloads[:MOST_WORKLOADS]
    lines = _grid([_cells(workload) for workload in shown], width)
    note = f"Spend and conservative saving as observed {over(result.period.days)}."
    if len(result.workloads) > len(shown):
        more = len(result.workloads) - len(shown)
        note += f" {plural(more, 'more workload')} in the HTML and JSON reports."
    return "\n".join([*lines, _wrapped(note, width)])


def _cells(workload: Workload) -> tuple[str, ...]:
    shape, label = wording.LABELS.get(workload.label, ("", workload.label))
    return (
        printable(workload.caller or "(no caller)", 60),
        printable(workload.model or "(no model)", 24),
        printable(f"{shape} {label}", 40),
        printable(wording.advice(workload.advice), 40),
        count(workload.calls),
        money(workload.effective_cost),
        _saving(workload),
    )


def _saving(workload: Workload) -> str:
    """What a batch would cost less is no saving where someone waits, or nothing is priced."""
    if workload.label == "realtime" or workload.effective_cost is None:
        return "-"
    return money(workload.saving_conservative)


def _grid(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Head, rule and rows: columns are dropped, then the first one cut, until all fits."""
    columns = list(range(len(_COLUMNS)))
    widths = [
        max(_cells_wide(text) for text in (column.head, *(row[place] for row in rows)))
        for place, column in enumerate(_COLUMNS)
    ]
    least_first = 18

    def needed() -> int:
        others = sum(widths[place] for place in columns[1:])
        return min(widths[0], least_first) + others + len(_GAP) * (len(columns) - 1)

    while needed() > width and any(_COLUMNS[place].drop for place in columns):
        columns.remove(max(columns, key=lambda place: _COLUMNS[place].drop))
    others = sum(widths[place] + len(_GAP) for place in columns[1:])
    widths[0] = min(widths[0], width - others)
    heads = tuple(column.head for column in _COLUMNS)
    lines = [_line(row, columns, widths) for row in (heads, *rows)]
    rule = "─" * (sum(widths[place] for place in columns) + len(_GAP) * (len(columns) - 1))
    return [lines[0], rule, *lines[1:], rule]


def _line(row: tuple[str, ...], columns: Sequence[int], widths: Sequence[int]) -> str:
    parts = []
    for place in columns:
        text = _cut(row[place], widths[place])
        blank = " " * (widths[place] - _cells_wide(text))
        parts.append(blank + text if _COLUMNS[place].right else text + blank)
    return _GAP.join(parts).rstrip()


def _policy_warnings(result: Result, width: int) -> str:
    warnings = result.data_quality.policy_warnings
    return "\n".join(_wrapped(f"! {warning}", width) for warning in warnings)


def _footer(result: Result, width: int) -> str:
    quality = result.data_quality
    sign = "=" if quality.closes else "is not"
    return _wrapped(
        f"{plural(quality.lines, 'line')} {sign} {plural(quality.calls, 'call')} "
        f"+ {plural(quality.rejects, 'reject')} + {plural(quality.duplicates, 'duplicate')} "
        f"+ {count(quality.not_calls)} not calls. {count(result.totals.unpriced_calls)} unpriced. "
        f"Price card {printable(result.pricing.version, 60)} "
        f"as of {result.pricing.as_of.isoformat()}.",
        width,
    )


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(printable(text, 1000), width, break_on_hyphens=False)


def _cells_wide(text: str) -> int:
    """Terminal cells: East Asian wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _cut(text: str, cells: int) -> str:
    if _cells_wide(text) <= cells:
        return text
    while text and _cells_wide(text) > cells - 1:
        text = text[:-1]
    return text + "…"
