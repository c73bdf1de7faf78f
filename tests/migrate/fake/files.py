"""Files in the store: what was uploaded, and what batches have written."""

from __future__ import annotations

from dataclasses import dataclass

from tests.migrate.fake.store import Store

COLUMNS = "id, account, filename, purpose, created_at, expires_at, gone, length(content)"


@dataclass(frozen=True)
class StoredFile:
    """A file without its content. Times: unix seconds of the fake's clock."""

    id: str
    account: str
    filename: str
    purpose: str
    created_at: float
    expires_at: float
    gone: int
    bytes: int


def add(
    store: Store,
    account: str,
    filename: str,
    purpose: str,
    content: bytes,
    seconds: float,
    gone: bool = False,
) -> str:
    """Keep a file for some seconds; its id. gone: as if it had been deleted since."""
    now = store.now()
    file_id = f"file-fake{store.next('file'):08d}"
    store.db.execute(
        "INSERT INTO files (id, account, filename, purpose, created_at, expires_at, gone, content)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (file_id, account, filename, purpose, now, now + seconds, int(gone), content),
    )
    return file_id


def find(store: Store, file_id: str, account: str) -> StoredFile | None:
    """A file that is still there, to the account that owns it."""
    row = store.db.execute(
        f"SELECT {COLUMNS} FROM files WHERE id = ? AND account = ? AND gone = 0 AND expires_at > ?",
        (file_id, account, store.now()),
    ).fetchone()
    return StoredFile(*row) if row else None


def content(store: Store, file_id: str) -> bytes:
    """What is in it."""
    [data] = store.db.execute("SELECT content FROM files WHERE id = ?", (file_id,)).fetchone()
    return bytes(data)


def newest_first(store: Store, account: str, purpose: str | None) -> list[StoredFile]:
    """Those still there."""
    rows = store.db.execute(
        f"SELECT {COLUMNS} FROM files WHERE account = ? AND gone = 0 AND expires_at > ?"
        " AND (? IS NULL OR purpose = ?) ORDER BY seq DESC",
        (account, store.now(), purpose, purpose),
    )
    return [StoredFile(*row) for row in rows]


def delete(store: Store, file_id: str) -> None:
    """Gone, and its bytes with it."""
    store.db.execute("UPDATE files SET gone = 1, content = x'' WHERE id = ?", (file_id,))
