"""Why a shard may not go out now: the checks before money is spent. No I/O but the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from llm_audit.migrate.context import Context
from llm_audit.migrate.layout import usd
from llm_audit.migrate.ledger import RunRow, ShardRow
from llm_audit.migrate.model import ShardState, Vendor
from llm_audit.migrate.results import ANSWERED
from llm_audit.text import printable

WAITING = frozenset({ShardState.PLANNED, ShardState.UPLOADED, ShardState.QUEUE_FULL})
"""States that a POST leads out of."""

UNSENT = WAITING | {ShardState.UPLOADING, ShardState.BILLING_PAUSED}
"""States in which nothing has been bought, nor may have been."""

MOST_REFUSALS = 12
"""How often a full queue is tried (F9: about nine hours) before a person is asked."""

SENT = frozenset(
    {
        ShardState.SUBMITTING,
        ShardState.CREATE_UNKNOWN,
        ShardState.SUBMITTED,
        ShardState.ENDED,
        ShardState.COLLECTING,
    }
)
"""States in which a batch may be running, and be paid for."""

OVER = frozenset(
    {
        ShardState.COLLECTED,
        ShardState.CLEANED,
        ShardState.INVALID,
        ShardState.LOST,
        ShardState.ABANDONED,
    }
)


def is_going(shard: ShardRow) -> bool:
    """Whether something is still to be done with it: what is collected may yet be tried again."""
    return shard.state not in OVER or shard.state is ShardState.COLLECTED or bool(shard.parked)


def blocked(context: Context, shard: ShardRow, shards: Sequence[ShardRow]) -> str | None:
    """Why this shard must wait for something else, or None."""
    run = context.run(shard)
    if run.status != "open":
        return "the run was cancelled"
    if shard.vendor in context.ledger.pauses():
        return f"{shard.vendor} wants money: {context.ledger.pauses()[shard.vendor]}"
    return (
        _refused(context, shard)
        or _canary(context, shard, shards)
        or _same_size(shard, shards)
        or _queue(context, shard, shards)
        or _max_cost(run, shard, shards)
    )


def _refused(context: Context, shard: ShardRow) -> str | None:
    """A queue that stays full, or is smaller than one request, is nothing that waiting mends."""
    if shard.state is not ShardState.QUEUE_FULL or not shard.refusals:
        return None
    budget = context.ledger.budget(shard)
    if shard.requests == 1 and budget is not None and shard.input_tokens > budget:
        return (
            f"one request of {shard.input_tokens:,} tokens is more than the {budget:,} that the "
            f"vendor lets {printable(shard.model, 60)} queue; have that limit raised, or cancel"
        )
    if shard.refusals >= MOST_REFUSALS:
        return f"the vendor's queue was full {shard.refusals} times; resume tries it again"
    return None


def _canary(context: Context, shard: ShardRow, shards: Sequence[ShardRow]) -> str | None:
    """The small first shard of a group is answered before the rest goes out (rule 5)."""
    if shard.canary or context.policy.despite_canary:
        return None
    canaries = [s for s in shards if s.canary and s.group == shard.group]
    first = [c for c in canaries if c.parent_id is None and c.state is not ShardState.ABANDONED]
    states = [r.state for canary in first for r in context.ledger.assigned(canary.shard_id)]
    answered = sum(state in ANSWERED for state in states)
    if answered * 2 >= len(states) and all(canary.state in OVER for canary in first):
        return None
    if any(canary.state not in OVER for canary in canaries):
        return "its canary is not back yet"
    where = printable(str(context.run(shard).folder / "results"), 300)
    return (
        f"only {answered} of {len(states)} requests of its canary were answered; look at them in "
        f"{where}, then go on with `llm-audit migrate resume --despite-canary`, or cancel"
    )


def _same_size(shard: ShardRow, shards: Sequence[ShardRow]) -> str | None:
    """Of two Anthropic batches of one size the lost one could not be told (F5)."""
    if shard.vendor is not Vendor.ANTHROPIC:
        return None
    for other in shards:
        lost = other.state in (ShardState.SUBMITTING, ShardState.CREATE_UNKNOWN)
        if lost and other.vendor is shard.vendor and other.requests == shard.requests:
            return "a batch of the same size is being looked for"
    return None


def _queue(context: Context, shard: ShardRow, shards: Sequence[ShardRow]) -> str | None:
    """Not more tokens than the vendor lets a model queue, as far as it has said (F9)."""
    budget = context.ledger.budget(shard)
    if budget is None:
        return None
    queued = sum(
        other.input_tokens
        for other in shards
        if other.state in SENT and (other.vendor, other.model) == (shard.vendor, shard.model)
    )
    if queued and queued + shard.input_tokens > budget:
        return f"{queued:,} of {budget:,} tokens of {shard.model} are queued"
    return None


def _max_cost(run: RunRow, shard: ShardRow, shards: Sequence[ShardRow]) -> str | None:
    """Stop before the dollar: what is paid and what is out, at its dearest, stays below (F27)."""
    if run.max_cost is None:
        return None
    out = spent(run.run_id, shards)
    if out + shard.ceiling <= run.max_cost:
        return None
    return (
        f"--max-cost {run.max_cost} USD: {usd(out)} are spent or out, it may cost "
        f"{usd(shard.ceiling)}"
    )


def spent(run_id: str, shards: Sequence[ShardRow]) -> Decimal:
    """USD of a run: the cost of what is back, the estimate with longer answers of what is out, and
    of what the vendor has made twice."""
    total = Decimal(0)
    for shard in shards:
        if shard.run_id != run_id:
            continue
        total += len(shard.doubles) * shard.ceiling
        if shard.cost is not None:
            total += shard.cost
        elif shard.state in SENT | {ShardState.LOST}:
            total += shard.ceiling
    return total
