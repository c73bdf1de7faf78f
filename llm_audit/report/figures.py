"""Figures as a person reads them, each tied to the JSON key it comes from.

An output never holds a number of its own: it names a key of the result and gets the exact value
and its text. Tests walk every figure of the page back to the JSON by that key.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import reduce
from typing import TYPE_CHECKING, Any

from llm_audit.report.codec import plain_decimal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_audit.report.result import Result

UNKNOWN = "not priced"


@dataclass(frozen=True)
class Figure:
    """An amount of USD (Decimal) or a count (int) and the JSON key that holds it."""

    key: str
    value: Decimal | int | None

    @property
    def exact(self) -> str:
        """The value as the JSON has it; empty where it is unknown."""
        if self.value is None:
            return ""
        return plain_decimal(self.value) if isinstance(self.value, Decimal) else str(self.value)

    @property
    def text(self) -> str:
        """The value rounded for reading, as it stands in a column."""
        return count(self.value) if isinstance(self.value, int) else money(self.value)

    @property
    def spoken(self) -> str:
        """The same in a sentence: '$810', where a column has '$810.00'."""
        return self.text.removesuffix(".00")


@dataclass(frozen=True)
class Lasting:
    """A time in seconds and the JSON key that holds it."""

    key: str
    seconds: float

    @property
    def exact(self) -> str:
        """The value as the JSON has it."""
        return str(self.seconds)

    @property
    def spoken(self) -> str:
        """The value as it is read."""
        return lasting(self.seconds)


def figure(result: Result, key: str) -> Figure:
    """The figure at a dotted key, list places by number: 'models.0.calls'."""
    value: Any = reduce(_step, key.split("."), result)
    return Figure(key, value)


@dataclass(frozen=True)
class Derived:
    """USD made of figures of the JSON: the sum of `keys` (a leading '-' takes one away) times
    `times`, a fraction such as '30/8'.
    """

    keys: tuple[str, ...]
    times: str
    value: Decimal

    @property
    def exact(self) -> str:
        """The value, up to twelve decimals like the projected ones of the JSON."""
        return plain_decimal(self.value)

    @property
    def text(self) -> str:
        """The value rounded for reading."""
        return money(self.value)

    @property
    def spoken(self) -> str:
        """The same in a sentence."""
        return self.text.removesuffix(".00")


def derived(result: Result, keys: Sequence[str], times: str = "1") -> Derived:
    """The amount that the keys make up; one that is unknown counts as nothing."""
    with localcontext(prec=50):
        whole = Decimal(0)
        for key in keys:
            amount = figure(result, key.removeprefix("-")).value or Decimal(0)
            whole += -amount if key.startswith("-") else amount
        above, _, below = times.partition("/")
        value = whole * Decimal(above) / Decimal(below or 1)
        if times != "1":
            value = value.quantize(Decimal("1e-12"))
    return Derived(tuple(keys), times, value)


def _step(value: Any, name: str) -> Any:
    return value[int(name)] if isinstance(value, tuple) else getattr(value, name)


def money(amount: Decimal | None) -> str:
    """USD: whole dollars from 1,000, cents from 1, up to four decimals below; '$0' is nothing."""
    if amount is None:
        return UNKNOWN
    size = abs(amount)
    sign = "-" if amount < 0 else ""
    if size == 0:
        return "$0"
    if size < Decimal("0.0001"):
        return f"under {sign}$0.0001"
    if size >= 1000:
        return f"{sign}${_rounded(size, '1'):,}"
    if size >= 1:
        return f"{sign}${_rounded(size, '0.01')}"
    return f"{sign}${plain_decimal(_rounded(size, '0.0001'))}"


def _rounded(size: Decimal, step: str) -> Decimal:
    return size.quantize(Decimal(step), rounding=ROUND_HALF_UP)


def count(number: int) -> str:
    """With thousands separators."""
    return f"{number:,}"


def share(part: Decimal | int, whole: Decimal | int) -> float:
    """The fraction 0 to 1; 0 of nothing is 0. For drawing and percent, never for money."""
    return float(part) / float(whole) if whole else 0.0


def percent(fraction: float) -> str:
    """'50%', '0.4%', 'under 0.1%': one decimal below ten, and something is never nothing."""
    value = fraction * 100
    if value == 0:
        return "0%"
    if value < 0.1:
        return "under 0.1%"
    if value >= 9.95:
        # 99.96% of a bill is not the whole bill.
        return "over 99%" if 99 < value < 100 else f"{value:.0f}%"
    return f"{value:.1f}".removesuffix(".0") + "%"


def lasting(seconds: float) -> str:
    """'45 s', '7.5 min', '3.2 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    short, unit = (seconds / 60, "min") if seconds < 5400 else (seconds / 3600, "h")
    return f"{short:.1f}".removesuffix(".0") + f" {unit}"


def over(days: int) -> str:
    """'over 14 days'; of a log whose calls carry no time, 'at unknown times'."""
    return f"over {plural(days, 'day')}" if days else "at unknown times"


def plural(number: int, noun: str) -> str:
    """'1 workload', '2 workloads'."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"
