"""Eligible calls -> request files ready to send. No key, no network.

Bodies go from the logs into a spool on disk, as 100,000 of them are more than memory should hold;
from there into the request files, when it is settled which request goes into which.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING

from llm_audit.errors import MigrationError
from llm_audit.migrate import bodies, candidates, files, manual, replay, shards
from llm_audit.migrate.bodies import LogFile, SourceError
from llm_audit.migrate.candidates import Candidate, Choice
from llm_audit.migrate.model import LeftOut, Planned, Request, Shard, Vendor

if TYPE_CHECKING:
    import duckdb


_CACHES = re.compile(rb"cache_control|\\u00(?:[67]|5[fF])")
"""In a body that may ask for prompt caching, whose writes are billed: the word, or letters that
are escaped without need, in which it could hide. OpenAI's models write unasked."""


@dataclass(frozen=True)
class Settings:
    """How large shards may be. queue_tokens: the budget of queued input tokens of one model."""

    max_rows: int = 5_000
    queue_tokens: int | None = None


@dataclass(frozen=True)
class Plan:
    """What would be sent: shards in the order of submission, their files under `folder`.

    window_hours: how long a batch may take. Money is USD.
    """

    run_id: str
    created_at: datetime
    folder: Path
    shards: tuple[Planned, ...]
    window_hours: int

    @property
    def requests(self) -> int:
        """How many requests all shards hold."""
        return sum(planned.shard.requests for planned in self.shards)

    @property
    def sync_cost(self) -> Decimal:
        """What the requests cost when they were logged."""
        return sum((planned.shard.sync_cost for planned in self.shards), Decimal(0))

    @property
    def batch_cost(self) -> Decimal:
        """What they would have cost in a batch without cache hits."""
        return sum((planned.shard.batch_cost for planned in self.shards), Decimal(0))


@dataclass(frozen=True)
class Terms:
    """What a vendor allows in one batch (pricing/batch_terms.csv)."""

    max_requests: int
    max_bytes: int
    window_hours: int


def make(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    run_id: str,
    now: datetime,
    choice: Choice | None = None,
    settings: Settings | None = None,
    bought: Collection[str] = frozenset(),
) -> Plan:
    """Plan a run: choose, read, pack, write and check. The tables must be labelled and priced.

    `folder` is made, private to its owner, with all of its files or not at all; it must be empty if
    it is there. `bought`: request keys of earlier runs, which are not bought again. Reasons for the
    calls that are left out are in `migration_calls` then. Errors: `UsageError` for an unknown
    workload; `MigrationError` where files cannot be written or would be refused.
    """
    candidates.judge(connection, choice or Choice(), bought)
    terms = _terms(connection)
    with _drafted(folder) as draft:
        # A scratch file without a name: it is gone when it is closed, whatever happens.
        with tempfile.TemporaryFile(dir=draft, buffering=1 << 20) as file:
            spool = Spool(file, bought)
            for log, calls in candidates.by_file(connection):
                _read(log, calls, spool)
            packed = _pack(spool, terms, settings or Settings())
            candidates.leave_out(connection, spool.left)
            planned = tuple(_written(packed, spool, draft, run_id, terms))
        manual.write(draft, run_id, now, planned)
    placed = tuple(
        replace(p, shard=replace(p.shard, path=str(folder / Path(p.shard.path).name)))
        for p in planned
    )
    hours = max((terms[p.shard.vendor].window_hours for p in placed), default=24)
    return Plan(run_id, now, folder, placed, hours)


@contextmanager
def _drafted(folder: Path) -> Iterator[Path]:
    """A private folder beside `folder`, which takes its place at the end of the `with` block."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.exists() and any(folder.iterdir()):
            raise MigrationError(
                f"{folder} is not empty",
                slug="plan-folder",
                hint="name a new folder with --out: files of two plans must not be mixed up",
            )
        draft = Path(tempfile.mkdtemp(prefix=".plan-", dir=folder.parent))
        try:
            yield draft
            draft.replace(folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        raise MigrationError(
            f"cannot write {folder}: {error.strerror}",
            slug="plan-unwritable",
            hint="choose a folder that you may write, with --out",
        ) from None


def _terms(connection: duckdb.DuckDBPyConnection) -> dict[Vendor, Terms]:
    found = connection.execute(
        "SELECT provider, max_requests, max_bytes, window_hours FROM batch_terms "
        "WHERE surface = 'first_party'"
    ).fetchall()
    return {
        Vendor(provider): Terms(int(requests), int(size), int(hours))
        for provider, requests, size, hours in found
        if provider in set(Vendor)
    }


# --- reading --------------------------------------------------------------------------------------


def request_key(call_id: str) -> str:
    """What makes two requests the same purchase: the call, wherever its log lies now (F26)."""
    return hashlib.sha256(f"{candidates.KEY_PREFIX}{call_id}".encode()).hexdigest()


def record_key(record: bytes) -> str:
    """The same for a call without an id: what its log says of it. The id that ingest makes for it
    is of the file's name too, and a log that is rotated or moved would be bought again."""
    return hashlib.sha256(b"la2:" + record).hexdigest()


