"""A migration as a person lives it: sittings that die, wrong keys, set clocks, changed minds.

Each sitting is one process' worth of work on the ledger. It dies by an exception that nothing may
catch (`test_kill` does it with SIGKILL); what it had committed is there for the next one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate import run, status
from llm_audit.migrate.context import Context, Policy
from llm_audit.migrate.ledger import open_ledger
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from llm_audit.migrate.vendor import Driver
from tests.migrate import truth
from tests.migrate.engine import SharedClock, book, book_released
from tests.migrate.fake.process import FakeProcess
from tests.migrate.points import DeathError, Points, die

Json = dict[str, Any]
Made = Mapping[Vendor, Driver]

HOUR, YEAR = 3_600.0, 31_536_000.0
MOST_STEPS = 5_000
"""Of the loop in one sitting: over it nothing comes to an end."""

EXITS = {ExitCode.KEY, ExitCode.MIGRATION}
"""With which a sitting may end in an error; all others are for what it finds out before."""


@dataclass(frozen=True)
class Sitting:
    """What a person does in one go.

    does: resume, cancel (all runs), book (another run), rebook (what was released). dies: the
    point it ends at, None: it lives. key: whose account it sees. ahead: seconds that its clock is
    before the vendor's; jumps: point -> seconds that it is ahead from there on. waits: seconds
    that pass before.
    """

    does: str = "resume"
    policy: Policy = field(default_factory=Policy)
    dies: int | None = None
    key: str = "own"
    ahead: float = 0.0
    jumps: dict[int, float] = field(default_factory=dict)
    waits: float = 0.0

    def __str__(self) -> str:
        odd = {k: v for k, v in vars(self).items() if v != getattr(Sitting(), k) and k != "policy"}
        leave = [name for name, given in vars(self.policy).items() if given]
        return f"{self.does} {leave or ''} {odd or ''}".strip()


@dataclass
class Life:
    """A migration of one vendor's calls in a folder. made: the drivers, by whose key they have.

    consents: by marker, how often a person gave leave to buy again what may be paid for.
    """

    folder: Path
    vendor: Vendor
    made: Mapping[str, Made]
    fake: FakeProcess
    consents: Counter[str] = field(default_factory=Counter)
    runs: int = 1

    def sit(self, sitting: Sitting) -> bool:
        """One process, from its start to its end; whether it died of its own death."""
        if sitting.waits:
            self.fake.control(advance=sitting.waits)
        clock = SharedClock(self.fake, self.fake.control(), ahead=sitting.ahead)
        at = {n: _sets(clock, ahead) for n, ahead in sitting.jumps.items()}
        if sitting.dies is not None:
            at[sitting.dies] = die
        is_quiet = False
        try:
            with Points(at).watched():
                is_quiet = getattr(self, f"_{sitting.does}")(sitting, clock)
        except DeathError:
            return True
        with self._opened(sitting, clock) as context:
            truth.is_shown(context)
            truth.states_add_up(context)
            if is_quiet:
                truth.ends_well(context)
        return False

    def is_over(self) -> bool:
        """Whether all is at home, so that no more patience is needed."""
        clock = SharedClock(self.fake, self.fake.control())
        with self._opened(Sitting(), clock) as context:
            is_quiet = not status.needs_attention(status.build(context))
            return is_quiet and not status.unfinished(context)

    def _opened(self, sitting: Sitting, clock: SharedClock) -> Any:
        return _context(self.folder, self.made[sitting.key], clock, sitting.policy)

    def _resume(self, sitting: Sitting, clock: SharedClock) -> bool:
        with self._opened(sitting, clock) as context:
            if sitting.policy.resend_lost:
                self.consents.update(lost(context))
            run.reopen(context)
            return drive(context)

    def _cancel(self, sitting: Sitting, clock: SharedClock) -> bool:
        with self._opened(sitting, clock) as context, _ends_well():
            run.cancel(context, [row.run_id for row in status.unfinished(context)])
        return False  # batches run on until `resume`

    def _book(self, sitting: Sitting, clock: SharedClock) -> bool:
        self.runs += 1
        book(self.folder, self.vendor, (2, 3), run_id=f"run{self.runs}")
        return self._resume(sitting, clock)

    def _rebook(self, sitting: Sitting, clock: SharedClock) -> bool:
        self.runs += 1
        book_released(self.folder, self.vendor, f"run{self.runs}")
        return self._resume(sitting, clock)


def lost(context: Context) -> set[str]:
    """Markers of what `--resend-lost` asks about now."""
    gone = {RequestState.MISSING, RequestState.LOST}
    return {
        request.call_id.removeprefix("call-")
        for shard in context.ledger.shards()
        for request in context.ledger.assigned(shard.shard_id)
        if request.state in gone or shard.state is ShardState.LOST
    }


def drive(context: Context) -> bool:
    """`run.drive`, which must come to an end, and may only end as the command line knows how to.

    Whether it ended without an error.
    """
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1
        assert steps < MOST_STEPS, "it goes on for ever"

    with _ends_well():
        run.drive(context, count)
        return True
    return False


class _ends_well:  # noqa: N801 - reads as the statement it is
    """Lets the errors pass that a command may end with."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, MigrationError):
            return False
        assert error.exit_code in EXITS, f"{error.exit_code}: {error}"
        assert error.slug != "ledger-unusable", str(error)
        return True


