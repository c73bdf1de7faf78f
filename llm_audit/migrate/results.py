"""A line of a vendor's results -> `Row`: what became of one request, and what is billed for it.

A body is no proof of success and a missing error none either: OpenAI's failed requests have their
status in `response.status_code` and `error` null, requests that never ran have no response at all,
and some lines say status 0 with an empty body (batch.md, facts 4 to 6). An answer is an answer
whatever status stands beside it, and nothing counts as unbilled but what says so in words that are
known to mean it: of all else nobody knows. The texts of answers stay where they are.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from llm_audit.migrate.ledger import Rate
from llm_audit.migrate.model import RequestState, Row, Vendor
from llm_audit.migrate.vendor import is_billing, is_model
from llm_audit.text import printable

Json = dict[str, Any]

ANSWERED = frozenset(
    {
        RequestState.SUCCEEDED,
        RequestState.TRUNCATED,
        RequestState.REFUSED,
        RequestState.INCOMPLETE,
    }
)
"""States of a request that has an answer, and is paid for."""

WHOLE = ANSWERED - {RequestState.INCOMPLETE}
"""Those of them that the call would have ended in too."""

BILLING, MODEL = "billing", "model_unavailable"
"""What `Row.error` says for want of money, and for a model that cannot be had in a batch."""

TOOLS = "tool_use"
"""What `Row.flag` says of an answer that asks for a tool: it is no text to go on with (F21)."""

MOST_TOKENS = 10**12
"""No request has more; the ledger's integers hold it."""

_RETRYABLE_TYPES = frozenset(
    {"overloaded_error", "api_error", "timeout_error", "rate_limit_error", "server_error"}
)

_NOT_RUN = frozenset(
    {"batch_expired", "batch_cancelled", "request_timeout", "expired", "canceled", "cancelled"}
)


def read(vendor: Vendor, line: bytes) -> Row:
    """Read one line. Errors: `ValueError` for what is no result at all, and nothing else."""
    try:
        data = json.loads(line)
        custom_id = data["custom_id"]
        if not isinstance(custom_id, str):
            raise ValueError("no custom_id")
        read_one = _openai if vendor is Vendor.OPENAI else _anthropic
        return read_one(printable(custom_id, 64), data)
    except Exception as error:  # the vendor's words, of any shape and depth
        raise ValueError("not the shape of a result") from error


def cost(row: Row, rates: list[Rate]) -> Decimal | None:
    """USD in a batch, from the vendor's own counts; None where nobody knows.

    That is an answer without usage or without a rate, and a line that says nothing. Nothing else is
    billed but answers (both vendors' batch guides).
    """
    if row.kind in (RequestState.RETRYABLE, RequestState.REJECTED):
        return Decimal(0)
    rate = next((r for r in rates if r.from_tokens <= row.input_tokens < r.below_tokens), None)
    if rate is None or not row.has_usage:
        return None
    read_tokens = row.cache_read_input_tokens
    written_5m, written_1h = row.cache_creation_5m_input_tokens, row.cache_creation_1h_input_tokens
    fresh = max(0, row.input_tokens - read_tokens - written_5m - written_1h)
    return (
        fresh * rate.input
        + read_tokens * rate.cached
        + written_5m * rate.write_5m
        + written_1h * rate.write_1h
        + row.output_tokens * rate.output
    )


def never_ran(custom_id: str, status: str) -> Row:
    """A request of a batch that ended, by the vendor's own counts, before any of it was done."""
    return _row(custom_id, RequestState.RETRYABLE, error=f"batch_{status}")


def _row(custom_id: str, kind: RequestState, **known: Any) -> Row:
    texts = {
        name: None if known.get(name) is None else printable(str(known[name]), 200)
        for name in ("error", "message", "finish_reason", "model")
    }
    return Row(custom_id=custom_id, kind=kind, **known | texts)


