"""The geometry of a workload's drawings: plain numbers and short paths, drawn by the templates.

All of it is server-side SVG and HTML tables: there without JavaScript, in print and in mail. What
a drawing shows, a text or a table beside it says. Nothing here is ever made of a log's text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from llm_audit.report.figures import count, money, percent, plural, share
from llm_audit.report.result import GAPS_S

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LEVELS = 5
"""Classes of intensity above zero."""

MOST_BARS = 62
"""Two months of days fit into a sparkline one by one; longer logs show means of several days."""

SPARK_HEIGHT = 24


@dataclass(frozen=True)
class Sparkline:
    """Calls per day as one outline: `path` in a box of `width` x SPARK_HEIGHT, one unit a bar."""

    path: str
    width: int
    spoken: str


def sparkline(by_day: Sequence[int]) -> Sparkline | None:
    """The days as bars that touch, from zero; None where no call has a time.

    A day with calls is never drawn as nothing, and only a day without calls is.
    """
    most = max(by_day, default=0)
    if most == 0:
        return None
    bars = _means(by_day)
    top = max(bars)
    heights = [max(1, round(bar / top * SPARK_HEIGHT)) if bar else 0 for bar in bars]
    steps = "".join(f"v{-rise}h1" if rise else "h1" for rise in _rises(heights))
    quiet = sum(calls == 0 for calls in by_day)
    spoken = (
        f"Calls per day over {plural(len(by_day), 'day')}: {count(min(by_day))} to {count(most)}"
    )
    return Sparkline(
        path=f"M0 {SPARK_HEIGHT}{steps}V{SPARK_HEIGHT}z",
        width=len(bars),
        spoken=spoken + (f", none on {plural(quiet, 'day')}" if quiet else ""),
    )


def _means(by_day: Sequence[int]) -> list[float]:
    size = math.ceil(len(by_day) / MOST_BARS)
    groups = (by_day[start : start + size] for start in range(0, len(by_day), size))
    return [sum(group) / len(group) for group in groups]


def _rises(heights: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise((0, *heights))]


@dataclass(frozen=True)
class Week:
    """One week from Monday on: its seven days as (place in by_day, calls), None outside the log."""

    monday: date
    days: tuple[tuple[int, int] | None, ...]


def calendar(by_day: Sequence[int], first_day: date) -> tuple[Week, ...]:
    """The calls of each day as a sheet of weeks: the table behind the sparkline."""
    lead = first_day.weekday()
    cells = [None] * lead + list(enumerate(by_day))
    cells += [None] * (-len(cells) % 7)
    monday = first_day - timedelta(days=lead)
    return tuple(
        Week(monday + timedelta(days=start), tuple(cells[start : start + 7]))
        for start in range(0, len(cells), 7)
    )


@dataclass(frozen=True)
class HeatRow:
    """One weekday: 24 hours as (calls, class 0 to LEVELS)."""

    day: str
    hours: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Heatmap:
    """Calls by weekday and hour, UTC. classes: those in use, each with the calls it reaches to."""

    rows: tuple[HeatRow, ...]
    classes: tuple[tuple[int, int], ...]
    busiest: str
    most: int
    most_index: int


def heatmap(by_hour: Sequence[int]) -> Heatmap | None:
    """The 168 hours of a week in classes of equal size; None where no call has a time."""
    most = max(by_hour, default=0)
    if most == 0:
        return None
    levels = [level(calls, most) for calls in by_hour]
    rows = tuple(
        HeatRow(
            name, tuple(zip(by_hour[start : start + 24], levels[start : start + 24], strict=True))
        )
        for name, start in zip(WEEKDAYS, range(0, 168, 24), strict=True)
    )
    used = [k for k in range(1, LEVELS + 1) if k * most // LEVELS > (k - 1) * most // LEVELS]
    return Heatmap(
        rows=rows,
        classes=tuple((k, k * most // LEVELS) for k in used),
        busiest=hour_name(by_hour.index(most)),
        most=most,
        most_index=by_hour.index(most),
    )


def level(calls: int, most: int) -> int:
    """The class of a count: 0 for none, else which fifth of the largest count it falls into."""
    return -(-LEVELS * calls // most) if most else 0


def hour_name(index: int) -> str:
    """'Tue 02:00' for the 27th hour of the week."""
    return f"{WEEKDAYS[index // 24]} {index % 24:02}:00"


def busiest_hour(by_hour: Sequence[int]) -> int | None:
    """The hour of the week with most calls, the first of several; None without a time."""
    most = max(by_hour, default=0)
    return by_hour.index(most) if most else None


@dataclass(frozen=True)
class GapBar:
    """One class of pauses: `height` is its share in percent of the largest class."""

    name: str
    calls: int
    percent: str
    height: float


def burst_strip(gaps: Sequence[int]) -> tuple[GapBar, ...]:
    """How long after the start of a call the next one starts; empty where there is no pause."""
    whole, most = sum(gaps), max(gaps, default=0)
    if most == 0:
        return ()
    names = [*(f"≤ {_seconds(end)}" for end in GAPS_S), f"> {_seconds(GAPS_S[-1])}"]
    return tuple(
        GapBar(name, calls, percent(share(calls, whole)), round(calls / most * 100, 2))
        for name, calls in zip(names, gaps, strict=True)
    )


def burst_words(gaps: Sequence[int]) -> str:
    """What the pauses say at a glance."""
    quick = share(sum(gaps[:2]), sum(gaps))
    if quick >= 0.5:
        return f"{percent(quick)} start within a second of the call before: a program in a hurry."
    slow = share(sum(gaps[3:]), sum(gaps))
    if slow >= 0.5:
        return f"{percent(slow)} start more than 10 seconds after the call before."
    return "Neither in bursts nor far apart."


def _seconds(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


@dataclass(frozen=True)
class TokenSlice:
    """One kind of token: `x` and `width` in percent of the bar."""

    name: str
    title: str
    tokens: int
    percent: str
    x: float
    width: float


def token_mix(input_tokens: int, cached: int, output: int) -> tuple[TokenSlice, ...]:
    """Fresh input, input read from a cache, and output as one bar; empty without tokens.

    input_tokens is the whole prompt, the cached part included.
    """
    cached = min(cached, input_tokens)
    whole = input_tokens + output
    kinds = (
        ("fresh", "input", input_tokens - cached),
        ("cached", "input from cache", cached),
        ("output", "output", output),
    )
    slices, start = [], 0
    for name, title, tokens in kinds:
        if tokens:
            x = start / whole * 100
            width = tokens / whole * 100
            part = percent(share(tokens, whole))
            slices.append(TokenSlice(name, title, tokens, part, round(x, 2), round(width, 2)))
        start += tokens
    return tuple(slices)


PLOT_WIDTH, PLOT_HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 34, 22, 44
_LABEL = (26, 15)
"""Room that a label such as G12 takes, in the plot's units."""


