"""What the user pays and how they call their models: `[aliases]` and `[[prices]]` -> plain values.

An entry of `[[prices]]` either scales the published rates (`multiplier`, names may be globs) or
states rates of its own (exact names). A rate is money that someone signs: what is not certainly
meant is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import combinations
from typing import Any

from llm_audit.errors import PolicyError
from llm_audit.policy.parts import PRICE_KINDS, PriceMultiplier, UserPrice
from llm_audit.policy.places import Place
from llm_audit.policy.reading import choice, day, known_keys, number, text
from llm_audit.policy.refusal import refusal
from llm_audit.schema import SERVICE_TIERS

_MULTIPLIER_KEYS = ("provider", "surface", "model", "tier", "multiplier", "because")
_RATE_KEYS = ("provider", "surface", "model", "tier", "from", "to", *PRICE_KINDS, "because")
_KEYS = (*dict.fromkeys((*_MULTIPLIER_KEYS, *_RATE_KEYS)),)

DECIMALS = 6
"""Digits after the point in USD per million tokens that costs carry exactly."""

HIGHEST_MULTIPLIER = 10

HIGHEST_RATE = 100_000
"""USD per million tokens: far above any price ever asked, and all that the tables can hold."""


def read_aliases(entries: Mapping[str, Any], table_place: Place) -> Mapping[str, str]:
    """`[aliases]`: a name in the log -> the model it is, as `model` or `seller/model`."""
    lowered = {name.strip().lower() for name in entries}
    aliases: dict[str, str] = {}
    for name, model in entries.items():
        place = table_place.at(name)
        if not isinstance(model, str) or not model.strip() or not name.strip():
            raise refusal(
                place, f"`{name}` must name a model", slug="alias",
                hint=f'write "{name or "my-deployment"}" = "azure/gpt-4.1"',
            )  # fmt: skip
        target = model.strip().lower()
        if target in lowered and target != name.strip().lower():
            raise refusal(
                place, f"`{name}` points to `{model}`, which is an alias itself",
                slug="alias", hint="name the model itself: aliases are not followed twice",
            )  # fmt: skip
        if name.strip().lower() in {known.lower() for known in aliases}:
            raise refusal(
                place, f"`{name}` is named twice", slug="alias",
                hint="upper and lower case make no difference here; keep one line",
            )  # fmt: skip
        aliases[name.strip()] = model.strip()
    return aliases


def read_prices(
    entries: Sequence[Mapping[str, Any]], list_place: Place
) -> tuple[tuple[PriceMultiplier, ...], tuple[UserPrice, ...]]:
    """All `[[prices]]`: the contract's factors, and the user's own rates.

    Errors: `PolicyError` for an entry that is neither or both, and for two rates on one day.
    """
    multipliers: list[PriceMultiplier] = []
    rates: list[tuple[Place, UserPrice]] = []
    for position, entry in enumerate(entries, start=1):
        place = list_place.at(position - 1, f"[[prices]] {position}")
        known_keys(entry, _KEYS, place)
        kinds = [kind for kind in PRICE_KINDS if kind in entry]
        if "multiplier" in entry and kinds:
            raise refusal(
                place, f"has both `multiplier` and a rate for {kinds[0]}",
                slug="price-both",
                hint="state the rate itself, or the factor on the published one",
            )  # fmt: skip
        if "multiplier" in entry:
            multipliers.append(_multiplier(entry, place))
        elif kinds:
            rates.append((place, _user_price(entry, kinds, place)))
        else:
            raise refusal(
                place, "has neither a `multiplier` nor a rate", slug="price-empty",
                hint="write multiplier = 0.85, or rates such as input = 2.5 and output = 10",
            )  # fmt: skip
    for error in _overlaps(rates):
        raise error
    return tuple(multipliers), tuple(price for _, price in rates)


def _multiplier(entry: Mapping[str, Any], place: Place) -> PriceMultiplier:
    for key in entry:
        if key not in _MULTIPLIER_KEYS:
            raise refusal(
                place.at(key), f"`{key}` does not go with a multiplier", slug="price-multiplier",
                hint="a multiplier holds for " + ", ".join(_MULTIPLIER_KEYS[:4])
                + " on every day; state rates to limit it",
            )  # fmt: skip
    multiplier = number(entry["multiplier"], place.at("multiplier"))
    if not 0 < multiplier <= HIGHEST_MULTIPLIER:
        raise refusal(
            place.at("multiplier"),
            f"`multiplier` must be above zero and at most {HIGHEST_MULTIPLIER}",
            slug="price-multiplier", hint="it is a factor on the list price: 0.85 means 15 % off",
        )  # fmt: skip
    if multiplier != round(multiplier, DECIMALS):
        raise refusal(
            place.at("multiplier"),
            f"`multiplier` = {multiplier} has more than {DECIMALS} decimals",
            slug="price-multiplier", hint="round it, or state the rates themselves",
        )  # fmt: skip
    tier = text(entry, "tier", place, "")
    return PriceMultiplier(
        provider=text(entry, "provider", place, "*"),
        model=text(entry, "model", place, "*"),
        tier=choice(tier, SERVICE_TIERS, place.at("tier")) if tier else "",
        multiplier=multiplier,
        surface=text(entry, "surface", place, "first_party"),
    )


def _user_price(entry: Mapping[str, Any], kinds: Sequence[str], place: Place) -> UserPrice:
    because = text(entry, "because", place, "")
    first = day(entry.get("from"), place, "from")
    last = day(entry.get("to"), place, "to")
    if first and last and last <= first:
        raise refusal(
            place.at("to"), f"`to` ({last}) is not after `from` ({first})", slug="price-dates",
            hint="`to` is the first day on which the rates no longer hold",
        )  # fmt: skip
    return UserPrice(
        provider=_exact(entry, "provider", place),
        surface=_exact({"surface": "first_party"} | dict(entry), "surface", place),
        model=_exact(entry, "model", place),
        tier=choice(entry.get("tier", "standard"), SERVICE_TIERS, place.at("tier")),
        effective_from=first,
        effective_to=last,
        rates={kind: _rate(entry[kind], kind, place.at(kind)) for kind in kinds},
        because=because.strip(),
    )


def _exact(entry: Mapping[str, Any], key: str, place: Place) -> str:
    name = entry.get(key)
    if not isinstance(name, str) or not name.strip():
        raise refusal(
            place.at(key), f"rates need `{key}`", slug="price-name",
            hint="`llm-audit prices show MODEL` prints the names",
        )  # fmt: skip
    if set("*?[") & set(name):
        raise refusal(
            place.at(key), f"`{key}` of a rate is one name, not a pattern: {name!r}",
            slug="price-name", hint="write one entry per model; patterns go with `multiplier`",
        )  # fmt: skip
    return name.strip()


def _rate(value: object, kind: str, place: Place) -> Decimal:
    """USD per million tokens, exactly as it is written: a float's shortest form is what stood."""
    try:
        rate = None if isinstance(value, bool) else Decimal(str(value).strip())
    except InvalidOperation:
        rate = None
    if rate is None or not rate.is_finite() or not isinstance(value, int | float | str):
        raise refusal(
            place, f"`{kind}` must be USD per million tokens, not {value!r}",
            slug="price-rate", hint=f"write {kind} = 2.5 or {kind} = \"2.5\"",
        )  # fmt: skip
    if not 0 < rate <= HIGHEST_RATE:
        raise refusal(
            place, f"`{kind}` = {value} is not above 0 and at most {HIGHEST_RATE:,}",
            slug="price-rate",
            hint="leave a kind out to keep its published rate; a rate is never zero",
        )  # fmt: skip
    if rate != round(rate, DECIMALS):
        raise refusal(
            place, f"`{kind}` = {value} has more than {DECIMALS} decimals",
            slug="price-rate", hint="is it per token? rates are USD per million tokens",
        )  # fmt: skip
    return rate


def _overlaps(rates: Sequence[tuple[Place, UserPrice]]) -> Iterator[PolicyError]:
    for (place, one), (other_place, other) in combinations(rates, 2):
        both = sorted(set(one.rates) & set(other.rates), key=PRICE_KINDS.index)
        if one.names != other.names or not both:
            continue
        start = max(one.effective_from or date.min, other.effective_from or date.min)
        if start < min(one.effective_to or date.max, other.effective_to or date.max):
            when = "every day" if start == date.min else str(start)
            yield refusal(
                replace(other_place, words=f"{place.words} and {other_place.words}"),
                f"two rates for {both[0]} of {one.names} on {when}", slug="price-overlap",
                hint="close the earlier entry with `to`, the first day it no longer holds",
            )  # fmt: skip
