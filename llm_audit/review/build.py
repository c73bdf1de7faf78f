"""Labelled and priced tables -> questions. What a yes would do is looked up, never guessed.

A caller looks at the tables twice: as they are, and as they are if every owner said yes (see
`pipeline.supposing` and `yes`); `questions` is made of the difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any

from llm_audit.policy import Override
from llm_audit.policy.globs import exact
from llm_audit.review.result import Answered, Evidence, Question
from llm_audit.schema import CRITERIA
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb

DAY_S = 86400.0
"""Seconds that a batch may take, and that a yes allows."""

_UNSHOWN = {
    "independence": "that no call needs the answer of another",
    "tolerance": "that the results may come a day later",
    "storage": "that the results are stored and nobody watches them arrive",
}

_LABEL = (
    "if its owner also knows that no call needs the answer of another, write "
    'label = "batch_eligible" in place of tolerance in its [[override]]: that settles it'
)


@dataclass(frozen=True)
class Outcome:
    """The calls of one workload under one label, and what a batch would save on them."""

    calls: int
    saving: Decimal
    worth_it: bool
    note: str


_NOTHING = Outcome(0, Decimal(0), worth_it=False, note="")


@dataclass(frozen=True)
class Look:
    """The tables at one moment: outcomes by workload and label, and why calls are gray."""

    outcomes: Mapping[tuple[str, str], Outcome]
    evidence: Mapping[tuple[str, str], list[tuple[float, str]]]
    unshown: Mapping[str, list[tuple[str, int]]]

    def of(self, workload_id: str, label: str) -> Outcome:
        """The outcome of a workload's calls with this label."""
        return self.outcomes.get((workload_id, label), _NOTHING)


@dataclass(frozen=True)
class Gray:
    """One gray workload, as `sql/gray_workloads.sql` describes it."""

    workload_id: str
    caller: str
    operation_name: str
    provider_name: str
    model: str
    calls: int
    effective_cost: Decimal | None
    saving_conservative: Decimal
    independence: str
    tolerance: str
    storage: str
    alike: int
    answer: str | None
    advice: str | None


def gray_workloads(connection: duckdb.DuckDBPyConnection) -> tuple[Gray, ...]:
    """Every workload with gray calls, dearest possible saving first."""
    return tuple(Gray(*row) for row in _rows(connection, "gray_workloads"))


@dataclass(frozen=True)
class Standing:
    """What holds for a workload of any label; `answer` is the override in force, as a sentence."""

    caller: str
    labels: str
    answer: str | None


def standing(connection: duckdb.DuckDBPyConnection) -> dict[str, Standing]:
    """Every workload of the log by its id."""
    return {
        name: Standing(caller, labels, answer)
        for name, caller, labels, answer in _rows(connection, "standing")
    }


def yes(workload: Gray) -> Override:
    """The owner's yes, to be supposed."""
    return Override(
        caller="*",
        workload=exact(workload.workload_id),
        model="*",
        operation="*",
        label=None,
        tolerance_s=DAY_S,
        because="supposed",
        by="llm-audit review",
        until=None,
    )


def look(connection: duckdb.DuckDBPyConnection) -> Look:
    """What the label and savings tables say now."""
    evidence = defaultdict(list)
    for workload_id, criterion, weight, sentence in _rows(connection, "evidence"):
        evidence[workload_id, criterion].append((weight, sentence))
    unshown = defaultdict(list)
    for workload_id, criterion, calls in _rows(connection, "open_criteria"):
        unshown[workload_id].append((criterion, calls))
    return Look(
        outcomes={
            (workload_id, label): Outcome(calls, saving, worth_it, note or "")
            for workload_id, label, calls, saving, worth_it, note in _rows(connection, "outcomes")
        },
        evidence=evidence,
        unshown=unshown,
    )


