"""A rule's expression, taken apart: every way in which it comes true, and nothing else."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from llm_audit import schema
from llm_audit.explain.conditions import Condition, Way, ways
from llm_audit.explain.fields import fields
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
