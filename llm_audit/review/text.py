"""Questions as plain text, fit for a terminal whatever the log's names hold."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from llm_audit.review.result import Evidence, Question, Review
from llm_audit.text import printable

_CHOICES = "24h or yes, another time such as 8h, or no where somebody waits"


def question_lines(question: Question) -> Iterator[str]:
    """What the owner should know, and the question as the last line."""
    q = question
    names = " | ".join(
        printable(part, 80)
        for part in (q.caller, q.operation_name, f"{q.provider_name} {q.model}", q.workload_id)
    )
    spent = "cost unknown" if q.effective_cost is None else f"{_usd(q.effective_cost)} spent"
    yield names
    saved = f"a yes saves {_usd(q.saving_if_yes)}"
    if q.saving_possible > q.saving_if_yes:
        saved += f" of {_usd(q.saving_possible)}"
    yield f"  {q.calls:,} gray calls, {spent}; {saved} in this log"
    for evidence in q.evidence:
        yield from _evidence_lines(evidence)
    for remark in q.remarks:
        yield f"  ! {printable(remark, 600)}"
    yield f"  {q.question}"


def listing(review: Review) -> str:
    """All questions and how to answer them without a terminal."""
    lines = []
    for number, question in enumerate(review.questions, start=1):
        lines += [f"{number}. {next(question_lines(question))}"]
        lines += [*question_lines(question)][1:]
        lines += [f"  answer with: --answer {question.workload_id}=24h", ""]
    if review.questions:
        count = f"{len(review.questions):,} question{'s'[: len(review.questions) != 1]}"
        lines.append(
            f"{count}. Answer on a terminal, or with: llm-audit review --answer WORKLOAD=ANSWER "
            f"--by NAME (ANSWER: {_CHOICES}). Answers go to {printable(review.file)}."
        )
    else:
        lines.append("nothing to ask: no gray workload is without an answer")
    lines += answered_lines(review)
    return "\n".join(lines)


def answered_lines(review: Review) -> list[str]:
    """The workloads that stay gray although their owner has answered."""
    return [
        f"not asked again: {printable(a.caller, 80)} ({a.workload_id}) is gray, and "
        f"{printable(a.answer, 300)}"
        for a in review.answered
    ]


def _evidence_lines(evidence: Evidence) -> Iterator[str]:
    yield f"  {evidence.criterion:<13}{evidence.verdict}"
    for mark, sentences in (
        ("+", evidence.supports),
        ("-", evidence.contradicts),
        ("?", evidence.notes),
    ):
        for sentence in sentences:
            yield f"    {mark} {printable(sentence, 300)}"


def _usd(amount: Decimal) -> str:
    """Dollars and cents; below a cent as many digits as it takes to see something."""
    if not amount or amount >= Decimal("0.01"):
        return f"${amount:,.2f}"
    return f"${amount:.2g}" if amount >= Decimal("0.0001") else "less than $0.0001"
