"""The geometry of the report's charts: positions in percent, drawn by the templates as plain SVG.

Server-side SVG rather than a plotly figure: the charts are there without JavaScript, in print and
in mail, and weigh bytes where the inlined plotly bundle weighs 4.8 MB. Every function is pure; the
exact amounts stand in the table beside each chart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report.figures import percent, share
from llm_audit.report.wording import PARTS, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_audit.report.result import (
        BridgeStep,
        Day,
        ModelTotal,
        Saving,
        Sensitivity,
        Totals,
    )
    from llm_audit.report.spend import ProviderTotal

    Costs = Totals | ModelTotal | ProviderTotal | Day

ROOM_FOR_A_SHAPE = 4.0
"""Percent of the bar below which a shape would not fit in its segment."""

RANGE_END = 62.0
"""Where the high end of the range bar lies at most, percent: the rest is room for its label."""

RANGE_OF_BILL = 0.25
"""From this share of the bill on, the range bar is drawn beside the whole bill; below, enlarged."""

SIDE_ROOM = 24.0
"""Percent beside a mark of the range bar that its label needs."""

MOST_COLUMNS = 120
"""Columns in the trend; a longer log is drawn by the week, so that the page stays small."""


@dataclass(frozen=True)
class Segment:
    """One piece of a bar: `x` and `width` in percent of the bar."""

    name: str
    x: float
    width: float

    @property
    def middle(self) -> float:
        """Where a mark in the segment is centred."""
        return round(self.x + self.width / 2, 3)

    @property
    def end(self) -> float:
        """Where the segment stops."""
        return round(self.x + self.width, 3)


@dataclass(frozen=True)
class PartSegment(Segment):
    """A piece of a cost bar: which of the five parts, its share in words, whether a shape fits."""

    part: Part
    percent: str

    @property
    def roomy(self) -> bool:
        """Whether the part's shape fits into the segment."""
        return self.width >= ROOM_FOR_A_SHAPE


def cost_bar(costs: Costs, whole: Decimal | None = None) -> tuple[PartSegment, ...]:
    """The five parts of a cost side by side; parts of nothing are left out.

    whole: the cost that fills the bar, to compare one row with the largest; else its own.
    """
    segments = []
    x = 0.0
    for part in PARTS:
        amount = getattr(costs, part.key)
        width = round(share(amount, costs.effective_cost if whole is None else whole) * 100, 3)
        if width > 0:
            name = part.key.removesuffix("_cost")
            said = percent(share(amount, costs.effective_cost))
            segments.append(PartSegment(name, round(x, 3), width, part, said))
            x += width
    return tuple(segments)


@dataclass(frozen=True)
class Mark:
    """A labelled point of the range bar; `anchor` is the side of the point its text starts on."""

    x: float
    anchor: str


@dataclass(frozen=True)
class Range:
    """The range bar: low, expected and high end of the saving on a scale that begins at $0.

    bill: where the whole bill ends, percent; None where the scale is too large to show it.
    """

    low: Mark
    expected: Mark
    high: Mark
    bill: float | None

    @property
    def width(self) -> float:
        """From the low end to the high one."""
        return round(self.high.x - self.low.x, 3)


def saving_range(saving: Saving) -> Range | None:
    """Where the three scenarios of a saving lie; None where nothing is saved."""
    if saving.conservative <= 0:
        return None
    whole = share(saving.best, saving.effective_cost) >= RANGE_OF_BILL
    end = min(share(saving.best, saving.effective_cost) * 100, RANGE_END) if whole else RANGE_END
    low, expected, high = (
        round(share(amount, saving.best) * end, 3)
        for amount in (saving.conservative, saving.expected, saving.best)
    )
    bill = round(share(saving.effective_cost, saving.best) * end, 3) if whole else None
    return Range(
        Mark(low, "end" if low >= SIDE_ROOM else "start"),
        Mark(expected, "middle" if SIDE_ROOM / 2 <= expected <= 100 - SIDE_ROOM / 2 else "start"),
        Mark(high, "start"),
        min(bill, 100.0) if bill is not None else None,
    )


def part_of(low: Decimal, high: Decimal, whole: Decimal) -> tuple[Segment, ...]:
    """A bar for a saving beside others: sure up to `low`, possible up to `high`."""
    sure = round(min(share(low, whole), 1.0) * 100, 3)
    possible = round(min(share(high, whole), 1.0) * 100, 3)
    segments = (
        Segment("conservative", 0.0, sure),
        Segment("best", sure, round(possible - sure, 3)),
    )
    return tuple(segment for segment in segments if segment.width > 0)


