"""The gray workloads as questions to their owners, made of the result alone.

A log cannot show that a result may come a day later; a person knows. Each question is built from
the criteria that the log leaves open, and ends in the `[[override]]` that a yes to all of them
means, written as `llm-audit review` writes it. The log's names in it are quoted, never trusted.
Nobody is asked twice, nor where a yes would move nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.errors import PolicyError
from llm_audit.policy import OWN_FILE, Override
from llm_audit.policy.answers import entry
from llm_audit.policy.globs import exact
from llm_audit.report.figures import plural
from llm_audit.report.workload_table import Finding, anchor, findings
from llm_audit.schema import CRITERIA
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.report.result import Result, Workload

DAY_S = 86400.0
"""Seconds that a batch may take, and that a yes allows."""

LONGEST_LINE = 380
"""Characters of a TOML line that the page shows whole; longer names are named by their id."""

BECAUSE = "say why the results can wait"
BY = "you@example.com"

ASKED = {
    "tolerance": "May the results of {who} come up to 24 hours later?",
    "independence": "Can the calls of {who} be sent all at once, none needing another's answer?",
    "storage": "Are the answers of {who} stored, with nobody watching them arrive?",
}
"""A yes is for batching in each of them."""

THINK_OF = {
    "tolerance": "Who reads the results, what starts when they are there, and when must that be?",
    "independence": "Is any prompt made of what an earlier call answered?",
    "storage": "Does the answer appear on somebody's screen while it is written?",
}

SETTLED = {
    "retired_model": "model retired",
    "unpriced": "no price is known",
    "no_batch_rate": "no cheaper batch price",
    "keep_sync_cache_cheaper": "cache hits make it cheaper as it is",
    "already_batch": "in a batch already",
    "flex": "flex is the tier for it",
}
"""Why a yes moves nothing, by the advice of the audit."""

_OPEN = ("unknown", "contradicted", None)
_Kind = tuple[str | None, str | None, str | None]


@dataclass(frozen=True)
class OwnerQuestion:
    """One gray workload and what to ask about it.

    key: its place in the JSON. on_page: its row in the workload table is listed. lean: log2 odds
    that the weakest open criterion holds, the mean over calls. questions: (criterion, question,
    what to think of), empty where none is asked. answer: the owner's override in force. settled:
    why a yes moves nothing, or ''. toml: what a yes to all of them means; empty where none is asked
    or its names cannot be written.
    """

    name: str
    key: str
    anchor: str
    on_page: bool
    workload: Workload
    lean: float
    questions: tuple[tuple[str, str, str], ...]
    answer: str | None
    settled: str
    toml: str

    @property
    def is_open(self) -> bool:
        """Whether the owner is to be asked."""
        return is_asked(self.workload)

    @property
    def answered(self) -> str:
        """What the owner's word left open; '' without such a word."""
        return answered(self.workload) if self.answer else ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The criteria with their verdicts and reasons."""
        return findings(self.workload, self.key)

    @property
    def leaning(self) -> str:
        """The lean with its sign; 0 has none."""
        return f"{self.lean:+.1f}" if abs(self.lean) >= 0.05 else "0"

    @property
    def dot(self) -> tuple[str, float, float]:
        """Name, evidence and USD at stake, to be drawn."""
        return self.name, self.lean, float(self.workload.saving_conservative)


def owner_questions(result: Result, listed: int) -> tuple[OwnerQuestion, ...]:
    """Every gray workload, named G1, G2, and so on: the open questions first, the dearest possible
    saving first; then those whose owner has spoken, then those that a yes does not move.

    listed: how many workloads the table of the page has, from the first.
    """
    kinds = Counter(_kind(w) for w in {w.workload_id: w for w in result.workloads}.values())
    until = _year_after(result.generated_at.date())
    gray = [(i, w) for i, w in enumerate(result.workloads) if w.label == "gray_area"]
    gray.sort(key=lambda pair: (_turn(pair[1]), *_at_stake(pair[1])))
    return tuple(
        _question(
            f"G{number}",
            place,
            workload,
            listed=listed,
            until=until,
            namesakes=kinds[_kind(workload)] > 1,
        )
        for number, (place, workload) in enumerate(gray, start=1)
    )


def said(workload: Workload) -> str | None:
    """The owner's override in force, as a sentence."""
    return next((r.evidence for r in workload.reasons if r.side == "owner"), None)


def is_asked(workload: Workload) -> bool:
    """Whether a question is open: gray, a yes moves it, and its owner has not spoken."""
    gray = workload.label == "gray_area" and workload.advice == "ask_owner"
    return gray and said(workload) is None


def needs_label(workload: Workload) -> bool:
    """Whether time alone will not do: no tolerance can show that calls are independent."""
    return "independence" in _lacking(workload)


