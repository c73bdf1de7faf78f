"""The loop: of all shards take the one that is furthest and due, and do its next step.

It keeps nothing in memory that is not in the ledger, so it may be killed at any point and begun
again. `begin` books a plan, `reopen` and `cancel` change what is allowed, `drive` does the work.
"""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from operator import methodcaller
from pathlib import Path
from typing import Any

from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate import collect, gates, poll, reconcile, replan, submit
from llm_audit.migrate.context import LONGEST, Context
from llm_audit.migrate.files import custom_id
from llm_audit.migrate.ledger import Ledger, Rate, RunRow, ShardRow, StaleError, shard_row
from llm_audit.migrate.model import Request, ShardState, Vendor
from llm_audit.migrate.plan import Plan
from llm_audit.migrate.vendor import Rejected, Reply
from llm_audit.text import printable

OUTPUT_MARGIN = Decimal("0.2")
"""Answers may be longer than they were: so much is added to their estimate for --max-cost."""

WINDOW = OVERDUE = 86_400.0
"""Seconds: what a batch may take where its vendor does not say until when it has; and how long
after its end nobody waits for it any more."""

NAP = 300.0
"""Seconds: the longest sleep of the loop, as clocks are set and laptops closed meanwhile."""

MOST_FAILURES = 100
"""Looks or tries in a row that fail (8 hours and more) before a person is asked."""

Step = Callable[[Context, ShardRow], None]

STEPS: Mapping[ShardState, Step] = {
    ShardState.COLLECTED: collect.finish,
    ShardState.COLLECTING: collect.fetch,
    ShardState.ENDED: collect.fetch,
    ShardState.SUBMITTING: submit.interrupted,
    ShardState.CREATE_UNKNOWN: reconcile.look,
    ShardState.SUBMITTED: poll.look,
    ShardState.UPLOADING: submit.find_upload,
    ShardState.UPLOADED: submit.create,
    ShardState.QUEUE_FULL: submit.create,
    ShardState.PLANNED: submit.start,
}
"""What there is to do in each state, the furthest first. In the others there is nothing."""

RANK = {state: rank for rank, state in enumerate(STEPS)}


# --- booking --------------------------------------------------------------------------------------


def begin(
    ledger: Ledger,
    plan: Plan,
    rates: Sequence[tuple[Vendor, str, Rate]],
    choice: Mapping[str, Any],
    max_cost: Decimal | None,
) -> RunRow:
    """Book a plan, all or nothing. Errors: `MigrationError` where a call is in a run already."""
    run = RunRow(
        plan.run_id,
        plan.created_at.timestamp(),
        plan.folder,
        plan.sync_cost,
        plan.batch_cost,
        max_cost,
        "open",
    )
    by_model: dict[tuple[Vendor, str], list[Rate]] = {}
    for vendor, model, rate in rates:
        by_model.setdefault((vendor, model), []).append(rate)
    with ledger.transaction():
        ledger.add_run(run, choice, rates)
        for number, planned in enumerate(plan.shards, start=ledger.next_shard_id()):
            shard = planned.shard
            known = by_model.get((shard.vendor, shard.model), [])
            dearest = sum((ceiling(r, known) for r in planned.requests), Decimal(0))
            ledger.add_requests(run.run_id, planned.requests)
            ledger.add_shard(
                shard_row(run.run_id, number, shard, dearest),
                [
                    (custom_id(shard.intent, r.request_key, shard.generation), r.request_key)
                    for r in planned.requests
                ],
            )
    return run


def ceiling(request: Request, rates: Iterable[Rate]) -> Decimal:
    """What a request may cost in a batch: no cache hits, all of it written to the cache where it
    asks for that, the answer a fifth longer. USD."""
    for rate in rates:
        if rate.from_tokens <= request.input_tokens < rate.below_tokens:
            dearest = (
                max(rate.input, rate.write_5m, rate.write_1h) if request.caches else rate.input
            )
            written = (dearest - rate.input) * request.input_tokens
            longer = OUTPUT_MARGIN * request.output_tokens * rate.output
            return request.batch_cost + written + longer
    dearest = Decimal(2) if request.caches else Decimal(1)  # of an hour's writes, unpriced
    return request.batch_cost * (dearest + OUTPUT_MARGIN)


# --- doing ----------------------------------------------------------------------------------------


def drive(context: Context, watch: Callable[[], None] = lambda: None) -> None:
    """Go on until nothing can be done without a person. watch: called before each wait and step.

    A batch whose step fails of itself is parked, and the others go on; so do those of the other
    vendor where one refuses the key, and a key that may not send may still look.
    Errors: `MigrationError`, at the end, for a refused key; `KeyboardInterrupt` where
    `context.stop` asks for it; `sqlite3.Error` of the ledger.
    """
    refused: dict[tuple[Vendor, bool], MigrationError] = {}
    while True:
        if context.stop:
            raise KeyboardInterrupt
        watch()
        shard = _next(context, _shards(context), refused)
        if shard is None:
            break
        wait = shard.next_at - context.now()
        if wait > 0:
            context.clock.sleep(min(wait, NAP))
        elif refusal := _do(context, shard):
            refused[_needs(shard)] = refusal
    if refused:
        raise next(iter(refused.values()))


