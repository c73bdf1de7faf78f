"""The user's own rates (`[[prices]]` of llm-audit.toml) as price rows that go before ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from llm_audit.policy import UserPrice
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.names import parse
from llm_audit.prices.records import USER_RULE, PriceRow

_ALWAYS = date(2000, 1, 1)
"""The first day of an undated rate: before any model was sold."""

_Place = tuple[str, str, str, str | None]
"""Provider, surface, model and snapshot."""


def rows(prices: Iterable[UserPrice], catalogue: Catalogue) -> list[PriceRow]:
    """One row per model, snapshot and token kind that the user priced, for prompts of every size.

    A price of a model holds for all its snapshots, unless the user names one. A snapshot that is
    priced by its model's base rows keeps these for what the user does not price: they come along.
    """
    known: dict[_Place, list[PriceRow]] = defaultdict(list)
    for row in catalogue.prices:
        known[row.provider, row.surface, row.model, row.snapshot].append(row)
    placed = [(price, place) for price in prices for place in _places(price, known, catalogue)]
    bare = {place for _, place in placed if place not in known}
    return [
        *(
            replace(row, snapshot=place[3])
            for place in sorted(bare, key=str)
            for row in known.get((*place[:3], None), ())
        ),
        *(
            _row(price, kind, rate, place)
            for price, place in placed
            for kind, rate in price.rates.items()
        ),
    ]


def _places(price: UserPrice, known: Iterable[_Place], catalogue: Catalogue) -> list[_Place]:
    """Whatever the price goes before. Maker and seller may be written as logs write them."""
    name = parse(price.model, catalogue.names)
    written = catalogue.names["provider_names"].get(price.provider.lower(), {})
    model = f"ft:{name.model}" if name.fine_tuned else name.model or price.model.lower()
    base = (
        written.get("provider") or name.provider or price.provider.lower(),
        name.surface or written.get("surface") or price.surface.lower(),
        model,
    )
    if name.snapshot:
        return [(*base, name.snapshot)]
    return sorted({(*base, None), *(place for place in known if place[:3] == base)}, key=str)


def _row(price: UserPrice, kind: str, rate: Decimal, place: _Place) -> PriceRow:
    provider, surface, model, snapshot = place
    first = price.effective_from or _ALWAYS
    return PriceRow(
        provider=provider,
        surface=surface,
        model=model,
        snapshot=snapshot,
        tier=price.tier,
        region_scope="any",
        band_min_tokens=None,
        band_operator=None,
        token_kind=kind,
        usd_per_mtok=rate,
        effective_from=first,
        effective_to=price.effective_to,
        from_basis="user",
        rule=USER_RULE,
        source="llm-audit.toml",
        retrieved_on=first,
        verified_on=date.max,
        note=price.because or None,
        where="llm-audit.toml",
    )