def questions(workloads: Iterable[Gray], now: Look, if_yes: Look) -> tuple[Question, ...]:
    """One question per gray workload that no override names yet: what a yes saves most, first.

    Where yeses save alike, the order of the workloads stays. What a yes cannot move, for its model
    is retired, say, or its calls are too few, is asked about only where nothing else is to ask.
    """
    unanswered = [w for w in workloads if w.answer is None]
    movable = [w for w in unanswered if w.advice == "ask_owner"]
    asked = (_question(w, now, if_yes) for w in movable or unanswered)
    return tuple(sorted(asked, key=lambda question: -question.saving_if_yes))


def answered(workloads: Iterable[Gray]) -> tuple[Answered, ...]:
    """The gray workloads that an override names already."""
    return tuple(Answered(w.workload_id, w.caller, w.answer) for w in workloads if w.answer)


def _question(workload: Gray, now: Look, if_yes: Look) -> Question:
    name = workload.workload_id
    before, after = now.of(name, "batch_eligible"), if_yes.of(name, "batch_eligible")
    return Question(
        workload_id=name,
        caller=workload.caller,
        operation_name=workload.operation_name,
        provider_name=workload.provider_name,
        model=workload.model,
        question=f"May the results of {printable(workload.caller, 80)} come up to 24 hours later?",
        calls=workload.calls,
        effective_cost=workload.effective_cost,
        saving_possible=workload.saving_conservative,
        saving_if_yes=max(Decimal(0), after.saving - before.saving),
        yes_is_enough=if_yes.of(name, "gray_area").calls == 0,
        remarks=tuple(_remarks(workload, now, if_yes)),
        evidence=tuple(_evidence(workload, criterion, now) for criterion in CRITERIA),
        names=_names(workload),
    )


def _names(workload: Gray) -> dict[str, str]:
    """Globs that match this workload of the log and no other."""
    names = {
        "caller": exact(workload.caller),
        "model": exact(workload.model),
        "operation": exact(workload.operation_name),
    }
    if workload.alike > 1:  # templates or providers that only the id tells apart
        names["workload"] = exact(workload.workload_id)
    return names


def _evidence(workload: Gray, criterion: str, now: Look) -> Evidence:
    found = now.evidence.get((workload.workload_id, criterion), [])
    return Evidence(
        criterion=criterion,
        verdict=getattr(workload, criterion),
        supports=tuple(sentence for weight, sentence in found if weight > 0),
        contradicts=tuple(sentence for weight, sentence in found if weight < 0),
        notes=tuple(sentence for weight, sentence in found if weight == 0),
    )


def _remarks(workload: Gray, now: Look, if_yes: Look) -> Iterable[str]:
    """What a yes would leave undone, and what else it would do."""
    name = workload.workload_id
    before, after = now.of(name, "batch_eligible"), if_yes.of(name, "batch_eligible")
    gray = if_yes.of(name, "gray_area").calls
    if gray:
        some = f"for {gray:,} of these calls " if gray < workload.calls else ""
        yield f"a yes alone will not do: {some}{_lacking(name, if_yes)}"
        if any(criterion == "independence" for criterion, _ in if_yes.unshown.get(name, [])):
            yield _LABEL
    opened = now.of(name, "realtime").calls - if_yes.of(name, "realtime").calls
    if opened > 0:
        yield f"a yes also holds for {opened:,} calls of this workload that are realtime today"
    if after.calls > before.calls and not after.worth_it and after.note:
        yield f"even with a yes: {after.note}"


def _lacking(name: str, if_yes: Look) -> str:
    parts = []
    for criterion, _ in if_yes.unshown.get(name, []):
        notes = [s for weight, s in if_yes.evidence.get((name, criterion), []) if weight == 0]
        parts.append(_UNSHOWN[criterion] + (f" ({'; '.join(notes)})" if notes else ""))
    return f"the log does not show {', nor '.join(parts)}"


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    query = resources.files("llm_audit.review").joinpath("sql", f"{name}.sql")
    return connection.execute(query.read_text(encoding="utf-8")).fetchall()
