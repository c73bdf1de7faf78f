"""The life of a batch, the same for both vendors: its rows' fate, its polls, its end.

Statuses are OpenAI's words; Anthropic's three are derived from them where it answers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from random import Random
from typing import Any

from tests.migrate.fake import bodies, twists
from tests.migrate.fake.scenario import BILLED, Json
from tests.migrate.fake.store import Batch, Store, StoredRow

Objection = Callable[[Json], tuple[str, str] | None]
STAMPS = {"finalizing": ("in_progress",), "completed": ("in_progress", "finalizing")}
"""What a batch must have been through, even where no poll saw it."""


def fates(
    store: Store, batch: Batch, requests: list[tuple[int, str, Json]], objection: Objection
) -> list[StoredRow]:
    """What becomes of each request, decided when it is bought: orphans cost money as well."""
    first = max(0, math.ceil(batch.how.done * len(requests)))
    reached = first if "expired" in batch.how.polls else len(requests)
    if batch.errors:  # the file fails, after so many of them were done
        reached = math.ceil(batch.how.fail_done * len(requests))
    counting = any(rule.attempt is not None for rule in store.scenario.rows)
    rows = []
    for number, (_, custom_id, body) in enumerate(requests, 1):
        text = bodies.canonical(body)
        digest = bodies.body_digest(body)
        attempt = 1 + (store.earlier(digest) if counting else 0)
        mark = bodies.marker(text, digest)
        outcome, detail = objection(body) or (None, None)
        twist: list[str] = []
        if number > reached:
            outcome, detail = "expired", None
        if outcome is None:
            rule = store.scenario.outcome(batch.vendor, batch.nth, number, custom_id, mark, attempt)
            outcome, detail, twist = rule.outcome, rule.message, rule.twist
        billed = int(outcome in BILLED)
        rows.append(
            StoredRow(
                number, custom_id, text, digest, mark, outcome, detail, billed, ",".join(twist)
            )
        )
    return rows


def poll(store: Store, batch: Batch) -> None:
    """One look at a batch that has not ended: the plan's next status, if its time has come."""
    if batch.ended:
        batch.late_looks += 1
        return
    now, plan = store.now(), batch.how
    batch.looks += 1
    if batch.status == "cancelling":
        batch.cancel_looks += 1
        if batch.cancel_looks > plan.cancel_polls:
            end_early(store, batch, "cancelled", "canceled")
        return
    if now >= batch.expires_at:
        if "expired" in plan.polls:
            enter(batch, "expired", now)  # its rows were settled so from the start
        else:
            end_early(store, batch, "expired", "expired")
        return
    wanted = plan.polls[min(batch.looks, len(plan.polls)) - 1]
    if batch.errors:
        wanted = "validating" if wanted == "validating" else "failed"
    elif wanted in ("completed", "expired", "cancelled") and now < (
        batch.created_at + plan.ends_after
    ):
        wanted = "in_progress"
    if wanted == "cancelled":
        end_early(store, batch, "cancelled", "canceled")
    else:
        enter(batch, wanted, now)


def end_early(store: Store, batch: Batch, status: str, outcome: str) -> None:
    """Expired or cancelled: the first rows are done, the others are not."""
    store.stop_after(batch.id, math.ceil(batch.how.done * batch.total), outcome)
    enter(batch, status, store.now())


def enter(batch: Batch, status: str, now: float) -> None:
    """A new status, and when it began."""
    for passed in STAMPS.get(status, ()):
        batch.times.setdefault(passed, now)
    batch.times.setdefault(status, now)
    batch.status = status


def cancel(store: Store, batch: Batch) -> None:
    """Asked to stop; it does so after some polls more."""
    enter(batch, "cancelling", store.now())


def lines_out(batch: Batch, lines: list[tuple[int, Json]]) -> bytes:
    """The result file: (number of the request, line), shuffled and spoiled as the plan says."""
    plan = batch.how
    out: list[bytes] = []
    for number, line in lines:
        text = encoded(line)
        if number in plan.missing:
            continue
        out.append(text[: len(text) // 2] if number in plan.bad_json else text)
        if number in plan.duplicate:
            out.append(text)
        if number in plan.conflict:
            out.append(encoded(different(line)))
    names: list[Any] = [f"stranger-{batch.nth}-{n}" for n in range(plan.stranger)]
    names += [twists.STRANGER_IDS[kind] for kind in plan.stranger_ids]
    for n, name in enumerate(names if lines else ()):
        out.append(encoded(lines[n % len(lines)][1] | {"custom_id": name}))
    if plan.shuffle:
        Random(batch.id).shuffle(out)
    return b"".join(line + b"\n" for line in out)


def encoded(line: Json) -> bytes:
    """A line; what has no UTF-8 form (half a surrogate pair) is escaped."""
    try:
        text = json.dumps(line, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        text = json.dumps(line).encode()
    return text.replace(twists.DEEP_MARK, twists.DEEP)


def different(line: Json) -> Json:
    """The same custom_id with another answer."""
    data: Json = json.loads(json.dumps(line).replace("echo ", "ohce "))
    if data == line:
        data |= {"id": "another", "error": {"code": "another"}}
    return data


def is_late(store: Store, batch: Batch) -> bool:
    """Whether its end is shown, and its files are not yet."""
    early = store.now() < batch.times.get(batch.status, 0.0) + batch.how.files_after
    return batch.ended and (batch.late_looks < batch.how.output_late or early)


def still_hidden(batch: Batch, looks: str, most: int) -> bool:
    """Count a look at it; whether it is still too early for this one to see it."""
    count = getattr(batch, looks) + 1
    setattr(batch, looks, count)
    return bool(count <= most)
