"""What the tests of the state machine share: a run without an audit, and a clock that both share.

A run is planned from a list of markers, each a request; `[[marker]]` in its prompt is what the
fake's journal counts purchases by.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from llm_audit.migrate import files, run
from llm_audit.migrate.anthropic import AnthropicDriver
from llm_audit.migrate.context import Context, Policy
from llm_audit.migrate.ledger import Ledger, Rate, open_ledger
from llm_audit.migrate.model import Planned, Request, RequestState, Shard, Vendor
from llm_audit.migrate.openai import OpenAIDriver
from llm_audit.migrate.plan import Plan
from llm_audit.migrate.vendor import Driver
from tests.migrate.fake.process import FakeProcess

START = 1_800_000_000.0
RATE = Rate(
    0,
    10**10,
    Decimal("0.000001"),
    Decimal("0.0000005"),
    Decimal("0.00000125"),
    Decimal("0.000002"),
    Decimal("0.000004"),
)
MODELS = {Vendor.OPENAI: "gpt-4o-mini", Vendor.ANTHROPIC: "claude-haiku-4-5"}
ENDPOINTS = {Vendor.OPENAI: "/v1/chat/completions", Vendor.ANTHROPIC: "/v1/messages"}


MOST_SLEPT = 12 * 86_400.0
"""Seconds in one sitting: two generations that expire, each a day overdue, take half of it."""


@dataclass
class SharedClock:
    """A clock that stands until someone sleeps, and the fake's clock with it.

    at: the vendor's time; ahead: seconds that this one is before it. slept: each sleep.
    """

    fake: FakeProcess | None
    at: float = START
    slept: list[float] = field(default_factory=list)
    ahead: float = 0.0
    total: float = 0.0

    def now(self) -> float:
        return self.at + self.ahead

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept.append(seconds)
        self.total += seconds
        assert self.total < MOST_SLEPT, "it waits for ever"
        assert len(self.slept) < 5_000, "it waits again and again"
        if self.fake is not None:
            self.fake.control(advance=seconds)


def scenario(**more: object) -> dict[str, object]:
    """A scenario whose clock stands at the tests' START."""
    return {"clock": {"start": START}} | more


def request(vendor: Vendor, marker: str) -> tuple[Request, bytes]:
    """A request and its body."""
    body = {
        "model": MODELS[vendor],
        "messages": [{"role": "user", "content": f"Say [[{marker}]]"}],
        "max_tokens": 20,
    }
    text = json.dumps(body).encode()
    return (
        Request(
            request_key=hashlib.sha256(marker.encode()).hexdigest(),
            call_id=f"call-{marker}",
            workload_id="w1",
            vendor=vendor,
            endpoint=ENDPOINTS[vendor],
            model=MODELS[vendor],
            betas=(),
            body_sha256=hashlib.sha256(text).hexdigest(),
            body_bytes=len(text),
            input_tokens=20,
            output_tokens=20,
            finish_reason="stop",
            sync_cost=Decimal("0.0002"),
            batch_cost=Decimal("0.0001"),
        ),
        text,
    )


def plan(
    folder: Path,
    vendor: Vendor,
    sizes: Sequence[int],
    run_id: str = "run1",
    canary: bool = True,
    markers: Sequence[str] | None = None,
) -> Plan:
    """A plan with one shard for each size; the first is the canary."""
    planned = []
    folder.mkdir(parents=True)
    left = list(markers or (f"{run_id}-m{n}" for n in range(sum(sizes))))
    for number, size in enumerate(sizes, start=1):
        pairs = [request(vendor, left.pop(0)) for _ in range(size)]
        intent = hashlib.sha256(f"{run_id}{number}".encode()).hexdigest()[:8]
        names = [files.custom_id(intent, r.request_key) for r, _ in pairs]
        draft = folder / f"la-{intent}"
        written = files.write(
            draft,
            vendor,
            (
                files.line(vendor, name, ENDPOINTS[vendor], body)
                for name, (_, body) in zip(names, pairs, strict=True)
            ),
        )
        path = draft.rename(folder / f"la-{intent}-{written.sha256[:8]}{files.ENDINGS[vendor]}")
        requests = tuple(r for r, _ in pairs)
        shard = Shard(
            shard_id=number,
            intent=intent,
            vendor=vendor,
            endpoint=ENDPOINTS[vendor],
            model=MODELS[vendor],
            betas=(),
            generation=1,
            canary=canary and number == 1,
            requests=size,
            bytes=written.bytes,
            input_tokens=20 * size,
            sha256=written.sha256,
            path=str(path),
            sync_cost=Decimal("0.0002") * size,
            batch_cost=Decimal("0.0001") * size,
        )
        planned.append(Planned(shard, requests))
    return Plan(run_id, datetime.fromtimestamp(START, UTC), folder, tuple(planned), 24)


def book(
    folder: Path,
    vendor: Vendor,
    sizes: Sequence[int],
    max_cost: Decimal | None = None,
    run_id: str = "run1",
    canary: bool = True,
) -> Plan:
    """Plan a run and book it in the ledger of `folder`."""
    made = plan(folder / run_id, vendor, sizes, run_id, canary)
    with open_ledger(folder) as ledger:
        run.begin(ledger, made, [(vendor, MODELS[vendor], RATE)], {}, max_cost)
    return made


def book_released(folder: Path, vendor: Vendor, run_id: str) -> Plan | None:
    """Book what an earlier run has released, as the next `migrate` would; None: there is nothing.

    What the ledger knows as bought is left out, whatever run it was of.
    """
    with open_ledger(folder) as ledger:
        known = ledger.known_keys()
        calls = {
            request.request_key: request.call_id
            for shard in ledger.shards()
            for request in ledger.assigned(shard.shard_id)
        }
        free = [call.removeprefix("call-") for key, call in calls.items() if key not in known]
        if not free:
            return None
        made = plan(folder / run_id, vendor, (len(free),), run_id, markers=free)
        run.begin(ledger, made, [(vendor, MODELS[vendor], RATE)], {}, None)
        return made


def drivers(environment: Mapping[str, str], timeout: float = 600.0) -> dict[Vendor, Driver]:
    """The real SDKs."""
    os.environ.update(environment)
    return {
        Vendor.OPENAI: OpenAIDriver(timeout),
        Vendor.ANTHROPIC: AnthropicDriver(timeout),
    }


@contextmanager
def opened(
    folder: Path,
    made: Mapping[Vendor, Driver],
    fake: FakeProcess | None,
    policy: Policy | None = None,
    at: float = START,
) -> Iterator[Context]:
    """A context on the ledger of `folder`."""
    with open_ledger(folder) as ledger:
        yield Context(
            ledger,
            lambda vendor: made[vendor],
            SharedClock(fake, at),
            policy or Policy(),
            chance=random.Random(7),
        )


def drive(
    folder: Path,
    made: Mapping[Vendor, Driver],
    fake: FakeProcess | None,
    policy: Policy | None = None,
    at: float = START,
) -> None:
    """`run`, to its end."""
    with opened(folder, made, fake, policy, at) as context:
        run.drive(context)


def states(folder: Path, run_id: str = "run1") -> dict[RequestState, int]:
    """How many requests are in which state."""
    with open_ledger(folder) as ledger:
        return ledger.request_states(run_id)


def check_ledger(ledger: Ledger, run_id: str, requests: int) -> None:
    """What holds of every ledger at any time."""
    assert sum(ledger.request_states(run_id).values()) == requests