@dataclass
class Spool:
    """Bodies on disk, one behind the other; what is known of each, and what was left out.

    bought: request keys of earlier runs. keys: those of the requests in here.
    """

    file: IO[bytes]
    bought: Collection[str] = frozenset()
    requests: list[Request] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    starts: list[int] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)
    end: int = 0

    def add(self, request: Request, text: bytes) -> None:
        """Keep a body."""
        self.file.write(text)
        self.requests.append(request)
        self.keys.add(request.request_key)
        self.starts.append(self.end)
        self.end += len(text)

    def forget(self, kept: int, left: int) -> None:
        """Take back all but the first requests and reasons."""
        if kept < len(self.starts):
            self.end = self.starts[kept]
            self.file.seek(self.end)
            self.keys -= {request.request_key for request in self.requests[kept:]}
        del self.requests[kept:], self.starts[kept:], self.left[left:]

    def text(self, place: int) -> bytes:
        """The body of the n-th request."""
        self.file.seek(self.starts[place])
        return self.file.read(self.requests[place].body_bytes)

    def refuse(self, call: Candidate, refusal: replay.Refusal) -> None:
        """Leave a call out."""
        self.left.append(LeftOut(call.call_id, call.workload_id, refusal.reason, refusal.detail))


def _read(log: LogFile, calls: Sequence[Candidate], spool: Spool) -> None:
    """Take the bodies of one log in, or leave all of its calls out."""
    waiting: dict[int, list[Candidate]] = {}
    for call in calls:
        waiting.setdefault(call.source_line, []).append(call)
    kept, left = len(spool.requests), len(spool.left)
    found: set[int] = set()
    try:
        for number, record in bodies.records(log, sorted(waiting)):
            # Several calls of one line are of several contents of one path.
            for call in waiting[number]:
                _take(log, call, record, spool)
            found.add(number)
    except SourceError as error:
        spool.forget(kept, left)
        for call in calls:
            spool.refuse(call, replay.Refusal(error.reason))
        return
    for call in (call for line in sorted(waiting.keys() - found) for call in waiting[line]):
        spool.refuse(call, replay.Refusal("not_found"))


def _take(log: LogFile, call: Candidate, record: bytes, spool: Spool) -> None:
    is_named = _names(record, call.call_id)
    if log.versions > 1 and not is_named:
        # The call is one of an older content of this path, or has no id by which to tell.
        spool.refuse(call, replay.Refusal("source_changed"))
        return
    body = replay.body(record, call.source_format, call.endpoint)
    if isinstance(body, replay.Refusal):
        spool.refuse(call, body)
        return
    key = request_key(call.call_id) if is_named else record_key(record)
    if key in spool.bought or key in spool.keys:
        spool.refuse(call, replay.Refusal("bought" if key in spool.bought else "same_line"))
        return
    vendor = replay.rules().endpoints[call.endpoint].vendor
    if len(body.text) > replay.rules().vendors[vendor].max_request_bytes:
        spool.refuse(call, replay.Refusal("too_large"))
        return
    spool.add(
        Request(
            request_key=key,
            call_id=call.call_id,
            workload_id=call.workload_id,
            vendor=Vendor(vendor),
            endpoint=call.endpoint,
            model=body.model,
            betas=body.betas,
            body_sha256=body.sha256,
            body_bytes=len(body.text),
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            finish_reason=call.finish_reason,
            sync_cost=call.sync_cost,
            batch_cost=call.batch_cost,
            units=body.units,
            source_file=log.path,
            source_line=call.source_line,
            caches=vendor == Vendor.OPENAI or bool(_CACHES.search(body.text)),
        ),
        body.text,
    )


def _names(record: bytes, call_id: str) -> bool:
    """Whether the id stands in the record, also in the event stream that is a text of it."""
    quoted = json.dumps(call_id, ensure_ascii=False).encode()
    return quoted in record or json.dumps(quoted.decode())[1:-1].encode() in record


