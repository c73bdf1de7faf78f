"""The result as a comment for a pull request, in the Markdown of GitHub.

Text of a log is shown in code spans only: there GitHub makes no mention, link, image, markup or
formula of it. The first line is a hidden marker, by which a later run finds its comment again.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report import measured, wording
from llm_audit.report.actions import FORMULA
from llm_audit.report.figures import count, money, over, percent, plural, share
from llm_audit.report.headline import plain
from llm_audit.report.summary import change_of, lines_of, since, summary
from llm_audit.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llm_audit.report.result import Result, Workload
    from llm_audit.report.summary import Step, Summary

MARKER = "<!-- llm-audit -->"

LONGEST = 65_000
"""UTF-16 units, as browsers count. GitHub refuses a comment above 65,536."""

LONGEST_NAME = 60
MOST_CHANGES = 10

_LOOK_ALIKES = str.maketrans({"`": "\u02cb", "|": "\u00a6", "$": "\uff04"})
"""What could end a code span, a table cell, or begin a formula around a code span."""

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>|~#$&!]")
_MENTION = str.maketrans({"@": "\uff20"})


def to_markdown(result: Result) -> str:
    """The comment, ending in a newline, at most `LONGEST` long; it says what it leaves out."""
    top = summary(result)
    before = [MARKER, *_bottom_line(top), *_steps(top), *_migration(result)]
    after = [*_baseline(result), *_footer(result)]
    room = LONGEST - _length("\n".join([*before, "", *after])) - 1
    return "\n".join([*before, *_workloads(result, room), *after]) + "\n"


def code(text: str) -> str:
    """Text of a log as a code span that also fits a table cell."""
    return f"`{printable(text, LONGEST_NAME).translate(_LOOK_ALIKES) or '?'}`"


def prose(text: str) -> str:
    """A sentence of ours, in which a name of a log may stand. Amounts ($5) and `code` stay."""
    return "".join(
        _escaped(part) for part in re.split(r"(`llm-audit [^`]*`)", printable(text, 2000))
    )


def _escaped(part: str) -> str:
    if part.startswith("`llm-audit "):
        return part
    text = _SPECIAL.sub(_escaped_one, part).translate(_MENTION)
    # Bare addresses become links without any bracket.
    return re.sub(r"(?i)(://|\bwww\.)", lambda found: f"{found[0][:-1]} {found[0][-1]}", text)


def _escaped_one(found: re.Match[str]) -> str:
    amount = found[0] == "$" and found.string[found.end() : found.end() + 1].isdigit()
    return found[0] if amount else f"\\{found[0]}"


def _bottom_line(top: Summary) -> Iterator[str]:
    yield f"## {prose(top.sentence)}"
    yield from ("", prose(top.detail))
    for title, text in top.banners:
        yield from ("", f"> **{prose(title)}.** {prose(text)}")
    for sentence in top.reconciled:
        yield from ("", prose(sentence))
    if top.tiles:
        yield from ("", _row([tile.name for tile in top.tiles]), _rule("rrrr"))
        yield _row([f"**{prose(tile.amount)}**" for tile in top.tiles])
        yield _row([prose(tile.note) for tile in top.tiles])
        yield from ("", f"<sub>{prose('; '.join([_sentence_case(top.basis), *top.facts]))}.</sub>")


def _steps(top: Summary) -> Iterator[str]:
    if not top.steps:
        return
    yield from ("", "### What to do first", "")
    yield _row(["", "What", "Saving", "Effort", "Risk if late", "Confidence", "Run"])
    yield _rule("rlrllll")
    for number, step in enumerate(top.steps, 1):
        yield _row([str(number), *_step(step)])
    more = f" {plural(top.more_steps, 'more action')} in the HTML report." if top.more_steps else ""
    yield from ("", f"<sub>Savings are {prose(top.basis)}; {prose(FORMULA)}.{more}")
    yield " ".join(prose(f"{way_back}.") for way_back in top.ways_back) + "</sub>"


def _step(step: Step) -> list[str]:
    return [
        f"{step.what}: {_name(step.caller)}",
        f"**{prose(step.saving)}** ({prose(step.share)})",
        step.effort,
        step.risk,
        step.confidence,
        code(step.command),
    ]


def _migration(result: Result) -> Iterator[str]:
    """What a migration has measured against what was claimed; nothing where none was verified."""
    if result.migration is None:
        return
    yield from ("", f"### {measured.TITLE}", "")
    for sentence in measured.sentences(result):
        yield f"- {prose(plain(sentence))}"
    limits = " ".join(prose(plain(sentence)) for sentence in measured.unproven(result))
    yield from (
        "",
        f"<sub>{prose(measured.basis(result.migration))} What this does not prove: {limits}</sub>",
    )


def _workloads(result: Result, room: int) -> Iterator[str]:
    """The table, folded, as many rows as `room` has characters for."""
    if not result.workloads:
        return
    head = [
        "",
        f"<details><summary>{plural(len(result.workloads), 'workload')}</summary>",
        "",
        _row(["Workload", "Model", "Label", "Advice", "Calls", "Spend", "Saving"]),
        _rule("llllrrr"),
    ]
    # The note is longest where rows are left out.
    room -= _length("\n".join([*head, *_note(result, 0)])) + 1
    rows: list[str] = []
    for workload in result.workloads:
        row = _row(_cells(workload))
        room -= _length(row) + 1
        if room < 0:
            break
        rows.append(row)
    yield from (*head, *rows, *_note(result, len(rows)))


def _note(result: Result, shown: int) -> list[str]:
    note = f"Spend and conservative saving as observed {over(result.period.days)}."
    left = len(result.workloads) - shown
    if left:
        cost = sum((w.effective_cost or Decimal(0) for w in result.workloads[shown:]), Decimal(0))
        part = percent(share(cost, result.totals.effective_cost))
        note += (
            f" Left out for length: {plural(left, 'workload')} with {part} of the spend;"
            " the HTML and JSON reports have them."
        )
    return ["", note, "", "</details>"]


def _cells(workload: Workload) -> list[str]:
    shape, label = wording.LABELS.get(workload.label, ("", ""))
    claim = workload.claims and workload.effective_cost is not None
    return [
        _name(workload.caller),
        code(workload.model) if workload.model else "(no model)",
        f"{shape} {label}" if label else code(workload.label),
        prose(wording.advice(workload.advice)),
        count(workload.calls),
        money(workload.effective_cost),
        money(workload.saving_conservative) if claim else "-",
    ]


def _name(caller: str | None) -> str:
    return code(caller) if caller else "(no caller)"


def _baseline(result: Result) -> Iterator[str]:
    if result.baseline is None:
        return
    yield from ("", prose(since(result.baseline)))
    changes = result.baseline.workloads
    if changes:
        yield ""
    for change in changes[:MOST_CHANGES]:
        yield f"- {_name(change.caller)}: {prose(change_of(change))}"
    if len(changes) > MOST_CHANGES:
        yield f"- {plural(len(changes) - MOST_CHANGES, 'more workload')} changed"


def _footer(result: Result) -> list[str]:
    unpriced = f"{count(result.totals.unpriced_calls)} unpriced."
    card = f"Price card {code(result.pricing.version)} as of {result.pricing.as_of.isoformat()}."
    return ["", f"<sub>{prose(lines_of(result.data_quality))} {unpriced} {card}</sub>"]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(sides: str) -> str:
    return _row(["--:" if side == "r" else "---" for side in sides])


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
