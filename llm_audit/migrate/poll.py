"""The step that looks at a batch until it has ended, and finds out what its end means.

That nothing of it was bought is believed only of a batch that says so itself: it never began, and
its counts name nothing that was done. Of all others the files tell, request by request.
"""

from __future__ import annotations

import json
import re
from typing import Any

from llm_audit.migrate import replan
from llm_audit.migrate.context import Context, Heard
from llm_audit.migrate.ledger import ShardRow
from llm_audit.migrate.model import RemoteBatch, RequestState, ShardState
from llm_audit.migrate.submit import trouble
from llm_audit.migrate.vendor import Kind, Rejected, Reply, is_billing, is_model
from llm_audit.text import printable

GRACE = 900.0
"""Seconds for which a 404, or an end without files, may be only the vendor's being slow (F13)."""

PATIENCE = 3_600.0
"""The same for a batch that has ended with answers, by what it says or may mean, and no files."""

FACTOR, MOST_WAIT = 1.5, 300.0
QUEUE_WAIT, MOST_QUEUE_WAIT = 300.0, 3_600.0

NOTHING_RAN = "nothing_ran"
"""`code` of a shard whose batch has ended, without files, before any request of it was done."""

QUEUE_CODES = ("token_limit_exceeded", "enqueued", "queue")


def look(context: Context, shard: ShardRow) -> None:
    """SUBMITTED: ask the vendor once."""
    batch_id = shard.batch_id or ""
    heard = context.ask(shard, "retrieve", lambda driver: driver.retrieve(batch_id))
    if isinstance(heard.outcome, Reply):
        try:
            batch = context.driver(shard).read_batch(heard.outcome.body)
        except ValueError:
            context.settle(heard, **context.again(shard, heard.outcome, 15.0, MOST_WAIT))
        else:
            _seen(context, heard, batch)
    elif isinstance(heard.outcome, Rejected) and heard.outcome.kind is Kind.NOT_FOUND:
        missing(context, heard)
    else:
        trouble(context, heard)


def missing(context: Context, heard: Heard) -> None:
    """404: for a while that is the vendor's being slow, then it is lost, or another key's."""
    shard = heard.call.shard
    since = shard.missing_since or context.now()
    if context.now() - since <= GRACE:
        again = context.again(shard, heard.outcome, 15.0, 120.0)
        context.settle(heard, missing_since=since, **again)
        return
    own = context.driver(shard).account
    why = "the vendor does not know this batch"
    if shard.account not in (None, own):
        why += f" as account {own}; it was made as account {shard.account}, with another key"
    cost = shard.ceiling if shard.cost is None else shard.cost
    with context.ledger.transaction():
        context.ledger.lose(shard.shard_id, "batch_gone")
        # What is at home stays, and `collect.finish` sees what is left to do.
        changes: dict[str, Any] = {"state": ShardState.COLLECTED, "cost": cost, "message": why}
        context.settle(heard, **changes, missing_since=since, next_at=context.now())


def _seen(context: Context, heard: Heard, batch: RemoteBatch) -> None:
    shard = heard.call.shard
    facts: dict[str, Any] = {
        "account": context.driver(shard).account,  # a key that sees the batch is of its account
        "provider_status": printable(batch.status, 40),
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "counts": json.dumps(batch.counts),
        "usage": json.dumps(batch.usage) if batch.usage else shard.usage,
        "created_at_remote": _seconds(batch.created_at) or shard.created_at_remote,
        "expires_at_remote": _seconds(batch.expires_at) or shard.expires_at_remote,
        "ended_at_remote": _seconds(batch.ended_at),
        "missing_since": None,
        "failures": 0,
        "message": None,
    }
    has_files = bool(batch.output_file_id or batch.error_file_id)
    if not batch.ended:
        wait = min(MOST_WAIT, max(15.0, shard.wait * FACTOR))
        context.settle(heard, **facts, wait=wait, next_at=context.later(wait))
    elif has_files:
        # How long it took to have files says nothing of how long its lines have been looked for.
        since = shard.first_look_at if shard.looks else None
        context.settle(heard, **facts, first_look_at=since, **_to_collect(context, code=None))
    else:
        _ended_without_files(context, heard, batch, facts)


def _to_collect(context: Context, code: str | None) -> dict[str, Any]:
    ended = ShardState.ENDED
    return {"state": ended, "code": code, "next_at": context.now(), "wait": 0.0}


def nothing_ran(shard: ShardRow, batch: RemoteBatch) -> bool:
    """Whether a batch that has ended says that nothing of it was answered, and so not bought.

    OpenAI's `failed` is a file that did not pass validation: it may have no counts at all.
    """
    if batch.has_begun:
        return False
    counts = batch.counts
    match batch.status:
        case "failed":
            return bool(batch.errors) and not any(counts.get(n) for n in ("completed", "failed"))
        case "expired" | "cancelled":
            return counts.get("completed") == 0 and not counts.get("failed")
        case "ended":
            undone = counts.get("canceled", 0) + counts.get("expired", 0)
            return counts.get("succeeded") == 0 and undone >= shard.requests
        case _:
            return False


