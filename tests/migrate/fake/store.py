"""The state of the fake: one SQLite file, so that it survives whoever is killed.

All that a call changes, its line in the journal included, is one transaction.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.migrate.fake.scenario import BatchPlan, Json, Scenario

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ordinals (name TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS files (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, account TEXT NOT NULL,
  filename TEXT NOT NULL, purpose TEXT NOT NULL, created_at REAL NOT NULL,
  expires_at REAL NOT NULL, gone INTEGER NOT NULL DEFAULT 0, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, vendor TEXT NOT NULL,
  account TEXT NOT NULL, gone INTEGER NOT NULL DEFAULT 0, data TEXT NOT NULL,
  unlisted INTEGER NOT NULL DEFAULT 0, others INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS rows (
  batch_id TEXT NOT NULL, line INTEGER NOT NULL, custom_id TEXT NOT NULL, body TEXT NOT NULL,
  body_sha256 TEXT NOT NULL, marker TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT,
  billed INTEGER NOT NULL, twist TEXT NOT NULL, PRIMARY KEY (batch_id, line));
CREATE INDEX IF NOT EXISTS rows_by_body ON rows (body_sha256);
CREATE TABLE IF NOT EXISTS journal (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, op TEXT NOT NULL, nth INTEGER NOT NULL,
  method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL, committed INTEGER NOT NULL,
  fault TEXT, account TEXT, target TEXT, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS late (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, heard INTEGER NOT NULL,
  call TEXT NOT NULL, body BLOB NOT NULL);
"""


@dataclass
class Batch:
    """A batch of either vendor. status: OpenAI's words; Anthropic's are derived from them.

    Times are unix seconds of the fake's clock. reads, downloads: how often it was looked for.
    looks: the polls that moved it on. nth: its ordinal among the vendor's batches, from 1. others:
    it is somebody else's. late: seconds between the reply to its create and its creation.
    """

    id: str
    vendor: str
    account: str
    nth: int
    created_at: float
    expires_at: float
    total: int
    plan: Json
    model: str | None = None
    endpoint: str | None = None
    input_file_id: str | None = None
    metadata: dict[str, str] | None = None
    output_seconds: float | None = None
    betas: list[str] = field(default_factory=list)
    tokens: int = 0
    status: str = "validating"
    errors: list[Json] = field(default_factory=list)
    others: bool = False
    late: float = 0.0
    reads: int = 0
    downloads: int = 0
    looks: int = 0
    cancel_looks: int = 0
    late_looks: int = 0
    times: dict[str, float] = field(default_factory=dict)
    output_file_id: str | None = None
    error_file_id: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    usage: Json | None = None

    @property
    def how(self) -> BatchPlan:
        """The plan it lives by."""
        return BatchPlan(**self.plan)

    @property
    def ended(self) -> bool:
        """Whether nothing changes any more."""
        return self.status in ("failed", "completed", "expired", "cancelled")


@dataclass(frozen=True)
class StoredRow:
    """One request of a batch. detail: why the vendor itself refused it."""

    line: int
    custom_id: str
    body: str
    body_sha256: str
    marker: str
    outcome: str
    detail: str | None
    billed: int
    twist: str = ""


