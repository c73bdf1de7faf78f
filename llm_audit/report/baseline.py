"""Two results side by side: what changed since an earlier report."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from llm_audit.errors import InputError
from llm_audit.report.result import Baseline, WorkloadChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_audit.report.result import Result, Workload

NOTABLE = Decimal("0.1")
"""A saving is listed as changed where a day's share of it grew or shrank by more than this.

Two logs are never alike: below it every workload of every report would be listed.
"""

_TWELVE_DECIMALS = Decimal("1e-12")


def compare(result: Result, earlier: Result) -> Baseline:
    """The earlier result beside this one, a month where both are projected, else a day.

    Errors: `InputError` where a day is needed and one log does not say how many it spans.
    """
    monthly = result.savings.monthly is not None and earlier.savings.monthly is not None
    before, now = _sums(earlier, monthly=monthly), _sums(result, monthly=monthly)
    return Baseline(
        generated_at=earlier.generated_at,
        start=earlier.period.start,
        end=earlier.period.end,
        basis="monthly" if monthly else "daily",
        effective_cost_before=before[0],
        effective_cost_now=now[0],
        already_batch_cost_before=before[1],
        already_batch_cost_now=now[1],
        saving_before=before[2],
        saving_now=now[2],
        workloads=_changes(result, earlier),
    )


def _sums(result: Result, *, monthly: bool) -> tuple[Decimal, Decimal, Decimal]:
    """Spend, what of it runs in batches, and the saving, on one basis, USD."""
    observed, month = result.savings.observed, result.savings.monthly
    if not monthly or month is None:
        amounts = (observed.effective_cost, _batched(result), observed.conservative)
        days = _days(result)
        with localcontext(prec=50):
            spend, batched, saving = ((a / days).quantize(_TWELVE_DECIMALS) for a in amounts)
        return spend, batched, saving
    return month.effective_cost, _batched(result, month.effective_cost), month.conservative


def _batched(result: Result, spend: Decimal | None = None) -> Decimal:
    """What runs in batches, as observed; of another spend, the same share of it."""
    part, whole = result.totals.already_batch_cost, result.totals.effective_cost
    if spend is None or not whole:
        return part
    with localcontext(prec=50):
        return (spend * part / whole).quantize(_TWELVE_DECIMALS)


def _days(result: Result) -> int:
    if result.period.days:
        return result.period.days
    if result.savings.observed.effective_cost:
        raise InputError(
            "--baseline: a log whose calls carry no time has no cost per day to compare",
            slug="baseline-timeless",
            hint="leave --baseline out, or log when each call started",
        )
    return 1


def _changes(result: Result, earlier: Result) -> tuple[WorkloadChange, ...]:
    found = sorted(
        _differing(result, earlier),
        key=lambda change: (-_size(change), change.workload_id),
    )
    return tuple(found)


def _size(change: WorkloadChange) -> Decimal:
    return abs((change.saving_now or Decimal(0)) - (change.saving_before or Decimal(0)))


def _differing(result: Result, earlier: Result) -> Iterator[WorkloadChange]:
    before, now = _by_id(earlier), _by_id(result)
    for workload_id in sorted(before.keys() | now.keys()):
        then, today = before.get(workload_id, ()), now.get(workload_id, ())
        days_then, days_now = earlier.period.days or 1, result.period.days or 1
        change = _change(then, today, days_then, days_now)
        if change is not None:
            yield WorkloadChange(
                workload_id=workload_id,
                caller=(today or then)[0].caller,
                change=change,
                label_before=_label(then),
                label_now=_label(today),
                saving_before=_a_day(_saving(then), days_then),
                saving_now=_a_day(_saving(today), days_now),
            )


def _by_id(result: Result) -> dict[str, tuple[Workload, ...]]:
    """A workload has one row for each label that its calls carry."""
    rows: dict[str, list[Workload]] = defaultdict(list)
    for workload in result.workloads:
        rows[workload.workload_id].append(workload)
    return {workload_id: tuple(found) for workload_id, found in rows.items()}


def _change(
    then: tuple[Workload, ...], today: tuple[Workload, ...], days_then: int, days_now: int
) -> str | None:
    before, now = _saving(then), _saving(today)
    if before is None or now is None:
        return "new" if before is None else "gone"
    if _label(then) != _label(today):
        return "label"
    before, now = before * days_now, now * days_then  # a day's share, without a division
    return "saving" if abs(now - before) > NOTABLE * max(abs(before), abs(now)) else None


def _a_day(saving: Decimal | None, days: int) -> Decimal | None:
    """Logs of different length are told apart by it alone."""
    if saving is None:
        return None
    with localcontext(prec=50):
        return (saving / days).quantize(_TWELVE_DECIMALS)


def _label(rows: tuple[Workload, ...]) -> str | None:
    """The label of most of its calls."""
    return min(rows, key=lambda w: (-w.calls, w.label)).label if rows else None


def _saving(rows: tuple[Workload, ...]) -> Decimal | None:
    """Of the calls that could wait; what a batch would cost less is no saving for the others."""
    if not rows:
        return None
    return sum((w.saving_conservative for w in rows if w.claims), Decimal(0))
