"""One process at a time moves a ledger: a lock of the operating system, gone with its holder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from llm_audit.errors import MigrationError
from llm_audit.text import printable

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        """Of one byte far behind the text, as Windows keeps others from reading what is locked."""
        file.seek(1 << 30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of `.llm-audit/migrate/`.

    Errors: `MigrationError` naming who holds it, or where the folder may not be written to.
    """
    with _opened(folder) as file:
        try:
            _lock(file)
        except OSError:
            file.seek(0)
            holder = printable(file.read(200)) or "another process"
            raise MigrationError(
                f"a migration is going on already: {holder}",
                slug="migration-running",
                hint="look with `llm-audit migrate status`; Ctrl-C there leaves its batches going",
            ) from None
        file.seek(0)
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        file.flush()
        yield


def _opened(folder: Path) -> IO[str]:
    no_links = getattr(os, "O_NOFOLLOW", 0)  # Windows has none
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | no_links, 0o600)
    except OSError as error:
        raise MigrationError(
            f"cannot write {folder}: {error.strerror}",
            slug="migration-unwritable",
            hint="go on as the user who started it, where that folder may be written to; "
            "`llm-audit migrate status` only reads",
        ) from None
    return os.fdopen(handle, "r+", encoding="utf-8")
