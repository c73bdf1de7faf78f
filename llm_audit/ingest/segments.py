"""From files to segments: all input becomes newline-delimited JSON that DuckDB reads in one go.

A large plain `.jsonl` file is its own segment. Everything else (compressed, small, standard input,
JSON documents, CSV, Parquet, event streams) is copied into a spool file in a temporary folder,
with runs that say which source line each spool line came from. Lines are moved, not parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from llm_audit.sources import documents
from llm_audit.sources.packed import CHUNK, MAX_LINE, capped_lines


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
        yield from capped_lines(file)
