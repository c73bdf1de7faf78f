"""Policy -> the one generated SELECT, `rule_scores`, and the small tables beside it.

Everything else about labels is a file in `sql/`. Only this SELECT must be generated, because rules
are data: it asks each rule once per case (not per call) and packs the answers into a bit mask. The
expressions in it went through the allow-list of `policy`; all other texts travel as parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_audit.policy import MASK_RULES, Policy, Rule, evidence_parts
from llm_audit.policy.globs import like_pattern

if TYPE_CHECKING:
    import duckdb

_TABLES = (
    "CREATE OR REPLACE TABLE rules (word BIGINT, bit BIGINT, code VARCHAR, criterion VARCHAR, "
    "kind VARCHAR, weight DOUBLE, why VARCHAR, own BOOLEAN, text_0 VARCHAR, name_1 VARCHAR, "
    "text_1 VARCHAR, name_2 VARCHAR, text_2 VARCHAR, name_3 VARCHAR, text_3 VARCHAR)",
    "CREATE OR REPLACE TABLE thresholds (supported DOUBLE, hinted DOUBLE, contradicted DOUBLE)",
    "CREATE OR REPLACE TABLE words (word VARCHAR, kind VARCHAR)",
    "CREATE OR REPLACE TABLE tag_keys (key VARCHAR, kind VARCHAR)",
    "CREATE OR REPLACE TABLE overrides (position BIGINT, caller_like VARCHAR, "
    "workload_like VARCHAR, model_like VARCHAR, operation_like VARCHAR, label VARCHAR, "
    "tolerance_s DOUBLE, sentence VARCHAR, names VARCHAR, because VARCHAR, signed_by VARCHAR, "
    "until_day DATE)",
    "CREATE OR REPLACE TABLE policy_meta (sha256 VARCHAR, words BOOLEAN)",
)


def create_rule_tables(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Write the policy as the tables `rules`, `thresholds`, `words`, `overrides`, `policy_meta`.

    To be called before the steps 10-39: names and overrides are matched early.
    """
    for statement in _TABLES:
        connection.execute(statement)
    limits = policy.thresholds
    _insert(connection, "thresholds", [(limits.supported, limits.hinted, limits.contradicted)])
    _insert(connection, "policy_meta", [(policy.sha256, any(policy.words.values()))])
    packaged = {rule.code: rule.weight for rule in Policy.load().rules}
    _insert(
        connection,
        "rules",
        [
            _rule_row(number, rule, own=packaged.get(rule.code) != rule.weight)
            for number, rule in enumerate(policy.rules)
        ],
    )
    _insert(
        connection,
        "words",
        [(word, kind) for kind, words in policy.words.items() for word in words],
    )
    _insert(
        connection,
        "tag_keys",
        [(key, kind) for kind, keys in policy.tags.items() for key in keys],
    )
    _insert(
        connection,
        "overrides",
        [
            (
                number,
                like_pattern(override.caller),
                like_pattern(override.workload),
                like_pattern(override.model),
                like_pattern(override.operation),
                override.label,
                override.tolerance_s,
                override.sentence,
                override.names,
                override.because,
                override.by,
                override.until,
            )
            for number, override in enumerate(policy.overrides)
        ],
    )


def rule_scores_sql(policy: Policy) -> str:
    """The SELECT of `rule_scores`: case_no, fired_rules, more_fired_rules.

    Bit n set: rule n fired; NULL does not. Bits follow the order of `policy.rules`, as in the
    `rules` table, and go on in the second mask after `MASK_RULES` rules.
    """
    first, more = policy.rules[:MASK_RULES], policy.rules[MASK_RULES:]
    return (
        f"SELECT\n  case_no,\n  {_mask(first)}\n  AS fired_rules,\n"
        f"  {_mask(more)}\n  AS more_fired_rules\nFROM signals"
    )


def _mask(rules: Sequence[Rule]) -> str:
    bits = [
        f"CASE WHEN {rule.when} THEN {1 << number} ELSE 0 END  -- {_comment(rule.code)}"
        for number, rule in enumerate(rules)
    ]
    return "\n  + ".join(["CAST(0 AS BIGINT)", *bits])


def _rule_row(number: int, rule: Rule, *, own: bool) -> tuple[object, ...]:
    """own: the user's rule, or one of ours at a weight of theirs."""
    texts, names = evidence_parts(rule.evidence)
    parts = (texts[0], names[0], texts[1], names[1], texts[2], names[2], texts[3])
    word, place = divmod(number, MASK_RULES)
    row = (word, 1 << place, rule.code, rule.criterion, rule.kind, rule.weight, rule.why, own)
    return (*row, *parts)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[object, ...]]
) -> None:
    """All rows in one statement; the values are parameters, the table's name is our own."""
    if rows:
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
        connection.execute(
            f"INSERT INTO {table} VALUES {marks}",  # noqa: S608
            [value for row in rows for value in row],
        )


def _comment(code: str) -> str:
    return "".join(letter for letter in code if letter.isalnum() or letter in "_-")
