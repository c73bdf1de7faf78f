"""Wire shapes: one call, written the way a gateway, an SDK user or a batch file would write it.

The shapes follow the public documentation of each vendor and of LiteLLM's StandardLoggingPayload.
Times are epoch seconds, tokens are counts. `Call.input_tokens` is the whole prompt, cached and
cache-written tokens included; the Anthropic shapes take them apart again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """Who calls: the gateway key's alias, its team and the client library."""

    alias: str
    team: str
    user_agent: str = "OpenAI/Python 2.8.0"


@dataclass(frozen=True)
class Call:
    """One API call before it takes the shape of a log line."""

    started_at: float
    duration_s: float
    provider: str
    request_model: str
    response_model: str
    messages: tuple[Json, ...]
    reply: str
    input_tokens: int
    output_tokens: int
    response_id: str
    request_id: str
    trace_id: str
    operation: str = "chat"
    cached_tokens: int = 0
    written_tokens: int = 0
    reasoning_tokens: int = 0
    first_token_s: float | None = None
    status: str = "ok"
    http_status: int = 200
    error_class: str = ""
    error_message: str = ""
    tier: str | None = None
    end_user: str | None = None
    session_id: str = ""
    gateway_cache_hit: bool = False
    tags: tuple[str, ...] = ()
    promise: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended_at(self) -> float:
        """When the answer was complete."""
        return round(self.started_at + self.duration_s, 6)

    @property
    def stream(self) -> bool:
        """Whether the answer was streamed."""
        return self.first_token_s is not None


Shape = Callable[[Call, Caller], Json]

# USD per million tokens: input, cache read, cache write (5 minutes), output. What the invented
# company's gateway believed; the logs carry its arithmetic as `response_cost`.
_GATEWAY_PRICES: dict[tuple[str, str | None], tuple[float, float, float, float]] = {
    ("claude-haiku-4-5-20251001", None): (1, 0.1, 1.25, 5),
    ("claude-sonnet-4-5-20250929", None): (3, 0.3, 3.75, 15),
    ("claude-sonnet-4-6", None): (3, 0.3, 3.75, 15),
    ("gpt-4.1", None): (2, 0.5, 2, 8),
    ("gpt-4.1-mini", "priority"): (0.7, 0.175, 0.7, 2.8),
    ("gpt-4o", None): (2.5, 1.25, 2.5, 10),
    ("gpt-5.4", None): (2.5, 0.25, 2.5, 15),
    ("gpt-5.4-mini", "flex"): (0.375, 0.0375, 0.375, 2.25),
    ("text-embedding-3-small", None): (0.02, 0.02, 0.02, 0),
}


def _logged_cost(call: Call) -> float:
    """What the gateway wrote down: 0 for failures, own cache hits and models without a price."""
    rates = _GATEWAY_PRICES.get((call.request_model, call.tier))
    if rates is None or call.status != "ok" or call.gateway_cache_hit:
        return 0.0
    plain = call.input_tokens - call.cached_tokens - call.written_tokens
    counts = (plain, call.cached_tokens, call.written_tokens, call.output_tokens)
    return round(sum(c * r for c, r in zip(counts, rates, strict=True)) / 1e6, 9)


# --- OpenAI bodies -------------------------------------------------------------------------------


def _chat_usage(call: Call) -> Json:
    return {
        "prompt_tokens": call.input_tokens,
        "completion_tokens": call.output_tokens,
        "total_tokens": call.input_tokens + call.output_tokens,
        "prompt_tokens_details": {"cached_tokens": call.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": call.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat_body(call: Call, _caller: Caller) -> Json:
    """A bare Chat Completions response body: no request, so no stream flag and no caller."""
    return {
        "id": call.response_id,
        "object": "chat.completion",
        "created": int(call.started_at),
        "model": call.response_model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": call.reply, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": _chat_usage(call),
        "service_tier": call.tier or "default",
        "system_fingerprint": None,
    }


def _responses_body(call: Call) -> Json:
    return {
        "id": call.response_id,
        "object": "response",
        "created_at": int(call.started_at),
        "completed_at": int(call.ended_at),
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": call.parameters.get("instructions"),
        "max_output_tokens": None,
        "model": call.response_model,
        "output": [
            {
                "id": call.response_id.replace("resp_", "msg_"),
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "annotations": [], "text": call.reply}],
            }
        ],
        "previous_response_id": call.parameters.get("previous_response_id"),
        "service_tier": "default",
        "store": True,
        "usage": {
            "input_tokens": call.input_tokens,
            "input_tokens_details": {"cached_tokens": call.cached_tokens},
            "output_tokens": call.output_tokens,
            "output_tokens_details": {"reasoning_tokens": call.reasoning_tokens},
            "total_tokens": call.input_tokens + call.output_tokens,
        },
        "user": call.end_user,
        "metadata": {},
    }


