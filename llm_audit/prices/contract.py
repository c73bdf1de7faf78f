"""The user's contract: which of its lines a model and tier falls under."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fnmatch import fnmatchcase

from llm_audit.policy import PriceMultiplier


def factor(
    lines: Iterable[PriceMultiplier],
    provider: str | None,
    surface: str | None,
    model: str | None,
    tier: str,
) -> Decimal:
    """The factor on a model's published token rates: the last line that fits, 1 without any."""
    found = Decimal(1)
    for line in lines:
        if line.tier in ("", tier) and fits(line, provider, surface, model):
            found = Decimal(str(line.multiplier))
    return found


def fits(
    line: PriceMultiplier, provider: str | None, surface: str | None, model: str | None
) -> bool:
    """Whether a line speaks of a model of a maker, sold by a seller (`surface`)."""
    return (
        fnmatchcase(provider or "", line.provider)
        and fnmatchcase(surface or "", line.surface)
        and fnmatchcase(model or "", line.model)
    )
