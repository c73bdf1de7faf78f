"""The step that finds out whether a POST of unknown outcome has made a batch (batch.md, F4 to F6).

What the vendor's list shows that it did not show before the POST (`listing.Fence`) may be ours.
OpenAI's list shows our metadata and our input file. Anthropic's shows neither a name nor an id of
ours: there the prefix of the custom_ids in the results is the proof, to be had when a batch has
ended. Nothing is sent again until the list of the same account has not shown it in three looks over
ten minutes, and never by itself while there is one batch of which it cannot be told whose it is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from typing import Any

from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate import listing, results, submit
from llm_audit.migrate.context import Context, Heard, results_folder
from llm_audit.migrate.ledger import ShardRow
from llm_audit.migrate.model import RemoteBatch, RequestState, ShardState, Vendor
from llm_audit.migrate.poll import GRACE
from llm_audit.migrate.vendor import NAMELESS, Driver, Kind, Outcome, Rejected, Reply
from llm_audit.text import printable

LOOKS, SPAN = 3, 600.0
"""So many empty looks over so many seconds before a request may be sent again."""

BETWEEN = 330.0

LONGEST = 2 * 86_400.0
"""Seconds after the POST for which a batch that runs may be waited for: the vendors end theirs
after a day."""

ENDS_OF_NOTHING = frozenset({"failed"})
"""OpenAI's status of a batch that has bought nothing."""


@dataclass(frozen=True)
class Found:
    """What a look has brought. ours: the oldest first. running: it will tell when it has ended.

    suspects: ids of batches that may be ours, those that run included. failed: how a read ended
    that tells nothing: unless ours was found, that was no look.
    """

    ours: tuple[RemoteBatch, ...]
    running: tuple[str, ...]
    suspects: frozenset[str]
    failed: Outcome | None


class UnreadError(Exception):
    """A read of what may be ours did not succeed, and may the next time."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def is_settled(shard: ShardRow, now: float) -> bool:
    """Whether it has been looked for long enough, and nothing there may be it."""
    began = shard.first_look_at
    enough = shard.looks >= LOOKS and began is not None and now - began >= SPAN
    return enough and not shard.suspects


def consent(context: Context) -> None:
    """A person wants to have sent again what nobody knows of now: that, once, and nothing later."""
    context.resend_unknown = {
        shard.shard_id
        for shard in context.ledger.shards()
        if shard.state in (ShardState.SUBMITTING, ShardState.CREATE_UNKNOWN)
    }


def may_resend(context: Context, shard: ShardRow) -> bool:
    """Whether another look may end in its being sent again."""
    return shard.shard_id in context.resend_unknown and is_settled(shard, context.now())


def look(context: Context, shard: ShardRow) -> None:
    """CREATE_UNKNOWN: one look at the vendor's list."""
    found = _search(context, shard)
    if found is None:
        return
    shard = context.ledger.shard(shard.shard_id)
    if found.ours:
        _adopt(context, shard, found.ours)
    elif found.failed is not None:
        submit.trouble_with(context, shard, found.failed)
    elif shard.account != context.driver(shard).account:
        _cannot_tell(context, shard, _changed(shard, context.driver(shard).account))
    elif found.running and context.now() - (shard.submit_started_at or 0.0) < LONGEST:
        _wait(context, shard, found)
    else:
        _not_there(context, shard, found.suspects)


def look_back(context: Context, shard: ShardRow) -> None:
    """COLLECTED, and it was sent twice: by now the list shows whether the first was heard too.

    Errors: `MigrationError` with a key whose list does not show that.
    """
    own = context.driver(shard).account
    if shard.account != own:
        raise MigrationError(
            _changed(shard, own), slug="other-account", exit_code=ExitCode.MIGRATION
        )
    found = _search(context, shard)
    if found is None:
        return
    shard = context.ledger.shard(shard.shard_id)
    for batch in found.ours:
        shard = _book_double(context, shard, batch)
    if found.failed is not None:
        submit.trouble_with(context, shard, found.failed)
    elif found.running and context.now() - (shard.submit_started_at or 0.0) < LONGEST:
        context.ledger.move(shard, next_at=context.later(300.0))
    else:
        context.ledger.move(shard, resent=False, next_at=context.now(), failures=0, wait=0.0)


# --- looking --------------------------------------------------------------------------------------


