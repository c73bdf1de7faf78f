"""The vendor's list of batches: what it held before a POST, and what it holds that is newer.

The only proof that a POST of unknown outcome has made nothing is a list that does not show it. So
the head of the list is read before each POST and kept, as a fence: what it shows is not ours, and
ours is nothing older. No clock of this machine has a say in it, which may be wrong, or right again
by then; and there is no time after which a late commit would be missed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import TypeVar

from llm_audit.migrate.context import Context, Heard
from llm_audit.migrate.ledger import ShardRow
from llm_audit.migrate.model import RemoteBatch, Vendor
from llm_audit.migrate.vendor import Page, Reply, uploader

SLACK = 300.0
"""Seconds by which the clocks of the vendor's own machines may differ."""

T = TypeVar("T")

MOST_PAGES = 1_000
"""Of a list that is believed to end."""


@dataclass(frozen=True)
class Fence:
    """The head of the list before a POST. since: when the oldest of `ids` was made, by the vendor's
    clock, unix seconds, at least `SLACK` before the newest. None: `ids` has all there were.
    """

    ids: frozenset[str] = frozenset()
    since: float | None = None

    def text(self) -> str:
        """For the ledger."""
        return json.dumps({"ids": sorted(self.ids), "since": self.since})

    @classmethod
    def of(cls, shard: ShardRow) -> Fence:
        """That of a shard; one that was sent without has an empty one, which hides nothing."""
        if shard.fence is None:
            return cls()
        data = json.loads(shard.fence)
        return cls(frozenset(data["ids"]), data["since"])

    def hides(self, batch: RemoteBatch) -> bool:
        """Whether a batch was there before the POST."""
        return batch.batch_id in self.ids or self._is_beyond(batch)

    def is_passed(self, batches: Sequence[RemoteBatch]) -> bool:
        """Whether a page, and so those after it, is of what was there before."""
        return _newest_first(batches) and self._is_beyond(batches[-1])

    def _is_beyond(self, batch: RemoteBatch) -> bool:
        made = _made(batch)
        return self.since is not None and made is not None and made < self.since


@dataclass(frozen=True)
class Head:
    """What the list begins with before a POST."""

    fence: Fence
    batches: tuple[RemoteBatch, ...]


@dataclass(frozen=True)
class Newer:
    """What the list holds this side of the fence. unread: ids of entries that make no sense."""

    batches: tuple[RemoteBatch, ...]
    unread: frozenset[str]


def head(context: Context, shard: ShardRow) -> Head | Heard:
    """The list's newest batches, or the call that did not bring them (not settled).

    One page, but for an account that makes more than that within `SLACK`.
    """
    batches: list[RemoteBatch] = []
    ids: set[str] = set()
    for page in _batches(context, shard, "fence"):
        if isinstance(page, Heard):
            return page
        batches += page.entries
        ids |= {batch.batch_id for batch in page.entries} | set(page.unread)
        times = [made for made in map(_made, batches) if made is not None]
        if _newest_first(page.entries) and min(times) < times[0] - SLACK:
            # The oldest and not the newest: the time of one may be nonsense, not that of all.
            return Head(Fence(frozenset(ids), min(times)), tuple(batches))
    return Head(Fence(frozenset(ids)), tuple(batches))


def newer(context: Context, shard: ShardRow) -> Newer | Heard:
    """All that came after the fence, or the call that did not bring it (not settled).

    A list that could not be read to its end, or to the fence, proves nothing.
    """
    fence = Fence.of(shard)
    batches: list[RemoteBatch] = []
    unread: set[str] = set()
    for page in _batches(context, shard, "list"):
        if isinstance(page, Heard):
            return page
        batches += (batch for batch in page.entries if not fence.hides(batch))
        unread |= set(page.unread) - fence.ids
        if fence.is_passed(page.entries):
            break
    return Newer(tuple(batches), frozenset(unread))


def _batches(context: Context, shard: ShardRow, op: str) -> Iterator[Page[RemoteBatch] | Heard]:
    return _pages(context, shard, op, "batches", context.driver(shard).read_batches)


def _pages(
    context: Context, shard: ShardRow, op: str, call: str, read: Callable[[bytes], Page[T]]
) -> Iterator[Page[T] | Heard]:
    """Page by page, each settled; at last the call that failed, if one did.

    A mark that comes twice, or no end, is no list either.
    """
    after: str | None = None
    seen: set[str] = set()
    while True:
        shard = context.ledger.shard(shard.shard_id)
        heard = context.ask(shard, op, methodcaller(call, after))
        page = _read(heard, read)
        if page is None or page.after in seen or len(seen) >= MOST_PAGES:
            yield heard
            return
        context.settle(heard)
        yield page
        after = page.after
        if after is None:
            return
        seen.add(after)


def _read(heard: Heard, read: Callable[[bytes], Page[T]]) -> Page[T] | None:
    if isinstance(heard.outcome, Reply):
        with suppress(ValueError):
            return read(heard.outcome.body)
    return None


def uploads(context: Context, shard: ShardRow) -> list[str] | Heard:
    """Ids of the files of this shard's name and size, or the call that did not bring the list."""
    ours: list[str] = []
    wanted = (Path(shard.path).name, shard.bytes)
    read = uploader(context.driver(shard)).read_uploads
    for page in _pages(context, shard, "find_upload", "uploaded", read):
        if isinstance(page, Heard):
            return page
        ours += (file.file_id for file in page.entries if (file.name, file.bytes) == wanted)
    return ours


def is_ours(shard: ShardRow, batch: RemoteBatch) -> bool | None:
    """Whether a batch is of this shard, by what the list shows of it; None where it cannot tell."""
    if batch.metadata and "llm_audit_intent" in batch.metadata:
        return batch.metadata["llm_audit_intent"] == shard.intent
    if shard.file_id and batch.input_file_id:
        return batch.input_file_id == shard.file_id
    return None


def may_be_ours(shard: ShardRow, batch: RemoteBatch) -> bool:
    """Whether what the list shows of a batch leaves it open, or says, that it is of this shard.

    What a batch that has ended says of its size is not believed; its results tell.
    """
    is_other_size = not batch.ended and batch.total not in (None, shard.requests)
    if shard.vendor is Vendor.ANTHROPIC and is_other_size:
        return False
    return is_ours(shard, batch) is not False


def _newest_first(batches: Sequence[RemoteBatch]) -> bool:
    """Whether a page shows that the vendor keeps to this order."""
    times = [_made(batch) for batch in batches]
    known = [time for time in times if time is not None]
    return known == times and len(known) > 1 and known[0] > known[-1]


def _made(batch: RemoteBatch) -> float | None:
    return batch.created_at.timestamp() if batch.created_at else None
