"""What to do first: which workloads, in which order, on whose figures, by rules one can follow."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import duckdb
import pytest

from llm_audit import pipeline
from llm_audit.cli import cli
from llm_audit.report import Result, method, write_html
from llm_audit.report.actions import MOST_ACTIONS, UNPROVEN, Action, actions
from llm_audit.report.result import BatchFit, Criteria, Reason, Workload
from tests.report import tables
from tests.report.page import Page
from tests.support import insert_calls


def _only(result: Result, **changes: object) -> Action:
    """The action for the first workload of a result after some changes to it."""
    changed = replace(result.workloads[0], **changes)  # type: ignore[arg-type]
    found = actions(replace(result, workloads=(changed, *result.workloads[1:])), None)
    return next(action for action in found if action.place == 0)


def _flex(workload: Workload) -> Workload:
    return replace(
        workload,
        label="realtime", advice="flex", worth_it=False,
        effective_cost=Decimal(40), flex_cost=Decimal(25),
    )  # fmt: skip


def test_moves_and_questions_are_ranked_by_the_printed_formula(mixed: Result) -> None:
    found = actions(mixed)
    assert [(a.kind, a.workload.caller) for a in found] == [
        ("batch", "nightly-enrichment"),
        ("ask", "webhook-triage"),
    ]
    assert [a.rank for a in found] == sorted((a.rank for a in found), reverse=True)
    for action in found:
        by_hand = action.low.value * Decimal(str(action.odds)) / action.effort.points
        assert action.rank == by_hand


def test_savings_are_on_the_basis_of_the_headline(mixed: Result) -> None:
    """The moves add up to the headline's saving, a month and observed."""
    observed = replace(mixed, savings=replace(mixed.savings, monthly=None, annual=None))
    for result, saving in (
        (mixed, mixed.savings.monthly),
        (observed, mixed.savings.observed),
    ):
        assert saving is not None
        moves = [a for a in actions(result, None) if a.counted]
        assert sum(a.low.value for a in moves) == saving.conservative
        assert sum(a.high.value for a in moves) == saving.best
        assert sum(a.share or 0 for a in moves) == pytest.approx(1)


def test_a_question_is_never_counted_and_never_confident(mixed: Result) -> None:
    [asked] = [a for a in actions(mixed) if a.kind == "ask"]
    assert not asked.counted
    assert asked.confidence is None
    assert asked.odds == UNPROVEN
    assert asked.risk.name == "Unknown"
    assert asked.command == "llm-audit review"


def test_where_time_alone_will_not_do_the_command_leads_to_the_label(mixed: Result) -> None:
    [asked] = [w for w in mixed.workloads if w.advice == "ask_owner"]
    lacking = replace(asked, criteria=Criteria("unknown", "unknown", "supported"))
    [action] = actions(replace(mixed, workloads=(lacking,)))
    assert (action.kind, action.by_label) == ("ask", True)
    assert action.command == f"llm-audit explain {asked.workload_id}"


def test_an_owner_who_has_spoken_is_not_asked_again(mixed: Result) -> None:
    [asked] = [w for w in mixed.workloads if w.advice == "ask_owner"]
    word = Reason("OVERRIDE", None, None, "the owner allows 24 h for a result: x (ana)", 9)
    assert actions(replace(mixed, workloads=(replace(asked, reasons=(word,)),))) == ()


def test_flex_saves_what_the_tier_costs_less(mixed: Result) -> None:
    result = replace(mixed, workloads=(_flex(mixed.workloads[0]), *mixed.workloads[1:]))
    [flex] = [a for a in actions(result) if a.kind == "flex"]
    assert flex.low.value == flex.high.value == Decimal(15) * 30 / 8
    assert flex.effort.name == "Very low"
    assert not flex.counted


def test_flex_in_use_already_is_no_action(mixed: Result) -> None:
    same = replace(_flex(mixed.workloads[0]), flex_cost=Decimal(40))
    unknown = replace(same, flex_cost=None)
    for workload in (same, unknown):
        assert "flex" not in {a.kind for a in actions(replace(mixed, workloads=(workload,)))}


@pytest.mark.parametrize(
    "advice",
    ["realtime", "below_floor", "already_batch", "unpriced", "retired_model", "no_batch_rate"],
)
def test_nothing_else_is_an_action(mixed: Result, advice: str) -> None:
    workloads = tuple(replace(w, advice=advice) for w in mixed.workloads)
    assert actions(replace(mixed, workloads=workloads)) == ()


_FIT = BatchFit(1, 1, 4, 1, 1, None, 24, 3)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Low"),
        ({"already_batch_calls": 5}, "Very low"),
        ({"criteria": Criteria("hinted", "supported", "supported")}, "Medium"),
        ({"criteria": Criteria("hinted", "supported", None)}, "High"),
        ({"criteria": Criteria("hinted", "supported", "unknown"), "batch_fit": _FIT}, "Very high"),
        ({"batch_fit": replace(_FIT, batches=None)}, "Low"),
    ],
)
def test_effort_is_a_point_for_every_finding(
    mixed: Result, changes: dict[str, object], name: str
) -> None:
    activity = replace(mixed.workloads[0].activity, streaming_share=None)
    plain = {"batch_fit": None, "already_batch_calls": 0, "activity": activity}
    effort = _only(mixed, **(plain | changes)).effort
    assert effort.name == name
    assert len(effort.why) == 1 + abs(effort.points - 2)


