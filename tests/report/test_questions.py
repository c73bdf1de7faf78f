"""What a gray workload asks, and the lines that its owner pastes."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.policy import OWN_FILE, Override, Policy
from llm_audit.policy.globs import like_pattern
from llm_audit.report import Result
from llm_audit.report.questions import (
    BECAUSE,
    DAY_S,
    LONGEST_LINE,
    OwnerQuestion,
    lean,
    override_toml,
    owner_questions,
)
from llm_audit.report.result import Criteria, Reason, Workload
from llm_audit.text import printable
from tests.report import samples
from tests.report.test_hostile import HOSTILE

UNTIL = date(2026, 9, 10)
TODAY = date(2025, 9, 10)
Gray = Callable[..., Workload]


@pytest.fixture
def gray(mixed: Result) -> Gray:
    """A gray workload; arguments change it."""
    found = next(w for w in mixed.workloads if w.label == "gray_area")
    return lambda **changes: replace(found, **changes)


def _override(text: str) -> Override:
    tomllib.loads(text)
    [override] = Policy.parse(text.encode(), OWN_FILE, today=TODAY).overrides
    return override


def _matches(override: Override, workload: Workload) -> bool:
    """As sql/13 matches them."""
    names = (workload.caller, workload.workload_id, workload.model, workload.operation_name)
    globs = (override.caller, override.workload, override.model, override.operation)
    with duckdb.connect() as connection:
        pairs = zip(names, globs, strict=True)
        return all(
            connection.execute("SELECT ? LIKE ? ESCAPE '\\'", [name or "", like_pattern(glob)])
            .fetchall()[0][0]
            for name, glob in pairs
        )  # fmt: skip


def _toml(workload: Workload, *lacking: str, namesakes: bool = False) -> str:
    return override_toml(workload, lacking or ("tolerance",), namesakes=namesakes, until=UNTIL)


@pytest.mark.parametrize(
    "text", [*HOSTILE, 'a"b\\c\n[[override]]\nlabel = "x"', "*?[*]", "' ''' #"]
)
def test_a_hostile_name_is_written_so_that_it_means_itself(gray: Gray, text: str) -> None:
    workload = gray(caller=text, model=text, operation_name=text)
    override = _override(_toml(workload))
    assert _matches(override, workload)
    assert (override.label, override.tolerance_s, override.until) == (None, DAY_S, UNTIL)
    other = replace(workload, caller=f"{text}x", workload_id="w_other")
    assert not _matches(override, other)


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=500))
def test_any_name_is_written_so_that_the_page_shows_it_whole(text: str) -> None:
    workload = samples.workload(caller=text)
    toml = _toml(workload)
    assert _matches(_override(toml), workload)
    lines = toml.split("\n")
    assert [printable(line, LONGEST_LINE) for line in lines] == lines


def test_a_name_that_toml_cannot_hold_falls_back_on_the_id(gray: Gray) -> None:
    workload = gray(caller="lone \ud83d")
    override = _override(_toml(workload))
    assert (override.caller, override.workload) == ("*", workload.workload_id)


def test_namesakes_are_told_apart_by_the_id(gray: Gray) -> None:
    workload = gray()
    override = _override(_toml(workload, namesakes=True))
    assert _matches(override, workload)
    assert not _matches(override, replace(workload, workload_id="w_other"))


def test_tolerance_cannot_say_that_calls_are_independent(gray: Gray) -> None:
    override = _override(_toml(gray(), "tolerance", "independence"))
    assert (override.label, override.tolerance_s) == ("batch_eligible", None)
    assert override.because == BECAUSE


def test_questions_come_from_the_criteria_that_lack(mixed: Result, gray: Gray) -> None:
    open_ones = gray(criteria=Criteria("unknown", "unknown", "supported"), reasons=())
    [question] = owner_questions(replace(mixed, workloads=(open_ones,)), 500)
    assert [criterion for criterion, _, _ in question.questions] == ["tolerance", "independence"]
    assert str(open_ones.caller) in question.questions[0][1]
    assert question.questions[0][1].endswith("come up to 24 hours later?")


def test_dearest_first_and_each_gray_workload_once(mixed: Result) -> None:
    asked = owner_questions(mixed, 500)
    gray = [w for w in mixed.workloads if w.label == "gray_area"]
    assert [q.is_open for q in asked] == [True, False], "no price, no question"
    assert sorted(q.workload.workload_id for q in asked) == sorted(w.workload_id for w in gray)
    stakes = [q.workload.saving_conservative for q in asked]
    assert stakes == sorted(stakes, reverse=True)
    assert [q.name for q in asked] == [f"G{n}" for n in range(1, len(gray) + 1)]
    for question in asked:
        assert mixed.workloads[int(question.key.split(".")[1])] == question.workload


def test_an_answered_workload_is_not_asked_again(mixed: Result, gray: Gray) -> None:
    spoken = Reason("OVERRIDE", None, None, "the owner labels this gray_area: unsure (ana)", 9)
    result = replace(mixed, workloads=(gray(reasons=(spoken,)),))
    [question] = owner_questions(result, 500)
    assert (question.questions, question.toml) == ((), "")
    assert question.answer == spoken.evidence
    assert (question.is_open, question.answered) == (False, "owner has spoken")


def test_open_questions_first_then_answers_then_what_a_yes_does_not_move(
    mixed: Result, gray: Gray
) -> None:
    word = Reason("OVERRIDE", None, None, "the owner allows 24 h for a result: x (ana)", 9)
    workloads = (
        gray(workload_id="retired", advice="retired_model", saving_conservative=Decimal(90)),
        gray(workload_id="said", reasons=(word,), saving_conservative=Decimal(50)),
        gray(workload_id="cheap", saving_conservative=Decimal(1)),
        gray(workload_id="dear", saving_conservative=Decimal(2)),
    )
    asked = owner_questions(replace(mixed, workloads=workloads), 500)
    assert [q.workload.workload_id for q in asked] == ["dear", "cheap", "said", "retired"]
    assert [q.is_open for q in asked] == [bool(q.toml) for q in asked] == [True, True, False, False]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"advice": "ask_owner"}, ""),
        ({"advice": "retired_model"}, "model retired"),
        ({"advice": "below_floor", "peak_day_calls": 1}, "too small (1 call within 24 h)"),
        ({"advice": "below_floor", "effective_cost": Decimal(0)}, "nothing was billed"),
        ({"advice": "no_batch_rate"}, "no cheaper batch price"),
        ({"advice": "of a later release"}, "nothing to save"),
    ],
)
def test_why_a_yes_moves_nothing(
    mixed: Result, gray: Gray, changes: dict[str, object], why: str
) -> None:
    question = _question(replace(mixed, workloads=(gray(**changes),)))
    assert question.settled == why
    assert bool(question.questions) == question.is_open == (not why)


def _reason(code: str, weight: float | None, calls: int = 100) -> Reason:
    return Reason(code, "tolerance", weight, "so it is", calls)


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([], 0.0),
        ([_reason("P_POOL", 1.0), _reason("N_QUEUE", -1.5)], -0.5),
        ([_reason("P_POOL", 1.0, calls=50)], 0.5),
        ([_reason("D_DEADLINE_CLOCK", 0.0), _reason("P_POOL", 5.0)], 0.0),
        ([_reason("N_QUEUE", -1.0), _reason("W_OFFLINE", 0.25)], -1.0),
        ([_reason("P_POOL", 1.0), _reason("W_OFFLINE", 0.25)], 1.25),
        ([_reason("P_POOL", 40.0)], 10.0),
    ],
)
def test_lean(gray: Gray, reasons: list[Reason], expected: float) -> None:
    workload = gray(
        criteria=Criteria("supported", "unknown", "hinted"), reasons=tuple(reasons), calls=100
    )
    assert lean(workload) == pytest.approx(expected)


def test_a_leap_day_has_a_year_after(mixed: Result) -> None:
    leap = replace(mixed, generated_at=mixed.generated_at.replace(year=2028, month=2, day=29))
    assert all("until = 2029-02-28" in q.toml for q in owner_questions(leap, 500) if q.toml)


def _question(result: Result) -> OwnerQuestion:
    return owner_questions(result, 500)[0]


def test_unpriced_gray_calls_still_make_a_question(mixed: Result, gray: Gray) -> None:
    free = gray(effective_cost=None, saving_conservative=Decimal(0))
    assert _question(replace(mixed, workloads=(free,))).dot[2] == 0.0
