"""Rules -> the same rules with expressions that are safe to put into the generated SELECT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_audit.errors import PolicyError
from llm_audit.policy.expressions import ask, check_column, first_line, parsed
from llm_audit.policy.parts import OVERRIDE_CODE, Rule
from llm_audit.policy.refusal import refusal
from llm_audit.policy.signals import SIGNALS

if TYPE_CHECKING:
    import duckdb

MASK_RULES = 62
"""One bit of a signed 64-bit mask per rule, with a bit to spare."""

MAX_RULES = 2 * MASK_RULES
"""Two masks: `fired_rules` holds the first 62 rules, `more_fired_rules` the others."""

MAX_PLACEHOLDERS = 3
"""Signals that one evidence sentence may name."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


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
        safe = tuple(replace(rule, when=parsed(connection, rule)) for rule in rules)
        for rule in safe:
            if not rule.is_packaged:  # the packaged rows run in the test suite
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
    taken = {OVERRIDE_CODE}
    for rule in rules:
        if rule.code in taken:
            raise refusal(
                rule.place.at("code"), "the code is taken", slug="rule-code",
                hint="choose another; a packaged rule is changed under [rules]",
            )  # fmt: skip
        taken.add(rule.code)


def _run_literal_rows(connection: duckdb.DuckDBPyConnection, rule: Rule) -> None:
    """The user's own `tests`: signals that are set, all others NULL, and whether it fires."""
    import duckdb

    for number, row in enumerate(rule.tests, start=1):
        place = rule.place.at("tests").at(number - 1, f"rule {rule.code}, test {number}")
        if not isinstance(row, dict) or not isinstance(row.get("expect"), bool):
            raise refusal(place, "needs `expect = true` or false", slug="rule-test")
        cells = {name: value for name, value in row.items() if name != "expect"}
        for name, value in cells.items():
            check_column(name, place.at(name))
            if not isinstance(value, bool | int | float | str):
                raise refusal(place.at(name), f"`{name}` must be one value", slug="rule-test")
        try:
            fired = ask(connection, rule.when, {c.name: cells.get(c.name) for c in SIGNALS})
        except duckdb.Error as error:
            raise refusal(place, first_line(error), slug="rule-test") from None
        if bool(fired) != row["expect"]:
            fires = "fires" if fired else "does not fire"
            raise refusal(place, f"the rule {fires} on this row", slug="rule-test")


def _check_evidence(rule: Rule) -> None:
    place = rule.place.at("evidence", f"rule {rule.code}, `evidence`")
    found = list(_PLACEHOLDER.finditer(rule.evidence))
    if len(found) > MAX_PLACEHOLDERS:
        raise refusal(place, f"has more than {MAX_PLACEHOLDERS} placeholders", slug="rule-evidence")
    for placeholder in found:
        check_column(placeholder[1], replace(place, inside=placeholder.start(1)))
    other = re.search(r"[{}]", _PLACEHOLDER.sub(lambda m: " " * len(m[0]), rule.evidence))
    if other:
        raise refusal(
            replace(place, inside=other.start()),
            f"a {other[0]} that belongs to no placeholder",
            slug="rule-evidence",
            hint="write a signal's name alone between braces, such as {calls}",
        )


def evidence_parts(sentence: str) -> tuple[list[str], list[str | None]]:
    """Four literal pieces and three signal names (None where there are fewer placeholders)."""
    pieces = _PLACEHOLDER.split(sentence.strip())
    texts = pieces[0::2] + [""] * (MAX_PLACEHOLDERS + 1)
    names: list[str | None] = [*pieces[1::2], None, None, None]
    return texts[: MAX_PLACEHOLDERS + 1], names[:MAX_PLACEHOLDERS]
