"""The user's own measurements of batches (`[[measured]]`), laid over the models of a log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from llm_audit.policy import Measured
from llm_audit.prices.resolve import FIRST_PARTY


@dataclass(frozen=True)
class MeasuredBatches:
    """A row of `measured_batches`: what is measured of a model_key, and the same as sentences.

    turnaround_max_s is in whole seconds, rounded up. What was not measured is NULL.
    """

    model_key: str
    model: str
    cache_hit_share: Decimal | None
    hits: str | None
    turnaround_max_s: int | None
    turnaround: str | None


def rows(
    measured: Iterable[Measured], names: Iterable[tuple[str, str | None, str | None, str | None]]
) -> Iterator[MeasuredBatches]:
    """One row per model that was measured. names: (model_key, provider, surface, model)."""
    entries = {entry.names: entry for entry in measured}
    for model_key, provider, surface, model in names:
        entry = entries.get((provider or "", model or ""))
        if entry is not None and surface == FIRST_PARTY:
            yield MeasuredBatches(
                model_key,
                " ".join(entry.names),
                entry.hits.share if entry.hits else None,
                entry.hits_sentence,
                math.ceil(entry.turnaround.max_s) if entry.turnaround else None,
                entry.turnaround_sentence,
            )
