"""The result as plain text for a terminal: the bottom line, what to do first, the workloads.

Nothing but printable characters is written, whatever the log held, and no line is wider than asked.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_audit.report import measured, wording
from llm_audit.report.figures import count, money, over, plural
from llm_audit.report.headline import plain
from llm_audit.report.summary import change_of, lines_of, since, summary
from llm_audit.text import cells, cut, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_audit.report.result import Result, Workload
    from llm_audit.report.summary import Step, Summary

MOST_WORKLOADS = 20
MOST_CHANGES = 10
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
    top = summary(result)
    blocks = [
        _bottom_line(top, width),
        _tiles(top, width),
        _steps(top, width),
        _migration(result, width),
        _workloads(result, width),
        _baseline(result, width),
        _policy_warnings(result, width),
        _footer(result, width),
    ]
    text = "\n\n".join(block for block in blocks if block) + "\n"
    if encoding.lower().replace("-", "").startswith("utf"):
        return text
    # One character for one, so the columns still stand.
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def _bottom_line(top: Summary, width: int) -> str:
    paragraphs = [top.sentence, top.detail, *top.reconciled]
    paragraphs += [f"! {title}: {text}" for title, text in top.banners]
    return "\n".join(_wrapped(paragraph, width) for paragraph in paragraphs)


def _tiles(top: Summary, width: int) -> str:
    if not top.tiles:
        return ""
    name, amount = (max(len(t) for t in texts) for texts in zip(*_named(top), strict=True))
    lines = [
        _wrapped(f"{t.name:<{name}}  {t.amount:>{amount}}  {t.note}", width, name + amount + 4)
        for t in top.tiles
    ]
    return "\n".join([*lines, _wrapped("; ".join([top.basis, *top.facts]), width)])


def _named(top: Summary) -> list[tuple[str, str]]:
    return [(tile.name, tile.amount) for tile in top.tiles]


def _steps(top: Summary, width: int) -> str:
    if not top.steps:
        return ""
    lines = ["What to do first"]
    for number, step in enumerate(top.steps, 1):
        bullets = (f"{number}.", "  ", "  ")
        lines += [
            _wrapped(f"{bullet} {line}", width, 3)
            for bullet, line in zip(bullets, _step(step), strict=True)
        ]
    if top.more_steps:
        lines.append(f"{plural(top.more_steps, 'more action')} in the HTML report.")
    return "\n".join([*lines, *(_wrapped(f"{way_back}.", width) for way_back in top.ways_back)])


def _step(step: Step) -> tuple[str, str, str]:
    return (
        f"{step.what}: {cut(printable(step.caller or '(no caller)'), 40)}",
        f"{step.saving} ({step.share}); effort: {step.effort}; risk if late: {step.risk}; "
        f"confidence: {step.confidence}",
        f"run: {printable(step.command, 120)}",
    )


def _migration(result: Result, width: int) -> str:
    if result.migration is None:
        return ""
    lines = [f"  {plain(sentence)}" for sentence in measured.sentences(result)]
    limits = " ".join(plain(sentence) for sentence in measured.unproven(result))
    return "\n".join(
        [
            measured.TITLE,
            *(_wrapped(line, width, 4) for line in lines),
            _wrapped(measured.basis(result.migration), width),
            _wrapped(f"What this does not prove: {limits}", width),
        ]
    )


def _workloads(result: Result, width: int) -> str:
    if not result.workloads:
        return ""
    shown = result.workloads[:MOST_WORKLOADS]
    lines = _grid([_cells(workload) for workload in shown], width)
    note = f"Spend and conservative saving as observed {over(result.period.days)}."
    if len(result.workloads) > len(shown):
        more = len(result.workloads) - len(shown)
        note += f" {plural(more, 'more workload')} in the HTML and JSON reports."
    return "\n".join([*lines, _wrapped(note, width)])


def _baseline(result: Result, width: int) -> str:
    if result.baseline is None:
        return ""
    changes = result.baseline.workloads
    lines = [
        f"  {cut(printable(change.caller or '(no caller)'), 40)}: {change_of(change)}"
        for change in changes[:MOST_CHANGES]
    ]
    if len(changes) > MOST_CHANGES:
        lines.append(f"  {plural(len(changes) - MOST_CHANGES, 'more workload')} changed")
    first = _wrapped(since(result.baseline), width)
    return "\n".join([first, *(_wrapped(line, width, 4) for line in lines)])


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
    if not workload.claims or workload.effective_cost is None:
        return "-"
    return money(workload.saving_conservative)


def _grid(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Head, rule and rows: columns are dropped, then the first one cut, until all fits."""
    columns = list(range(len(_COLUMNS)))
    widths = [
        max(cells(text) for text in (column.head, *(row[place] for row in rows)))
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
        text = cut(row[place], widths[place])
        blank = " " * (widths[place] - cells(text))
        parts.append(blank + text if _COLUMNS[place].right else text + blank)
    return _GAP.join(parts).rstrip()


def _policy_warnings(result: Result, width: int) -> str:
    warnings = result.data_quality.policy_warnings
    return "\n".join(_wrapped(f"! {warning}", width) for warning in warnings)


def _footer(result: Result, width: int) -> str:
    return _wrapped(
        f"{lines_of(result.data_quality)} {count(result.totals.unpriced_calls)} unpriced. "
        f"Price card {printable(result.pricing.version, 60)} "
        f"as of {result.pricing.as_of.isoformat()}.",
        width,
    )


def _wrapped(text: str, width: int, indent: int = 0) -> str:
    """Lines of at most `width` cells, all but the first indented."""
    lines = textwrap.wrap(
        printable(text, 1000),
        width,
        break_on_hyphens=False,
        subsequent_indent=" " * indent,
    )
    return "\n".join(lines)
