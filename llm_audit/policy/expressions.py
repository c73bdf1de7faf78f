"""One expression of a rule: parsed, held against an allow-list, tried, and printed anew.

What is wrong with it is said with its place in the text, in characters, as an editor counts them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_audit.errors import PolicyError
from llm_audit.policy.parts import Rule
from llm_audit.policy.places import Place
from llm_audit.policy.refusal import nearest, refusal
from llm_audit.policy.signals import SIGNALS

if TYPE_CHECKING:
    import duckdb

_EXAMPLE = {
    column.name: {"BOOLEAN": True, "VARCHAR": "text"}.get(column.sql_type, 1) for column in SIGNALS
}
"""A row without NULLs: a type that does not fit shows here and not in the middle of a report."""

_LARGE = _EXAMPLE | {column.name: 2 * 10**9 for column in SIGNALS if column.sql_type == "BIGINT"}
"""The same with counts that only a huge log has: what overflows does so here."""

_ALLOWED_CLASSES = frozenset(
    ("CONJUNCTION", "COMPARISON", "OPERATOR", "BETWEEN", "COLUMN_REF", "CONSTANT", "FUNCTION")
)
_ALLOWED_FUNCTIONS = frozenset(
    ("+", "-", "*", "/", "~~", "!~~", "abs", "least", "greatest", "lower")
)

_SPELLED = {"~~*": "ILIKE", "!~~*": "ILIKE", "~~~": "GLOB", "like_escape": "ESCAPE"}
"""Functions whose name is not what the user wrote."""

_PREFIX = "SELECT ("
"""What stands before an expression when it is parsed; positions are counted behind it."""

_ONE_EXPRESSION = frozenset(
    ("type", "cte_map", "select_list", "from_table", "aggregate_handling", "modifiers")
)
"""The parts that the syntax tree of `SELECT (expression)` has; `modifiers` only empty."""


def parsed(connection: duckdb.DuckDBPyConnection, rule: Rule) -> str:
    """The rule's expression as the parser prints it, after an allow-list and a dry binding.

    Printing it anew drops comments and closes every bracket, so that it can stand inside the
    generated SELECT without touching its neighbours.
    """
    try:
        return _parsed(connection, rule)
    except RecursionError:
        raise refusal(_place(rule, len(_PREFIX)), "nested too deeply", slug="rule-when") from None


def _parsed(connection: duckdb.DuckDBPyConnection, rule: Rule) -> str:
    import duckdb

    tree = _syntax_tree(connection, rule)
    _check_node(rule, tree)
    row = connection.execute(
        "SELECT json_deserialize_sql(json_serialize_sql(CAST(? AS VARCHAR)))",
        [f"{_PREFIX}{rule.when}\n)"],
    ).fetchone()
    expression = str(row[0] if row else "").removeprefix("SELECT ")
    try:
        answer = ask(connection, expression, _EXAMPLE)
        if not rule.is_packaged:
            ask(connection, expression, _LARGE)
    except duckdb.Error as error:
        raise _unfit(rule, _misfit(connection, rule), rule.when, error) from None
    if not isinstance(answer, bool):
        raise refusal(
            _place(rule, len(_PREFIX)),
            f"`{rule.when.strip()}` is not a yes-or-no expression",
            slug="rule-when",
            hint="compare the column with something, such as share_streaming >= 0.5",
        )
    if not rule.is_packaged:
        _check_pieces(connection, rule, tree)
    return expression


def _check_pieces(
    connection: duckdb.DuckDBPyConnection, rule: Rule, node: Mapping[str, Any]
) -> None:
    """Try every comparison alone: AND and OR may have skipped it, and would not on other rows."""
    import duckdb

    if node["class"] in ("COMPARISON", "BETWEEN", "OPERATOR"):
        read = (_PREFIX + rule.when).encode()
        start, end = _span(node)
        piece = replace(rule, when=read[start:end].decode(errors="replace"))
        try:
            connection.execute(f"{_PREFIX}{piece.when}\n) FROM signals").fetchall()
        except duckdb.ParserException:
            return  # its brackets were left out: the whole has run, so nothing is lost
        except duckdb.Error as error:
            raise _unfit(rule, start, piece.when, error) from None
    for child in _children(node):
        _check_pieces(connection, rule, child)


def _span(node: Mapping[str, Any]) -> tuple[int, int]:
    """First byte of a piece of the text and the one behind it, brackets around it left out."""
    own = int(node.get("query_location", _NOWHERE))
    spans = [_span(child) for child in _children(node)]
    if own < _NOWHERE:
        spans.append((own, own + int(node.get("query_location_length", 0))))
    return min((s for s, _ in spans), default=_NOWHERE), max((e for _, e in spans), default=0)


_NOWHERE = 2**63
"""DuckDB writes the largest unsigned number where it knows no place."""


def _unfit(rule: Rule, byte: int | None, text: str, error: Exception) -> PolicyError:
    return refusal(
        _place(rule, byte),
        f"`{text.strip()}` does not fit the signals: {first_line(error)}",
        slug="rule-when",
        hint="compare numbers with numbers and texts with 'texts'; after a report, "
        '`llm-audit sql "DESCRIBE signals"` prints the type of every signal',
    )


def _misfit(connection: duckdb.DuckDBPyConnection, rule: Rule) -> int | None:
    """The byte of the user's own text at which binding or running it fails; None: not known."""
    import duckdb

    connection.execute("SET errors_as_json = true")
    try:
        connection.execute(f"{_PREFIX}{rule.when}\n) FROM signals").fetchall()
    except duckdb.Error as error:
        _, _, document = str(error).partition(": ")
        try:
            return int(json.loads(document)["position"])
        except (ValueError, KeyError, TypeError):
            return None
    finally:
        connection.execute("SET errors_as_json = false")
    return None


