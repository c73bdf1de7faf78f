"""What the fake has heard and sold. Read straight from its state, running or not."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.migrate.fake import bodies
from tests.migrate.fake.store import Batch


@dataclass(frozen=True)
class Heard:
    """One HTTP request. at: the fake's clock. nth: its ordinal in its operation.

    status: as sent, 0 where no status was. committed: 1 if it took effect. sha256, bytes: of the
    body. account: fingerprint of the key.
    """

    seq: int
    at: float
    op: str
    nth: int
    method: str
    path: str
    status: int
    committed: int
    fault: str | None
    account: str | None
    target: str | None
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Purchase:
    """One request in one batch. billed: 1 if it was answered, and so paid for.

    body_sha256: of the canonical body (`bodies.body_digest`). marker: what the prompt has between
    [[ and ]], else the first 16 digits of the digest. *_tokens: as billed, whatever its line says.
    """

    vendor: str
    batch_id: str
    line: int
    custom_id: str
    body_sha256: str
    marker: str
    outcome: str
    billed: int
    twist: str
    input_tokens: int
    output_tokens: int


class Journal:
    """Questions to the state of a fake."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.sqlite"

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection that changes nothing."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)) as db:
            yield db

    def requests(self, op: str = "*") -> list[Heard]:
        """HTTP requests in order, by a pattern of their operation."""
        with self.open() as db:
            rows = db.execute(
                "SELECT seq, at, op, nth, method, path, status, committed, fault, account, target,"
                " sha256, bytes FROM journal ORDER BY seq"
            ).fetchall()
        heard = (Heard(*row) for row in rows)
        return [each for each in heard if fnmatchcase(each.op, op)]

    def purchases(self, billed: bool | None = None) -> list[Purchase]:
        """Every request of every batch of ours that was not refused as a whole."""
        with self.open() as db:
            rows = db.execute(
                "SELECT b.vendor, r.batch_id, r.line, r.custom_id, r.body_sha256, r.marker,"
                " r.outcome, r.billed, r.twist, r.body"
                " FROM rows AS r JOIN batches AS b ON b.id = r.batch_id"
                " WHERE b.others = 0 ORDER BY b.seq, r.line"
            ).fetchall()
        found = [_purchase(row) for row in rows]
        return [each for each in found if billed is None or each.billed == billed]

    def bought(self, key: Callable[[Purchase], str] = lambda each: each.marker) -> Counter[str]:
        """How often each logical request was paid for; by its marker unless another key is given.

        A request that was sent but never answered is there with 0.
        """
        tally: Counter[str] = Counter()
        for each in self.purchases():
            tally[key(each)] += each.billed
        return tally

    def batches(self) -> list[Batch]:
        """Every batch of ours ever made, deleted ones included, in order."""
        with self.open() as db:
            rows = db.execute("SELECT data FROM batches WHERE others = 0 ORDER BY seq").fetchall()
        return [Batch(**json.loads(data)) for (data,) in rows]

    def files(self) -> list[tuple[str, str, str]]:
        """(id, purpose, filename) of the files that are still there."""
        with self.open() as db:
            return db.execute(
                "SELECT id, purpose, filename FROM files WHERE gone = 0 ORDER BY seq"
            ).fetchall()


def _purchase(row: Any) -> Purchase:
    """From its row; the tokens as the vendor counts them."""
    *known, text = row
    body, digest, outcome = json.loads(text), row[4], row[6]
    most = bodies.allowed_tokens(body)
    written = bodies.output_tokens(digest, most, outcome == "truncated")
    values: tuple[Any, ...] = (*known, bodies.input_tokens(body), written)
    return Purchase(*values)


def fingerprint(key: str) -> str:
    """What the state keeps of a key: 8 hex digits of its sha256."""
    return sha256(key.encode()).hexdigest()[:8]
