"""From files to segments: all input becomes newline-delimited JSON that DuckDB reads in one go.

A large plain `.jsonl` file is its own segment. Everything else (compressed, small, standard input,
JSON documents, CSV, Parquet, event streams) is copied into a spool file in a temporary folder,
with runs that say which source line each spool line came from. Lines are moved, not parsed.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

from llm_audit.ingest import documents

BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 20
SAMPLE = 1 << 17
PACKED_STEP = 1 << 12
"""Compressed bytes unpacked at a time; small, because hostile ones unpack to 30,000 times that."""
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
MAX_LINE = 64 << 20
"""Bytes. A longer line is rejected: one request body is at most 32 MB at either vendor."""


@dataclass(frozen=True)
class Reject:
    """One line that should have been a call. `excerpt` is printable and holds no message text."""

    source_file: str
    line: int
    reason: str
    excerpt: str


@dataclass(frozen=True)
class Run:
    """From segment line `first_ordinal` (0-based) on, lines come from here, one by one."""

    first_ordinal: int
    source_file: str
    first_line: int


@dataclass
class Segment:
    """Newline-delimited JSON on disk. `lines` is what DuckDB must return, line for line."""

    path: Path
    runs: list[Run] = field(default_factory=list)
    lines: int = 0
    longest: int = 0
    is_counted: bool = True
    """False for a large file, whose lines are counted while DuckDB reads it."""

    def origin(self, ordinal: int) -> tuple[str, int]:
        """The source file and line of a segment line."""
        low, high = 0, len(self.runs)
        while high - low > 1:
            middle = (low + high) // 2
            if self.runs[middle].first_ordinal <= ordinal:
                low = middle
            else:
                high = middle
        run = self.runs[low]
        return run.source_file, run.first_line + ordinal - run.first_ordinal


class LineCounter:
    """Counts lines and bounds the longest one, chunk by chunk.

    The bound is exact above one chunk and one chunk otherwise: enough to size a read buffer.
    """

    def __init__(self, *, is_counting: bool = True) -> None:
        self._is_counting = is_counting
        self.full_lines = 0
        self.open_bytes = 0
        self.open_is_blank = True
        self.longest = CHUNK

    def see(self, chunk: bytes | bytearray) -> None:
        """Take in the next piece of the file."""
        first = chunk.find(b"\n")
        if first >= 0:
            self.longest = max(self.longest, self.open_bytes + first)
            self.open_bytes, self.open_is_blank = 0, True
            if self._is_counting:
                self.full_lines += _breaks(chunk, first)
        rest = chunk[chunk.rfind(b"\n") + 1 :]
        self.open_bytes += len(rest)
        self.open_is_blank = self.open_is_blank and not rest.strip()
        self.longest = max(self.longest, self.open_bytes)

    @property
    def lines(self) -> int:
        """The last line counts whether or not a line break ends it."""
        return self.full_lines + (self.open_bytes > 0)


def _breaks(chunk: bytes | bytearray, first: int) -> int:
    """Line breaks from the first one on. Log lines are long: hopping beats `bytes.count`."""
    count, position = 0, first
    while position >= 0:
        count += 1
        position = chunk.find(b"\n", position + 1)
    return count


@dataclass(frozen=True)
class Scan:
    """What one quick pass over the raw bytes of a file tells."""

    digest: str
    size: int
    longest: int


def scan_file(path: Path, limit: int | None = None) -> Scan:
    """Digest a file (or its first `limit` bytes) and bound its longest line in one pass."""
    import xxhash

    # Recognises files, guards nothing: a fast hash will do.
    digest, lines, size = xxhash.xxh3_128(), LineCounter(is_counting=False), 0
    for chunk in _chunks(path, limit):
        digest.update(chunk)
        lines.see(chunk)
        size += len(chunk)
    return Scan(digest.hexdigest(), size, lines.longest)


def count_lines(path: Path, limit: int | None = None) -> LineCounter:
    """Count the lines of a file, or of its first `limit` bytes."""
    counter = LineCounter()
    for chunk in _chunks(path, limit):
        counter.see(chunk)
    return counter


def _chunks(path: Path, limit: int | None) -> Iterator[bytes | bytearray]:
    """The bytes of a file, in a buffer that is used again."""
    buffer, left = bytearray(CHUNK), limit
    with path.open("rb", buffering=0) as file:
        while left != 0 and (count := file.readinto(buffer)):
            if left is not None:
                count = min(count, left)
                left -= count
            yield buffer if count == CHUNK else buffer[:count]


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
    with path.open("rb") as raw:
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


class Spool:
    """A segment being written."""

    def __init__(self, path: Path) -> None:
        self.segment = Segment(path)
        self._file = path.open("wb")

    def add(self, line: bytes, source_file: str, source_line: int) -> None:
        """Append one record (a JSON value without line breaks)."""
        self._follow(source_file, source_line)
        self._file.write(line + b"\n")
        self.segment.lines += 1
        self.segment.longest = max(self.segment.longest, len(line))

    def copy(self, stream: BinaryIO, source_file: str) -> int:
        """Append a stream of lines without looking into them; returns how many."""
        self._follow(source_file, 1)
        counter = LineCounter()
        while chunk := stream.read(CHUNK):
            self._file.write(chunk)
            counter.see(chunk)
        if counter.open_bytes:
            self._file.write(b"\n")
        self.segment.lines += counter.lines
        self.segment.longest = max(self.segment.longest, counter.longest)
        return counter.lines

    def close(self) -> Segment:
        """Finish writing."""
        self._file.close()
        return self.segment

    def _follow(self, source_file: str, source_line: int) -> None:
        """Say where the next line comes from; nothing when it follows on from the last."""
        runs, ordinal = self.segment.runs, self.segment.lines
        if not runs or self.segment.origin(ordinal) != (source_file, source_line):
            runs.append(Run(ordinal, source_file, source_line))


def careful_copy(
    segment: Segment, target: Path, skip_lines: Mapping[str, int]
) -> tuple[Segment, list[Reject], dict[str, int]]:
    """Copy a segment line by line, leaving out blank lines and turning away what is not JSON.

    For the rare segment of which DuckDB returns another number of rows than it has lines: blank
    lines, two values on one line, a line over `MAX_LINE`. Third result: blank lines per file. Of
    the first `skip_lines` lines of a file nothing is told: they were accounted for before.
    """
    spool, rejects, blanks = Spool(target), [], dict[str, int]()
    for ordinal, line in enumerate(iterate_lines(segment.path)):
        source_file, source_line = segment.origin(ordinal)
        is_new = source_line > skip_lines[source_file]
        if not line.strip():
            blanks[source_file] = blanks.get(source_file, 0) + is_new
            continue
        too_long = len(line) >= MAX_LINE
        problem = "longer than 64 MiB" if too_long else documents.json_problem(line)
        if problem and is_new:
            rejects.append(Reject(source_file, source_line, problem, documents.excerpt(line)))
        elif not problem:
            spool.add(line.strip(), source_file, source_line)
    return spool.close(), rejects, blanks


def iterate_lines(path: Path) -> Iterator[bytes]:
    """The lines of a segment; of one over `MAX_LINE` only the first `MAX_LINE` bytes."""
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            yield line
            while len(line) == MAX_LINE and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE)
