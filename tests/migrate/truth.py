"""What must hold of a ledger beside what the fake knows: bought once, at home or said, priced.

The fake's journal tells what was bought and what of it can still be had; the ledger and what
`status` says of it are held against that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from llm_audit.migrate import gates, status
from llm_audit.migrate.context import Context
from llm_audit.migrate.ledger import Assigned, ShardRow
from llm_audit.migrate.model import RequestState, ShardState
from llm_audit.migrate.results import ANSWERED
from tests.migrate.engine import RATE, opened
from tests.migrate.fake.journal import Purchase
from tests.migrate.fake.process import FAKE_ANTHROPIC_KEY, FAKE_OPENAI_KEY, FakeProcess
from tests.migrate.fake.store import Batch

KEYS = tuple(key.encode() for key in (FAKE_OPENAI_KEY, FAKE_ANTHROPIC_KEY, "sk-other-account"))

PATIENCE = 900.0
"""Seconds after which nobody can know that a create will still be obeyed."""

UNREADABLE = frozenset({"deep"})
"""Twists of a line that hide the answer for good."""

NO_TYPE = frozenset({"status_text", "status_float", "status_absent"})
"""Of Anthropic's: without its type a result says nothing that one may rely on."""

UNPRICED = frozenset(
    {
        *("no_usage", "float_usage", "negative_usage", "huge_usage", "cached_over_input"),
        *("deep", "status_text", "status_float", "status_absent"),
    }
)
"""Twists after which no exact cost can be asked for."""

UNSAID = frozenset({RequestState.RELEASED, RequestState.ASSIGNED})
"""States in which a request was never sent, as far as anybody knows."""


@dataclass(frozen=True)
class Story:
    """Where a request was: each shard that held it, with what became of it."""

    marker: str
    places: tuple[tuple[ShardRow, Assigned], ...]

    @property
    def states(self) -> set[RequestState]:
        """Of the request, in each run that has it."""
        return {request.state for _, request in self.places}

    @property
    def answered(self) -> bool:
        """Whether its answer is at home."""
        return bool(self.states & ANSWERED)

    def __str__(self) -> str:
        told = "; ".join(f"{r.state} in {s.state} ({s.message})" for s, r in self.places)
        return f"{self.marker}: {told}"


def check(
    folder: Path,
    fake: FakeProcess,
    requests: int,
    exact: bool = False,
    consents: Mapping[str, int] | None = None,
) -> None:
    """At the end of it all. requests: booked in run1. exact: every one is answered, for once.

    consents: by marker, how often a person gave leave to buy it again.
    """
    keeps_no_key(folder)
    purchases = fake.journal.purchases(billed=True)
    batches = {batch.id: batch for batch in fake.journal.batches()}
    bought_once(purchases, batches, consents or {})
    with opened(folder, {}, None, at=fake.control()) as context:
        told = stories(context)
        is_shown(context)
        states_add_up(context)
        priced_once(context, purchases, batches)
        said = status.needs_attention(status.build(context))
        assert sum(context.ledger.request_states("run1").values()) == requests
    by_marker: dict[str, list[Purchase]] = {}
    for purchase in purchases:
        by_marker.setdefault(purchase.marker, []).append(purchase)
    for marker, story in told.items():
        mine = by_marker.get(marker, [])
        if story.answered:
            assert mine, f"answered and never bought: {story}"
            continue
        assert not exact, f"not answered: {story}"
        to_be_had = [p for p in mine if can_be_had(p, batches[p.batch_id])]
        assert not to_be_had, f"it is there, in {to_be_had[0].batch_id}, and not at home: {story}"
        assert said or story.states <= {RequestState.RELEASED} or _cancelled(folder, story), (
            f"nobody says that it has no answer: {story}"
        )
        if mine:
            assert not story.states <= UNSAID, f"paid for, and called unsent: {story}"


