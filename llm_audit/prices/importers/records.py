"""What every price file is turned into: candidates, and the entries that were left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

ANY_REGION = "any"


@dataclass(frozen=True)
class Candidate:
    """One rate of a foreign price file, named as our own rows are. It is a claim, not a price.

    `usd_per_mtok` is USD per million tokens: above zero, with at most six decimals. `from_basis`
    says what `effective_from` means: `change` (the price began then), `first_seen` (the file only
    vouches for it from then on), empty (the file gives no date). `source` is a name of
    `sources.toml`, `digest` the SHA-256 of the file, `key` the place in it. `doubt`, if any, is a
    reason not to believe the rate before looking at the vendor's page.
    """

    provider: str
    surface: str
    model: str
    snapshot: str | None
    tier: str
    region_scope: str
    band_min_tokens: int | None
    band_operator: str | None
    token_kind: str
    usd_per_mtok: Decimal
    effective_from: date | None
    effective_to: date | None
    from_basis: str
    source: str
    digest: str
    key: str
    doubt: str = ""

    def in_force(self, day: date) -> bool:
        """Whether the file claims this rate for `day`."""
        return (self.effective_from or date.min) <= day < (self.effective_to or date.max)


@dataclass(frozen=True)
class Skipped:
    """An entry of the file that is not a candidate, and why."""

    key: str
    reason: str


@dataclass(frozen=True)
class Import:
    """A foreign price file, read. `label` names the file (and the package's version)."""

    source: str
    label: str
    digest: str
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]