def _embeddings_body(call: Call) -> Json:
    """Vectors are cut to three numbers: their length says nothing about cost."""
    vectors = [
        {"object": "embedding", "index": n, "embedding": [0.01, -0.02, 0.03]}
        for n in range(len(call.messages))
    ]
    usage = {"prompt_tokens": call.input_tokens, "total_tokens": call.input_tokens}
    return {"object": "list", "model": call.response_model, "data": vectors, "usage": usage}


def _openai_error(call: Call) -> Json:
    error = {"message": call.error_message, "type": call.error_class, "param": None, "code": None}
    return {"error": error}


# --- {request, response} wrappers ----------------------------------------------------------------


def _exchange(call: Call, caller: Caller, url: str, request: Json, response: Json) -> Json:
    """What a middleware that records HTTP exchanges writes, one exchange a line."""
    id_header = "request-id" if call.provider == "anthropic" else "x-request-id"
    ended = datetime.fromtimestamp(int(call.ended_at), UTC)
    return {
        "timestamp": ended.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "method": "POST",
        "url": url,
        "status": call.http_status,
        "user_agent": caller.user_agent,
        "response_headers": {
            "content-type": "application/json",
            "date": format_datetime(ended, usegmt=True),
            id_header: call.request_id,
        },
        "request": request,
        "response": response,
    }


def _with_processing_time(exchange: Json, call: Call) -> Json:
    exchange["response_headers"]["openai-processing-ms"] = str(int(call.duration_s * 1000))
    return exchange


def chat_exchange(call: Call, caller: Caller) -> Json:
    """An OpenAI Chat Completions request with its response."""
    request = {"model": call.request_model, "messages": list(call.messages), **call.parameters}
    if call.stream:
        request["stream"] = True
    response = chat_body(call, caller) if call.status == "ok" else _openai_error(call)
    url = "https://api.openai.com/v1/chat/completions"
    return _with_processing_time(_exchange(call, caller, url, request, response), call)


def responses_exchange(call: Call, caller: Caller) -> Json:
    """An OpenAI Responses request with its response."""
    request = {
        "model": call.request_model,
        "input": list(call.messages),
        "stream": call.stream,
        "user": call.end_user,
        **call.parameters,
    }
    response = _responses_body(call) if call.status == "ok" else _openai_error(call)
    url = "https://api.openai.com/v1/responses"
    return _with_processing_time(_exchange(call, caller, url, request, response), call)


def embeddings_exchange(call: Call, caller: Caller) -> Json:
    """An OpenAI embeddings request with its response; it has no response id."""
    request = {
        "model": call.request_model,
        "input": [message["content"] for message in call.messages],
        "encoding_format": "float",
    }
    url = "https://api.openai.com/v1/embeddings"
    exchange = _exchange(call, caller, url, request, _embeddings_body(call))
    return _with_processing_time(exchange, call)


# --- Anthropic -----------------------------------------------------------------------------------


def _message_body(call: Call, tier: str) -> Json:
    """An Anthropic Message; `reply` may be a prepared list of content blocks in `parameters`."""
    blocks = call.parameters.get("reply_blocks") or [{"type": "text", "text": call.reply}]
    return {
        "id": call.response_id,
        "type": "message",
        "role": "assistant",
        "model": call.response_model,
        "content": blocks,
        "stop_reason": "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": call.input_tokens - call.cached_tokens - call.written_tokens,
            "cache_creation_input_tokens": call.written_tokens,
            "cache_read_input_tokens": call.cached_tokens,
            "cache_creation": {
                "ephemeral_5m_input_tokens": call.written_tokens,
                "ephemeral_1h_input_tokens": 0,
            },
            "output_tokens": call.output_tokens,
            "service_tier": tier,
        },
    }


def messages_exchange(call: Call, caller: Caller) -> Json:
    """An Anthropic Messages request with its response, content blocks and tool results included."""
    request = {
        "model": call.request_model,
        "max_tokens": call.parameters["max_tokens"],
        "stream": call.stream,
        "system": call.parameters["system"],
        "messages": list(call.messages),
        "tools": call.parameters["tools"],
        "metadata": {"user_id": call.end_user},
    }
    response = _message_body(call, tier="standard")
    return _exchange(call, caller, "https://api.anthropic.com/v1/messages", request, response)


