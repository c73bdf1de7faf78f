"""What would change a verdict: the same rules asked again, with one gap of the log filled.

For every rule that did not fire, the conditions are looked for that kept it from firing: a signal
the log is silent about, or a value that just misses. Such a signal is given the value the rule asks
for, and all rules judge the case anew in a database in memory: what is said to happen is what the
labels would be. Nothing here knows a single rule; new rules and signals take part by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from llm_audit import scoring
from llm_audit.explain.conditions import Condition, Way, ways
from llm_audit.explain.evidence import sentence
from llm_audit.explain.fields import Coverage, Field, fields
from llm_audit.explain.result import Change, Together
from llm_audit.explain.rows import Row, rows
from llm_audit.policy import SIGNALS, Policy, Rule, duration_text

if TYPE_CHECKING:
    import duckdb

RunSteps = Callable[["duckdb.DuckDBPyConnection", int, int], None]
"""`pipeline.run_steps`: connection, first and last number of the steps in `sql/`."""

MOST_CHANGES = 4
VERDICTS = ("contradicted", "unknown", "hinted", "supported")
LABELS = ("realtime", "gray_area", "batch_eligible")
"""From the weakest to the strongest."""

_MEANINGS = {column.name: column.meaning for column in SIGNALS}


@dataclass(frozen=True)
class Outcome:
    """What the rules make of a row of signals."""

    label: str
    verdicts: Mapping[str, str]
    scores: Mapping[str, float]
    fired: frozenset[str]
    texts: Mapping[str, str]


@dataclass(frozen=True)
class _Idea:
    """A rule that would fire if `values` were so."""

    rule: Rule
    kind: str
    values: Mapping[str, Any]
    action: str
    place: int


@dataclass(frozen=True)
class _Result:
    idea: _Idea
    outcome: Outcome
    gain: tuple[int, int, float]
    """Steps of the label, steps of the criterion's verdict, points of its score; + is better."""


class Laboratory:
    """A database in memory with the policy's rules, to judge made-up rows of signals."""

    def __init__(self, policy: Policy, run_steps: RunSteps) -> None:
        self.policy = policy
        self._run_steps = run_steps

    def judge(self, connection: duckdb.DuckDBPyConnection, cases: Sequence[Row]) -> list[Outcome]:
        """The outcome of each row; its columns are those of `signals` in `connection`."""
        import duckdb

        with duckdb.connect(config={"threads": 1}) as memory:
            declared = ", ".join(
                f'"{name}" {kind}'
                for name, kind, *_ in connection.execute("DESCRIBE signals").fetchall()
            )
            memory.execute(f"CREATE TABLE signals ({declared})")
            for number, case in enumerate(cases):
                row = {**case, "case_no": number}
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                memory.execute(
                    f"INSERT INTO signals ({names}) VALUES ({marks})",  # noqa: S608
                    list(row.values()),
                )
            scoring.create_rule_tables(memory, self.policy)
            memory.execute(f"CREATE TABLE rule_scores AS {scoring.rule_scores_sql(self.policy)}")
            self._run_steps(memory, 30, 32)
            self._run_steps(memory, 35, 35)
            return _outcomes(memory)

    @cached_property
    def ways(self) -> tuple[tuple[Way, ...], ...]:
        """The ways of every rule, in the order of the policy."""
        import duckdb

        with duckdb.connect(config={"threads": 1}) as memory:
            return tuple(ways(memory, rule.when) for rule in self.policy.rules)