@dataclass(frozen=True)
class Fall:
    """One row of the waterfall: `kind` is total, up, down or same; from `level` to `end`."""

    kind: str
    x: float
    width: float
    level: float
    end: float


def waterfall(steps: Sequence[BridgeStep]) -> tuple[Fall, ...]:
    """The bridge as bars: a total starts at $0, a step where the one before it ended."""
    spans = []
    level = Decimal(0)
    for step in steps:
        start = Decimal(0) if step.kind == "total" else level
        level = start + step.amount
        spans.append((step, start, level))
    ends = [end for _, *span in spans for end in span]
    lowest, highest = min(ends, default=Decimal(0)), max(ends, default=Decimal(0))

    def place(amount: Decimal) -> float:
        return round(share(amount - lowest, highest - lowest) * 100, 3)

    return tuple(
        Fall(
            "total" if step.kind == "total" else _way(step.amount),
            min(place(start), place(end)),
            round(abs(place(end) - place(start)), 3),
            place(start),
            place(end),
        )
        for step, start, end in spans
    )


def _way(change: Decimal) -> str:
    return "up" if change > 0 else "down" if change < 0 else "same"


@dataclass(frozen=True)
class Swing:
    """One row of the tornado: `place` is its number in `Result.sensitivity`."""

    place: int
    row: Sensitivity
    x: float
    width: float

    @property
    def kind(self) -> str:
        """Which way the saving goes: 'up', 'down' or 'same'."""
        return _way(self.row.change)


@dataclass(frozen=True)
class Tornado:
    """What if: the widest swing first; `axis` is where the headline's saving lies, percent."""

    axis: float
    swings: tuple[Swing, ...]


def tornado(rows: Sequence[Sensitivity]) -> Tornado:
    """Each change of the saving, left or right of the headline; the headline itself is no row."""
    placed = [(place, row) for place, row in enumerate(rows) if row.name != "conservative"]
    placed.sort(key=lambda item: (-abs(item[1].change), item[0]))
    lost = max((-row.change for _, row in placed), default=Decimal(0))
    gained = max((row.change for _, row in placed), default=Decimal(0))
    lost, gained = max(lost, Decimal(0)), max(gained, Decimal(0))
    axis = round(share(lost, lost + gained) * 100, 3)
    return Tornado(axis, tuple(_swing(axis, lost + gained, *item) for item in placed))


def _swing(axis: float, whole: Decimal, place: int, row: Sensitivity) -> Swing:
    width = round(share(abs(row.change), whole) * 100, 3)
    return Swing(place, row, axis if row.change >= 0 else round(axis - width, 3), width)


@dataclass(frozen=True)
class Layer:
    """One part of the cost in the trend: SVG path data, a piece per column that has any of it."""

    name: str
    part: Part
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Trend:
    """Cost over time: `columns` wide, `HEIGHT` high, `top` USD a column at full height."""

    columns: int
    days_per_column: int
    top: Decimal
    layers: tuple[Layer, ...]
    dates: tuple[date, ...]

    HEIGHT = 1000
    """Units of the drawing from $0 to `top`."""


def trend(days: Sequence[Day]) -> Trend | None:
    """Cost per day, or per seven days in a long log, stacked by part; None without a cost."""
    per_column = 1 if len(days) <= MOST_COLUMNS else 7
    groups = [days[start : start + per_column] for start in range(0, len(days), per_column)]
    top = nice(max((sum(d.effective_cost for d in group) for group in groups), default=0))
    if top == 0:
        return None
    floors = [Decimal(0)] * len(groups)
    layers = []
    for part in PARTS:
        pieces = []
        for place, group in enumerate(groups):
            floor = floors[place]
            floors[place] += sum(getattr(day, part.key) for day in group)
            low, high = (round(share(cost, top) * Trend.HEIGHT) for cost in (floor, floors[place]))
            if high > low:
                pieces.append(f"M{place}.07 {Trend.HEIGHT - high}h.86v{high - low}h-.86z")
        if pieces:
            layers.append(Layer(part.key.removesuffix("_cost"), part, tuple(pieces)))
    middle = days[len(days) // 2].date
    dates = (days[0].date, middle, days[-1].date) if len(days) > 2 else tuple(d.date for d in days)
    return Trend(len(groups), per_column, top, tuple(layers), dates)


def nice(amount: Decimal | int) -> Decimal:
    """The next round number, 1, 2, 2.5 or 5 times a power of ten: the top of an axis."""
    if amount <= 0:
        return Decimal(0)
    power = Decimal(10) ** math.floor(math.log10(amount))
    steps = (Decimal(step) * power for step in ("1", "1.5", "2", "2.5", "3", "4", "5", "7.5", "10"))
    return next(step for step in steps if step >= amount)