def count_tokens_exchange(call: Call, caller: Caller) -> Json:
    """A free token count: it looks like a Messages call and is none."""
    request = {"model": call.request_model, "messages": list(call.messages)}
    url = "https://api.anthropic.com/v1/messages/count_tokens"
    return _exchange(call, caller, url, request, {"input_tokens": call.input_tokens})


# --- batch files ---------------------------------------------------------------------------------


def openai_batch_line(call: Call, caller: Caller) -> Json:
    """A line of an OpenAI batch output file; only the envelope tells that the call was batched."""
    return {
        "id": f"batch_req_{call.request_id}",
        "custom_id": call.session_id,
        "response": {
            "status_code": 200,
            "request_id": call.trace_id.replace("-", ""),
            "body": chat_body(call, caller),
        },
        "error": None,
    }


def anthropic_batch_line(call: Call, _caller: Caller) -> Json:
    """A succeeded line of an Anthropic Message Batch results file."""
    message = _message_body(call, tier="batch")
    return {"custom_id": call.session_id, "result": {"type": "succeeded", "message": message}}


# --- LiteLLM StandardLoggingPayload --------------------------------------------------------------


def litellm_payload(call: Call, caller: Caller) -> Json:
    """One StandardLoggingPayload object, as the S3, GCS and Azure loggers serialise it."""
    failed = call.status != "ok"
    usage = {} if failed else _litellm_usage(call)
    cost = _logged_cost(call)
    return {
        "id": _litellm_id(call),
        "litellm_call_id": call.request_id,
        "trace_id": call.trace_id,
        "session_id": call.session_id,
        "call_type": "aembedding" if call.operation == "embeddings" else "acompletion",
        "cache_hit": True if call.gateway_cache_hit else None,
        "stream": True if call.stream else None,
        "status": "failure" if failed else "success",
        "status_fields": {"llm_api_status": "failure" if failed else "success"},
        "custom_llm_provider": call.provider,
        "saved_cache_cost": 0.0,
        "startTime": call.started_at,
        "endTime": call.ended_at,
        "completionStartTime": _first_token_at(call),
        "response_time": round(call.first_token_s or call.duration_s, 6),
        "model": f"{call.provider}/{call.request_model}",
        "metadata": _litellm_metadata(call, caller, usage),
        "cache_key": None,
        "response_cost": cost,
        "cost_breakdown": None if failed else {"total_cost": cost, "service_tier": call.tier},
        "total_tokens": usage.get("total_tokens", 0),
        "prompt_tokens": usage.get("prompt_tokens", 0),
        "completion_tokens": usage.get("completion_tokens", 0),
        "request_tags": [*call.tags, f"User-Agent: {caller.user_agent}"],
        "end_user": call.end_user,
        "api_base": _API_BASE[call.provider],
        "model_group": call.request_model,
        "model_id": "",
        "requester_ip_address": None,
        "user_agent": caller.user_agent,
        "messages": list(call.messages),
        "response": {} if failed else _litellm_response(call, usage),
        "model_parameters": _litellm_parameters(call),
        "hidden_params": {
            "litellm_model_name": f"{call.provider}/{call.request_model}",
            "batch_models": None,
        },
        "error_str": call.error_message or None,
        "error_information": {
            "error_code": str(call.http_status) if failed else "",
            "error_class": call.error_class,
            "llm_provider": call.provider if failed else "",
            "traceback": "",
            "error_message": call.error_message,
        },
    }


_API_BASE = {
    "openai": "https://api.openai.com/v1/",
    "anthropic": "https://api.anthropic.com/v1/messages",
    "hosted_vllm": "http://inference.thistledown.example/v1",
}


def litellm_bookkeeping(
    call_type: str, moment: float, caller: Caller, call_id: str, tags: tuple[str, ...] = ()
) -> Json:
    """A gateway's own row, a batch or file endpoint or a health check: nobody's model call."""
    call = Call(
        started_at=moment,
        duration_s=0.31,
        provider="openai",
        request_model="gpt-4o-mini",
        response_model="gpt-4o-mini",
        messages=(),
        reply="",
        input_tokens=0,
        output_tokens=0,
        response_id=call_id,
        request_id=call_id,
        trace_id=call_id,
        tags=tags,
    )
    shown: Json = {"call_type": call_type, "messages": None, "response": {}}
    return {**litellm_payload(call, caller), **shown}


