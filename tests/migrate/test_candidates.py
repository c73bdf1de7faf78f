"""Which calls may be replayed, and the reason for every other one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit.errors import UsageError
from llm_audit.migrate.candidates import Choice
from tests.migrate.logs import anthropic, audit, closes, lines, litellm, make, openai_chat, reasons

Connection = duckdb.DuckDBPyConnection


def log(folder: Path, records: list[dict[str, Any]], name: str = "log.jsonl") -> Path:
    path = folder / name
    path.write_bytes(lines(records))
    return path


def test_an_eligible_job_is_planned_whole(tmp_path: Path, connection: Connection) -> None:
    audit(connection, log(tmp_path, [openai_chat(n) for n in range(150)]))
    made = make(connection, tmp_path / "out")
    assert made.requests == 150
    assert reasons(connection) == {}
    closes(connection, made)


def test_failed_calls_and_other_attempts(tmp_path: Path, connection: Connection) -> None:
    calls = [litellm(n) for n in range(150)]
    refused: dict[str, Any] = {
        "status": "failure",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "error_information": {"error_code": "429", "error_class": "RateLimitError"},
    }
    first_try = litellm(7, **refused) | {"id": "try-1", "startTime": calls[7]["startTime"] - 2}
    given_up = litellm(900, **refused) | {"id": "never"}
    hit = litellm(20, cache_hit=True) | {"id": "hit-1"}
    audit(connection, log(tmp_path, [*calls, first_try, given_up, hit]))
    made = make(connection, tmp_path / "out")
    assert made.requests == 150
    assert reasons(connection) == {"other_attempt": 1, "failed_call": 1, "gateway_cache": 1}
    closes(connection, made)


def test_repeated_prompts_are_legal(tmp_path: Path, connection: Connection) -> None:
    """F26: a request is a call, not a text."""
    calls = [
        openai_chat(n, messages=[{"role": "user", "content": f"Say {n // 2}."}]) for n in range(150)
    ]
    audit(connection, log(tmp_path, calls))
    made = make(connection, tmp_path / "out")
    requests = [r for p in made.shards for r in p.requests]
    assert len({r.body_sha256 for r in requests}) == 75
    assert len({r.request_key for r in requests}) == made.requests == 150


def test_what_the_bodies_tell_is_booked_too(tmp_path: Path, connection: Connection) -> None:
    odd = [openai_chat(n, web_search_options={}) for n in range(150, 160)]
    odd += [openai_chat(n, some_new_thing=1) for n in range(160, 165)]
    audit(connection, log(tmp_path, [*(openai_chat(n) for n in range(150)), *odd]))
    made = make(connection, tmp_path / "out")
    assert reasons(connection) == {"hosted_tool": 10, "parameter": 5}
    assert connection.execute(
        "SELECT DISTINCT detail FROM migration_calls WHERE reason = 'parameter'"
    ).fetchall() == [("has a parameter that is not known to work in a batch: `some_new_thing`",)]
    closes(connection, made)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"custom_llm_provider": "azure", "model": "azure/gpt-4.1"}, "seller"),
        ({"messages": " (litellm_truncated 9 chars)"}, "no_body"),
        ({"call_type": "aresponses"}, "reshaped"),
        ({"custom_llm_provider": "anthropic", "model": "anthropic/claude-sonnet-4-6",
          "model_group": "claude-sonnet-4-6", "response": {}}, "reshaped"),
        ({"api_base": "https://eu.api.openai.com/v1"}, "regional"),
    ],
)  # fmt: skip
def test_calls_of_other_sellers_and_shapes(
    tmp_path: Path, connection: Connection, field: dict[str, Any], reason: str
) -> None:
    def call(number: int) -> dict[str, Any]:
        if "messages" not in field:
            return litellm(number, **field)
        start = "Grade this answer by the rules that stand above and by no others:"
        text = f"{start} {number}" + (field["messages"] if number % 10 == 0 else "")
        return litellm(number, messages=[{"role": "user", "content": text}])

    audit(connection, log(tmp_path, [call(n) for n in range(200)]))
    made = make(connection, tmp_path / "out")
    assert reasons(connection) == {reason: 20 if reason == "no_body" else 200}
    closes(connection, made)


def test_a_workload_is_named_by_id_caller_or_glob(tmp_path: Path, connection: Connection) -> None:
    calls = [openai_chat(n, caller) for caller in ("night-a", "night-b") for n in range(150)]
    calls += [anthropic(n) for n in range(150)]
    audit(connection, log(tmp_path, calls))
    [(one,)] = connection.execute(
        "SELECT workload_id FROM workloads WHERE caller = 'night-b'"
    ).fetchall()
    for number, (names, planned) in enumerate(
        [
            (("night-a",), 150),
            (("night-*",), 300),
            ((one, "night-a"), 300),
            (("*",), 450),
            ((), 450),
        ]
    ):
        made = make(connection, tmp_path / f"out{number}", Choice(workloads=names))
        assert made.requests == planned
        assert reasons(connection) == ({"not_chosen": 450 - planned} if planned < 450 else {})
        closes(connection, made)
    with pytest.raises(UsageError, match="no workload or caller 'night-c'") as caught:
        make(connection, tmp_path / "out", Choice(workloads=("night-c",)))
    assert "night-a" in caught.value.hint


def test_a_sample_is_the_same_every_time(tmp_path: Path, connection: Connection) -> None:
    audit(connection, log(tmp_path, [openai_chat(n) for n in range(200)]))
    ids = []
    for number in range(2):
        made = make(connection, tmp_path / f"out{number}", Choice(sample=30))
        assert reasons(connection) == {"not_sampled": 170}
        closes(connection, made)
        ids.append({r.call_id for p in made.shards for r in p.requests})
    assert ids[0] == ids[1]
    assert len(ids[0]) == 30


def test_a_limit_takes_the_first_of_the_log(tmp_path: Path, connection: Connection) -> None:
    audit(connection, log(tmp_path, [openai_chat(n) for n in range(200)]))
    made = make(connection, tmp_path / "out", Choice(limit=25))
    assert sorted(r.source_line for p in made.shards for r in p.requests) == list(range(1, 26))
    assert reasons(connection) == {"over_limit": 175}
    closes(connection, made)
