"""Every packaged rule on its own literal rows, and the mechanism that adds rules up."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit import pipeline, schema, scoring
from llm_audit.policy import MASK_RULES, MAX_RULES, SIGNALS, Policy, Rule
from tests.rules.labelling import label_calls, label_signals, write_signals
from tests.support import insert_calls

POLICY = Policy.load()
LITERAL_ROWS = [
    pytest.param(rule, row, id=f"{rule.code}-{number}")
    for rule in POLICY.rules
    for number, row in enumerate(rule.tests)
]


@pytest.mark.parametrize(("rule", "row"), LITERAL_ROWS)
def test_a_rule_fires_exactly_on_its_rows(rule: Rule, row: Mapping[str, Any]) -> None:
    signals = {name: value for name, value in row.items() if name != "expect"}
    with duckdb.connect() as connection:
        write_signals(connection, [signals])
        policy = dataclasses.replace(POLICY, rules=(rule,))
        [(_, fired, _)] = connection.execute(scoring.rule_scores_sql(policy)).fetchall()
    assert bool(fired) == row["expect"]


@pytest.mark.parametrize("rule", POLICY.rules, ids=lambda rule: rule.code)
def test_a_rule_shows_both_sides(rule: Rule) -> None:
    assert {row["expect"] for row in rule.tests} == {True, False}


def test_a_row_of_nulls_fires_notes_only() -> None:
    [case] = label_signals(POLICY, [{}])
    fired = {r.kind for n, r in enumerate(POLICY.rules) if case["fired_rules"] & (1 << n)}
    assert fired <= {"note"}
    assert case["label"] == "gray_area"


def test_without_rules_everything_is_gray() -> None:
    policy = dataclasses.replace(POLICY, rules=())
    [case] = label_signals(policy, [{"is_streaming": True, "service_tier": "batch"}])
    assert (case["label"], case["score"], case["confidence"]) == ("gray_area", 0.0, None)


def test_the_last_bits_of_both_masks_are_still_bits() -> None:
    rules = tuple(
        dataclasses.replace(POLICY.rules[0], code=f"R{n}", when="calls > 0")
        for n in range(MAX_RULES)
    )
    [case] = label_signals(dataclasses.replace(POLICY, rules=rules), [{"calls": 1}])
    assert case["fired_rules"] == case["more_fired_rules"] == (1 << MASK_RULES) - 1


def test_a_rule_in_the_second_mask_counts() -> None:
    idle = tuple(
        dataclasses.replace(POLICY.rules[0], code=f"R{n}", when="calls < 0")
        for n in range(MASK_RULES)
    )
    veto = next(rule for rule in POLICY.rules if rule.code == "V_TOOL_RESULT")
    [case] = label_signals(
        dataclasses.replace(POLICY, rules=(*idle, veto)), [{"calls": 1, "has_tool_result": True}]
    )
    assert (case["label"], case["fired_rules"], case["more_fired_rules"]) == ("realtime", 0, 1)


def test_signals_are_the_columns_that_rules_may_use(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    insert_calls(connection, [{"caller": "svc"}])
    label_calls(connection, POLICY)
    built = {name: kind for name, kind, *_ in connection.execute("DESCRIBE signals").fetchall()}
    assert {c.name: c.sql_type for c in SIGNALS}.items() <= built.items()


def test_every_signal_can_be_put_into_a_sentence() -> None:
    [step] = [step for step in pipeline.steps() if step.name == "signal_texts"]
    assert [c.name for c in SIGNALS if f"'{c.name}'" not in step.select] == []


# --- properties over rows of signals --------------------------------------------------------------

SHARE = st.one_of(st.none(), st.sampled_from([0.0, 0.005, 0.2, 0.5, 0.95, 1.0]))
YES_NO = st.sampled_from([None, True, False])
COUNT = st.sampled_from([None, 0, 1, 5, 20, 100, 500, 5000])
ROWS = st.fixed_dictionaries(
    {
        "is_streaming": YES_NO,
        "has_tool_result": YES_NO,
        "continues_response": YES_NO,
        "continues_prompt": YES_NO,
        "in_pool_run": YES_NO,
        "in_bulk_run": YES_NO,
        "is_short_input": YES_NO,
        "is_never_cancelled": YES_NO,
        "is_caller_known": YES_NO,
        "service_tier": st.sampled_from([None, "standard", "batch", "flex", "priority"]),
        "declared_tolerance_s": st.sampled_from([None, 5.0, 600.0, 7200.0, 86400.0]),
        "operation_name": st.sampled_from(["chat", "embeddings", "responses"]),
        "calls": COUNT,
        "run_calls": COUNT,
        "large_run_days": COUNT,
        "distinct_prompts": COUNT,
        "cancel_minutes": COUNT,
        "corrected_calls": COUNT,
        "part_cancel_minutes": COUNT,
        "bulk_run_days": COUNT,
        "waited_calls": COUNT,
        "think_time_pairs": COUNT,
        "bulk_median_s": st.sampled_from([None, 20.0, 120.0, 1200.0, 20_000.0]),
        "start_arc_h": st.sampled_from([None, 0.1, 6.0, 15.0]),
        "large_runs_per_day": st.sampled_from([None, 1.0, 24.0]),
        "backlog_h": st.sampled_from([None, 1.0, 1000.0]),
        "feedback": SHARE,
        "offline_words": st.sampled_from([0, 1, 3]),
        "online_words": st.sampled_from([0, 1, 3]),
        "hourly_regularity": SHARE,
        "daily_regularity": SHARE,
        "weekly_regularity": SHARE,
        **{c.name: SHARE for c in SIGNALS if c.name.startswith(("share_", "part_share_"))},
    }
)
AGAINST: list[dict[str, Any]] = [
    {"has_tool_result": True, "share_tool_results": 1.0},
    {"continues_prompt": True},
    {"continues_prompt": True, "share_continues_prompt": 1.0},
    {"continues_response": True},
    {"share_token_growth": 1.0},
    {"share_conversation": 1.0},
    {"part_share_cancelled": 0.1, "part_cancel_minutes": 50, "is_never_cancelled": False},
    {"is_never_cancelled": False},
    {"share_short_timeout": 1.0},
    {"think_time_pairs": 400, "share_think_time": 0.9},
    {"share_blocking_tags": 1.0},
    {"part_share_end_user": 1.0},
    {"is_streaming": True, "part_share_streaming": 1.0, "is_never_cancelled": False},
    {"is_caller_known": False},
    {"share_queued": 1.0},
    {"corrected_calls": 40, "share_corrected": 0.4},
    {"feedback": 0.6},
    {"large_runs_per_day": 24.0},
    {"service_tier": "priority"},
    {"online_words": 2},
]
RANK = {"realtime": 0, "gray_area": 1, "batch_eligible": 2}


@settings(max_examples=25, deadline=None)
@given(row=ROWS)
def test_evidence_against_never_raises_a_label(row: dict[str, Any]) -> None:
    before, *after = label_signals(POLICY, [row, *({**row, **more} for more in AGAINST)])
    for more, case in zip(AGAINST, after, strict=True):
        assert RANK[case["label"]] <= RANK[before["label"]], more
        assert case["score"] <= before["score"], more


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROWS, min_size=1, max_size=8))
def test_the_label_is_the_weakest_criterion(rows: list[dict[str, Any]]) -> None:
    for case in label_signals(POLICY, rows):
        verdicts = [case[criterion] for criterion in schema.CRITERIA]
        if "contradicted" in verdicts:
            assert case["label"] == "realtime"
        elif "unknown" in verdicts:
            assert case["label"] == "gray_area"
            assert case["confidence"] is None
        else:
            assert case["label"] == "batch_eligible"
            assert 0.9 <= case["confidence"] <= 0.95


SILENT: dict[str, Any] = {
    "service_tier": "standard",
    "declared_tolerance_s": None,
    "operation_name": "chat",
    "daily_regularity": None,
    "weekly_regularity": None,
    "waited_calls": None,
    "backlog_h": None,
    "offline_words": 0,
}
"""No schedule, tier, deadline, queue, refusals, long embeddings or names."""


@settings(max_examples=25, deadline=None)
@given(row=ROWS, days=st.sampled_from([None, 0, 1, 2]))
def test_one_run_of_less_than_hours_never_makes_a_batch(
    row: dict[str, Any], days: int | None
) -> None:
    [case] = label_signals(
        POLICY, [{**row, **SILENT, "bulk_run_days": days, "bulk_median_s": 1200.0}]
    )
    assert case["label"] != "batch_eligible"


@settings(max_examples=25, deadline=None)
@given(row=ROWS)
def test_nothing_that_comes_call_by_call_is_a_batch(row: dict[str, Any]) -> None:
    [case] = label_signals(POLICY, [{**row, **SILENT, "in_bulk_run": False}])
    assert case["label"] != "batch_eligible"
