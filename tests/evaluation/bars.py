"""The bars an evaluation is held to, and the floors that `make test` holds today.

`ISSUE` is what the project has promised. `TODAY` is what it already keeps: error bounds are the
promised ones, recall floors are to be raised with every version that recalls more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Bars:
    """Bounds on the measures of the protocol; dollars unless said otherwise."""

    precision: float = 0.95
    hard_error: float = 0.005
    soft_error: float = 0.05
    realtime_callers_hit: int = 0
    over_claim: float = 1.05
    recall: Mapping[str, float] | None = None
    """By copy of the set; a copy that is not named has no floor."""


ISSUE = Bars(recall={"full": 0.85, "body-less": 0.50})
TODAY = Bars(recall={"full": 0.88, "body-less": 0.60})

CALIBRATION_GAP = 0.1
"""How far the measured precision of a bucket may be from the confidence it states."""


@dataclass(frozen=True)
class Check:
    """One line of the pass/fail table."""

    where: str
    name: str
    bar: str
    value: float | None
    ok: bool

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)


def error_checks(where: str, measured: Mapping[str, object], bars: Bars = ISSUE) -> list[Check]:
    """Precision, hard and soft error, callers hit, over-claim.

    With nothing flagged there is no error, and nothing that could be called precise either.
    """

    def number(name: str) -> float | None:
        value = measured[name]
        return float(value) if isinstance(value, int | float) else None

    precision, claim = number("precision"), number("over_claim")
    hard, soft = number("hard_error"), number("soft_error")
    hits = number("callers_hit_realtime")
    return [
        Check(where, "dollar precision", f">= {bars.precision:.2f}", precision,
              precision is not None and precision >= bars.precision),
        Check(where, "hard error", f"<= {bars.hard_error:.3f}", hard,
              hard is None or hard <= bars.hard_error),
        Check(where, "soft error", f"<= {bars.soft_error:.2f}", soft,
              soft is None or soft <= bars.soft_error),
        Check(where, "realtime callers hit", f"<= {bars.realtime_callers_hit}", hits,
              hits is not None and hits <= bars.realtime_callers_hit),
        Check(where, "over-claim", f"<= {bars.over_claim:.2f}", claim,
              claim is not None and claim <= bars.over_claim),
    ]  # fmt: skip


def recall_checks(where: str, copy: str, recall: float | None, bars: Bars = ISSUE) -> list[Check]:
    """Dollar recall; none for a copy without a floor."""
    floor = (bars.recall or {}).get(copy)
    if floor is None:
        return []
    ok = recall is not None and recall >= floor
    return [Check(where, "dollar recall", f">= {floor:.2f}", recall, ok)]
