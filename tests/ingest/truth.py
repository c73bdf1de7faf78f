"""What a raw log says, computed in plain Python. Shares no code with llm_audit, on purpose.

Rules of the vendors: OpenAI's prompt and input tokens include cached and written ones, Anthropic's
exclude both; a stream's usage stands in its last chunk (OpenAI) or is the start overlaid by the
last delta (Anthropic); `usage.iterations` replaces Anthropic's top-level numbers, without the parts
that ran on another model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Tokens:
    input: int | None = None
    cache_read: int = 0
    written_5m: int = 0
    written_1h: int = 0
    output: int | None = None
    reasoning: int = 0


@dataclass(frozen=True)
class Call:
    """A call as the log has it; `id` is None where the log has none."""

    id: str | None
    tokens: Tokens = Tokens()
    status: str = "ok"


def calls_of(path: Path) -> list[Call]:
    """The calls of one file, a call for every record that is one."""
    return [call for record in records_of(path) if (call := call_of(record))]


def distinct(calls: Iterable[Call]) -> list[Call]:
    """One call per id, and every one without an id. Of several records the first with usage."""
    named: dict[str, Call] = {}
    nameless: list[Call] = []
    for call in calls:
        if call.id is None:
            nameless.append(call)
        elif call.id not in named or named[call.id].tokens.input is None:
            named[call.id] = call
    return nameless + list(named.values())


def conflicting_ids(calls: Iterable[Call]) -> set[str]:
    """Ids under which different usage is logged: some recordings were given made-up ids."""
    seen: dict[str, set[Tokens]] = {}
    for call in calls:
        if call.id is not None and call.tokens.input is not None:
            seen.setdefault(call.id, set()).add(call.tokens)
    return {name for name, usages in seen.items() if len(usages) > 1}


def records_of(path: Path) -> list[Json]:
    text = path.read_text(encoding="utf-8")
    if text.startswith("event:"):
        return [{"response": text}]
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def call_of(record: Json) -> Call | None:
    """The call of one record; None for what is not a call."""
    if "call_type" in record:
        return litellm(record)
    if "custom_id" in record:
        return batch(record)
    body = record.get("response", record)
    if "count_tokens" in str(record.get("url")) or is_token_count(body):
        return None
    if isinstance(body, str):
        return anthropic_stream(body) if "message_start" in body else openai_stream(body)
    if "error" in body and body["error"] is not None and "usage" not in body:
        return Call(body.get("request_id"), status="error")
    if body.get("type") == "message":
        return Call(body["id"], anthropic_tokens(body["usage"], body["model"]))
    if body["object"] == "list":
        headers = record.get("response_headers") or {}
        return Call(headers.get("x-request-id"), openai_tokens(body["usage"]))
    return Call(body["id"], openai_tokens(body["usage"]))


def is_token_count(body: Any) -> bool:
    return isinstance(body, dict) and (
        set(body) == {"input_tokens"} or body.get("object") == "response.input_tokens"
    )


def openai_tokens(usage: Json | None) -> Tokens:
    """Chat, Responses, embeddings: names differ, meaning does not."""
    if usage is None:
        return Tokens()
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    out = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    return Tokens(
        input=usage.get("prompt_tokens", usage.get("input_tokens")),
        cache_read=details.get("cached_tokens") or 0,
        written_5m=details.get("cache_write_tokens") or 0,
        output=usage.get("completion_tokens", usage.get("output_tokens")) or 0,
        reasoning=out.get("reasoning_tokens") or 0,
    )


def anthropic_tokens(usage: Json, model: str) -> Tokens:
    parts = [
        part
        for part in usage.get("iterations") or []
        if part["type"] not in ("advisor_message", "fallback_message")
        and part.get("model", model) == model
    ] or [usage]

    def total(name: str) -> int:
        return sum(part.get(name) or 0 for part in parts)

    written = total("cache_creation_input_tokens")
    an_hour = sum(
        (part.get("cache_creation") or {}).get("ephemeral_1h_input_tokens") or 0 for part in parts
    )
    return Tokens(
        input=total("input_tokens") + total("cache_read_input_tokens") + written,
        cache_read=total("cache_read_input_tokens"),
        written_5m=written - an_hour,
        written_1h=an_hour,
        output=total("output_tokens"),
        reasoning=(usage.get("output_tokens_details") or {}).get("thinking_tokens") or 0,
    )


def events_of(stream: str) -> list[Json]:
    data = [line[5:].strip() for line in stream.splitlines() if line.startswith("data:")]
    return [json.loads(text) for text in data if text.startswith("{")]


def openai_stream(stream: str) -> Call:
    """Chat chunks, or Responses events with copies of the whole response."""
    events = events_of(stream)
    if "response" in events[0]:
        last = [event["response"] for event in events if "response" in event][-1]
        return Call(last["id"], openai_tokens(last["usage"]))
    usages = [event["usage"] for event in events if event.get("usage")]
    names = [event["id"] for event in events if event.get("id")]
    return Call(names[0], openai_tokens(usages[-1] if usages else None))


def anthropic_stream(stream: str) -> Call:
    events = events_of(stream)
    start = next(event["message"] for event in events if event["type"] == "message_start")
    deltas = [event["usage"] for event in events if event["type"] == "message_delta"]
    news = {key: value for key, value in (deltas or [{}])[-1].items() if value is not None}
    return Call(start["id"], anthropic_tokens(start["usage"] | news, start["model"]))


def batch(record: Json) -> Call | None:
    """A line of an OpenAI or Anthropic batch result; request files hold no calls."""
    if "result" in record:
        result = record["result"]
        if result["type"] == "succeeded":
            body = result["message"]
            return Call(body["id"], anthropic_tokens(body["usage"], body["model"]))
        return Call(None, status="cancelled" if result["type"] == "canceled" else "error")
    if record.get("response") is None:
        return None
    body = record["response"]["body"]
    return Call(body["id"], openai_tokens(body["usage"]))


def litellm(record: Json) -> Call | None:
    """A StandardLoggingPayload or SpendLogs row; its prompt_tokens include cached ones."""
    metadata = record["metadata"]
    if isinstance(metadata, str):
        metadata = json.loads(metadata)
    usage = metadata.get("usage_object") or record
    status = "ok" if record["status"] == "success" else "error"
    name = record.get("id", record.get("request_id"))
    if not record["prompt_tokens"] and not record["completion_tokens"]:
        return Call(name, status=status)
    details = usage.get("prompt_tokens_details") or {}
    lifetimes = details.get("cache_creation_token_details") or {}
    an_hour = lifetimes.get("ephemeral_1h_input_tokens") or 0
    written = details.get("cache_creation_tokens") or details.get("cache_write_tokens") or 0
    out = usage.get("completion_tokens_details") or {}
    return Call(
        name,
        Tokens(
            input=record["prompt_tokens"],
            cache_read=details.get("cached_tokens") or 0,
            written_5m=written - an_hour,
            written_1h=an_hour,
            output=record["completion_tokens"],
            reasoning=out.get("reasoning_tokens") or 0,
        ),
        status,
    )
