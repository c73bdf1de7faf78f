"""The geometry of the charts adds up: what is drawn is what the figures say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.report import Result, charts, write_html
from llm_audit.report.charts import Trend
from llm_audit.report.result import BridgeStep, Day, Saving, Sensitivity
from llm_audit.report.spend import by_provider
from tests.report.page import Page

CLOSE = pytest.approx
usd = st.decimals(0, 10**7, places=6)
changes = st.decimals(-(10**6), 10**6, places=4)
parts = st.tuples(usd, usd, usd, usd, usd)


def _day(number: int, costs: tuple[Decimal, ...]) -> Day:
    return Day(date(2025, 1, 1) + timedelta(number), 10, sum(costs, Decimal(0)), *costs)


def _saving(low: Decimal, more: Decimal, most: Decimal, rest: Decimal) -> Saving:
    best = low + more + most
    return Saving(best + rest, best + rest - low, best, low, low + more, best, Decimal(0))


@given(parts)
def test_a_cost_bar_is_full_and_without_gaps(costs: tuple[Decimal, ...]) -> None:
    day = _day(0, costs)
    segments = charts.cost_bar(day)
    x = 0.0
    for segment in segments:
        assert segment.x == CLOSE(x, abs=0.01)
        share = float(getattr(day, segment.part.key) / day.effective_cost)
        assert segment.width == CLOSE(share * 100, abs=0.001)
        x += segment.width
    assert x == CLOSE(100 if day.effective_cost else 0, abs=0.5)


@given(parts, usd)
def test_a_bar_beside_a_larger_one_is_as_long_as_its_cost(
    costs: tuple[Decimal, ...], more: Decimal
) -> None:
    day = _day(0, costs)
    whole = day.effective_cost + more
    long = sum(s.width for s in charts.cost_bar(day, whole))
    assert long == CLOSE(100 * float(day.effective_cost / whole) if whole else 0, abs=0.01)


@given(usd, usd, usd, usd)
def test_the_range_lies_in_order_on_its_scale(
    low: Decimal, more: Decimal, most: Decimal, rest: Decimal
) -> None:
    saving = _saving(low, more, most, rest)
    found = charts.saving_range(saving)
    if low == 0:
        assert found is None
        return
    assert found is not None
    assert 0 <= found.low.x <= found.expected.x <= found.high.x <= charts.RANGE_END + 0.001
    assert found.low.x / found.high.x == CLOSE(float(low / saving.best), abs=0.001)
    if found.bill is not None:
        assert found.high.x <= found.bill <= 100


def test_a_small_saving_is_enlarged_and_a_large_one_beside_its_bill() -> None:
    small = charts.saving_range(_saving(Decimal(1), Decimal(0), Decimal(1), Decimal(98)))
    large = charts.saving_range(_saving(Decimal(40), Decimal(0), Decimal(10), Decimal(50)))
    assert small
    assert (small.high.x, small.bill) == (charts.RANGE_END, None)
    assert large
    assert (large.low.x, large.high.x, large.bill) == (40, 50, 100)


@given(usd, st.lists(changes, max_size=8))
def test_a_waterfall_step_starts_where_the_last_one_ended(
    first: Decimal, amounts: list[Decimal]
) -> None:
    after = first + sum(amounts, Decimal(0))
    steps = [
        BridgeStep("list", "List", "total", first),
        *(BridgeStep("s", "Step", "step", amount) for amount in amounts),
        BridgeStep("after", "After", "total", after),
    ]
    falls = charts.waterfall(steps)
    for before, fall in pairwise(falls[:-1]):
        assert fall.level == before.end
    assert falls[-1].end == CLOSE(falls[-2].end, abs=0.001)
    for step, fall in zip(steps, falls, strict=True):
        assert 0 <= fall.x <= fall.x + fall.width <= 100.001
        assert fall.x == min(fall.level, fall.end)
        assert fall.x + fall.width == CLOSE(max(fall.level, fall.end), abs=0.001)
        if step.kind == "step":
            assert fall.kind == ("up" if step.amount > 0 else "down" if step.amount else "same")


@given(st.lists(changes, max_size=12))
def test_a_tornado_has_the_widest_swing_first_and_one_axis(amounts: list[Decimal]) -> None:
    rows = [Sensitivity("conservative", "Headline", Decimal(9), Decimal(0))]
    rows += [Sensitivity(f"s{n}", "If", Decimal(9) + a, a) for n, a in enumerate(amounts)]
    found = charts.tornado(rows)
    assert len(found.swings) == len(amounts)
    widths = [swing.width for swing in found.swings]
    assert widths == sorted(widths, reverse=True)
    for swing in found.swings:
        touches = swing.x if swing.row.change >= 0 else swing.x + swing.width
        assert touches == CLOSE(found.axis, abs=0.01)
        assert -0.01 <= swing.x <= swing.x + swing.width <= 100.01
        assert rows[swing.place] is swing.row


@given(st.lists(parts, min_size=1, max_size=20))
def test_trend_columns_stack_to_the_cost_of_their_day(costs: list[tuple[Decimal, ...]]) -> None:
    days = [_day(number, amounts) for number, amounts in enumerate(costs)]
    found = charts.trend(days)
    if not any(day.effective_cost for day in days):
        assert found is None
        return
    assert found is not None
    assert found.top >= max(day.effective_cost for day in days)
    heights = [0] * len(days)
    for layer in found.layers:
        for piece in layer.pieces:
            place, y, height = map(int, re.findall(r"M(\d+)\.07 (\d+)h\.86v(\d+)h-\.86z", piece)[0])
            heights[place] += height
            assert y == Trend.HEIGHT - heights[place]
    for day, height in zip(days, heights, strict=True):
        assert height == CLOSE(float(day.effective_cost / found.top) * Trend.HEIGHT, abs=1)


def test_a_long_log_is_drawn_by_the_week() -> None:
    days = [_day(number, (Decimal(1),) + (Decimal(0),) * 4) for number in range(200)]
    found = charts.trend(days)
    assert found
    assert (found.columns, found.days_per_column, found.top) == (29, 7, Decimal("7.5"))
    assert found.dates[0] == days[0].date
    assert found.dates[-1] == days[-1].date


@given(st.decimals("0.000001", 10**9, places=6))
def test_an_axis_ends_at_a_round_number_close_above(amount: Decimal) -> None:
    top = charts.nice(amount)
    assert amount <= top <= amount * 2
    assert len(top.normalize().as_tuple().digits) <= 2


def test_providers_add_up_to_the_models(mixed: Result) -> None:
    totals = by_provider(mixed)
    assert sum(t.effective_cost for t in totals) == mixed.totals.effective_cost
    assert sum(t.calls for t in totals) == mixed.totals.calls
    assert [t.provider_name for t in totals] == ["openai", "anthropic"]


def test_every_chart_has_a_name_and_a_table(mixed: Result) -> None:
    page = Page(write_html(mixed))
    for name in ("money", "bridge", "sensitivity", "trend"):
        [section] = [e for e in page.all("section") if e.attributes["id"] == name]
        inside = [e for e in page.elements if _inside(e, section)]
        assert [e for e in inside if e.tag == "table"], name
        for svg in (e for e in inside if e.tag == "svg"):
            assert svg.attributes.get("aria-hidden") == "true" or svg.attributes["role"] == "img"
    assert [e.text for e in page.all("caption") if "USD" in e.text]


def _inside(element: object, section: object) -> bool:
    parent = getattr(element, "parent", None)
    return parent is not None and (parent is section or _inside(parent, section))


def test_a_long_path_is_drawn_whole(mixed: Result) -> None:
    """Printed text is cut at a length; a drawing must not be."""
    costs = (Decimal(3), Decimal(1), Decimal(1), Decimal(2), Decimal(1))
    days = tuple(_day(number, costs) for number in range(100))
    page = Page(write_html(replace(mixed, trend=days)))
    paths = [
        e.attributes["d"] or "" for e in page.all("path") if "h.86" in (e.attributes["d"] or "")
    ]
    assert len(paths) == 5
    assert all(path.count("z") == 100 and path.endswith("z") for path in paths)
