"""What every step of the state machine is given: ledger, drivers, clock, and what is allowed.

A call goes `intend` (committed) -> `hear` (the network, the raw reply on disk) -> `settle`
(committed). A process may die between any two of them; what it leaves tells the next one what to
find out.
"""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from llm_audit.migrate.ledger import Ledger, RunRow, ShardRow
from llm_audit.migrate.model import Vendor
from llm_audit.migrate.vendor import Driver, Outcome, Rejected, Reply

MOST_ASKED = 3_600.0
LONGEST = 1.2 * MOST_ASKED
"""Seconds: the longest wait that a vendor is granted, and the longest of all waits."""


class Clock(Protocol):
    """Time, so that tests need not wait for it."""

    def now(self) -> float:
        """Unix seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Policy:
    """What may be done without asking.

    resend_unknown: send again what the vendor's list did not show in three looks over ten minutes.
    resend_lost: buy again what was paid for, most likely, and is lost or missing.
    despite_canary: send the rest of a group although its canary failed.
    """

    resend_unknown: bool = False
    resend_lost: bool = False
    despite_canary: bool = False


@dataclass(frozen=True)
class Call:
    """A call that is intended: its id in the ledger, and its shard."""

    call_id: int
    shard: ShardRow
    op: str


@dataclass(frozen=True)
class Heard:
    """How a call ended, and what of it goes into the ledger."""

    call: Call
    outcome: Outcome
    log: Mapping[str, Any]


def _nobody(text: str) -> None:
    """Where messages go when nobody listens."""


@dataclass
class Context:
    """The surroundings of a step. say: takes lines for the user.

    scope: the runs that are driven, None: all of them. The others are left alone, as it is not
    them that somebody has given leave to spend for.
    resend: request keys that this command may still buy again, of those that were missing or lost
    when it began. resend_unknown: shards that it may still send again, of those of which nobody
    knew then whether they had been made. Neither is leave for what is lost later.
    busy: a call that spends money is being made; stop: end as soon as that is settled.
    """

    ledger: Ledger
    driver_of: Callable[[Vendor], Driver]
    clock: Clock = field(default_factory=SystemClock)
    policy: Policy = Policy()
    say: Callable[[str], None] = _nobody
    chance: random.Random = field(default_factory=random.Random)
    scope: frozenset[str] | None = None
    resend: set[str] = field(default_factory=set)
    resend_unknown: set[int] = field(default_factory=set)
    busy: bool = False
    stop: bool = False

    def now(self) -> float:
        """Unix seconds of the clock."""
        return self.clock.now()

    def driver(self, shard: ShardRow) -> Driver:
        """The driver of a shard's vendor."""
        return self.driver_of(shard.vendor)

    def run(self, shard: ShardRow) -> RunRow:
        """The run a shard belongs to."""
        return next(run for run in self.ledger.runs() if run.run_id == shard.run_id)

    # --- calls ------------------------------------------------------------------------------------

    def intend(self, shard: ShardRow, op: str, **changes: Any) -> Call:
        """Commit that a call is about to be made, together with the state it leads to."""
        with self.ledger.transaction():
            if changes:
                shard = self.ledger.move(shard, **changes)
            return Call(self.ledger.begin_call(shard.shard_id, op, self.now()), shard, op)

    def hear(self, call: Call, make: Callable[[Driver], Outcome]) -> Heard:
        """Make the call and keep what came, before anything is read out of it."""
        outcome = make(self.driver(call.shard))
        body = b"" if isinstance(outcome, Reply) and not outcome.body else outcome.body
        log: dict[str, Any] = {
            "ended_at": self.now(),
            "outcome": type(outcome).__name__.lower(),
            "status": outcome.status,
            "vendor_request": getattr(outcome, "request_id", None),
            "body_sha256": sha256(body).hexdigest() if body else None,
            "raw_path": self._keep(call, outcome, body) if body else None,
            "why": None if isinstance(outcome, Reply) else _why(outcome),
        }
        return Heard(call, outcome, log)

    def _keep(self, call: Call, outcome: Outcome, body: bytes) -> str:
        """Append the raw reply to the run's private file."""
        path = private(self.run(call.shard).folder) / "replies.jsonl"
        line = {
            "call": call.call_id,
            "op": call.op,
            "status": outcome.status,
            "body": body.decode("utf-8", "replace"),
        }
        no_links = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | no_links, 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return str(path)

    def settle(self, heard: Heard, **changes: Any) -> ShardRow:
        """Commit how a call ended, together with the state it leads to."""
        with self.ledger.transaction():
            self.ledger.end_call(heard.call.call_id, heard.log)
            return self.ledger.move(heard.call.shard, **changes)

    def ask(self, shard: ShardRow, op: str, make: Callable[[Driver], Outcome]) -> Heard:
        """A call that changes nothing at the vendor: no intent is needed."""
        return self.hear(self.intend(shard, op), make)

    # --- waiting ----------------------------------------------------------------------------------

    def later(self, seconds: float) -> float:
        """A time to come, give or take a tenth, so that many shards do not come at once.

        Nobody waits for longer than `LONGEST`: the loop believes no time that is further away.
        """
        return self.now() + seconds * self.chance.uniform(0.9, 1.1)

    def again(self, shard: ShardRow, outcome: Outcome, first: float, most: float) -> dict[str, Any]:
        """Changes for another try: after what the vendor asks for, or twice the last wait.

        An hour is the longest the vendor is given: to ask too early costs nothing.
        """
        asked = outcome.retry_after if isinstance(outcome, Rejected) else None
        if asked is not None:
            asked = min(max(asked, 0.0), MOST_ASKED) if math.isfinite(asked) else None
        wait = min(most, max(first, shard.wait * 2))
        return {
            "failures": shard.failures + 1,
            "wait": wait,
            "next_at": self.later(wait) if asked is None else self.now() + asked + 1,
            "message": _why(outcome),
        }


def _why(outcome: Outcome) -> str:
    match outcome:
        case Reply():
            return "its answer made no sense"
        case Rejected():
            return f"{outcome.status} {outcome.code}: {outcome.message}"
        case _:
            return outcome.why


def results_folder(run: RunRow) -> Path:
    """Where a run's results are, private to their owner."""
    return private(run.folder / "results")


def private(folder: Path) -> Path:
    """A folder that is there, its owner's alone, also where somebody has deleted it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
