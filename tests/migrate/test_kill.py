"""SIGKILL at every point between two commits, then `resume`: each request is bought exactly once.

Every point is met, not a sample of them: before and behind each commit of the ledger, each call to
the vendor and each rename. The stories lead through each state that a shard can be in. A second
death, in the recovery from the first, is met at every pair of points of one short story, and at
some pairs of the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llm_audit.migrate import run
from llm_audit.migrate.context import Policy
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from llm_audit.migrate.vendor import Driver
from tests.migrate import chaos, lives, truth
from tests.migrate.engine import book, book_released, opened, scenario, states
from tests.migrate.fake.process import FakeProcess
from tests.migrate.killing import Killer, running_killer
from tests.migrate.lives import Life, Sitting

Made = Mapping[Vendor, Driver]

OPENAI, ANTHROPIC = (Vendor.OPENAI,), (Vendor.ANTHROPIC,)


@dataclass(frozen=True)
class Story:
    """A run of these sizes. first: what has happened before the sitting that is killed.

    does, policy: what that sitting does. rejected: requests that the vendor refuses for good.
    """

    sizes: tuple[int, ...]
    plays: Mapping[str, object] = field(default_factory=dict)
    vendors: tuple[Vendor, ...] = tuple(Vendor)
    first: Callable[[Path, Made, FakeProcess], None] | None = None
    does: str = "resume"
    policy: Policy = field(default_factory=lambda: Policy(resend_unknown=True))
    rejected: int = 0


def submitted(folder: Path, made: Made, fake: FakeProcess) -> None:
    """The canary runs, the rest waits for it."""
    with opened(folder, made, fake, at=fake.control()) as context:
        while not any(s.state is ShardState.SUBMITTED for s in context.ledger.shards()):
            shard = context.ledger.shards()[0]
            run.STEPS[shard.state](context, shard)


def lost(folder: Path, made: Made, fake: FakeProcess) -> None:
    """All of it has been done, and results are gone."""
    with opened(folder, made, fake, at=fake.control()) as context:
        run.drive(context)
    assert RequestState.LOST in states(folder)


def batch(**life: object) -> dict[str, object]:
    """The vendor's first batch has an odd life."""
    return {"batches": [{"nth": 1, **life}]}


def fault(op: str, nth: object, **more: object) -> dict[str, object]:
    """Some calls go wrong."""
    return {"faults": [{"op": op, "nth": nth, **more}]}


RESULTS = ("openai.files.content", "anthropic.batches.results")
FULL = {"code": "token_limit_exceeded", "line": None}
BAD = {"code": "invalid_json_line", "line": 2}
STORIES: dict[str, Story] = {
    "smooth": Story((3, 4)),
    "second generation": Story(
        (3,), {"rows": [{"outcome": "expired", "lines": 2, "attempt": 1}]}
    ),
    "reply lost": Story((2,), fault("*.batches.create", 1, when="after", reply=500)),
    "obeyed late": Story((3,), fault("*.batches.create", 1, when="late", late=200, reply=504)),
    "queue full": Story((2,), batch(fail=[FULL]), OPENAI),
    "bad line": Story((3,), batch(fail=[BAD]), OPENAI, rejected=1),
    "halves": Story(
        (4,), batch(fail=[FULL | {"message": "Limit: 60 enqueued tokens"}]), OPENAI
    ),
    "too large": Story((4,), {"anthropic": {"requests": 3}}, ANTHROPIC),
    "upload unknown": Story(
        (2,), fault("openai.files.create", 1, when="after", reply="close"), OPENAI
    ),
    "odd download": Story(
        (3,),
        batch(results_not_found=1, duplicate=[1], stranger=1, output_late=1)
        | {
            "faults": [
                {"op": op, "nth": 1, "when": "after", "reply": "cut", "at": 0.5}
                for op in RESULTS
            ]
        },
    ),
    "cancel": Story((4, 3), batch(ends_after=50_000), first=submitted, does="cancel"),
    "lost and wanted again": Story(
        (3,), batch(gone=["output", "results"]), first=lost, policy=Policy(resend_lost=True)
    ),
    "lost and found": Story(
        (3,),
        {
            "faults": [
                {"op": op, "nth": "1-13", "reply": 404}
                for op in RESULTS
            ]
        },
        first=lost,
        policy=Policy(),
    ),
}  # fmt: skip
TOLD = [(vendor, name) for name, story in STORIES.items() for vendor in story.vendors]
PAIRS = 4
"""Pairs of deaths of each story and vendor that are tried."""


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with running_killer() as process:
        yield process


