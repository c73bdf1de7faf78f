"""Batches of somebody else in the same account: nobody buys them here, and lists show them."""

from __future__ import annotations

import json
from dataclasses import asdict

from tests.migrate.fake import anthropic_batches, life, openai_batches
from tests.migrate.fake.scenario import BatchPlan, Foreign, Json, build
from tests.migrate.fake.store import Batch, Store
from tests.migrate.fake.wire import Call

NAMES = {"openai": "batch_other", "anthropic": "msgbatch_other"}
MOST_READABLE = 100
"""Of more than so many at once there are no results."""


def arrive(store: Store, call: Call, nth: int, when: str) -> None:
    """Those that the scenario has come with the nth create of this vendor."""
    if not call.op.endswith(".batches.create"):
        return
    for foreign in store.scenario.foreign:
        if foreign.comes(call.vendor, nth, when):
            for _ in range(foreign.count):
                _add(store, call, foreign)


def _add(store: Store, call: Call, foreign: Foreign) -> None:
    nth = store.next(f"others {call.vendor}")
    size = foreign.requests or _size(call)
    made = store.now() - foreign.age
    batch = Batch(
        id=f"{NAMES[call.vendor]}{nth:06d}",
        vendor=call.vendor,
        account=call.account,
        nth=0,
        created_at=int(made) if call.vendor == "openai" else made,
        expires_at=int(made + 86_400),
        total=size,
        plan=asdict(build(BatchPlan, foreign.life)),
        model="other",
        endpoint="/v1/chat/completions",
        others=True,
        status="in_progress",
    )
    body: Json = {"model": "other", "max_tokens": 5, "messages": []}
    requests = [(n, f"other-{nth}-{n}", body) for n in range(1, size + 1)]
    is_many = foreign.count > MOST_READABLE
    rows = [] if is_many else life.fates(store, batch, requests, lambda _: None)
    if foreign.ended:
        life.enter(batch, "completed", made)
    store.add_batch(batch, rows)
    if foreign.ended and not is_many:
        side = openai_batches if call.vendor == "openai" else anthropic_batches
        side.finish(store, batch)
        store.save(batch)


def _size(call: Call) -> int:
    """As many as the create asks for, as far as it says so."""
    return len(json.loads(call.body)["requests"]) if call.vendor == "anthropic" else 1
