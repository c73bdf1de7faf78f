"""Lines of a source log, read again: the log is looked at once, its digest checked on the way.

A log may have grown since it was ingested: of it only the part that was ingested is read. Where
the bytes are others, nothing of the file is used, as a line number then means nothing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from llm_audit.sources import documents
from llm_audit.sources.packed import (
    CHUNK,
    BrokenCompressionError,
    capped_lines,
    decompressed,
    read_head,
)


@dataclass(frozen=True)
class LogFile:
    """A log as `ingested_files` knows it. size: bytes; digest: XXH3 (128 bits) of them, hex.

    versions: how many contents of that path were ingested; the calls do not say of which they are.
    """

    path: str
    size: int | None
    digest: str | None
    versions: int


class SourceError(Exception):
    """A log cannot be used; `reason` is a code of `replay.toml`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def records(file: LogFile, wanted: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The records of a log with these numbers (ascending), each with its number.

    Numbers are those of ingest: lines, or records of a JSON document. Errors: `SourceError`, also
    after the last record: what was yielded before it must not be used then.
    """
    path = Path(file.path)
    if file.digest is None or file.size is None or not path.is_absolute():
        raise SourceError("source_gone")
    try:
        if not path.is_file():
            raise SourceError("source_gone")
        kind = documents.kind_of(read_head(path), file.path)
        if kind not in ("lines", "text", "json"):
            raise SourceError("source_kind")
        with path.open("rb", buffering=0) as raw:
            digested = _Digested(raw, file.size)
            yield from _select(io.BufferedReader(digested, CHUNK), kind, wanted)
            if digested.finish() != file.digest:
                raise SourceError("source_changed")
    except OSError:
        raise SourceError("source_gone") from None


def _select(
    raw: io.BufferedReader, kind: str, wanted: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    numbers = iter(wanted)
    target = next(numbers, None)
    try:
        with decompressed(raw) as stream:
            for number, record in _numbered(stream, kind):
                while target is not None and target < number:
                    target = next(numbers, None)
                if number == target:
                    yield number, record.strip()
                    target = next(numbers, None)
                if target is None:
                    return
    except BrokenCompressionError:
        # Ingest reads such a file up to the break, too; the digest covers all of it.
        return


def _numbered(stream: BinaryIO, kind: str) -> Iterator[tuple[int, bytes]]:
    if kind == "json":
        return ((record.number, record.json) for record in documents.json_records(stream))
    return enumerate(capped_lines(stream), start=1)


class _Digested(io.RawIOBase):
    """The first `size` bytes of a file, digested as they are read."""

    def __init__(self, raw: io.FileIO, size: int) -> None:
        import xxhash

        self._raw = raw
        self._left = size
        self._digest = xxhash.xxh3_128()

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        count = self._raw.readinto(memoryview(target)[: self._left]) if self._left else 0
        self._left -= count or 0
        self._digest.update(memoryview(target)[: count or 0])
        return count or 0

    def finish(self) -> str:
        """Read what is left, and tell the digest; "" when the file is shorter than it was."""
        buffer = bytearray(CHUNK)
        while self._left and self.readinto(buffer):
            pass
        return "" if self._left else str(self._digest.hexdigest())
