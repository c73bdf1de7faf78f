"""`--fail-on` conditions over a result, for CI: `savings>=500`, `rejects>1%`.

A gate never passes because something could not be measured: where its metric is unknown it trips,
and says so. `savings`, `spend` and `eligible-share` are unknown where calls exist but none has a
price; the others, and these too, where nothing was read at all. Of a log that is priced in part
they are those of the priced part: `unpriced>5%` beside them keeps that part large.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.errors import UsageError
from llm_audit.report.figures import money, percent
from llm_audit.report.headline import past_saving

if TYPE_CHECKING:
    from llm_audit.report.result import Result

_OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Metric:
    """What a condition is about: its value in a result, None where unknown; a share or USD."""

    value: Callable[[Result], Decimal | None]
    is_share: bool


def _share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return Decimal(part) / Decimal(whole) if whole else None


def _if_priced(value: Callable[[Result], Decimal]) -> Callable[[Result], Decimal | None]:
    """None where no call has a price; of calls that are free, failed ones say, $0 is known."""

    def known(result: Result) -> Decimal | None:
        totals = result.totals
        unknown = totals.priced_calls == 0 and (totals.unpriced_calls > 0 or totals.calls == 0)
        return None if unknown else value(result)

    return known


def _still_open(result: Result) -> Decimal:
    """Of observed days without what ran on retired models: nobody can save that any more."""
    if result.savings.monthly is not None:
        return result.savings.monthly.conservative
    return result.savings.observed.conservative - past_saving(result)


def _eligible(result: Result) -> Decimal:
    saving = result.savings.observed
    return _share(saving.eligible_cost, saving.effective_cost) or Decimal(0)


METRICS = {
    "savings": Metric(_if_priced(_still_open), False),
    "spend": Metric(
        _if_priced(lambda r: (r.savings.monthly or r.savings.observed).effective_cost), False
    ),
    "eligible-share": Metric(_if_priced(_eligible), True),
    "unpriced": Metric(lambda r: _share(r.totals.unpriced_calls, r.totals.calls), True),
    "rejects": Metric(lambda r: _share(r.data_quality.rejects, r.data_quality.lines), True),
}
"""`savings` and `spend` are USD, a month where the result is projected and as observed elsewhere;
the others are shares from 0 to 1, which may be written as percentages. `savings` is what can still
be saved: nothing of it ran on a model that is retired."""


@dataclass(frozen=True)
class Gate:
    """One condition: a metric, a comparison, a limit."""

    metric: str
    comparison: str
    limit: Decimal
    text: str

    def tripped(self, result: Result) -> bool:
        """Whether the condition holds for a result, or cannot be told."""
        value = METRICS[self.metric].value(result)
        return value is None or _OPERATORS[self.comparison](value, self.limit)

    def reason(self, result: Result) -> str:
        """The condition beside what it met, for the message."""
        value = METRICS[self.metric].value(result)
        if value is None:
            unknown = "no call has a price" if result.totals.calls else "nothing was read"
            return f"{self.text} ({self.metric} is unknown: {unknown})"
        if METRICS[self.metric].is_share:
            return f"{self.text} (it is {percent(float(value))})"
        basis = "a month" if result.savings.monthly else "observed"
        if self.metric == "savings" and not result.savings.monthly and past_saving(result):
            basis += f", without {money(past_saving(result))} on retired models"
        return f"{self.text} (it is {money(value)} {basis})"


_NUMBER = r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?|\.[0-9]+"
_GATE = re.compile(rf"\s*([a-z-]+)\s*(>=|<=|>|<)\s*(\$?)\s*({_NUMBER})\s*(%?)\s*", re.ASCII)


def parse(text: str) -> Gate:
    """Read `METRIC OP NUMBER[%]`. Errors: `UsageError` naming the metrics.

    There is no `=`: of exact amounts it never holds, and a gate that never trips is none.
    """
    match = _GATE.fullmatch(text)
    if match is None or match[1] not in METRICS:
        raise _refusal(
            f"{text!r} is no condition",
            "METRIC OP NUMBER, for example savings>=500 or rejects>1%; OP is >=, >, <= or <; "
            "metrics: " + ", ".join(METRICS),
        )
    name, comparison, dollar, number, percents = match.groups()
    limit = Decimal(number.replace(",", "")) / (100 if percents else 1)
    if METRICS[name].is_share:
        if dollar or limit > 1:
            raise _refusal(f"{name} is a share of at most 100%", f"write {name}{comparison}5%")
    elif percents:
        raise _refusal(f"{name} is an amount in USD", f"write {name}{comparison}500")
    return Gate(name, comparison, limit, text.strip())


def _refusal(reason: str, hint: str) -> UsageError:
    return UsageError(f"--fail-on: {reason}", slug="gate-syntax", hint=hint)
