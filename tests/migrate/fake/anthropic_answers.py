"""Lines of Anthropic's results: the message, or what went wrong, by outcome."""

from __future__ import annotations

import json

from tests.migrate.fake import bodies, twists
from tests.migrate.fake.scenario import BILLED, BatchPlan, Json
from tests.migrate.fake.store import StoredRow

ERRORS = {
    "rate_limited": ("rate_limit_error", "Number of requests has exceeded your rate limit."),
    "no_status": ("api_error", "Internal server error"),
    "server_error": ("api_error", "Internal server error"),
    "overloaded": ("overloaded_error", "Overloaded"),
    "timeout": ("timeout_error", "Request timed out"),
    "credit": (
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API."
        " Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    "no_model": ("not_found_error", "model: no such model"),
    "unwrapped": ("api_error", "Internal server error"),
}
STOPS = {
    "truncated": "max_tokens",
    "refusal": "refusal",
    "filtered": "refusal",
    "tool_use": "tool_use",
    "pause_turn": "pause_turn",
}


def line(row: StoredRow, plan: BatchPlan) -> tuple[str, Json]:
    """The kind of result, as in `request_counts`, and the line."""
    kind, result = result_of(row, plan)
    return kind, twists.twisted(row, {"custom_id": row.custom_id, "result": result})


def result_of(row: StoredRow, plan: BatchPlan) -> tuple[str, Json]:
    """succeeded, errored, canceled or expired."""
    if row.outcome in BILLED:
        return "succeeded", {"type": "succeeded", "message": message(row, plan)}
    if row.outcome in ("expired", "canceled"):
        return row.outcome, {"type": row.outcome}
    type_, text = ERRORS.get(row.outcome, ("invalid_request_error", "messages: invalid"))
    error: Json = {"type": type_, "message": row.detail or text}
    if row.outcome != "unwrapped":
        error = {"type": "error", "error": error, "request_id": f"req_{row.body_sha256[:20]}"}
    return "errored", {"type": "errored", "error": error}


def message(row: StoredRow, plan: BatchPlan) -> Json:
    """The answer, the same whenever the same request is answered."""
    body: Json = json.loads(row.body)
    stop = STOPS.get(row.outcome, "end_turn")
    refused: Json = {"type": "refusal", "category": None, "explanation": None}
    return {
        "id": f"msg_{row.body_sha256[:24]}",
        "type": "message",
        "role": "assistant",
        "model": plan.answered_model or body["model"],
        "content": content(row, body),
        "stop_reason": stop,
        "stop_sequence": None,
        "stop_details": refused if stop == "refusal" else None,
        "usage": usage(row, body, plan),
    }


def content(row: StoredRow, body: Json) -> list[Json]:
    """The echo; in two blocks where the outcome is `split`."""
    text = f"echo {row.marker}"
    if row.outcome == "tool_use":
        tools = body.get("tools") or [{"name": "lookup"}]
        call_id = f"toolu_{row.body_sha256[:20]}"
        use = {"type": "tool_use", "id": call_id, "name": tools[0]["name"]}
        return [use | {"input": {"echo": row.marker}}]
    if row.outcome in ("refusal", "filtered"):
        return []
    if row.outcome == "split":
        return [{"type": "text", "text": text[:5]}, {"type": "text", "text": text[5:]}]
    return [{"type": "text", "text": text[:-2] if row.outcome == "truncated" else text}]


def usage(row: StoredRow, body: Json, plan: BatchPlan) -> Json:
    """What is billed. input_tokens is without the cached ones, as Anthropic counts."""
    prompt = bodies.input_tokens(body)
    read, written = int(prompt * plan.cache_read), int(prompt * plan.cache_write)
    out = bodies.output_tokens(row.body_sha256, body["max_tokens"], row.outcome == "truncated")
    return {
        "input_tokens": prompt - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": out,
        "service_tier": "batch",
    }
