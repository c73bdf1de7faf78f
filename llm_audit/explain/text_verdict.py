"""The verdict as text: label, owner's word, and the rules for and against per criterion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_audit.explain.layout import count, wrapped
from llm_audit.policy import duration_text

if TYPE_CHECKING:
    from llm_audit.explain.result import (
        Criterion,
        Explanation,
        Judgement,
        Limits,
        OwnersWord,
        Part,
        Reason,
    )

_LABELS = {
    "batch_eligible": "batch-eligible",
    "gray_area": "gray area",
    "realtime": "realtime",
}
_MEANINGS = {
    "batch_eligible": "a batch will do if the answers may arrive up to 24 hours later.",
    "gray_area": "the log cannot tell whether the answers can wait a day; their owner can.",
    "realtime": "someone or something waits for the answers.",
}
_QUESTIONS = {
    "independence": "No call needs the answer of another?",
    "tolerance": "The results may arrive a day later?",
    "storage": "The results are stored, and nobody watches them arrive?",
}
_ANSWERS = {
    "supported": "Yes.",
    "hinted": "Probably.",
    "unknown": "The log cannot tell.",
    "contradicted": "No.",
}
_SETTLED = {
    "owner": "The owner's word settles it; what follows is shown, not counted.",
    "declared": "What is declared settles it; other evidence is shown, not counted.",
    "veto": "One veto settles it; other evidence is shown, not counted.",
}


def label_name(label: str) -> str:
    """A label as a person says it: 'gray area'."""
    return _LABELS.get(label, label)


def owner_lines(words: Sequence[OwnersWord], width: int) -> list[str]:
    """What llm-audit.toml says of the workload: the word in force, and those that have ended."""
    lines = []
    for word in words:
        said = (
            f"label {label_name(word.label)}"
            if word.label
            else f"a result may take {duration_text(word.tolerance_s or 0.0)}"
        )
        until = f"; until {word.until.isoformat()}" if word.until else ""
        state = "The owner's word" if word.in_force else "ENDED, so ignored: the owner's word"
        lines += wrapped(
            f"{state} (llm-audit.toml, {word.names}): {said}; because: {word.because}; "
            f"by: {word.by}{until}",
            width, then="  ",
        )  # fmt: skip
    return lines


def verdict_lines(judgement: Judgement, width: int, share: str = "") -> list[str]:
    """Label, its meaning and confidence."""
    label = judgement.label
    lines = wrapped(
        f"{label_name(label).upper()}{share}: {_MEANINGS.get(label, '')} "
        f"Confidence: {_confidence(judgement.confidence)}.",
        width,
    )
    if judgement.deadline_risk:
        lines += wrapped(
            "Deadline risk: some results are due in less than the 24 hours a batch may take.", width
        )
    return lines


def _confidence(value: float | None) -> str:
    if value is None:
        return "unproven"
    word = "high" if value >= 0.9 else "medium" if value >= 0.7 else "low"
    return f"{word} ({value:.2f})"


def why_lines(explanation: Explanation, part: Part, width: int) -> list[str]:
    """The rules of a part's largest case, and those that fired on its other cases only."""
    lines = scale_lines(explanation.thresholds, width)
    if part.cases > 1:
        lines += wrapped(
            f"The {count(part.calls, 'call')} differ in details and form {part.cases:,} cases; "
            f"here is the largest, of {count(part.judgement.case_calls, 'call')}.",
            width, first="  ",
        )  # fmt: skip
    lines += criteria_lines(part.judgement, width, part.calls)
    if part.other_reasons:
        lines += ["", "  On other cases also:"]
        for reason in part.other_reasons:
            lines += _reason(reason, width, part.calls)
    return lines


def scale_lines(limits: Limits, width: int) -> list[str]:
    """How points become verdicts."""
    return wrapped(
        "A batch fits where all three answers are yes; the label is the weakest. Points (log2 "
        f"odds) add up: from {limits.supported:g} supported, from {limits.hinted:g} hinted, "
        f"from {limits.contradicted:g} down contradicted.",
        width, first="  ",
    )  # fmt: skip


def criteria_lines(judgement: Judgement, width: int, calls: int | None) -> list[str]:
    """Each criterion with its rules. calls: those of the part, None where one call is explained."""
    lines: list[str] = []
    for criterion in judgement.criteria:
        lines += ["", *_criterion(criterion, width, calls)]
    return lines


def _criterion(criterion: Criterion, width: int, calls: int | None) -> list[str]:
    name, verdict = criterion.criterion, criterion.verdict
    lines = wrapped(
        f"{name.upper()} {verdict} ({_points(criterion.score)}). "
        f"{_QUESTIONS.get(name, '')} {_ANSWERS.get(verdict, '')}",
        width, first="  ",
    )  # fmt: skip
    reasons = (*criterion.for_batch, *criterion.against)
    if criterion.settled_by in _SETTLED and (
        criterion.settled_by == "owner" or any(r.kind != criterion.settled_by for r in reasons)
    ):
        lines += wrapped(_SETTLED[criterion.settled_by], width, first="    ")
    for reason in (*reasons, *criterion.notes):
        lines += _reason(reason, width, calls)
    if not reasons and not criterion.notes:
        lines.append("    no rule says anything about it")
    return lines


def _reason(reason: Reason, width: int, calls: int | None) -> list[str]:
    mark = {"veto": "veto", "note": "note"}.get(reason.kind, _points(reason.weight))
    on_part = (
        f" (on {reason.calls:,} of {count(calls, 'call')})"
        if calls is not None and 0 < reason.calls < calls
        else ""
    )
    said = "by name only: " if reason.kind == "words" else ""
    return [
        *wrapped(
            f"{said}{reason.evidence}{on_part} [{reason.code}]",
            width,
            first=f"    {mark:>5} ",
            then=" " * 10,
        ),
        *wrapped(reason.why, width, first=" " * 12),
    ]


def _points(score: float) -> str:
    return f"{score:+.4g}" if score else "0"
