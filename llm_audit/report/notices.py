"""What the first screen says beside the bottom line: warnings, and checks against exports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_audit.report import wording
from llm_audit.report.figures import Figure, Lasting, figure, percent, plural, share

if TYPE_CHECKING:
    from llm_audit.report.result import ReconciledTokens, ReconciledUsd, Result

Sentence = tuple[str | Figure | Lasting, ...]
"""Text with figures in it, so that an output can mark each figure with its key."""

LOUD_SHARE = 0.01
"""Above this share, what could not be read or priced is said in the first screen."""

MOST_SUCCESSORS = 4
"""More models than these to look at are in the notes of the workloads."""


@dataclass(frozen=True)
class Banner:
    """A warning a reader must see before the figures; `link` is a section id of the page."""

    title: str
    text: Sentence
    link: str


def reconciled(result: Result) -> list[Sentence]:
    """A sentence per provider: in dollars where its export has amounts, else in tokens."""
    found = result.data_quality.reconciliation
    if found is None:
        return []
    billed = {row.provider_name for row in found.usd}
    return [
        *(_within(result, "usd", place, row) for place, row in enumerate(found.usd)),
        *(
            _within(result, "tokens", place, row)
            for place, row in enumerate(found.tokens)
            if row.provider_name not in billed
        ),
    ]


def _within(
    result: Result, basis: str, place: int, row: ReconciledUsd | ReconciledTokens
) -> Sentence:
    unit = "" if basis == "usd" else " tokens"
    key = f"data_quality.reconciliation.{basis}.{place}"
    name = f"{wording.provider(row.provider_name)}'s export"
    elsewhere = row.outside_period + row.model_not_in_log + row.key_not_in_log
    covered = row.theirs - elsewhere
    if covered <= 0:
        return (f"Not reconciled with {name}: nothing in it is of this log's days and models.",)
    on = (
        f" on {row.log_days_compared:,} of the log's {plural(row.log_days, 'day')}"
        if row.log_days_compared < row.log_days
        else ""
    )
    total = (f"Reconciled with {name}: our total of ", figure(result, f"{key}.ours"), unit + on)
    theirs: Sentence = (" of their ", figure(result, f"{key}.theirs"), unit, " unexplained")
    within: Sentence = (" leaves nothing",)
    if row.unexplained_size:
        unexplained = figure(result, f"{key}.unexplained_size")
        off = share(row.unexplained_size, covered)
        within = (f" is within {percent(off)}, ", unexplained, unit)
        if off > 1:
            within = (" leaves ", unexplained, unit)
            theirs = (" unexplained against their ", figure(result, f"{key}.theirs"), unit)
    return (*total, *within, *theirs, *_not_checked(row, share(elsewhere, row.theirs)))


def _not_checked(row: ReconciledUsd | ReconciledTokens, away: float) -> Sentence:
    """What is explained, or missing, but no check of our figures: no one must take it for one."""
    parts = []
    if away > LOUD_SHARE:
        parts.append(f"; {percent(away)} of theirs is not in this log")
    if row.lines_rejected:
        parts.append(f"; {plural(row.lines_rejected, 'line')} of the export could not be read")
    if row.pages_missing:
        parts.append("; pages of the export are missing")
    return ("".join(parts) + ".",)


def banners(result: Result) -> list[Banner]:
    """The warnings of this result, in the order in which a reader needs them."""
    return [
        banner
        for banner in (
            _short_log(result),
            unpriced(result),
            _rejected(result),
            _retired(result),
            _open_count(result),
        )
        if banner
    ]


def _short_log(result: Result) -> Banner | None:
    """Also when the projection was forced: the figures then stand on little."""
    if result.period.calls == 0 or result.projection.reason.startswith("Projected from"):
        return None
    title = "Short log, projected on request" if result.projection.shown else "Not projected"
    return Banner(title, (result.projection.reason,), "method")


def unpriced(result: Result) -> Banner | None:
    """How much no amount includes; None where that is less than `LOUD_SHARE`."""
    totals = result.totals
    calls = share(totals.unpriced_calls, result.period.calls)
    tokens = share(totals.unpriced_tokens, totals.billed_tokens)
    if max(calls, tokens) <= LOUD_SHARE:
        return None
    text: Sentence = (
        f"{percent(calls)} of the calls (",
        figure(result, "totals.unpriced_calls"),
        f") and {percent(tokens)} of the tokens (",
        figure(result, "totals.unpriced_tokens"),
        ") have no known price. No amount here includes them.",
    )
    return Banner("Unpriced calls", text, "data-quality")


def _rejected(result: Result) -> Banner | None:
    quality = result.data_quality
    part = share(quality.rejects, quality.lines)
    if part <= LOUD_SHARE:
        return None
    text: Sentence = (
        f"{percent(part)} of the log lines (",
        figure(result, "data_quality.rejects"),
        ") could not be read. No figure here includes them.",
    )
    return Banner("Unread lines", text, "data-quality")


def _retired(result: Result) -> Banner | None:
    retired = [w for w in result.workloads if w.advice == "retired_model"]
    if not retired:
        return None
    text = (
        f"{plural(len(retired), 'workload')} in this log ran on a model that its vendor has "
        "retired: nothing is left to save there. "
    )
    text += f"Look at {successors(result)} instead." if successors(result) else ""
    return Banner("Retired models", (text.rstrip(),), "workloads")


_LOOK_AT = re.compile(r"look at the batch rates of ([\w./:; -]{1,200})\.$", re.ASCII)
"""The end of a retired model's note (sql/68_savings.sql): names of the price card."""


def successors(result: Result) -> str:
    """The models to look at instead of the retired ones, 'a, b or c'; '' where none is known."""
    notes = (w.note for w in result.workloads if w.advice == "retired_model")
    found = [match[1].split("; ") for note in notes if (match := _LOOK_AT.search(note))]
    names = list(dict.fromkeys(name for group in found for name in group))
    if len(names) > MOST_SUCCESSORS:
        names = [*names[: MOST_SUCCESSORS - 1], "others named in the notes"]
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _open_count(result: Result) -> Banner | None:
    if result.data_quality.closes:
        return None
    text = "Lines read and lines accounted for differ: do not rely on these figures."
    return Banner("Counts do not close", (text,), "data-quality")
