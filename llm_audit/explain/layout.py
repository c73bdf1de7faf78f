"""Lines, columns and amounts of the explanation's text; what comes from a log is made printable."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from llm_audit.text import printable

WIDEST = 100
NARROWEST = 80


def wrapped(text: str, width: int, *, first: str = "", then: str | None = None) -> list[str]:
    """`text` as lines of at most `width`, the first behind `first`, the others behind `then`."""
    return textwrap.wrap(
        printable(text, 2000),
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first) if then is None else then,
        break_on_hyphens=False,
    )


def grid(
    heads: Sequence[str], lines: Sequence[Sequence[str]], *, right: Sequence[int], indent: str
) -> list[str]:
    """Columns under their heads; those whose place is in `right` are aligned right."""
    cells = [list(heads), *([printable(cell, 80) for cell in line] for line in lines)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(heads))]
    return [
        (
            indent
            + "  ".join(
                cell.rjust(width) if place in right else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
        ).rstrip()
        for line in cells
    ]


def exact(amount: Decimal | None) -> str:
    """Every digit, without zeros at the end; `-` where unknown."""
    if amount is None:
        return "-"
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def per_million(rate: Decimal | None) -> str:
    """USD per million of something that costs `rate` each."""
    return exact(None if rate is None else rate.scaleb(6))


def usd(amount: Decimal | None) -> str:
    """For reading: cents from a dollar on, four decimals below; 'no price' where unknown."""
    if amount is None:
        return "no price"
    if amount == 0:
        return "$0"
    if abs(amount) < Decimal("0.0001"):
        return "under $0.0001"
    step = Decimal("0.01") if abs(amount) >= 1 else Decimal("0.0001")
    return f"${amount.quantize(step, rounding=ROUND_HALF_UP):,}"


def count(number: int, noun: str) -> str:
    """'1 call', '2,000 calls'."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share 0 to 1; something is never nothing, nor all but something all."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    if 0.999 < share < 1:
        return "over 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"
