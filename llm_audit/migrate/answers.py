"""What an answer says, whichever API gave it: of a logged response, a logged stream, a batch's row.

All parts of all messages count (batch.md, mira#70: an answer may stand in several). Nothing here is
stored; the texts live as long as two answers are compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llm_audit.migrate.model import Vendor

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """text: of all parts. tools: name and arguments (JSON text) of each call, in order.

    vectors: the size of each embedding, 0 where it is not a list of numbers.
    """

    text: str
    tools: tuple[tuple[str, str], ...] = ()
    refused: bool = False
    vectors: tuple[int, ...] = ()

    @property
    def content(self) -> str:
        """What two answers are compared by: the text, or else the tool calls as JSON."""
        if self.text.strip() or not self.tools:
            return self.text
        return json.dumps([{"tool": name, "arguments": parsed(text)} for name, text in self.tools])


def parsed(text: str) -> Any:
    """JSON as a value, anything else as it is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def logged(record: bytes, endpoint: str) -> Answer | None:
    """The answer in a log's record of a request and its response; None where there is none."""
    try:
        whole = json.loads(record)
        response = whole.get("response")
        if isinstance(response, str):
            response = _whole(response, endpoint)
        return _READERS[endpoint](response)
    except (ValueError, RecursionError, *_WRONG_SHAPE):
        return None


def bought(line: bytes, vendor: Vendor, endpoint: str) -> Answer | None:
    """The answer in a line of a batch's results; None where there is none."""
    try:
        data = json.loads(line)
        if vendor is Vendor.ANTHROPIC:
            body = data["result"]["message"]
        else:
            body = data["response"]["body"]
            body = json.loads(body) if isinstance(body, str) else body
        return _READERS[endpoint](body)
    except (ValueError, RecursionError, *_WRONG_SHAPE):
        return None


_WRONG_SHAPE = (AttributeError, TypeError, KeyError, IndexError)


def _chat(body: Json) -> Answer:
    """/v1/chat/completions: all choices."""
    texts, tools, refused = [], [], False
    for choice in body["choices"]:
        message = choice["message"]
        texts.append(_text(message.get("content")))
        refused |= bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter"
        for call in message.get("tool_calls") or ():
            tool = call.get("function") or call.get("custom") or {}
            tools.append(_tool(tool.get("name"), tool.get("arguments", tool.get("input"))))
        if old := message.get("function_call"):
            tools.append(_tool(old.get("name"), old.get("arguments")))
    return Answer("\n".join(texts), tuple(tools), refused)


def _responses(body: Json) -> Answer:
    """/v1/responses: all messages and calls of its output."""
    texts, tools, refused = [], [], False
    for item in body["output"]:
        if item.get("type") in ("function_call", "custom_tool_call"):
            tools.append(_tool(item.get("name"), item.get("arguments", item.get("input"))))
        elif item.get("type") == "message":
            texts.append(_text(item.get("content")))
            refused |= any(part.get("type") == "refusal" for part in item.get("content") or ())
    reason = (body.get("incomplete_details") or {}).get("reason")
    return Answer("".join(texts), tuple(tools), refused or reason == "content_filter")


def _messages(body: Json) -> Answer:
    """Anthropic's messages: all blocks; thinking is not the answer."""
    blocks = body["content"]
    if isinstance(blocks, str):
        blocks = [{"type": "text", "text": blocks}]
    tools = [_tool(b.get("name"), b.get("input")) for b in blocks if b.get("type") == "tool_use"]
    text = _text([block for block in blocks if block.get("type") == "text"])
    return Answer(text, tuple(tools), body.get("stop_reason") == "refusal")


def _embeddings(body: Json) -> Answer:
    vectors = (item.get("embedding") for item in body["data"])
    return Answer("", vectors=tuple(len(v) if isinstance(v, list) else 0 for v in vectors))


_READERS: Mapping[str, Callable[[Any], Answer]] = {
    "/v1/chat/completions": _chat,
    "/v1/responses": _responses,
    "/v1/messages": _messages,
    "/v1/embeddings": _embeddings,
}


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content)
    return content if isinstance(content, str) else ""


def _tool(name: Any, arguments: Any) -> tuple[str, str]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return str(name or ""), text


# --- streams --------------------------------------------------------------------------------------


def _whole(stream: str, endpoint: str) -> Any:
    """A response that was logged as text: JSON, or an event stream put together."""
    if not stream.lstrip().startswith(("data:", "event:")):
        return json.loads(stream)
    return _STREAMS[endpoint](_events(stream))


def _events(stream: str) -> Iterable[Json]:
    for line in stream.splitlines():
        data = parsed(line[5:].strip()) if line.startswith("data:") else None
        if isinstance(data, dict):
            yield data


def _chat_stream(events: Iterable[Json]) -> Json:
    """Each choice's deltas, joined."""
    choices: dict[int, Json] = {}
    for event in events:
        for part in event.get("choices") or ():
            empty: Json = {"message": {"content": "", "refusal": "", "calls": {}}}
            choice = choices.setdefault(part.get("index", 0), empty)
            _add_delta(choice["message"], part.get("delta") or {})
            choice["finish_reason"] = part.get("finish_reason") or choice.get("finish_reason")
    for choice in choices.values():
        calls = choice["message"].pop("calls")
        choice["message"]["tool_calls"] = [{"function": call} for _, call in sorted(calls.items())]
    return {"choices": [choice for _, choice in sorted(choices.items())]}


def _add_delta(message: Json, delta: Json) -> None:
    message["content"] += delta.get("content") or ""
    message["refusal"] += delta.get("refusal") or ""
    for part in delta.get("tool_calls") or ():
        call = message["calls"].setdefault(part.get("index", 0), {"name": "", "arguments": ""})
        function = part.get("function") or {}
        call["name"] += function.get("name") or ""
        call["arguments"] += function.get("arguments") or ""


def _responses_stream(events: Iterable[Json]) -> Any:
    """The last event that holds the whole response."""
    whole = [event["response"] for event in events if (event.get("response") or {}).get("output")]
    return whole[-1]


def _messages_stream(events: Iterable[Json]) -> Json:
    """Each block's deltas, joined."""
    blocks: dict[int, Json] = {}
    stop = None
    for event in events:
        if event.get("type") == "content_block_start":
            blocks[event["index"]] = dict(event["content_block"]) | {"json": ""}
        elif event.get("type") == "content_block_delta":
            block, delta = blocks[event["index"]], event["delta"]
            block["text"] = (block.get("text") or "") + (delta.get("text") or "")
            block["json"] += delta.get("partial_json") or ""
        elif event.get("type") == "message_delta":
            stop = (event.get("delta") or {}).get("stop_reason") or stop
    for block in blocks.values():
        if text := block.pop("json"):
            block["input"] = text
    return {"content": [block for _, block in sorted(blocks.items())], "stop_reason": stop}


_STREAMS: Mapping[str, Callable[[Iterable[Json]], Any]] = {
    "/v1/chat/completions": _chat_stream,
    "/v1/responses": _responses_stream,
    "/v1/messages": _messages_stream,
}
