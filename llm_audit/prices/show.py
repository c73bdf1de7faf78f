"""Everything the price data says of one model on one day, and how its name was read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from llm_audit.errors import PricingError
from llm_audit.policy import PriceMultiplier
from llm_audit.prices import catalogue as catalogue_module
from llm_audit.prices import contract, user
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.names import parse
from llm_audit.prices.overview import in_force
from llm_audit.prices.own import Own
from llm_audit.prices.records import (
    TOKEN_KINDS,
    USER_RULE,
    BatchTerms,
    CacheRule,
    Lifecycle,
    Modifier,
    PriceRow,
    UnitFee,
)
from llm_audit.prices.resolve import Resolution, Resolver
from llm_audit.schema import SERVICE_TIERS

_TIERS = {tier: place for place, tier in enumerate(SERVICE_TIERS)}
_KINDS = {kind: place for place, kind in enumerate(TOKEN_KINDS)}


@dataclass(frozen=True)
class Rate:
    """A rate in force. `paid` is USD per million tokens after region and contract."""

    row: PriceRow
    paid: Decimal | None
    multiplier: Decimal


@dataclass(frozen=True)
class Shown:
    """The answer to `prices show`.

    `rates` are in force on `day`; `replaced` are ours that the user's own go before; `announced`
    begin later, or nobody has seen them in force; `earlier` counts rates that ended before.
    """

    name: str
    day: date
    version: str
    user_alias: str | None
    alias_line: str | None
    resolution: Resolution
    rates: tuple[Rate, ...]
    replaced: tuple[PriceRow, ...]
    announced: tuple[PriceRow, ...]
    earlier: int
    region: str | None
    modifiers: tuple[Modifier, ...]
    lifecycle: tuple[Lifecycle, ...]
    cache_rule: CacheRule | None
    batch_terms: BatchTerms | None
    unit_fees: tuple[UnitFee, ...]
    sources: Mapping[str, str]

    @property
    def has_own_price(self) -> bool:
        """Whether a region or the user's contract changes one of the rates."""
        return any(rate.paid != rate.row.usd_per_mtok for rate in self.rates)


def show(
    data: Catalogue,
    model: str,
    day: date,
    *,
    provider_name: str | None = None,
    tier: str | None = None,
    own: Own | None = None,
    place: Path | None = None,
) -> Shown:
    """Resolve `model` as a call's name would be, and collect what holds for it on `day`.

    Errors: `PricingError` for a name without price rows, with the resolver's hint.
    """
    own = own or Own()
    data = replace(data, prices=(*data.prices, *user.rows(own.user_prices, data)))
    resolution = Resolver(data, own.aliases).resolve(provider_name, model, None)
    if resolution.price_key is None:
        raise PricingError(
            f"no price for {model}: {resolution.match_method}",
            slug="price-unknown",
            hint="; ".join(
                part
                for part in (resolution.hint, _elsewhere(data, model, own.aliases, resolution))
                if part
            ),
        )
    mine = [
        row
        for row in data.prices
        if row.model_key == resolution.price_key and tier in (None, row.tier)
    ]
    current = [row for row in mine if in_force(row, day)]
    replaced = list(_replaced(current))
    seller = (resolution.provider, resolution.surface)
    modifiers = [line for line in data.modifiers if _speaks_of(line, resolution, day)]
    region = resolution.region_scope
    factor = next((m.factor for m in modifiers if region in m.regions.split()), Decimal(1))
    announced = [row for row in mine if row.effective_from > day or not row.is_live]
    named = {name for row in (*current, *announced) for name in row.source.split()}
    return Shown(
        name=model,
        day=day,
        version=data.version,
        user_alias=_user_alias(model, own.aliases),
        alias_line=_alias_line(data, model, own.aliases, resolution),
        resolution=resolution,
        rates=tuple(
            _rate(row, factor, own.multipliers, resolution)
            for row in sorted(current, key=_row_order)
            if row not in replaced
        ),
        replaced=tuple(replaced),
        announced=tuple(sorted(announced, key=lambda row: (row.effective_from, _row_order(row)))),
        earlier=sum(row.is_live and (row.effective_to or date.max) <= day for row in mine),
        region=region,
        modifiers=tuple(modifiers),
        lifecycle=tuple(
            end
            for end in data.lifecycle
            if (end.provider, end.surface) == seller
            and end.model == resolution.model
            and end.snapshot in (None, resolution.snapshot)
        ),
        cache_rule=_of_seller(data.cache_rules, seller),
        batch_terms=_of_seller(data.batch_terms, seller),
        unit_fees=tuple(
            fee
            for fee in data.unit_fees
            if (fee.provider, fee.surface) == seller and _holds(fee, day)
        ),
        sources={name: title for name, title in source_titles(place).items() if name in named},
    )


