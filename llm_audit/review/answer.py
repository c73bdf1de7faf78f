"""An owner's answer to one question -> the override that says so."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from llm_audit.errors import UsageError
from llm_audit.policy import Override
from llm_audit.policy.reading import seconds
from llm_audit.review.build import DAY_S, Standing
from llm_audit.review.result import Question

_HOUR_S = 3600.0


@dataclass(frozen=True)
class Answer:
    """How many seconds the results may take; None: somebody waits."""

    tolerance_s: float | None

    @property
    def remark(self) -> str:
        """What a short tolerance means; empty where there is nothing to add."""
        if self.tolerance_s is None or self.tolerance_s >= DAY_S:
            return ""
        if self.tolerance_s < _HOUR_S:
            return "a batch cannot be relied on within the hour: no saving is counted"
        return "a batch may take 24 hours: marked as a deadline risk and kept out of the headline"


@dataclass(frozen=True)
class Signature:
    """Who answers, why, and until when the answer holds."""

    by: str
    because: str
    until: date | None = None


YES = Answer(DAY_S)
NO = Answer(None)


def parse(text: str) -> Answer:
    """`24h`, `yes`, another time such as `8h` or `90min`, or `no`. Errors: `UsageError`."""
    word = text.strip().lower()
    if word in ("yes", "y"):
        return YES
    if word in ("no", "n"):
        return NO
    try:
        return Answer(seconds(word))
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no answer: {error}",
            slug="answer",
            hint="answer 24h (or yes), another time such as 8h, or no (somebody waits)",
        ) from None


def find(name: str, asked: Sequence[Question], all_of_them: Mapping[str, Standing]) -> Question:
    """The question about a workload, named by its id or by a caller that has only one.

    Errors: `UsageError` where there is no such question, saying why.
    """
    found = [q for q in asked if name in (q.workload_id, q.caller)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(q.workload_id for q in found)
        raise UsageError(
            f"{name!r} has {len(found)} gray workloads",
            slug="answer-unclear",
            hint=f"name one: {ids}",
        )
    known = _named(name, all_of_them)
    if not known:
        names = [n for q in asked for n in (q.workload_id, q.caller)]
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        raise UsageError(
            f"there is no workload {name!r} in this log",
            slug="answer-unknown",
            hint=f"did you mean {near[0]}?" if near else "`llm-audit review` lists the questions",
        )
    for standing in known:
        if standing.answer:
            raise UsageError(
                f"{name} has an answer already, and the first one counts: {standing.answer}",
                slug="answer-taken",
                hint="change that [[override]] in the config, or remove it and answer again",
            )
    raise UsageError(
        f"{name} is {known[0].labels}: there is nothing to ask",
        slug="answer-not-gray",
        hint="an [[override]] in the config still overrules the label",
    )


def is_repeated(
    name: str, said: Override, asked: Sequence[Question], all_of_them: Mapping[str, Standing],
    *, any_reason: bool,
) -> bool:  # fmt: skip
    """Whether all of this name is answered so already; `any_reason`: for whatever reason."""
    if any(name in (q.workload_id, q.caller) for q in asked):
        return False
    answers = [standing.answer for standing in _named(name, all_of_them) if standing.answer]
    return bool(answers) and all(
        answer == said.sentence
        or (
            any_reason
            and answer.startswith(f"{said.decision}: ")
            and answer.endswith(f" {said.signature}")
        )
        for answer in answers
    )


def _named(name: str, all_of_them: Mapping[str, Standing]) -> list[Standing]:
    """The workloads of this id or of this caller."""
    return [s for workload_id, s in all_of_them.items() if name in (workload_id, s.caller)]


def override(question: Question, answer: Answer, signature: Signature) -> Override:
    """The entry for the config: this workload and no other."""
    return signed(answer, signature, question.names)


def signed(answer: Answer, signature: Signature, names: Mapping[str, str]) -> Override:
    """An override of the workloads that these globs name."""
    return Override(
        caller=names.get("caller", "*"),
        workload=names.get("workload", "*"),
        model=names.get("model", "*"),
        operation=names.get("operation", "*"),
        label="realtime" if answer.tolerance_s is None else None,
        tolerance_s=answer.tolerance_s,
        because=signature.because,
        by=signature.by,
        until=signature.until,
    )