def _needs(shard: ShardRow) -> tuple[Vendor, bool]:
    """Whose key its next step needs, and whether that must be one that may send."""
    return shard.vendor, shard.state in gates.UNSENT


def _do(context: Context, shard: ShardRow) -> MigrationError | None:
    """Its next step. Returns the error where the vendor refuses the key, or there is none."""
    step = step_of(context, shard)
    assert step is not None
    try:
        step(context, shard)
    except (sqlite3.Error, StaleError):
        raise
    except MigrationError as error:
        if error.exit_code is ExitCode.KEY:
            return error
        _park(context, shard, error.message)
    except Exception as error:  # whatever is wrong with one batch must not stop the others
        _park(context, shard, _words(error))
    return None


def _park(context: Context, shard: ShardRow, why: str) -> None:
    """Nothing more is done with it until somebody resumes."""
    now = context.ledger.shard(shard.shard_id)  # it may have come some way before it failed
    context.ledger.move(now, parked=printable(why, 300))
    context.say(f"batch {shard.intent} has stopped, the others go on: {printable(why, 300)}")


def _words(error: Exception) -> str:
    """What may be told of an error: not its text, which may be of a log or an answer."""
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}: {error.filename or 'no file named'}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} at {Path(place.filename).name}:{place.lineno}"


def step_of(context: Context, shard: ShardRow) -> Step | None:
    """What there is to do for it now; None: nothing."""
    if context.run(shard).status != "open":
        if shard.state in gates.UNSENT:
            return _abandon
        if shard.state is ShardState.SUBMITTED:
            return _end_early
    if shard.state is ShardState.COLLECTED and shard.resent and shard.batch_id:
        return reconcile.look_back
    if submit.has_leftovers(shard):
        return submit.sweep
    return STEPS.get(shard.state)


def _next(
    context: Context, shards: Sequence[ShardRow], refused: Container[tuple[Vendor, bool]]
) -> ShardRow | None:
    """The furthest shard that is due; else the one that is due first; None where there is none."""
    now = context.now()
    able = [s for s in shards if _needs(s) not in refused and can_go_on(context, s, shards)]
    due = [shard for shard in able if shard.next_at <= now]
    if due:
        return min(due, key=lambda s: (RANK.get(s.state, 0), not s.canary, s.shard_id))
    return min(able, key=lambda s: s.next_at, default=None)


def can_go_on(context: Context, shard: ShardRow, shards: Sequence[ShardRow]) -> bool:
    """Whether there is a step for it that needs no person."""
    if context.scope is not None and shard.run_id not in context.scope:
        return False
    if step_of(context, shard) is None or shard.parked or shard.failures >= MOST_FAILURES:
        return False
    if shard.state in gates.WAITING and context.run(shard).status == "open":
        return gates.blocked(context, shard, shards) is None
    if shard.state is ShardState.CREATE_UNKNOWN:
        settled = reconcile.is_settled(shard, context.now())
        return not settled or reconcile.may_resend(context, shard)
    if shard.state is ShardState.SUBMITTED:
        return not is_overdue(shard, context.now())
    return True


def is_overdue(shard: ShardRow, now: float) -> bool:
    """Whether the vendor should have ended it a day ago, by its own word or by the window."""
    made = shard.created_at_remote or shard.submit_ended_at or shard.submit_started_at or now
    return now > (shard.expires_at_remote or made + WINDOW) + OVERDUE


def _shards(context: Context) -> list[ShardRow]:
    """All of them. One that waits for longer than any step asks for waits no more: the clock that
    said until when was fast."""
    far = context.now() + LONGEST
    return [
        _set_right(context, shard) if shard.next_at > far else shard
        for shard in context.ledger.shards()
    ]


def _set_right(context: Context, shard: ShardRow, **changes: Any) -> ShardRow:
    """No time of ours is in the future, but the next step, which is soon."""
    now = context.now()
    changes["next_at"] = min(shard.next_at, now + NAP)
    for name in ("missing_since", "first_look_at"):
        at = getattr(shard, name)
        changes[name] = None if at is None else min(at, now)
    is_right = replace(shard, **changes) == shard
    return shard if is_right else context.ledger.move(shard, **changes)


# --- what a person wants --------------------------------------------------------------------------


