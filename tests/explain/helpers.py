"""Explaining literal calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from llm_audit import explain, pipeline
from llm_audit.explain.result import Call, Criterion, Explanation, Judgement, Workload
from llm_audit.policy import Policy
from tests.rules.labelling import fetch, insert_many

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AS_OF = date(2026, 11, 22)


def run(
    connection: duckdb.DuckDBPyConnection,
    calls: Sequence[Mapping[str, Any]],
    policy: Policy | None = None,
) -> None:
    """Insert the calls, each a line of one file, and make all tables."""
    insert_many(
        connection,
        [
            {"source_file": "/logs/a.jsonl", "source_line": n, "tokens_source": "reported", **call}
            for n, call in enumerate(calls, start=1)
        ],
    )
    pipeline.run(connection, policy or Policy.load(), AS_OF)


def explained(
    connection: duckdb.DuckDBPyConnection, name: str, policy: Policy | None = None
) -> Explanation:
    """The explanation of a name, from the tables that `run` has made."""
    return explain.build(
        connection,
        policy or Policy.load(),
        explain.find(connection, name),
        run_steps=pipeline.run_steps,
        now=NOW,
        tool_version="0.1.0",
    )


def workload(
    connection: duckdb.DuckDBPyConnection, name: str, policy: Policy | None = None
) -> Workload:
    found = explained(connection, name, policy).workload
    assert found is not None
    return found


def call(connection: duckdb.DuckDBPyConnection, call_id: str) -> Call:
    found = explained(connection, call_id).call
    assert found is not None
    return found


def codes(criterion: Criterion) -> set[str]:
    reasons = (*criterion.for_batch, *criterion.against, *criterion.notes)
    return {reason.code for reason in reasons}


def assert_equals_tables(connection: duckdb.DuckDBPyConnection, judgement: Judgement) -> None:
    """Label, scores, verdicts and the rules that fired are those of the case's rows."""
    case_no = judgement.case_no
    [case] = fetch(connection, f"SELECT * FROM case_labels WHERE case_no = {case_no}")
    for name in ("label", "score", "confidence", "case_calls", "deadline_risk"):
        assert getattr(judgement, name) == case[name]
    scores = fetch(connection, f"SELECT * FROM criterion_scores WHERE case_no = {case_no}")
    assert {(c.criterion, c.verdict, c.score) for c in judgement.criteria} == {
        (row["criterion"], row["verdict"], row["score"]) for row in scores
    }
    hits = fetch(connection, f"SELECT code, criterion FROM rule_hits WHERE case_no = {case_no}")
    assert {(code, c.criterion) for c in judgement.criteria for code in codes(c)} == {
        (row["code"], row["criterion"]) for row in hits
    }
    lowest = {c.criterion for c in judgement.criteria if c.score == judgement.score}
    assert lowest & set(judgement.weakest)