def keeps_no_key(folder: Path) -> None:
    """Whatever a vendor has quoted."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(key in content for key in KEYS), f"a key is in {path.name}"


def _cancelled(folder: Path, story: Story) -> bool:
    with opened(folder, {}, None) as context:
        return all(context.run(shard).status != "open" for shard, _ in story.places)


def stories(context: Context) -> dict[str, Story]:
    """By marker."""
    found: dict[str, list[tuple[ShardRow, Assigned]]] = {}
    for shard in context.ledger.shards():
        for request in context.ledger.assigned(shard.shard_id):
            marker = request.call_id.removeprefix("call-")
            found.setdefault(marker, []).append((shard, request))
    return {marker: Story(marker, tuple(places)) for marker, places in found.items()}


def bought_once(
    purchases: list[Purchase], batches: Mapping[str, Batch], consents: Mapping[str, int]
) -> None:
    """Nothing twice, unless a person gave leave, or the vendor obeyed when nobody could know."""
    count = Counter(p.marker for p in purchases if batches[p.batch_id].late <= PATIENCE)
    for marker, times in count.items():
        allowed = 1 + consents.get(marker, 0)
        assert times <= allowed, (
            f"{marker}: bought {times} times, leave for {allowed}, in "
            f"{[p.batch_id for p in purchases if p.marker == marker]}"
        )


def can_be_had(purchase: Purchase, batch: Batch) -> bool:
    """Whether another look at the vendor would bring this answer home."""
    plan = batch.how
    spoiled = {*plan.missing, *plan.bad_json, *plan.conflict}
    twists = set(purchase.twist.split(","))
    hides = UNREADABLE | (NO_TYPE if purchase.vendor == "anthropic" else set())
    is_elsewhere = plan.results_url is not None and "{host}" not in plan.results_url
    return (
        batch.ended
        and purchase.line not in spoiled
        and not {"output", "results"} & set(plan.gone)
        and not is_elsewhere
        and "status" not in plan.put
        and not hides & twists
    )


def is_shown(context: Context) -> None:
    """`status` can be shown, and no step has failed of itself: that would be a traceback."""
    assert status.text(status.build(context))
    odd = [shard.parked for shard in context.ledger.shards() if shard.parked]
    assert not odd, f"a step failed of itself: {odd}"


def ends_well(context: Context) -> None:
    """Where a sitting that had no error asks for nobody, everything is at home and over."""
    seen = status.build(context)
    if status.needs_attention(seen):
        return
    shards = context.ledger.shards()
    for run in seen.runs:
        if run.status == "open":
            wrong = {s: n for s, n in run.requests.items() if RequestState(s) not in ANSWERED}
            assert not wrong, f"{run.run_id} ends with 0 and {wrong}"
        states = {shard.state for shard in shards if shard.run_id == run.run_id}
        assert states <= gates.OVER, f"{run.run_id} ends with 0 and {states - gates.OVER}"


def states_add_up(context: Context) -> None:
    """Each request of each run is in one state, and of its shards one alone may be paid for."""
    for run in context.ledger.runs():
        told = context.ledger.request_states(run.run_id)
        here = {
            request.request_key
            for shard in context.ledger.shards(run.run_id)
            for request in context.ledger.assigned(shard.shard_id)
        }
        assert sum(told.values()) == len(here), f"{run.run_id}: {told}, and {len(here)} requests"
    for story in stories(context).values():
        at_work = any(s.state in gates.SENT | {ShardState.LOST} for s, _ in story.places)
        waits = RequestState.IN_FLIGHT not in story.states or at_work
        assert waits, f"in flight with nobody: {story}"


def priced_once(context: Context, purchases: list[Purchase], batches: Mapping[str, Batch]) -> None:
    """The cost of each answer that is at home is what its tokens cost at the run's rate, once."""
    expected = {
        (p.batch_id, p.custom_id): cost(p, batches[p.batch_id])
        for p in purchases
        if not UNPRICED & set(p.twist.split(","))
    }
    rows: list[Any] = context.ledger._db.execute(
        "SELECT shards.batch_id, results.custom_id, results.cost, shards.run_id FROM results"
        " JOIN shards ON shards.shard_id = results.shard_id"
    ).fetchall()
    spent: dict[str, Decimal] = {}
    for batch_id, custom_id, text, run_id in rows:
        amount = Decimal(text or 0)
        assert amount >= 0, f"{custom_id} of {batch_id} costs {amount}"
        spent[run_id] = spent.get(run_id, Decimal(0)) + amount
        if Decimal(text or 0) and (batch_id, custom_id) in expected:
            wanted = expected[batch_id, custom_id]
            assert amount == wanted, f"{custom_id} of {batch_id}: {amount}, not {wanted}"
    shards = context.ledger.shards()
    for run_id, amount in spent.items():
        told = gates.spent(run_id, shards)
        assert told >= amount, f"{run_id}: {told} of at least {amount} are told"


def cost(purchase: Purchase, batch: Batch) -> Decimal:
    """USD, from what the fake says of the tokens."""
    plan = batch.how
    cached = int(purchase.input_tokens * plan.cache_read)
    written = int(purchase.input_tokens * plan.cache_write) if batch.vendor == "anthropic" else 0
    return (
        (purchase.input_tokens - cached - written) * RATE.input
        + cached * RATE.cached
        + written * RATE.write_5m
        + purchase.output_tokens * RATE.output
    )
