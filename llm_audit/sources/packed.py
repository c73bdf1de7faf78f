"""What is in a log file, packed or not: its bytes behind gzip, zstd and a byte order mark.

Both `ingest` and `migrate` read logs through here, so that a line has one number for both.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 20
SAMPLE = 1 << 17
PACKED_STEP = 1 << 12
"""Compressed bytes unpacked at a time; small, because hostile ones unpack to 30,000 times that."""
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
MAX_LINE = 64 << 20
"""Bytes. A longer line is rejected: one request body is at most 32 MB at either vendor."""


class BrokenCompressionError(Exception):
    """A compressed file ends or breaks in the middle."""


class _Unpacked(io.RawIOBase):
    """A gzip or zstd file being unpacked; it ends where the packed bytes break: `problem`."""

    def __init__(self, packed: BinaryIO, new_unpacker: Callable[[], Any]) -> None:
        self.problem = ""
        self._packed = packed
        self._new_unpacker = new_unpacker
        self._unpacker = new_unpacker()
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._ready and not self.problem:
            if not self._unpack_more():
                return 0
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _unpack_more(self) -> bool:
        """Unpack the next step, over the border of one member or frame into the next."""
        is_between = self._unpacker.eof
        packed = (is_between and self._unpacker.unused_data) or self._packed.read(PACKED_STEP)
        if not packed:
            self.problem = "" if is_between else "it ends in the middle"
            return False
        if is_between:
            self._unpacker = self._new_unpacker()
        try:
            self._ready = memoryview(self._unpacker.decompress(packed))
        except Exception as error:  # zlib.error or zstandard.ZstdError, which have no common base
            self.problem = str(error) or type(error).__name__
        return True


@contextmanager
def open_decompressed(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, behind a byte order mark; unpacked if it is gzip or zstd.

    Compression is told by the first bytes, not by the name. A packed file that breaks can be read
    up to the break. Errors: `BrokenCompressionError` then, at the end of the `with` block.
    """
    with path.open("rb") as raw, decompressed(raw) as stream:
        yield stream


@contextmanager
def decompressed(raw: io.BufferedReader) -> Iterator[BinaryIO]:
    """The same for bytes that come from elsewhere, or are looked at on their way."""
    unpacked = _unpacked(raw)
    stream = io.BufferedReader(unpacked, CHUNK) if unpacked else raw
    if stream.peek(len(BOM)).startswith(BOM):
        stream.read(len(BOM))
    yield cast("BinaryIO", stream)
    if unpacked and unpacked.problem:
        raise BrokenCompressionError(unpacked.problem)


def _unpacked(raw: io.BufferedReader) -> _Unpacked | None:
    import zstandard

    magic = raw.peek(4)
    if magic.startswith(GZIP):
        return _Unpacked(raw, lambda: zlib.decompressobj(wbits=31))
    if magic.startswith(ZSTD):
        return _Unpacked(raw, lambda: zstandard.ZstdDecompressor().decompressobj())
    return None


def is_compressed(path: Path) -> bool:
    """gzip or zstd, by the first bytes."""
    with path.open("rb") as file:
        magic = file.read(4)
    return magic[:2] == GZIP or magic == ZSTD


def read_head(path: Path) -> bytes:
    """The first unpacked bytes of a file, to the end of a line (of at most `MAX_LINE`)."""
    head = b""
    try:
        with open_decompressed(path) as stream:
            head = stream.read(SAMPLE)
            head += stream.readline(MAX_LINE)
    except BrokenCompressionError:
        return head
    return head


def capped_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream; of one over `MAX_LINE` only the first `MAX_LINE` bytes."""
    while line := stream.readline(MAX_LINE):
        yield line
        while len(line) == MAX_LINE and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE)
