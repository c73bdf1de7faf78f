"""What the user says of names and prices (llm-audit.toml), and whether it leads anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches

from llm_audit.policy import PriceMultiplier, UserPrice
from llm_audit.prices import user
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.findings import WARNING, Finding
from llm_audit.prices.names import parse
from llm_audit.prices.resolve import Resolver


@dataclass(frozen=True)
class Own:
    """What the user's llm-audit.toml says about prices and names."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    multipliers: Sequence[PriceMultiplier] = ()
    user_prices: Sequence[UserPrice] = ()


def own_doubts(data: Catalogue, own: Own, day: date) -> Iterator[Finding]:
    """Lines of the user's file that price nothing on the card, or end before `day`: misspelt?"""
    card = replace(data, prices=(*data.prices, *user.rows(own.user_prices, data)))
    resolver = Resolver(card, own.aliases)
    for name, model in own.aliases.items():
        found = resolver.resolve(None, name, None)
        if found.price_key is None:
            yield Finding(
                "own-alias",
                f"llm-audit.toml, [aliases]: {name} = {model} leads to no price "
                f"({found.match_method})",
                found.hint,
                WARNING,
            )
    known = {(row.provider, row.surface, row.model) for row in data.prices}
    for price in own.user_prices:
        model = parse(price.model, data.names).model or price.model
        if not {model, f"ft:{model}"} & {m for p, s, m in known if (p, s) == _seller(price)}:
            yield Finding(
                "own-price",
                f"llm-audit.toml, [[prices]]: {price.names} is not on the price card",
                "fine for a model of your own; else mend provider, surface or model "
                f"({_near(price, known)})",
                WARNING,
            )
        if price.effective_to and price.effective_to <= day:
            yield Finding(
                "own-price",
                f"llm-audit.toml, [[prices]]: {price.names} ended on {price.effective_to}",
                "add an entry with `from` if a new price holds since",
                WARNING,
            )


def _seller(price: UserPrice) -> tuple[str, str]:
    return price.provider, price.surface


def _near(price: UserPrice, known: Iterable[tuple[str, str, str]]) -> str:
    names = sorted("/".join(parts) for parts in known)
    wanted = "/".join((*_seller(price), price.model))
    near = get_close_matches(wanted, names, n=2, cutoff=0.75)
    return f"similar: {', '.join(near)}" if near else "`llm-audit prices show MODEL` prints names"
