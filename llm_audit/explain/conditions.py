"""A rule's `when`, taken apart: the ways it can come true, each a list of simple conditions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MOST_WAYS = 64
"""A rule with more ways than this is left whole: nobody could read them."""

_SIGNS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
}
_MIRRORED = {"=": "=", "<>": "<>", ">": "<", ">=": "<=", "<": ">", "<=": ">="}

Value = float | int | bool | str


@dataclass(frozen=True)
class Condition:
    """`signal sign value`. sign: = <> > >= < <=, or `null` (value: whether it is to be NULL)."""

    signal: str
    sign: str
    value: Value

    def holds(self, row: Mapping[str, Any]) -> bool | None:
        """SQL's answer on a row of signals: None where the signal is NULL."""
        here = row.get(self.signal)
        if self.sign == "null":
            return (here is None) == self.value
        if here is None or isinstance(here, str) != isinstance(self.value, str):
            return None
        answers: dict[str, bool] = {
            "=": here == self.value,
            "<>": here != self.value,
            ">": here > self.value,
            ">=": here >= self.value,
            "<": here < self.value,
            "<=": here <= self.value,
        }
        return answers[self.sign]

    def satisfied_by(self) -> Value | None:
        """A plausible value that makes it true; None where none can be made up."""
        if self.sign in (">=", "<=", "="):
            return self.value
        if isinstance(self.value, str) or self.sign in ("null", "<>"):
            return None
        if self.sign == "<":
            return 0 if self.value > 0 else None
        return self.value + 1 if isinstance(self.value, int) else self.value * 1.01 + 1e-6


Way = tuple[Condition, ...]


def ways(connection: duckdb.DuckDBPyConnection, when: str) -> tuple[Way, ...]:
    """Each way in which `when`, an expression that `policy` has checked, comes true.

    Parts that are no simple condition are left out: whoever uses a way asks the rule itself again.
    """
    answer = connection.execute(
        "SELECT json_serialize_sql(CAST(? AS VARCHAR), skip_null := true, skip_empty := true)",
        [f"SELECT ({when})"],
    ).fetchone()
    tree = json.loads(answer[0] if answer else "{}")
    return tuple(_ways(tree["statements"][0]["node"]["select_list"][0]))


def _ways(node: Mapping[str, Any]) -> list[Way]:
    if node["type"] == "CONJUNCTION_OR":
        return [way for child in node["children"] for way in _ways(child)]
    if node["type"] == "CONJUNCTION_AND":
        parts = [_ways(child) for child in node["children"]]
        product = list(itertools.islice(itertools.product(*parts), MOST_WAYS + 1))
        if len(product) > MOST_WAYS:
            return [()]
        return [tuple(itertools.chain(*way)) for way in product]
    if node["type"] == "COMPARE_IN":
        signal, *values = (_leaf(child) for child in node["children"])
        return [_one(signal, "=", value) for value in values]
    return [_simple(node)]


def _simple(node: Mapping[str, Any]) -> Way:
    if node["class"] == "COLUMN_REF":
        return _one(_leaf(node), "=", True)
    if node["type"] in _SIGNS:
        left, right = _leaf(node["left"]), _leaf(node["right"])
        sign = _SIGNS[node["type"]]
        if isinstance(right, _Signal):
            return _one(right, _MIRRORED[sign], left)
        return _one(left, sign, right)
    if node["type"] in ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"):
        return _one(_leaf(node["children"][0]), "null", node["type"] == "OPERATOR_IS_NULL")
    if node["type"] == "OPERATOR_NOT":
        return _one(_leaf(node["children"][0]), "=", False)
    return ()


@dataclass(frozen=True)
class _Signal:
    name: str


def _leaf(node: Mapping[str, Any]) -> _Signal | Value | None:
    """A column, a constant, or None for anything else."""
    if node["class"] == "COLUMN_REF":
        return _Signal(node["column_names"][-1])
    if node["class"] != "CONSTANT" or "literal" not in node:
        return None
    kind, text = node["literal"]["kind"], node["literal"].get("text", "")
    if kind == "BOOLEAN":
        return bool(text == "true")
    if kind == "INTEGER":
        return int(text)
    return float(text) if kind == "NUMERIC" else str(text)


def _one(signal: _Signal | Value | None, sign: str, value: _Signal | Value | None) -> Way:
    if isinstance(signal, _Signal) and value is not None and not isinstance(value, _Signal):
        return (Condition(signal.name, sign, value),)
    return ()
