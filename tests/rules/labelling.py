"""Runs the label steps for tests: over literal calls, or over literal rows of signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb

from llm_audit import pipeline, scoring
from llm_audit.policy import SIGNALS, Policy

START = datetime(2026, 11, 2, 1, 0)


def label_calls(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """From `calls` to `labels`, `reasons` and the tables between."""
    scoring.create_rule_tables(connection, policy)
    pipeline.run_steps(connection, 10, 29)
    _score(connection, policy)
    pipeline.run_steps(connection, 30, 39)


def insert_many(connection: duckdb.DuckDBPyConnection, calls: Sequence[Mapping[str, Any]]) -> None:
    """Literal calls, a hundred per statement: these cases need runs of hundreds."""
    columns = sorted({"source_format", "status", *(name for call in calls for name in call)})
    defaults = {"source_format": "test", "status": "ok"}
    row = f"({', '.join('?' for _ in columns)})"
    for start in range(0, len(calls), 100):
        part = calls[start : start + 100]
        values = [{**defaults, **call}.get(name) for call in part for name in columns]
        connection.execute(
            f"INSERT INTO calls ({', '.join(columns)}) VALUES {', '.join([row] * len(part))}",
            values,
        )


def label_signals(policy: Policy, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The `case_labels` of literal signal rows, in their order; what a row leaves out is NULL."""
    with duckdb.connect() as connection:
        write_signals(connection, rows)
        scoring.create_rule_tables(connection, policy)
        _score(connection, policy)
        pipeline.run_steps(connection, 30, 32)
        return fetch(connection, "SELECT * FROM case_labels ORDER BY case_no")


def write_signals(connection: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    columns = ", ".join(f"{column.name} {column.sql_type}" for column in SIGNALS)
    connection.execute(
        f"CREATE TABLE signals ({columns}, case_no BIGINT, workload_no BIGINT, "
        "override_label VARCHAR)"
    )
    for number, row in enumerate(rows):
        cell = {"case_no": number, "workload_no": number, "workload_id": f"w_{number}", **row}
        marks = ", ".join("?" for _ in cell)
        connection.execute(
            f"INSERT INTO signals ({', '.join(cell)}) VALUES ({marks})", list(cell.values())
        )


def fetch(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Rows as dictionaries."""
    answer = connection.execute(query)
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def labels(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Label by call_id."""
    return dict(connection.execute("SELECT call_id, label FROM labels").fetchall())


def codes(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Codes of all reasons."""
    return {code for (code,) in connection.execute("SELECT code FROM reasons").fetchall()}


def a_call(number: int, at: float, **fields: Any) -> dict[str, Any]:
    """One plain call `at` seconds after START, two seconds long, one prompt of its own."""
    started = START + timedelta(seconds=at)
    return {
        "call_id": f"call-{number}",
        "provider_name": "openai",
        "operation_name": "chat",
        "request_model": "gpt-4.1",
        "caller": "svc",
        "started_at": started,
        "ended_at": started + timedelta(seconds=2),
        "is_streaming": False,
        "service_tier": "standard",
        "input_tokens": 800,
        "output_tokens": 200,
        "message_count": 2,
        "message_hashes": [1, 1000 + number],
        "has_tool_result": False,
        "client_timeout_s": 600.0,
        **fields,
    }


def list_run(first: int, count: int, at: float = 0.0, **fields: Any) -> list[dict[str, Any]]:
    """A program that drains a list with four calls in flight: each starts as another ends."""
    return [a_call(first + n, at + (n // 4) * 2.01 + 0.1 * (n % 4), **fields) for n in range(count)]


def dialogue(
    first: int, turns: int, at: float, *, seed: int, gap: float = 40.0, **fields: Any
) -> list[dict[str, Any]]:
    """A conversation: every prompt repeats the one before, the answer, and a new question."""
    history: list[int] = [1]
    calls = []
    for turn in range(turns):
        history = (
            [*history, seed * 1000 + turn * 2]
            if turn == 0
            else [
                *history,
                seed * 1000 + turn * 2 - 1,
                seed * 1000 + turn * 2,
            ]
        )
        calls.append(
            a_call(
                first + turn,
                at + turn * gap,
                message_hashes=list(history),
                message_count=len(history),
                **fields,
            )
        )
    return calls


def shifted(calls: Sequence[Mapping[str, Any]], hours: float) -> list[dict[str, Any]]:
    """The same calls some hours later."""
    step = timedelta(hours=hours)
    return [
        {**c, "started_at": c["started_at"] + step, "ended_at": c["ended_at"] + step} for c in calls
    ]


def _score(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE rule_scores AS {scoring.rule_scores_sql(policy)}")