# --- packing and writing --------------------------------------------------------------------------


def _pack(
    spool: Spool, terms: dict[Vendor, Terms], settings: Settings
) -> list[tuple[bool, list[int]]]:
    """Shards as places in the spool, each with its being a canary; leaves out what fits none."""
    groups: dict[tuple[str, str, str, tuple[str, ...]], list[int]] = {}
    for place, request in enumerate(spool.requests):
        key = (request.vendor.value, request.endpoint, request.model, request.betas)
        groups.setdefault(key, []).append(place)
    sizes = {vendor: shards.Sizes(unique=vendor is Vendor.ANTHROPIC) for vendor in Vendor}
    packed: list[tuple[bool, list[int]]] = []
    for key in sorted(groups):
        vendor = Vendor(key[0])
        limits = _limits(vendor, terms[vendor], settings)
        places, items = _admitted(spool, groups[key], limits)
        for number, shard in enumerate(shards.pack(items, limits, sizes[vendor])):
            packed.append((number == 0, [places[place] for place in shard]))
    # All canaries go first: nothing large is sent before each group has shown that it works.
    return sorted(packed, key=lambda shard: not shard[0])


def _limits(vendor: Vendor, terms: Terms, settings: Settings) -> shards.Limits:
    return shards.limits(
        terms.max_requests,
        terms.max_bytes,
        max_units=replay.rules().vendors[vendor].max_units,
        max_rows=settings.max_rows,
        queue_tokens=settings.queue_tokens,
        frame=files.FRAME[vendor],
    )


def _admitted(
    spool: Spool, places: Sequence[int], limits: shards.Limits
) -> tuple[list[int], list[shards.Item]]:
    kept, items = [], []
    for place in places:
        request = spool.requests[place]
        size = files.line_bytes(request.vendor, request.endpoint, request.body_bytes)
        item = shards.Item(size, request.input_tokens, request.units)
        if limits.admit(item):
            kept.append(place)
            items.append(item)
            continue
        too_long = limits.admit(replace(item, tokens=0))
        refusal = replay.Refusal("over_queue" if too_long else "too_large")
        spool.left.append(
            LeftOut(request.call_id, request.workload_id, refusal.reason, refusal.detail)
        )
    return kept, items


def _written(
    packed: Sequence[tuple[bool, list[int]]],
    spool: Spool,
    folder: Path,
    run_id: str,
    terms: dict[Vendor, Terms],
) -> Iterator[Planned]:
    """Write and check the file of each shard."""
    for number, (canary, places) in enumerate(packed, start=1):
        requests = tuple(spool.requests[place] for place in places)
        first = requests[0]
        intent = _intent(run_id, number)
        ids = [files.custom_id(intent, request.request_key) for request in requests]
        draft = folder / f"la-{intent}"
        written = files.write(
            draft,
            first.vendor,
            (
                files.line(first.vendor, name, first.endpoint, spool.text(place))
                for name, place in zip(ids, places, strict=True)
            ),
        )
        # The name tells the content: an upload of which the reply was lost is found by it (F2).
        name = f"la-{intent}-{written.sha256[:8]}{files.ENDINGS[first.vendor]}"
        path = draft.rename(folder / name)
        files.preflight(
            path,
            files.Expected(
                first.vendor,
                first.endpoint,
                first.model,
                ids,
                requests,
                written,
                terms[first.vendor].max_bytes,
            ),
        )
        yield Planned(_shard(number, intent, canary, requests, written, path), requests)


def _shard(
    number: int,
    intent: str,
    canary: bool,
    requests: Sequence[Request],
    written: files.Written,
    path: Path,
) -> Shard:
    first = requests[0]
    return Shard(
        shard_id=number,
        intent=intent,
        vendor=first.vendor,
        endpoint=first.endpoint,
        model=first.model,
        betas=first.betas,
        generation=1,
        canary=canary,
        requests=len(requests),
        bytes=written.bytes,
        input_tokens=sum(request.input_tokens for request in requests),
        sha256=written.sha256,
        path=str(path),
        sync_cost=sum((request.sync_cost for request in requests), Decimal(0)),
        batch_cost=sum((request.batch_cost for request in requests), Decimal(0)),
    )


def _intent(run_id: str, number: int) -> str:
    """8 characters that no other shard of any run should have."""
    digest = hashlib.sha256(f"{run_id}:{number}".encode()).digest()
    return base64.b32encode(digest)[:8].decode().lower()