def _litellm_id(call: Call) -> str:
    if call.status != "ok" or call.operation == "embeddings":
        return call.request_id
    if call.gateway_cache_hit:
        return f"{call.response_id}_cache_hit{call.ended_at}"
    return call.response_id


def _first_token_at(call: Call) -> float:
    if call.first_token_s is None:
        return call.ended_at
    return round(call.started_at + call.first_token_s, 6)


def _litellm_usage(call: Call) -> Json:
    """LiteLLM counts cached tokens inside prompt_tokens for every vendor, Anthropic too."""
    usage = _chat_usage(call)
    if call.operation == "embeddings":
        return {**usage, "prompt_tokens_details": None, "completion_tokens_details": None}
    if call.provider != "anthropic":
        return usage
    usage["prompt_tokens_details"] |= {
        "text_tokens": call.input_tokens - call.cached_tokens - call.written_tokens,
        "cache_creation_tokens": call.written_tokens,
        "cache_creation_token_details": {
            "ephemeral_5m_input_tokens": call.written_tokens,
            "ephemeral_1h_input_tokens": 0,
        },
    }
    return {
        **usage,
        "cache_creation_input_tokens": call.written_tokens,
        "cache_read_input_tokens": call.cached_tokens,
    }


def _litellm_metadata(call: Call, caller: Caller, usage: Json) -> Json:
    return {
        "user_api_key_hash": hashlib.sha256(caller.alias.encode()).hexdigest(),
        "user_api_key_alias": caller.alias,
        "user_api_key_team_id": f"team-{caller.team}",
        "user_api_key_team_alias": caller.team,
        "user_api_key_user_id": None,
        "user_api_key_org_id": None,
        "user_api_key_end_user_id": call.end_user,
        "spend_logs_metadata": None,
        "requester_ip_address": None,
        "requester_metadata": dict(call.promise) or None,
        "requester_custom_headers": dict(call.headers) or None,
        "prompt_management_metadata": None,
        "applied_guardrails": [],
        "usage_object": usage,
    }


def _litellm_parameters(call: Call) -> Json:
    parameters = dict(call.parameters)
    if call.stream:
        parameters["stream"] = True
    if call.tier is not None:
        parameters["service_tier"] = call.tier
    return parameters


def _litellm_response(call: Call, usage: Json) -> Json:
    if call.operation == "embeddings":
        return {**_embeddings_body(call), "usage": usage}
    message = {"role": "assistant", "content": call.reply, "tool_calls": None}
    response = {
        "id": call.response_id,
        "created": int(call.started_at),
        "model": call.response_model,
        "object": "chat.completion",
        "choices": [{"finish_reason": "stop", "index": 0, "message": message}],
        "usage": usage,
    }
    tier = {"service_tier": call.tier or "default"} if call.provider == "openai" else {}
    return {**response, **tier}


# --- generic CSV with canonical column names -----------------------------------------------------

CSV_COLUMNS = (
    "call_id", "provider_name", "operation_name", "request_model", "response_model", "started_at",
    "ended_at", "status", "http_status", "service_tier", "is_streaming", "input_tokens",
    "cache_read_input_tokens", "output_tokens", "caller", "team", "environment", "scheduler",
    "declared_tolerance_s", "template_hash", "message_count",
)  # fmt: skip


def csv_row(call: Call, caller: Caller) -> Json:
    """A row of a home-grown proxy's table, already in canonical names."""
    return {
        "call_id": call.response_id,
        "provider_name": call.provider,
        "operation_name": call.operation,
        "request_model": call.request_model,
        "response_model": call.response_model,
        "started_at": _timestamp(call.started_at),
        "ended_at": _timestamp(call.ended_at),
        "status": call.status,
        "http_status": call.http_status,
        "service_tier": "standard",
        "is_streaming": "false",
        "input_tokens": call.input_tokens,
        "cache_read_input_tokens": call.cached_tokens,
        "output_tokens": call.output_tokens,
        "caller": caller.alias,
        "team": caller.team,
        "environment": "prod",
        "scheduler": "cron",
        "declared_tolerance_s": 86_400,
        "template_hash": hashlib.sha256(caller.alias.encode()).hexdigest()[:16],
        "message_count": len(call.messages),
    }


def _timestamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