def _search(context: Context, shard: ShardRow) -> Found | None:
    """What there is of it, or None where the list could not be read."""
    newer = listing.newer(context, shard)
    if isinstance(newer, Heard):
        submit.trouble(context, newer)
        return None
    shard = context.ledger.shard(shard.shard_id)
    known = context.ledger.known_batches(shard)
    ours: list[RemoteBatch] = []
    running: list[str] = []
    suspects = set(shard.suspects) | newer.unread
    if not newer.unread:
        suspects.discard(NAMELESS)  # all that is there has a name, and is looked at below
    failed: Outcome | None = None
    for listed in newer.batches:
        if listed.batch_id in known:
            continue
        try:
            batch, verdict = _whose(context, shard, listed)
        except UnreadError as error:
            failed = error.outcome
            continue
        if verdict:
            ours.append(batch)
        if verdict is False:
            suspects.discard(batch.batch_id)
        if verdict is None:
            suspects.add(batch.batch_id)
        if verdict is None and not batch.ended and shard.vendor is Vendor.ANTHROPIC:
            running.append(batch.batch_id)
    ours.sort(key=lambda b: (b.status in ENDS_OF_NOTHING, _made(b)))
    known = context.ledger.known_batches(shard)
    return Found(tuple(ours), tuple(running), frozenset(suspects - known), failed)


def _made(batch: RemoteBatch) -> float:
    return batch.created_at.timestamp() if batch.created_at else 0.0


def _whose(
    context: Context, shard: ShardRow, batch: RemoteBatch
) -> tuple[RemoteBatch, bool | None]:
    """Whether it is ours; None: that cannot be told, or not yet. Errors: `UnreadError`."""
    if shard.vendor is Vendor.OPENAI:
        return batch, listing.is_ours(shard, batch)
    if not listing.may_be_ours(shard, batch):
        return batch, False
    if not batch.ended or batch.output_file_id is None:
        batch = _fresh(context, shard, batch)
    if not batch.ended:
        return batch, None
    verdict = _by_results(context, shard, batch)
    if verdict is False:
        context.ledger.add_attempt(shard, batch.batch_id, "not_ours")
    return batch, verdict


def _read(context: Context, shard: ShardRow, make: Callable[[Driver], Outcome]) -> Reply | None:
    """A read of what may be ours; None: the vendor does not have it, or not where the key may go.

    Errors: `UnreadError` for all else, which says nothing.
    """
    shard = context.ledger.shard(shard.shard_id)
    heard = context.ask(shard, "candidate", make)
    context.settle(heard)
    outcome = heard.outcome
    if isinstance(outcome, Reply):
        return outcome
    is_away = isinstance(outcome, Rejected) and outcome.code == "foreign_host"
    if is_away or (isinstance(outcome, Rejected) and outcome.kind is Kind.NOT_FOUND):
        return None
    raise UnreadError(outcome)


def _fresh(context: Context, shard: ShardRow, batch: RemoteBatch) -> RemoteBatch:
    """The batch itself, where the list may be behind. Errors: `UnreadError`."""
    reply = _read(context, shard, methodcaller("retrieve", batch.batch_id))
    if reply is not None:
        with suppress(ValueError):
            fresh = context.driver(shard).read_batch(reply.body)
            return fresh if fresh.batch_id == batch.batch_id else batch
    return batch


def _by_results(context: Context, shard: ShardRow, batch: RemoteBatch) -> bool | None:
    """Whether the results are of our custom_ids; None where they are not there, or make no sense.

    Errors: `UnreadError`.
    """
    if batch.output_file_id is None:
        return None
    part = results_folder(context.run(shard)) / f"{shard.intent}-candidate.part"
    try:
        if _read(context, shard, methodcaller("download", batch.output_file_id, part)) is None:
            return None
        return _says_whose(part, f"la-{shard.intent}-", batch.total)
    finally:
        with suppress(OSError):
            part.unlink()


def _says_whose(path: Path, prefix: str, total: int | None) -> bool | None:
    """One line of ours will do; that it is another's is believed of a file that is complete."""
    others = 0
    with path.open("rb") as file:
        for line in file:
            with suppress(ValueError):
                if results.read(Vendor.ANTHROPIC, line).custom_id.startswith(prefix):
                    return True
                others += 1
    return False if others and others >= (total or 0) else None


# --- what follows from it -------------------------------------------------------------------------


def _adopt(context: Context, shard: ShardRow, ours: tuple[RemoteBatch, ...]) -> None:
    batch = ours[0]
    changes: dict[str, Any] = submit.adopted(context, batch)
    changes |= {"next_at": context.now(), "account": context.driver(shard).account}
    with context.ledger.transaction():
        context.ledger.set_requests(shard.shard_id, RequestState.IN_FLIGHT)
        shard = context.ledger.move(shard, **changes)
        for other in ours[1:]:
            shard = _book_double(context, shard, other)
    context.say(f"found batch {batch.batch_id}, of which the confirmation was lost")


