"""The HTTP side: sockets, headers, keys, routes. One call at a time touches the state."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from tests.migrate.fake import (
    anthropic_batches,
    faults,
    foreign,
    late,
    openai_batches,
    openai_files,
    synchronous,
)
from tests.migrate.fake.anthropic_rules import VERSIONS
from tests.migrate.fake.journal import fingerprint
from tests.migrate.fake.scenario import Scenario, ScenarioError
from tests.migrate.fake.store import Store
from tests.migrate.fake.wire import Call, RefusalError, Reply, compact, error, ok, refuse

Operation = Callable[[Store, Call], Reply]
ROUTES: tuple[tuple[str, str, str, Operation], ...] = (
    ("POST", "/v1/files", "openai.files.create", openai_files.create),
    ("GET", "/v1/files", "openai.files.list", openai_files.listing),
    ("GET", "/v1/files/ID", "openai.files.retrieve", openai_files.retrieve),
    ("DELETE", "/v1/files/ID", "openai.files.delete", openai_files.delete),
    ("GET", "/v1/files/ID/content", "openai.files.content", openai_files.content),
    ("POST", "/v1/batches", "openai.batches.create", openai_batches.create),
    ("GET", "/v1/batches", "openai.batches.list", openai_batches.listing),
    ("GET", "/v1/batches/ID", "openai.batches.retrieve", openai_batches.retrieve),
    ("POST", "/v1/batches/ID/cancel", "openai.batches.cancel", openai_batches.cancel),
    ("POST", "/v1/messages/batches", "anthropic.batches.create", anthropic_batches.create),
    ("GET", "/v1/messages/batches", "anthropic.batches.list", anthropic_batches.listing),
    ("GET", "/v1/messages/batches/ID", "anthropic.batches.retrieve", anthropic_batches.retrieve),
    ("DELETE", "/v1/messages/batches/ID", "anthropic.batches.delete", anthropic_batches.delete),
    (
        "POST",
        "/v1/messages/batches/ID/cancel",
        "anthropic.batches.cancel",
        anthropic_batches.cancel,
    ),
    (
        "GET",
        "/v1/messages/batches/ID/results",
        "anthropic.batches.results",
        anthropic_batches.results,
    ),
    *(
        ("POST", endpoint, "openai.sync.create", synchronous.openai(endpoint))
        for endpoint in ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")
    ),
    ("POST", "/v1/messages", "anthropic.sync.create", synchronous.anthropic),
)
PATTERNS = [
    (method, re.compile(path.replace("ID", "([A-Za-z0-9_-]+)")), op, operation)
    for method, path, op, operation in ROUTES
]

OPERATIONS = {op: operation for _, _, op, operation in ROUTES if "sync" not in op}


@dataclass(frozen=True)
class Raw:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Fake:
    """The state, and the lock around it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lock = threading.Lock()
        self.stopping = threading.Event()

    def answer(self, raw: Raw) -> Reply:
        """A call: its effect and its line in the journal are one commit, made before the reply."""
        with self.lock, self.store.transaction():
            late.obey(self.store, self.obey)
            if raw.path == "/_control":
                reply = self.control(raw)
                late.obey(self.store, self.obey)
                return reply
            call, operation = routed(raw)
            reply, fault, nth, committed = self.perform(call, operation)
            self.store.db.execute(
                "INSERT INTO journal (at, op, nth, method, path, status, committed, fault,"
                " account, target, sha256, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self.store.now(),
                    call.op,
                    nth,
                    raw.method,
                    raw.path,
                    reply.status,
                    committed,
                    fault,
                    call.account,
                    call.target,
                    sha256(raw.body).hexdigest(),
                    len(raw.body),
                ),
            )
            reply.headers["date"] = formatdate(self.store.now(), usegmt=True)
            name = "request-id" if call.vendor == "anthropic" else "x-request-id"
            reply.headers[name] = f"req_fake{self.store.next('request'):08d}"
            return reply

    def perform(
        self, call: Call, operation: Operation | None
    ) -> tuple[Reply, str | None, int, bool]:
        """Reply, fault, ordinal, and whether it took effect."""
        self.store.advance(self.store.scenario.clock.per_request)
        nth = self.store.next(f"call {call.op}")
        foreign.arrive(self.store, call, nth, "before")
        fault = faults.pick(self.store, call, nth)
        told = None if fault is None else f"{fault.when} {fault.reply} {fault.delay}"
        if fault and fault.query is not None:
            call = replace(call, query=fault.query)
        if fault and fault.when != "after" and fault.reply is not None:
            reply, committed = faults.instead(call, fault, None), False
            if fault.when == "late":
                late.keep(self.store, call, fault.late)
        else:
            reply = self.obey(call, operation)
            committed = reply.status < 400
            reply = faults.instead(call, fault, reply) if fault else reply
        foreign.arrive(self.store, call, nth, "after")
        return reply, told, nth, committed

    def obey(self, call: Call, operation: Operation | None = None) -> Reply:
        """The vendor's own reply."""
        operation = operation or OPERATIONS.get(call.op)
        try:
            self.admit(call)
            if operation is None:
                raise refuse(call, 404, "Unknown request URL.", "unknown_url")
            return operation(self.store, call)
        except RefusalError as refused:
            return refused.reply

    def admit(self, call: Call) -> None:
        """The key, Anthropic's version, and the rate."""
        accounts = self.store.scenario.accounts
        if not call.account or (accounts is not None and call.account not in accounts):
            raise refuse(call, 401, "Incorrect API key provided.", "invalid_api_key")
        if call.vendor == "anthropic" and call.headers.get("anthropic-version") not in VERSIONS:
            raise refuse(call, 400, "anthropic-version: header is required")
        limits = getattr(self.store.scenario, call.vendor)
        if limits.requests_per_minute is None:
            return
        [heard] = self.store.db.execute(
            "SELECT count(*) FROM journal WHERE account = ? AND op LIKE ? AND at > ?",
            (call.account, f"{call.vendor}.%", self.store.now() - 60),
        ).fetchone()
        if heard >= limits.requests_per_minute:
            limited = error(call.vendor, 429, "Rate limit reached.", code="rate_limit_exceeded")
            limited.headers["retry-after"] = "60"
            raise RefusalError(limited)

    def control(self, raw: Raw) -> Reply:
        """`reset`, then `scenario`, then `advance`; answers the clock."""
        try:
            wish = json.loads(raw.body or b"{}")
            unknown = set(wish) - {"reset", "scenario", "advance"}
            if unknown:
                raise ScenarioError(f"no such control: {', '.join(sorted(unknown))}")
            if "scenario" in wish:
                Scenario.read(wish["scenario"])  # refused before anything is changed
            if wish.get("reset"):
                self.store.forget()
            if "scenario" in wish:
                self.store.play(wish["scenario"])
            self.store.advance(float(wish.get("advance", 0)))
        except (ValueError, TypeError) as problem:
            return Reply(400, compact({"error": str(problem)}))
        return ok({"now": self.store.now()})