@dataclass(frozen=True)
class Stage:
    """What a story is told with."""

    vendor: Vendor
    story: Story
    killer: Killer
    fake: FakeProcess
    made: Made

    def tell(self, folder: Path, *deaths: int) -> list[int | None]:
        """Until each of these points, then to the end. The points that each sitting had: None if
        it died."""
        story = self.story
        self.fake.play(scenario(**story.plays))
        book(folder, self.vendor, story.sizes)
        if story.first is not None:
            story.first(folder, self.made, self.fake)
        with opened(folder, {}, None) as context:
            gone = lives.lost(context) if story.policy.resend_lost else set()
        points = [self.killer.run(folder, self.fake, at, story.does, story.policy) for at in deaths]
        self._end(folder)
        requests = sum(story.sizes)
        consents = dict.fromkeys(gone, 1)
        exact = not story.rejected and story.does != "cancel"
        truth.check(folder, self.fake, requests, exact, consents)
        if story.rejected:
            ends = {RequestState.REJECTED: story.rejected}
            assert states(folder) == ends | {RequestState.SUCCEEDED: requests - story.rejected}
        return points

    def _end(self, folder: Path) -> None:
        """A patient person; where it was cancelled, one that plans the rest anew."""
        life = Life(folder, self.vendor, {"own": self.made}, self.fake)
        for _ in range(4):
            chaos.go_on(folder, self.made, self.fake)
            if life.is_over():
                break
            if self.story.policy.resend_lost:
                life.sit(Sitting(policy=self.story.policy))
        if self.story.does == "cancel":
            book_released(folder, self.vendor, "run2")
            chaos.go_on(folder, self.made, self.fake)


@pytest.mark.parametrize(("vendor", "name"), TOLD)
def test_a_death_at_any_point_buys_nothing_twice_and_loses_nothing(
    vendor: Vendor,
    name: str,
    killer: Killer,
    vendors: FakeProcess,
    made: Made,
    quick_path: Path,
) -> None:
    stage = Stage(vendor, STORIES[name], killer, vendors, made)
    at, points = 1, None
    while points is None:
        [points] = stage.tell(quick_path / f"death{at}", at)
        at += 1
    assert points == at - 2, "every point but the end was met"
    assert points > (10 if STORIES[name].first else 30)


@pytest.mark.parametrize(("vendor", "name"), TOLD)
def test_a_second_death_in_the_recovery_does_no_harm_either(
    vendor: Vendor,
    name: str,
    killer: Killer,
    vendors: FakeProcess,
    made: Made,
    quick_path: Path,
) -> None:
    stage = Stage(vendor, STORIES[name], killer, vendors, made)
    chance = random.Random(f"{vendor}{name}")
    for n in range(PAIRS):
        stage.tell(quick_path / str(n), chance.randint(1, 60), chance.randint(1, 40))


@pytest.mark.parametrize(("vendor", "step"), [(Vendor.ANTHROPIC, 1), (Vendor.OPENAI, 4)])
def test_every_pair_of_deaths_of_a_short_story(
    vendor: Vendor, step: int, vendors: FakeProcess, made: Made, quick_path: Path
) -> None:
    """One request. These deaths are not SIGKILL: that would take minutes; nor is each second one
    played with OpenAI, whose story is longer by the upload."""
    first, met = 0, True
    while met:
        first += 1
        second, again = 1 + first % step - step, True
        while again:
            second += step
            folder = quick_path / f"{first}-{second}"
            vendors.play(scenario())
            book(folder, vendor, (1,))
            life = Life(folder, vendor, {"own": made}, vendors)
            met = life.sit(Sitting(dies=first))
            again = met and life.sit(Sitting(dies=second))
            chaos.go_on(folder, made, vendors)
            truth.check(folder, vendors, 1, exact=True)
    assert first > 20
