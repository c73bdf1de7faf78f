"""The write-ahead ledger: what is intended, what was heard, what was bought. SQLite, WAL.

Intent is committed before a call that changes anything at a vendor, what was heard after it. A
shard changes by compare-and-set only: a step that looked at an older state changes nothing. The
statements are in ledger.sql; times are unix seconds, money is `Decimal`.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from llm_audit import __version__
from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate.model import Request, RequestState, Row, Shard, ShardState, Vendor

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ShardRow:
    """A shard as the ledger knows it. The first half never changes; times are unix seconds.

    next_at: not to be touched before. wait: seconds of the current back-off. failures: of polls or
    submissions in a row. missing_since: since when the vendor says 404. looks: of the current
    question (is it in the list? is the file really like this?), first_look_at: when they began.
    parked: why its last step failed; nothing is done until someone resumes. refusals: by a full
    queue, since someone last looked. fence: what the vendor's list held before the POST
    (`listing.Fence`). suspects: batches that may be this one. doubles: batches that
    were made of the same requests, and are paid for too. resent: sent again although the
    first POST may yet turn up. stray: an upload of unknown outcome may lie at the vendor.
    """

    shard_id: int
    run_id: str
    parent_id: int | None
    intent: str
    vendor: Vendor
    endpoint: str
    model: str
    betas: str
    generation: int
    canary: bool
    requests: int
    bytes: int
    input_tokens: int
    sha256: str
    path: str
    sync_cost: Decimal
    batch_cost: Decimal
    ceiling: Decimal
    state: ShardState = ShardState.PLANNED
    version: int = 0
    account: str | None = None
    attempt: int = 1
    file_id: str | None = None
    batch_id: str | None = None
    provider_status: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    counts: str | None = None
    code: str | None = None
    message: str | None = None
    submit_started_at: float | None = None
    submit_ended_at: float | None = None
    created_at_remote: float | None = None
    expires_at_remote: float | None = None
    ended_at_remote: float | None = None
    next_at: float = 0.0
    wait: float = 0.0
    failures: int = 0
    missing_since: float | None = None
    looks: int = 0
    first_look_at: float | None = None
    cost: Decimal | None = None
    parked: str | None = None
    refusals: int = 0
    fence: str | None = None
    suspects: tuple[str, ...] = ()
    doubles: tuple[str, ...] = ()
    resent: bool = False
    stray: bool = False
    usage: str | None = None

    @property
    def group(self) -> tuple[str, Vendor, str, str, str]:
        """What one canary speaks for."""
        return (self.run_id, self.vendor, self.endpoint, self.model, self.betas)


@dataclass(frozen=True)
class RunRow:
    """A run. status: open or cancelled."""

    run_id: str
    created_at: float
    folder: Path
    sync_cost: Decimal
    batch_cost: Decimal
    max_cost: Decimal | None
    status: str


@dataclass(frozen=True)
class Assigned:
    """A request in a shard: where it stands in the file, and what the ledger knows of it.

    generation: of this shard; latest: of the request.
    """

    custom_id: str
    line: int
    generation: int
    latest: int
    run_id: str
    request_key: str
    call_id: str
    workload_id: str
    body_sha256: str
    body_bytes: int
    units: int
    input_tokens: int
    output_tokens: int
    finish_reason: str | None
    sync_cost: Decimal
    batch_cost: Decimal
    source_file: str
    source_line: int
    state: RequestState
    tries: int
    reason: str | None


@dataclass(frozen=True)
class Download:
    """A result file. sha256: None where the vendor has it no more. look: which download it is."""

    kind: str
    source: str
    path: str
    bytes: int
    sha256: str | None
    look: int


@dataclass(frozen=True)
class UsageGap:
    """A batch of which the vendor's own sum of tokens is not that of its lines (told, counted)."""

    run_id: str
    intent: str
    told_input: int
    told_output: int
    counted_input: int
    counted_output: int

    def __str__(self) -> str:
        return (
            f"batch {self.intent}: the vendor counted {self.told_input:,} tokens in and "
            f"{self.told_output:,} out, the lines of its results say {self.counted_input:,} and "
            f"{self.counted_output:,}"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request beside what came of it: what was logged, and of its latest row what is `new_`.

    kind: None where no row came. cost: USD as billed, None where no rate is known. raw_path,
    raw_offset: where the row's line lies.
    """

    run_id: str
    request_key: str
    call_id: str
    workload_id: str
    body_sha256: str
    input_tokens: int
    output_tokens: int
    finish_reason: str | None
    sync_cost: Decimal
    batch_cost: Decimal
    state: RequestState
    vendor: Vendor
    endpoint: str
    model: str
    kind: RequestState | None
    new_finish_reason: str | None
    new_model: str | None
    new_input_tokens: int
    cache_read_input_tokens: int
    cache_creation_5m_input_tokens: int
    cache_creation_1h_input_tokens: int
    new_output_tokens: int
    cost: Decimal | None
    raw_path: str | None
    raw_offset: int | None


@dataclass(frozen=True)
class Rate:
    """USD per token in a batch, for prompts of from_tokens up to below_tokens."""

    from_tokens: int
    below_tokens: int
    input: Decimal
    cached: Decimal
    write_5m: Decimal
    write_1h: Decimal
    output: Decimal


class StaleError(Exception):
    """A compare-and-set that found another state than it was decided on."""


@cache
def statements() -> dict[str, str]:
    """ledger.sql, by name."""
    text = Path(__file__).with_name("ledger.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- name: (\w+)\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


class Ledger:
    """An open ledger. Use `open_ledger`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._depth = 0

    # --- transactions -----------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable when the block has ended; an inner one is part of the outer."""
        if self._depth:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        else:
            self._commit()
        finally:
            self._depth -= 1

    def _commit(self) -> None:
        """Of its own so that the kill tests can stand before and behind it."""
        self._db.execute("COMMIT")

    def _run(self, name: str, values: Mapping[str, Any] | None = None) -> sqlite3.Cursor:
        return self._db.execute(statements()[name], values or {})

    def _many(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self._db.executemany(statements()[name], rows)

    # --- runs -------------------------------------------------------------------------------------

    def add_run(
        self,
        run: RunRow,
        choice: Mapping[str, Any],
        rates: Iterable[tuple[Vendor, str, Rate]],
    ) -> None:
        """A run before anything of it is sent."""
        with self.transaction():
            self._run(
                "add_run",
                {
                    "run_id": run.run_id,
                    "created_at": run.created_at,
                    "tool_version": __version__,
                    "choice": json.dumps(choice),
                    "folder": str(run.folder),
                    "sync_cost": _money(run.sync_cost),
                    "batch_cost": _money(run.batch_cost),
                    "max_cost": _money(run.max_cost),
                },
            )
            self._many(
                "add_rate",
                (
                    {"run_id": run.run_id, "vendor": vendor.value, "model": model, **_plain(rate)}
                    for vendor, model, rate in rates
                ),
            )

    def runs(self) -> list[RunRow]:
        """The oldest first."""
        return [
            RunRow(
                row["run_id"],
                row["created_at"],
                Path(row["folder"]),
                Decimal(row["sync_cost"]),
                Decimal(row["batch_cost"]),
                None if row["max_cost"] is None else Decimal(row["max_cost"]),
                row["status"],
            )
            for row in self._run("runs")
        ]

    def set_run_status(self, run_id: str, status: str) -> None:
        """open or cancelled."""
        with self.transaction():
            self._run("set_run_status", {"run_id": run_id, "status": status})

    def set_max_cost(self, run_id: str, max_cost: Decimal) -> None:
        """What a run may cost from now on."""
        with self.transaction():
            self._run("set_max_cost", {"run_id": run_id, "max_cost": _money(max_cost)})

    def rates(self, run_id: str, vendor: Vendor, model: str) -> list[Rate]:
        """The batch rates a run is priced at."""
        rows = self._run("rates", {"run_id": run_id, "vendor": vendor.value, "model": model})
        return [
            Rate(row["from_tokens"], row["below_tokens"], *(Decimal(row[n]) for n in RATE_KINDS))
            for row in rows
        ]

    def known_keys(self) -> frozenset[str]:
        """Requests of any run: none of them may be planned again."""
        return frozenset(row[0] for row in self._run("known_keys"))

    def known_calls(self) -> frozenset[str]:
        """The ids of their calls, as the log or ingest named them."""
        return frozenset(row[0] for row in self._run("known_calls"))

    # --- shards -----------------------------------------------------------------------------------

    def next_shard_id(self) -> int:
        """Free in this ledger."""
        return int(self._run("next_shard_id").fetchone()[0])

    def add_shard(
        self,
        row: ShardRow,
        requests: Sequence[tuple[str, str]],
    ) -> None:
        """A shard and its (custom_id, request_key) in the order of the lines of its file."""
        with self.transaction():
            self._run("add_shard", _plain(row))
            self._many(
                "assign",
                (
                    {
                        "shard_id": row.shard_id,
                        "custom_id": custom_id,
                        "run_id": row.run_id,
                        "request_key": key,
                        "generation": row.generation,
                        "line": line,
                    }
                    for line, (custom_id, key) in enumerate(requests, start=1)
                ),
            )

    def add_requests(self, run_id: str, requests: Iterable[Request]) -> None:
        """Requests of a run. Errors: `MigrationError` for one that some run has bought already."""
        try:
            with self.transaction():
                self._many("add_request", ({"run_id": run_id, **_plain(r)} for r in requests))
        except sqlite3.IntegrityError:
            raise MigrationError(
                "some of these calls are in a migration already",
                slug="already-migrating",
                hint="look with `llm-audit migrate status`; go on with `llm-audit migrate resume`",
                exit_code=ExitCode.MIGRATION,
            ) from None

    def shards(self, run_id: str | None = None) -> list[ShardRow]:
        """All of them, or those of a run, in the order of submission."""
        rows = [_shard_row(row) for row in self._run("shards")]
        return [row for row in rows if run_id in (None, row.run_id)]

    def shard(self, shard_id: int) -> ShardRow:
        """One of them."""
        return _shard_row(self._run("shard", {"shard_id": shard_id}).fetchone())

    def move(self, old: ShardRow, **changes: Any) -> ShardRow:
        """Compare and set: the shard as it is now. Errors: `StaleError`."""
        new = replace(old, **changes)
        values = _plain(new) | {"old_state": old.state.value, "old_version": old.version}
        with self.transaction():
            if self._run("move_shard", values).rowcount != 1:
                raise StaleError(f"shard {old.shard_id} is not as it was")
        return replace(new, version=old.version + 1)

    def assigned(self, shard_id: int) -> list[Assigned]:
        """The requests of a shard, in the order of its file."""
        names = [field.name for field in fields(Assigned)]
        found = []
        for row in self._run("shard_requests", {"shard_id": shard_id}):
            values = {name: row[name] for name in names}
            values |= {name: Decimal(row[name]) for name in ("sync_cost", "batch_cost")}
            found.append(Assigned(**values | {"state": RequestState(row["state"])}))
        return found

    def void(self, shard_id: int) -> None:
        """It is proven that the vendor took none of these: they may go into another shard."""
        with self.transaction():
            self._run("void", {"shard_id": shard_id})

    def set_requests(self, shard_id: int, state: RequestState, reason: str | None = None) -> None:
        """All requests of a shard."""
        with self.transaction():
            values = {"shard_id": shard_id, "state": state.value, "reason": reason}
            self._run("set_requests", values)

    def lose(self, shard_id: int, reason: str) -> None:
        """Those requests of a shard that no line has come of: LOST."""
        with self.transaction():
            self._run("lose_requests", {"shard_id": shard_id, "reason": reason})

    def release(self, shard_id: int, reason: str) -> None:
        """A shard of which nothing was taken is given up: its requests may be planned again, those
        of a later generation go back to what they were."""
        with self.transaction():
            self._run("release_requests", {"shard_id": shard_id, "reason": reason})

    def set_request(
        self, run_id: str, key: str, state: RequestState, reason: str | None, tries: int = 0
    ) -> None:
        """One request. tries: 1 where a generation of it has failed."""
        with self.transaction():
            self._run(
                "set_request",
                {
                    "run_id": run_id,
                    "request_key": key,
                    "state": state.value,
                    "reason": reason,
                    "tries": tries,
                },
            )

    def advance(self, run_id: str, keys: Iterable[str], generation: int) -> None:
        """Requests that go into another shard."""
        with self.transaction():
            self._many(
                "advance_request",
                ({"run_id": run_id, "request_key": k, "generation": generation} for k in keys),
            )

    def request_states(self, run_id: str) -> dict[RequestState, int]:
        """How many requests of a run are in which state."""
        rows = self._run("request_states", {"run_id": run_id})
        return {RequestState(state): count for state, count in rows}

    def request_reasons(self, run_id: str) -> list[tuple[RequestState, str, int]]:
        """State, reason, and how many, the most frequent first."""
        rows = self._run("request_reasons", {"run_id": run_id})
        return [(RequestState(state), reason, count) for state, reason, count in rows]

    # --- calls ------------------------------------------------------------------------------------

    def begin_call(self, shard_id: int, op: str, at: float) -> int:
        """A call that is about to be made."""
        with self.transaction():
            cursor = self._run("begin_call", {"shard_id": shard_id, "op": op, "started_at": at})
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def end_call(self, call_id: int, heard: Mapping[str, Any]) -> None:
        """How it ended."""
        with self.transaction():
            self._run("end_call", {"call_id": call_id, **heard})

    def add_attempt(self, shard: ShardRow, batch_id: str, why: str) -> None:
        """A batch that is not, or no longer, the one of this shard."""
        with self.transaction():
            values = {"vendor": shard.vendor.value, "batch_id": batch_id}
            self._run("add_attempt", values | {"shard_id": shard.shard_id, "why": why})

    def doubles(self) -> list[tuple[int, str]]:
        """Shard and batch where a shard was made twice, until the second one is ended."""
        return [(row[0], row[1]) for row in self._run("doubles")]

    def mark_double(self, shard_id: int, batch_id: str) -> None:
        """It is ended, or was asked to end."""
        with self.transaction():
            self._run("mark_double", {"shard_id": shard_id, "batch_id": batch_id})

    def known_batches(self, shard: ShardRow) -> frozenset[str]:
        """Batches that cannot be what this shard's lost POST has made."""
        values = {"vendor": shard.vendor.value, "shard_id": shard.shard_id}
        return frozenset(row[0] for row in self._run("known_batches", values))

    # --- results ----------------------------------------------------------------------------------

    def add_download(self, shard_id: int, download: Download) -> None:
        """A result file that is on disk, or gone."""
        with self.transaction():
            self._run("add_download", {"shard_id": shard_id, **asdict(download)})

    def downloads(self, shard_id: int) -> list[Download]:
        """In the order of the looks, outputs before errors."""
        return [Download(**row) for row in self._run("downloads", {"shard_id": shard_id})]

    def add_results(
        self,
        shard: ShardRow,
        results: Iterable[tuple[Assigned, Row, Decimal | None, str | None, int | None]],
    ) -> None:
        """What became of requests: the row, its cost, and where its line lies. No row replaces an
        answer."""
        with self.transaction():
            self._many("add_result", (_result(shard, *result) for result in results))

    def add_quarantine(
        self, shard_id: int, lines: Iterable[tuple[str, int, str, str | None]]
    ) -> None:
        """Lines that belong to no request: path, offset, why, custom_id."""
        names = ("raw_path", "raw_offset", "why", "custom_id")
        with self.transaction():
            self._many(
                "add_quarantine",
                ({"shard_id": shard_id, **dict(zip(names, x, strict=True))} for x in lines),
            )

    def row_costs(self, shard_id: int) -> dict[str, Decimal | None]:
        """The requests of a shard that have a row, and what it cost, None where nobody knows."""
        rows = self._run("row_costs", {"shard_id": shard_id})
        return {key: None if cost is None else Decimal(cost) for key, cost in rows}

    def usage_gaps(self, run_id: str | None = None) -> list[UsageGap]:
        """Batches of a run, or of all, whose lines do not add up to what the vendor counted."""
        found = []
        for row in self._run("usages", {"run_id": run_id}):
            told = json.loads(row["usage"])
            sums = (told.get("input_tokens", 0), told.get("output_tokens", 0))
            counted = (row["input_tokens"], row["output_tokens"])
            if any(sums) and sums != counted:
                found.append(UsageGap(row["run_id"], row["intent"], *sums, *counted))
        return found

    def quarantined(self, run_id: str) -> dict[str, int]:
        """How many lines, by why."""
        return dict(self._run("quarantine_counts", {"run_id": run_id}).fetchall())

    def outcomes(self, run_id: str | None = None) -> list[Outcome]:
        """Each request that was or will be sent, of a run or of all, with its latest row."""
        return [_outcome(row) for row in self._run("outcomes", {"run_id": run_id})]

    def failed_rows(self, run_id: str | None = None) -> dict[str, int]:
        """Rows without an answer, of all generations, by the vendor's code."""
        return {
            code or "unknown": count
            for code, count in self._run("failed_rows", {"run_id": run_id}).fetchall()
        }

    def rows_counted(self, run_id: str | None = None) -> int:
        """Rows of all generations."""
        return int(self._run("rows_counted", {"run_id": run_id}).fetchone()[0])

    # --- limits -----------------------------------------------------------------------------------

    def learn_budget(self, shard: ShardRow, tokens: int, at: float) -> None:
        """How many tokens the vendor lets a model queue, as it said when it refused."""
        with self.transaction():
            self._run("learn_budget", _budget_key(shard) | {"tokens": tokens, "learned_at": at})

    def budget(self, shard: ShardRow) -> int | None:
        """What was learned."""
        row = self._run("budget", _budget_key(shard)).fetchone()
        return int(row[0]) if row else None

    def pause(self, vendor: Vendor, why: str, at: float) -> None:
        """A vendor wants money: nothing more is sent to it until someone resumes."""
        with self.transaction():
            self._run("pause", {"vendor": vendor.value, "since": at, "why": why})

    def pauses(self) -> dict[Vendor, str]:
        """Vendors that want money, and their words."""
        return {Vendor(vendor): why for vendor, why in self._run("pauses")}

    def unpause(self) -> None:
        """Try again."""
        with self.transaction():
            self._run("unpause")


RATE_KINDS = ("input", "cached", "write_5m", "write_1h", "output")


@contextmanager
def open_ledger(
    folder: Path, *, must_exist: bool = False, read_only: bool = False
) -> Iterator[Ledger]:
    """The ledger of `.llm-audit/migrate/`, made if it is not there.

    read_only: it must be there, and nothing is written, so that it may lie where nobody may write.
    Errors: `MigrationError` where it is not there (must_exist), cannot be opened, is not ours, or
    of a newer version; other trouble of the block's own passes through.
    """
    path = folder / "ledger.sqlite"
    if (must_exist or read_only) and not path.exists():
        raise MigrationError(
            f"no migration has been started in {folder}",
            slug="no-ledger",
            hint="plan one with `llm-audit migrate --dry-run`, start it with `llm-audit migrate`",
        )
    try:
        db = _connect_to_read(path) if read_only else _connect(path)
        try:
            db.row_factory = sqlite3.Row
            yield Ledger(db)
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        raise _unusable(path, str(error)) from error


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as error:
        raise _unusable(path, error.strerror or type(error).__name__) from error
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        _prepare(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Where nobody may write, SQLite reads a WAL database only as one that does not change, which
    it does not where there is no WAL (sqlite.org/wal.html, "Read-Only Databases")."""
    try:
        return _opened(path, "mode=ro")
    except sqlite3.OperationalError:
        if path.with_name(path.name + "-wal").exists():
            raise
        return _opened(path, "mode=ro&immutable=1")


def _opened(path: Path, options: str) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True, timeout=30)
    try:
        _check_version(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _unusable(path: Path, why: str) -> MigrationError:
    return MigrationError(
        f"cannot use the ledger {path}: {why}",
        slug="ledger-unusable",
        hint="it is the only record of what was bought: mend or restore it, do not delete it",
        exit_code=ExitCode.MIGRATION,
    )


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    if _check_version(db, path):
        return
    script = statements()["schema"]
    db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {SCHEMA_VERSION}; COMMIT")


def _check_version(db: sqlite3.Connection, path: Path) -> int:
    """0 where nothing is in it yet. Errors: `MigrationError` where another version wrote it."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, SCHEMA_VERSION):
        raise MigrationError(
            f"{path} is of version {version}, this llm-audit knows {SCHEMA_VERSION}",
            slug="ledger-version",
            hint="go on with the llm-audit that made it",
        )
    return version


def shard_row(run_id: str, shard_id: int, shard: Shard, ceiling: Decimal) -> ShardRow:
    """A planned shard as a row of the ledger."""
    return ShardRow(
        shard_id=shard_id,
        run_id=run_id,
        parent_id=None,
        intent=shard.intent,
        vendor=shard.vendor,
        endpoint=shard.endpoint,
        model=shard.model,
        betas=",".join(shard.betas),
        generation=shard.generation,
        canary=shard.canary,
        requests=shard.requests,
        bytes=shard.bytes,
        input_tokens=shard.input_tokens,
        sha256=shard.sha256,
        path=shard.path,
        sync_cost=shard.sync_cost,
        batch_cost=shard.batch_cost,
        ceiling=ceiling,
    )


def _shard_row(row: sqlite3.Row) -> ShardRow:
    values = dict(row)
    for name in ("sync_cost", "batch_cost", "ceiling", "cost"):
        values[name] = None if row[name] is None else Decimal(row[name])
    return ShardRow(
        **values
        | {
            "vendor": Vendor(row["vendor"]),
            "state": ShardState(row["state"]),
            **{name: tuple(row[name].split(",")) for name in ("suspects", "doubles") if row[name]},
            **{name: () for name in ("suspects", "doubles") if not row[name]},
            **{name: bool(row[name]) for name in ("canary", "resent", "stray")},
        }
    )


def _result(
    shard: ShardRow,
    assigned: Assigned,
    row: Row,
    cost: Decimal | None,
    raw_path: str | None,
    raw_offset: int | None,
) -> dict[str, Any]:
    values = asdict(row)
    del values["message"], values["flag"], values["has_usage"]
    return values | {
        "kind": row.kind.value,
        "request_key": assigned.request_key,
        "generation": assigned.generation,
        "shard_id": shard.shard_id,
        "custom_id": assigned.custom_id,
        "cost": _money(cost),
        "raw_path": raw_path,
        "raw_offset": raw_offset,
    }


def _outcome(row: sqlite3.Row) -> Outcome:
    values = dict(row)
    for name in ("sync_cost", "batch_cost", "cost"):
        values[name] = None if row[name] is None else Decimal(row[name])
    for name in (name for name in values if name.endswith("_tokens")):
        values[name] = row[name] or 0
    return Outcome(
        **values
        | {
            "state": RequestState(row["state"]),
            "kind": None if row["kind"] is None else RequestState(row["kind"]),
            "vendor": Vendor(row["vendor"]),
        }
    )


def _budget_key(shard: ShardRow) -> dict[str, Any]:
    account = shard.account or ""
    return {"vendor": shard.vendor.value, "account": account, "model": shard.model}


def _plain(value: Any) -> dict[str, Any]:
    """A dataclass as SQLite takes it."""
    return {field.name: _scalar(getattr(value, field.name)) for field in fields(value)}


def _scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _money(value)
    if isinstance(value, (Vendor, ShardState)):
        return value.value
    return ",".join(value) if isinstance(value, tuple) else value


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