def answered(workload: Workload) -> str:
    """What to say of a gray workload whose owner has spoken."""
    shown = "; independence is not shown" if needs_label(workload) else ""
    return f"owner has spoken{shown}"


def lean(workload: Workload) -> float:
    """What the evidence says of the weakest open criterion, log2 odds within -10 and 10.

    0: nothing for it or against it. Rules that speak for some of the calls weigh by that share.
    """
    return min((score(workload, criterion) for criterion in _lacking(workload)), default=0.0)


def score(workload: Workload, criterion: str) -> float:
    """As sql/31 settles it: a declared deadline or tier, a veto, the evidence tipped by words.

    Log2 odds within -10 and 10. Rules that speak for some of the calls weigh by that share.
    """
    spoken = [r for r in workload.reasons if r.criterion == criterion and r.weight is not None]
    weights = [
        (r.code[:2], (r.weight or 0.0) * min(r.calls / max(workload.calls, 1), 1.0)) for r in spoken
    ]
    declared = [weight for kind, weight in weights if kind == "D_"]
    if declared:
        return min(declared)
    if any(kind == "V_" for kind, _ in weights):
        return -10.0
    evidence = sum(weight for kind, weight in weights if kind != "W_")
    words = sum(weight for kind, weight in weights if kind == "W_")
    total = evidence + (words if evidence >= 0 else min(words, 0.0))
    return min(max(total, -10.0), 10.0)


def _question(
    name: str, place: int, workload: Workload, *, listed: int, namesakes: bool, until: date
) -> OwnerQuestion:
    asked = is_asked(workload)
    lacking = _lacking(workload)
    who = printable(workload.caller or "these calls", 80)
    return OwnerQuestion(
        name=name,
        key=f"workloads.{place}",
        anchor=anchor(workload),
        on_page=place < listed,
        workload=workload,
        lean=lean(workload),
        questions=tuple((c, ASKED[c].format(who=who), THINK_OF[c]) for c in lacking)
        if asked
        else (),
        answer=said(workload),
        settled=_settled(workload),
        toml=override_toml(workload, lacking, namesakes=namesakes, until=until) if asked else "",
    )


def override_toml(
    workload: Workload, lacking: tuple[str, ...], *, namesakes: bool, until: date
) -> str:
    """The entry for llm-audit.toml that says yes; because and by are for the owner to fill in.

    Tolerance also speaks for storage: what may take a day is not watched arriving. Independence no
    tolerance can show, so there the owner sets the label. namesakes: others share caller, model
    and operation, and only the id tells them apart.
    """
    by_name = {
        "caller": workload.caller,
        "model": workload.model,
        "operation": workload.operation_name,
    }
    globs = {key: exact(name) for key, name in by_name.items() if name}
    by_id = {"workload": exact(workload.workload_id)}
    if namesakes or not workload.caller:
        globs |= by_id
    for names in (globs, by_id):
        try:
            text = entry(_yes(names, lacking, until), OWN_FILE)
        except PolicyError:  # a name that TOML cannot hold
            continue
        if max(map(len, text.split("\n"))) <= LONGEST_LINE:
            return text
    return ""


def _yes(names: dict[str, str], lacking: tuple[str, ...], until: date) -> Override:
    by_label = "independence" in lacking
    return Override(
        caller=names.get("caller", "*"),
        workload=names.get("workload", "*"),
        model=names.get("model", "*"),
        operation=names.get("operation", "*"),
        label="batch_eligible" if by_label else None,
        tolerance_s=None if by_label else DAY_S,
        because=BECAUSE,
        by=BY,
        until=until,
    )


def _lacking(workload: Workload) -> tuple[str, ...]:
    """Criteria that are neither supported nor hinted, tolerance first: it is the usual one."""
    found = [c for c in CRITERIA if getattr(workload.criteria, c) in _OPEN] or ["tolerance"]
    return tuple(sorted(found, key=lambda c: c != "tolerance"))


def _settled(workload: Workload) -> str:
    if workload.advice == "ask_owner":
        return ""
    if workload.advice != "below_floor":
        return SETTLED.get(workload.advice, "nothing to save")
    if not workload.effective_cost:
        return "nothing was billed"
    return f"too small ({plural(workload.peak_day_calls, 'call')} within 24 h)"


def _turn(workload: Workload) -> int:
    if is_asked(workload):
        return 0
    return 2 if _settled(workload) else 1


def _kind(workload: Workload) -> _Kind:
    return (workload.caller, workload.operation_name, workload.model)


def _at_stake(workload: Workload) -> tuple[Decimal, Decimal, int, str]:
    return (
        -workload.saving_conservative,
        -(workload.effective_cost or Decimal(0)),
        -workload.calls,
        workload.workload_id,
    )


def _year_after(day: date) -> date:
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
