"""A drawing says what its numbers say, whatever they are."""

from __future__ import annotations

import re
from datetime import date
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.report import workload_charts as drawing
from llm_audit.report.result import GAPS_S
from llm_audit.report.workload_table import UNTOLD, compact, duration

COUNTS = st.integers(0, 10**9)
DAYS = st.lists(COUNTS, max_size=400)
HOURS = st.lists(COUNTS, min_size=168, max_size=168)


def _heights(path: str) -> list[int]:
    """The height of each bar of a sparkline's outline."""
    assert re.fullmatch(r"M0 24(?:v-?\d+h1|h1)*V24z", path)
    rises = [-int(rise or 0) for rise in re.findall(r"(?:v(-?\d+))?h1", path)]
    return list(accumulate(rises))


@settings(deadline=None)
@given(DAYS)
def test_a_sparkline_stays_in_its_box_and_hides_no_day(by_day: list[int]) -> None:
    spark = drawing.sparkline(by_day)
    if not any(by_day):
        assert spark is None
        return
    assert spark
    heights = _heights(spark.path)
    assert len(heights) == spark.width <= drawing.MOST_BARS
    assert max(heights) == drawing.SPARK_HEIGHT
    assert min(heights) >= 0
    if len(by_day) <= drawing.MOST_BARS:
        assert [height > 0 for height in heights] == [calls > 0 for calls in by_day]


def test_a_sparkline_speaks() -> None:
    spark = drawing.sparkline([0, 1200, 5])
    assert spark
    assert spark.spoken == "Calls per day over 3 days: 0 to 1,200, none on 1 day"


@settings(deadline=None)
@given(DAYS, st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_calendar_has_every_day_once_under_its_weekday(by_day: list[int], first: date) -> None:
    weeks = drawing.calendar(by_day, first)
    assert all(week.monday.weekday() == 0 and len(week.days) == 7 for week in weeks)
    cells = [
        (week.monday.toordinal() + place, day)
        for week in weeks
        for place, day in enumerate(week.days)
        if day
    ]
    assert [day for _, day in cells] == list(enumerate(by_day))
    assert all(ordinal == first.toordinal() + day[0] for ordinal, day in cells)


@settings(deadline=None)
@given(HOURS)
def test_a_heatmap_keeps_counts_and_order(by_hour: list[int]) -> None:
    heat = drawing.heatmap(by_hour)
    if not any(by_hour):
        assert heat is None
        return
    assert heat
    cells = [cell for row in heat.rows for cell in row.hours]
    assert [calls for calls, _ in cells] == by_hour
    assert heat.most == max(by_hour) == by_hour[heat.most_index]
    for calls, level in cells:
        assert 0 <= level <= drawing.LEVELS
        assert (level == 0) == (calls == 0)
    ordered = sorted(cells)
    assert [level for _, level in ordered] == sorted(level for _, level in cells)
    bounds = dict(heat.classes)
    for calls, level in cells:
        if calls:
            assert calls <= bounds[level], "the key under the heatmap tells the class"


def test_an_hour_has_its_weekday() -> None:
    assert drawing.hour_name(0) == "Mon 00:00"
    assert drawing.hour_name(26) == "Tue 02:00"
    assert drawing.hour_name(167) == "Sun 23:00"


@settings(deadline=None)
@given(st.lists(COUNTS, min_size=len(GAPS_S) + 1, max_size=len(GAPS_S) + 1))
def test_a_burst_strip_has_every_class_and_the_largest_is_full(gaps: list[int]) -> None:
    bars = drawing.burst_strip(gaps)
    if not any(gaps):
        assert bars == ()
        return
    assert [bar.calls for bar in bars] == gaps
    assert max(bar.height for bar in bars) == 100
    assert all(0 <= bar.height <= 100 for bar in bars)
    assert [bar.name for bar in bars][-2:] == ["≤ 1 h", "> 1 h"]


@settings(deadline=None)
@given(COUNTS, COUNTS, COUNTS)
def test_a_token_mix_fills_the_bar(prompt: int, cached: int, output: int) -> None:
    mix = drawing.token_mix(prompt, cached, output)
    assert sum(part.tokens for part in mix) == prompt + output
    if mix:
        assert mix[0].x == 0
        assert sum(part.width for part in mix) == pytest.approx(100, abs=0.1)


POINTS = st.lists(
    st.tuples(st.just("G1"), st.floats(-20, 20), st.floats(0, 1e9)), max_size=60
)  # fmt: skip


@settings(deadline=None)
@given(POINTS)
def test_dots_and_labels_stay_in_the_plot_and_labels_apart(
    points: list[tuple[str, float, float]],
) -> None:
    plot = drawing.dot_plot(points, -4.0, 2.0)
    assert len(plot.dots) == len(points)
    for dot, (_, _, y) in zip(plot.dots, points, strict=True):
        assert plot.left <= dot.x <= plot.right
        assert plot.top <= dot.y <= plot.bottom
        if y == 0:
            assert dot.y == plot.bottom
    labels = [(d.label_x, d.label_y) for d in plot.dots if d.label and d.anchor == "start"]
    assert len(labels) == len(set(labels))
    highest = [d.y for d, _ in sorted(zip(plot.dots, points, strict=True), key=lambda p: p[1][2])]
    assert highest == sorted(highest, reverse=True)


@settings(deadline=None)
@given(st.integers(0, 10**18))
def test_a_short_number_is_short_and_near(number: int) -> None:
    text = compact(number)
    digits, _, unit = text.partition(" ")
    size = {"": 1, "k": 10**3, "M": 10**6, "B": 10**9}[unit]
    assert float(digits.replace(",", "")) * size == pytest.approx(number, rel=0.051, abs=0.5)
    assert number > 10**12 or len(text) <= 6


def test_durations() -> None:
    spoken = [duration(ms) for ms in (None, 0, 999, 1000, 4250, 90_000)]
    assert spoken == [UNTOLD, "0 ms", "999 ms", "1 s", "4.2 s", "1.5 min"]
