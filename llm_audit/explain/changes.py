"""What would change a verdict: the same rules asked again, with one gap of the log filled.

For every rule that did not fire, the conditions are looked for that kept it from firing: a signal
the log is silent about, or a value that just misses. Such a signal is given the value the rule asks
for, and all rules judge the case anew in a database in memory: what is said to happen is what the
labels would be. Nothing here knows a single rule; new rules and signals take part by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_audit.explain import phrases
from llm_audit.explain.conditions import Condition, Way
from llm_audit.explain.fields import Coverage, Field, fields
from llm_audit.explain.laboratory import Laboratory, Outcome
from llm_audit.explain.result import Change, Together
from llm_audit.explain.rows import Row
from llm_audit.policy import Rule

if TYPE_CHECKING:
    import duckdb

MOST_CHANGES = 4
VERDICTS = ("contradicted", "unknown", "hinted", "supported")
LABELS = ("realtime", "gray_area", "batch_eligible")
"""From the weakest to the strongest."""

A_DAY_S = 86400.0
CLOSE = 0.02
"""How far off a share or a regularity, both 0 to 1, may be to just miss."""


@dataclass(frozen=True)
class _Idea:
    """A rule that would fire if `values` were so. condition: the same in words."""

    rule: Rule
    kind: str
    values: Mapping[str, Any]
    condition: str
    action: str
    place: int


@dataclass(frozen=True)
class _Result:
    idea: _Idea
    outcome: Outcome
    gain: tuple[int, int, float]
    """Steps of the label, steps of the criterion's verdict, points of its score; + is better."""


def changes(
    connection: duckdb.DuckDBPyConnection,
    laboratory: Laboratory,
    signals: Row,
    coverage: Coverage,
) -> tuple[tuple[Change, ...], Together | None]:
    """What would raise the label of a case, or lower that of one that is batch-eligible.

    Nothing where the owner gave a label, or where the calls are in a batch already.
    """
    if signals.get("override_label") or signals.get("service_tier") == "batch":
        return (), None
    [now] = laboratory.judge(connection, [signals])
    up = now.label != "batch_eligible"
    ideas = list(_ideas(laboratory, signals, coverage, now, up=up))
    outcomes = laboratory.judge(connection, [{**signals, **idea.values} for idea in ideas])
    results = _ranked(now, ideas, outcomes, up=up)
    found = tuple(_change(result) for result in results[:MOST_CHANGES])
    if not up:
        return found, None
    return found, _together(connection, laboratory, signals, now, results)


def label_with_a_day(
    connection: duckdb.DuckDBPyConnection, laboratory: Laboratory, signals: Row
) -> str:
    """The label if the owner allowed a day for a result."""
    [then] = laboratory.judge(connection, [{**signals, "declared_tolerance_s": A_DAY_S}])
    return then.label


def _ideas(
    laboratory: Laboratory, signals: Row, coverage: Coverage, now: Outcome, *, up: bool
) -> Iterator[_Idea]:
    """Every way of every silent rule whose open conditions could turn out true."""
    silent = coverage.missing()
    for number, rule in enumerate(laboratory.policy.rules):
        helps = rule.weight > 0 if up else rule.weight < 0
        weak = VERDICTS.index(now.verdicts[rule.criterion]) < (2 if up else 4)
        if rule.kind == "note" or rule.code in now.fired or not helps or not weak:
            continue
        for way in laboratory.ways[number]:
            idea = _idea(rule, way, signals, silent)
            if idea:
                yield idea


def _idea(rule: Rule, way: Way, signals: Row, silent: Sequence[Field]) -> _Idea | None:
    is_open = [condition for condition in way if not condition.holds(signals)]
    values: dict[str, Any] = {}
    unknown: list[Field | str] = []
    near: list[Condition] = []
    for condition in is_open:
        here = signals.get(condition.signal)
        field = _field_of(condition.signal, here, silent)
        if field is not None and field.what_if:
            unknown.append(field)
        elif here is None and not _is_told(condition.signal):
            unknown.append(condition.signal)
        elif _just_misses(condition, here):
            near.append(condition)
        else:
            return None
        if condition.holds(values) is not True:
            value = condition.satisfied_by()
            if value is None:
                return None
            values[condition.signal] = value
    if not is_open or len(near) > 1:
        return None
    # What a silent log leaves at zero must still prove so once it is told.
    told = [
        condition
        for condition in way
        if condition in is_open
        or _field_of(condition.signal, signals.get(condition.signal), silent) in unknown
    ]
    order = [fields().index(u) if isinstance(u, Field) else len(fields()) for u in unknown]
    actions = [u.action if isinstance(u, Field) else _find_out(u) for u in unknown]
    return _Idea(
        rule,
        "near" if near else "log",
        values,
        phrases.sentence(told, {c.signal: signals[c.signal] for c in near}),
        "; ".join(dict.fromkeys(actions)),
        min(order, default=len(fields())),
    )


