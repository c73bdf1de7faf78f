"""OpenAI's Batch API: create, retrieve, list, cancel."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tests.migrate.fake import bodies, files, life
from tests.migrate.fake.openai_answers import line as answer_line
from tests.migrate.fake.openai_files import expiry, page
from tests.migrate.fake.openai_rules import ENDPOINTS, FileCheck, check_file, objection
from tests.migrate.fake.scenario import Json
from tests.migrate.fake.store import Batch, Store
from tests.migrate.fake.wire import (
    Call,
    RefusalError,
    Reply,
    changed,
    error,
    json_body,
    limit_of,
    ok,
    only_keys,
    refuse,
)

CREATE_KEYS = {
    "input_file_id",
    "endpoint",
    "completion_window",
    "metadata",
    "output_expires_after",
}
STATES = ["in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled"]


def create(store: Store, call: Call) -> Reply:
    """Made at once, whatever the file holds: what is wrong with that shows in later polls."""
    data = json_body(call)
    check_create(store, call, data)
    content = files.content(store, data["input_file_id"])
    endpoint, limits = data["endpoint"], store.scenario.openai
    check = check_file(content, endpoint, limits)
    nth = store.next("openai batches")
    now = store.now()
    first_id = check.requests[0][1] if check.requests else ""
    plan = store.scenario.plan("openai", nth, check.model, first_id)
    batch = Batch(
        id=f"batch_fake{nth:06d}",
        vendor="openai",
        account=call.account,
        nth=nth,
        created_at=int(now),
        expires_at=int(now + limits.window_seconds),
        total=len(check.requests),
        plan=asdict(plan),
        model=check.model,
        endpoint=endpoint,
        input_file_id=data["input_file_id"],
        metadata=data.get("metadata"),
        output_seconds=(data.get("output_expires_after") or {}).get("seconds"),
        tokens=sum(bodies.input_tokens(body) for _, _, body in check.requests),
    )
    queue_check(store, batch, check)
    for forced in plan.fail:
        code: str = forced["code"]
        check.fault(code, forced.get("message", code), forced.get("line"))
    batch.errors = check.errors
    batch.late = store.late
    rows: list[Any] = []
    if not batch.errors or plan.fail_done:
        rows = life.fates(store, batch, check.requests, lambda b: objection(b, endpoint, limits))
    store.add_batch(batch, rows)
    return ok(shown(store, batch))


def check_create(store: Store, call: Call, data: Json) -> None:
    """The call's own parameters, answered with 400 at once."""
    only_keys(call, data, CREATE_KEYS)
    for key in ("input_file_id", "endpoint", "completion_window"):
        if not isinstance(data.get(key), str):
            message = f"Missing required parameter: '{key}'."
            raise refuse(call, 400, message, "missing_required_parameter", key)
    if data["completion_window"] != "24h":
        message = "Invalid 'completion_window': must be '24h'."
        raise refuse(call, 400, message, "invalid_value", "completion_window")
    if data["endpoint"] not in ENDPOINTS:
        message = f"Invalid value: '{data['endpoint']}'."
        raise refuse(call, 400, message, "invalid_value", "endpoint")
    check_metadata(store, call, data.get("metadata"))
    if data.get("output_expires_after") is not None:
        expiry(call, data["output_expires_after"], "output_expires_after")
    file = files.find(store, data["input_file_id"], call.account)
    if file is None:
        message = f"No such File object: {data['input_file_id']}"
        raise refuse(call, 400, message, None, "input_file_id")
    if file.purpose != "batch":
        raise refuse(call, 400, "The file's purpose must be 'batch'.", None, "input_file_id")
    hour_ago = store.now() - 3600
    made = [b for b in store.batches("openai", call.account) if b.created_at > hour_ago]
    if len(made) >= store.scenario.openai.batches_per_hour:
        raise refuse(call, 429, "Too many batches in an hour.", "rate_limit_exceeded")


def check_metadata(store: Store, call: Call, metadata: Any) -> None:
    """16 pairs; keys of 64 and values of 512 characters."""
    limits = store.scenario.openai
    if metadata is None:
        return
    if not isinstance(metadata, dict) or len(metadata) > limits.metadata_pairs:
        message = f"Invalid 'metadata': at most {limits.metadata_pairs} pairs."
        raise refuse(call, 400, message, "invalid_value", "metadata")
    for key, value in metadata.items():
        if not isinstance(value, str) or len(value) > limits.metadata_value:
            message = f"Invalid 'metadata.{key}': a string of {limits.metadata_value} at most."
            raise refuse(call, 400, message, "invalid_value", "metadata")
        if not key or len(key) > limits.metadata_key:
            message = f"Invalid 'metadata': a key has over {limits.metadata_key} characters."
            raise refuse(call, 400, message, "invalid_value", "metadata")


def queue_check(store: Store, batch: Batch, check: FileCheck) -> None:
    """The tokens of batches that have not ended count, by model; over it the batch fails."""
    queue = store.scenario.openai.enqueued_tokens
    most = queue.get(batch.model or "", queue.get("*"))
    if most is None or check.errors:
        return
    waiting = sum(
        other.tokens
        for other in store.batches("openai", batch.account)
        if other.model == batch.model and not other.ended and not other.errors
    )
    if waiting + batch.tokens > most:
        message = (
            f"Enqueued token limit reached for {batch.model} in organization org-fake."
            f" Limit: {most:,} enqueued tokens."
            " Please try again once some in_progress batches have been completed."
        )
        check.fault("token_limit_exceeded", message, None)