def _outcomes(memory: duckdb.DuckDBPyConnection) -> list[Outcome]:
    scores: dict[int, dict[str, float]] = {}
    verdicts: dict[int, dict[str, str]] = {}
    for row in rows(memory, "SELECT * FROM criterion_scores"):
        scores.setdefault(row["case_no"], {})[row["criterion"]] = row["score"]
        verdicts.setdefault(row["case_no"], {})[row["criterion"]] = row["verdict"]
    fired: dict[int, list[str]] = {}
    for row in rows(memory, "SELECT case_no, code FROM rule_hits"):
        fired.setdefault(row["case_no"], []).append(row["code"])
    texts: dict[int, dict[str, str]] = {}
    for row in rows(memory, "SELECT * FROM signal_texts"):
        texts.setdefault(row["case_no"], {})[row["name"]] = row["text"]
    return [
        Outcome(
            row["label"],
            verdicts[row["case_no"]],
            scores[row["case_no"]],
            frozenset(fired.get(row["case_no"], ())),
            texts.get(row["case_no"], {}),
        )
        for row in rows(memory, "SELECT * FROM case_labels ORDER BY case_no")
    ]


def changes(
    connection: duckdb.DuckDBPyConnection,
    laboratory: Laboratory,
    signals: Row,
    coverage: Coverage,
) -> tuple[tuple[Change, ...], Together | None]:
    """What would raise the label of a case, or lower that of one that is batch-eligible."""
    if signals.get("override_label"):
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
        field = _field_of(condition.signal, silent)
        if field is not None and field.what_if:
            unknown.append(field)
        elif signals.get(condition.signal) is None and not _is_told(condition.signal):
            unknown.append(condition.signal)
        elif _just_misses(condition, signals.get(condition.signal)):
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
    order = [fields().index(u) if isinstance(u, Field) else len(fields()) for u in unknown]
    return _Idea(
        rule,
        "near" if near else "log",
        values,
        "; ".join(
            dict.fromkeys(
                [
                    *(u.action if isinstance(u, Field) else _find_out(u) for u in unknown),
                    *(_needs(condition, signals) for condition in near),
                ]
            )
        ),
        min(order, default=len(fields())),
    )


def _field_of(signal: str, silent: Sequence[Field]) -> Field | None:
    return next((field for field in silent if signal in field.signals), None)


def _is_told(signal: str) -> bool:
    """Whether the signal is made of facts of the log that `fields.toml` knows."""
    return any(signal in field.signals for field in fields())


def _find_out(signal: str) -> str:
    return f"find out: {_MEANINGS.get(signal, signal)}"


def _just_misses(condition: Condition, here: Any) -> bool:
    """Whether a number is at least half of what is asked for, or at most twice."""
    if isinstance(here, bool | str) or here is None:
        return False
    asked = condition.value
    if isinstance(asked, bool | str) or asked <= 0:
        return False
    if condition.sign in (">", ">="):
        return bool(2 * here >= asked)
    return condition.sign in ("<", "<=") and bool(0 < here <= 2 * asked)


def _needs(condition: Condition, signals: Row) -> str:
    """`calls of the largest run: 84 here, at least 100 needed`."""
    words = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}
    signal = condition.signal
    return (
        f"{_MEANINGS.get(signal, signal)}: {_shown(signal, signals[signal])} here, "
        f"{words[condition.sign]} {_shown(signal, condition.value)} needed"
    )


def _shown(signal: str, value: Any) -> str:
    if "share" in signal.split("_"):
        return f"{100 * value:.4g} %"
    if signal.endswith("_s"):
        return duration_text(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _ranked(
    now: Outcome, ideas: Sequence[_Idea], outcomes: Sequence[Outcome], *, up: bool
) -> list[_Result]:
    """What changes a verdict, best first and once per action; else what moves a score."""
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
    return list({result.idea.action: result for result in reversed(results)}.values())[::-1]


def _rank(outcome: Outcome, criterion: str) -> int:
    return VERDICTS.index(outcome.verdicts[criterion])


def _change(result: _Result) -> Change:
    rule = result.idea.rule
    return Change(
        code=rule.code,
        criterion=rule.criterion,
        kind=result.idea.kind,
        # What nobody made up a value for is left out of the sentence where it stands in brackets.
        evidence=sentence(rule.evidence, result.outcome.texts).replace(" (unknown)", ""),
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
