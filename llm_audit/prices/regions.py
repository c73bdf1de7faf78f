"""What a region adds to the price of a token: `pricing/modifiers.csv` looked up by exact names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from llm_audit.prices.records import Modifier

ONE = Decimal(1)


class Modifiers:
    """The factors on token rates, by who sells a model and where it runs."""

    def __init__(self, modifiers: Iterable[Modifier]) -> None:
        self._lines: dict[tuple[str, ...], list[Modifier]] = defaultdict(list)
        for line in modifiers:
            for model in line.models.split():
                for region in line.regions.split():
                    self._lines[line.provider, line.surface, model, region].append(line)

    def lines(
        self, provider: str | None, surface: str | None, model: str | None, region: str | None
    ) -> list[Modifier]:
        """The lines that hold there, each from a day until another; none: no factor is known."""
        return self._lines.get((provider or "", surface or "", model or "", region or ""), [])

    def factor(
        self, provider: str | None, surface: str | None, model: str | None, region: str | None
    ) -> Decimal:
        """The factor of the first of these lines; 1 without any."""
        return next((line.factor for line in self.lines(provider, surface, model, region)), ONE)