def _failed(
    custom_id: str, status: int | None, code: str, message: str, *, is_refusal: bool = False
) -> Row:
    """A request without an answer: ours to mend, the vendor's to repeat, a matter of money, or,
    where neither a status nor a word says that it was not billed, one of which nobody knows."""
    if is_billing(code, message):
        code, kind = BILLING, RequestState.RETRYABLE
    elif is_model(code, message) or (status == 404 and "model" in message.lower()):
        code, kind = MODEL, RequestState.REJECTED
    elif _is_retryable(status, code):
        kind = RequestState.RETRYABLE
    elif is_refusal or (status is not None and 400 <= status < 500):
        kind = RequestState.REJECTED
    else:
        kind = RequestState.MISSING
    return _row(custom_id, kind, status_code=status, error=code, message=message)


def _is_retryable(status: int | None, code: str) -> bool:
    """Status 0, 408, 409, 429 and 5xx, and what did not run at all (batch.md, F11 and F17)."""
    if status is not None and (status in (0, 408, 409, 429) or 500 <= status < 600):
        return True
    return code in _RETRYABLE_TYPES or code in _NOT_RUN


def _whole(value: Any, most: int) -> int | None:
    """A number from 0 to `most`, however it is written; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= most else None


def _tokens(value: Any) -> int:
    return _whole(value, MOST_TOKENS) or 0


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


# --- OpenAI ---------------------------------------------------------------------------------------

_ANSWERS = ("choices", "output", "data", "content", "results")
"""What an answer is in, one of these by its endpoint; a failed request has none of them."""


def _openai(custom_id: str, data: Json) -> Row:
    response = data.get("response")
    if not isinstance(response, dict):
        error = _object(data.get("error"))
        code = str(error.get("code") or "no_response")
        return _failed(custom_id, None, code, str(error.get("message") or ""))
    status = _whole(response.get("status_code"), 999)
    body = response.get("body")
    if isinstance(body, str) and body.lstrip().startswith("{"):
        body = json.loads(body)  # some compatible servers send it as text
    body = _object(body)
    is_good = status is not None and 200 <= status < 300
    if any(body.get(name) for name in _ANSWERS) or (is_good and body):
        return _openai_answer(custom_id, status, body)
    problem = _object(body.get("error"))
    code = str(problem.get("code") or problem.get("type") or f"status_{status}")
    return _failed(custom_id, status, code, str(problem.get("message") or ""))


def _openai_answer(custom_id: str, status: int | None, body: Json) -> Row:
    """An answer, and what of it is to be known; 200 with an error in its place may be billed."""
    problem = _object(body.get("error"))
    if body.get("output") is not None or body.get("object") == "response":
        kind, reason, calls = _responses_end(body)
    else:
        kind, reason, calls = _choices_end(body)
    failed = bool(problem) or kind is RequestState.INCOMPLETE
    if failed and not any(body.get(name) for name in _ANSWERS):
        kind = RequestState.MISSING
    return _row(
        custom_id,
        kind,
        status_code=status,
        error=problem.get("code") or problem.get("type"),
        finish_reason=reason,
        flag=TOOLS if calls else None,
        model=body.get("model"),
        **_openai_usage(body),
    )


def _openai_usage(body: Json) -> Json:
    """Tokens as billed. Cached and written ones are part of the input, so never more than it."""
    usage = _object(body.get("usage"))
    read = _object(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    made = _object(usage.get("completion_tokens_details") or usage.get("output_tokens_details"))
    total = _tokens(usage.get("prompt_tokens") or usage.get("input_tokens"))
    output = _whole(usage.get("completion_tokens", usage.get("output_tokens")), MOST_TOKENS)
    cached = min(_tokens(read.get("cached_tokens")), total)
    is_text = bool(body.get("choices") or body.get("output"))
    return {
        "has_usage": total > 0 and (output is not None or not is_text),
        "input_tokens": total,
        "cache_read_input_tokens": cached,
        "cache_creation_5m_input_tokens": min(
            _tokens(read.get("cache_write_tokens")), total - cached
        ),
        "output_tokens": output or 0,
        "reasoning_output_tokens": _tokens(made.get("reasoning_tokens")),
    }


def _list(value: Any) -> list[Json]:
    """The objects of a list, whatever else is in it."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _choices_end(body: Json) -> tuple[RequestState, str | None, bool]:
    """Chat and plain completions, by their worst choice; embeddings have none and are whole."""
    choices = _list(body.get("choices"))
    reasons = [str(choice["finish_reason"]) for choice in choices if choice.get("finish_reason")]
    messages = [_object(choice.get("message")) for choice in choices]
    calls = any(message.get("tool_calls") or message.get("function_call") for message in messages)
    first = reasons[0] if reasons else None
    if "length" in reasons:
        return RequestState.TRUNCATED, "length", calls
    if "content_filter" in reasons:
        return RequestState.REFUSED, "content_filter", calls
    if any(message.get("refusal") for message in messages):
        return RequestState.REFUSED, first, calls
    return RequestState.SUCCEEDED, first, calls


