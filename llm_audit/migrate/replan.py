"""Steps that put requests into new shards: next generation, without bad lines, in halves.

Requests only leave a shard when it is proven that the vendor took none of them (`void`), or into
their next generation. Files are written before the commit that makes them count, under names that
come out the same when it is tried again.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from llm_audit.migrate import files
from llm_audit.migrate.context import Context
from llm_audit.migrate.ledger import Assigned, ShardRow
from llm_audit.migrate.model import Request, RequestState, ShardState
from llm_audit.migrate.vendor import Kind
from llm_audit.text import printable

MOST_GENERATIONS = 2
"""The first, and one more for what the vendor did not get done (batch.md, rule 14)."""

MOST_REPAIRS = 5
"""How often a file is sent again without the lines that the vendor objects to."""


def give_up(context: Context, shard: ShardRow, kind: Kind, code: str) -> None:
    """The vendor took none of them. For want of the model they are rejected; what else it refuses a
    whole batch for may be mended, so they may be planned again."""
    ledger = context.ledger
    with ledger.transaction():
        ledger.void(shard.shard_id)
        if kind is Kind.MODEL:
            ledger.set_requests(shard.shard_id, RequestState.REJECTED, "model_unavailable")
        else:
            ledger.release(shard.shard_id, code or "refused")


def in_doubt(context: Context, shard: ShardRow, why: str) -> None:
    """Sent twice, and the second time to no end: the first POST may have made a batch all the same.

    It counts as bought and lost until `resume`, which looks for it, has found it.
    """
    with context.ledger.transaction():
        context.ledger.set_requests(shard.shard_id, RequestState.LOST, "unconfirmed")
        context.ledger.move(
            shard,
            state=ShardState.LOST,
            batch_id=None,
            cost=shard.ceiling,
            message=f"sent twice: the second came to nothing ({why}), the first may have been made",
        )


def without_lines(context: Context, shard: ShardRow, bad: dict[int, str]) -> None:
    """INVALID for some lines: those are rejected, the others go into a new shard.

    bad: line number of the request file -> why. After `MOST_REPAIRS` times all are rejected.
    """
    requests = context.ledger.assigned(shard.shard_id)
    good = [request for request in requests if request.line not in bad]
    if _repairs(context, shard) >= MOST_REPAIRS:
        bad = {request.line: "file_refused" for request in requests} | bad
        good = []
    with context.ledger.transaction():
        context.ledger.void(shard.shard_id)
        for request in requests:
            if request.line in bad:
                context.ledger.set_request(
                    shard.run_id, request.request_key, RequestState.REJECTED, bad[request.line]
                )
        if good:
            _add(context, shard, good, shard.generation, "repair")


def _repairs(context: Context, shard: ShardRow) -> int:
    """How many ancestors this shard has in its generation."""
    parents = {row.shard_id: row for row in context.ledger.shards(shard.run_id)}
    count = 0
    while shard.parent_id is not None and parents[shard.parent_id].generation == shard.generation:
        shard, count = parents[shard.parent_id], count + 1
    return count


def halves(context: Context, shard: ShardRow) -> None:
    """INVALID for its size alone: two shards of half of it."""
    requests = context.ledger.assigned(shard.shard_id)
    middle = len(requests) // 2
    with context.ledger.transaction():
        context.ledger.void(shard.shard_id)
        _add(context, shard, requests[:middle], shard.generation, "half1")
        _add(context, shard, requests[middle:], shard.generation, "half2")


UNSEEN = frozenset({RequestState.MISSING, RequestState.LOST})
"""States of a request of which no line has come: it may have been answered, and paid for."""


def unseen(context: Context, shard: ShardRow) -> list[Assigned]:
    """Requests of a shard, and of no later one, of which no line has come."""
    return [
        request
        for request in context.ledger.assigned(shard.shard_id)
        if request.state in UNSEEN and request.generation == request.latest
    ]


def retryable(context: Context, shard: ShardRow) -> list[Assigned]:
    """Requests of a collected shard that may go into the next generation: what was not billed, and
    what a person wants to buy again (`Context.resend`), after a look with a key that can see it."""
    failed = [
        request
        for request in context.ledger.assigned(shard.shard_id)
        if request.state is RequestState.RETRYABLE
        and request.generation == request.latest
        and request.tries < MOST_GENERATIONS
    ]
    if not context.resend or shard.account not in (None, context.driver(shard).account):
        return failed
    return failed + [r for r in unseen(context, shard) if r.request_key in context.resend]


def next_generation(context: Context, shard: ShardRow, requests: Sequence[Assigned]) -> ShardRow:
    """A new shard of what is to be tried again. What is bought again is so once per command."""
    in_order = sorted(requests, key=lambda request: request.line)
    row = _add(context, shard, in_order, shard.generation + 1, "retry")
    context.resend.difference_update(request.request_key for request in requests)
    return row


def _add(
    context: Context, parent: ShardRow, requests: Sequence[Assigned], generation: int, why: str
) -> ShardRow:
    """A shard of some of the requests of another, in their order."""
    # A shard may have several such children: what failed, later what is bought again, and that once
    # more where the vendor did not take it.
    rows = context.ledger.shards(parent.run_id)
    nth = sum(row.parent_id == parent.shard_id for row in rows)
    intent = _intent(f"{parent.intent}:{generation}:{why}:{parent.attempt}:{nth}")
    names = [files.custom_id(intent, r.request_key, generation) for r in requests]
    path, written = _write(parent, requests, intent, names)
    share = [request.batch_cost for request in requests]
    row = replace(
        _blank(parent),
        shard_id=context.ledger.next_shard_id(),
        parent_id=parent.shard_id,
        intent=intent,
        generation=generation,
        requests=len(requests),
        bytes=written.bytes,
        input_tokens=sum(request.input_tokens for request in requests),
        sha256=written.sha256,
        path=str(path),
        sync_cost=sum((request.sync_cost for request in requests), Decimal(0)),
        batch_cost=sum(share, Decimal(0)),
        ceiling=ceiling_of(parent, sum(share, Decimal(0)), len(requests)),
        next_at=context.now(),
    )
    with context.ledger.transaction():
        context.ledger.advance(row.run_id, (r.request_key for r in requests), generation)
        keys = [request.request_key for request in requests]
        context.ledger.add_shard(row, list(zip(names, keys, strict=True)))
    return row


def _blank(parent: ShardRow) -> ShardRow:
    """The parent, as if nothing had been done with it."""
    return ShardRow(
        **{
            name: getattr(parent, name)
            for name in (
                *("shard_id", "run_id", "parent_id", "intent", "vendor", "endpoint", "model"),
                *("betas", "generation", "canary", "requests", "bytes", "input_tokens", "sha256"),
                *("path", "sync_cost", "batch_cost", "ceiling"),
            )
        },
        state=ShardState.PLANNED,
    )


def ceiling_of(parent: ShardRow, batch_cost: Decimal, count: int) -> Decimal:
    """What some of a shard's requests may cost at the dearest: USD, in proportion."""
    if parent.batch_cost:
        return parent.ceiling * batch_cost / parent.batch_cost
    return parent.ceiling * count / parent.requests


