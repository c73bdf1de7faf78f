"""A record of a log -> the body to send again, verbatim, or the reason why not.

The body is cut out of the record's own text: numbers, escapes and the order of keys stay as they
were logged. Only whole parameters are taken out, and what `replay.toml` does not know is refused
(F28 of the brief).
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn
from urllib.parse import urlsplit

from llm_audit.text import printable


@dataclass(frozen=True)
class Shape:
    """Where a log format holds the request: one member, or parts that LiteLLM keeps apart."""

    endpoints: Mapping[str, str]
    request: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    call_types: Mapping[str, Any] = field(default_factory=dict)
    otherwise: str | None = None
    """Why the operations without an endpoint, or of another vendor, are not replay-grade."""


@dataclass(frozen=True)
class Endpoint:
    """Which parameters go into a batch; the fields are those of `replay.toml`."""

    vendor: str
    required: frozenset[str]
    allowed: frozenset[str]
    dropped: frozenset[str]
    dropped_if: Mapping[str, list[Any]]
    refused: Mapping[str, str]
    at_least_one: tuple[str, ...]
    local_tools: tuple[str, ...]
    units: str | None


@dataclass(frozen=True)
class VendorRules:
    """What holds for all requests to a vendor. Sizes in bytes."""

    hosts: frozenset[str]
    max_request_bytes: int
    max_units: int | None


@dataclass(frozen=True)
class Rules:
    """`replay.toml`, read."""

    shapes: Mapping[str, Shape]
    not_replay_grade: Mapping[str, str]
    cut_marks: tuple[str, ...]
    vendors: Mapping[str, VendorRules]
    endpoints: Mapping[str, Endpoint]
    reasons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Body:
    """A body ready to send: UTF-8 JSON on one line. units: see `model.Request`."""

    text: bytes
    model: str
    betas: tuple[str, ...]
    units: int

    @property
    def sha256(self) -> str:
        """Hex digest of the text."""
        return hashlib.sha256(self.text).hexdigest()


@dataclass(frozen=True)
class Refusal:
    """Why a record is not sent again. `what`: what in particular, printable."""

    reason: str
    what: str = ""

    @property
    def detail(self) -> str:
        """The sentence for a person."""
        sentence = rules().reasons[self.reason]
        return f"{sentence}: {self.what}" if self.what else sentence


@cache
def rules() -> Rules:
    """The packaged rules."""
    text = resources.files("llm_audit.migrate").joinpath("replay.toml").read_text("utf-8")
    data = tomllib.loads(text)
    return Rules(
        shapes={name: Shape(**value) for name, value in data["formats"].items()},
        not_replay_grade=data["not_replay_grade"],
        cut_marks=tuple(data["cut"]["marks"]),
        vendors={
            name: VendorRules(
                frozenset(value["hosts"]), value["max_request_bytes"], value.get("max_units")
            )
            for name, value in data["vendors"].items()
        },
        endpoints={name: _endpoint(value) for name, value in data["endpoints"].items()},
        reasons=data["reasons"],
    )


def _endpoint(value: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        vendor=value["vendor"],
        required=frozenset(value["required"]),
        allowed=frozenset(value["allowed"]),
        dropped=frozenset(value["dropped"]),
        dropped_if=value.get("dropped_if", {}),
        refused=value.get("refused", {}),
        at_least_one=tuple(value.get("at_least_one", ())),
        local_tools=tuple(value.get("local_tools", ())),
        units=value.get("units"),
    )


def body(record: bytes, format_name: str, url: str) -> Body | Refusal:
    """The body in a record of this format for the endpoint `url`, or why it is not sent."""
    try:
        shape, endpoint = rules().shapes[format_name], rules().endpoints[url]
        whole = members(record.decode("utf-8"), strict=False)
        _check_origin(whole, shape, rules().vendors[endpoint.vendor])
        sent = _request(whole, shape)
        betas = _betas(whole, sent)
        kept = {key: member for key, member in sent.items() if _goes(key, member.value, endpoint)}
        _check_values(kept, endpoint)
        text = "{" + ", ".join(member.raw for member in kept.values()) + "}"
        _check_text(text, kept)
        return Body(text.encode(), kept["model"].value, betas, _units(kept, endpoint))
    except _RefusedError as refused:
        return refused.refusal
    except (ValueError, IndexError, RecursionError, KeyError):
        return Refusal("not_found")


class _RefusedError(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def _refuse(reason: str, what: str = "") -> NoReturn:
    raise _RefusedError(Refusal(reason, printable(what, 60)))


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a JSON object: its value, and its text with the key as it was written."""

    value: Any
    raw: str

    @property
    def raw_value(self) -> str:
        """The text of the value alone."""
        end = scanstring(self.raw, 1)[1]
        return self.raw[end:].lstrip(" \t\r\n:")