def _elsewhere(
    data: Catalogue, model: str, aliases: Mapping[str, str], resolution: Resolution
) -> str:
    """Who sells a model of just this name, else which names are similar; none of them is taken."""
    name = parse(_user_alias(model, aliases) or model, data.names).model or ""
    sellers = sorted(
        {f"{row.provider}/{row.surface}" for row in data.prices if row.model == name and name}
    )
    if sellers:
        return f"{name} is sold by {', '.join(sellers[:6])}: say who is paid with --provider"
    if "similar" in resolution.hint:
        return ""
    near = get_close_matches(name, sorted({row.model for row in data.prices}), n=3, cutoff=0.75)
    return f"similar names on the card: {', '.join(near)}" if near else ""


def _row_order(row: PriceRow) -> tuple[int, int, int]:
    """By tier, prompt size and token kind."""
    return _TIERS[row.tier], row.from_tokens, _KINDS[row.token_kind]


def _replaced(current: Iterable[PriceRow]) -> Iterator[PriceRow]:
    """Our rows that one of the user's goes before: same tier and token kind, whatever the band."""
    rows = list(current)
    own = {(row.tier, row.token_kind) for row in rows if row.rule == USER_RULE}
    return (r for r in rows if r.rule != USER_RULE and (r.tier, r.token_kind) in own)


def _rate(
    row: PriceRow,
    factor: Decimal,
    multipliers: Sequence[PriceMultiplier],
    resolution: Resolution,
) -> Rate:
    if row.rule == USER_RULE:  # what the user pays, whatever else they signed
        return Rate(row, row.usd_per_mtok, Decimal(1))
    multiplier = contract.factor(
        multipliers, resolution.provider, resolution.surface, resolution.model, row.tier
    )
    paid = None if row.usd_per_mtok is None else row.usd_per_mtok * factor * multiplier
    return Rate(row, paid, multiplier)


def _speaks_of(line: Modifier, resolution: Resolution, day: date) -> bool:
    return (
        (line.provider, line.surface) == (resolution.provider, resolution.surface)
        and resolution.model in line.models.split()
        and _holds(line, day)
    )


def _holds(line: Modifier | UnitFee, day: date) -> bool:
    return (line.effective_from or date.min) <= day < (line.effective_to or date.max)


def _of_seller(lines: Iterable[Any], seller: tuple[str | None, str | None]) -> Any:
    return next((line for line in lines if (line.provider, line.surface) == seller), None)


def _user_alias(model: str, aliases: Mapping[str, str]) -> str | None:
    lowered = {name.lower(): target for name, target in aliases.items()}
    return lowered.get(model.strip().lower())


def _alias_line(
    data: Catalogue, model: str, aliases: Mapping[str, str], resolution: Resolution
) -> str | None:
    """The line of aliases.csv that led to the model, if one did."""
    if resolution.match_method not in ("alias", "user"):
        return None
    name = parse(_user_alias(model, aliases) or model, data.names)
    for alias in data.aliases:
        if (
            alias.provider == resolution.provider
            and alias.model == resolution.model
            and alias.alias in (name.written, name.model)
        ):
            return alias.where
    return None


def source_titles(place: Path | None = None) -> dict[str, str]:
    """What each source's short name stands for (`pricing/sources.toml`)."""
    file = (place or catalogue_module.folder()) / "sources.toml"
    described = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: str(about.get("title", name)) for name, about in described.items()}


def as_json(value: Any) -> Any:
    """Dataclasses as objects; money as decimal strings, days as ISO dates."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {name: as_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value
