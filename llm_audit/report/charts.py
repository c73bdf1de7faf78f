"""The geometry of the report's bars: positions in percent, drawn by the templates as plain SVG.

Server-side SVG rather than a plotly figure: the two bars are there without JavaScript, in print and
in mail, and weigh bytes where the inlined plotly bundle weighs 4.8 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_audit.report.figures import percent, share
from llm_audit.report.wording import PARTS, Part

if TYPE_CHECKING:
    from llm_audit.report.result import ModelTotal, Saving, Totals

ROOM_FOR_A_SHAPE = 4.0
"""Percent of the bar below which a shape would not fit in its segment."""


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


@dataclass(frozen=True)
class PartSegment(Segment):
    """A piece of a cost bar: which of the five parts, its share in words, whether a shape fits."""

    part: Part
    percent: str

    @property
    def roomy(self) -> bool:
        """Whether the part's shape fits into the segment."""
        return self.width >= ROOM_FOR_A_SHAPE


def cost_bar(costs: Totals | ModelTotal) -> tuple[PartSegment, ...]:
    """The five parts of a cost as one 100 % bar; parts of nothing are left out."""
    segments = []
    x = 0.0
    for part in PARTS:
        fraction = share(getattr(costs, part.key), costs.effective_cost)
        width = round(fraction * 100, 3)
        if width > 0:
            name = part.key.removesuffix("_cost")
            segments.append(PartSegment(name, round(x, 3), width, part, percent(fraction)))
            x += width
    return tuple(segments)


def bill_bar(saving: Saving) -> tuple[Segment, ...]:
    """What of the bill is saved for sure, then at best, then with the gray area on top."""
    ends = (
        ("conservative", saving.conservative),
        ("best", saving.best),
        ("gray", saving.best + saving.gray_area),
    )
    segments = []
    x = 0.0
    for name, end in ends:
        stop = round(min(share(end, saving.effective_cost), 1.0) * 100, 3)
        if stop > x:
            segments.append(Segment(name, x, round(stop - x, 3)))
            x = stop
    return tuple(segments)