class Store:
    """The tables, and the clock. Not safe for threads: the server holds one lock around it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "state.sqlite"
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = OFF")  # outlives a killed process, not a power cut
        self.db.executescript(SCHEMA)
        self.scenario = Scenario.read(self.meta("scenario", {}))
        self.at: float | None = None
        self.late = 0.0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def meta(self, name: str, default: Any) -> Any:
        """A setting that is kept."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else default

    def set_meta(self, name: str, value: Any) -> None:
        """Keep a setting."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    def play(self, data: Json) -> None:
        """Take a scenario; the ordinals of calls, which its faults count by, start anew."""
        self.scenario = Scenario.read(data)
        self.set_meta("scenario", data)
        self.db.execute("DELETE FROM ordinals WHERE name LIKE 'call %'")

    def forget(self) -> None:
        """Everything, as in an empty folder."""
        for table in ("meta", "ordinals", "files", "batches", "rows", "journal", "late"):
            self.db.execute(f"DELETE FROM {table}")
        self.scenario = Scenario()

    def next(self, name: str) -> int:
        """The next ordinal under a name, from 1."""
        [n] = self.db.execute(
            "INSERT INTO ordinals VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n",
            (name,),
        ).fetchone()
        return int(n)

    def now(self) -> float:
        """Unix seconds of the fake's clock; of the past while a late call is obeyed."""
        if self.at is not None:
            return self.at
        start = self.scenario.clock.start
        return (time.time() if start is None else start) + float(self.meta("offset", 0.0))

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        if seconds:
            self.set_meta("offset", float(self.meta("offset", 0.0)) + seconds)

    def add_batch(self, batch: Batch, rows: Iterable[StoredRow]) -> None:
        """A new batch, with what will become of its rows."""
        self.db.execute(
            "INSERT INTO batches (id, vendor, account, data, unlisted, others)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                batch.id,
                batch.vendor,
                batch.account,
                json.dumps(asdict(batch)),
                batch.how.unlisted,
                batch.others,
            ),
        )
        self.db.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    batch.id,
                    r.line,
                    r.custom_id,
                    r.body,
                    r.body_sha256,
                    r.marker,
                    r.outcome,
                    r.detail,
                    r.billed,
                    r.twist,
                )
                for r in rows
            ),
        )

    def save(self, batch: Batch) -> None:
        """What has changed in a batch."""
        self.db.execute(
            "UPDATE batches SET data = ? WHERE id = ?", (json.dumps(asdict(batch)), batch.id)
        )

    def batch(self, batch_id: str, vendor: str, account: str) -> Batch | None:
        """A batch, to the account that made it."""
        row = self.db.execute(
            "SELECT data FROM batches WHERE id = ? AND vendor = ? AND account = ? AND gone = 0",
            (batch_id, vendor, account),
        ).fetchone()
        return Batch(**json.loads(row[0])) if row else None

    def batches(self, vendor: str, account: str) -> list[Batch]:
        """Of our own making, newest first."""
        rows = self.db.execute(
            "SELECT data FROM batches WHERE vendor = ? AND account = ? AND gone = 0 AND others = 0"
            " ORDER BY seq DESC",
            (vendor, account),
        )
        return [Batch(**json.loads(data)) for (data,) in rows]

    def listed(self, vendor: str, account: str) -> list[str]:
        """Ids that a list shows, newest first: all but those it is too early for, which count."""
        hidden = self.db.execute(
            "UPDATE batches SET unlisted = unlisted - 1"
            " WHERE vendor = ? AND account = ? AND gone = 0 AND unlisted > 0 RETURNING id",
            (vendor, account),
        ).fetchall()
        rows = self.db.execute(
            "SELECT id FROM batches WHERE vendor = ? AND account = ? AND gone = 0"
            " ORDER BY seq DESC",
            (vendor, account),
        )
        return [batch_id for (batch_id,) in rows if (batch_id,) not in hidden]

    def rows(self, batch_id: str) -> list[StoredRow]:
        """In the order they were sent."""
        rows = self.db.execute(
            "SELECT line, custom_id, body, body_sha256, marker, outcome, detail, billed, twist"
            " FROM rows WHERE batch_id = ? ORDER BY line",
            (batch_id,),
        )
        return [StoredRow(*row) for row in rows]

    def earlier(self, body_sha256: str) -> int:
        """In how many batches a body has come before."""
        [n] = self.db.execute(
            "SELECT count(DISTINCT batch_id) FROM rows WHERE body_sha256 = ?", (body_sha256,)
        ).fetchone()
        return int(n)

    def stop_after(self, batch_id: str, done: int, outcome: str) -> None:
        """Rows that were not reached: neither answered nor billed."""
        self.db.execute(
            "UPDATE rows SET outcome = ?, detail = NULL, billed = 0"
            " WHERE batch_id = ? AND line > ?",
            (outcome, batch_id, done),
        )
