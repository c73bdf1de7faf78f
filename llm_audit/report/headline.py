"""The bottom line: the one sentence, its tiles and its warnings, for every output alike."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report.figures import Figure, figure, over, percent, plural, share
from llm_audit.report.notices import Banner, Sentence, banners, reconciled, successors, unpriced
from llm_audit.report.questions import answered, is_asked, needs_label, said

if TYPE_CHECKING:
    from llm_audit.report.result import Result, Saving, Workload


@dataclass(frozen=True)
class Tile:
    """One figure with its name and a note; `link` is the section of the page that makes it.

    `strong` marks the saving itself.
    """

    name: str
    figure: Figure
    note: Sentence
    link: str
    strong: bool = False


@dataclass(frozen=True)
class Headline:
    """What the first screen says. `basis` names the time that every figure in it refers to."""

    sentence: Sentence
    detail: Sentence
    basis: str
    key: str
    saving: Saving
    confidence: float | None
    """Of the labels that the saving stands on, weighted by it; None where none is known."""
    tiles: tuple[Tile, ...]
    """None where no call has a price: unknown is not $0."""
    banners: tuple[Banner, ...]
    reconciled: tuple[Sentence, ...]
    """One for every provider whose own export was held against these figures; often none."""


def headline(result: Result) -> Headline:
    """A month where the result is projected, else the days of the log."""
    if result.savings.monthly is not None:
        key, saving = "savings.monthly", result.savings.monthly
        basis = f"a month, projected from {plural(result.period.days, 'day')}"
    else:
        key, saving = "savings.observed", result.savings.observed
        basis = f"observed {over(result.period.days)}"
    return Headline(
        sentence=_sentence(result, key, saving),
        detail=_detail(result, key, saving),
        basis=basis,
        key=key,
        saving=saving,
        confidence=_confidence(result),
        tiles=() if _nothing_priced(result) else _tiles(result, key, saving),
        banners=tuple(banners(result)),
        reconciled=tuple(reconciled(result)),
    )


def plain(sentence: Sentence) -> str:
    """The sentence as text."""
    return "".join(part if isinstance(part, str) else part.spoken for part in sentence)


def _sentence(result: Result, key: str, saving: Saving) -> Sentence:
    if result.period.calls == 0:
        return (_no_calls(result),)
    if _nothing_priced(result):
        return ("Nothing in this log has a known price, so no saving can be told.",)
    if saving.conservative <= 0:
        return ("Nothing in this log is worth moving to a batch API today.",)
    if _all_past(result, key):
        moving = plural(len(_worth_it(result, key, "batch_eligible")), "workload")
        return (f"Nothing is left to save: what paid to move ({moving}) ran on retired models.",)
    amounts = _low_to_high(result, key)
    workloads = plural(len(_worth_it(result, key, "batch_eligible")), "workload")
    if key == "savings.monthly":
        return (f"Move {workloads} to the batch API and save ", *amounts, " a month.")
    return (
        f"Moving {workloads} to the batch API would have saved ",
        *amounts,
        f" {_when(result.period.days)}.",
    )


def _no_calls(result: Result) -> str:
    lines = result.data_quality.lines
    if lines == 0:
        return "There are no calls to audit yet."
    return f"There is no call to audit in the {plural(lines, 'line')} of this log."


def past_saving(result: Result) -> Decimal:
    """What the observed headline holds of retired models (USD): it can be saved no more."""
    return sum(
        (w.saving_conservative for w in result.workloads if w.worth_it and _is_past(w)), Decimal(0)
    )


def _is_past(workload: Workload) -> bool:
    return workload.label == "batch_eligible" and workload.advice == "retired_model"


def _all_past(result: Result, key: str) -> bool:
    """Whether the observed saving is of retired models alone; a month counts none of them."""
    moving = [w for w in result.workloads if w.worth_it and w.label == "batch_eligible"]
    return key == "savings.observed" and bool(moving) and all(map(_is_past, moving))


def _low_to_high(result: Result, key: str) -> Sentence:
    """'$810', or '$151 to $226' where the scenarios differ."""
    low, high = figure(result, f"{key}.conservative"), figure(result, f"{key}.best")
    return (low,) if low.text == high.text else (low, " to ", high)


def _confidence(result: Result) -> float | None:
    moving = [
        (w.confidence, float(w.saving_conservative))
        for w in result.workloads
        if w.label == "batch_eligible" and w.worth_it and w.confidence is not None
    ]
    whole = sum(saving for _, saving in moving)
    return sum(known * saving for known, saving in moving) / whole if whole else None


def _nothing_priced(result: Result) -> bool:
    """Unknown is not $0: without one price there is neither a bill nor a saving."""
    return result.totals.unpriced_calls > 0 and result.totals.priced_calls == 0


def _when(days: int) -> str:
    if days == 0:
        return "in the calls of this log"
    return "on this one day" if days == 1 else f"over these {days:,} days"


def _detail(result: Result, key: str, saving: Saving) -> Sentence:
    if result.period.calls == 0:
        if result.data_quality.lines:
            return (
                '`llm-audit sql "SELECT source_file, line_number, reason FROM rejects"` '
                "says why for each line that could not be read.",
            )
        return ("Read a log with `llm-audit ingest PATH`, then make the report again.",)
    if _nothing_priced(result):
        return ("The data quality section says why, model by model.",)
    if saving.conservative <= 0:
        return _nothing_to_move(result, key, saving)
    if _all_past(result, key):
        return _missed(result, key)
    name = "the priced bill" if unpriced(result) else "a bill"
    low, high = (
        percent(share(amount, saving.effective_cost))
        for amount in (saving.conservative, saving.best)
    )
    bill: Sentence = (
        f"That is {low if low == high else f'{low} to {high}'} of {name} of ",
        figure(result, f"{key}.effective_cost"),
        ", which becomes ",
        figure(result, f"{key}.effective_cost_after"),
        "." if low == high else " or less.",
    )
    return bill + _past_part(result, key) + _range(result, key, saving) + _year(result)


def _missed(result: Result, key: str) -> Sentence:
    """The amounts of a saving that lies in the past."""
    return (
        "A batch would have saved ",
        *_low_to_high(result, key),
        " of ",
        figure(result, f"{key}.effective_cost"),
        f" {_when(result.period.days)}.",
        *((f" Look at {successors(result)} instead.",) if successors(result) else ()),
    )


def _past_part(result: Result, key: str) -> Sentence:
    past = past_saving(result)
    if key != "savings.observed" or not past:
        return ()
    part = percent(share(past, result.savings.observed.conservative))
    return (f" {part} of the saving was on retired models and is open no more.",)


def _nothing_to_move(result: Result, key: str, saving: Saving) -> Sentence:
    detail: Sentence = (
        "The workload table says why for each one. Spend is ",
        figure(result, f"{key}.effective_cost"),
        ".",
    )
    if saving.gray_area > 0:
        gray = figure(result, f"{key}.gray_area")
        asked, rest = _gray(result, key)
        hope = f"if its owners say that it can wait{_and_at_once(asked)}"
        others = f" ({'; '.join(rest)})" if rest else ""
        hope = f" {hope if asked else 'and is not counted'}{others}."
        detail += (" The gray area would save ", gray, hope)
    if result.savings.observed.conservative > 0:
        missed = figure(result, "savings.observed.conservative")
        detail += (" On the days of the log, at their prices, ", missed, " could have been saved.")
    return detail


def _range(result: Result, key: str, saving: Saving) -> Sentence:
    if saving.best == saving.conservative:
        return (" No cache discount is at stake, so there is no range.",)
    return (
        " The low end takes every cache hit as lost in the batch, the high end keeps them all; ",
        figure(result, f"{key}.expected"),
        " is expected.",
    )


def _year(result: Result) -> Sentence:
    if result.savings.annual is None:
        return ()
    return (" Over a year: ", *_low_to_high(result, "savings.annual"), ".")


def _worth_it(result: Result, key: str, label: str) -> list[Workload]:
    """The workloads of a label that save; on a retired model they did, but will not."""
    found = [w for w in result.workloads if w.label == label and w.worth_it]
    if key == "savings.monthly":
        found = [w for w in found if w.projected_saving_conservative > 0]
    return found


def _gray(result: Result, key: str) -> tuple[list[Workload], list[str]]:
    """The gray workloads with an open question, and what is to say of the others."""
    gray = _worth_it(result, key, "gray_area")
    asked = [w for w in gray if is_asked(w)]
    spoken = Counter(answered(w) for w in gray if said(w))
    return asked, [f"{plural(number, 'workload')}: {words}" for words, number in spoken.items()]


def _and_at_once(asked: list[Workload]) -> str:
    """What else their owners have to say, where time alone will not do."""
    return " and be sent all at once" if any(map(needs_label, asked)) else ""


def _gray_note(result: Result, key: str) -> str:
    asked, rest = _gray(result, key)
    if asked:
        can = f"can wait{_and_at_once(asked)}"
        rest = [f"if {plural(len(asked), 'workload')} {can}: ask the owners", *rest]
    return "; ".join(rest) or "no question is open"


def _tiles(result: Result, key: str, saving: Saving) -> tuple[Tile, ...]:
    moving = len(_worth_it(result, key, "batch_eligible"))
    eligible = percent(share(saving.eligible_cost, saving.effective_cost))
    saved = percent(share(saving.conservative, saving.eligible_cost))
    return (
        Tile("Spend now", figure(result, f"{key}.effective_cost"), (_batched(result),), "money"),
        Tile(
            "Worth moving",
            figure(result, f"{key}.eligible_cost"),
            (f"{eligible} of spend, {plural(moving, 'workload')}",),
            "actions",
        ),
        Tile(
            "Saving, at least",
            figure(result, f"{key}.conservative"),
            _moved(result, key, saved) if moving else ("nothing to move",),
            "sensitivity",
            strong=True,
        ),
        Tile(
            "Gray area, not counted",
            figure(result, f"{key}.gray_area"),
            (_gray_note(result, key),),
            "gray-area",
        ),
    )


def _moved(result: Result, key: str, saved: str) -> Sentence:
    if _all_past(result, key):
        return ("in the past: retired models",)
    return (f"{saved} of what moves", *_at_most(result, key))


def _at_most(result: Result, key: str) -> Sentence:
    low_to_high = _low_to_high(result, key)
    return (", at most ", low_to_high[-1]) if len(low_to_high) > 1 else ()


def _batched(result: Result) -> str:
    if _nothing_priced(result):
        return "no call has a known price"
    already = share(result.totals.already_batch_cost, result.totals.effective_cost)
    return f"{percent(already)} of it is batched already"
