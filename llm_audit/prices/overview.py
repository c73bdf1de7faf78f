"""The price data at a glance: which release, how much of whom, how lately checked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from llm_audit.prices.catalogue import Catalogue
from llm_audit.prices.records import PriceRow


@dataclass(frozen=True)
class Seller:
    """The rates of one maker's models where one company sells them."""

    provider: str
    surface: str
    models: int
    rows: int
    in_force: int
    oldest_verified_on: date | None


@dataclass(frozen=True)
class Overview:
    """`oldest_verified_on` is the least recent check of a rate in force on `day`."""

    version: str
    sha256: str
    day: date
    rows: int
    pending: int
    oldest_verified_on: date | None
    sellers: tuple[Seller, ...]


def overview(catalogue: Catalogue, day: date) -> Overview:
    """Count the rates as they stand on `day`."""
    groups: dict[tuple[str, str], list[PriceRow]] = defaultdict(list)
    for row in catalogue.prices:
        groups[row.provider, row.surface].append(row)
    sellers = tuple(_seller(*key, rows, day) for key, rows in sorted(groups.items()))
    oldest = [seller.oldest_verified_on for seller in sellers if seller.oldest_verified_on]
    return Overview(
        version=catalogue.version,
        sha256=catalogue.sha256,
        day=day,
        rows=len(catalogue.prices),
        pending=sum(not row.is_live for row in catalogue.prices),
        oldest_verified_on=min(oldest, default=None),
        sellers=sellers,
    )


def _seller(provider: str, surface: str, rows: list[PriceRow], day: date) -> Seller:
    live = [row for row in rows if in_force(row, day)]
    return Seller(
        provider=provider,
        surface=surface,
        models=len({row.model for row in rows}),
        rows=len(rows),
        in_force=len(live),
        oldest_verified_on=min((row.verified_on for row in live), default=None),
    )


def in_force(row: PriceRow, day: date) -> bool:
    """Whether a rate is paid on a day."""
    return row.is_live and row.effective_from <= day < (row.effective_to or date.max)
