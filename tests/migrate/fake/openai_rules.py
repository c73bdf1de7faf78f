"""What OpenAI checks of a request file, line by line, and of one request (batch.md 1.1).

A file that breaks a rule fails as a whole, after the batch was made; a request that only its
model or endpoint objects to comes back as a row of the error file. Where the vendor's code is not
known the fake has a word of its own: codes are open strings.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.migrate.fake.openai_answers import inputs_of
from tests.migrate.fake.scenario import Json, OpenAILimits

ENDPOINTS = (
    "/v1/responses",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/completions",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/videos",
)
LINE_KEYS = {"custom_id", "method", "url", "body"}
NOT_IN_BATCH = [
    "stream_options",
    "background",
    "service_tier",
    "previous_response_id",
    "conversation",
    "speed",
]
"""Beside `stream`: not for batch or not settled by the guide, so the fake takes none of them."""
PROMPTS = {
    "/v1/responses": "input",
    "/v1/chat/completions": "messages",
    "/v1/embeddings": "input",
    "/v1/completions": "prompt",
    "/v1/moderations": "input",
    "/v1/images/generations": "prompt",
    "/v1/images/edits": "prompt",
    "/v1/videos": "prompt",
}
DUPLICATE = (
    "The custom_id for this request is a duplicate of another request."
    " The custom_id parameter must be unique for each request in a batch."
)


@dataclass
class FileCheck:
    """What a file holds: (line, custom_id, body) of good lines, and the errors of the others."""

    requests: list[tuple[int, str, Json]] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    model: str | None = None
    inputs: int = 0

    def fault(self, code: str, message: str, line: int | None, param: str = "") -> None:
        """One of `errors.data`."""
        self.errors.append({"code": code, "message": message, "line": line, "param": param or None})


def check_file(content: bytes, endpoint: str, limits: OpenAILimits) -> FileCheck:
    """The whole file. Lines count from 1."""
    check = FileCheck()
    if len(content) > limits.file_bytes:
        check.fault("file_too_large", "The file is larger than a batch may be.", None)
        return check
    lines = content.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    if not lines:
        check.fault("empty_file", "The file contains no requests.", None)
    if len(lines) > limits.requests:
        check.fault("too_many_tasks", f"Over {limits.requests} requests in the file.", None)
        return check
    for number, line in enumerate(lines, 1):
        check_line(check, number, line, endpoint, limits)
    if check.inputs > limits.embedding_inputs:
        check.fault("too_many_inputs", f"Over {limits.embedding_inputs} embedding inputs.", None)
    return check


def check_line(
    check: FileCheck, number: int, line: bytes, endpoint: str, limits: OpenAILimits
) -> None:
    """One line: the outer shape, then what its body may not hold in a batch."""
    request = read_object(line)
    if request is None:
        check.fault("invalid_json_line", "This line is not parseable as valid JSON.", number)
        return
    before = len(check.errors)
    check_outer(check, number, request, endpoint, limits)
    body = request.get("body")
    if not isinstance(body, dict):
        if "body" in request:
            check.fault("invalid_type", "The body must be an object.", number, "body")
        return
    check_body(check, number, body)
    if endpoint == "/v1/embeddings":
        check.inputs += len(inputs_of(body))
    if len(check.errors) == before:
        check.requests.append((number, request["custom_id"], body))


def read_object(line: bytes) -> Json | None:
    """A JSON object in UTF-8, else None."""
    try:
        data = json.loads(line.decode("utf-8"), parse_constant=not_json)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def not_json(name: str) -> Any:
    """Python writes NaN and Infinity; JSON has neither."""
    raise ValueError(name)


def check_outer(
    check: FileCheck, number: int, request: Json, endpoint: str, limits: OpenAILimits
) -> None:
    """custom_id, method, url, body, and nothing else."""
    for key in sorted(LINE_KEYS - set(request)):
        message = f"Missing required parameter: '{key}'."
        check.fault("missing_required_parameter", message, number, key)
    for key in sorted(set(request) - LINE_KEYS):
        check.fault("unknown_parameter", f"Unknown parameter: '{key}'.", number, key)
    if request.get("method", "POST") != "POST":
        check.fault("invalid_method", "The method must be POST.", number, "method")
    if request.get("url", endpoint) != endpoint:
        message = "The URL provided for this request does not match the batch endpoint."
        check.fault("url_mismatch", message, number, "url")
    custom_id = request.get("custom_id")
    if "custom_id" not in request:
        return
    if not isinstance(custom_id, str) or not re.fullmatch(limits.custom_id, custom_id):
        check.fault("invalid_custom_id", "The custom_id is not valid.", number, "custom_id")
    elif custom_id in check.ids:
        check.fault("duplicate_custom_id", DUPLICATE, number, "custom_id")
    else:
        check.ids.add(custom_id)


def check_body(check: FileCheck, number: int, body: Json) -> None:
    """One model a file; no streaming, nor what only makes sense outside a batch."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        message = "Missing required parameter: 'body.model'."
        check.fault("missing_required_parameter", message, number, "body.model")
    elif check.model not in (None, model):
        message = f"All requests must have the same model: {check.model}."
        check.fault("model_mismatch", message, number, "body.model")
    else:
        check.model = model
    if body.get("stream"):
        check.fault("streaming_unsupported", "Streaming is not supported.", number, "body.stream")
    for key in NOT_IN_BATCH:
        if key in body:
            message = f"Not supported in a batch: '{key}'."
            check.fault("unsupported_parameter", message, number, f"body.{key}")


def objection(body: Json, endpoint: str, limits: OpenAILimits) -> tuple[str, str] | None:
    """Outcome and message where the endpoint itself would refuse one request."""
    if limits.models is not None and body["model"] not in limits.models:
        return "no_model", f"The model `{body['model']}` does not exist."
    if not body.get(PROMPTS[endpoint]):
        return "bad_request", f"Missing required parameter: '{PROMPTS[endpoint]}'."
    for key in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        least = body.get(key, 1)
        if least is not None and (not isinstance(least, int) or least < 1):
            return "bad_request", f"Invalid '{key}': expected an integer above 0."
    for tool in body.get("tools") or ():
        if tool.get("type") not in ("function", "custom"):
            return "bad_request", f"Tool '{tool.get('type')}' is not supported in a batch."
    return None