def _responses_end(body: Json) -> tuple[RequestState, str | None, bool]:
    """/v1/responses: its status, and all parts of all messages of its output."""
    status = None if body.get("status") is None else str(body["status"])
    reason = _object(body.get("incomplete_details")).get("reason")
    reason = None if reason is None else str(reason)
    items = _list(body.get("output"))
    calls = any(str(item.get("type", "")).endswith("_call") for item in items)
    if status == "incomplete" and reason == "content_filter":
        return RequestState.REFUSED, reason, calls
    if status == "incomplete" and reason == "max_output_tokens":
        return RequestState.TRUNCATED, reason, calls
    if status not in ("completed", None):
        return RequestState.INCOMPLETE, reason or status, calls
    parts = (part for item in items for part in _list(item.get("content")))
    refused = any(part.get("type") == "refusal" for part in parts)
    return RequestState.REFUSED if refused else RequestState.SUCCEEDED, status, calls


# --- Anthropic ------------------------------------------------------------------------------------

_STOPS = {
    "max_tokens": RequestState.TRUNCATED,
    "model_context_window_exceeded": RequestState.TRUNCATED,
    "refusal": RequestState.REFUSED,
    "pause_turn": RequestState.INCOMPLETE,
}


def _anthropic(custom_id: str, data: Json) -> Row:
    result = data["result"]
    message = _object(result.get("message"))
    if message and (result["type"] == "succeeded" or message.get("content")):
        return _anthropic_answer(custom_id, message)
    error = _object(result.get("error"))
    # The wrapper {"type": "error", "error": {...}} is missing on some servers.
    error = _object(error.get("error")) or error
    code, words = str(error.get("type") or result["type"]), str(error.get("message") or "")
    # Only what succeeded is billed (the vendor's guide).
    return _failed(custom_id, None, code, words, is_refusal=result["type"] == "errored")


def _anthropic_answer(custom_id: str, message: Json) -> Row:
    """input_tokens of the vendor are without the cached and written ones; ours are with them."""
    usage = _object(message.get("usage"))
    lifetimes = _object(usage.get("cache_creation"))
    written_1h = _tokens(lifetimes.get("ephemeral_1h_input_tokens"))
    written_5m = _tokens(lifetimes.get("ephemeral_5m_input_tokens"))
    written = max(_tokens(usage.get("cache_creation_input_tokens")), written_1h + written_5m)
    read_tokens = _tokens(usage.get("cache_read_input_tokens"))
    total = _tokens(usage.get("input_tokens")) + read_tokens + written
    output = _whole(usage.get("output_tokens"), MOST_TOKENS)
    reason = None if message.get("stop_reason") is None else str(message["stop_reason"])
    return _row(
        custom_id,
        _STOPS.get(reason or "", RequestState.SUCCEEDED),
        finish_reason=reason,
        flag=TOOLS if reason == "tool_use" else None,
        model=message.get("model"),
        has_usage=total > 0 and output is not None,
        input_tokens=total,
        cache_read_input_tokens=read_tokens,
        cache_creation_5m_input_tokens=written - written_1h,
        cache_creation_1h_input_tokens=written_1h,
        output_tokens=output or 0,
    )