def _book_double(context: Context, shard: ShardRow, batch: RemoteBatch) -> ShardRow:
    """The vendor has two of it, and wants to be paid for both: a person must know."""
    if batch.status in ENDS_OF_NOTHING:
        context.ledger.add_attempt(shard, batch.batch_id, "failed")
        return shard
    with context.ledger.transaction():
        context.ledger.add_attempt(shard, batch.batch_id, "double")
        shard = context.ledger.move(shard, doubles=(*shard.doubles, batch.batch_id))
    context.say(
        f"batch {batch.batch_id} was made of the same requests as {shard.batch_id}: "
        "`llm-audit migrate cancel --doubles` ends it"
    )
    return shard


def cancel_doubles(context: Context) -> int:
    """Ask the vendors to end what was made twice. Returns how many have not heard it.

    Errors: `MigrationError` for a refused key.
    """
    unheard = 0
    for shard_id, batch_id in context.ledger.doubles():
        shard = context.ledger.shard(shard_id)
        if context.scope is not None and shard.run_id not in context.scope:
            continue
        call = context.intend(shard, "cancel_double")
        heard = context.hear(call, methodcaller("cancel", batch_id))
        context.settle(heard)
        outcome = heard.outcome
        if isinstance(outcome, Rejected) and outcome.kind is Kind.KEY:
            submit.key_refused(shard, outcome)
        # 409 (OpenAI) and 400 (Anthropic): it has ended before. 404: it is deleted, or another's.
        over = (400, 404, 409) if shard.account == context.driver(shard).account else (400, 409)
        if isinstance(outcome, Reply) or outcome.status in over:
            context.ledger.mark_double(shard_id, batch_id)
        else:
            unheard += 1
    return unheard


def _wait(context: Context, shard: ShardRow, found: Found) -> None:
    """A candidate runs: its results will tell."""
    wait = min(300.0, max(30.0, shard.wait * 1.5))
    context.ledger.move(
        shard,
        wait=wait,
        next_at=context.later(wait),
        failures=0,
        looks=0,
        first_look_at=None,
        suspects=tuple(sorted(found.suspects)),
        message=f"{found.running[0]} may be this batch; its results will tell",
    )


def _not_there(context: Context, shard: ShardRow, suspects: frozenset[str]) -> None:
    """Not to be seen this time: after enough looks it may be sent again, but for suspects."""
    now = context.now()
    looks, began = shard.looks + 1, min(shard.first_look_at or now, now)  # a clock may go back
    seen = f"{looks} looks over {(now - began) / 60:.0f} minutes"
    shard = context.ledger.move(
        shard,
        looks=looks,
        first_look_at=began,
        next_at=now + BETWEEN,
        wait=0.0,
        failures=0,
        suspects=tuple(sorted(suspects)),
        message=f"not in the vendor's list in {seen}",
    )
    if suspects and now - began >= GRACE:
        names = ", ".join(sorted(suspects))
        _cannot_tell(context, shard, f"{names} may be this batch, but its results cannot be read")
    elif may_resend(context, shard):
        context.resend_unknown.discard(shard.shard_id)
        with context.ledger.transaction():
            context.ledger.set_requests(shard.shard_id, RequestState.ASSIGNED)
            context.ledger.move(
                shard,
                state=ShardState.UPLOADED if shard.file_id else ShardState.PLANNED,
                attempt=shard.attempt + 1,
                looks=0,
                first_look_at=None,
                next_at=now,
                resent=True,
                cost=None,
            )


def _changed(shard: ShardRow, account: str) -> str:
    return (
        f"it was sent as account {shard.account}; key, address, organisation or project are now "
        f"those of {account}, whose list does not show it: set those it was sent with. Where the "
        "key alone was replaced, by one of the same project: "
        f"`llm-audit migrate resume --same-account {shard.intent}`"
    )


def vouch(context: Context, intent: str) -> None:
    """A person says that the key that is set shows the batches of the one a shard was sent with.

    Errors: `MigrationError` where there is no such shard.
    """
    for shard in context.ledger.shards():
        if shard.intent == intent:
            context.ledger.move(shard, account=context.driver(shard).account)
            return
    raise MigrationError(
        f"there is no batch {printable(intent, 40)} here",
        slug="no-batch",
        hint="the eight characters that `llm-audit migrate status` shows before the vendor",
        exit_code=ExitCode.MIGRATION,
    )


def _cannot_tell(context: Context, shard: ShardRow, why: str) -> None:
    """Nobody can tell whether it was made: it counts as bought, and lost, until somebody can.

    `resume` looks again; only `resume --resend-lost` sends it again (`collect.finish`).
    """
    with context.ledger.transaction():
        context.ledger.lose(shard.shard_id, "unconfirmed")
        context.ledger.move(
            shard,
            state=ShardState.COLLECTED,
            cost=shard.ceiling,
            looks=0,
            first_look_at=None,
            failures=0,
            wait=0.0,
            next_at=context.now(),
            message=why,
        )
