"""What Anthropic checks (batch.md 1.2): the outer shape at once, the parameters of each later.

API version 2026-10-21, which anthropic 2.x sends, refuses sampling parameters even at their
defaults, documents in assistant turns and citations in user text; 2023-06-01 takes them
(platform.claude.com/docs/en/api/versioning). That a batch shows it row by row, as it does all that
is wrong with `params`, is our reading.
"""

from __future__ import annotations

import re

from tests.migrate.fake.scenario import AnthropicLimits, Json
from tests.migrate.fake.wire import Call, only_keys, refuse

VERSIONS = ("2023-06-01", "2026-10-21")
SAMPLING = ("temperature", "top_p", "top_k")
NOT_IN_BATCH = ("speed", "store", "cache_hint", "context_hint", "previous_thread_event_id")


def check_outer(call: Call, data: Json, limits: AnthropicLimits) -> list[Json]:
    """The requests, their ids valid and unique; refused as a whole otherwise."""
    only_keys(call, data, {"requests"})
    requests = data.get("requests")
    if not isinstance(requests, list):
        raise refuse(call, 400, "requests: Field required")
    if not requests:
        raise refuse(call, 400, "requests: List should have at least 1 item")
    if len(requests) > limits.requests:
        raise refuse(call, 413, f"requests: at most {limits.requests} items are allowed")
    seen: set[str] = set()
    for index, request in enumerate(requests):
        check_request(call, index, request, limits, seen)
    return requests


def check_request(
    call: Call, index: int, request: Json, limits: AnthropicLimits, seen: set[str]
) -> None:
    """custom_id and params, and nothing else."""
    where = f"requests.{index}"
    if not isinstance(request, dict):
        raise refuse(call, 400, f"{where}: should be an object")
    only_keys(call, request, {"custom_id", "params"}, f"{where}.")
    custom_id = request.get("custom_id")
    if not isinstance(custom_id, str) or not re.fullmatch(limits.custom_id, custom_id):
        message = f"{where}.custom_id: String should match pattern '{limits.custom_id}'"
        raise refuse(call, 400, message)
    if custom_id in seen:
        raise refuse(call, 400, f"{where}.custom_id: duplicate custom_id '{custom_id}'")
    seen.add(custom_id)
    if not isinstance(request.get("params"), dict):
        raise refuse(call, 400, f"{where}.params: Field required")


def objection(params: Json, limits: AnthropicLimits, version: str) -> tuple[str, str] | None:
    """Outcome and message where one request is not a message that a batch can make."""
    if not isinstance(params.get("model"), str):
        return "bad_request", "model: Field required"
    if limits.models is not None and params["model"] not in limits.models:
        return "no_model", f"model: {params['model']}"
    tokens = params.get("max_tokens")
    if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 1:
        return "bad_request", "max_tokens: must be an integer of at least 1"
    if params.get("stream"):
        return "bad_request", "stream: streaming is not supported in batches"
    newest = version != "2023-06-01"
    for key in NOT_IN_BATCH + SAMPLING if newest else NOT_IN_BATCH:
        if key in params:
            return "bad_request", f"{key}: Extra inputs are not permitted"
    return message_objection(params, newest)


def message_objection(params: Json, newest: bool) -> tuple[str, str] | None:
    """Messages: at least one, of the two roles."""
    messages = params.get("messages")
    if not isinstance(messages, list) or not messages:
        return "bad_request", "messages: at least one message is required"
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            return "bad_request", f"messages.{index}.role: should be 'user' or 'assistant'"
        if not message.get("content"):
            return "bad_request", f"messages.{index}.content: must not be empty"
        blocks = message["content"] if isinstance(message["content"], list) else []
        for block in blocks if newest else ():
            if message["role"] == "assistant" and block.get("type") == "document":
                return "bad_request", f"messages.{index}: documents belong into user turns"
            if message["role"] == "user" and block.get("type") == "text" and block.get("citations"):
                return "bad_request", f"messages.{index}: citations belong into assistant turns"
    return None
