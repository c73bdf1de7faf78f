"""The reconciliation as plain text: per provider and basis the totals, the causes, the worst rows.

Nothing but printable characters is written, whatever the export held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_audit.reconcile.verdict import amount, figure, percent, provider, several
from llm_audit.schema import GAP_CAUSES
from llm_audit.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from llm_audit.reconcile.result import Comparison, Reconciliation, Row

MOST_ROWS = 12
_ROW_HEADS = ("Day", "Model", "Kind", "Ours", "Theirs", "Gap", "Cause")
_FIGURES = ("Ours", "Theirs", "Gap", "Tokens", "USD", "Of theirs", "At our rates")


def table(result: Reconciliation) -> str:
    """The text, ending in a newline. Amounts are exact."""
    return "\n\n".join(_comparison(result, c) for c in result.comparisons) + "\n"


def _comparison(result: Reconciliation, comparison: Comparison) -> str:
    rows = [
        row
        for row in result.rows
        if (row.provider_name, row.basis) == (comparison.provider_name, comparison.basis)
    ]
    lines = [*_head(comparison), "", *_causes(comparison)]
    if rows:
        lines += ["", *_worst(rows)]
    return "\n".join([*lines, "", printable(comparison.verdict, 400)])


def _head(c: Comparison) -> list[str]:
    name = printable(provider(c.provider_name), 60)
    unit = "USD" if c.basis == "usd" else "tokens"
    period = (
        f"{c.first_call_at:%Y-%m-%d %H:%M} to {c.last_call_at:%Y-%m-%d %H:%M}"
        if c.first_call_at and c.last_call_at
        else "no call of this provider with a time"
    )
    level = [
        "per day",
        "model" if c.by_model else "",
        "token kind" if c.by_kind else "",
    ]
    lines = [
        f"{name}, {unit}, {' x '.join(filter(None, level))} (UTC)",
        f"  export  {c.first_day} to {c.last_day}, {several(c.lines, 'line')}",
        f"  log     {period}; compared on {c.log_days_compared:,} of {several(c.log_days, 'day')}",
    ]
    if c.calls_not_compared:
        lines.append(
            f"  not compared: {several(c.calls_not_compared, 'call')} of ours "
            f"({amount('usd', c.cost_not_compared)}) on days or endpoints that the export is not of"
        )
    if not c.by_model:
        lines.append("  some days of the export do not name models: compared without them")
    if c.lines_set_aside:
        lines.append(
            f"  not counted: {several(c.lines_set_aside, 'line')} of exports of the same days; of "
            "each day one export counts"
        )
    if c.lines_left_out:
        lines.append(
            f"  left out: {several(c.lines_left_out, 'line')} without a day or a possible amount"
        )
    if c.lines_rejected:
        lines.append(
            f"  rejected: {several(c.lines_rejected, 'line')} of the export; the table `rejects` "
            "says why"
        )
    if c.pages_missing:
        lines.append("  pages are missing: the last one there says that more follow")
    if c.calls_without_time:
        lines.append(
            f"  not compared: {several(c.calls_without_time, 'call')} of ours without a time"
        )
    return lines


def _causes(c: Comparison) -> list[str]:
    unit = "USD" if c.basis == "usd" else "Tokens"
    estimated = c.basis == "tokens"
    head = ["", unit, "Of theirs", *(["At our rates"] if estimated else [])]
    rows = [
        ["theirs", figure(c.basis, c.theirs), "", *([""] if estimated else [])],
        ["ours", figure(c.basis, c.ours), "", *([""] if estimated else [])],
        _cause_cells(c, "gap", c.gap, None, estimated=estimated),
        *(
            _cause_cells(c, f"  {GAP_CAUSES[part.cause]}", part.amount, part.estimate_usd,
                         estimated=estimated)
            for part in c.parts
        ),
    ]  # fmt: skip
    lines = _grid(head, rows)
    if estimated and any(part.estimate_usd is not None for part in c.parts):
        lines.append("  At our rates is an estimate: the export names no amounts.")
    return lines


def _cause_cells(
    c: Comparison, name: str, value: Decimal | int, estimate: Decimal | None, *, estimated: bool
) -> list[str]:
    cells = [name, figure(c.basis, value), percent(value, c.theirs)]
    if estimated:
        cells.append("" if estimate is None else f"about {amount('usd', estimate)}")
    return cells


def _worst(rows: Sequence[Row]) -> list[str]:
    shown = rows[:MOST_ROWS]
    cells = [
        [
            row.day.isoformat(),
            printable(row.model or "(all models)", 32),
            printable("(all kinds)" if row.token_kind == "cost" else row.token_kind, 24),
            figure(row.basis, row.ours),
            figure(row.basis, row.theirs),
            figure(row.basis, row.gap),
            GAP_CAUSES[row.cause] + (" and others" if len(row.parts) > 1 else ""),
        ]
        for row in shown
    ]
    lines = _grid(_ROW_HEADS, cells)
    if len(rows) > len(shown):
        more = several(len(rows) - len(shown), "more row")
        lines.append(f"  {more} with a gap: --format json")
    return lines


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[place]) for line in (head, *rows)) for place in range(len(head))]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if name in _FIGURES else cell.ljust(width)
            for name, cell, width in zip(head, line, widths, strict=True)
        ).rstrip()
        for line in (head, *rows)
    ]