def _refuse_constant(name: str) -> NoReturn:
    _refuse("bad_value", f"{name} is no JSON")


_LENIENT = json.JSONDecoder().raw_decode
_STRICT = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode
_OPEN = re.compile(r"[ \t\r\n]*\{[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
_NEXT = re.compile(r"[ \t\r\n]*(?:,[ \t\r\n]*|(?=\}))")


def members(text: str, *, strict: bool) -> dict[str, Member]:
    """The members of a JSON object, each with its own text.

    strict: NaN and Infinity, which are no JSON, are refused; so is a key that stands twice, as the
    two readers of it might not agree. Errors: `ValueError`, `IndexError` when it is no object.
    """
    decode = _STRICT if strict else _LENIENT
    found: dict[str, Member] = {}
    at = _past(_OPEN, text, 0)
    while text[at] != "}":
        start = at
        key, at = scanstring(text, at + 1)
        value, at = decode(text, _past(_COLON, text, at))
        if strict and key in found:
            _refuse("bad_value", f"`{key}` stands twice")
        found[key] = Member(value, text[start:at])
        at = _past(_NEXT, text, at)
    return found


def _past(mark: re.Pattern[str], text: str, at: int) -> int:
    match = mark.match(text, at)
    if match is None:
        raise ValueError("not an object")
    return match.end()


def _check_origin(whole: Mapping[str, Member], shape: Shape, vendor: VendorRules) -> None:
    """The call went to the vendor itself, in the vendor's own shape."""
    address = whole.get(shape.parts.get("address", "url"))
    text = address.value if address else None
    if isinstance(text, str) and text and not text.startswith("/"):
        host = urlsplit(text).hostname or ""
        if host not in vendor.hosts:
            _refuse("foreign_host", host)
    if shape.call_types:
        kind = whole.get(shape.call_types["key"])
        if kind is None or kind.value not in shape.call_types["as_sent"]:
            _refuse("reshaped", str(kind.value) if kind else "")


def _request(whole: Mapping[str, Member], shape: Shape) -> dict[str, Member]:
    """The members of the request as it was sent."""
    if shape.request is not None:
        request = whole.get(shape.request)
        if request is None or not isinstance(request.value, dict):
            _refuse("no_body")
        return members(request.raw_value, strict=True)
    prompt, parameters, model, provider = (
        whole.get(shape.parts[name]) for name in ("prompt", "parameters", "model", "provider")
    )
    if prompt is None or model is None or not isinstance(model.value, str):
        _refuse("no_body")
    # Behind a router LiteLLM logs `openai/gpt-4.1`; the vendor was asked for `gpt-4.1`.
    prefix = f"{provider.value}/" if provider else ""
    name = model.value.removeprefix(prefix)
    sent = {
        "model": Member(name, f'"model": {json.dumps(name)}'),
        "messages": Member(prompt.value, f'"messages": {prompt.raw_value}'),
    }
    if parameters is None or not isinstance(parameters.value, dict):
        _refuse("no_body")
    for key, member in members(parameters.raw_value, strict=True).items():
        if key in sent:
            _refuse("bad_value", f"`{key}` stands twice")
        sent[key] = member
    return sent


_BETA = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")


def _betas(whole: Mapping[str, Member], sent: Mapping[str, Member]) -> tuple[str, ...]:
    """The beta features of an Anthropic call, sorted: of its headers and its body."""
    url, headers = whole.get("url"), whole.get("request_headers")
    named: set[str] = set()
    if headers and isinstance(headers.value, dict):
        for key, value in headers.value.items():
            if key.lower() == "anthropic-beta" and isinstance(value, str):
                named.update(part.strip() for part in value.split(","))
    if "betas" in sent and isinstance(sent["betas"].value, list):
        named.update(str(part) for part in sent["betas"].value)
    named.discard("")
    if not named and url and isinstance(url.value, str) and "beta=true" in url.value:
        _refuse("unknown_betas")
    for name in named:
        if not _BETA.fullmatch(name):
            _refuse("unknown_betas", name)
    return tuple(sorted(named))


def _goes(key: str, value: Any, endpoint: Endpoint) -> bool:
    """Whether a parameter goes into the body; one that must not be taken out is refused."""
    if key in endpoint.allowed:
        return True
    if key in endpoint.dropped or value is None:
        return False
    if any(value == harmless for harmless in endpoint.dropped_if.get(key, ())):
        return False
    _refuse(endpoint.refused.get(key, "parameter"), f"`{printable(key, 40)}`")


def _check_values(kept: Mapping[str, Member], endpoint: Endpoint) -> None:
    for key in endpoint.required:
        if key not in kept or kept[key].value in (None, "", []):
            _refuse("bad_value", f"`{key}` is missing or empty")
    if not isinstance(kept["model"].value, str):
        _refuse("bad_value", "`model` is no text")
    if "messages" in kept and not isinstance(kept["messages"].value, list):
        _refuse("bad_value", "`messages` is no list")
    for key in endpoint.at_least_one:
        value = kept[key].value if key in kept else None
        if value is not None and (type(value) is not int or value < 1):
            _refuse("bad_value", f"`{key}` is not 1 or more")
    tools = kept["tools"].value if "tools" in kept else None
    for tool in tools or ():
        kind = str(tool.get("type", "")) if isinstance(tool, dict) else "?"
        if not any(_is_of(kind, local) for local in endpoint.local_tools):
            _refuse("hosted_tool", kind)


def _is_of(kind: str, local: str) -> bool:
    return kind.startswith(local) if local.endswith("_") else kind == local


# As a key or a type, not inside a text, where its quotes would be escaped.
_STORED = re.compile(r'(?<!\\)"(?:file_id"\s*:\s*"|item_reference")')
_STORED_WORDS = ("file_id", "item_reference")


def _check_text(text: str, kept: Mapping[str, Member]) -> None:
    """What shows in the whole text alone: texts cut by the logger, things that are stored."""
    if any(mark in text for mark in rules().cut_marks):
        _refuse("cut_body")
    # A plain search first: the pattern stops at every quote of a long text.
    if any(word in text for word in _STORED_WORDS) and (stored := _STORED.search(text)):
        _refuse("vendor_state", stored[0].strip('": '))
    if "\\ud" in text or "\\uD" in text:
        # Half a surrogate pair, as cutting a text leaves it, fails a whole file at the vendor.
        try:
            json.dumps([m.value for m in kept.values()], ensure_ascii=False).encode()
        except UnicodeEncodeError:
            _refuse("cut_body", "half a character")


def _units(kept: Mapping[str, Member], endpoint: Endpoint) -> int:
    """How many inputs the vendor counts; a list of numbers is one text as tokens."""
    if endpoint.units is None:
        return 1
    value = kept[endpoint.units].value
    if isinstance(value, list) and not all(isinstance(part, int) for part in value):
        return len(value)
    return 1
