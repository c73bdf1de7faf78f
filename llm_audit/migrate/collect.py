"""Steps that bring results home: download both files, read every line, settle every request.

The vendor's counts are not believed, the custom_ids are: each request of the shard gets exactly
one end. All downloads of a shard are read together, so that a second one can only add: an answer
that is at home stays. Where a line is missing the files are downloaded again, which is free: in
half a minute, after a quarter of an hour, and whenever somebody resumes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b, file_digest
from operator import methodcaller
from pathlib import Path

from llm_audit.migrate import replan, results
from llm_audit.migrate.context import Context, Heard, results_folder
from llm_audit.migrate.ledger import Assigned, Download, ShardRow
from llm_audit.migrate.model import RequestState, Row, ShardState
from llm_audit.migrate.poll import GRACE, NOTHING_RAN
from llm_audit.migrate.results import ANSWERED
from llm_audit.migrate.submit import trouble
from llm_audit.migrate.vendor import Kind, Rejected, Reply

SECOND_LOOK = 30.0
"""Seconds after which files that lack a line are downloaded again; the third time after GRACE."""

NOT_GONE = ""
"""Source of a download that did not succeed, which says nothing of whether the vendor has it."""

MOST_FAILURES = 12
"""Downloads that fail, in a row (within three quarters of an hour), before one is given up."""

OPEN = frozenset(
    {
        RequestState.ASSIGNED,
        RequestState.IN_FLIGHT,
        RequestState.MISSING,
        RequestState.LOST,
    }
)
"""States of a request that has no end yet, or none that a line would not mend."""


def fetch(context: Context, shard: ShardRow) -> None:
    """ENDED or COLLECTING: the next file that is not here yet; when all are, their contents."""
    here = {d.kind for d in _of_look(context, shard) if d.sha256 is None or Path(d.path).is_file()}
    for kind, source in _sources(shard):
        if kind not in here:
            _download(context, shard, kind, source)
            return
    with suppress(FileNotFoundError):  # deleted just now: it is downloaded again
        settle(context, shard)


def _of_look(context: Context, shard: ShardRow) -> list[Download]:
    return [d for d in context.ledger.downloads(shard.shard_id) if d.look == shard.looks]


def _sources(shard: ShardRow) -> list[tuple[str, str]]:
    """Both of OpenAI's files, whatever the status and the counts say."""
    named = (("output", shard.output_file_id), ("error", shard.error_file_id))
    return [(kind, source) for kind, source in named if source]


def _download(context: Context, shard: ShardRow, kind: str, source: str) -> None:
    """To a .part, checked and durable, then under its name: whole, or not at all."""
    folder = results_folder(context.run(shard))
    name = f"{shard.intent}-a{shard.attempt}-{kind}-{shard.looks}.jsonl"
    part = folder / f"{name}.part"
    call = context.intend(shard, f"download_{kind}", state=ShardState.COLLECTING)
    heard = context.hear(call, lambda driver: driver.download(source, part))
    outcome = heard.outcome
    if isinstance(outcome, Reply) and _is_whole(part, shard):
        path = part.replace(folder / name)
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        done = Download(kind, source, str(path), path.stat().st_size, digest, shard.looks)
        with context.ledger.transaction():
            context.ledger.add_download(shard.shard_id, done)
            context.settle(heard, failures=0, wait=0.0, missing_since=None)
        return
    with suppress(OSError):
        part.unlink()
    if isinstance(outcome, Rejected) and outcome.kind is Kind.NOT_FOUND:
        _not_there(context, heard, kind, source)
    elif isinstance(outcome, Rejected) and outcome.code == "foreign_host":
        _give_up(context, heard, kind, NOT_GONE, outcome.message)
    elif call.shard.failures >= MOST_FAILURES:
        _give_up(context, heard, kind, NOT_GONE, "its results could not be downloaded")
    else:
        trouble(context, heard)


def _is_whole(part: Path, shard: ShardRow) -> bool:
    """Whether it is the vendor's file, to its end: it has a line of ours, and no half line.

    What a proxy or a portal says in its place has none. An empty file may be the vendor's where it
    is one of two, of which the other has the lines.
    """
    with part.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return len(_sources(shard)) > 1
        file.seek(-1, os.SEEK_END)
        if file.read(1) not in b"\n}":
            return False
    prefix = f"la-{shard.intent}-"
    for _, line in _lines(str(part)):
        with suppress(ValueError):
            if results.read(shard.vendor, line).custom_id.startswith(prefix):
                return True
    return False


def _not_there(context: Context, heard: Heard, kind: str, source: str) -> None:
    """404: slow at first, then gone for good, as it is where it was so in an earlier look."""
    shard = heard.call.shard
    since = shard.missing_since or context.now()
    known = context.ledger.downloads(shard.shard_id)
    was_gone = any(d.source == source and d.sha256 is None for d in known)
    if context.now() - since <= GRACE and not was_gone:
        again = context.again(shard, heard.outcome, 15.0, 120.0)
        context.settle(heard, missing_since=since, **again)
        return
    _give_up(context, heard, kind, source, "the vendor no longer has its results")


