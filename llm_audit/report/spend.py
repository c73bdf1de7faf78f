"""Spend summed up by provider, from the models of a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_audit.report.figures import Derived, derived
from llm_audit.report.wording import PARTS

if TYPE_CHECKING:
    from decimal import Decimal

    from llm_audit.report.result import Result

_SUMMED = ("effective_cost", *(part.key for part in PARTS))


@dataclass(frozen=True)
class ProviderTotal:
    """All calls to one provider; USD, observed. `figures` tells which models each sum is of."""

    provider_name: str | None
    calls: int
    priced_calls: int
    effective_cost: Decimal
    worth_moving_cost: Decimal
    other_eligible_cost: Decimal
    gray_area_cost: Decimal
    realtime_cost: Decimal
    already_batch_cost: Decimal
    figure: Derived


def by_provider(result: Result) -> tuple[ProviderTotal, ...]:
    """The dearest first."""
    places: dict[str | None, list[int]] = {}
    for place, model in enumerate(result.models):
        places.setdefault(model.provider_name, []).append(place)
    totals = [_total(result, name, found) for name, found in places.items()]
    return tuple(sorted(totals, key=lambda t: (-t.effective_cost, -t.calls, t.provider_name or "")))


def _total(result: Result, name: str | None, places: list[int]) -> ProviderTotal:
    models = [result.models[place] for place in places]
    sums = {key: derived(result, [f"models.{place}.{key}" for place in places]) for key in _SUMMED}
    return ProviderTotal(
        provider_name=name,
        calls=sum(model.calls for model in models),
        priced_calls=sum(model.priced_calls for model in models),
        figure=sums["effective_cost"],
        **{key: found.value for key, found in sums.items()},
    )
