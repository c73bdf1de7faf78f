"""Steps that bring a shard to its vendor: upload, create. `create` is the one that spends money.

Nothing is sent a second time unless the vendor has refused it in its own words, and nothing at all
before the vendor's list was read: what it shows before the POST is what the POST has not made.
"""

from __future__ import annotations

from hashlib import file_digest
from operator import methodcaller
from pathlib import Path
from typing import Any

from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate import listing, replan
from llm_audit.migrate.context import Context, Heard
from llm_audit.migrate.ledger import ShardRow
from llm_audit.migrate.model import RemoteBatch, RequestState, ShardState
from llm_audit.migrate.vendor import Kind, Outcome, Rejected, Reply, uploader

UPLOAD_WAIT, RATE_WAIT, MOST_WAIT = 15.0, 30.0, 3_600.0
FIRST_POLL = 15.0
FIRST_LOOK = 30.0

LEFT_OVER = frozenset({ShardState.INVALID, ShardState.ABANDONED, ShardState.CLEANED})
"""States after which nothing happens to a shard but that its uploads are deleted."""


def start(context: Context, shard: ShardRow) -> None:
    """PLANNED: the file goes up, or the batch is made at once."""
    if _is_elsewhere(context, shard):
        _look_again(context, shard)
        return
    check_file(shard)
    if context.driver(shard).uploads:
        upload(context, shard)
    else:
        create(context, shard)


def check_file(shard: ShardRow) -> None:
    """What is sent is what was planned. Errors: `MigrationError`."""
    try:
        with Path(shard.path).open("rb") as file:
            whole = file_digest(file, "sha256").hexdigest() == shard.sha256
    except OSError:
        whole = False
    if not whole:
        raise MigrationError(
            f"{shard.path} is not the file that was planned",
            slug="request-file-changed",
            hint="nothing of it was sent; `llm-audit migrate cancel` and plan anew",
            exit_code=ExitCode.MIGRATION,
        )


def upload(context: Context, shard: ShardRow) -> None:
    """PLANNED -> UPLOADING -> UPLOADED."""
    account = context.driver(shard).account
    call = context.intend(shard, "upload", state=ShardState.UPLOADING, account=account)
    heard = context.hear(call, methodcaller("upload", shard))
    if isinstance(heard.outcome, Reply):
        try:
            file_id = uploader(context.driver(shard)).read_upload(heard.outcome.body)
        except ValueError:
            pass
        else:
            context.settle(heard, **_uploaded(file_id))
            return
    if isinstance(heard.outcome, Rejected):
        refused(context, heard, ShardState.PLANNED)
        return
    context.settle(heard, **context.again(shard, heard.outcome, UPLOAD_WAIT, MOST_WAIT))


def _uploaded(file_id: str) -> dict[str, Any]:
    return {
        "state": ShardState.UPLOADED,
        "file_id": file_id,
        "failures": 0,
        "wait": 0.0,
        "message": None,
    }


def find_upload(context: Context, shard: ShardRow) -> None:
    """UPLOADING, and nobody knows how it ended: the file is there under its name, or goes again.

    An upload costs nothing, so one too many is no harm; `sweep` deletes all of the name.
    """
    shard = context.ledger.move(shard, stray=True)
    found = listing.uploads(context, shard)
    if isinstance(found, Heard):
        trouble(context, found)
        return
    shard = context.ledger.shard(shard.shard_id)
    if found:
        context.ledger.move(shard, **_uploaded(found[0]))
        return
    check_file(shard)
    upload(context, shard)


def has_leftovers(shard: ShardRow) -> bool:
    """Whether a shard that is over may have files at the vendor which nothing else deletes."""
    if shard.state is ShardState.INVALID and shard.file_id:
        return True
    return shard.stray and shard.state in LEFT_OVER


def sweep(context: Context, shard: ShardRow) -> None:
    """INVALID, ABANDONED or CLEANED: delete every upload of its name (F2, F25).

    Not worth more than some tries: files are sent with an expiry of a week.
    """
    ids = {shard.file_id} if shard.file_id else set()
    is_there = shard.account == context.driver(shard).account and shard.failures < 3
    if is_there and shard.stray:
        found = listing.uploads(context, shard)
        if isinstance(found, Heard):
            trouble(context, found)
            return
        ids |= set(found)
    for file_id in sorted(ids) if is_there else ():
        call = context.intend(context.ledger.shard(shard.shard_id), "delete_upload")
        heard = context.hear(call, methodcaller("delete_upload", file_id))
        outcome = heard.outcome
        is_gone = isinstance(outcome, Rejected) and outcome.kind is Kind.NOT_FOUND
        if not isinstance(outcome, Reply) and not is_gone:
            trouble(context, heard)
            return
        context.settle(heard)
    shard = context.ledger.shard(shard.shard_id)
    context.ledger.move(shard, file_id=None, stray=False, failures=0)