class _context:  # noqa: N801
    """A context on the ledger, as the command line opens it."""

    def __init__(self, folder: Path, made: Made, clock: SharedClock, policy: Policy) -> None:
        self._parts = (made, clock, policy)
        self._ledger = open_ledger(folder)

    def __enter__(self) -> Context:
        made, clock, policy = self._parts
        ledger = self._ledger.__enter__()
        return Context(ledger, lambda v: made[v], clock, policy, chance=random.Random(7))

    def __exit__(self, *error: Any) -> bool | None:
        return self._ledger.__exit__(*error)


def _sets(clock: SharedClock, ahead: float) -> Any:
    def set_clock() -> None:
        clock.ahead = ahead

    return set_clock


# --- drawing --------------------------------------------------------------------------------------

POLICIES = (
    Policy(),
    Policy(),
    Policy(resend_unknown=True),
    Policy(resend_unknown=True, despite_canary=True),
    Policy(resend_lost=True),
    Policy(resend_unknown=True, resend_lost=True, despite_canary=True),
)
WAITS = (0.0, 0.0, 60.0, 700.0, HOUR, 25 * HOUR)
CLOCKS = (-2 * HOUR, 2 * HOUR, YEAR, -YEAR)


def draw(chance: random.Random) -> list[Sitting]:
    """Some sittings, the first of which begins the run; most of them die."""
    sittings = []
    for n in range(chance.choice((1, 2, 2, 3, 3, 4))):
        does = chance.choice(("resume",) * 6 + ("cancel", "book", "rebook")) if n else "resume"
        jumps = {}
        if chance.random() < 0.15:
            jumps = {chance.randint(1, 60): chance.choice((*CLOCKS, 0.0))}
        sittings.append(
            Sitting(
                does,
                chance.choice(POLICIES),
                chance.randint(1, 70) if chance.random() < 0.6 else None,
                "other" if chance.random() < 0.12 else "own",
                chance.choice(CLOCKS) if chance.random() < 0.12 else 0.0,
                jumps,
                chance.choice(WAITS),
            )
        )
    return sittings


def patience(sittings: Sequence[Sitting]) -> list[Sitting]:
    """What a patient person does in the end: resume, an hour apart, with each key that was used."""
    plain = Policy(despite_canary=True)
    unknown = Policy(resend_unknown=True, despite_canary=True)
    keys = ["own", *(["other", "own"] if any(s.key == "other" for s in sittings) else [])]
    return [
        Sitting(policy=policy, key=key, waits=HOUR)
        for policy in (plain, unknown, plain)
        for key in keys
    ]
