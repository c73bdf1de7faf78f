"""`--fail-on` conditions over a result, for CI: `savings>=500`, `rejects>1%`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from llm_audit.errors import UsageError

if TYPE_CHECKING:
    from llm_audit.report.result import Result

_OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def _share(part: Decimal | int, whole: Decimal | int) -> Decimal:
    return Decimal(part) / Decimal(whole) if whole else Decimal(0)


METRICS: dict[str, Callable[[Result], Decimal]] = {
    "savings": lambda r: (r.savings.monthly or r.savings.observed).conservative,
    "spend": lambda r: (r.savings.monthly or r.savings.observed).effective_cost,
    "eligible-share": lambda r: _share(
        r.savings.observed.eligible_cost, r.savings.observed.effective_cost
    ),
    "unpriced": lambda r: _share(r.totals.unpriced_calls, r.totals.calls),
    "rejects": lambda r: _share(r.data_quality.rejects, r.data_quality.lines),
}
"""`savings` and `spend` are USD, a month where the result is projected and as observed elsewhere;
the others are shares from 0 to 1, which may be written as percentages."""


@dataclass(frozen=True)
class Gate:
    """One condition: a metric, a comparison, a limit."""

    metric: str
    comparison: str
    limit: Decimal
    text: str

    def tripped(self, result: Result) -> bool:
        """Whether the condition holds for a result."""
        return _OPERATORS[self.comparison](METRICS[self.metric](result), self.limit)


_GATE = re.compile(r"\s*([a-z-]+)\s*(>=|<=|>|<)\s*\$?([0-9.]+)\s*(%?)\s*")


def parse(text: str) -> Gate:
    """Read `METRIC OP NUMBER[%]`. Errors: `UsageError` naming the metrics."""
    match = _GATE.fullmatch(text)
    if match is None or match[1] not in METRICS:
        raise UsageError(
            f"--fail-on {text!r} is no condition",
            slug="gate-syntax",
            hint="METRIC OP NUMBER, for example savings>=500 or rejects>1%; metrics: "
            + ", ".join(METRICS),
        )
    try:
        limit = Decimal(match[3]) / (100 if match[4] else 1)
    except InvalidOperation:
        raise UsageError(f"--fail-on: {match[3]!r} is no number", slug="gate-syntax") from None
    return Gate(match[1], match[2], limit, text.strip())