def create(context: Context, shard: ShardRow) -> None:
    """UPLOADED, QUEUE_FULL or PLANNED -> SUBMITTING -> SUBMITTED, or CREATE_UNKNOWN."""
    account = context.driver(shard).account
    if _is_elsewhere(context, shard):
        _look_again(context, shard)
        return
    if shard.file_id and shard.account != account:
        # Its upload is not there under this key; left alone, it expires in a week.
        context.ledger.move(shard, state=ShardState.PLANNED, file_id=None)
        return
    # What was sent before may yet turn up: then the older fence is the one that shows it.
    fence = shard.fence if shard.resent else None
    seen = listing.newer(context, shard) if fence else listing.head(context, shard)
    if isinstance(seen, Heard):
        trouble(context, seen)
        return
    shard = context.ledger.shard(shard.shard_id)
    known = context.ledger.known_batches(shard)
    fresh = [batch for batch in seen.batches if batch.batch_id not in known]
    made = next((batch for batch in fresh if listing.is_ours(shard, batch)), None)
    if made is not None:
        # One that this ledger does not know: it may be an older copy of itself.
        with context.ledger.transaction():
            context.ledger.set_requests(shard.shard_id, RequestState.IN_FLIGHT)
            context.ledger.move(shard, account=account, **adopted(context, made))
    elif isinstance(seen, listing.Head):
        _post(context, shard, account, seen.fence.text())
    elif seen.unread - known or any(listing.may_be_ours(shard, batch) for batch in fresh):
        _look_again(context, shard)
    else:
        _post(context, shard, account, fence or "")


def _is_elsewhere(context: Context, shard: ShardRow) -> bool:
    """Whether the list of this key cannot show what was sent before, and may have been heard."""
    return shard.resent and shard.account != context.driver(shard).account


def _look_again(context: Context, shard: ShardRow) -> None:
    """It was to be sent again, and that is not what it looks like any more.

    The leave to do so was of another time, perhaps of another day: `reconcile` finds out.
    """
    changes = unknown(context, "the vendor's list may show it by now")
    changes |= {"submit_ended_at": shard.submit_ended_at, "next_at": context.now()}
    with context.ledger.transaction():
        context.ledger.set_requests(shard.shard_id, RequestState.IN_FLIGHT)
        context.ledger.move(shard, **changes)


def _post(context: Context, shard: ShardRow, account: str, fence: str) -> None:
    """The call that spends money, once what it takes to find its batch again is committed."""
    back = shard.state if shard.state is ShardState.PLANNED else ShardState.UPLOADED
    with context.ledger.transaction():
        context.ledger.set_requests(shard.shard_id, RequestState.IN_FLIGHT)
        call = context.intend(
            shard,
            "create",
            state=ShardState.SUBMITTING,
            account=account,
            fence=fence,
            submit_started_at=context.now(),
            submit_ended_at=None,
        )
    context.busy = True
    try:
        heard = context.hear(call, lambda driver: driver.create(shard))
        _created(context, heard, back)
    finally:
        context.busy = False


def _created(context: Context, heard: Heard, back: ShardState) -> None:
    if isinstance(heard.outcome, Reply):
        batch = _told_batch(context, heard)
        if batch is not None:
            context.settle(heard, **adopted(context, batch))
            return
    if isinstance(heard.outcome, Rejected):
        refused(context, heard, back)
        return
    context.settle(heard, **unknown(context, "its creation was not confirmed"))


def _told_batch(context: Context, heard: Heard) -> RemoteBatch | None:
    """The batch in the reply; None: something was made, but who knows what: the list will tell."""
    shard = heard.call.shard
    try:
        batch = context.driver(shard).read_batch(heard.outcome.body)
    except ValueError:
        return None
    is_known = batch.batch_id in context.ledger.known_batches(shard)
    return None if is_known or listing.is_ours(shard, batch) is False else batch


