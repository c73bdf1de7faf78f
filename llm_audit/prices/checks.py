"""Does the price data agree with itself? Every finding names its line and says how to mend it.

A wrong rate that nobody notices is worse than none, so loading stops at the first error.
Rules from the house's own price research: no overlap, no gap, no zero for "unknown", no rate that
nobody can trace, no rate finer than exact arithmetic carries. What is only unlikely or growing old
is `doubts`' business: it never keeps anyone from a report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from llm_audit.errors import PricingError
from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.doubts import doubts
from llm_audit.prices.findings import Finding
from llm_audit.prices.records import RULES, TOKEN_KINDS, Modifier, PriceRow, Row, UnitFee
from llm_audit.schema import SERVICE_TIERS

__all__ = ["Finding", "check", "every", "findings"]

_DECIMALS = 6
"""Digits after the point in USD per million: beyond them a rate per token needs more than 12."""


def check(catalogue: Catalogue) -> None:
    """Raise `PricingError` for the first contradiction in the price data, if there is one."""
    for finding in findings(catalogue):
        raise PricingError(finding.message, slug=finding.slug, hint=finding.hint)


def every(catalogue: Catalogue, day: date) -> list[Finding]:
    """Errors, then what is doubtful as seen on `day`; each in the order of the files."""
    return [*findings(catalogue), *doubts(catalogue, day)]


def findings(catalogue: Catalogue) -> Iterator[Finding]:
    """Every contradiction, in the order of the files."""
    for row in catalogue.prices:
        yield from _price_row(row)
    yield from _history(catalogue)
    yield from _repeats(catalogue)
    yield from _orphans(catalogue)
    for modifier in catalogue.modifiers:
        yield from _modifier(modifier, catalogue)
    yield from _repeated_modifiers(catalogue)
    yield from _sources(catalogue)
    yield from _checked_before_read(catalogue)


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
    if row.region_scope != "any":
        yield Finding(
            "pricing-region",
            f"{row.where}: a rate for the region {row.region_scope} alone would never be used",
            "write the rate that holds everywhere, and the region's factor into modifiers.csv",
        )
    yield from _dates(row, row.effective_from, row.effective_to)
    yield from _rate(row)


def _dates(row: Row, first: date | None, last: date | None) -> Iterator[Finding]:
    if first is not None and last is not None and last <= first:
        yield Finding(
            "pricing-dates",
            f"{row.where}: effective_to {last} is not after {first}",
            "effective_to is the first day on which the rate no longer holds",
        )


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


def _history(catalogue: Catalogue) -> Iterator[Finding]:
    """One rate per day: the rows of one slot neither overlap nor leave days out."""
    rows: dict[tuple[object, ...], list[PriceRow]] = defaultdict(list)
    for row in catalogue.prices:
        rows[(row.model_key, row.tier, row.region_scope, row.from_tokens, row.token_kind)].append(
            row
        )
    for same in rows.values():
        same.sort(key=lambda row: row.effective_from)
        for earlier, later in pairwise(same):
            yield from _between(earlier, later)


def _between(earlier: PriceRow, later: PriceRow) -> Iterator[Finding]:
    what = f"{later.token_kind} of {later.model_key} ({later.tier})"
    end = earlier.effective_to or date.max
    if end > later.effective_from:
        yield Finding(
            "pricing-overlap",
            f"{earlier.where} and {later.where}: two rates for {what} on {later.effective_from}",
            f"close the earlier row: effective_to {later.effective_from}",
        )
    elif end < later.effective_from:
        days = (later.effective_from - end).days
        yield Finding(
            "pricing-gap",
            f"{earlier.where} and {later.where}: no rate for {what} from {end} until "
            f"{later.effective_from} ({days} day{'' if days == 1 else 's'})",
            f"set effective_to {later.effective_from} on the earlier row or effective_from {end} "
            "on the later one; if it was not sold then, add a row with rule not_offered",
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
    """Names that lead nowhere: they name models without any price row."""
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
    sold = {(row.provider, row.surface, row.model) for row in catalogue.prices}
    for modifier in catalogue.modifiers:
        for model in modifier.models.split():
            if (modifier.provider, modifier.surface, model) not in sold:
                yield Finding(
                    "pricing-orphan-modifier",
                    f"{modifier.where}: {model} has no price rows of "
                    f"{modifier.provider}/{modifier.surface}",
                    "mend the name as it stands in rates/, or drop it from the line",
                )


def _modifier(modifier: Modifier, catalogue: Catalogue) -> Iterator[Finding]:
    """A factor that is one, and whose products exact arithmetic carries."""
    yield from _dates(modifier, modifier.effective_from, modifier.effective_to)
    if modifier.factor <= 0:
        yield Finding(
            "pricing-zero",
            f"{modifier.where}: a factor of {modifier.factor} would make calls free",
            "a regional factor is such as 1.1; drop the line if there is none",
        )
        return
    models = set(modifier.models.split())
    seller = (modifier.provider, modifier.surface)
    fine = [
        (row, row.usd_per_mtok * modifier.factor)
        for row in catalogue.prices
        if row.usd_per_mtok is not None
        and (row.provider, row.surface) == seller
        and row.model in models
        and row.usd_per_mtok == round(row.usd_per_mtok, _DECIMALS)
        and row.usd_per_mtok * modifier.factor != round(row.usd_per_mtok * modifier.factor, 6)
    ]
    if fine:
        row, product = fine[0]
        more = f", and {len(fine) - 1} more" if len(fine) > 1 else ""
        yield Finding(
            "pricing-decimals",
            f"{modifier.where} and {row.where}: {row.usd_per_mtok} x {modifier.factor} = {product} "
            f"has more than {_DECIMALS} decimals{more}",
            f"give {row.model} a line of its own, with the factor that the vendor's page prints",
        )


def _repeated_modifiers(catalogue: Catalogue) -> Iterator[Finding]:
    """Two factors for one model, region and day: nobody could say which one is paid."""
    lines: dict[tuple[str, ...], list[Modifier]] = defaultdict(list)
    for line in catalogue.modifiers:
        for region in line.regions.split():
            for model in line.models.split():
                lines[line.provider, line.surface, region, model].append(line)
    reported: set[tuple[str, str]] = set()
    for (_, _, region, model), same in lines.items():
        same.sort(key=lambda line: line.effective_from or date.min)
        for earlier, later in pairwise(same):
            pair = (earlier.where, later.where)
            overlaps = (earlier.effective_to or date.max) > (later.effective_from or date.min)
            if overlaps and pair not in reported:
                reported.add(pair)
                yield Finding(
                    "pricing-repeat",
                    f"{earlier.where} and {later.where}: two factors for {model} in {region} "
                    "on one day",
                    "name the model in one of the lines, or close the earlier one with "
                    "effective_to",
                )


def _sources(catalogue: Catalogue) -> Iterator[Finding]:
    groups: tuple[Sequence[Row], ...] = (
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
        source: str = getattr(row, "source", "")
        unknown = sorted(set(source.split()) - catalogue.sources)
        if unknown:
            yield Finding(
                "pricing-source",
                f"{row.where}: the source {unknown[0]} is not described",
                "describe it in sources.toml",
            )


def _checked_before_read(catalogue: Catalogue) -> Iterator[Finding]:
    rows: tuple[PriceRow | UnitFee | Modifier, ...] = (
        *catalogue.prices,
        *catalogue.unit_fees,
        *catalogue.modifiers,
    )
    for row in rows:
        if row.verified_on < row.retrieved_on:
            yield Finding(
                "pricing-verified",
                f"{row.where}: verified_on {row.verified_on} is before retrieved_on "
                f"{row.retrieved_on}",
                "reading the source was a check of it: set verified_on to at least that day",
            )
