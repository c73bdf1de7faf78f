"""What changed between two releases of the price data, model by model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from llm_audit.prices.records import PriceRow

ADDED, CLOSED, CHANGED, GONE = "added", "closed", "changed", "gone"
KINDS = (ADDED, CLOSED, CHANGED, GONE)
"""`closed`: a rate got its last day. `changed` and `gone`: history was edited, which our own rules
forbid except to mend a mistake."""


@dataclass(frozen=True)
class Change:
    """One rate that differs; `old` is None where it was added, `new` where it is gone."""

    kind: str
    old: PriceRow | None
    new: PriceRow | None

    @property
    def row(self) -> PriceRow:
        """The newer of the two."""
        found = self.new or self.old
        assert found is not None
        return found


@dataclass(frozen=True)
class Difference:
    """The changes by model, and how many rates stand in both, how many of them checked anew."""

    models: Mapping[str, tuple[Change, ...]]
    unchanged: int
    verified_anew: int

    def count(self, kind: str) -> int:
        """How many changes are of one kind."""
        return sum(change.kind == kind for changes in self.models.values() for change in changes)


_Slot = tuple[str, str, str, int, str]


def difference(old: Iterable[PriceRow], new: Iterable[PriceRow]) -> Difference:
    """Compare two sets of rates, slot by slot (model, tier, region, band, token kind) and day."""
    before, after = _slots(old), _slots(new)
    models: dict[str, list[Change]] = defaultdict(list)
    unchanged = verified_anew = 0
    for slot in sorted({*before, *after}):
        for change in _changes(before.get(slot, {}), after.get(slot, {})):
            if change.kind:
                models[slot[0]].append(change)
                continue
            unchanged += 1
            if change.old and change.new and change.new.verified_on > change.old.verified_on:
                verified_anew += 1
    return Difference(
        {model: tuple(changes) for model, changes in models.items()}, unchanged, verified_anew
    )


def _slots(rows: Iterable[PriceRow]) -> dict[_Slot, dict[date, PriceRow]]:
    slots: dict[_Slot, dict[date, PriceRow]] = defaultdict(dict)
    for row in rows:
        slot = (row.model_key, row.tier, row.region_scope, row.from_tokens, row.token_kind)
        slots[slot][row.effective_from] = row
    return slots


def _changes(before: Mapping[date, PriceRow], after: Mapping[date, PriceRow]) -> Iterator[Change]:
    """Rows of one slot, paired by first day, else by rate (its first day was corrected)."""
    left = dict(before)
    unpaired = []
    for day, new in sorted(after.items()):
        old = left.pop(day, None)
        if old is None:
            unpaired.append(new)
        else:
            yield Change(_kind(old, new), old, new)
    for new in unpaired:
        moved = next((o for o in left.values() if _same_rate(o, new)), None)
        if moved is not None:
            del left[moved.effective_from]
        yield Change(CHANGED if moved else ADDED, moved, new)
    for _, old in sorted(left.items()):
        yield Change(GONE, old, None)


def _kind(old: PriceRow, new: PriceRow) -> str:
    if not _same_rate(old, new):
        return CHANGED
    if old.effective_to != new.effective_to:
        return CLOSED if old.effective_to is None else CHANGED
    return ""


def _same_rate(old: PriceRow, new: PriceRow) -> bool:
    return (old.usd_per_mtok, old.rule) == (new.usd_per_mtok, new.rule)
