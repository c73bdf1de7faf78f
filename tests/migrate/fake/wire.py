"""One HTTP call and its reply, before and after they are bytes on a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.migrate.fake.scenario import Json


@dataclass(frozen=True)
class Call:
    """What was asked. headers: names in lower case. account: fingerprint of the key, never a key.

    op: like `openai.batches.create`. target: the id in the path. base: our own origin.
    """

    op: str
    vendor: str
    target: str | None
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    account: str
    base: str


@dataclass(frozen=True)
class Reply:
    """What is answered. ending: "send", or how it goes wrong (faults.py).

    keep: bytes of the body that are sent. length: whether content-length is told.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    ending: str = "send"
    keep: int | None = None
    length: bool = True
    delay: float = 0.0


class RefusalError(Exception):
    """A call is answered with an error of the vendor's."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def ok(data: Json) -> Reply:
    """A JSON reply."""
    return Reply(200, compact(data), {"content-type": "application/json"})


def changed(data: Json, drop: list[str], put: Json) -> Json:
    """An object without some keys, and with others; "a.b" is key b of the object under a."""
    data = json.loads(json.dumps(data))
    for path in (*drop, *put):
        *way, name = path.split(".")
        place = data
        for step in way:
            place = place[step] if isinstance(place.get(step), dict) else place
        if path in put:
            place[name] = put[path]
        else:
            place.pop(name, None)
    return data


def compact(data: Any) -> bytes:
    """JSON in bytes."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "server_error",
    502: "server_error",
    503: "server_error",
}


def error(
    vendor: str,
    status: int,
    message: str,
    type_: str | None = None,
    code: str | None = None,
    param: str | None = None,
) -> Reply:
    """An error in the vendor's own shape."""
    if vendor == "anthropic":
        what = {"type": type_ or ANTHROPIC_TYPES.get(status, "api_error"), "message": message}
        body: Json = {"type": "error", "error": what, "request_id": None}
    else:
        kind = type_ or OPENAI_TYPES.get(status, "invalid_request_error")
        body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return Reply(status, compact(body), {"content-type": "application/json"})


def refuse(
    call: Call, status: int, message: str, code: str | None = None, param: str | None = None
) -> RefusalError:
    """An error to raise."""
    return RefusalError(error(call.vendor, status, message, code=code, param=param))


def json_body(call: Call) -> Json:
    """The JSON object that was sent."""
    try:
        data = json.loads(call.body)
    except ValueError:
        raise refuse(call, 400, "We could not parse the JSON body of your request.") from None
    if not isinstance(data, dict):
        raise refuse(call, 400, "The body must be a JSON object.")
    return data


def only_keys(call: Call, data: Json, allowed: set[str], where: str = "") -> None:
    """Refuse what the vendor does not know."""
    for key in data:
        if key not in allowed:
            name = where + key
            raise refuse(call, 400, f"Unknown parameter: '{name}'.", "unknown_parameter", name)


def limit_of(call: Call, default: int, most: int) -> int:
    """The `limit` of a list."""
    text = call.query.get("limit", str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise refuse(call, 400, f"limit: must be between 1 and {most}", param="limit")
    return int(text)
