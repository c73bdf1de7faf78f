"""What the figures take for granted, as sentences for a reader who has to defend them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

STALE = timedelta(days=90)
"""After this time a price should be looked at again: vendors change them by the season."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_audit.report.result import Pricing


@dataclass(frozen=True)
class Measurement:
    """What the user's own batches of a model showed, in sentences (`measured_batches`)."""

    model: str
    hits: str | None
    turnaround: str | None


def _age(pricing: Pricing) -> tuple[str, ...]:
    oldest = pricing.oldest_verified_on
    if oldest is None or pricing.as_of - oldest <= STALE:
        return ()
    return (
        f"Some rates in force were last verified on {oldest.isoformat()}, more than {STALE.days} "
        "days before: `llm-audit prices check` names them.",
    )


def _own_rates(pricing: Pricing) -> tuple[str, ...]:
    if not pricing.own_rates:
        return ()
    calls = sum(own.calls for own in pricing.own_rates)
    models = ", ".join(sorted({own.model for own in pricing.own_rates}))
    return (
        f"Rates from your llm-audit.toml go before published ones. They price {calls:,} "
        f"call{'' if calls == 1 else 's'} of {models}.",
    )


def _measured(measured: Sequence[Measurement]) -> tuple[str, ...]:
    """What the user's own batches change, and what they do not."""
    return (
        *(
            f"{one.model}: {one.hits}. The expected saving counts on that share instead of the one "
            "that the vendor's rules make likely; the headline counts on no cache hit, whatever "
            "was measured."
            for one in measured
            if one.hits
        ),
        *(
            f"{one.model}: {one.turnaround}. No vendor promises less than 24 hours, so what is due "
            "sooner stays out of the headline all the same."
            for one in measured
            if one.turnaround
        ),
    )


def assumptions(pricing: Pricing, measured: Sequence[Measurement] = ()) -> tuple[str, ...]:
    """The sentences, the most consequential first. measured: of the user's own batches."""
    return (
        "The headline counts batch-eligible workloads that are worth moving: at least 100 calls "
        "within 24 hours and a positive conservative saving. The gray area is never in it.",
        "Conservative means that every cache hit of today is lost in the batch; expected and best "
        "let some or all of them survive.",
        *_measured(measured),
        "Observed figures use the prices of each call's own day. Monthly figures take the same "
        f"calls at the price card in force on {pricing.as_of.isoformat()}.",
        "A month is 30 days and a year is 12 such months; the observed days are taken as typical.",
        "Calls whose service tier is not logged are treated as standard tier.",
        "Calls whose time is not logged are priced only where the rates of their model, tier and "
        "prompt size have never changed. They are in the observed figures and in no monthly or "
        "annual one.",
        "Cache writes whose lifetime is not logged are priced as 5-minute writes.",
        "Negotiated discounts are unknown unless the configuration states them.",
        *_own_rates(pricing),
        "Azure deployments are priced at Global Standard rates, and models run in a region that "
        "the log does not name at the rates without a regional surcharge.",
        "Failed calls and answers from a gateway's own cache are not billed; cancelled calls are.",
        "A call without a known price is counted, listed as unpriced, and in no amount of money. "
        "Where more than 5% of the tokens have none, nothing is projected.",
        "Calls that are batched already save nothing more.",
        "Engineering time, and results that come hours later, are not priced.",
        *_age(pricing),
        f"Price card {pricing.version}, sha256 {pricing.sha256}.",
    )
