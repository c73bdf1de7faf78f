"""A rule's expression, taken apart: every way in which it comes true, and nothing else."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from llm_audit import formats, schema
from llm_audit.explain.conditions import Condition, Way, ways
from llm_audit.explain.fields import fields
from llm_audit.explain.phrases import phrases, sentence
from llm_audit.policy import SIGNALS, Policy


def of(when: str) -> list[Way]:
    with duckdb.connect() as connection:
        return list(ways(connection, when))


def test_and_or_in_and_not() -> None:
    a, b = Condition("a", ">=", 0.5), Condition("b", "<", 3)
    assert of("a >= 0.5 and b < 3") == [(a, b)]
    assert of("0.5 <= a or 3 > b") == [(a,), (b,)]
    assert of("a >= 0.5 and (b < 3 or c)") == [(a, b), (a, Condition("c", "=", True))]
    assert of("x in ('u', 'v')") == [(Condition("x", "=", "u"),), (Condition("x", "=", "v"),)]
    assert of("not c") == of("c = false") == [(Condition("c", "=", False),)]
    assert of("c is not null and a > -1") == [
        (Condition("c", "null", False), Condition("a", ">", -1))
    ]


def test_what_is_no_simple_condition_is_left_out() -> None:
    assert of("a + b > 3 and c") == [(Condition("c", "=", True),)]
    assert of("not (a > 1 and b > 1)") == [()]
    assert of(" and ".join(["(a > 1 or b > 1)"] * 7)) == [()]


@pytest.mark.parametrize("rule", Policy.load().rules, ids=lambda rule: rule.code)
def test_every_packaged_rule_agrees_with_its_ways(rule: Any) -> None:
    """On the rule's own literal rows: where no simple condition is false or NULL, it fires."""
    found = of(rule.when)
    assert found
    for row in rule.tests:
        holds = any(
            way and all(condition.holds({**row}) is True for condition in way) for way in found
        )
        if row["expect"]:
            assert holds or () in found


def test_made_up_values_satisfy_their_condition() -> None:
    for sign in ("=", ">", ">=", "<", "<="):
        for value in (3, 0.25):
            condition = Condition("a", sign, value)
            assert condition.holds({"a": condition.satisfied_by()}) is True
    assert Condition("a", "<", 0).satisfied_by() is None
    assert Condition("a", "null", False).satisfied_by() is None


def test_fields_name_columns_of_calls_and_signals() -> None:
    columns = {column.name for column in schema.CALLS}
    signals = {column.name for column in SIGNALS}
    for field in fields():
        assert set(field.columns) <= columns
        assert set(field.signals) & signals or field.columns == ("caller",)
        assert not field.action.endswith(".")


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            "part_share_cancelled > 0.003 and part_cancel_minutes >= 2",
            "clients give up on more than 0.3 % of the calls and they do so in 2 or more different "
            "minutes",
        ),
        (
            "share_short_timeout >= 0.5",
            "50 % or more of the calls whose timeout is known give up after a minute or sooner",
        ),
        (
            "declared_tolerance_s >= 3600 and declared_tolerance_s < 86400",
            "a deadline of 1 h or more and less than 24 h is declared",
        ),
        ("service_tier = 'flex'", "the flex tier serves the calls"),
        ("is_streaming and not has_tool_result", "the answers are streamed and the requests answer "
         "no tool call"),
        ("backlog_h >= 48", "the queue that feeds the calls lasts 48 h or more at this pace"),
        ("nobody_described_it >= 7", "this is 7 or more: nobody_described_it"),
    ],
)  # fmt: skip
def test_a_condition_is_said_by_its_bounds(when: str, said: str) -> None:
    [way] = of(when)
    assert sentence(way, {}) == said


def test_a_known_value_stands_beside_its_bound() -> None:
    [way] = of("max_run_calls >= 100 and share_ci < 0.5")
    assert sentence(way, {"max_run_calls": 84}) == (
        "the largest run holds 100 or more calls (84 now) "
        "and a CI pipeline starts less than 50 % of the calls"
    )


def test_every_signal_that_a_packaged_rule_asks_for_has_a_phrase() -> None:
    asked = {
        condition.signal
        for rule in Policy.load().rules
        for way in of(rule.when)
        for condition in way
        if condition.sign != "null"
    }
    described = {name for table in phrases().values() for name in table}
    assert asked <= described
    assert described <= {column.name for column in SIGNALS}
    assert all("{}" in text for kind in ("numbers", "texts") for text in phrases()[kind].values())
    assert all(len(pair) == 2 for pair in phrases()["flags"].values())


BATCHES = {"openai_batch", "anthropic_batch"}
"""Formats of calls that are in a batch already: nothing is asked of them."""


def test_every_fact_names_what_to_add_in_every_format_of_calls() -> None:
    calls = {f.name for f in formats.formats().values() if f.yields == formats.CALLS} - BATCHES
    assert {"generic", "litellm_slp", "openai_chat", "anthropic_messages_sse"} <= calls
    for fact in fields():
        assert calls <= set(fact.how), (fact.columns, calls - set(fact.how))
