"""Does the price data agree with itself? Every finding names its line and says how to mend it.

A wrong rate that nobody notices is worse than none, so loading stops at the first finding.
Rules from the house's own price research: no overlap, no zero for "unknown", no rate that nobody
can trace, no rate finer than exact arithmetic carries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from llm_audit.errors import PricingError
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.records import RULES, TOKEN_KINDS, PriceRow, Row, UnitFee
from llm_audit.schema import SERVICE_TIERS

_DECIMALS = 6
"""Digits after the point in USD per million: beyond them a rate per token needs more than 12."""


@dataclass(frozen=True)
class Finding:
    """One contradiction in the price data."""

    slug: str
    message: str
    hint: str


def check(catalogue: Catalogue) -> None:
    """Raise `PricingError` for the first contradiction in the price data, if there is one."""
    for finding in findings(catalogue):
        raise PricingError(finding.message, slug=finding.slug, hint=finding.hint)


def findings(catalogue: Catalogue) -> Iterator[Finding]:
    """Every contradiction, in the order of the files."""
    for row in catalogue.prices:
        yield from _price_row(row)
    yield from _overlaps(catalogue)
    yield from _repeats(catalogue)
    yield from _orphans(catalogue)
    yield from _sources(catalogue)


def _price_row(row: PriceRow) -> Iterator[Finding]:
    for column, value, known in (
        ("tier", row.tier, SERVICE_TIERS),
        ("token_kind", row.token_kind, TOKEN_KINDS),
        ("rule", row.rule, RULES),
        ("band_operator", row.band_operator or ">", (">", ">=")),
    ):
        if value not in known:
            yield Finding(
                "pricing-unknown-value",
                f"{row.where}: {column} {value!r} is unknown",
                f"use one of {', '.join(known)}",
            )
    if (row.band_min_tokens is None) != (row.band_operator is None):
        yield Finding(
            "pricing-band",
            f"{row.where}: a prompt-size band needs both its tokens and its operator",
            "fill band_min_tokens and band_operator, or leave both empty",
        )
    if row.effective_to is not None and row.effective_to <= row.effective_from:
        yield Finding(
            "pricing-dates",
            f"{row.where}: effective_to {row.effective_to} is not after {row.effective_from}",
            "effective_to is the first day on which the rate no longer holds",
        )
    yield from _rate(row)


def _rate(row: PriceRow) -> Iterator[Finding]:
    rate = row.usd_per_mtok
    if (rate is None) != (row.rule in ("none_published", "not_offered")):
        yield Finding(
            "pricing-null",
            f"{row.where}: rule {row.rule} and the rate {rate} contradict each other",
            "an unknown rate is left empty with rule none_published or not_offered; "
            "a known one has rule published or derived",
        )
    elif rate is not None and rate <= 0:
        yield Finding(
            "pricing-zero",
            f"{row.where}: a rate of {rate} would make calls free",
            "leave an unknown rate empty; list free endpoints in free_operations.csv",
        )
    elif rate is not None and rate != round(rate, _DECIMALS):
        yield Finding(
            "pricing-decimals",
            f"{row.where}: {rate} has more than {_DECIMALS} decimals",
            "is it a rate per token? usd_per_mtok is USD per million tokens",
        )


def _overlaps(catalogue: Catalogue) -> Iterator[Finding]:
    rows: dict[tuple[object, ...], list[PriceRow]] = defaultdict(list)
    for row in catalogue.prices:
        rows[(row.model_key, row.tier, row.region_scope, row.from_tokens, row.token_kind)].append(
            row
        )
    for same in rows.values():
        same.sort(key=lambda row: row.effective_from)
        for earlier, later in pairwise(same):
            if (earlier.effective_to or date.max) > later.effective_from:
                yield Finding(
                    "pricing-overlap",
                    f"{earlier.where} and {later.where}: two rates for {later.token_kind} of "
                    f"{later.model_key} ({later.tier}) on {later.effective_from}",
                    f"close the earlier row: effective_to {later.effective_from}",
                )


def _repeats(catalogue: Catalogue) -> Iterator[Finding]:
    """Lines that a call would meet twice: it would then be counted twice."""
    keyed: list[tuple[Row, tuple[object, ...]]] = [
        *((end, (end.model_key,)) for end in catalogue.lifecycle),
        *((rule, (rule.provider, rule.surface)) for rule in catalogue.cache_rules),
        *(
            (free, (free.provider, free.surface, free.operation_name))
            for free in catalogue.free_operations
        ),
    ]
    seen: dict[tuple[object, ...], Row] = {}
    for row, key in keyed:
        first = seen.setdefault((type(row), *key), row)
        if first is not row:
            yield Finding(
                "pricing-repeat",
                f"{first.where} and {row.where} speak of the same {'/'.join(map(str, key))}",
                "keep the line that holds",
            )
    fees: dict[tuple[str, str, str], list[UnitFee]] = defaultdict(list)
    for fee in catalogue.unit_fees:
        fees[fee.provider, fee.surface, fee.fee].append(fee)
    for same in fees.values():
        same.sort(key=lambda fee: fee.effective_from or date.min)
        for earlier, later in pairwise(same):
            if (earlier.effective_to or date.max) > (later.effective_from or date.min):
                yield Finding(
                    "pricing-repeat",
                    f"{earlier.where} and {later.where}: two fees for {later.fee} on one day",
                    "close the earlier row with effective_to",
                )


def _orphans(catalogue: Catalogue) -> Iterator[Finding]:
    """Names that lead nowhere: aliases and retirements of models without any price row."""
    models = {(row.provider, row.model, row.snapshot) for row in catalogue.prices}
    for alias in catalogue.aliases:
        if not {(alias.provider, alias.model, s) for s in (alias.snapshot, None)} & models:
            yield Finding(
                "pricing-orphan-alias",
                f"{alias.where}: {alias.alias} points to {alias.model}, which has no price rows",
                "add the rows in rates/, or drop the alias",
            )
    for end in catalogue.lifecycle:
        if (end.provider, end.model, end.snapshot) not in models:
            yield Finding(
                "pricing-orphan-lifecycle",
                f"{end.where}: {end.model} has no price rows",
                "mend the name, or drop the line",
            )


def _sources(catalogue: Catalogue) -> Iterator[Finding]:
    groups = (
        catalogue.prices,
        catalogue.aliases,
        catalogue.lifecycle,
        catalogue.unit_fees,
        catalogue.cache_rules,
        catalogue.free_operations,
        catalogue.modifiers,
        catalogue.batch_terms,
    )
    for row in (row for group in groups for row in group):
        unknown = sorted(set(row.source.split()) - catalogue.sources)
        if unknown:
            yield Finding(
                "pricing-source",
                f"{row.where}: the source {unknown[0]} is not described",
                "describe it in sources.toml",
            )