def _place(rule: Rule, byte: int | None) -> Place:
    """Where a byte of `SELECT (when` stands: its line and column in the file, if it is known."""
    place = rule.place.at("when", f"rule {rule.code}, `when`")
    read = (_PREFIX + rule.when).encode()
    if byte is None or not len(_PREFIX) <= byte <= len(read):
        return place
    return replace(place, inside=len(read[:byte].decode(errors="ignore")) - len(_PREFIX))


def _syntax_tree(connection: duckdb.DuckDBPyConnection, rule: Rule) -> Mapping[str, Any]:
    row = connection.execute(
        "SELECT json_serialize_sql(CAST(? AS VARCHAR), skip_null := true, skip_empty := true)",
        [f"{_PREFIX}{rule.when}\n)"],
    ).fetchone()
    answer: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if answer["error"]:
        raise _unparsable(rule, answer)
    node = answer["statements"][0]["node"]
    if (
        len(answer["statements"]) != 1
        or set(node) - _ONE_EXPRESSION
        or node.get("modifiers")
        or node["from_table"]["type"] != "EMPTY"
        or len(node["select_list"]) != 1
    ):
        raise refusal(
            _place(rule, len(_PREFIX)),
            "`when` must be one expression",
            slug="rule-when",
            hint="no FROM, no UNION, no second column: comparisons of signal columns",
        )
    tree: Mapping[str, Any] = node["select_list"][0]
    return tree


def _unparsable(rule: Rule, answer: Mapping[str, Any]) -> PolicyError:
    """What the parser says; where it stumbles over our own bracket, something is missing."""
    byte = int(answer.get("position", len(_PREFIX)))
    end = len((_PREFIX + rule.when).encode())
    message = str(answer.get("error_message", "cannot be parsed"))
    return refusal(
        _place(rule, min(byte, end)),
        message if byte < end else "syntax error: the expression ends where something is missing",
        slug="rule-when",
        hint="`when` is one expression over signal columns, without `;`",
    )


def _check_node(rule: Rule, node: Mapping[str, Any]) -> None:
    """Walk the syntax tree; only comparisons, logic and arithmetic over signal columns pass."""
    kind = node["class"]
    name = node.get("function_name", "")
    place = _place(rule, node.get("query_location"))
    if kind not in _ALLOWED_CLASSES or (kind == "FUNCTION" and name not in _ALLOWED_FUNCTIONS):
        raise refusal(
            place,
            f"{_SPELLED.get(name, name) or kind.lower()} is not allowed",
            slug="rule-when",
            hint="allowed: comparisons, LIKE, AND, OR, NOT, IN, BETWEEN, IS NULL, arithmetic and "
            + ", ".join(sorted(f for f in _ALLOWED_FUNCTIONS if f.isalpha())),
        )
    if kind == "COLUMN_REF":
        check_column(".".join(node["column_names"]), place)
    for child in _children(node):
        _check_node(rule, child)


def _children(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The expressions directly inside this one; a function's stand in wrappers of their own."""
    for value in node.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict) and "class" in child:
                yield child
            elif isinstance(child, dict) and "expression" in child:
                yield child["expression"]


def check_column(name: str, place: Place) -> None:
    """Errors: `PolicyError` naming the nearest signal, if there is none of this name."""
    known = [column.name for column in SIGNALS]
    if name not in known:
        raise refusal(
            place,
            f"there is no signal `{name}`",
            slug="unknown-signal",
            hint=nearest(name, known),
        )


def first_line(error: Exception) -> str:
    """What went wrong, without the copy of the query that DuckDB adds."""
    return str(error).splitlines()[0]


def ask(
    connection: duckdb.DuckDBPyConnection, expression: str, row: Mapping[str, Any]
) -> bool | None:
    """The answer of an expression that passed the allow-list on one row of signals."""
    marks = ", ".join("?" for _ in row)
    connection.execute("DELETE FROM signals")
    connection.execute(f"INSERT INTO signals VALUES ({marks})", list(row.values()))  # noqa: S608
    answer = connection.execute(f"SELECT {expression} FROM signals").fetchone()  # noqa: S608
    return answer[0] if answer else None
