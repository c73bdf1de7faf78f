"""The bottom line and the first actions as plain words: what every output without a page says.

The terminal table and the Markdown comment show the same sentences; only their layout differs.
Text of a log stands in fields of its own (`Step.caller`), so that each output can make it safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_audit.report import wording
from llm_audit.report.actions import actions
from llm_audit.report.figures import count, money, percent, plural
from llm_audit.report.headline import headline, plain

if TYPE_CHECKING:
    from decimal import Decimal

    from llm_audit.report.actions import Action
    from llm_audit.report.result import Baseline, DataQuality, Result, WorkloadChange

KINDS = {
    "batch": "Move to the batch API",
    "flex": "Switch to the flex tier",
    "ask": "Ask the owner",
}
"""What an action does, as the page heads it."""

_UNDO = {"batch": "Back from batch", "flex": "Back from flex", "ask": "Back from an answer"}


@dataclass(frozen=True)
class Tile:
    """One of the four figures of the first screen."""

    name: str
    amount: str
    note: str


@dataclass(frozen=True)
class Step:
    """One action. `caller` and `command` hold text of the log."""

    what: str
    caller: str | None
    saving: str
    share: str
    effort: str
    risk: str
    confidence: str
    command: str


@dataclass(frozen=True)
class Summary:
    """The first screen. `basis` is the time that every amount in it refers to.

    more_steps: actions that are worth doing, too, but are not among `steps`. ways_back: how each
    kind of step is undone.
    """

    sentence: str
    detail: str
    basis: str
    banners: tuple[tuple[str, str], ...]
    reconciled: tuple[str, ...]
    tiles: tuple[Tile, ...]
    facts: tuple[str, ...]
    steps: tuple[Step, ...]
    more_steps: int
    ways_back: tuple[str, ...]


def summary(result: Result) -> Summary:
    """The first screen of the page, as text."""
    top = headline(result)
    first = actions(result)
    facts = _look_back(result)
    if top.saving.conservative > 0:
        facts.append(f"confidence {wording.confidence(top.confidence)}")
    return Summary(
        sentence=plain(top.sentence),
        detail=plain(top.detail),
        basis=top.basis,
        banners=tuple((banner.title, plain(banner.text)) for banner in top.banners),
        reconciled=tuple(plain(sentence) for sentence in top.reconciled),
        tiles=tuple(Tile(t.name, t.figure.spoken, plain(t.note)) for t in top.tiles)
        if result.period.calls
        else (),
        facts=tuple(facts),
        steps=tuple(map(_step, first)),
        more_steps=len(actions(result, None)) - len(first),
        ways_back=tuple(dict.fromkeys(f"{_UNDO[a.kind]}: {a.rollback}" for a in first)),
    )


def _look_back(result: Result) -> list[str]:
    start, end = result.period.start, result.period.end
    if start is None or end is None:
        return []
    first, last = f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}"
    return [f"{first if first == last else f'{first} to {last}'} UTC"]


def _step(action: Action) -> Step:
    low, high = action.low, action.high
    return Step(
        what=KINDS[action.kind],
        caller=action.workload.caller,
        saving=low.spoken if low.text == high.text else f"{low.spoken} to {high.spoken}",
        share=_share(action),
        effort=action.effort.name,
        risk=action.risk.name,
        confidence=wording.confidence(action.confidence),
        command=action.command,
    )


def _share(action: Action) -> str:
    if action.share is None:
        return "not counted above"
    part = percent(action.share)
    return f"{part} of the saving" if action.counted else f"+{part} on top, not counted"


def lines_of(quality: DataQuality) -> str:
    """Where every line of the log went."""
    return (
        f"{plural(quality.lines, 'line')} {'=' if quality.closes else 'is not'} "
        f"{plural(quality.calls, 'call')} + {plural(quality.rejects, 'reject')} "
        f"+ {plural(quality.duplicates, 'duplicate')} + {count(quality.not_calls)} not calls."
    )


def since(baseline: Baseline) -> str:
    """The sums of the earlier report and of this one."""
    basis = "a month, projected" if baseline.basis == "monthly" else "a day, observed"
    parts = (
        ("spend", baseline.effective_cost_before, baseline.effective_cost_now),
        ("batched already", baseline.already_batch_cost_before, baseline.already_batch_cost_now),
        ("saving still open", baseline.saving_before, baseline.saving_now),
    )
    changes = "; ".join(f"{name} {_then_now(*amounts)}" for name, *amounts in parts)
    return f"Since the report of {baseline.generated_at:%Y-%m-%d} ({basis}): {changes}."


def _then_now(before: Decimal, now: Decimal) -> str:
    if before == now:
        return f"is {money(now)}, as before"
    return (
        f"was {money(before)}, is {money(now)} ({'+' if now > before else ''}{money(now - before)})"
    )


def change_of(change: WorkloadChange) -> str:
    """What became of one workload, without its name: it is text of the log. USD a day, observed."""
    if change.change == "label":
        before, now = (_label(label) for label in (change.label_before, change.label_now))
        return f"was {before}, is {now}"
    if change.change == "new":
        return (
            f"new, {_label(change.label_now)}: {_could_save(change.label_now, change.saving_now)}"
        )
    if change.change == "gone":
        missed = _could_save(change.label_before, change.saving_before, "could have saved")
        return f"gone ({missed})"
    gray = "gray area, " if change.label_now == "gray_area" else ""
    before, now = money(change.saving_before), money(change.saving_now)
    return f"{gray}saving was {before}, is {now} a day, observed"


def _could_save(label: str | None, saving: Decimal | None, verb: str = "could save") -> str:
    if label == "realtime":
        return "nothing to save"
    amount = f"{verb} {money(saving)} a day, observed"
    return f"{amount}, if its owner agrees" if label == "gray_area" else amount


def _label(label: str | None) -> str:
    """A label in words. One that is not ours is text of whoever wrote the JSON: not repeated."""
    return wording.LABELS[label][1].lower() if label in wording.LABELS else "without a label"
