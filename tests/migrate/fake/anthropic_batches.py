"""Anthropic's Message Batches API: create, retrieve, list, cancel, delete, results."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime

from tests.migrate.fake import bodies, files, life
from tests.migrate.fake.anthropic_answers import line as answer_line
from tests.migrate.fake.anthropic_rules import check_outer, objection
from tests.migrate.fake.scenario import Json
from tests.migrate.fake.store import Batch, Store
from tests.migrate.fake.wire import Call, Reply, changed, error, json_body, limit_of, ok, refuse

KINDS = ("succeeded", "errored", "canceled", "expired")


def create(store: Store, call: Call) -> Reply:
    """The outer shape is checked at once; what is wrong with one request shows in its result."""
    limits = store.scenario.anthropic
    if len(call.body) > limits.body_bytes:
        raise refuse(call, 413, "Request exceeds the maximum size")
    requests = check_outer(call, json_body(call), limits)
    queued = sum(b.total for b in store.batches("anthropic", call.account) if not b.ended)
    if queued + len(requests) > limits.queued_requests:
        raise refuse(call, 429, "This would exceed your limit of queued batch requests.")
    nth = store.next("anthropic batches")
    now = store.now()
    triples = [(n, each["custom_id"], each["params"]) for n, each in enumerate(requests, 1)]
    models = {str(params.get("model")) for _, _, params in triples}
    model = models.pop() if len(models) == 1 else None
    plan = store.scenario.plan("anthropic", nth, model, triples[0][1])
    betas = [b.strip() for b in call.headers.get("anthropic-beta", "").split(",") if b.strip()]
    batch = Batch(
        id=f"msgbatch_fake{nth:06d}",
        vendor="anthropic",
        account=call.account,
        nth=nth,
        created_at=now,
        expires_at=now + limits.window_seconds,
        total=len(requests),
        plan=asdict(plan),
        model=model,
        betas=betas,
        tokens=sum(bodies.input_tokens(params) for _, _, params in triples),
        status="in_progress",
    )
    batch.late = store.late
    version = call.headers["anthropic-version"]
    rows = life.fates(store, batch, triples, lambda p: objection(p, limits, version))
    store.add_batch(batch, rows)
    return ok(shown(store, call, batch))


def retrieve(store: Store, call: Call) -> Reply:
    """A poll: it moves the batch on."""
    batch = existing(store, call)
    if life.still_hidden(batch, "reads", batch.how.not_found):
        store.save(batch)
        return error("anthropic", 404, f"Message batch {batch.id} not found.")
    store.advance(store.scenario.clock.per_poll)
    before = batch.ended
    life.poll(store, batch)
    if batch.ended and not before:
        finish(store, batch)
    store.save(batch)
    return ok(shown(store, call, batch))


def finish(store: Store, batch: Batch) -> None:
    """Write the results."""
    tally: Counter[str] = Counter()
    lines: list[tuple[int, Json]] = []
    for row in store.rows(batch.id):
        kind, line = answer_line(row, batch.how)
        tally[kind] += 1
        lines.append((row.line, line))
    batch.counts = {kind: tally[kind] for kind in KINDS}
    content = life.lines_out(batch, lines)
    seconds = batch.created_at + store.scenario.anthropic.results_seconds - store.now()
    gone = "results" in batch.how.gone
    name = f"{batch.id}_results.jsonl"
    batch.output_file_id = files.add(store, batch.account, name, "results", content, seconds, gone)


def results(store: Store, call: Call) -> Reply:
    """JSON lines once ended; 404 before, after 29 days, and as the plan says."""
    batch = existing(store, call)
    hidden = life.still_hidden(batch, "downloads", batch.how.results_not_found)
    store.save(batch)
    file = files.find(store, batch.output_file_id or "", call.account)
    if hidden or not batch.ended or file is None:
        return error("anthropic", 404, f"No results available for {batch.id}.")
    content = files.content(store, file.id)
    return Reply(200, content, {"content-type": "application/x-jsonl"})


def listing(store: Store, call: Call) -> Reply:
    """Newest first, limit 1 to 1000, after_id or before_id; moves no batch on."""
    limit = limit_of(call, 20, 1000)
    ids, more = window(call, store.listed("anthropic", call.account), limit)
    found = (store.batch(batch_id, "anthropic", call.account) for batch_id in ids)
    return ok(
        {
            "data": [shown(store, call, batch) for batch in found if batch],
            "has_more": more,
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
        }
    )


def window(call: Call, ids: list[str], limit: int) -> tuple[list[str], bool]:
    """The page beside a cursor, and whether there is more on its far side."""
    after, before = call.query.get("after_id"), call.query.get("before_id")
    if after and before:
        raise refuse(call, 400, "Only one of after_id and before_id may be given.")
    for cursor in (after, before):
        if cursor and cursor not in ids:
            raise refuse(call, 400, f"Invalid cursor: {cursor}")
    if before:
        newer = ids[: ids.index(before)]
        return newer[-limit:], len(newer) > limit
    older = ids[ids.index(after) + 1 :] if after else ids
    return older[:limit], len(older) > limit


def cancel(store: Store, call: Call) -> Reply:
    """Asked to stop; 400 once it has ended."""
    batch = existing(store, call)
    if batch.ended:
        raise refuse(call, 400, f"Batch {batch.id} has already ended.")
    life.cancel(store, batch)
    store.save(batch)
    return ok(shown(store, call, batch))


def delete(store: Store, call: Call) -> Reply:
    """Only once it has ended."""
    batch = existing(store, call)
    if not batch.ended:
        raise refuse(call, 400, f"Batch {batch.id} has not ended: cancel it first.")
    store.db.execute("UPDATE batches SET gone = 1 WHERE id = ?", (batch.id,))
    return ok({"id": batch.id, "type": "message_batch_deleted"})


def existing(store: Store, call: Call) -> Batch:
    """The batch in the path; a key of another workspace sees 404."""
    batch = store.batch(call.target or "", "anthropic", call.account)
    if batch is None:
        raise refuse(call, 404, f"Message batch {call.target} not found.")
    return batch


def shown(store: Store, call: Call, batch: Batch) -> Json:
    """A message batch object, as its plan wants it."""
    archived = batch.created_at + store.scenario.anthropic.results_seconds
    status = {"cancelling": "canceling"}.get(batch.status, "in_progress")
    url = batch.how.results_url or "{base}/v1/messages/batches/{id}/results"
    host = call.base.partition("//")[2]
    url = url.replace("{base}", call.base).replace("{host}", host).replace("{id}", batch.id)
    readable = batch.ended and store.now() < archived and not life.is_late(store, batch)
    data: Json = {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if batch.ended else status,
        "request_counts": counts(batch),
        "created_at": when(batch.created_at),
        "expires_at": when(batch.expires_at),
        "ended_at": when(batch.times.get(batch.status)) if batch.ended else None,
        "cancel_initiated_at": when(batch.times.get("cancelling")),
        "archived_at": None if store.now() < archived else when(archived),
        "results_url": url if readable else None,
    }
    return changed(data, batch.how.drop, batch.how.put)


def counts(batch: Batch) -> Json:
    """All `processing` until the whole batch has ended."""
    plan = batch.how
    if batch.ended and isinstance(plan.counts, dict):
        return plan.counts
    if batch.ended and plan.counts == "all_completed":
        return {"processing": 0, **dict.fromkeys(KINDS, 0), "succeeded": batch.total}
    ended = batch.counts or dict.fromkeys(KINDS, 0)
    return {"processing": 0 if batch.ended else batch.total, **ended}


def when(at: float | None) -> str | None:
    """RFC 3339, to the microsecond."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
