"""Requests of one group -> shards inside 90 % of the vendor's limits, a small canary first.

Pure arithmetic on sizes: no I/O, no texts. A group is what one batch may hold: requests of one
vendor, endpoint, model and set of betas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MARGIN = 0.9
"""Of the vendor's limits (batch.md, safety rule 5): ours and theirs may count differently."""

QUEUE_MARGIN = 0.8
"""Of the budget of queued tokens, which other batches of the same model share."""

CANARY_MOST, CANARY_LEAST = 20, 5
"""Requests in the first shard of a group: enough to show what is wrong, cheap to lose."""


@dataclass(frozen=True, slots=True)
class Item:
    """What of a request counts: bytes of its line, input tokens, and units (embedding inputs)."""

    bytes: int
    tokens: int
    units: int = 1


@dataclass(frozen=True)
class Limits:
    """The most that one shard may hold; None: no limit. frame: bytes around the lines of a file."""

    requests: int
    bytes: int
    tokens: int | None = None
    units: int | None = None
    frame: int = 0

    def admit(self, item: Item) -> bool:
        """Whether a shard of this request alone is inside the limits."""
        return (
            item.bytes + self.frame <= self.bytes
            and (self.tokens is None or item.tokens <= self.tokens)
            and (self.units is None or item.units <= self.units)
        )


def limits(
    max_requests: int,
    max_bytes: int,
    *,
    max_units: int | None,
    max_rows: int,
    queue_tokens: int | None,
    frame: int,
) -> Limits:
    """The vendor's limits with our margins; `max_rows` and `queue_tokens` are the user's."""
    return Limits(
        requests=min(max_rows, int(max_requests * MARGIN)),
        bytes=int(max_bytes * MARGIN),
        tokens=None if queue_tokens is None else int(queue_tokens * QUEUE_MARGIN),
        units=None if max_units is None else int(max_units * MARGIN),
        frame=frame,
    )


@dataclass
class Sizes:
    """The sizes given to shards so far, where a size is all that tells two batches apart.

    Anthropic's list of batches shows neither a name nor an id of ours: an unknown outcome is
    reconciled by the number of requests (F5 of the brief), so it should occur once in a plan. A
    handful of tiny groups may run out of numbers; then it occurs twice.
    """

    unique: bool
    taken: set[int] = field(default_factory=set)

    def take(self, most: int, least: int = 1) -> int:
        """The largest free size from `most` down to `least`; `most` itself where none is free."""
        size = most
        if self.unique:
            size = next((n for n in range(most, least - 1, -1) if n not in self.taken), most)
        self.taken.add(size)
        return size


def pack(items: Sequence[Item], limits: Limits, sizes: Sizes) -> list[list[int]]:
    """The shards of one group as places in `items`: each place once, the canary first.

    Errors: `ValueError` for an item that `limits` does not admit.
    """
    if any(not limits.admit(item) for item in items):
        raise ValueError("an item is larger than a shard may be")
    canary, rest = _canary(items, limits, sizes)
    packed = [canary] if canary else []
    while rest:
        size = sizes.take(_fit(items, rest, limits))
        packed.append(rest[:size])
        rest = rest[size:]
    return packed


def _canary(items: Sequence[Item], limits: Limits, sizes: Sizes) -> tuple[list[int], list[int]]:
    """A few requests from all over the group, and the others in their order."""
    count = len(items)
    wanted = min(count, CANARY_MOST, limits.requests)
    spread = [place * count // wanted for place in range(wanted)]
    most = _fit(items, spread, limits)
    size = sizes.take(most, least=min(most, CANARY_LEAST)) if most else 0
    chosen = set(spread[:size])
    return spread[:size], [place for place in range(count) if place not in chosen]


def _fit(items: Sequence[Item], places: Sequence[int], limits: Limits) -> int:
    """How many of these, from the first on, one shard may hold."""
    size, tokens, units = limits.frame, 0, 0
    for number, place in enumerate(places):
        item = items[place]
        size, tokens, units = size + item.bytes, tokens + item.tokens, units + item.units
        if (
            number >= limits.requests
            or size > limits.bytes
            or (limits.tokens is not None and tokens > limits.tokens)
            or (limits.units is not None and units > limits.units)
        ):
            return number
    return len(places)
