"""Rules -> the same rules with expressions that are safe to put into the generated SELECT."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_audit.errors import PolicyError
from llm_audit.policy.parts import PACKAGED, Rule
from llm_audit.policy.refusal import nearest, refusal
from llm_audit.policy.signals import SIGNALS

if TYPE_CHECKING:
    import duckdb

MAX_RULES = 62
"""One bit of a signed 64-bit mask per rule, with a bit to spare."""

MAX_PLACEHOLDERS = 3
"""Signals that one evidence sentence may name."""

_EXAMPLE = {
    column.name: {"BOOLEAN": True, "VARCHAR": "text"}.get(column.sql_type, 1) for column in SIGNALS
}
"""A row without NULLs: a type that does not fit shows here and not in the middle of a report."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ALLOWED_CLASSES = frozenset(
    ("CONJUNCTION", "COMPARISON", "OPERATOR", "BETWEEN", "COLUMN_REF", "CONSTANT", "FUNCTION")
)
_ALLOWED_FUNCTIONS = frozenset(
    ("+", "-", "*", "/", "~~", "!~~", "abs", "least", "greatest", "lower")
)


def checked(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The same rules with every expression in the parser's own words.

    Errors: `PolicyError` for an expression, a sentence or a literal row that does not fit.
    """
    import duckdb

    with duckdb.connect() as connection:
        columns = ", ".join(f"{column.name} {column.sql_type}" for column in SIGNALS)
        connection.execute(f"CREATE TABLE signals ({columns})")
        for rule in rules:
            _check_evidence(rule)
        safe = tuple(replace(rule, when=_parsed(connection, rule)) for rule in rules)
        for rule in safe:
            if rule.source != PACKAGED:  # the packaged rows run in the test suite
                _run_literal_rows(connection, rule)
    return safe


def check_together(rules: Sequence[Rule]) -> None:
    """Errors: `PolicyError` for a code that is taken, or more rules than the mask has bits."""
    if len(rules) > MAX_RULES:
        raise PolicyError(
            f"{len(rules)} rules, and a call can carry {MAX_RULES}",
            slug="too-many-rules",
            hint="switch some off under [rules]: CODE = false",
        )
    taken: set[str] = set()
    for rule in rules:
        if rule.code in taken:
            raise refusal(rule.source, f"rule {rule.code}", "the code is taken", slug="rule-code")
        taken.add(rule.code)


def _run_literal_rows(connection: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """The user's own `tests`: signals that are set, all others NULL, and whether it fires."""
    for number, row in enumerate(rule.tests, start=1):
        place = f"rule {rule.code}, test {number}"
        if not isinstance(row, dict) or not isinstance(row.get("expect"), bool):
            raise refusal(rule.source, place, "needs `expect = true` or false", slug="rule-test")
        cells = {name: value for name, value in row.items() if name != "expect"}
        for name in cells:
            _check_column(rule, name, f"test {number}")
        values = _ask(connection, rule, {c.name: cells.get(c.name) for c in SIGNALS})
        if bool(values) != row["expect"]:
            fires = "fires" if values else "does not fire"
            raise refusal(rule.source, place, f"the rule {fires} on this row", slug="rule-test")


def _ask(connection: duckdb.DuckDBPyConnection, rule: Rule, row: Mapping[str, Any]) -> bool | None:
    """The rule's answer on one row of signals."""
    import duckdb

    marks = ", ".join("?" for _ in row)
    try:
        connection.execute("DELETE FROM signals")
        insert = f"INSERT INTO signals VALUES ({marks})"  # noqa: S608
        connection.execute(insert, list(row.values()))
        answer = connection.execute(f"SELECT {rule.when} FROM signals").fetchone()  # noqa: S608
    except duckdb.Error as error:
        raise refusal(
            rule.source,
            f"rule {rule.code}",
            f"`{rule.when}` does not fit the signals: {str(error).splitlines()[0]}",
            slug="rule-when",
        ) from None
    return answer[0] if answer else None


def _check_evidence(rule: Rule) -> None:
    names = _PLACEHOLDER.findall(rule.evidence)
    if len(names) > MAX_PLACEHOLDERS:
        raise refusal(
            rule.source,
            f"rule {rule.code}",
            f"evidence has more than {MAX_PLACEHOLDERS} placeholders",
            slug="rule-evidence",
        )
    for name in names:
        _check_column(rule, name, "evidence")


def evidence_parts(sentence: str) -> tuple[list[str], list[str | None]]:
    """Four literal pieces and three signal names (None where there are fewer placeholders)."""
    pieces = _PLACEHOLDER.split(sentence)
    texts = pieces[0::2] + [""] * (MAX_PLACEHOLDERS + 1)
    names: list[str | None] = [*pieces[1::2], None, None, None]
    return texts[: MAX_PLACEHOLDERS + 1], names[:MAX_PLACEHOLDERS]


def _parsed(connection: duckdb.DuckDBPyConnection, rule: Rule) -> str:
    """The rule's expression as the parser prints it, after an allow-list and a dry binding.

    Printing it anew drops comments and closes every bracket, so that it can stand inside the
    generated SELECT without touching its neighbours.
    """
    prefix = "SELECT ("
    tree = _syntax_tree(connection, f"{prefix}{rule.when}\n)", rule, len(prefix))
    _check_node(rule, tree, len(prefix))
    row = connection.execute(
        "SELECT json_deserialize_sql(json_serialize_sql(CAST(? AS VARCHAR)))",
        [f"{prefix}{rule.when}\n)"],
    ).fetchone()
    expression = str(row[0] if row else "").removeprefix("SELECT ")
    answer = _ask(connection, replace(rule, when=expression), _EXAMPLE)
    if not isinstance(answer, bool):
        raise refusal(
            rule.source,
            f"rule {rule.code}",
            f"`{rule.when}` is not a yes-or-no expression",
            slug="rule-when",
            hint="compare the column with something, such as share_streaming >= 0.5",
        )
    return expression


def _syntax_tree(
    connection: duckdb.DuckDBPyConnection, sql: str, rule: Rule, offset: int
) -> Mapping[str, Any]:
    row = connection.execute(
        "SELECT json_serialize_sql(CAST(? AS VARCHAR), skip_null := true, skip_empty := true)",
        [sql],
    ).fetchone()
    answer: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if answer["error"]:
        position = int(answer.get("position", offset)) - offset + 1
        raise refusal(
            rule.source,
            f"rule {rule.code}, position {position} of `when`",
            str(answer.get("error_message", "cannot be parsed")),
            slug="rule-when",
            hint="`when` is one expression over signal columns, without `;`",
        )
    select = answer["statements"][0]["node"]["select_list"]
    if len(select) != 1:
        raise refusal(
            rule.source, f"rule {rule.code}", "`when` must be one expression", slug="rule-when"
        )
    tree: Mapping[str, Any] = select[0]
    return tree


def _check_node(rule: Rule, node: Mapping[str, Any], offset: int) -> None:
    """Walk the syntax tree; only comparisons, logic and arithmetic over signal columns pass."""
    kind = node["class"]
    name = node.get("function_name", "")
    position = int(node.get("query_location", offset)) - offset + 1
    if kind not in _ALLOWED_CLASSES or (kind == "FUNCTION" and name not in _ALLOWED_FUNCTIONS):
        raise refusal(
            rule.source,
            f"rule {rule.code}, position {position} of `when`",
            f"{name or kind.lower()} is not allowed",
            slug="rule-when",
            hint="use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, arithmetic and "
            + ", ".join(sorted(f for f in _ALLOWED_FUNCTIONS if f.isalpha())),
        )
    if kind == "COLUMN_REF":
        _check_column(rule, ".".join(node["column_names"]), f"position {position} of `when`")
    for value in node.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict) and "class" in child:
                _check_node(rule, child, offset)
            elif isinstance(child, dict) and "expression" in child:
                _check_node(rule, child["expression"], offset)


def _check_column(rule: Rule, name: str, place: str) -> None:
    known = [column.name for column in SIGNALS]
    if name not in known:
        raise refusal(
            rule.source,
            f"rule {rule.code}, {place}",
            f"there is no signal `{name}`",
            slug="unknown-signal",
            hint=nearest(name, known),
        )
