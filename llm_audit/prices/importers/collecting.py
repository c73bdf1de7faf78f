"""The part that all JSON formats share: entries in, candidates and skipped entries out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from llm_audit.prices.importers import reading
from llm_audit.prices.importers.naming import Who
from llm_audit.prices.importers.records import Candidate, Import, Skipped

_KNOWN_RATIOS = (Decimal("0.5"), Decimal("0.8"), Decimal(1))
"""What a batch costs, as a part of the standard rate, wherever a vendor has published it."""

_ROUNDING = Decimal("0.025")
"""Vendors print halves rounded to cents: 0.13 for half of 0.25 is 52 %."""


@dataclass(frozen=True)
class Slot:
    """Which rate of a model: tier, kind, band, and since when."""

    tier: str
    token_kind: str
    band_min_tokens: int | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    from_basis: str = ""


@dataclass
class Collector:
    """Gathers what one file says. `per_mtok`: its units per token in one USD per million."""

    source: str
    file: reading.Content
    per_mtok: int
    candidates: list[Candidate] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def add(self, who: Who, slot: Slot, value: object, key: str) -> None:
        """One number of the file: a candidate, or an entry that is left out with its reason."""
        rate = reading.usd_per_mtok(value, self.per_mtok)
        if isinstance(rate, str):
            self.skip(key, rate)
            return
        self.candidates.append(
            Candidate(
                provider=who.provider,
                surface=who.surface,
                model=who.model,
                snapshot=who.snapshot,
                tier=slot.tier,
                region_scope=who.region_scope,
                band_min_tokens=slot.band_min_tokens,
                band_operator=None if slot.band_min_tokens is None else ">",
                token_kind=slot.token_kind,
                usd_per_mtok=rate,
                effective_from=slot.effective_from,
                effective_to=slot.effective_to,
                from_basis=slot.from_basis,
                source=self.source,
                digest=self.file.sha256,
                key=key,
            )
        )

    def skip(self, key: str, reason: str) -> None:
        """An entry that is left out; `key` is cut, since it is as long as the file wants."""
        self.skipped.append(Skipped(key[:200], reason))

    def result(self, label: str, *, halves_blindly: bool = False) -> Import:
        """Everything gathered, the batch rates checked against the standard ones beside them."""
        return Import(
            source=self.source,
            label=label,
            digest=self.file.sha256,
            candidates=tuple(_doubted(self.candidates, halves_blindly)),
            skipped=tuple(self.skipped),
        )


def _doubted(candidates: Iterable[Candidate], halves_blindly: bool) -> Iterable[Candidate]:
    """The candidates, batch rates that look computed rather than read marked as such."""
    standard: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    candidates = list(candidates)
    for one in candidates:
        if one.tier == "standard":
            standard[_beside(one)].append(one)
    for one in candidates:
        if one.tier == "batch":
            rates = {other.usd_per_mtok for other in standard[_beside(one)]}
            yield replace(one, doubt=_doubt(one.usd_per_mtok, rates, halves_blindly))
        else:
            yield one


def _beside(one: Candidate) -> tuple[object, ...]:
    return (
        one.provider, one.surface, one.model, one.snapshot, one.region_scope,
        one.band_min_tokens, one.token_kind,
    )  # fmt: skip


def _doubt(batch: Decimal, standard: set[Decimal], halves_blindly: bool) -> str:
    if not standard:
        return "no standard rate beside this batch rate"
    parts = [batch / rate for rate in standard]
    if any(abs(part - known) <= _ROUNDING for part in parts for known in _KNOWN_RATIOS):
        blind = halves_blindly and Decimal("0.5") in parts
        return "this file halves blindly: no proof of a batch rate" if blind else ""
    return f"{min(parts):.1%} of the standard rate: perhaps half of an older price"
