"""Judges made-up rows of signals by the rules of a policy, in a database in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from llm_audit import scoring
from llm_audit.explain.conditions import Way, ways
from llm_audit.explain.rows import Row, rows
from llm_audit.policy import Policy

if TYPE_CHECKING:
    import duckdb

RunSteps = Callable[["duckdb.DuckDBPyConnection", int, int], None]
"""`pipeline.run_steps`: connection, first and last number of the steps in `sql/`."""


@dataclass(frozen=True)
class Outcome:
    """What the rules make of a row of signals."""

    label: str
    verdicts: Mapping[str, str]
    scores: Mapping[str, float]
    fired: frozenset[str]


class Laboratory:
    """A policy's rules, to be asked about cases that are not in the log."""

    def __init__(self, policy: Policy, run_steps: RunSteps) -> None:
        self.policy = policy
        self._run_steps = run_steps

    def judge(self, connection: duckdb.DuckDBPyConnection, cases: Sequence[Row]) -> list[Outcome]:
        """The outcome of each row; its columns are those of `signals` in `connection`."""
        import duckdb

        with duckdb.connect(config={"threads": 1}) as memory:
            declared = ", ".join(
                f'"{name}" {kind}'
                for name, kind, *_ in connection.execute("DESCRIBE signals").fetchall()
            )
            memory.execute(f"CREATE TABLE signals ({declared})")
            for number, case in enumerate(cases):
                row = {**case, "case_no": number}
                names = ", ".join(f'"{name}"' for name in row)
                marks = ", ".join("?" for _ in row)
                memory.execute(
                    f"INSERT INTO signals ({names}) VALUES ({marks})",  # noqa: S608
                    list(row.values()),
                )
            scoring.create_rule_tables(memory, self.policy)
            memory.execute(f"CREATE TABLE rule_scores AS {scoring.rule_scores_sql(self.policy)}")
            self._run_steps(memory, 30, 32)
            return _outcomes(memory)

    @cached_property
    def ways(self) -> tuple[tuple[Way, ...], ...]:
        """The ways of every rule, in the order of the policy."""
        import duckdb

        with duckdb.connect(config={"threads": 1}) as memory:
            return tuple(ways(memory, rule.when) for rule in self.policy.rules)


def _outcomes(memory: duckdb.DuckDBPyConnection) -> list[Outcome]:
    scores: dict[int, dict[str, float]] = {}
    verdicts: dict[int, dict[str, str]] = {}
    for row in rows(memory, "SELECT * FROM criterion_scores"):
        scores.setdefault(row["case_no"], {})[row["criterion"]] = row["score"]
        verdicts.setdefault(row["case_no"], {})[row["criterion"]] = row["verdict"]
    fired: dict[int, list[str]] = {}
    for row in rows(memory, "SELECT case_no, code FROM rule_hits"):
        fired.setdefault(row["case_no"], []).append(row["code"])
    return [
        Outcome(
            row["label"],
            verdicts[row["case_no"]],
            scores[row["case_no"]],
            frozenset(fired.get(row["case_no"], ())),
        )
        for row in rows(memory, "SELECT * FROM case_labels ORDER BY case_no")
    ]