def _seconds(at: Any) -> float | None:
    return at.timestamp() if at else None


def _ended_without_files(
    context: Context, heard: Heard, batch: RemoteBatch, facts: dict[str, Any]
) -> None:
    """The files may follow in a moment; if they do not there are none.

    Only a failure of which the reason is known to come before any work is believed at once.
    """
    shard = heard.call.shard
    is_nothing, is_failed = nothing_ran(shard, batch), batch.status == "failed"
    if is_nothing and is_failed and _is_known(shard, batch):
        _failed(context, heard, batch, facts)
        return
    since = shard.first_look_at or context.now()
    if context.now() - since <= (GRACE if is_nothing and not is_failed else PATIENCE):
        wait = min(120.0, max(15.0, shard.wait * FACTOR))
        context.settle(heard, **facts, first_look_at=since, wait=wait, next_at=context.later(wait))
    elif is_nothing and is_failed:
        _failed(context, heard, batch, facts)
    else:
        facts["message"] = f"it is {batch.status}, and the vendor names no results of it"
        code = NOTHING_RAN if is_nothing else None
        context.settle(heard, **facts, first_look_at=since, **_to_collect(context, code))


def _is_known(shard: ShardRow, batch: RemoteBatch) -> bool:
    """Whether its errors are of those that validation ends with: room, money, model or lines."""
    code, message, _ = batch.errors[0]
    is_refusal = is_billing(code, message) or is_model(code, message)
    return is_refusal or code.startswith(QUEUE_CODES) or bool(replan.bad_lines(shard, batch.errors))


# --- a batch that failed as a whole: nothing was bought -------------------------------------------


def _failed(context: Context, heard: Heard, batch: RemoteBatch, facts: dict[str, Any]) -> None:
    """OpenAI's `failed`: the queue is full, money is wanting, lines are bad, or the file is."""
    shard = heard.call.shard
    code, message, _ = batch.errors[0] if batch.errors else ("", "no reason was given", None)
    facts |= {"code": printable(code, 80), "message": printable(message, 300)}
    bad = replan.bad_lines(shard, batch.errors)
    with context.ledger.transaction():
        context.ledger.add_attempt(shard, batch.batch_id, printable(code, 80) or "failed")
        if code.startswith(QUEUE_CODES):
            _queue_full(context, heard, facts, message)
        elif is_billing(code, message):
            context.ledger.pause(shard.vendor, facts["message"], context.now())
            context.ledger.set_requests(shard.shard_id, RequestState.ASSIGNED)
            context.settle(heard, **facts | _anew(shard), state=ShardState.BILLING_PAUSED)
        else:
            shard = context.settle(heard, **facts, state=ShardState.INVALID)
            if bad:  # the first batch of the same file, if there is one, has failed of them too
                replan.without_lines(context, shard, bad)
            elif shard.resent:
                replan.in_doubt(context, shard, facts["message"])
            else:
                kind = Kind.MODEL if is_model(code, message) else Kind.OTHER
                replan.give_up(context, shard, kind, facts["code"])


def _anew(shard: ShardRow) -> dict[str, Any]:
    """The same file in another batch."""
    return {
        "batch_id": None,
        "attempt": shard.attempt + 1,
        "output_file_id": None,
        "first_look_at": None,
    }


def _queue_full(context: Context, heard: Heard, facts: dict[str, Any], message: str) -> None:
    """Wait for room: 5, 10, 20 .. 60 minutes (F9). A shard that is larger than all the room there
    is goes out in halves."""
    shard = heard.call.shard
    limit = _limit(message)
    if limit is not None:
        context.ledger.learn_budget(shard, limit, context.now())
    context.ledger.set_requests(shard.shard_id, RequestState.ASSIGNED)
    alone = not any(
        other.model == shard.model and other.shard_id != shard.shard_id and other.batch_id
        for other in context.ledger.shards()
        if other.state in (ShardState.SUBMITTED, ShardState.SUBMITTING)
    )
    too_large = shard.input_tokens > limit if limit is not None else alone and shard.attempt >= 4
    if too_large and shard.requests > 1:
        shard = context.settle(heard, **facts, state=ShardState.INVALID)
        if shard.resent:
            replan.in_doubt(context, shard, facts["message"])
        else:
            replan.halves(context, shard)
        return
    wait = min(MOST_QUEUE_WAIT, QUEUE_WAIT * 2 ** min(shard.refusals, 10))
    changes = facts | _anew(shard) | {"refusals": shard.refusals + 1}
    changes |= {"state": ShardState.QUEUE_FULL}
    context.settle(heard, **changes, wait=wait, next_at=context.later(wait))


def _limit(message: str) -> int | None:
    """The number in "Limit: 90,000 enqueued tokens"."""
    found = re.search(r"limit:?\s*(\d[\d,]{,18})", message, re.IGNORECASE)
    return int(found[1].replace(",", "")) if found else None
