"""What the workload table shows of each workload: order of the page, texts of cells, drawn or not.

Drawings of every one of 500 workloads would make a page nobody opens: those where most money is at
stake are drawn, the others point to `llm-audit explain`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report.workload_charts import busiest_hour, hour_name
from llm_audit.schema import CRITERIA

if TYPE_CHECKING:
    from llm_audit.report.result import Reason, Workload

UNTOLD = "\N{EN DASH}"
"""Where no call of the log tells."""

MARKS = {"supported": "✓", "hinted": "≈", "unknown": "?", "contradicted": "✗"}


@dataclass(frozen=True)
class Finding:
    """One criterion and every rule that spoke about it; verdict None: nothing was judged.

    reasons: (key in the JSON, reason), the strongest first. An owner's word has no criterion, and
    its finding no name.
    """

    name: str
    verdict: str | None
    reasons: tuple[tuple[str, Reason], ...]

    @property
    def mark(self) -> str:
        """The verdict as a sign."""
        return MARKS.get(self.verdict or "", UNTOLD)

    @property
    def tone(self) -> str:
        """The verdict as the page colours it."""
        return self.verdict if self.verdict in MARKS else "unknown"


def findings(workload: Workload, key: str) -> tuple[Finding, ...]:
    """Its owner's word first, if there is one, then the three criteria."""
    keyed = [(f"{key}.reasons.{i}", reason) for i, reason in enumerate(workload.reasons)]
    spoken = tuple(pair for pair in keyed if pair[1].criterion not in CRITERIA)
    judged = tuple(
        Finding(
            name.capitalize(),
            getattr(workload.criteria, name),
            tuple(pair for pair in keyed if pair[1].criterion == name),
        )
        for name in CRITERIA
    )
    return (Finding("", None, spoken), *judged) if spoken else judged


def weight(reason: Reason) -> str:
    """'+6', '-1.5', or who decides alone: the owner or a veto."""
    if reason.weight is None:
        return "owner" if reason.side == "owner" else "veto"
    return f"{reason.weight:+g}" if reason.weight else "0"


@dataclass(frozen=True)
class Row:
    """One workload of the table. `key` is its place in the JSON; `hour` of the week, from Monday.

    explained: its reasons stand on the page; drawn: so do the drawings of when its calls run.
    """

    workload: Workload
    key: str
    anchor: str
    explained: bool
    drawn: bool
    hour: int | None

    @property
    def busiest(self) -> str:
        """The busiest hour of the week as a person says it."""
        return UNTOLD if self.hour is None else hour_name(self.hour)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Why it has its label."""
        return findings(self.workload, self.key)

    @property
    def decisive(self) -> Reason | None:
        """What keeps it realtime: its owner's word, a veto, else the strongest evidence against."""
        reasons = self.workload.reasons
        owners = (r for r in reasons if r.side == "owner")
        against = (r for r in reasons if r.side == "against")
        return next(owners, None) or next(against, None)


def rows(
    workloads: Sequence[Workload], most: int, most_explained: int, most_drawn: int
) -> tuple[Row, ...]:
    """The first `most` workloads as rows, in the result's own order."""
    listed = workloads[:most]
    explained, drawn = dearest(listed, most_explained), dearest(listed, most_drawn)
    return tuple(
        Row(
            workload=w,
            key=f"workloads.{i}",
            anchor=anchor(w),
            explained=i in explained,
            drawn=i in drawn,
            hour=busiest_hour(w.activity.by_hour),
        )
        for i, w in enumerate(listed)
    )


def dearest(workloads: Sequence[Workload], most: int) -> frozenset[int]:
    """Places of the workloads with most money in them: half by saving, the rest by spend."""
    by_saving = sorted(range(len(workloads)), key=lambda i: (-workloads[i].saving_best, i))
    by_spend = sorted(
        range(len(workloads)), key=lambda i: (-(workloads[i].effective_cost or Decimal(0)), i)
    )
    wanted = dict.fromkeys([*by_saving[: most // 2], *by_spend])
    return frozenset(list(wanted)[:most])


def anchor(workload: Workload) -> str:
    """The row's id on the page, which a link names: letters, digits, - and _ alone."""
    return re.sub(r"[^A-Za-z0-9_-]", "", f"{workload.workload_id}-{workload.label}")


def duration(milliseconds: int | None) -> str:
    """'320 ms', '4.2 s', '1.5 min'; a dash where no call tells."""
    if milliseconds is None:
        return UNTOLD
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f}".removesuffix(".0") + " s"
    return f"{milliseconds / 60_000:.1f}".removesuffix(".0") + " min"


def compact(number: int) -> str:
    """'950', '12.3 k', '4.5 M', '1.2 B': three digits are enough to compare."""
    short, units = float(number), iter(" kMB")
    unit = next(units)
    while round(short) >= 1000 and (larger := next(units, None)):
        short, unit = short / 1000, larger
    digits = f"{short:,.0f}" if short >= 99.95 or unit == " " else f"{short:.1f}"
    return f"{digits.removesuffix('.0')} {unit}".rstrip()


def size(number_of_bytes: int) -> str:
    """'125 MB', '0.4 MB'; a million bytes each."""
    megabytes = number_of_bytes / 1_000_000
    return "under 0.1 MB" if megabytes < 0.1 else f"{megabytes:,.1f}".removesuffix(".0") + " MB"
