"""Request files: what a vendor is sent, byte for byte; written once, checked line by line.

OpenAI takes JSON lines (platform.openai.com/docs/guides/batch), Anthropic one JSON object
(docs.claude.com/en/api/creating-message-batches), which is written one request a line, so that
both can be streamed and a line number means something. Files are private to their owner.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from llm_audit.errors import MigrationError
from llm_audit.migrate.model import Request, Vendor

_HEAD, _BETWEEN, _TAIL = b'{"requests":[\n', b",\n", b"\n]}\n"
FRAME = {Vendor.OPENAI: 0, Vendor.ANTHROPIC: len(_HEAD) + len(_TAIL)}
"""Bytes of a file besides its lines."""

ENDINGS = {Vendor.OPENAI: ".jsonl", Vendor.ANTHROPIC: ".json"}

CUSTOM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Anthropic's rule; OpenAI has none that is stricter."""


def custom_id(intent: str, request_key: str, generation: int = 1) -> str:
    """The id of a request in a shard; its prefix tells whose batch it is (F5 of the brief)."""
    short = base64.b32encode(bytes.fromhex(request_key))[:20].decode().lower()
    return f"la-{intent}-{short}-g{generation}"


def line(vendor: Vendor, name: str, endpoint: str, body: bytes) -> bytes:
    """One request as it stands in the file, without the line break."""
    if vendor is Vendor.OPENAI:
        head = f'{{"custom_id":"{name}","method":"POST","url":"{endpoint}","body":'
    else:
        head = f'{{"custom_id":"{name}","params":'
    return head.encode() + body + b"}"


def line_bytes(vendor: Vendor, endpoint: str, body_bytes: int) -> int:
    """Bytes that a request takes in a file, with what separates it from the next."""
    return _line_overhead(vendor, endpoint) + body_bytes


@cache
def _line_overhead(vendor: Vendor, endpoint: str) -> int:
    separator = 1 if vendor is Vendor.OPENAI else len(_BETWEEN)
    sample = custom_id("x" * 8, "00" * 32)
    return len(line(vendor, sample, endpoint, b"")) + separator


@dataclass(frozen=True)
class Written:
    """A finished file: bytes on disk and their sha256 (hex)."""

    bytes: int
    sha256: str


def write(path: Path, vendor: Vendor, lines: Iterable[bytes]) -> Written:
    """Write a request file at once or not at all. Errors: `MigrationError` if it cannot be."""
    head, between, tail = (b"", b"\n", b"\n") if vendor is Vendor.OPENAI else (
        _HEAD, _BETWEEN, _TAIL)  # fmt: skip
    digest, size = hashlib.sha256(), 0
    with private_file(path) as file:
        separator = head
        for text in lines:
            for part in (separator, text):
                file.write(part)
                digest.update(part)
                size += len(part)
            separator = between
        file.write(tail)
        digest.update(tail)
        size += len(tail)
    return Written(size, digest.hexdigest())


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that only its owner may read; it gets its name when it is whole.

    Errors: `MigrationError` where it cannot be written; nothing is left then. `OSError` of another
    file passes.
    """
    part = path.with_name(path.name + ".part")
    try:
        no_links = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | no_links, 0o600)
        try:
            with os.fdopen(handle, "wb", buffering=1 << 20) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        if error.filename not in (None, str(part)):
            raise  # of a file that the block reads
        raise MigrationError(
            f"cannot write {path}: {error.strerror}",
            slug="plan-unwritable",
            hint="choose a folder with room that you may write, with --out",
        ) from None


def entries(path: Path, vendor: Vendor) -> Iterator[bytes]:
    """The requests of a file as they stand in it, one by one, without what separates them."""
    with path.open("rb") as file:
        if vendor is Vendor.OPENAI:
            for text in file:
                yield text.rstrip(b"\n")
            return
        if file.readline() != _HEAD:
            raise ValueError("not a request file")
        for text in file:
            if text == _TAIL[1:]:
                return
            yield text.removesuffix(b"\n").removesuffix(b",")


def bodies(path: Path, vendor: Vendor) -> Iterator[tuple[str, bytes]]:
    """custom_id and body of each request of a file, as it was written by `line`."""
    for text in entries(path, vendor):
        start = text.index(b'"body":' if vendor is Vendor.OPENAI else b'"params":')
        name = text[len(b'{"custom_id":"') :].split(b'"', 1)[0].decode()
        yield name, text[text.index(b":", start) + 1 : -1]


@dataclass(frozen=True)
class Expected:
    """What a file must turn out to be. max_bytes: the vendor's own limit, without our margin."""

    vendor: Vendor
    endpoint: str
    model: str
    ids: Sequence[str]
    requests: Sequence[Request]
    written: Written
    max_bytes: int


def preflight(path: Path, expected: Expected) -> None:
    """Read a file back as the vendor will, and refuse it before the vendor does.

    Independent of `write`: bytes, digest, JSON, ids, endpoint, model, parameters, bodies. Errors:
    `MigrationError` naming the line, but never its text.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    size = path.stat().st_size
    if (size, digest.hexdigest()) != (expected.written.bytes, expected.written.sha256):
        _fail(path, 0, "its bytes are not those that were written")
    if size > expected.max_bytes:
        _fail(path, 0, f"{size:,} bytes are more than a batch may have")
    seen: set[str] = set()
    number = 0
    for number, text in enumerate(entries(path, expected.vendor), start=1):
        if number > len(expected.ids):
            break
        problem = _problem(text, expected, number - 1, seen)
        if problem:
            _fail(path, number, problem)
    if number != len(expected.ids):
        _fail(path, number, f"{number:,} requests where {len(expected.ids):,} belong")


def _problem(text: bytes, expected: Expected, place: int, seen: set[str]) -> str:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return "not JSON"
    name = entry.get("custom_id")
    if name in seen or name != expected.ids[place] or not CUSTOM_ID.fullmatch(name):
        return "its custom_id is not its own"
    seen.add(name)
    is_openai = expected.vendor is Vendor.OPENAI
    keys = ["custom_id", "method", "url", "body"] if is_openai else ["custom_id", "params"]
    if list(entry) != keys:
        return "its members are not those of a batch request"
    if is_openai and (entry["method"] != "POST" or entry["url"] != expected.endpoint):
        return "its method or url is not the batch's"
    marker = b'"body":' if is_openai else b'"params":'
    body_text = text[text.index(marker) + len(marker) : -1]
    request = expected.requests[place]
    if hashlib.sha256(body_text).hexdigest() != request.body_sha256:
        return "its body is not the planned one"
    return _body_problem(entry["body" if is_openai else "params"], expected)


def _body_problem(body: object, expected: Expected) -> str:
    if not isinstance(body, dict):
        return "its body is no object"
    if body.get("model") != expected.model:
        return "its model is not the batch's"
    if body.get("stream") or "service_tier" in body or "speed" in body:
        return "it asks for a stream, a tier or a speed"
    if not (body.get("messages") or body.get("input")):
        return "it has no prompt"
    tokens = body.get("max_tokens")
    if expected.vendor is Vendor.ANTHROPIC and (type(tokens) is not int or tokens < 1):
        return "max_tokens is not 1 or more"
    return ""


def _fail(path: Path, number: int, problem: str) -> None:
    where = f"{path.name}, request {number:,}" if number else path.name
    raise MigrationError(
        f"{where}: {problem}",
        slug="preflight",
        hint="nothing was sent; please report this as a bug",
    )
