"""From a record to a body: verbatim, minus the deny-list; what is unknown is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.migrate import replay
from llm_audit.migrate.replay import Body, Refusal
from tests.migrate.logs import Record, anthropic, litellm, openai_chat

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
EMBEDDINGS, MESSAGES = "/v1/embeddings", "/v1/messages"


def of(record: Record | str, format_name: str = "openai_chat", url: str = CHAT) -> Body | Refusal:
    text = record if isinstance(record, str) else json.dumps(record)
    return replay.body(text.encode(), format_name, url)


def sent(result: Body | Refusal) -> Any:
    assert isinstance(result, Body), result
    return json.loads(result.text)


def why(result: Body | Refusal) -> str:
    assert isinstance(result, Refusal), result
    assert result.detail.startswith(replay.rules().reasons[result.reason])
    return result.reason


def test_a_body_is_cut_out_of_the_line_as_it_was_written() -> None:
    request = '{"model" : "gpt-4.1", "seed": 12345678901234567890, "temperature":1e-1 , '
    request += '"messages":[ {"role":"user","content":"caf\\u00e9 \\/ \\ud83d\\ude00 1.0"} ]}'
    line = f'{{"url": "/v1/chat/completions", "response": {{}}, "request": {request}}}'
    result = of(line)
    assert isinstance(result, Body)
    for part in (
        '"model" : "gpt-4.1"',
        '"seed": 12345678901234567890',
        '"temperature":1e-1',
        '"messages":[ {"role":"user","content":"caf\\u00e9 \\/ \\ud83d\\ude00 1.0"} ]',
    ):
        assert part.encode() in result.text
    assert json.loads(result.text) == json.loads(request)
    assert result.model == "gpt-4.1"


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(_TEXTS, _VALUES, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_members_of_any_object_keep_their_text(
    value: dict[str, Any], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    found = replay.members(text, strict=True)
    assert {key: member.value for key, member in found.items()} == value
    for key, member in found.items():
        assert member.raw in text
        assert json.loads("{" + member.raw + "}") == {key: value[key]}
        assert json.loads(member.raw_value) == value[key]


@pytest.mark.parametrize("name", ["stream", "stream_options", "service_tier", "timeout"])
def test_how_to_deliver_is_taken_out(name: str) -> None:
    parameter: dict[str, Any] = {name: {"include_usage": True}}
    body = sent(of(openai_chat(1, **parameter)))
    assert name not in body
    assert list(body) == ["model", "messages", "temperature"]


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ({"web_search_options": {}}, "hosted_tool"),
        ({"moderation": "auto"}, "parameter"),
        ({"modalities": ["text", "audio"]}, "parameter"),
        ({"some_new_thing": 1}, "parameter"),
        ({"max_tokens": 0}, "bad_value"),
        ({"messages": []}, "bad_value"),
        ({"messages": "hello"}, "bad_value"),
        ({"model": None}, "bad_value"),
        ({"model": 4}, "bad_value"),
        ({"tools": [{"type": "web_search"}]}, "hosted_tool"),
        ({"temperature": float("nan")}, "bad_value"),
        ({"messages": [{"role": "user", "content": "half \ud83d"}]}, "cut_body"),
        ({"messages": [{"role": "user", "content": "redacted-by-litellm"}]}, "cut_body"),
        ({"messages": [{"role": "user", "content": "a (litellm_truncated 9 chars) b"}]},
         "cut_body"),
        ({"messages": [{"role": "user", "content": [{"type": "file",
          "file": {"file_id": "file-1"}}]}]}, "vendor_state"),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_batch_is_refused(parameter: dict[str, Any], reason: str) -> None:
    assert why(of(openai_chat(1, **parameter))) == reason


def test_nothing_is_refused_for_what_a_text_says() -> None:
    text = 'send {"file_id": "file-1", "type": "item_reference", "stream": true}'
    body = sent(of(openai_chat(1, messages=[{"role": "user", "content": text}])))
    assert body["messages"][0]["content"] == text


def test_null_is_not_given_and_a_harmless_value_goes() -> None:
    body = sent(of(openai_chat(1, moderation=None, modalities=["text"], seed=None)))
    assert list(body) == ["model", "messages", "temperature", "seed"]


def test_a_key_that_stands_twice_is_refused() -> None:
    line = '{"request": {"model": "a", "model": "b", "messages": [{"role": "user"}]}}'
    assert why(of(line)) == "bad_value"


@pytest.mark.parametrize(
    "line", ["", "null", "[]", "{", '{"request"', '{"request": 1}', '{"a" 1}', "[" * 90_000, "\xff"]
)
def test_a_line_that_is_no_such_record_is_refused(line: str) -> None:
    result = replay.body(line.encode("latin-1"), "openai_chat", CHAT)
    assert why(result) in {"not_found", "no_body"}


@pytest.mark.parametrize(
    "url",
    ["https://api.openai.com.evil.example/v1/chat/completions", "http://10.0.0.1/v1",
     "https://eu.api.openai.com/v1", "https://api.openai.com@evil.example/v1"],
)  # fmt: skip
def test_a_call_to_another_address_is_not_repeated_at_the_vendor(url: str) -> None:
    assert why(of(openai_chat(1) | {"url": url})) == "foreign_host"


def responses(**request: Any) -> Body | Refusal:
    asked = {"model": "gpt-5-mini", "input": "Hello", **request}
    return of({"url": "/v1/responses", "request": asked}, "openai_responses", RESPONSES)


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ({"previous_response_id": "resp_1"}, "vendor_state"),
        ({"conversation": "conv_1"}, "vendor_state"),
        ({"prompt": {"id": "pmpt_1"}}, "vendor_state"),
        ({"background": True}, "parameter"),
        ({"tools": [{"type": "file_search"}]}, "hosted_tool"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "vendor_state"),
    ],
)
def test_responses_that_lean_on_the_vendor_are_refused(
    parameter: dict[str, Any], reason: str
) -> None:
    assert why(responses(**parameter)) == reason


def test_a_plain_response_goes() -> None:
    body = sent(responses(background=False, previous_response_id=None, store=False, stream=True))
    assert body == {"model": "gpt-5-mini", "input": "Hello", "store": False}


@pytest.mark.parametrize(
    ("given", "units"), [("one", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2]], 2)]
)
def test_embedding_inputs_are_counted(given: Any, units: int) -> None:
    record = {"request": {"model": "text-embedding-3-small", "input": given}}
    result = of(record, "openai_embeddings", EMBEDDINGS)
    assert isinstance(result, Body)
    assert result.units == units


def claude(**request: Any) -> Body | Refusal:
    return of(anthropic(1, **request), "anthropic_messages", MESSAGES)


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ({"max_tokens": 0}, "bad_value"),
        ({"max_tokens": None}, "bad_value"),
        ({"speed": "fast"}, "parameter"),
        ({"container": "c1"}, "vendor_state"),
        ({"mcp_servers": [{}]}, "hosted_tool"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "hosted_tool"),
    ],
)
def test_claude_refuses_too(parameter: dict[str, Any], reason: str) -> None:
    assert why(claude(**parameter)) == reason


def test_claude_tools_that_the_caller_runs_may_go() -> None:
    tools = [{"name": "size", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}]
    body = sent(claude(tools=tools, speed="standard", service_tier="auto", stream=True))
    assert body["tools"] == tools
    assert not {"speed", "service_tier", "stream"} & set(body)


def test_betas_come_from_the_headers_and_are_never_guessed() -> None:
    record = anthropic(1) | {"url": "https://api.anthropic.com/v1/messages?beta=true"}
    assert why(of(record, "anthropic_messages", MESSAGES)) == "unknown_betas"
    record["request_headers"] = {"Anthropic-Beta": "b-2026-01-01, a-2025-01-01"}
    result = of(record, "anthropic_messages", MESSAGES)
    assert isinstance(result, Body)
    assert result.betas == ("a-2025-01-01", "b-2026-01-01")
    record["request_headers"] = {"anthropic-beta": "x\r\nX-Evil: 1"}
    assert why(of(record, "anthropic_messages", MESSAGES)) == "unknown_betas"


def test_litellm_asks_for_the_model_the_vendor_was_asked_for() -> None:
    body = sent(of(litellm(1), "litellm_slp"))
    assert body == {
        "model": "gpt-4.1",
        "messages": [{"role": "user", "content": "Answer 1: blue is a colour."}],
        "temperature": 0,
    }


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ({"call_type": "anthropic_messages"}, "reshaped"),
        ({"api_base": "http://127.0.0.1:4000/v1"}, "foreign_host"),
        ({"model_parameters": {"messages": []}}, "bad_value"),
        ({"model_parameters": None}, "no_body"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {
            "url": "data:image/png;base64,[base64_data truncated: 2 MB]"}}]}]}, "cut_body"),
    ],
)  # fmt: skip
def test_litellm_records_that_are_not_what_was_sent(field: Record, reason: str) -> None:
    assert why(of(litellm(1, **field), "litellm_slp")) == reason


def test_every_reason_and_endpoint_that_the_rules_name_is_there() -> None:
    rules = replay.rules()
    for shape in rules.shapes.values():
        assert set(shape.endpoints.values()) <= set(rules.endpoints)
    for endpoint in rules.endpoints.values():
        assert endpoint.vendor in rules.vendors
        assert endpoint.required <= endpoint.allowed
        assert not endpoint.allowed & (endpoint.dropped | set(endpoint.dropped_if))
        assert set(endpoint.refused.values()) <= set(rules.reasons)
        assert "stream" not in endpoint.allowed
