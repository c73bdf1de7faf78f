"""Lines of results, read: what counts as an answer, as unbilled, and as known at all."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_audit.migrate import results
from llm_audit.migrate.model import RequestState, Row, Vendor
from tests.migrate.engine import RATE

CHAT = {
    "choices": [{"finish_reason": "stop", "message": {"content": "hi"}}],
    "model": "m",
    "usage": {"prompt_tokens": 20, "completion_tokens": 5},
}
MESSAGE = {
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 20, "output_tokens": 5},
}


def openai(response: Any, error: Any = None) -> Row:
    line = {"id": "x", "custom_id": "c", "response": response, "error": error}
    return results.read(Vendor.OPENAI, json.dumps(line).encode())


def chat(status: Any = 200, **body: Any) -> Row:
    return openai({"status_code": status, "body": CHAT | body})


def refused(status: Any, code: str | None, message: str, kind: str = "some_error") -> Row:
    body = {"error": {"message": message, "type": kind, "code": code}}
    return openai({"status_code": status, "body": body})


def anthropic(**result: Any) -> Row:
    line = json.dumps({"custom_id": "c", "result": result})
    return results.read(Vendor.ANTHROPIC, line.encode())


@pytest.mark.parametrize("status", ["200", 200.0, None, 0, 500, 201, "abc", [], 2**70])
def test_an_answer_is_one_whatever_status_stands_beside_it(status: Any) -> None:
    row = chat(status)
    assert row.kind is RequestState.SUCCEEDED
    assert results.cost(row, [RATE]) == 20 * RATE.input + 5 * RATE.output


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (None, None),
        (None, {"code": "mystery", "message": "?"}),
        ({}, None),
        ({"body": {}}, None),
        ({"status_code": 200, "body": {}}, None),
        ({"status_code": 200, "body": "<html>"}, None),
        ({"status_code": 302, "body": {}}, None),
        ({"status_code": -1, "body": None}, None),
    ],
)
def test_a_line_that_does_not_say_is_not_bought_again(response: Any, error: Any) -> None:
    row = openai(response, error)
    assert row.kind is RequestState.MISSING
    assert results.cost(row, [RATE]) is None


@pytest.mark.parametrize("code", ["batch_expired", "batch_cancelled"])
def test_what_never_ran_may_be_tried_again(code: str) -> None:
    row = openai(None, {"code": code, "message": "x"})
    assert (row.kind, row.error) == (RequestState.RETRYABLE, code)
    assert results.cost(row, []) == 0


@pytest.mark.parametrize("status", [0, 408, 409, 429, 500, 503, "503"])
def test_what_the_vendor_could_not_do_may_be_tried_again(status: Any) -> None:
    assert openai({"status_code": status, "body": {}}).kind is RequestState.RETRYABLE


@pytest.mark.parametrize("kind", ["expired", "canceled"])
def test_anthropic_says_what_did_not_run(kind: str) -> None:
    assert anthropic(type=kind).kind is RequestState.RETRYABLE


def test_a_word_of_anthropic_that_nobody_knows_proves_nothing() -> None:
    assert anthropic(type="paused").kind is RequestState.MISSING
    assert anthropic(type="paused", message=MESSAGE).kind is RequestState.SUCCEEDED
    error = {"type": "mystery_error", "message": "?"}
    assert anthropic(type="errored", error=error).kind is RequestState.REJECTED


FAILED = {"status": "failed", "error": {"message": "x", "code": "server_error"}, "usage": None}


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "x", "code": "server_error"}},
        FAILED | {"object": "response", "output": []},
        FAILED | {"object": "response", "output": None},
    ],
)
def test_200_with_an_error_in_the_answers_place_is_no_answer_and_may_be_billed(body: Any) -> None:
    row = openai({"status_code": 200, "body": body})
    assert (row.kind, row.error) == (RequestState.MISSING, "server_error")
    assert results.cost(row, [RATE]) is None


def test_what_there_is_of_an_answer_that_failed_is_kept() -> None:
    part = {"type": "message", "content": [{"type": "output_text", "text": "hi"}]}
    row = openai({"status_code": 200, "body": FAILED | {"output": [part]}})
    assert (row.kind, row.error) == (RequestState.INCOMPLETE, "server_error")


def test_a_refused_request_is_not_billed() -> None:
    row = refused(400, "invalid_value", "bad")
    assert row.kind is RequestState.REJECTED
    assert results.cost(row, []) == 0


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        [],
        {"prompt_tokens": None, "completion_tokens": 5},
        {"prompt_tokens": 20},
        {"prompt_tokens": -20, "completion_tokens": 5},
        {"prompt_tokens": 20, "completion_tokens": -5},
        {"prompt_tokens": 2**70, "completion_tokens": 5},
        {"prompt_tokens": 20.5, "completion_tokens": 5},
        {"prompt_tokens": True, "completion_tokens": 5},
    ],
)
def test_an_answer_without_sound_usage_has_no_known_cost(usage: Any) -> None:
    row = chat(usage=usage)
    assert row.kind is RequestState.SUCCEEDED
    assert results.cost(row, [RATE]) is None


def test_usage_may_be_written_with_a_point() -> None:
    row = chat(usage={"prompt_tokens": 20.0, "completion_tokens": 5.0})
    assert results.cost(row, [RATE]) == 20 * RATE.input + 5 * RATE.output


def test_embeddings_have_no_output_to_count() -> None:
    body = {"object": "list", "data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 20}}
    row = openai({"status_code": 200, "body": body})
    assert results.cost(row, [RATE]) == 20 * RATE.input


def test_more_cached_tokens_than_tokens_cost_nothing_back() -> None:
    details = {"cached_tokens": 10**6, "cache_write_tokens": 10**6}
    usage = {"prompt_tokens": 20, "completion_tokens": 0, "prompt_tokens_details": details}
    row = chat(usage=usage)
    assert results.cost(row, [RATE]) == 20 * RATE.cached


def test_writes_are_counted_though_only_their_lifetimes_are_told() -> None:
    written = {"ephemeral_1h_input_tokens": 1_000}
    usage = {"input_tokens": 5, "output_tokens": 5, "cache_creation": written}
    row = anthropic(type="succeeded", message=MESSAGE | {"usage": usage})
    assert row.cache_creation_1h_input_tokens == 1_000
    expected = 5 * RATE.input + 1_000 * RATE.write_1h + 5 * RATE.output
    assert results.cost(row, [RATE]) == expected


TOOL = {"finish_reason": "tool_calls", "message": {"tool_calls": [{"function": {"name": "f"}}]}}


@pytest.mark.parametrize(
    "row",
    [
        chat(choices=[TOOL]),
        openai({"status_code": 200, "body": {"output": [{"type": "function_call"}]}}),
        anthropic(type="succeeded", message=MESSAGE | {"stop_reason": "tool_use"}),
    ],
    ids=["chat", "responses", "messages"],
)
def test_an_answer_that_asks_for_a_tool_is_flagged(row: Row) -> None:
    assert (row.kind, row.flag) == (RequestState.SUCCEEDED, "tool_use")


def test_a_finish_reason_of_an_odd_shape_takes_no_answer_away() -> None:
    assert chat(choices=[{"finish_reason": {"a": []}}, 7]).kind is RequestState.SUCCEEDED
    row = anthropic(type="succeeded", message=MESSAGE | {"stop_reason": ["x"]})
    assert row.kind is RequestState.SUCCEEDED


# --- whatever comes -------------------------------------------------------------------------------

NESTED = b'{"custom_id": "c", "response": {"status_code": 200, "body": ' + b"[" * 200_000
DEEP_TEXT = json.dumps(
    {"custom_id": "c", "response": {"status_code": 200, "body": '{"a":' + "[" * 200_000}}
).encode()
NUMBER = b'{"custom_id": "c", "response": {"status_code": ' + b"9" * 5_000 + b"}}"


@pytest.mark.parametrize("line", [NESTED, DEEP_TEXT, NUMBER, b"\xff\xfe", b"", b"[]", b"NaN"])
def test_what_is_no_result_is_refused_as_such(line: bytes) -> None:
    for vendor in Vendor:
        with pytest.raises(ValueError, match="not the shape of a result"):
            results.read(vendor, line)


WORDS = st.sampled_from(
    [
        *("custom_id", "response", "error", "status_code", "body", "choices", "usage", "output"),
        *("result", "type", "message", "content", "stop_reason", "data", "code", "status"),
        *("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "finish_reason"),
        *("prompt_tokens_details", "cached_tokens", "cache_creation", "incomplete_details"),
        *("ephemeral_1h_input_tokens", "cache_read_input_tokens", "model", "refusal"),
        *(
            "succeeded",
            "errored",
            "expired",
            "failed",
            "completed",
            "length",
            "c",
            "200",
            "\ud800x",
        ),
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 200, 400, 429, 500, 2**63, -1])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=20,
)


def holds(row: Row) -> None:
    """What holds of every row: the ledger takes it, and nobody is paid for it."""
    values = [getattr(row, name) for name in Row.__slots__]
    sqlite3.connect(":memory:").execute(f"SELECT {', '.join('?' * len(values))}", values)
    assert row.custom_id.isprintable()
    assert (results.cost(row, [RATE]) or Decimal(0)) >= 0
    counts = [getattr(row, name) for name in Row.__slots__ if name.endswith("_tokens")]
    assert min(counts) >= 0


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(Vendor), VALUES)
def test_any_json_is_a_row_or_a_value_error(vendor: Vendor, value: Any) -> None:
    try:
        row = results.read(vendor, json.dumps(value).encode())
    except ValueError:
        return
    holds(row)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(Vendor), VALUES, VALUES, VALUES, VALUES)
def test_any_result_is_a_row_or_a_value_error(
    vendor: Vendor, name: Any, one: Any, two: Any, three: Any
) -> None:
    """Nearer to the truth: the outer shape is right."""
    line = {
        "custom_id": name if isinstance(name, str) else "c",
        "error": one,
        "response": {"status_code": two, "body": three},
        "result": {"type": two, "message": three, "error": one},
    }
    for body in (line, line | {"response": {"status_code": 200, "body": {"choices": one}}}):
        try:
            row = results.read(vendor, json.dumps(body).encode())
        except ValueError:
            continue
        holds(row)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_row_or_a_value_error(line: bytes) -> None:
    for vendor in Vendor:
        try:
            holds(results.read(vendor, line))
        except ValueError:
            continue
