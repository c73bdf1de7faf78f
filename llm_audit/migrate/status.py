"""Ledger -> what a person reads: where each run is, and what wants attention. No network."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from llm_audit.migrate import gates, reconcile, run
from llm_audit.migrate.context import Context
from llm_audit.migrate.layout import count, moment, usd
from llm_audit.migrate.ledger import RunRow, ShardRow, UsageGap
from llm_audit.migrate.model import RequestState, ShardState
from llm_audit.migrate.results import WHOLE
from llm_audit.text import printable


@dataclass(frozen=True)
class ShardLine:
    """A batch. todo: what a person should do, or ""; waits: for what it waits by itself, or ""."""

    shard_id: int
    intent: str
    vendor: str
    model: str
    generation: int
    canary: bool
    requests: int
    state: str
    batch_id: str | None
    provider_status: str | None
    progress: str | None
    cost: Decimal | None
    message: str | None
    todo: str
    waits: str


@dataclass(frozen=True)
class RunStatus:
    """A run. requests: by state; spent: USD, estimates for what is still out."""

    run_id: str
    status: str
    folder: str
    max_cost: Decimal | None
    batch_cost: Decimal
    spent: Decimal
    requests: dict[str, int]
    reasons: dict[str, int]
    quarantined: dict[str, int]
    shards: tuple[ShardLine, ...]
    is_done: bool
    usage_gaps: tuple[UsageGap, ...]
    attention: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """All runs of a ledger."""

    schema_version: int
    runs: tuple[RunStatus, ...]


def build(context: Context) -> Status:
    """What the ledger tells of the runs in the scope."""
    shards = context.ledger.shards()
    rows = [row for row in context.ledger.runs() if run.in_scope(context, row.run_id)]
    return Status(1, tuple(_run(context, row, shards) for row in rows))


def unfinished(context: Context) -> list[RunRow]:
    """Runs of which something may still be sent, running or to be collected; all of the ledger."""
    going = {shard.run_id for shard in context.ledger.shards() if gates.is_going(shard)}
    return [row for row in context.ledger.runs() if row.run_id in going]


def needs_attention(status: Status) -> bool:
    """Whether a person must do something (exit code 6)."""
    return any(run_status.attention for run_status in status.runs)


def _run(context: Context, row: RunRow, everything: Sequence[ShardRow]) -> RunStatus:
    shards = [shard for shard in everything if shard.run_id == row.run_id]
    lines = tuple(_shard(context, shard, everything) for shard in shards)
    states = context.ledger.request_states(row.run_id)
    reasons = context.ledger.request_reasons(row.run_id)
    todo = [f"batch {line.intent}: {line.todo}" for line in lines if line.todo]
    is_done = not any(gates.is_going(shard) for shard in shards)
    return RunStatus(
        run_id=row.run_id,
        status=row.status,
        folder=str(row.folder),
        max_cost=row.max_cost,
        batch_cost=row.batch_cost,
        spent=gates.spent(row.run_id, shards),
        requests={state.value: count for state, count in sorted(states.items())},
        reasons={f"{state}: {printable(why)}": count for state, why, count in reasons},
        quarantined=context.ledger.quarantined(row.run_id),
        shards=lines,
        is_done=is_done,
        usage_gaps=tuple(context.ledger.usage_gaps(row.run_id)),
        attention=(
            *todo,
            *_doubles(context, shards),
            *(_unknown(row, states, reasons) if row.status == "open" else ()),
            *(_unanswered(row, states) if row.status == "open" and is_done else ()),
        ),
    )


def _doubles(context: Context, shards: Sequence[ShardRow]) -> Iterator[str]:
    running = {batch_id for _, batch_id in context.ledger.doubles()}
    for shard in shards:
        for batch_id in shard.doubles:
            if batch_id in running:
                yield (
                    f"batch {batch_id} was made of the same requests as {shard.batch_id}, and is "
                    "paid for too: `llm-audit migrate cancel --doubles` ends it"
                )


GONE = frozenset({"batch_gone", "results_gone"})
"""Reasons of LOST that the vendor itself gave; after all others another look may find them."""


def _unknown(
    row: RunRow, states: dict[RequestState, int], reasons: Sequence[tuple[RequestState, str, int]]
) -> Iterator[str]:
    """What may have been paid for without an answer. As `_unanswered` nothing where the run was
    cancelled, by which a person says that it is all right."""
    if number := states.get(RequestState.MISSING):
        yield (
            f"{number:,} requests have no line in the results, or none that holds an answer: most "
            f"likely they were paid for; {RESEND} buys them again"
        )
    gone = sum(n for state, why, n in reasons if state is RequestState.LOST and why in GONE)
    if gone:
        yield f"the results of {gone:,} requests are gone at the vendor; {RESEND} buys them again"
    if number := states.get(RequestState.LOST, 0) - gone:
        yield (
            f"the results of {number:,} requests were not found, and may be there: {RESUME} first, "
            f"which looks again and is free; what stays lost {RESEND} buys again"
        )
    if number := states.get(RequestState.CONFLICT):
        yield (
            f"{number:,} requests have two different answers: both are in the results folder; "
            f"take one, and {_close(row)}"
        )


def _close(row: RunRow) -> str:
    return f"`llm-audit migrate cancel --run {row.run_id}` if that is all right"


def _unanswered(row: RunRow, states: dict[RequestState, int]) -> Iterator[str]:
    """What a run ends without."""
    close = _close(row)
    if number := states.get(RequestState.INCOMPLETE):
        yield (
            f"{number:,} answers are not whole, and were paid for: the reasons are above, what "
            f"there is of them is in the results folder; {close}"
        )
    if number := states.get(RequestState.REJECTED):
        yield (
            f"{number:,} requests were refused, and not paid for: the reasons are above; leave "
            f"these calls on the synchronous API, and {close}"
        )
    if number := states.get(RequestState.RETRYABLE):
        yield (
            f"{number:,} requests got no answer in two batches, and were not paid for: make these "
            f"calls synchronously or on the flex tier, and {close}"
        )
    if number := states.get(RequestState.RELEASED):
        yield (
            f"{number:,} requests were never sent: when the reason is mended a new "
            f"`llm-audit migrate` takes them; {close}"
        )


def _shard(context: Context, shard: ShardRow, everything: Sequence[ShardRow]) -> ShardLine:
    return ShardLine(
        shard_id=shard.shard_id,
        intent=shard.intent,
        vendor=shard.vendor.value,
        model=printable(shard.model, 60),
        generation=shard.generation,
        canary=shard.canary,
        requests=shard.requests,
        state=shard.state.value,
        batch_id=printable(shard.batch_id, 80) if shard.batch_id else None,
        provider_status=shard.provider_status,
        progress=_progress(shard),
        cost=shard.cost,
        message=printable(shard.message, 300) if shard.message else None,
        todo=_todo(context, shard, everything),
        waits=_waits(context, shard),
    )


def _waits(context: Context, shard: ShardRow) -> str:
    """Trouble that is tried again without anybody: what, how often it was met, until when."""
    goes_on = not shard.parked and 0 < shard.failures < run.MOST_FAILURES
    if not goes_on or run.step_of(context, shard) is None:
        return ""
    again = datetime.fromtimestamp(shard.next_at, UTC)
    why = printable(shard.message or "it did not work", 200)
    return f"{why}: {count(shard.failures, 'time')} in a row, tried again from {moment(again)}"


def _progress(shard: ShardRow) -> str | None:
    """OpenAI counts as it goes; Anthropic tells nothing before the end."""
    counts = json.loads(shard.counts) if shard.counts else {}
    total = counts.get("total")
    if shard.state is not ShardState.SUBMITTED or not total:
        return None
    return f"{counts.get('completed', 0) + counts.get('failed', 0):,} of {total:,}"


RESUME = "`llm-audit migrate resume`"
CANCEL = "`llm-audit migrate cancel`"
RESEND = "`llm-audit migrate resume --resend-lost`"


def _todo(context: Context, shard: ShardRow, everything: Sequence[ShardRow]) -> str:
    """What a person should do about it; "" where nothing, or where waiting is enough."""
    if shard.parked:
        return f"stopped: {shard.parked}; mend that, then {RESUME} goes on with it, or `cancel`"
    if shard.failures >= run.MOST_FAILURES:
        last = shard.message or "no reason is known"
        return f"given up after {shard.failures} tries in a row ({last}); {RESUME} tries again"
    is_open = context.run(shard).status == "open"
    match shard.state:
        case ShardState.BILLING_PAUSED:
            return f"the vendor wants money ({shard.message}); pay, then {RESUME}"
        case ShardState.CREATE_UNKNOWN if reconcile.is_settled(shard, context.now()):
            if shard.resent and not is_open:
                return ""  # a person has taken it for that before
            what = "sends it again" if is_open else "leaves it at that"
            return (
                f"it was most likely never made ({shard.message}); look at the vendor's page, "
                f"then `llm-audit migrate resume --resend-unknown` {what}"
            )
        case ShardState.CREATE_UNKNOWN | ShardState.SUBMITTING if not is_open:
            return f"it may have been made: {RESUME} looks for it, and cancels what it finds"
        case ShardState.SUBMITTED if not is_open and shard.provider_status not in run.ENDING:
            told = f" ({shard.message})" if shard.message else ""
            return f"it runs, and has not heard that it should end{told}: {CANCEL} asks again"
        case ShardState.LOST if is_open:
            return f"{shard.message or 'lost'}; {RESUME} looks once more, which is free"
        case ShardState.INVALID if is_open and not _is_mended(context, shard, everything):
            return (
                f"the vendor refused it ({shard.code}: {shard.message}); nothing was bought of it"
            )
        case ShardState.SUBMITTED if run.is_overdue(shard, context.now()):
            return f"it should have ended a day ago; {RESUME} looks again, or `cancel`"
        case state if state in gates.WAITING:
            why = gates.blocked(context, shard, everything)
            is_final = why is not None and not _will_clear(context, shard, everything)
            return f"not sent: {why}" if is_final else ""
        case _:
            return ""


def _is_mended(context: Context, shard: ShardRow, everything: Sequence[ShardRow]) -> bool:
    """Whether what the vendor refused went into another batch, or is answered by now."""
    if not shard.message or any(other.parent_id == shard.shard_id for other in everything):
        return True
    return all(request.state in WHOLE for request in context.ledger.assigned(shard.shard_id))


def _will_clear(context: Context, shard: ShardRow, everything: Sequence[ShardRow]) -> bool:
    """Whether something of its run is still going on that may let it go."""
    if context.run(shard).status != "open":
        return True  # it is to be abandoned, which needs nobody
    return any(run.can_go_on(context, other, everything) for other in everything)


@dataclass(frozen=True)
class Progress:
    """What a person watches: answers and dollars; when something will happen, or ""; batches."""

    done: str
    ahead: str
    batches: str


def progress(context: Context) -> Progress:
    """Where the runs of the scope are."""
    everything = context.ledger.shards()
    runs = {row.run_id for row in context.ledger.runs() if run.in_scope(context, row.run_id)}
    shards = [shard for shard in everything if shard.run_id in runs]
    requests: Counter[RequestState] = Counter()
    for run_id in runs:
        requests.update(context.ledger.request_states(run_id))
    answered = sum(number for state, number in requests.items() if state in WHOLE)
    cost = sum((gates.spent(run_id, shards) for run_id in runs), Decimal(0))
    states = Counter(shard.state.value for shard in shards)
    done = f"{answered:,} of {sum(requests.values()):,} answered, {usd(cost)} spent or out"
    batches = ["batches: " + ", ".join(f"{number} {state}" for state, number in states.items())]
    batches += [waits for shard in shards if (waits := _waits(context, shard))][:1]
    able = [shard.next_at for shard in shards if run.can_go_on(context, shard, everything)]
    at = min(able, default=0.0)
    ahead = f"next look {datetime.fromtimestamp(at, UTC):%H:%M} UTC" if at > context.now() else ""
    return Progress(done, ahead, "; ".join(batches))


@dataclass(frozen=True)
class Cancellation:
    """What became of the wish to end a run, in batches. over: there was nothing more to end."""

    run_id: str
    never_sent: int
    ending: int
    not_heard: int
    looked_for: int
    over: int


def cancellation(context: Context, run_id: str) -> Cancellation:
    """As the ledger knows it."""
    shards = context.ledger.shards(run_id)
    running = [shard for shard in shards if shard.state is ShardState.SUBMITTED]
    ending = [shard for shard in running if shard.provider_status in run.ENDING]
    unknown = (ShardState.SUBMITTING, ShardState.CREATE_UNKNOWN)
    never = sum(shard.state in gates.UNSENT | {ShardState.ABANDONED} for shard in shards)
    looked_for = sum(shard.state in unknown for shard in shards)
    return Cancellation(
        run_id,
        never,
        len(ending),
        len(running) - len(ending),
        looked_for,
        len(shards) - never - len(running) - looked_for,
    )


# --- text -----------------------------------------------------------------------------------------


def text(status: Status) -> str:
    """For a terminal."""
    if not status.runs:
        return "no migration has been started"
    return "\n\n".join("\n".join(_lines(run_status)) for run_status in status.runs)


def _lines(one: RunStatus) -> Iterator[str]:
    total = sum(one.requests.values())
    answered = sum(one.requests.get(state.value, 0) for state in WHOLE)
    state = "cancelled" if one.status == "cancelled" else "done" if one.is_done else "open"
    yield f"run {one.run_id}: {state}, {answered:,} of {total:,} requests answered"
    limit = "" if one.max_cost is None else f" of at most {usd(one.max_cost)}"
    yield f"  cost: {usd(one.spent)}{limit} (planned {usd(one.batch_cost)})"
    yield "  requests: " + ", ".join(f"{n:,} {name}" for name, n in one.requests.items())
    for why, number in list(one.reasons.items())[:8]:
        yield f"    {number:,} {why}"
    if one.quarantined:
        odd = ", ".join(f"{n:,} {why}" for why, n in one.quarantined.items())
        yield f"  odd lines, kept in the results folder: {odd}"
    for shard in one.shards:
        mark = " canary" if shard.canary else ""
        where = f"{shard.state}, {shard.progress}" if shard.progress else shard.state
        yield (
            f"  {shard.intent} {shard.vendor} {shard.model}, {shard.requests:,} requests{mark}: "
            f"{where} {shard.batch_id or ''}".rstrip()
        )
        if shard.waits:
            yield f"    {shard.waits}"
    yield from (f"  {gap}" for gap in one.usage_gaps)
    for line in one.attention:
        yield f"  ! {line}"
    if not one.is_done:
        yield f"  {RESUME} goes on with it, if no process does"
    yield f"  files: {one.folder}; manifest.json leads from a custom_id to its line of the log"


def cancellation_text(one: Cancellation) -> str:
    """For a terminal."""
    counts = {
        "never sent": one.never_sent,
        "ending early": one.ending,
        "running and not heard to end": one.not_heard,
        "perhaps made, and still looked for": one.looked_for,
        "at their end before": one.over,
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"run {one.run_id}, of its batches: {told or 'none'}"
