"""The gate of DESIGN section 8: what in a SELECT Spark would refuse or answer otherwise.

Names are held against `allowed.toml`; what a name cannot say is a condition here. Two conditions
need types, so a SELECT is judged with the columns of the tables it reads.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from tests.portable.spark import is_any_number, parse

ALLOWED = Path(__file__).with_name("allowed.toml")

INTEGERS = exp.DataType.INTEGER_TYPES
DECIMALS_OF_A_DOUBLE = 10
"""A DOUBLE is rounded to a decimal alike where its own last digits (of fifteen) play no part."""

Schema = Mapping[str, Mapping[str, str]]
"""Columns and their DuckDB types, by table."""


@cache
def allowed() -> dict[str, Any]:
    data = tomllib.loads(ALLOWED.read_text(encoding="utf-8"))
    names = [name for group in data["group"] for name in group["names"]]
    return {**data, "names": frozenset(names)}


def faults(select: str, schema: Schema) -> list[str]:
    """Everything in one SELECT that is not portable; empty if nothing is.

    Errors: `sqlglot.errors.SqlglotError` for what is no SQL or names no such column.
    """
    tree = parse(select)
    found = [
        f"{fault}: {node.sql('duckdb')[:100]}"
        for node in tree.walk()
        for fault in (*_by_name(node), *_by_form(node))
    ]
    if found:
        return found
    columns = MappingSchema({name: dict(table) for name, table in schema.items()}, dialect="duckdb")
    typed = annotate_types(qualify(tree, schema=columns, dialect="duckdb"), schema=columns)
    return [
        f"{fault}: {node.sql('duckdb')[:100]}" for node in typed.walk() for fault in _by_type(node)
    ]


def _by_name(node: exp.Expr) -> Iterator[str]:
    rules, name = allowed(), type(node).__name__
    if isinstance(node, exp.Anonymous):
        yield f"the function {node.name}() is not one that sqlglot can translate"
    elif name not in rules["names"]:
        yield f"{name} is in no group of allowed.toml"
    if isinstance(node, exp.DataType) and node.this.value not in rules["types"]:
        yield f"the type {node.this.value}"
    for part in set(_parts(node)) - set(rules["parts"].get(name, _parts(node))):
        yield f"{name} with {part}"


def _parts(node: exp.Expr) -> list[str]:
    return [part for part, value in node.args.items() if value]


def _by_form(node: exp.Expr) -> Iterator[str]:
    """Conditions that the words of the SELECT tell."""
    for kinds, holds, fault in _FORMS:
        if isinstance(node, kinds) and not holds(node):
            yield fault


def _is_ordered(node: exp.Expr) -> bool:
    window = node.parent
    while isinstance(window, exp.IgnoreNulls):
        window = window.parent
    if not isinstance(window, exp.Window):
        return False
    return bool(window.args.get("order") or window.alias) or is_any_number(window)


def _is_from_the_end_and_guarded(node: exp.Expr) -> bool:
    """`list[array_length(list)]` in a CASE: Spark refuses an index where DuckDB has NULL.

    A column in the index needs a cast: sqlglot counts from 0 only where it sees an integer.
    """
    bare = [
        column
        for column in node.expressions[0].find_all(exp.Column)
        if not isinstance(column.parent, exp.ArraySize | exp.Cast)
    ]
    return not bare and bool(node.find(exp.ArraySize)) and bool(node.find_ancestor(exp.Case))


def _stands_alone(node: exp.Expr) -> bool:
    """One unnest, as a column of a SELECT: Spark takes no more, and in no expression."""
    holder = node.parent.parent if isinstance(node.parent, exp.Alias) else node.parent
    if not isinstance(holder, exp.Select):
        return False
    return sum(1 for column in holder.expressions if column.find(exp.Explode)) == 1


_Form = tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[[Any], bool], str]
_FORMS: tuple[_Form, ...] = (
    (
        exp.Join,
        lambda node: node.side in {"", "LEFT"} and node.kind in {"", "INNER", "CROSS"},
        "a join that is none of INNER, LEFT and CROSS",
    ),
    (
        (exp.RowNumber, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue),
        _is_ordered,
        "a window function without an order",
    ),
    (
        exp.DateDiff,
        lambda node: node.text("unit").upper() in {"MICROSECOND", "DAY"},
        "date_diff in a unit that DuckDB counts by boundaries and Spark by whole units",
    ),
    (
        exp.Interval,
        lambda node: node.text("unit").upper() in {"SECOND", "HOUR", "DAY"},
        "an interval whose length depends on the calendar",
    ),
    (exp.Bracket, _is_from_the_end_and_guarded, "an index that Spark may refuse"),
    (exp.Explode, _stands_alone, "an unnest that is not the one of its SELECT"),
    (
        exp.RegexpReplace,
        lambda node: "g" in node.text("modifiers"),
        "regexp_replace of the first match only: Spark replaces all",
    ),
    (
        exp.GroupConcat,
        lambda node: node.find(exp.Order) is not None,
        "string_agg without an order",
    ),
    (
        exp.Like,
        lambda node: not isinstance(node.parent, exp.Escape) or node.parent.expression.name == "\\",
        "LIKE with another escape than Spark's own",
    ),
)


def _by_type(node: exp.Expr) -> Iterator[str]:
    """Conditions that need the types of columns."""
    if isinstance(node, exp.Cast):
        if node.to.is_type(*INTEGERS) and not _is_exact(node.this):
            yield "a cast of other than integers and texts to an integer"
        if (
            node.to.is_type("decimal")
            and _is_double(node.this)
            and _scale(node.to) > (DECIMALS_OF_A_DOUBLE)
        ):
            yield f"a DOUBLE with more than {DECIMALS_OF_A_DOUBLE} decimals"
    elif isinstance(node, exp.Div) and not (_is_double(node.left) or _is_double(node.right)):
        yield "a division without a DOUBLE"
    elif isinstance(node, exp.DateDiff) and node.text("unit").upper() == "DAY":
        if not (node.this.is_type("date") and node.expression.is_type("date")):
            yield "date_diff in days of something else than dates"
    elif isinstance(node, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE):
        both = (node.left, node.right)
        sides = [side.type for side in both if side.type and side.is_type("decimal")]
        if len(sides) == 2 and max(map(_whole, sides)) + max(map(_scale, sides)) > 38:
            yield "a comparison of decimals that only 39 digits could hold"


def _is_exact(node: exp.Expr) -> bool:
    return node.is_type(*INTEGERS, "text", "varchar", "boolean")


def _is_double(node: exp.Expr) -> bool:
    """Whether a DOUBLE column, cast or function is in it; sqlglot takes 3600.0 for one too."""
    leaves = (exp.Column, exp.Cast, exp.Func)
    return node.is_type("double") and any(each.is_type("double") for each in node.find_all(*leaves))


def _scale(type_: exp.DataType) -> int:
    return int(type_.expressions[1].name) if len(type_.expressions) > 1 else 0


def _whole(type_: exp.DataType) -> int:
    return int(type_.expressions[0].name) - _scale(type_) if type_.expressions else 38