def _field_of(signal: str, here: Any, silent: Sequence[Field]) -> Field | None:
    """The fact that the log leaves out of most calls and `signal` lacks; these may have it."""
    for field in silent:
        if signal in field.signals and (here is None or signal not in field.columns):
            return field
    return None


def _is_told(signal: str) -> bool:
    """Whether the signal is made of facts of the log that `fields.toml` knows."""
    return any(signal in field.signals for field in fields())


def _find_out(signal: str) -> str:
    return f"find out: {phrases.meaning(signal)}"


def _just_misses(condition: Condition, here: Any) -> bool:
    """Whether a number is at least half of what is asked for, or at most twice.

    What is asked of a share must also lie within `CLOSE`: everything is not nearly half.
    """
    if isinstance(here, bool | str) or here is None:
        return False
    asked = condition.value
    if isinstance(asked, bool | str) or asked <= 0:
        return False
    if asked <= 1 and abs(here - asked) > CLOSE:
        return False
    if condition.sign in (">", ">="):
        return bool(2 * here >= asked)
    return condition.sign in ("<", "<=") and bool(0 < here <= 2 * asked)


def _ranked(
    now: Outcome, ideas: Sequence[_Idea], outcomes: Sequence[Outcome], *, up: bool
) -> list[_Result]:
    """What changes a verdict, else a score: best first, once per thing to find out."""
    sign = 1 if up else -1
    results = []
    for idea, then in zip(ideas, outcomes, strict=True):
        criterion = idea.rule.criterion
        gain = (
            sign * (LABELS.index(then.label) - LABELS.index(now.label)),
            sign * (_rank(then, criterion) - _rank(now, criterion)),
            sign * (then.scores[criterion] - now.scores[criterion]),
        )
        if idea.rule.code in then.fired and gain > (0, 0, 0) and min(gain) >= 0:
            results.append(_Result(idea, then, gain))
    strongest = max((result.gain for result in results), default=(0, 0, 0.0))
    if not up:
        results = [result for result in results if result.gain[0] > 0]
    elif strongest[:2] > (0, 0):
        results = [result for result in results if result.gain[:2] > (0, 0)]
    results.sort(
        key=lambda r: (-r.gain[0], r.idea.kind == "near", -r.gain[1], r.idea.place, -r.gain[2])
    )
    once = {r.idea.action or r.idea.condition: r for r in reversed(results)}
    return list(once.values())[::-1]


def _rank(outcome: Outcome, criterion: str) -> int:
    return VERDICTS.index(outcome.verdicts[criterion])


def _change(result: _Result) -> Change:
    rule = result.idea.rule
    return Change(
        code=rule.code,
        criterion=rule.criterion,
        kind=result.idea.kind,
        condition=result.idea.condition,
        action=result.idea.action,
        verdict=result.outcome.verdicts[rule.criterion],
        label=result.outcome.label,
    )


def _together(
    connection: duckdb.DuckDBPyConnection,
    laboratory: Laboratory,
    signals: Row,
    now: Outcome,
    results: Sequence[_Result],
) -> Together | None:
    """The best idea for each weak criterion, all at once, if that does more than any alone."""
    best: dict[str, _Result] = {}
    for result in results[:MOST_CHANGES]:
        best.setdefault(result.idea.rule.criterion, result)
    values = {k: v for result in best.values() for k, v in result.idea.values.items()}
    [then] = laboratory.judge(connection, [{**signals, **values}])
    alone = max((LABELS.index(r.outcome.label) for r in results), default=LABELS.index(now.label))
    if len(best) < 2 or LABELS.index(then.label) <= alone:
        return None
    return Together(tuple(result.idea.rule.code for result in best.values()), then.label)