def reopen(context: Context, max_cost: Decimal | None = None) -> None:
    """`resume`: what stopped for a person's sake may be tried again, in the runs of the scope.

    Billing pauses are lifted, parked batches go on; lost ones are looked for once more, which is
    free. max_cost: of each of them that may still spend, from now on.
    """
    ledger = context.ledger
    with ledger.transaction():
        ledger.unpause()
        if max_cost is not None:
            for run in spending(context):
                ledger.set_max_cost(run.run_id, max_cost)
        for shard in ledger.shards():
            if in_scope(context, shard.run_id):
                _reopen(context, _unstuck(context, shard))
        if context.policy.resend_unknown:
            reconcile.consent(context)


def spending(context: Context) -> list[RunRow]:
    """The runs of the scope that may still spend, now or by what the policy gives leave for."""
    shards = context.ledger.shards()
    going = {shard.run_id for shard in shards if gates.is_going(shard)}
    return [
        run
        for run in context.ledger.runs()
        if in_scope(context, run.run_id)
        and run.status == "open"
        and (run.run_id in going or context.policy.resend_lost)
    ]


def in_scope(context: Context, run_id: str) -> bool:
    """Whether this run is one of those that are driven."""
    return context.scope is None or run_id in context.scope


def _unstuck(context: Context, shard: ShardRow) -> ShardRow:
    """What has been tried often enough may be tried as often again."""
    if not gates.is_going(shard):
        return shard
    failures = 0 if shard.failures >= MOST_FAILURES else shard.failures
    return _set_right(context, shard, parked=None, refusals=0, failures=failures)


def _reopen(context: Context, shard: ShardRow) -> None:
    ledger, now = context.ledger, context.now()
    if shard.state is ShardState.BILLING_PAUSED:
        state = ShardState.UPLOADED if shard.file_id else ShardState.PLANNED
        ledger.move(shard, state=state, next_at=now, failures=0, wait=0.0)
    elif collect.reopen(context, shard):
        return
    elif shard.state is ShardState.CREATE_UNKNOWN:  # one look more, by which it may have turned up
        looks = min(shard.looks, reconcile.LOOKS - 1)
        ledger.move(shard, looks=looks, next_at=min(shard.next_at, now))
    elif is_overdue(shard, now) and shard.state is ShardState.SUBMITTED:
        ledger.move(shard, expires_at_remote=now, next_at=now)


def cancel(context: Context, run_ids: Iterable[str]) -> None:
    """Nothing more of these runs is sent, and what runs is asked to end early.

    That is the wish; it is the run's from now on, whoever drives it next. A batch that could not
    be asked, or is found only later, is asked then (`_end_early`). What is done by then is paid
    for, and collected by `drive`. Errors: as `drive`.
    """
    ledger, wanted = context.ledger, set(run_ids)
    with ledger.transaction():
        for run_id in wanted:
            ledger.set_run_status(run_id, "cancelled")
        shards = [_unstuck(context, s) for s in ledger.shards() if s.run_id in wanted]
    refusals = [
        _do(context, shard) for shard in shards if step_of(context, shard) in (_abandon, _end_early)
    ]
    for refusal in refusals:
        if refusal is not None:
            raise refusal


def _abandon(context: Context, shard: ShardRow) -> None:
    """Never sent: its calls may be planned again. Its uploads go, if they can be reached."""
    if shard.resent:
        replan.in_doubt(context, shard, "cancelled")
        return
    stray = shard.stray or shard.state is ShardState.UPLOADING
    with context.ledger.transaction():
        context.ledger.void(shard.shard_id)
        context.ledger.release(shard.shard_id, "cancelled")
        shard = context.ledger.move(shard, state=ShardState.ABANDONED, stray=stray)
    if shard.stray:
        submit.sweep(context, shard)
    elif shard.file_id:
        call = context.intend(shard, "delete_upload")
        context.settle(context.hear(call, methodcaller("delete_upload", shard.file_id)))


ENDING = frozenset(
    {"cancelling", "canceling", "cancelled", "completed", "ended", "expired", "failed"}
)
"""Both vendors' words for a batch that has ended, or has heard that it should."""


def _end_early(context: Context, shard: ShardRow) -> None:
    """SUBMITTED, of a cancelled run: each look at it asks it to end, until it says that it does."""
    poll.look(context, shard)
    shard = context.ledger.shard(shard.shard_id)
    if shard.state is ShardState.SUBMITTED and shard.provider_status not in ENDING:
        _ask_to_end(context, shard, shard.batch_id or "")


def _ask_to_end(context: Context, shard: ShardRow, batch_id: str) -> None:
    call = context.intend(shard, "cancel")
    heard = context.hear(call, lambda driver: driver.cancel(batch_id))
    if isinstance(heard.outcome, Rejected):
        context.settle(heard, message=f"not cancelled: {heard.outcome.message}")
        return
    if isinstance(heard.outcome, Reply):
        with suppress(ValueError):
            batch = context.driver(shard).read_batch(heard.outcome.body)
            status = printable(batch.status, 40) if batch.ended else "cancelling"
            context.settle(heard, message=None, provider_status=status, wait=0.0)
            return
    context.settle(heard, message="it is not known whether the cancellation was heard")
