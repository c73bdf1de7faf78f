"""What is unlikely, unfinished or old in the price data: warnings, as seen on a day.

Nothing here is a contradiction, and some of it is true (two of OpenAI's oldest models have no batch
discount). The bounds are drawn just outside what the vendors of the table really charge.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.findings import ERROR, WARNING, Finding
from llm_audit.prices.records import CacheRule, FreeOperation, Modifier, PriceRow, UnitFee

STALE_DAYS = 90
"""A rate in force that nobody has checked for longer is old: vendors change prices by season."""

HIGHEST, LOWEST = Decimal(2000), Decimal("0.001")
"""USD per million tokens outside of which a rate is rather one per thousand, or per token."""

_JUMP = 10
"""Successive rates of one slot further apart than this factor are rather a slip of the unit."""

_FOREIGN = re.compile(r"\b(EUR|GBP|CNY|RMB|JPY|INR|CHF|euros?|yuan|yen)\b|[€£¥₹]")


@dataclass(frozen=True)
class _Ratio:
    """What one rate should be of another one of the same model, band and day."""

    slug: str
    kind: str | None
    tier: str | None
    to_kind: str | None
    to_tier: str | None
    low: Decimal | None
    high: Decimal | None
    hint: str


_TYPO = "compare both lines with the vendor's page: a digit, a unit or a column may have slipped"
_RATIOS = (
    _Ratio("pricing-batch-ratio", None, "batch", None, "standard", Decimal("0.2"), Decimal(1),
           "a batch is half price as a rule; if the vendor says otherwise, say so in note"),
    _Ratio("pricing-flex-ratio", None, "flex", None, "standard", Decimal("0.2"), Decimal(1),
           "flex costs as much as a batch as a rule"),
    _Ratio("pricing-priority-ratio", None, "priority", None, "standard", Decimal(1), Decimal(10),
           "priority costs more than standard, or does not exist"),
    _Ratio("pricing-cache-ratio", "cached_input", None, "input", None, Decimal("0.005"), Decimal(1),
           "a cached token costs at most what a plain one does"),
    _Ratio("pricing-cache-ratio", "cache_write_5m", None, "input", None, Decimal(1), Decimal(3),
           "writing to the cache costs 1 to 2 times the plain input"),
    _Ratio("pricing-cache-ratio", "cache_write_1h", None, "input", None, Decimal(1), Decimal(4),
           "writing to the cache costs 1 to 2 times the plain input"),
    _Ratio("pricing-cache-ratio", "cache_write_1h", None, "cache_write_5m", None, Decimal(1),
           Decimal(4), "an hour in the cache costs at least what five minutes do"),
    _Ratio("pricing-output-ratio", "output", None, "input", None, Decimal("0.5"), Decimal(20),
           _TYPO),
)  # fmt: skip


def doubts(catalogue: Catalogue, day: date) -> Iterator[Finding]:
    """Every warning, and as an error what was checked on a day that `day` has not reached."""
    yield from _lonely(catalogue)
    for row in catalogue.prices:
        yield from _unit(row)
        yield from _currency(row)
    yield from _ratios(catalogue)
    yield from _jumps(catalogue)
    yield from _factors(catalogue)
    yield from _ahead(catalogue, day)
    yield from _announced(catalogue, day)
    yield from _stale(catalogue, day)


def _warn(slug: str, message: str, hint: str) -> Finding:
    return Finding(slug, message, hint, WARNING)


def _lonely(catalogue: Catalogue) -> Iterator[Finding]:
    """Sellers that one file knows and another one does not."""
    sellers = {(row.provider, row.surface) for row in catalogue.prices}
    ruled = {(rule.provider, rule.surface) for rule in catalogue.cache_rules}
    for row in _first_of_each_seller(r for r in catalogue.prices if r.token_kind == "cached_input"):
        if (row.provider, row.surface) not in ruled:
            yield _warn(
                "pricing-orphan-cache",
                f"{row.where}: {row.provider}/{row.surface} has cached rates and no line in "
                "cache_rules.csv",
                f"add {row.provider},{row.surface},automatic or explicit,… to cache_rules.csv: "
                "without it the expected batch cost of cached calls is unknown",
            )
    others: tuple[CacheRule | UnitFee | FreeOperation, ...] = (
        *catalogue.cache_rules,
        *catalogue.unit_fees,
        *catalogue.free_operations,
    )
    for line in others:
        if (line.provider, line.surface) not in sellers:
            yield _warn(
                "pricing-orphan-seller",
                f"{line.where}: {line.provider}/{line.surface} has no price rows",
                "mend the names, add its rows in rates/, or drop the line",
            )


def _first_of_each_seller(rows: Iterable[PriceRow]) -> list[PriceRow]:
    first: dict[tuple[str, str], PriceRow] = {}
    for row in rows:
        if row.usd_per_mtok is not None:
            first.setdefault((row.provider, row.surface), row)
    return list(first.values())


def _unit(row: PriceRow) -> Iterator[Finding]:
    rate = row.usd_per_mtok
    if rate is None or LOWEST <= rate <= HIGHEST or rate <= 0:
        return
    high = rate > HIGHEST
    yield _warn(
        "pricing-unit",
        f"{row.where}: {rate} USD per million tokens of {row.token_kind} is "
        f"{'above' if high else 'below'} {HIGHEST if high else LOWEST}",
        "is it per token, or in another currency?"
        if high
        else "is it per thousand tokens (times 1,000) or per token (times 1,000,000)?",
    )


def _currency(row: PriceRow) -> Iterator[Finding]:
    note = row.note or ""
    found = _FOREIGN.search(note)
    if found and "converted" not in note.lower():
        yield _warn(
            "pricing-currency",
            f"{row.where}: the note speaks of {found[0]}, and the column is US dollars",
            "convert the rate, and say `converted from … at …` in note",
        )


_Slot = tuple[str, str, str, str, int]


def _slots(catalogue: Catalogue) -> Mapping[_Slot, list[PriceRow]]:
    """Known rates by model, region, tier, token kind and band, oldest first."""
    slots: dict[_Slot, list[PriceRow]] = defaultdict(list)
    for row in sorted(catalogue.prices, key=lambda row: row.effective_from):
        if row.usd_per_mtok is not None and row.usd_per_mtok > 0:
            slots[
                row.model_key, row.region_scope, row.tier, row.token_kind, row.from_tokens
            ].append(row)
    return slots


def _ratios(catalogue: Catalogue) -> Iterator[Finding]:
    slots = _slots(catalogue)
    for (model, region, tier, kind, band), rows in slots.items():
        for ratio in _RATIOS:
            if ratio.kind not in (None, kind) or ratio.tier not in (None, tier):
                continue
            others = slots.get(
                (model, region, ratio.to_tier or tier, ratio.to_kind or kind, band), []
            )
            for row in rows:
                yield from _compared(row, others, ratio)


def _compared(row: PriceRow, others: Iterable[PriceRow], ratio: _Ratio) -> Iterator[Finding]:
    for other in others:
        start = max(row.effective_from, other.effective_from)
        if start >= min(row.effective_to or date.max, other.effective_to or date.max):
            continue
        share = (row.usd_per_mtok or Decimal(0)) / (other.usd_per_mtok or Decimal(1))
        low, high = ratio.low, ratio.high
        if (low is not None and share < low) or (high is not None and share > high):
            yield _warn(
                ratio.slug,
                f"{row.where} and {other.where}: {row.tier} {row.token_kind} of {row.model_key} "
                f"({row.usd_per_mtok}) is {_rounded(share)} times {other.tier} {other.token_kind} "
                f"({other.usd_per_mtok}); expected {low} to {high}",
                ratio.hint,
            )


def _rounded(share: Decimal) -> str:
    return f"{share:.3f}".rstrip("0").rstrip(".") if share >= Decimal("0.001") else f"{share:.1e}"


def _jumps(catalogue: Catalogue) -> Iterator[Finding]:
    for rows in _slots(catalogue).values():
        for earlier, later in pairwise(rows):
            share = (later.usd_per_mtok or Decimal(1)) / (earlier.usd_per_mtok or Decimal(1))
            if not Decimal(1) / _JUMP <= share <= _JUMP:
                yield _warn(
                    "pricing-jump",
                    f"{earlier.where} and {later.where}: {later.token_kind} of {later.model_key} "
                    f"({later.tier}) goes from {earlier.usd_per_mtok} to {later.usd_per_mtok}",
                    _TYPO,
                )


def _factors(catalogue: Catalogue) -> Iterator[Finding]:
    for line in catalogue.modifiers:
        if line.factor > 2 or Decimal(0) < line.factor < Decimal("0.5") or line.factor == 1:
            yield _warn(
                "pricing-factor",
                f"{line.where}: a regional factor of {line.factor}",
                "a factor is such as 1.1 for ten percent more; drop the line if it is 1",
            )


_Dated = PriceRow | UnitFee | Modifier


def _dated(catalogue: Catalogue) -> tuple[_Dated, ...]:
    return (*catalogue.prices, *catalogue.unit_fees, *catalogue.modifiers)


def _ahead(catalogue: Catalogue, day: date) -> Iterator[Finding]:
    """A check that has not happened yet would make an announced rate count."""
    groups: dict[tuple[str, date], list[_Dated]] = defaultdict(list)
    for row in _dated(catalogue):
        if max(row.verified_on, row.retrieved_on) > day:
            groups[row.source, max(row.verified_on, row.retrieved_on)].append(row)
    for (source, seen), rows in groups.items():
        yield Finding(
            "pricing-future",
            f"{_lines(rows)} of {source}: read or verified on {seen}, after {day}",
            "no one can have looked on that day: mend retrieved_on and verified_on, or the clock",
            ERROR,
        )


def _announced(catalogue: Catalogue, day: date) -> Iterator[Finding]:
    groups: dict[tuple[str, date], list[PriceRow]] = defaultdict(list)
    for row in catalogue.prices:
        if not row.is_live:
            groups[row.source, row.effective_from].append(row)
    for (source, first), rows in groups.items():
        due = first <= day
        yield _warn(
            "pricing-pending",
            f"{_lines(rows)} of {source}: announced for {first}"
            f"{', which has come,' if due else ''} and not used",
            f"look at the source again and set verified_on to that day, {first} or later"
            if due
            else f"look at the source again on or after {first}; until then nothing is to do",
        )


def _stale(catalogue: Catalogue, day: date) -> Iterator[Finding]:
    """Rates in force that nobody has looked at for long, by source; history does not grow old."""
    oldest = day - timedelta(days=STALE_DAYS)
    groups: dict[tuple[str, date], list[_Dated]] = defaultdict(list)
    for row in _dated(catalogue):
        in_force = (row.effective_from or date.min) <= day < (row.effective_to or date.max)
        if in_force and row.verified_on < oldest:
            groups[row.source, row.verified_on].append(row)
    for (source, seen), rows in sorted(groups.items(), key=lambda item: item[0][1]):
        yield _warn(
            "pricing-stale",
            f"{_lines(rows)} of {source}: in force and last verified on {seen}, "
            f"{(day - seen).days} days before {day}",
            f"compare with a new copy of {source} and set verified_on to its day",
        )


def _lines(rows: list[PriceRow] | list[_Dated]) -> str:
    """Where a group of rows stands: the first line, and how many more."""
    first = rows[0].where
    return first if len(rows) == 1 else f"{first} and {len(rows) - 1} more lines"