@dataclass(frozen=True)
class Dot:
    """One dot and where its label stands; an empty label found no room (the table has it)."""

    name: str
    x: float
    y: float
    label: str
    label_x: float
    label_y: float
    anchor: str


@dataclass(frozen=True)
class Tick:
    """One mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class DotPlot:
    """Dots in a box of PLOT_WIDTH x PLOT_HEIGHT, whose plot area has these edges."""

    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    left: float = _LEFT
    right: float = PLOT_WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = PLOT_HEIGHT - _BOTTOM
    width: int = PLOT_WIDTH
    height: int = PLOT_HEIGHT


def dot_plot(
    points: Sequence[tuple[str, float, float]], low: float, high: float, middle: float = 0.0
) -> DotPlot:
    """Named points (name, x, y) with y from zero up; x is cut off at `low` and `high`.

    Labels are placed in the points' order, right, left, above or below the dot, where no other
    label or dot stands.
    """
    most = _round_up(max((y for _, _, y in points), default=0.0))
    places = [(name, _across(x, low, high), _up(y, most)) for name, x, y in points]
    return DotPlot(
        dots=_labelled(places),
        x_ticks=tuple(Tick(_across(x, low, high), f"{x:+g}") for x in (low, middle, high)),
        y_ticks=tuple(Tick(_up(part * most, most), _usd(part * most)) for part in (0, 0.5, 1)),
    )


def _across(x: float, low: float, high: float) -> float:
    inside = min(max(x, low), high)
    part = (inside - low) / (high - low) if high > low else 0.5
    return round(_LEFT + part * (PLOT_WIDTH - _LEFT - _RIGHT), 1)


def _up(y: float, most: float) -> float:
    bottom = PLOT_HEIGHT - _BOTTOM
    part = y / most if most > 0 else 0.0
    return round(bottom - min(max(part, 0.0), 1.0) * (bottom - _TOP), 1)


def _round_up(most: float) -> float:
    """The next step times a power of ten: steps whose halves are short to write."""
    if not most > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(
        (step * power for step in (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8) if step * power >= most),
        10 * power,
    )


def _usd(amount: float) -> str:
    return money(Decimal(f"{amount:.6g}")).removesuffix(".00")


def _labelled(places: Sequence[tuple[str, float, float]]) -> tuple[Dot, ...]:
    taken = [(x - 6, y - 6, x + 6, y + 6) for _, x, y in places]
    dots = []
    for name, x, y in places:
        found = next((place for place in _label_places(x, y) if _free(place[0], taken)), None)
        if found is None:
            dots.append(Dot(name, x, y, "", x, y, "start"))
            continue
        box, label_x, label_y, anchor = found
        taken.append(box)
        dots.append(Dot(name, x, y, name, label_x, label_y, anchor))
    return tuple(dots)


_Box = tuple[float, float, float, float]


def _label_places(x: float, y: float) -> list[tuple[_Box, float, float, str]]:
    wide, high = _LABEL
    return [
        ((x + 8, y - high / 2, x + 8 + wide, y + high / 2), x + 9, y + 4, "start"),
        ((x - 8 - wide, y - high / 2, x - 8, y + high / 2), x - 9, y + 4, "end"),
        ((x - wide / 2, y - 8 - high, x + wide / 2, y - 8), x, y - 10, "middle"),
        ((x - wide / 2, y + 8, x + wide / 2, y + 8 + high), x, y + 19, "middle"),
    ]


def _free(box: _Box, taken: Sequence[_Box]) -> bool:
    left, top, right, bottom = box
    inside = left >= 0 and right <= PLOT_WIDTH and top >= 0 and bottom <= PLOT_HEIGHT - _BOTTOM + 4
    return inside and not any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in taken
    )