def adopted(context: Context, batch: RemoteBatch) -> dict[str, Any]:
    """Changes for a shard whose batch is known."""
    return {
        "state": ShardState.SUBMITTED,
        "batch_id": batch.batch_id,
        "provider_status": batch.status,
        "created_at_remote": batch.created_at.timestamp() if batch.created_at else None,
        "expires_at_remote": batch.expires_at.timestamp() if batch.expires_at else None,
        "submit_ended_at": context.now(),
        "next_at": context.later(FIRST_POLL),
        "wait": FIRST_POLL,
        "failures": 0,
        "looks": 0,
        "first_look_at": None,
        "missing_since": None,
        "suspects": (),
        "code": None,
        "message": None,
    }


def unknown(context: Context, why: str) -> dict[str, Any]:
    """Changes for a shard of which nobody knows whether it was made."""
    return {
        "state": ShardState.CREATE_UNKNOWN,
        "submit_ended_at": context.now(),
        "next_at": context.later(FIRST_LOOK),
        "wait": 0.0,
        "looks": 0,
        "first_look_at": None,
        "message": why,
    }


def interrupted(context: Context, shard: ShardRow) -> None:
    """SUBMITTING, and the process that did it is gone: the POST may have been heard.

    When it ended is not known either, so `submit_ended_at` stays empty.
    """
    changes = unknown(context, "llm-audit ended while it was being created")
    context.ledger.move(shard, **changes | {"submit_ended_at": None})


def refused(context: Context, heard: Heard, back: ShardState) -> None:
    """The vendor has refused, so nothing was made: back, or to where the refusal leads."""
    assert isinstance(heard.outcome, Rejected)
    shard, outcome, ledger = heard.call.shard, heard.outcome, context.ledger
    with ledger.transaction():
        ledger.set_requests(shard.shard_id, RequestState.ASSIGNED)
        if outcome.kind is Kind.BILLING:
            ledger.pause(shard.vendor, outcome.message, context.now())
            context.settle(heard, **_told(outcome, ShardState.BILLING_PAUSED))
        elif outcome.kind in (Kind.RATE, Kind.KEY):
            context.settle(heard, state=back, **context.again(shard, outcome, RATE_WAIT, MOST_WAIT))
        elif _is_file_gone(outcome) and shard.file_id and shard.failures < 3:
            again = context.again(shard, outcome, RATE_WAIT, MOST_WAIT)
            context.settle(heard, state=ShardState.PLANNED, file_id=None, **again)
        else:
            shard = context.settle(heard, **_told(outcome, ShardState.INVALID))
            if outcome.kind is Kind.TOO_LARGE and shard.requests > 1:
                # Of a shard that was sent twice, too: the same bytes were too large before.
                replan.halves(context, shard)
            elif shard.resent:
                replan.in_doubt(context, shard, outcome.message)
            else:
                replan.give_up(context, shard, outcome.kind, outcome.code)
    if outcome.kind is Kind.KEY:
        key_refused(shard, outcome)


def _told(outcome: Rejected, state: ShardState) -> dict[str, Any]:
    return {"state": state, "code": outcome.code, "message": outcome.message}


def _is_file_gone(outcome: Rejected) -> bool:
    return "file" in outcome.message.lower() and (
        outcome.status == 404 or "no such" in outcome.message.lower()
    )


def trouble(context: Context, heard: Heard) -> None:
    """A look that did not succeed: again later. Errors: `MigrationError` for a refused key."""
    shard = context.settle(heard, **context.again(heard.call.shard, heard.outcome, 15.0, 300.0))
    _check_key(shard, heard.outcome)


def trouble_with(context: Context, shard: ShardRow, outcome: Outcome) -> None:
    """The same, where the call is settled already."""
    shard = context.ledger.move(shard, **context.again(shard, outcome, 15.0, 300.0))
    _check_key(shard, outcome)


def _check_key(shard: ShardRow, outcome: Outcome) -> None:
    if isinstance(outcome, Rejected) and outcome.kind is Kind.KEY:
        key_refused(shard, outcome)


def key_refused(shard: ShardRow, outcome: Rejected) -> None:
    """Errors: `MigrationError`, exit code 4."""
    raise MigrationError(
        f"{shard.vendor} refused the key ({outcome.status}): {outcome.message}",
        slug="key-refused",
        hint="batches that were made go on; set a key of the same project, then "
        "`llm-audit migrate resume`",
        exit_code=ExitCode.KEY,
    )