def _intent(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest())[:8].decode().lower()


def _write(
    parent: ShardRow, requests: Sequence[Assigned], intent: str, names: Sequence[str]
) -> tuple[Path, files.Written]:
    """The request file, its bodies copied from the parent's, and checked like any other."""
    new_names = {r.custom_id: name for r, name in zip(requests, names, strict=True)}
    old, vendor = Path(parent.path), parent.vendor
    draft = old.with_name(f"la-{intent}")
    written = files.write(
        draft,
        vendor,
        (
            files.line(vendor, new_names[name], parent.endpoint, body)
            for name, body in files.bodies(old, vendor)
            if name in new_names
        ),
    )
    path = draft.rename(old.with_name(f"la-{intent}-{written.sha256[:8]}{files.ENDINGS[vendor]}"))
    expected = files.Expected(
        vendor,
        parent.endpoint,
        parent.model,
        names,
        [_request(parent, request) for request in requests],
        written,
        written.bytes,  # not larger than the parent's, which was within the limits
    )
    files.preflight(path, expected)
    return path, written


def _request(shard: ShardRow, assigned: Assigned) -> Request:
    return Request(
        request_key=assigned.request_key,
        call_id=assigned.call_id,
        workload_id=assigned.workload_id,
        vendor=shard.vendor,
        endpoint=shard.endpoint,
        model=shard.model,
        betas=tuple(beta for beta in shard.betas.split(",") if beta),
        body_sha256=assigned.body_sha256,
        body_bytes=assigned.body_bytes,
        input_tokens=assigned.input_tokens,
        output_tokens=assigned.output_tokens,
        finish_reason=assigned.finish_reason,
        sync_cost=assigned.sync_cost,
        batch_cost=assigned.batch_cost,
        units=assigned.units,
        source_file=assigned.source_file,
        source_line=assigned.source_line,
    )


def bad_lines(shard: ShardRow, errors: Collection[tuple[str, str, int | None]]) -> dict[int, str]:
    """Line -> code, of the errors that name a line of the shard's file."""
    return {
        line: printable(code, 80) or "refused"
        for code, _, line in errors
        if type(line) is int and 1 <= line <= shard.requests
    }