def routed(raw: Raw) -> tuple[Call, Operation | None]:
    """Which operation a request is, and by whose key; unknown ones belong to a vendor as well."""
    parts = urlsplit(raw.path)
    vendor = "anthropic" if parts.path.startswith("/v1/messages") else "openai"
    op, target, operation = f"{vendor}.unknown", None, None
    for method, pattern, name, function in PATTERNS:
        found = pattern.fullmatch(parts.path)
        if found and method == raw.method:
            op, operation = name, function
            target = found[1] if found.groups() else None
            break
    bearer = raw.headers.get("authorization", "")
    key = bearer[7:].strip() if bearer.lower().startswith("bearer ") else ""
    if vendor == "anthropic":  # anthropic 2.x sends a bearer; of both, x-api-key is taken
        key = raw.headers.get("x-api-key", key)
    call = Call(
        op=op,
        vendor=vendor,
        target=target,
        query=dict(parse_qsl(parts.query)),
        headers=raw.headers,
        body=raw.body,
        account=fingerprint(key) if key else "",
        base=f"http://{raw.headers.get('host', '')}",
    )
    return call, operation


class Handler(BaseHTTPRequestHandler):
    """Bytes in, bytes out, and the ways in which they do not come out."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: 40 ms for each reply otherwise
    server: FakeServer

    def version_string(self) -> str:
        """Our name, without Python's version."""
        return "fake-vendors"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the journal has it all."""

    def do_GET(self) -> None:
        """All methods are one."""
        length = int(self.headers.get("content-length") or 0)
        if "chunked" in self.headers.get("transfer-encoding", ""):
            self.reply(Reply(411, b"", ending="send"))
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        if len(body) < length:  # the client died while it spoke: nothing was heard
            self.close_connection = True
            return
        self.reply(self.server.fake.answer(Raw(self.command, self.path, headers, body)))

    do_POST = do_GET  # noqa: N815 - the names that http.server calls
    do_DELETE = do_GET  # noqa: N815

    def reply(self, reply: Reply) -> None:
        """Send it, as far as it is to arrive."""
        if reply.delay:
            self.server.fake.stopping.wait(reply.delay)
        if reply.ending in ("reset", "close"):
            self.hang_up(reset=reply.ending == "reset")
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.length:
            self.send_header("content-length", str(len(reply.body)))
        if reply.ending == "cut" or not reply.length:
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(reply.body if reply.keep is None else reply.body[: reply.keep])

    def hang_up(self, reset: bool) -> None:
        """Close without a byte: with RST, or as an orderly end."""
        self.close_connection = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            os.close(self.connection.detach())


class FakeServer(ThreadingHTTPServer):
    """Loopback only; a thread a connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, store: Store, port: int) -> None:
        self.fake = Fake(store)
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no error of ours; anything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]
