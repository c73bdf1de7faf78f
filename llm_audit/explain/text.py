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
from llm_audit.explain.text_changes import change_lines, gap_lines
from llm_audit.explain.text_money import card_lines, money_sentence, name_lines, scenario_lines
from llm_audit.explain.text_verdict import (
    criteria_lines,
    label_name,
    owner_lines,
    scale_lines,
    verdict_lines,
    why_lines,
)
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.explain.result import (
        Attempt,
        Call,
        Explanation,
        Fact,
        Part,
        Sample,
        Who,
        Workload,
    )
    from llm_audit.explain.target import Candidate

MOST_ATTEMPTS = 5


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
    heads = ("workload_id", "caller", "operation", "model", "template", "label", "calls")
    cells = [
        [
            c.workload_id,
            printable(c.caller, 30),
            printable(c.operation_name, 16),
            printable(c.model, 26),
            printable(c.template_hash or "-", 8),
            c.label,
            f"{c.calls:,}",
        ]
        for c in candidates[:30]
    ]
    more = len(candidates) - len(cells)
    lines = grid(heads, cells, right=(6,), indent="")
    return "\n".join([*lines, *([f"and {more:,} more"] if more else [])])


# --- a workload -----------------------------------------------------------------------------------


def _workload(
    explanation: Explanation, workload: Workload, width: int, folder: Path | None
) -> list[str]:
    who = explanation.who
    lines = [*_who(who, width), *owner_lines(explanation.owner, width)]
    several = len(workload.parts) > 1
    for part in workload.parts:
        lines += ["", *verdict_lines(part.judgement, width, _share(part, who) if several else "")]
        if part.money:
            lines += wrapped(money_sentence(part.money), width)
    for part in workload.parts:
        title = "WHY" + (f" {label_name(part.label).upper()}" if several else "")
        lines += ["", title, *why_lines(explanation, part, width)]
        lines += change_lines(part.judgement, who.workload_id, explanation.owner, width)
    lines += gap_lines(workload.gaps, width)
    lines += ["", *_samples(workload.samples, workload.parts, width, folder)]
    lines += ["", "MONEY", *name_lines(workload.names, width)]
    for part in workload.parts:
        if several:
            lines += ["", f"  {label_name(part.label)}:"]
        lines += card_lines(part.cards, width)
        scenarios = scenario_lines(part.money, part.cards, width) if part.money else []
        if scenarios and part.money and part.money.advice != "already_batch":
            lines += ["", *scenarios]
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
        label = label_name(sample.label)
        own = "" if sample.case_no in largest else " (not of the case above)"
        lines.append(f"  {printable(sample.call_id, 400)}")
        lines.append(f"      {_place(sample.source_file, sample.source_line, folder)}")
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
    lines = [f"Call {printable(call.call_id, 400)}"]
    lines.append(
        f"  {_place(call.source_file, call.source_line, folder)} "
        f"({printable(call.source_format or 'unknown format')})"
    )
    lines += wrapped(
        f"one of {count(who.calls, 'call')} of {printable(who.caller, 80)} "
        f"with {printable(who.model, 80)}: llm-audit explain {who.workload_id}",
        width, first="  ",
    )  # fmt: skip
    lines += owner_lines(explanation.owner, width)
    lines += ["", *verdict_lines(judgement, width)]
    if judgement.case_calls > 1:
        lines += wrapped(
            f"{judgement.case_calls - 1:,} more of the workload's calls are just like it "
            "and have the same label.",
            width,
        )
    lines += ["", "WHY", *scale_lines(explanation.thresholds, width)]
    lines += criteria_lines(judgement, width, None)
    lines += change_lines(judgement, who.workload_id, explanation.owner, width)
    lines += gap_lines(call.gaps, width)
    lines += [
        "",
        "THE ROW, as llm-audit read it (empty columns left out)",
        *_facts(call.row, width),
    ]
    lines += _attempts(call.attempts, folder)
    lines += ["", "MONEY", *name_lines((call.name,), width), *card_lines((call.card,), width)]
    return [*lines, *_call_costs(call, width)]


def _attempts(attempts: Sequence[Attempt], folder: Path | None) -> list[str]:
    if not attempts:
        return []
    times = "once more" if len(attempts) == 1 else f"{len(attempts):,} times more"
    lines = ["", f"SENT {times.upper()}: other attempts of the same request"]
    for attempt in attempts[:MOST_ATTEMPTS]:
        status = attempt.status or "unknown"
        if attempt.http_status is not None:
            status += f" ({attempt.http_status})"
        lines.append(f"  {printable(attempt.call_id, 400)}")
        lines.append(
            f"      {_place(attempt.source_file, attempt.source_line, folder)}"
            f"  {_second(attempt.started_at)}  {printable(status)}"
        )
    if len(attempts) > MOST_ATTEMPTS:
        lines.append(f"  and {len(attempts) - MOST_ATTEMPTS:,} more: --format json")
    return lines


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
        lines += scenario_lines(costs, (call.card,), width)
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
    name = printable(name, 2000)
    return name if line is None else f"{name}:{line}"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _second(at: datetime | None) -> str:
    return "unknown time" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