def _give_up(context: Context, heard: Heard, kind: str, source: str, why: str) -> None:
    """It is not to be had, this time. What the other file says still counts."""
    shard = heard.call.shard
    with context.ledger.transaction():
        context.ledger.add_download(
            shard.shard_id, Download(kind, source, "", 0, None, shard.looks)
        )
        context.settle(heard, failures=0, wait=0.0, missing_since=None, message=why)


# --- reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A line: its file, the bytes before it, and its digest. The line itself stays there."""

    path: str
    offset: int
    digest: bytes


@dataclass
class Read:
    """What all files of a shard hold. rows: what counts of each request, and where it lies.

    odd: by digest, lines that belong to no request: path, offset, why, custom_id.
    """

    rows: dict[str, tuple[Row, Place]] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)
    odd: dict[bytes, tuple[str, int, str, str | None]] = field(default_factory=dict)

    def take(self, row: Row, place: Place, ours: frozenset[str]) -> None:
        """Keep a row, or say why not (F14). The line that knows more counts; where two know as
        much and differ, nobody can tell."""
        name = row.custom_id
        if name not in ours:
            self.refuse(place, "stranger", name)
            return
        known, where = self.rows.setdefault(name, (row, place))
        if place.digest == where.digest:
            return
        if _knows(row) > _knows(known):
            self.rows[name] = (row, place)
            self.conflicts.discard(name)
            place = where
        elif _knows(row) == _knows(known):
            self.conflicts.add(name)
        self.refuse(place, "conflict", name)

    def refuse(self, place: Place, why: str, custom_id: str | None = None) -> None:
        """Quarantine a line."""
        self.odd.setdefault(place.digest, (place.path, place.offset, why, custom_id))


def _knows(row: Row) -> int:
    """An answer is more than an end without one, and that more than a line that says nothing."""
    return 2 if row.kind in ANSWERED else 0 if row.kind is RequestState.MISSING else 1


def read(shard: ShardRow, downloads: Sequence[Download], ours: frozenset[str]) -> Read:
    """Every line of every file that is here; the same file is read once.

    Errors: `FileNotFoundError` for one that is deleted meanwhile.
    """
    found = Read()
    files = {d.sha256: d.path for d in reversed(downloads) if d.sha256 and Path(d.path).is_file()}
    for path in reversed(files.values()):
        for place, line in _lines(path):
            try:
                row = results.read(shard.vendor, line)
            except ValueError:
                found.refuse(place, "not_json")
            else:
                found.take(row, place, ours)
    return found


def _lines(path: str) -> Iterator[tuple[Place, bytes]]:
    offset = 0
    with Path(path).open("rb") as file:
        for line in file:
            if text := line.strip():
                yield Place(path, offset, blake2b(text, digest_size=16).digest()), text
            offset += len(line)


# --- settling -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class End:
    """What became of a request. place: where its line lies; None of a batch without files."""

    request: Assigned
    state: RequestState
    reason: str | None
    row: Row | None
    place: Place | None

    @property
    def billing(self) -> bool:
        """Whether it failed for want of money, and no fault of its own."""
        return self.row is not None and self.row.error == results.BILLING


def settle(context: Context, shard: ShardRow) -> None:
    """COLLECTING, all files are here: every request of the shard gets its end, in one commit."""
    ledger = context.ledger
    downloads = ledger.downloads(shard.shard_id)
    requests = ledger.assigned(shard.shard_id)
    found = read(shard, downloads, frozenset(request.custom_id for request in requests))
    now = [download for download in downloads if download.look == shard.looks]
    ends = [_end(shard, request, found, now) for request in requests]
    is_short = any(end.state is RequestState.MISSING and _is_open(shard, end) for end in ends)
    if is_short and _look_again(context, shard):
        return
    rates = ledger.rates(shard.run_id, shard.vendor, shard.model)
    is_gone = not now or any(download.sha256 is None for download in now)
    with ledger.transaction():
        ledger.add_quarantine(shard.shard_id, found.odd.values())
        ledger.add_results(
            shard,
            (
                (end.request, end.row, results.cost(end.row, rates), *_where(end.place))
                for end in ends
                if end.row is not None
            ),
        )
        for end in ends:
            _commit(context, shard, end)
        ledger.move(
            shard,
            state=ShardState.COLLECTED,
            cost=_cost(context, shard, requests),
            code=None,
            message=shard.message if is_gone else _words(end.state for end in ends),
            next_at=context.now(),
            wait=0.0,
            failures=0,
        )


def _is_open(shard: ShardRow, end: End) -> bool:
    return end.request.latest == shard.generation and end.request.state in OPEN


