"""An explanation as plain text, for an owner who has never seen this tool.

Nothing but printable characters is written, whatever the log held; prose stays within the width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.explain.layout import (
    NARROWEST,
    WIDEST,
    count,
    exact,
    grid,
    percent,
    usd,
    wrapped,
)
from llm_audit.explain.text_money import card_lines, money_sentence, name_lines, scenario_lines
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.explain.result import (
        Call,
        Change,
        Criterion,
        Explanation,
        Fact,
        Gap,
        Judgement,
        Part,
        Reason,
        Sample,
        Who,
        Workload,
    )
    from llm_audit.explain.target import Candidate

_LABELS = {
    "batch_eligible": "batch-eligible",
    "gray_area": "gray area",
    "realtime": "realtime",
}
_MEANINGS = {
    "batch_eligible": "nobody waits for the answers, so a batch would do.",
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
MOST_GAPS = 6


def text(explanation: Explanation, *, width: int = WIDEST, folder: Path | None = None) -> str:
    """The text, ending in a newline. folder: files below it are named from there."""
    width = max(NARROWEST, min(width, WIDEST))
    if explanation.workload is not None:
        lines = _workload(explanation, explanation.workload, width, folder)
    else:
        assert explanation.call is not None
        lines = _call(explanation, explanation.call, width, folder)
    lines += ["", *_footer(explanation, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def candidates_text(candidates: Sequence[Candidate]) -> str:
    """The workloads a name may mean, to choose from."""
    heads = ("workload_id", "caller", "operation", "model", "label", "calls")
    cells = [
        [
            c.workload_id,
            printable(c.caller, 30),
            printable(c.operation_name, 16),
            printable(c.model, 26),
            c.label,
            f"{c.calls:,}",
        ]
        for c in candidates[:30]
    ]
    more = len(candidates) - len(cells)
    lines = grid(heads, cells, right=(5,), indent="")
    return "\n".join([*lines, *([f"and {more:,} more"] if more else [])])


# --- a workload -----------------------------------------------------------------------------------


def _workload(
    explanation: Explanation, workload: Workload, width: int, folder: Path | None
) -> list[str]:
    who = explanation.who
    lines = _who(who, width)
    several = len(workload.parts) > 1
    for part in workload.parts:
        lines += ["", *_verdict(part.judgement, width, _share(part, who) if several else "")]
        if part.money:
            lines += wrapped(money_sentence(part.money), width)
    for part in workload.parts:
        title = "WHY" + (f" {_LABELS.get(part.label, part.label).upper()}" if several else "")
        lines += ["", title, *_why(explanation, part, width)]
        lines += _changes(part.judgement, who, width)
    lines += _gaps(workload.gaps, width)
    lines += ["", *_samples(workload.samples, workload.parts, width, folder)]
    lines += ["", "MONEY", *name_lines(workload.names, width)]
    for part in workload.parts:
        if several:
            lines += ["", f"  {_LABELS.get(part.label, part.label)}:"]
        lines += card_lines(part.cards, width)
        if part.money and part.money.advice != "already_batch":
            lines += ["", *scenario_lines(part.money, width)]
    return lines


def _who(who: Who, width: int) -> list[str]:
    lines = wrapped(
        f"{printable(who.caller, 80)}: {printable(who.operation_name, 40)} with "
        f"{printable(who.model, 80)} ({printable(who.provider_name, 40)})",
        width,
    )
    grain = " of one prompt template" if who.template_hash else ""
    lines += wrapped(
        f"Workload {who.workload_id}: {count(who.calls, 'call')}{grain}"
        + (
            f", {_minute(who.first_call_at)} to {_minute(who.last_call_at)} UTC, "
            f"on {count(who.active_days, 'day')}"
            if who.first_call_at and who.last_call_at
            else ", at unknown times"
        ),
        width,
    )
    return lines


def _share(part: Part, who: Who) -> str:
    return f", {part.calls:,} of {count(who.calls, 'call')} ({percent(part.share)})"


def _verdict(judgement: Judgement, width: int, share: str = "") -> list[str]:
    label = judgement.label
    lines = wrapped(
        f"{_LABELS.get(label, label).upper()}{share}: {_MEANINGS.get(label, '')} "
        f"Confidence: {_confidence(judgement.confidence)}.",
        width,
    )
    if judgement.override:
        lines += wrapped(f"llm-audit.toml: {judgement.override}", width)
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


def _why(explanation: Explanation, part: Part, width: int) -> list[str]:
    lines = _scale(explanation, width)
    if part.cases > 1:
        lines += wrapped(
            f"The {count(part.calls, 'call')} differ in details and form {part.cases:,} cases; "
            f"here is the largest, of {count(part.judgement.case_calls, 'call')}.",
            width, first="  ",
        )  # fmt: skip
    lines += _criteria(part.judgement, width, part.calls)
    if part.other_reasons:
        lines += ["", "  On other cases also:"]
        for reason in part.other_reasons:
            lines += _reason(reason, width, part.calls)
    return lines


def _scale(explanation: Explanation, width: int) -> list[str]:
    limits = explanation.thresholds
    return wrapped(
        "A batch fits where all three answers are yes; the label is the weakest. Points (log2 "
        f"odds) add up: from {limits.supported:g} supported, from {limits.hinted:g} hinted, "
        f"from {limits.contradicted:g} down contradicted.",
        width, first="  ",
    )  # fmt: skip


def _criteria(judgement: Judgement, width: int, calls: int | None) -> list[str]:
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


def _changes(judgement: Judgement, who: Who, width: int) -> list[str]:
    lines = ["", "WHAT WOULD CHANGE IT"]
    if judgement.override and not judgement.changes:
        return [*lines, *wrapped("The owner has decided; see llm-audit.toml.", width, first="  ")]
    for number, change in enumerate(judgement.changes, start=1):
        lines += _change(number, change, judgement, width)
    if not judgement.changes:
        nothing = (
            "Nothing that the log leaves out could turn this label, as far as the rules know."
            if judgement.label == "batch_eligible"
            else "No single fact that the log leaves out; what is seen speaks too clearly."
        )
        lines += wrapped(nothing, width, first="  ")
    if judgement.together:
        numbers = [
            str(place)
            for place, change in enumerate(judgement.changes, start=1)
            if change.code in judgement.together.codes
        ]
        label = _LABELS.get(judgement.together.label, judgement.together.label)
        lines += wrapped(f"{' and '.join(numbers)} together: {label}.", width, first="  ")
    if judgement.label != "batch_eligible":
        lines += wrapped("The owner's word beats the log. In llm-audit.toml:", width, first="  ")
        lines += [
            "    [[override]]",
            f'    workload = "{who.workload_id}"',
            '    tolerance = "24 h"       # how long a result may take; or label = "realtime"',
            '    because = "who reads the results, and when"',
            '    by = "who says so"',
        ]
    return lines


def _change(number: int, change: Change, judgement: Judgement, width: int) -> list[str]:
    label = _LABELS.get(change.label, change.label)
    stays = change.label == judgement.label
    first = change.action[:1].upper() + change.action[1:]
    return [
        *wrapped(f"{first}.", width, first=f"  {number}. "),
        *wrapped(
            f'Should it turn out so: "{change.evidence}", then {change.criterion} is '
            f"{change.verdict} and "
            f"{'the label stays' if stays else 'the label becomes'} {label} [{change.code}]",
            width,
            first="     ",
        ),
    ]


def _gaps(gaps: Sequence[Gap], width: int) -> list[str]:
    if not gaps:
        return []
    lines = ["", f"NOT IN THE LOG of these {count(gaps[0].calls, 'call')}"]
    for gap in gaps[:MOST_GAPS]:
        told = f" ({gap.calls_with:,} tell)" if gap.calls_with else ""
        lines += wrapped(f"{gap.missing}{told}: {gap.action}", width, first="  - ")
    if len(gaps) > MOST_GAPS:
        lines.append(f"    and {len(gaps) - MOST_GAPS:,} more: --format json")
    return lines


def _samples(
    samples: Iterable[Sample], parts: Sequence[Part], width: int, folder: Path | None
) -> list[str]:
    largest = {part.judgement.case_no for part in parts}
    lines = ["CALLS TO LOOK AT (llm-audit explain CALL_ID)"]
    for sample in samples:
        tokens = [
            f"{number:,} tokens {way}" if number is not None else f"unknown tokens {way}"
            for number, way in ((sample.input_tokens, "in"), (sample.output_tokens, "out"))
        ]
        took = "" if sample.duration_ms is None else f" for {sample.duration_ms / 1000:.1f} s"
        label = _LABELS.get(sample.label, sample.label)
        own = "" if sample.case_no in largest else " (a case of its own)"
        lines += wrapped(sample.call_id, width, first="  ")
        lines += wrapped(_place(sample.source_file, sample.source_line, folder), width,
                         first="      ")  # fmt: skip
        lines += wrapped(
            f"{_second(sample.started_at)}{took}, {', '.join(tokens)}, "
            f"{usd(sample.effective_cost)}: {label}{own}",
            width,
            first="      ",
        )
    return lines


# --- a call ---------------------------------------------------------------------------------------


def _call(explanation: Explanation, call: Call, width: int, folder: Path | None) -> list[str]:
    who = explanation.who
    judgement = call.judgement
    lines = wrapped(f"Call {call.call_id}", width)
    lines += wrapped(
        f"{_place(call.source_file, call.source_line, folder)} ({call.source_format})", width,
        first="  ",
    )  # fmt: skip
    lines += wrapped(
        f"one of {count(who.calls, 'call')} of {printable(who.caller, 80)} "
        f"with {printable(who.model, 80)}: llm-audit explain {who.workload_id}",
        width, first="  ",
    )  # fmt: skip
    lines += ["", *_verdict(judgement, width)]
    if judgement.case_calls > 1:
        lines += wrapped(
            f"{judgement.case_calls - 1:,} more of the workload's calls are just like it "
            "and have the same label.",
            width,
        )
    lines += ["", "WHY", *_scale(explanation, width), *_criteria(judgement, width, None)]
    lines += _changes(judgement, who, width)
    lines += [
        "",
        "THE ROW, as llm-audit read it (empty columns left out)",
        *_facts(call.row, width),
    ]
    lines += ["", "MONEY", *name_lines((call.name,), width), *card_lines((call.card,), width)]
    return [*lines, *_call_costs(call, width)]


def _facts(facts: Sequence[Fact], width: int) -> list[str]:
    widest = max((len(fact.column) for fact in facts), default=0)
    lines = []
    for fact in facts:
        value = printable(fact.value, 200)
        lines += wrapped(value or "(empty)", width, first=f"  {fact.column:<{widest}}  ")
    return lines


def _call_costs(call: Call, width: int) -> list[str]:
    costs = call.costs
    if costs.price_status != "priced":
        return []
    lines = ["", *wrapped(f"This call costs {exact(costs.effective_cost)} USD.", width, first="  ")]
    if costs.batch_status == "published":
        lines += scenario_lines(costs, width)
    return lines


# --- both -----------------------------------------------------------------------------------------


def _footer(explanation: Explanation, width: int) -> list[str]:
    return wrapped(
        f"llm-audit {explanation.tool_version}, price data {explanation.pricing_version}. "
        "Rules and their reasons: llm_audit/rules.toml. All figures: --format json.",
        width,
    )


def _place(file: str | None, line: int | None, folder: Path | None) -> str:
    """`logs/today.jsonl:12`, from `folder` where the file lies below it."""
    if file is None:
        return "unknown file"
    name = file
    if folder is not None and file.startswith(f"{folder}/"):
        name = file[len(f"{folder}/") :]
    return name if line is None else f"{name}:{line}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _second(at: datetime | None) -> str:
    return "unknown time" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