def retrieve(store: Store, call: Call) -> Reply:
    """A poll: it moves the batch on."""
    batch = existing(store, call)
    if life.still_hidden(batch, "reads", batch.how.not_found):
        store.save(batch)
        return error("openai", 404, f"No batch found with id '{batch.id}'.")
    store.advance(store.scenario.clock.per_poll)
    before = batch.ended
    life.poll(store, batch)
    if batch.ended and not before:
        finish(store, batch)
    store.save(batch)
    return ok(shown(store, batch))


def listing(store: Store, call: Call) -> Reply:
    """Newest first, limit 1 to 100; a look that does not move batches on."""
    limit = limit_of(call, 20, 100)
    sheet = page(call, store.listed("openai", call.account), limit)
    found = (store.batch(batch_id, "openai", call.account) for batch_id in sheet["data"])
    return ok(sheet | {"data": [shown(store, batch) for batch in found if batch]})


def cancel(store: Store, call: Call) -> Reply:
    """409 once it has ended."""
    batch = existing(store, call)
    if batch.ended:
        raise refuse(call, 409, f"Cannot cancel a batch with status '{batch.status}'.")
    life.cancel(store, batch)
    store.save(batch)
    return ok(shown(store, batch))


def existing(store: Store, call: Call) -> Batch:
    """The batch in the path, of this account."""
    batch = store.batch(call.target or "", "openai", call.account)
    if batch is None:
        raise missing(call)
    return batch


def missing(call: Call) -> RefusalError:
    """What another key sees as well."""
    return refuse(call, 404, f"No batch found with id '{call.target}'.")


def finish(store: Store, batch: Batch) -> None:
    """Write the output and error files, as for every end but a failed validation."""
    if batch.status == "failed" and not batch.how.fail_done:
        return
    plan = batch.how
    answers: list[tuple[int, Json]] = []
    errors: list[tuple[int, Json]] = []
    usages: list[Json] = []
    for row in store.rows(batch.id):
        succeeded, line, usage = answer_line(row, batch.endpoint or "", plan)
        (answers if succeeded else errors).append((row.line, line))
        if usage:
            usages.append(usage)
    batch.output_file_id = result_file(store, batch, "output", answers)
    batch.error_file_id = result_file(store, batch, "error", errors)
    batch.counts = {"total": batch.total, "completed": len(answers), "failed": len(errors)}
    batch.usage = summed(usages)


def result_file(
    store: Store, batch: Batch, which: str, lines: list[tuple[int, Json]]
) -> str | None:
    """The id of a result file; without lines none, or what the plan has of quirks."""
    plan = batch.how
    if not lines and (which == "output" or plan.no_errors != "empty_file"):
        return "" if which == "error" and plan.no_errors == "blank_id" else None
    seconds = batch.output_seconds or store.scenario.openai.file_seconds
    content = life.lines_out(batch, lines)
    name = f"{batch.id}_{which}.jsonl"
    gone = which in plan.gone
    return files.add(store, batch.account, name, "batch_output", content, seconds, gone)


def summed(usages: list[Json]) -> Json:
    """The usage of the whole batch."""
    read = sum(int(u.get("prompt_tokens") or u.get("input_tokens") or 0) for u in usages)
    written = sum(int(u.get("completion_tokens") or u.get("output_tokens") or 0) for u in usages)
    details = [u.get("prompt_tokens_details") or u.get("input_tokens_details") for u in usages]
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": sum(d["cached_tokens"] for d in details if d)},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }


def shown(store: Store, batch: Batch) -> Json:
    """A batch object, as its plan wants it."""
    return changed(batch_object(batch, life.is_late(store, batch)), batch.how.drop, batch.how.put)


def batch_object(batch: Batch, late: bool) -> Json:
    """All that the vendor tells of one. late: its files are not shown yet."""
    plan = batch.how
    stamps = {f"{state}_at": batch.times.get(state) for state in STATES}
    failed = batch.errors if batch.status == "failed" else None
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": batch.model,
        "errors": {"object": "list", "data": failed} if failed else None,
        "input_file_id": batch.input_file_id,
        "completion_window": "24h",
        "status": batch.status,
        "output_file_id": None if late else batch.output_file_id,
        "error_file_id": None if late else batch.error_file_id,
        "created_at": int(batch.created_at),
        "expires_at": int(batch.expires_at),
        **{name: None if at is None else int(at) for name, at in stamps.items()},
        "request_counts": counts(batch),
        "usage": batch.usage if plan.usage else None,
        "metadata": batch.metadata,
    }


def counts(batch: Batch) -> Json | None:
    """0 of 0 while validating; in the end what is true, unless the plan says otherwise."""
    plan = batch.how
    if batch.ended and plan.counts != "right":
        if plan.counts == "all_completed":
            return {"total": batch.total, "completed": batch.total, "failed": 0}
        return plan.counts if isinstance(plan.counts, dict) else None
    if batch.counts:
        return batch.counts
    started = batch.status in ("in_progress", "finalizing", "cancelling")
    return {"total": batch.total if started else 0, "completed": 0, "failed": 0}
