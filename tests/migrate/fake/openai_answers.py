"""Rows of OpenAI's output and error files: the answer, or what went wrong, by outcome."""

from __future__ import annotations

import json
from typing import Any

from tests.migrate.fake import bodies, twists
from tests.migrate.fake.scenario import BILLED, BatchPlan, Json
from tests.migrate.fake.store import StoredRow

HTTP_ERRORS = {
    "rate_limited": (429, "rate_limit_exceeded", "rate_limit_error", "Rate limit reached."),
    "server_error": (500, None, "server_error", "The server had an error."),
    "overloaded": (503, None, "server_error", "The engine is currently overloaded."),
    "unwrapped": (500, None, "server_error", "The server had an error."),
    "credit": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "no_model": (404, "model_not_found", "invalid_request_error", "The model does not exist."),
}
NO_REPLY = {
    "expired": ("batch_expired", "This request could not be executed before the batch expired."),
    "canceled": ("batch_cancelled", "The batch was cancelled before this request was executed."),
    "timeout": ("request_timeout", "The request timed out."),
}


def line(row: StoredRow, endpoint: str, plan: BatchPlan) -> tuple[bool, Json, Json | None]:
    """Whether it goes to the output file, the line itself, and the usage that is billed."""
    outer: Json = {
        "id": f"batch_req_{row.body_sha256[:12]}{row.line}",
        "custom_id": row.custom_id,
        "response": None,
        "error": None,
    }
    if row.outcome in NO_REPLY:
        code, message = NO_REPLY[row.outcome]
        outer["error"] = {"code": code, "message": message}
        return False, outer, None
    if row.outcome == "no_status":
        outer["response"] = {"status_code": 0, "request_id": "", "body": {}}
        return False, outer, None
    request_id = f"req_{row.body_sha256[:24]}"
    if row.outcome in BILLED:
        body = answer(row, endpoint, plan)
        outer["response"] = {"status_code": 200, "request_id": request_id, "body": body}
        usage = json.loads(json.dumps(body.get("usage")))
        return True, twists.twisted(row, outer), usage
    status, code_, type_, message = HTTP_ERRORS.get(
        row.outcome, (400, None, "invalid_request_error", "Invalid request.")
    )
    error = {"message": row.detail or message, "type": type_, "param": None, "code": code_}
    outer["response"] = {"status_code": status, "request_id": request_id, "body": {"error": error}}
    return False, outer, None


def answer(row: StoredRow, endpoint: str, plan: BatchPlan) -> Json:
    """The body of a successful reply, the same whenever the same request is answered."""
    body: Json = json.loads(row.body)
    truncated = row.outcome == "truncated"
    read = bodies.input_tokens(body)
    written = bodies.output_tokens(row.body_sha256, bodies.allowed_tokens(body), truncated)
    model = plan.answered_model or body["model"]
    tokens = (read, int(read * plan.cache_read), written)
    if endpoint == "/v1/responses":
        return response(row, body, model, tokens)
    if endpoint == "/v1/embeddings":
        return embeddings(body, model, read)
    if endpoint in ("/v1/chat/completions", "/v1/completions"):
        return completion(row, body, model, tokens, chat=endpoint == "/v1/chat/completions")
    return {"id": f"fake-{row.body_sha256[:12]}", "model": model, "echo": row.marker}


def text_of(row: StoredRow, body: Json) -> str:
    """The echo, as JSON where the request asks for JSON."""
    asked = body.get("response_format") or (body.get("text") or {}).get("format") or {}
    if isinstance(asked, dict) and str(asked.get("type", "")).startswith("json"):
        whole = json.dumps({"echo": row.marker})
    else:
        whole = f"echo {row.marker}"
    return whole[:-2] if row.outcome == "truncated" else whole


def function_of(body: Json) -> str:
    """The name of a tool that the request offers."""
    for tool in body.get("tools") or ():
        function = tool.get("function") or tool
        if "name" in function:
            return str(function["name"])
    return "lookup"


def completion(
    row: StoredRow, body: Json, model: str, tokens: tuple[int, int, int], chat: bool
) -> Json:
    """A chat completion, or an old completion."""
    read, cached, written = tokens
    reasons = {"truncated": "length", "filtered": "content_filter", "tool_use": "tool_calls"}
    choice: Json = {
        "index": 0,
        "logprobs": None,
        "finish_reason": reasons.get(row.outcome, "stop"),
    }
    if chat:
        message: Json = {"role": "assistant", "content": text_of(row, body), "refusal": None}
        if row.outcome == "refusal":
            message |= {"content": None, "refusal": "I cannot help with that."}
        if row.outcome == "tool_use":
            arguments = json.dumps({"echo": row.marker})
            function = {"name": function_of(body), "arguments": arguments}
            call = {"id": f"call_{row.body_sha256[:12]}", "type": "function", "function": function}
            message |= {"content": None, "tool_calls": [call]}
        choice["message"] = message
    else:
        choice["text"] = text_of(row, body)
    return {
        "id": f"chatcmpl-{row.body_sha256[:20]}",
        "object": "chat.completion" if chat else "text_completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [choice],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def response(row: StoredRow, body: Json, model: str, tokens: tuple[int, int, int]) -> Json:
    """A reply of /v1/responses; `split` has its text in two messages, after a reasoning item."""
    read, cached, written = tokens
    reason = {"truncated": "max_output_tokens", "filtered": "content_filter"}.get(row.outcome)
    status = "incomplete" if reason else "completed"
    text = text_of(row, body)
    output: list[Json]
    if row.outcome == "refusal":
        output = [message(row, 0, status, {"type": "refusal", "refusal": "I cannot help."})]
    elif row.outcome == "tool_use":
        output = [
            {
                "type": "function_call",
                "id": f"fc_{row.body_sha256[:12]}",
                "call_id": f"call_{row.body_sha256[:12]}",
                "name": function_of(body),
                "arguments": json.dumps({"echo": row.marker}),
                "status": "completed",
            }
        ]
    elif row.outcome == "split":
        thought = {"type": "reasoning", "id": f"rs_{row.body_sha256[:12]}", "summary": []}
        parts = [text[:5], text[5:]]
        output = [thought, *(message(row, n, status, spoken(t)) for n, t in enumerate(parts))]
    else:
        output = [message(row, 0, status, spoken(text))]
    return {
        "id": f"resp_{row.body_sha256[:24]}",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": body.get("instructions"),
        "metadata": {},
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        },
    }


def spoken(text: str) -> Json:
    """Text as a part of a message."""
    return {"type": "output_text", "text": text, "annotations": []}


def message(row: StoredRow, n: int, status: str, part: Json) -> Json:
    """An output item of one part."""
    item_id = f"msg_{row.body_sha256[:12]}{n}"
    return {
        "type": "message",
        "id": item_id,
        "role": "assistant",
        "status": status,
        "content": [part],
    }


def embeddings(body: Json, model: str, read: int) -> Json:
    """One small vector for each input, told apart by its digest."""
    data = []
    for index, text in enumerate(inputs_of(body)):
        digest = bodies.body_digest(text)
        vector = [int(digest[i : i + 2], 16) / 256 for i in range(0, 16, 2)]
        data.append({"object": "embedding", "index": index, "embedding": vector})
    usage = {"prompt_tokens": read, "total_tokens": read}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def inputs_of(body: Json) -> list[Any]:
    """The texts to embed; a list of token numbers is one input."""
    given = body.get("input")
    if isinstance(given, list) and not all(isinstance(each, int) for each in given):
        return given
    return [given]
