"""An earlier result beside this one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from llm_audit.errors import InputError
from llm_audit.report import Result, compare, from_json, table, to_json, to_markdown, write_html
from llm_audit.report.result import WorkloadChange
from llm_audit.report.summary import change_of, since
from tests.report.everywhere import TEXTS, everywhere, golden, sentences


@pytest.fixture
def mixed() -> Result:
    return golden("mixed")


def _with(result: Result, place: int, **changes: Any) -> Result:
    workloads = list(result.workloads)
    workloads[place] = replace(workloads[place], **changes)
    return replace(result, workloads=tuple(workloads))


def test_beside_itself_nothing_changed(mixed: Result) -> None:
    same = compare(mixed, mixed)
    assert same.workloads == ()
    assert same.basis == "monthly"
    assert same.effective_cost_before == same.effective_cost_now > 0
    assert same.saving_before == same.saving_now
    assert mixed.savings.monthly is not None
    assert same.saving_now == mixed.savings.monthly.conservative
    assert same.generated_at == mixed.generated_at
    assert "saving still open is $150.94, as before." in since(same)


def test_a_month_counts_the_same_share_as_batched(mixed: Result) -> None:
    totals, month = mixed.totals, mixed.savings.monthly
    assert month is not None
    assert totals.already_batch_cost > 0
    now = compare(mixed, mixed).already_batch_cost_now
    assert now / month.effective_cost == pytest.approx(
        totals.already_batch_cost / totals.effective_cost
    )


def test_without_a_projection_a_day_is_compared(mixed: Result) -> None:
    observed = replace(mixed, savings=replace(mixed.savings, monthly=None, annual=None))
    for now, then in ((mixed, observed), (observed, mixed), (observed, observed)):
        daily = compare(now, then)
        assert daily.basis == "daily"
        assert daily.effective_cost_now == (
            mixed.savings.observed.effective_cost / mixed.period.days
        ).quantize(Decimal("1e-12"))


def test_logs_of_different_length_are_compared_by_the_day(mixed: Result) -> None:
    """Twice the days with twice the saving is no change."""
    observed = replace(mixed, savings=replace(mixed.savings, monthly=None, annual=None))
    longer = replace(
        observed,
        period=replace(mixed.period, days=2 * mixed.period.days),
        workloads=tuple(
            replace(w, saving_conservative=2 * w.saving_conservative) for w in mixed.workloads
        ),
    )
    assert compare(longer, observed).workloads == ()


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (lambda r: replace(r, workloads=r.workloads[1:]), "new"),
        (lambda r: _with(r, 0, label="gray_area"), "label"),
        (lambda r: _with(r, 0, saving_conservative=Decimal(1)), "saving"),
    ],
)
def test_a_workload_that_changed(
    mixed: Result, before: Callable[[Result], Result], change: str
) -> None:
    first = mixed.workloads[0]
    [found] = compare(mixed, before(mixed)).workloads
    assert (found.workload_id, found.caller, found.change) == (
        first.workload_id, first.caller, change,
    )  # fmt: skip
    a_day = (first.saving_conservative / mixed.period.days).quantize(Decimal("1e-12"))
    assert (found.label_now, found.saving_now) == (first.label, a_day)


def test_a_workload_that_is_gone(mixed: Result) -> None:
    first = mixed.workloads[0]
    [found] = compare(replace(mixed, workloads=mixed.workloads[1:]), mixed).workloads
    assert (found.change, found.saving_before, found.saving_now) == (
        "gone", (first.saving_conservative / mixed.period.days).quantize(Decimal("1e-12")), None,
    )  # fmt: skip


def test_each_amount_names_its_basis_and_gray_its_condition(mixed: Result) -> None:
    """Sums may be a month's; a workload's saving is always that of an observed day."""
    change = WorkloadChange(
        "w_1", "job", "gone", "batch_eligible", None, Decimal("3.5"), None
    )  # fmt: skip
    assert change_of(change) == "gone (could have saved $3.50 a day, observed)"
    gray = replace(change, label_before="gray_area")
    assert change_of(gray).endswith("a day, observed, if its owner agrees)")
    new = replace(gray, change="new", label_now="gray_area", saving_now=Decimal(2))
    assert change_of(new) == (
        "new, gray area: could save $2.00 a day, observed, if its owner agrees"
    )
    grown = replace(new, change="saving")
    assert change_of(grown) == "gray area, saving was $3.50, is $2.00 a day, observed"
    assert change_of(replace(new, label_now="realtime")) == "new, realtime: nothing to save"


def test_small_changes_of_a_saving_are_none(mixed: Result) -> None:
    first = mixed.workloads[0].saving_conservative
    assert compare(mixed, _with(mixed, 0, saving_conservative=first * 95 / 100)).workloads == ()


def test_the_largest_change_comes_first(mixed: Result) -> None:
    changes = compare(mixed, replace(mixed, workloads=())).workloads
    sizes = [change.saving_now or Decimal(0) for change in changes]
    assert len(changes) == len({w.workload_id for w in mixed.workloads})
    assert sizes == sorted(sizes, reverse=True)


def test_what_realtime_calls_would_save_is_no_saving(mixed: Result) -> None:
    place = next(n for n, w in enumerate(mixed.workloads) if w.label == "realtime")
    dear = _with(mixed, place, saving_conservative=Decimal(999))
    assert compare(dear, mixed).workloads == ()


def test_several_labels_of_one_workload_are_one_workload(mixed: Result) -> None:
    first = mixed.workloads[0]
    part = replace(first, label="realtime", calls=1, saving_conservative=Decimal(5))
    both = replace(mixed, workloads=(part, *mixed.workloads))
    assert compare(both, mixed).workloads == ()


def test_an_empty_audit_can_be_compared(mixed: Result) -> None:
    empty = golden("empty")
    assert compare(empty, empty).effective_cost_now == 0
    assert compare(mixed, empty).effective_cost_before == 0


def test_a_log_without_times_has_no_cost_per_day(mixed: Result) -> None:
    timeless = replace(
        mixed,
        period=replace(mixed.period, days=0, start=None, end=None),
        savings=replace(mixed.savings, monthly=None, annual=None),
    )
    with pytest.raises(InputError) as caught:
        compare(timeless, mixed)
    assert caught.value.slug == "baseline-timeless"


def test_it_is_in_every_output_and_survives_the_json(mixed: Result) -> None:
    earlier = _with(mixed, 0, label="gray_area")
    result = replace(mixed, baseline=compare(mixed, earlier))
    assert from_json(to_json(result)) == result
    assert "Since the last report" in write_html(result)
    for text in (table(result), to_markdown(result)):
        assert "Since the report of 2025-09-10 (a month, projected): spend is " in sentences(text)
        assert "was gray area, is batch-eligible" in sentences(text)


@pytest.mark.parametrize("text", TEXTS, ids=[ascii(text[:24]) for text in TEXTS])
def test_hostile_text_of_an_earlier_result(mixed: Result, text: str) -> None:
    hostile = replace(mixed, baseline=compare(mixed, everywhere(mixed, text)))
    hostile = replace(hostile, baseline=everywhere(hostile.baseline, text))
    for output in (table(hostile), to_markdown(hostile), write_html(hostile, static=True)):
        assert output.replace("\n", "").isprintable()
    assert "<script>alert" not in write_html(hostile, static=True)
