"""What to do first: the few moves that pay most for their effort, as a pure function of a result.

Effort and risk follow fixed rules over fields of the result, and every point of them is told, so
that a reader can disagree with one rule without losing trust in the rest.

    rank = saving x confidence / effort

saving: the conservative one on the headline's basis, USD. confidence: that of the label where the
label is what the action stands on, a move to the batch API; one half for the rest, which nothing
has measured. effort: 1 (very low) to 5 (very high).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report.figures import Derived, count, derived, percent, plural, share
from llm_audit.report.headline import headline
from llm_audit.report.questions import is_asked, needs_label
from llm_audit.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_audit.report.headline import Headline
    from llm_audit.report.result import Result, Workload

MOST_ACTIONS = 5
UNPROVEN = 0.5
"""What ranks an action without a measured confidence: even odds."""

STREAMS = 0.1
"""From this share of streaming calls on, their client has to be changed."""

DAYS_PER_MONTH = 30

FORMULA = "rank = saving (low end) x confidence / effort (1 very low to 5 very high)"

_EFFORTS = ("Very low", "Low", "Medium", "High", "Very high")
_RISKS = ("Low", "Medium", "High", "Unknown")


@dataclass(frozen=True)
class Level:
    """A grade on a fixed scale, its points (from 1), and the sentences that made it."""

    name: str
    points: int
    why: tuple[str, ...]


@dataclass(frozen=True)
class Action:
    """One thing to do about one workload; `place` is its number in `Result.workloads`.

    kind: 'batch', 'flex' or 'ask'. share: of the headline's saving; of a 'batch' it is part of
    it, of the other kinds it would come on top. confidence: None where none is measured.
    """

    kind: str
    place: int
    workload: Workload
    low: Derived
    high: Derived
    share: float | None
    confidence: float | None
    effort: Level
    risk: Level
    rollback: str
    command: str
    """What goes on from here: the plan of the move where the log holds its requests, else why."""

    @property
    def rank(self) -> Decimal:
        """What the list is ordered by; comparable within one report only."""
        return self.low.value * Decimal(str(self.odds)) / self.effort.points

    @property
    def odds(self) -> float:
        """The confidence that ranks it."""
        return UNPROVEN if self.confidence is None else self.confidence

    @property
    def counted(self) -> bool:
        """Whether the headline's saving holds this one."""
        return self.kind == "batch"

    @property
    def by_label(self) -> bool:
        """Whether only a label of the owner will do."""
        return self.kind == "ask" and needs_label(self.workload)


def actions(result: Result, most: int | None = MOST_ACTIONS) -> tuple[Action, ...]:
    """The best actions first, at most `most` of them; empty where nothing is worth doing."""
    found = sorted(
        _all(result, headline(result)),
        key=lambda a: (-a.rank, -a.low.value, a.workload.workload_id, a.workload.label),
    )
    return tuple(found[:most])


def _all(result: Result, top: Headline) -> Iterator[Action]:
    replayable = frozenset(result.replayable)
    for place, workload in enumerate(result.workloads):
        kind = _kind(workload)
        if kind is None:
            continue
        low, high = _saving(result, top, place, kind)
        if low.value <= 0:
            continue
        whole = top.saving.conservative
        yield Action(
            kind=kind,
            place=place,
            workload=workload,
            low=low,
            high=high,
            share=share(low.value, whole) if whole > 0 else None,
            confidence=workload.confidence if kind == "batch" else None,
            effort=_effort(kind, workload),
            risk=_risk(kind, workload),
            rollback=_ROLLBACK[kind],
            command=_command(kind, workload, workload.workload_id in replayable),
        )


def _kind(workload: Workload) -> str | None:
    """The advice of the audit, where following it saves something."""
    if workload.advice == "flex":
        return "flex"
    if not workload.worth_it:
        return None
    if is_asked(workload):
        return "ask"
    return "batch" if workload.advice in ("batch", "needs_error_feedback") else None


