"""From files to segments: all input becomes newline-delimited JSON that DuckDB reads in one go.

A large plain `.jsonl` file is its own segment. Everything else (compressed, small, standard input,
JSON documents, CSV, Parquet, event streams) is copied into a spool file in a temporary folder,
with runs that say which source line each spool line came from. Lines are moved, not parsed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from llm_audit.ingest import documents

BOM = b"\xef\xbb\xbf"
CHUNK = 1 << 20
SAMPLE = 1 << 17
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

    def __init__(self) -> None:
        self.full_lines = 0
        self.open_bytes = 0
        self.longest = CHUNK

    def see(self, chunk: bytes) -> None:
        """Count the next piece of the file."""
        count = chunk.count(b"\n")
        if count:
            self.longest = max(self.longest, self.open_bytes + chunk.find(b"\n"))
            self.open_bytes = len(chunk) - chunk.rfind(b"\n") - 1
            self.full_lines += count
        else:
            self.open_bytes += len(chunk)
        self.longest = max(self.longest, self.open_bytes)

    @property
    def lines(self) -> int:
        """The last line counts whether or not a line break ends it."""
        return self.full_lines + (self.open_bytes > 0)


@dataclass(frozen=True)
class Scan:
    """What one pass over the raw bytes of a file tells."""

    digest: str
    size: int
    full_lines: int
    lines: int
    longest: int


def scan_file(path: Path, limit: int | None = None) -> Scan:
    """Digest a file (or its first `limit` bytes) and count its lines in one pass."""
    sha256, counter, size = hashlib.sha256(), LineCounter(), 0
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK if limit is None else min(CHUNK, limit - size)):
            sha256.update(chunk)
            counter.see(chunk)
            size += len(chunk)
    return Scan(sha256.hexdigest(), size, counter.full_lines, counter.lines, counter.longest)


class BrokenCompressionError(Exception):
    """A compressed file ends or breaks in the middle."""


@contextmanager
def open_decompressed(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading; gzip and zstd are told by their first bytes, not by the name.

    Errors while reading: `BrokenCompressionError`.
    """
    import zstandard

    with path.open("rb") as raw:
        magic = raw.peek(4)[:4]
        try:
            if magic[:2] == GZIP:
                yield cast("BinaryIO", io.BufferedReader(gzip.GzipFile(fileobj=raw), CHUNK))
            elif magic == ZSTD:
                reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
                yield cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", reader), CHUNK))
            else:
                yield raw
        except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
            raise BrokenCompressionError(str(error)) from None


def is_compressed(path: Path) -> bool:
    """gzip or zstd, by the first bytes."""
    with path.open("rb") as file:
        magic = file.read(4)
    return magic[:2] == GZIP or magic == ZSTD


def read_head(path: Path) -> bytes:
    """The first decompressed bytes of a file, without a byte order mark."""
    try:
        with open_decompressed(path) as stream:
            return stream.read(SAMPLE).removeprefix(BOM)
    except BrokenCompressionError:
        return b""


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
        """Append a stream of lines without looking into them; returns how many.

        Errors: `BrokenCompressionError`, after the whole lines before the break were appended.
        """
        self._follow(source_file, 1)
        counter, before = LineCounter(), self.segment.lines
        try:
            while chunk := stream.read(CHUNK):
                self._file.write(chunk)
                counter.see(chunk)
        except BrokenCompressionError:
            self._drop_open_line(counter)
            raise
        finally:
            if counter.open_bytes:
                self._file.write(b"\n")
            self.segment.lines += counter.lines
            self.segment.longest = max(self.segment.longest, counter.longest)
        return self.segment.lines - before

    def close(self) -> Segment:
        """Finish writing."""
        self._file.close()
        return self.segment

    def _follow(self, source_file: str, source_line: int) -> None:
        """Say where the next line comes from; nothing when it follows on from the last."""
        runs, ordinal = self.segment.runs, self.segment.lines
        if not runs or self.segment.origin(ordinal) != (source_file, source_line):
            runs.append(Run(ordinal, source_file, source_line))

    def _drop_open_line(self, counter: LineCounter) -> None:
        self._file.flush()
        self._file.seek(-counter.open_bytes, io.SEEK_END)
        self._file.truncate()
        counter.open_bytes = 0


def careful_copy(segment: Segment, target: Path) -> tuple[Segment, list[Reject], dict[str, int]]:
    """Copy a segment line by line, leaving out blank lines and turning away what is not JSON.

    For the rare segment of which DuckDB returns another number of rows than it has lines: blank
    lines, two values on one line, a line over `MAX_LINE`. Third result: blank lines per file.
    """
    spool, rejects, blanks = Spool(target), [], dict[str, int]()
    for ordinal, line in enumerate(iterate_lines(segment.path)):
        source_file, source_line = segment.origin(ordinal)
        if not line.strip():
            blanks[source_file] = blanks.get(source_file, 0) + 1
            continue
        too_long = len(line) >= MAX_LINE
        problem = "longer than 64 MiB" if too_long else documents.json_problem(line)
        if problem:
            rejects.append(Reject(source_file, source_line, problem, documents.excerpt(line)))
        else:
            spool.add(line.strip(), source_file, source_line)
    return spool.close(), rejects, blanks


def iterate_lines(path: Path) -> Iterator[bytes]:
    """The lines of a segment; of one over `MAX_LINE` only the first `MAX_LINE` bytes."""
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            yield line
            while len(line) == MAX_LINE and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE)
