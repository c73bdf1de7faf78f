"""What explain says to add to a log is what ingest reads: each is added to a record here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit.explain.fields import coverage, fields
from tests.explain.helpers import run, workload
from tests.ingest.helpers import audit, chat, jsonl, message, write
from tests.rules.labelling import a_call, list_run

GATEWAY = {
    "call_type": "acompletion",
    "status": "success",
    "id": "chatcmpl-1",
    "model": "gpt-4.1",
    "startTime": 1_790_000_000.0,
    "prompt_tokens": 10,
    "completion_tokens": 3,
}
BARE: dict[str, dict[str, Any]] = {
    "openai_chat": {"request": {"model": "gpt-4.1-mini"}, "response": chat()},
    "anthropic_messages": {"request": {"model": "claude-sonnet-4-5"}, "response": message()},
    "litellm_slp": GATEWAY,
    "generic": {"model": "gpt-4.1", "input_tokens": 10, "output_tokens": 3, "id": "x"},
}
"""A record of each kind that tells as little as it may."""

MESSAGES = [{"role": "user", "content": "Hello?"}]
ADDED = [
    ("declared_tolerance_s", "openai_chat", "tags", ["max_delay:24h"]),
    ("declared_tolerance_s", "litellm_slp", "request_tags", ["max_delay:24h"]),
    ("declared_tolerance_s", "generic", "declared_tolerance_s", 86400),
    ("message_hashes", "openai_chat", "request.messages", MESSAGES),
    ("message_hashes", "anthropic_messages", "request.messages", MESSAGES),
    ("message_hashes", "litellm_slp", "messages", MESSAGES),
    ("has_tool_result", "generic", "has_tool_result", True),
    ("is_streaming", "generic", "is_streaming", False),
    (
        "client_timeout_s",
        "openai_chat",
        "request_headers",
        {"x-stainless-read-timeout": "30"},
    ),
    (
        "client_timeout_s",
        "litellm_slp",
        "metadata.requester_custom_headers",
        {"x-litellm-timeout": "30"},
    ),
    ("client_timeout_s", "generic", "client_timeout_s", 30),
    ("scheduler", "anthropic_messages", "tags", ["k8s_cronjob:nightly"]),
    ("scheduler", "litellm_slp", "request_tags", ["dag_id:nightly"]),
    ("scheduler", "generic", "scheduler", "cron"),
    ("end_user_hash", "openai_chat", "request.user", "u1"),
    ("end_user_hash", "anthropic_messages", "request.metadata.user_id", "u1"),
    ("end_user_hash", "litellm_slp", "end_user", "u1"),
    ("conversation_id", "openai_chat", "session_id", "s1"),
    ("conversation_id", "litellm_slp", "session_id", "s1"),
    ("conversation_id", "generic", "conversation_id", "s1"),
    ("started_at", "anthropic_messages", "timestamp", "2026-10-01T10:00:00.123Z"),
    ("started_at", "generic", "started_at", "2026-10-01T10:00:00.123Z"),
    ("ended_at", "litellm_slp", "endTime", 1_790_000_002.5),
    ("max_output_tokens", "openai_chat", "request.max_tokens", 500),
    ("max_output_tokens", "litellm_slp", "model_parameters.max_tokens", 500),
    ("service_tier", "litellm_slp", "response.service_tier", "default"),
    ("caller", "openai_chat", "service", "svc"),
    ("caller", "generic", "caller", "svc"),
]
"""A column of `calls`, a format, the field that explain says to add, and a value for it."""


def with_field(record: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    inner = with_field(record.get(first) or {}, rest, value) if rest else value
    return {**record, first: inner}


@pytest.mark.parametrize(("column", "source_format", "path", "value"), ADDED)
def test_what_is_to_be_added_is_read(
    tmp_path: Path, column: str, source_format: str, path: str, value: Any
) -> None:
    [fact] = [fact for fact in fields() if column in fact.columns]
    assert f"`{path}`" in fact.how[source_format]
    bare = BARE[source_format]
    read = []
    for name, record in (("bare", bare), ("told", with_field(bare, path, value))):
        file = write(tmp_path / name / "log.jsonl", jsonl(record))
        with audit() as made:
            made.ingest(file)
            read += made.rows(f"SELECT source_format, {column} FROM calls")
    assert [row[0] for row in read] == [source_format, source_format]
    assert read[0][1] is None
    assert read[1][1] is not None


def test_a_fact_is_not_asked_of_calls_that_cannot_have_it(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    silent: dict[str, Any] = {
        "is_streaming": None,
        "has_tool_result": None,
        "max_output_tokens": None,
    }
    run(connection, list_run(0, 20, operation_name="embeddings", **silent))
    asked = {gap.columns[0] for gap in workload(connection, "svc").gaps}
    assert not asked & {"is_streaming", "has_tool_result", "max_output_tokens"}
    assert "declared_tolerance_s" in asked


def test_each_format_of_a_mixed_workload_is_told_what_to_add(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    calls = list_run(0, 30, source_format="openai_chat")
    calls += list_run(100, 10, source_format="litellm_slp")
    calls += list_run(200, 5, source_format="litellm_slp", declared_tolerance_s=60.0)
    calls += [a_call(300, 0, source_format="my own")]
    run(connection, calls)
    gap = next(
        g for g in workload(connection, "svc").gaps if g.columns == ("declared_tolerance_s",)
    )
    assert (gap.calls, gap.calls_with) == (46, 5)
    assert [(how.source_format, how.calls) for how in gap.how] == [
        ("openai_chat", 30),
        ("litellm_slp", 10),
        ("my own", 1),
    ]
    assert "`tags`" in gap.how[0].add
    assert "`request_tags`" in gap.how[1].add
    assert "max_delay:24h" in gap.how[2].add  # a private format gets the general advice


def test_calls_in_a_batch_are_asked_nothing(connection: duckdb.DuckDBPyConnection) -> None:
    run(connection, list_run(0, 20, service_tier="batch"))
    [workload_id] = connection.execute("SELECT workload_id FROM workloads").fetchall()[0]
    assert coverage(connection, workload_id, "chat").calls == 0
    assert workload(connection, "svc").gaps == ()