def _saving(result: Result, top: Headline, place: int, kind: str) -> tuple[Derived, Derived]:
    """Low and high end on the headline's basis.

    A month scales the observed days. Its high end adds today's spread between the scenarios, which
    is exact where every call has a time. No price of the flex tier at today's card is in the
    result, so flex keeps the prices of the log.
    """
    at = f"workloads.{place}"
    monthly = top.key == "savings.monthly"
    times = f"{DAYS_PER_MONTH}/{result.period.days}" if monthly else "1"
    if kind == "flex":
        known = result.workloads[place].flex_cost is not None
        keys = [f"{at}.effective_cost", f"-{at}.flex_cost"] if known else []
        both = derived(result, keys, times)
        return both, both
    if not monthly:
        return (
            derived(result, [f"{at}.saving_conservative"]),
            derived(result, [f"{at}.saving_best"]),
        )
    low = f"{at}.projected_saving_conservative"
    spread = [f"{at}.forward_saving_best", f"-{at}.forward_saving_conservative"]
    return derived(result, [low], times), derived(result, [low, *spread], times)


def _effort(kind: str, workload: Workload) -> Level:
    """Flex is one parameter. A move starts at Low; every finding is one point up or down."""
    if kind == "flex":
        return Level(_EFFORTS[0], 1, ("one parameter of the request, and a retry",))
    points = 2
    why = ["write requests to a file, read the answers later"]
    for moves, text in _efforts(workload):
        points += moves
        why.append(text)
    points = min(max(points, 1), len(_EFFORTS))
    return Level(_EFFORTS[points - 1], points, tuple(why))


def _efforts(workload: Workload) -> Iterator[tuple[int, str]]:
    if workload.already_batch_calls:
        yield -1, f"its code runs batches already ({plural(workload.already_batch_calls, 'call')})"
    if workload.criteria.independence != "supported":
        yield 1, "first check that no call needs the answer of another"
    if workload.criteria.storage != "supported":
        yield 1, "first give its answers a place to be stored"
    if workload.advice == "needs_error_feedback":
        yield 1, "first mend the requests that are refused: try ten synchronously"
    streaming = workload.activity.streaming_share
    if streaming is not None and streaming >= STREAMS:
        yield 1, f"{percent(streaming)} of its calls stream today"
    fit = workload.batch_fit
    if fit is not None and fit.batches is not None and fit.batches > 1:
        yield 1, f"its busiest day fills {count(fit.batches)} batches"


def _risk(kind: str, workload: Workload) -> Level:
    """What it would mean that an answer comes late, from the verdict on tolerance."""
    if kind == "ask":
        return _level(_RISKS, 4, "nobody has said yet whether its answers can wait")
    late = (
        "answers are slower, and refused when the tier is busy"
        if kind == "flex"
        else f"answers may take up to {plural(_window(workload), 'hour')}"
    )
    if any(reason.side == "owner" for reason in workload.reasons):
        return _level(_RISKS, 1, f"{late}; its owner says that they can")
    verdict = workload.criteria.tolerance
    points = {"supported": 1, "hinted": 2}.get(verdict or "", 3)
    said = {1: "the log supports that they can", 2: "only hints say that they can"}
    why = f"{late}; {said.get(points, 'the log does not show that they can')}"
    against = sum(r.criterion == "tolerance" and r.side == "against" for r in workload.reasons)
    if against:
        points = min(points + 1, 3)
        why += f", but {plural(against, 'finding')} against waiting"
    return _level(_RISKS, points, why)


def _window(workload: Workload) -> int:
    fit = workload.batch_fit
    return fit.window_hours if fit is not None and fit.window_hours is not None else 24


def _level(names: tuple[str, ...], points: int, why: str) -> Level:
    return Level(names[points - 1], points, (why,))


_ROLLBACK = {
    "batch": "send the same calls to the synchronous API again; no data has to move back",
    "flex": "take the service tier out of the request",
    "ask": "nothing changes before the answer; deleting its [[override]] takes it back",
}


def _command(kind: str, workload: Workload, is_replayable: bool) -> str:
    """Where time alone will not do: `explain`, which prints the entry that does.

    What is in the log whole can be planned from it: a dry run needs no key and sends nothing.
    """
    if kind == "ask" and not needs_label(workload):
        return "llm-audit review"
    name = shlex.quote(printable(workload.workload_id))
    # Requests that are refused have to be mended before they are sent again.
    if kind == "batch" and workload.advice == "batch" and is_replayable:
        return f"llm-audit migrate --dry-run --workload {name}"
    return f"llm-audit explain {name}"
