"""Tables, amounts, counts and times as a person reads them, no line wider than asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from llm_audit.text import cells, cut, printable, wrapped

NARROWEST = 40
_GAP = "  "
_LEAST = 8
_WRAPPED = 40
"""Cells that a text which goes on below can do with, before another column is dropped for it."""


@dataclass(frozen=True)
class Column:
    """A column: its head, whether it aligns right, when a narrow screen drops it.

    drop: 0 always stays; of the others the highest goes first. wraps: a long text goes on below.
    """

    head: str
    right: bool = False
    drop: int = 0
    wraps: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Head and rows. Columns are dropped, then the widest are narrowed, until all fits."""
    texts = [[printable(cell, 400) for cell in row] for row in rows]
    widths = [
        max(cells(line[place]) for line in ([column.head for column in columns], *texts))
        for place, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))

    def needed() -> int:
        least = [min(widths[p], _WRAPPED) if columns[p].wraps else widths[p] for p in shown]
        return sum(least) + len(_GAP) * (len(shown) - 1)

    while needed() > width and any(columns[place].drop for place in shown):
        shown.remove(max(shown, key=lambda place: columns[place].drop))
    over = sum(widths[place] for place in shown) + len(_GAP) * (len(shown) - 1) - width
    # Texts give way, those first that go on below; figures are never cut.
    for place in sorted(shown, key=lambda p: (columns[p].right, not columns[p].wraps, -widths[p])):
        if over > 0 and not columns[place].right:
            given = min(over, max(0, widths[place] - _least(columns[place])))
            widths[place] -= given
            over -= given
    lines = [[column.head for column in columns], *texts]
    return [line for row in lines for line in _lines(row, columns, shown, widths)]


def _least(column: Column) -> int:
    return max(len(column.head), _LEAST)


def _lines(
    row: Sequence[str], columns: Sequence[Column], shown: Sequence[int], widths: Sequence[int]
) -> Iterator[str]:
    parts = [
        wrapped(row[place], widths[place]) or [""]
        if columns[place].wraps
        else [cut(row[place], widths[place])]
        for place in shown
    ]
    for number in range(max(map(len, parts))):
        padded = []
        for place, part in zip(shown, parts, strict=True):
            text = part[number] if number < len(part) else ""
            blank = " " * (widths[place] - cells(text))
            padded.append(blank + text if columns[place].right else text + blank)
        yield _GAP.join(padded).rstrip()


def usd(amount: Decimal | None) -> str:
    """Dollars and cents; below a dollar four decimals, so that something is seen."""
    if amount is None:
        return "unknown"
    step = Decimal("0.01") if abs(amount) >= 1 or amount == 0 else Decimal("0.0001")
    return f"${amount.quantize(step, rounding=ROUND_HALF_UP):,}"


def lasting(seconds: float) -> str:
    """Hours for reading: '1.5 hours', '24 hours'."""
    hours = f"{seconds / 3600:,.1f}".removesuffix(".0")
    return f"{hours} hour{'' if hours == '1' else 's'}"


def size(number: int) -> str:
    """Bytes for reading, in decimal units as the vendors' limits are."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number} B"


def count(number: int, noun: str, plural: str = "") -> str:
    """'1 batch', '2,000 batches'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def moment(when: datetime) -> str:
    """A time of day in UTC."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def joined(words: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