def test_streaming_calls_cost_a_point(mixed: Result) -> None:
    activity = mixed.workloads[0].activity
    levels = [
        _only(mixed, batch_fit=None, activity=replace(activity, streaming_share=share)).effort
        for share in (0.0, 0.09, 0.4)
    ]
    assert [level.points for level in levels] == [2, 2, 3]
    assert "40% of its calls stream today" in levels[-1].why


@pytest.mark.parametrize(
    ("tolerance", "reasons", "risk"),
    [
        ("supported", (), "Low"),
        ("hinted", (), "Medium"),
        ("unknown", (), "High"),
        ("supported", (Reason("N_X", "tolerance", -1.0, "it hurries", 3),), "Medium"),
        ("supported", (Reason("N_X", "storage", -1.0, "it is watched", 3),), "Low"),
        ("hinted", (Reason("OVERRIDE", "tolerance", None, "ana says so", 3),), "Low"),
    ],
)
def test_risk_is_the_verdict_on_tolerance(
    mixed: Result, tolerance: str, reasons: tuple[Reason, ...], risk: str
) -> None:
    criteria = Criteria("supported", tolerance, "supported")
    found = _only(mixed, criteria=criteria, reasons=reasons).risk
    assert found.name == risk
    assert "24 hours" in found.why[0]


def test_at_most_five_and_the_rest_is_told(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=8)
    for number in range(7):
        tables.add_workload(audit, number, cost=20 + number, saved=(10 + number,) * 3)
    result = tables.build(audit)
    assert len(actions(result)) == MOST_ACTIONS
    assert len(actions(result, None)) == 7
    assert "2 more actions" in Page(write_html(result)).all("main")[0].text


def test_no_action_says_why(empty: Result, one_day: Result) -> None:
    assert actions(empty) == ()
    idle = replace(one_day.workloads[0], worth_it=False, advice="realtime")
    page = Page(write_html(replace(one_day, workloads=(idle,))))
    [section] = [e for e in page.all("section") if e.attributes["id"] == "actions"]
    assert "Nothing has to be done" in section.text


def test_what_the_log_holds_whole_is_planned_from_it(mixed: Result) -> None:
    """The command that plans a move is told where there is something to plan, and only there."""
    first = mixed.workloads[0]
    whole = replace(mixed, replayable=tuple(w.workload_id for w in mixed.workloads))
    by_kind = {action.kind: action.command for action in actions(whole)}
    assert by_kind["batch"] == f"llm-audit migrate --dry-run --workload {first.workload_id}"
    assert by_kind["ask"] == "llm-audit review", "nobody has said yet that it may be moved"
    assert _only(mixed).command == f"llm-audit explain {first.workload_id}"
    refused = _only(whole, advice="needs_error_feedback").command
    assert refused == f"llm-audit explain {first.workload_id}"


def test_replayable_are_eligible_workloads_alone(audit: duckdb.DuckDBPyConnection) -> None:
    tables.mixed_audit(audit)
    for workload, label in (("w_b", "batch_eligible"), ("w_a", "batch_eligible"), ("w_c", "gray")):
        tables.insert(audit, "replayable_workloads", workload_id=workload, label=label, calls=1)
    assert tables.build(audit).replayable == ("w_a", "w_b")


def test_what_no_vendor_could_be_sent_again_is_not_replayable(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    whole = {
        "replayable": True, "provider_name": "openai", "source_format": "openai_chat",
    }  # fmt: skip
    rows: tuple[dict[str, object], ...] = (
        {},
        {"provider_name": "anthropic", "source_format": "anthropic_messages"},
        {"source_format": "litellm_slp"},
        {"provider_name": "anthropic", "source_format": "litellm_slp"},
        {"replayable": False},
        {"replayable": None},
        {"provider_name": "azure.ai.openai"},
        {"status": "error"},
        {"previous_response_id": "resp_1"},
    )
    insert_calls(connection, [whole | row for row in rows])
    connection.execute(
        "CREATE TABLE labels AS SELECT call_id, 'w' || call_id AS workload_id, "
        "'batch_eligible' AS label FROM calls"
    )
    pipeline.run_steps(connection, 39, 39)
    found = connection.execute("SELECT workload_id FROM replayable_workloads").fetchall()
    assert {workload for (workload,) in found} == {"wcall-0", "wcall-1", "wcall-2"}


def test_a_hostile_workload_id_stays_one_argument(mixed: Result) -> None:
    command = _only(mixed, workload_id="w_1; rm -rf $HOME").command
    assert command == "llm-audit explain 'w_1; rm -rf $HOME'"


def test_commands_exist(mixed: Result) -> None:
    """Every command that the page tells to run is one, with the options it is told with."""
    whole = replace(mixed, replayable=(mixed.workloads[0].workload_id,))
    told = [action.command for result in (mixed, whole) for action in actions(result)]
    told += [name for name, _ in method.COMMANDS]
    for command in told:
        words = command.split()
        assert words[0] == "llm-audit"
        known = cli.commands.get(words[1])
        assert known, command
        options = {o for parameter in known.params for o in parameter.opts}
        assert {word for word in words[2:] if word.startswith("-")} <= options, command
