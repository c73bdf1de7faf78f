"""What the next audit may take from the batches of this ledger: `[[measured]]` entries by model.

A share of cache hits is taken from requests whose logged calls read from the cache, a turnaround
from batches that ran their course. What rests on too little is not measured: why is told with the
counts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from llm_audit.migrate import candidates
from llm_audit.migrate.ledger import Ledger, Outcome, ShardRow
from llm_audit.migrate.measured import is_answered
from llm_audit.migrate.verification import spread
from llm_audit.policy import Measured
from llm_audit.policy.parts import LEAST_BATCHES, LEAST_REQUESTS, CacheHits, Turnaround
from llm_audit.prices import catalogue
from llm_audit.prices.resolve import Resolver

if TYPE_CHECKING:
    import duckdb

_RAN = frozenset({"completed", "expired", "ended"})
"""How the vendors call a batch that nobody stopped and no check refused."""

_Name = tuple[str, str]
"""Provider and model, as the price data has them."""


@dataclass(frozen=True)
class Measurements:
    """What was measured, and in words what was not, with the counts."""

    entries: tuple[Measured, ...]
    lacking: tuple[str, ...]


@dataclass(frozen=True)
class _Cached:
    """Tokens that a logged call read from the cache and wrote into it."""

    read: int
    written: int


def measure(
    connection: duckdb.DuckDBPyConnection, ledger: Ledger, run_id: str | None = None
) -> Measurements:
    """Of one run, or of all of them. Needs the priced tables: what was logged stands there."""
    resolver = Resolver(catalogue.read())
    outcomes: dict[_Name, list[Outcome]] = defaultdict(list)
    for outcome in ledger.outcomes(run_id):
        if is_answered(outcome) and (name := _name(resolver, outcome)):
            outcomes[name].append(outcome)
    batches: dict[_Name, list[ShardRow]] = defaultdict(list)
    for shard in ledger.shards(run_id):
        if shard.ended_at_remote is not None and (name := _name(resolver, shard)):
            batches[name].append(shard)
    stopped = {run.run_id for run in ledger.runs() if run.status == "cancelled"}
    cached = _cached(connection, (o for found in outcomes.values() for o in found))
    entries: list[Measured] = []
    lacking: list[str] = []
    for name in sorted(outcomes.keys() | batches.keys()):
        hits, why_no_hits = _hits(outcomes[name], cached)
        turnaround, why_no_turnaround = _turnaround(batches[name], stopped)
        if batches[name] and (hits or turnaround):
            last = max(shard.ended_at_remote or 0 for shard in batches[name])
            day = datetime.fromtimestamp(last, UTC).date()
            entries.append(Measured(*name, hits, turnaround, day))
        lacking += [f"{' '.join(name)}: {why}" for why in (why_no_hits, why_no_turnaround) if why]
    return Measurements(tuple(entries), tuple(lacking))


def _name(resolver: Resolver, of: Outcome | ShardRow) -> _Name | None:
    """The model as it was sent, in the words of the price data; None for one without a price."""
    found = resolver.resolve(of.vendor.value, of.model, None)
    return (found.provider, found.model) if found.provider and found.model else None


def _cached(
    connection: duckdb.DuckDBPyConnection, outcomes: Iterable[Outcome]
) -> dict[str, _Cached]:
    calls = [outcome.call_id for outcome in outcomes]
    rows = candidates.rows(connection, "cached", {"calls": calls}) if calls else []
    return {call_id: _Cached(int(read), int(written)) for call_id, read, written in rows}


def _hits(
    outcomes: Sequence[Outcome], cached: Mapping[str, _Cached]
) -> tuple[CacheHits | None, str]:
    """Tokens read in the batch, per token that the logged calls read; else why there is no share.

    In a batch another request may be the first, which writes what the others read. So what one
    logged call wrote counts as read, too, and no call counts for more than it had in the cache:
    with that share the expected scenario costs what the batch did. Rounded down.
    """
    pairs = [(o, cached[o.call_id]) for o in outcomes if o.call_id in cached]
    requests = sum(logged.read > 0 for _, logged in pairs)
    if requests < LEAST_REQUESTS:
        return None, (
            f"{requests:,} answered requests had read from the cache when they were logged; a "
            f"share of cache hits takes {LEAST_REQUESTS:,}"
        )
    read = sum(logged.read for _, logged in pairs)
    again = sum(min(o.cache_read_input_tokens, c.read + c.written) for o, c in pairs)
    share = min(Decimal(1), Decimal(again) / read)
    return CacheHits(share.quantize(Decimal("0.01"), ROUND_DOWN), requests), ""


def _turnaround(
    batches: Sequence[ShardRow], stopped: Collection[str]
) -> tuple[Turnaround | None, str]:
    """In whole minutes, rounded up; else why there is none.

    Canaries are too small to tell. Batches of a `stopped` run may have been cut short.
    """
    times = spread(
        [
            shard.ended_at_remote - shard.created_at_remote
            for shard in batches
            if shard.ended_at_remote is not None
            and shard.created_at_remote is not None
            and shard.provider_status in _RAN
            and shard.run_id not in stopped
            and not shard.canary
        ]
    )
    count = times.of if times else 0
    if times is None or count < LEAST_BATCHES:
        return None, (
            f"{count:,} batches came back, canaries apart; a turnaround takes {LEAST_BATCHES}"
        )
    p90, longest = (60.0 * max(1, math.ceil(seconds / 60)) for seconds in (times.p90, times.max))
    return Turnaround(p90, longest, count), ""
