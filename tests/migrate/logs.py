"""Small logs of jobs that may be batched, and an audit of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from llm_audit import pipeline
from llm_audit.ingest import ingest
from llm_audit.migrate import plan
from llm_audit.migrate.candidates import Choice
from llm_audit.migrate.plan import Plan, Settings
from llm_audit.policy import Policy
from llm_audit.sources.local import find

Record = dict[str, Any]
START = datetime(2026, 10, 5, 2, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def _envelope(number: int, caller: str, url: str) -> Record:
    begin = START + timedelta(seconds=(number // 10) * 9 + (number % 10) * 0.2)
    return {
        "timestamp": begin.isoformat(),
        "url": url,
        "status": 200,
        "latency_ms": 4000,
        "caller": caller,
        "tags": ["scheduler:airflow", f"job:{caller}"],
        "metadata": {"max_delay": "24h"},
    }


def openai_chat(number: int, caller: str = "nightly", **request: Any) -> Record:
    """One call of a nightly job; `request` goes over its parameters."""
    asked = {
        "model": "gpt-4.1",
        "messages": [
            {"role": "system", "content": "Grade the answer."},
            {"role": "user", "content": f"Answer {number}: blue is a colour."},
        ],
        "temperature": 0.0,
        **request,
    }
    return _envelope(number, caller, "https://api.openai.com/v1/chat/completions") | {
        "request": asked,
        "response": {
            "id": f"chatcmpl-{caller}-{number}",
            "object": "chat.completion",
            "created": int(START.timestamp()),
            "model": "gpt-4.1-2025-04-14",
            "choices": [{"finish_reason": "stop", "message": {"content": "good"}}],
            "usage": {"prompt_tokens": 12_000, "completion_tokens": 300},
            "service_tier": "default",
        },
    }


def anthropic(number: int, caller: str = "extract", **request: Any) -> Record:
    """The same for Claude."""
    asked = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 512,
        "system": "Extract the sizes.",
        "messages": [{"role": "user", "content": f"Page {number}: 12 cm."}],
        **request,
    }
    return _envelope(number, caller, "https://api.anthropic.com/v1/messages") | {
        "request": asked,
        "response": {
            "id": f"msg_{caller}{number}",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-6",
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 9_000, "output_tokens": 200, "service_tier": "standard"},
        },
    }


def litellm(number: int, caller: str = "graded", **fields: Any) -> Record:
    """The same through LiteLLM."""
    begin = (START + timedelta(seconds=(number // 10) * 9 + (number % 10) * 0.2)).timestamp()
    return {
        "id": f"chatcmpl-{caller}-{number}",
        "trace_id": f"trace-{caller}-{number}",
        "call_type": "acompletion",
        "status": "success",
        "custom_llm_provider": "openai",
        "api_base": "https://api.openai.com/v1/",
        "startTime": begin,
        "endTime": begin + 4,
        "model": "openai/gpt-4.1",
        "model_group": "cheap-judge",
        "prompt_tokens": 12_000,
        "completion_tokens": 300,
        "request_tags": ["scheduler:airflow", f"job:{caller}"],
        "metadata": {
            "user_api_key_alias": caller,
            "requester_metadata": {"max_delay": "24h"},
            "usage_object": {
                "prompt_tokens": 12_000,
                "completion_tokens": 300,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
        },
        "messages": [{"role": "user", "content": f"Answer {number}: blue is a colour."}],
        "model_parameters": {"temperature": 0, "stream": False},
        "response": {"model": "gpt-4.1", "choices": [{"finish_reason": "stop"}]},
        **fields,
    }


def lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def audit(connection: duckdb.DuckDBPyConnection, *paths: Path) -> None:
    """Ingest, label and price, as `report` does."""
    ingest(connection, find(str(path) for path in paths))
    pipeline.run(connection, Policy.load(), date(2026, 11, 22))


def make(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    choice: Choice | None = None,
    settings: Settings | None = None,
    bought: Collection[str] = frozenset(),
) -> Plan:
    return plan.make(connection, folder, "run-1", NOW, choice, settings, bought)


def reasons(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many calls are left out, by reason."""
    return dict(
        connection.execute(
            "SELECT reason, count(*) FROM migration_calls WHERE reason IS NOT NULL GROUP BY 1"
        ).fetchall()
    )


def closes(connection: duckdb.DuckDBPyConnection, made: Plan) -> None:
    """calls = requests + left out, each call once, each reason with a sentence."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM calls), count(*), count(DISTINCT call_id), count(reason), "
        "count(detail) FROM migration_calls"
    ).fetchone()
    assert row is not None
    calls, judged, distinct, left, told = row
    assert calls == judged == distinct == made.requests + left
    assert left == told
    planned = [r.call_id for shard in made.shards for r in shard.requests]
    assert len(planned) == len(set(planned)) == made.requests
