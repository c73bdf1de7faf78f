"""What goes wrong with a call on its way: before it is heard, or after it was obeyed."""

from __future__ import annotations

import json
from dataclasses import replace
from email.utils import formatdate

from tests.migrate.fake.scenario import Fault
from tests.migrate.fake.store import Store
from tests.migrate.fake.wire import Call, Reply, changed, compact, error

RATE_LIMITED = (
    "Rate limit reached for gpt-4o-mini in organization org-fake on requests per min (RPM): Limit"
    " 3, Used 3, Requested 1. Please try again in 20s. Visit"
    " https://platform.openai.com/account/rate-limits to learn more. You can increase your rate"
    " limit by adding a payment method to your account at"
    " https://platform.openai.com/account/billing."
)
"""OpenAI's ordinary 429 (help.openai.com, 5955604): it wants patience, not money."""

MESSAGES = {
    400: "Billing hard limit has been reached",
    401: "invalid api key",
    409: "There was a conflict; please try again.",
    429: RATE_LIMITED,
    529: "Overloaded",
}
CODES = {400: "billing_hard_limit_reached", 401: "invalid_api_key", 429: "rate_limit_exceeded"}


def pick(store: Store, call: Call, nth: int) -> Fault | None:
    """The first fault of the scenario that is meant for this call."""
    nth_object = store.next(f"call {call.op} {call.target}") if call.target else nth
    batch = batch_number(store, call)
    for fault in store.scenario.faults:
        if fault.strikes(call.op, nth, nth_object, batch):
            return dated(fault, store.now())
    return None


def batch_number(store: Store, call: Call) -> int | None:
    """The ordinal of the batch in the path, or of the one that a create is about to make."""
    if call.op.endswith(".batches.create"):
        row = store.db.execute(
            "SELECT n FROM ordinals WHERE name = ?", (f"{call.vendor} batches",)
        ).fetchone()
        return (row[0] if row else 0) + 1
    row = store.db.execute(
        "SELECT json_extract(data, '$.nth') FROM batches WHERE ? IN"
        " (id, json_extract(data, '$.output_file_id'), json_extract(data, '$.error_file_id'))",
        (call.target,),
    ).fetchone()
    return int(row[0]) if row else None


def instead(call: Call, fault: Fault, real: Reply | None) -> Reply:
    """What the client gets in place of the real reply (None: the call was not heard)."""
    if isinstance(fault.reply, int):
        return replace(told(call, fault, fault.reply), delay=fault.delay)
    if fault.reply == "cut" and real is not None:
        keep = kept(real.body, fault)
        return replace(real, ending="cut", keep=keep, length=fault.length, delay=fault.delay)
    if fault.reply is None and real is not None:
        return replace(edited(real, fault), delay=fault.delay)
    return Reply(0, b"", ending=str(fault.reply), delay=fault.delay)


def edited(real: Reply, fault: Fault) -> Reply:
    """The real reply, some of its keys changed."""
    if not (fault.drop or fault.put) or real.status >= 400:
        return real
    return replace(real, body=compact(changed(json.loads(real.body), fault.drop, fault.put)))


def told(call: Call, fault: Fault, status: int) -> Reply:
    """A status: with the vendor's words, or a page of some gateway, or nothing, or other JSON."""
    message = fault.message or MESSAGES.get(status, "Internal server error")
    code = fault.code or CODES.get(status)
    reply = error(call.vendor, status, message.replace("{key}", key(call)), fault.type, code)
    if fault.body == "html":
        page = f"<html><body><h1>{status}</h1></body></html>".encode()
        reply = Reply(status, page, {"content-type": "text/html"})
    elif fault.body == "empty":
        reply = Reply(status, b"")
    elif fault.body != "json":
        reply = Reply(status, compact(fault.body), {"content-type": "application/json"})
    if fault.retry_after is not None:
        reply.headers["retry-after"] = str(fault.retry_after)
    return reply


def dated(fault: Fault, now: float) -> Fault:
    """A retry-after of "+7" is the date in seven seconds."""
    after = fault.retry_after
    if isinstance(after, str) and after.startswith("+"):
        return replace(fault, retry_after=formatdate(now + float(after), usegmt=True))
    return fault


def key(call: Call) -> str:
    """As it came: gateways quote it."""
    bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
    return call.headers.get("x-api-key", bearer)


def kept(body: bytes, fault: Fault) -> int:
    """How many bytes of a body are sent."""
    if fault.at_line is None:
        return int(len(body) * fault.at)
    return sum(len(line) for line in body.splitlines(keepends=True)[: fault.at_line])