def _look_again(context: Context, shard: ShardRow) -> bool:
    """Another download, to be read with those that are here; False when it was looked long enough.

    One look more is what a `resume` asks for: `first_look_at` is that of the first time.
    """
    began, now = shard.first_look_at or context.now(), context.now()
    if now - began >= GRACE:
        return False
    at = now + SECOND_LOOK if now == began else began + GRACE + 1.0
    again = {"looks": shard.looks + 1, "first_look_at": began, "next_at": at}
    context.ledger.move(shard, state=ShardState.COLLECTING, **again)
    return True


def _end(shard: ShardRow, request: Assigned, found: Read, now: Sequence[Download]) -> End:
    if request.custom_id not in found.rows:
        return _absent(shard, request, now)
    row, place = found.rows[request.custom_id]
    if request.custom_id in found.conflicts:
        return End(request, RequestState.CONFLICT, "two_answers", row, place)
    reason = row.flag if row.kind is RequestState.SUCCEEDED else row.error or row.finish_reason
    return End(request, row.kind, reason, row, place)


def _absent(shard: ShardRow, request: Assigned, now: Sequence[Download]) -> End:
    """What a request is of which no line came. now: the downloads of this look.

    It may have been answered, and paid for: it is not bought again by itself, unless the vendor
    said that it ended the batch before it began.
    """
    if not now and shard.code == NOTHING_RAN:
        row = results.never_ran(request.custom_id, shard.provider_status or "ended")
        return End(request, row.kind, row.error, row, None)
    if not now:
        return End(request, RequestState.LOST, "no_results", None, None)
    if absent := [download.source for download in now if download.sha256 is None]:
        why = "results_gone" if any(source != NOT_GONE for source in absent) else "not_downloaded"
        return End(request, RequestState.LOST, why, None, None)
    return End(request, RequestState.MISSING, "no_line", None, None)


def _commit(context: Context, shard: ShardRow, end: End) -> None:
    """A request whose end is known keeps it, unless an answer turns up."""
    late = end.state in ANSWERED and end.request.latest == shard.generation
    if not _is_open(shard, end) and not late:
        return
    tries = int(end.state is RequestState.RETRYABLE and not end.billing)
    context.ledger.set_request(shard.run_id, end.request.request_key, end.state, end.reason, tries)
    if end.billing and end.row is not None:
        context.ledger.pause(shard.vendor, end.row.message or "credit", context.now())


def _cost(context: Context, shard: ShardRow, requests: Sequence[Assigned]) -> Decimal:
    """What counts against the limit: what it cost, at its dearest where that is not known."""
    known = context.ledger.row_costs(shard.shard_id)
    total = Decimal(0)
    for request in requests:
        cost = known.get(request.request_key)
        total += replan.ceiling_of(shard, request.batch_cost, 1) if cost is None else cost
    return total


def _where(place: Place | None) -> tuple[str | None, int | None]:
    return (place.path, place.offset) if place else (None, None)


def _words(states: Iterator[RequestState]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(Counter(states).items()))


# --- afterwards -----------------------------------------------------------------------------------


def finish(context: Context, shard: ShardRow) -> None:
    """COLLECTED: what may be tried again goes into the next generation, then the upload goes.

    Where a line is wanting the shard ends as LOST, and is looked at again by the next `resume`.
    """
    again = replan.retryable(context, shard)
    if again and context.run(shard).status == "open":
        replan.next_generation(context, shard, again)
    elif replan.unseen(context, shard):
        context.ledger.move(shard, state=ShardState.LOST)
    else:
        clean(context, shard)


def reopen(context: Context, shard: ShardRow) -> bool:
    """`resume`: what no line has come of is looked for once more, which is free. What is not found
    then may be bought again, once, where that is wanted. Returns whether there is such a thing."""
    over = (ShardState.LOST, ShardState.COLLECTED, ShardState.CLEANED)
    unseen = replan.unseen(context, shard) if shard.state in over else []
    if not unseen:
        return False
    if context.policy.resend_lost:
        context.resend.update(request.request_key for request in unseen)
    context.ledger.move(
        shard,
        state=ShardState.SUBMITTED if shard.batch_id else ShardState.CREATE_UNKNOWN,
        looks=shard.looks + 1,
        expires_at_remote=context.now(),
        next_at=context.now(),
        failures=0,
        wait=0.0,
    )
    return True


def clean(context: Context, shard: ShardRow) -> None:
    """Delete our prompts at the vendor, which would expire anyway; then nothing is left to do."""
    if not shard.file_id:
        context.ledger.move(shard, state=ShardState.CLEANED)
        return
    file_id = shard.file_id
    call = context.intend(shard, "delete_upload")
    heard = context.hear(call, methodcaller("delete_upload", file_id))
    outcome = heard.outcome
    done = isinstance(outcome, Reply) or (
        isinstance(outcome, Rejected) and outcome.kind is Kind.NOT_FOUND
    )
    if done or shard.failures >= 3:
        # Not worth more: the file was sent with an expiry of a week.
        context.settle(heard, state=ShardState.CLEANED, failures=0)
    else:
        trouble(context, heard)
