"""One transaction's worth of files: routes their lines to segments by format, then loads them."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.errors import EngineError, InputError
from llm_audit.formats import Format, detect
from llm_audit.ingest import segments
from llm_audit.ingest.accounts import Account
from llm_audit.ingest.loading import Loader
from llm_audit.ingest.pages import PageEnd
from llm_audit.ingest.segments import Reject, Run, Scan, Segment, Spool
from llm_audit.sources import documents, packed
from llm_audit.sources.documents import Record
from llm_audit.sources.local import STDIN, SourceFile
from llm_audit.sources.packed import BrokenCompressionError
from llm_audit.text import printable
from llm_audit.workspace import discard_unbooked

if TYPE_CHECKING:
    import duckdb

DIRECT_BYTES = 1 << 20
"""A plain file at least this large is read where it lies; smaller ones are gathered first, because
opening thousands of files costs DuckDB more than reading them."""

SAMPLE_RECORDS = 20
"""How many of its first records settle what a file is."""


@dataclass(frozen=True)
class Known:
    """The files that earlier ingests have read: path -> (size, mtime, digest); digest -> lines."""

    files: Mapping[str, tuple[int, float, str]]
    digests: Mapping[str, int]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Known:
        """What the database knows now."""
        rows = connection.execute(
            "SELECT path, size, mtime, digest, lines FROM ingested_files ORDER BY rowid"
        ).fetchall()
        return cls({row[0]: row[1:4] for row in rows}, {row[3]: row[4] for row in rows})

    def is_unchanged(self, source: SourceFile) -> bool:
        """Same path, size and time as when it was read; its bytes need not be looked at."""
        size, mtime, _ = self.files.get(source.name, (None, None, None))
        return source.path != STDIN and (size, mtime) == (source.size, source.mtime)

    def has_same_bytes(self, path: str, digest: str) -> bool:
        """The file was only touched."""
        return self.files.get(path, (0, 0.0, ""))[2] == digest


class Batch:
    """Files of one transaction: segments by format, and an account per file."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        formats: Mapping[str, Format],
        known: Known,
    ) -> None:
        self.folder = folder
        self.bytes = 0
        self.unchanged = 0
        self.skipped: list[tuple[str, str]] = []
        self.unknown: list[str] = []
        self._connection = connection
        self._formats = formats
        self._known = known
        self._accounts: dict[str, Account] = {}
        self._originals: dict[str, Account] = {}
        self._copies: list[Account] = []
        self._segments: dict[str, list[Segment]] = {}
        self._spools: dict[str, Spool] = {}
        self._rejects: list[Reject] = []
        self._loader = Loader(connection, self._accounts, formats, folder)
        # What lines of no known format are read as: the second look then says why they are none.
        self._any_format = next(
            (name for name, format_ in formats.items() if not format_.is_export), ""
        )

    @property
    def page_ends(self) -> list[PageEnd]:
        """Where the pages of exports in these files end."""
        return self._loader.exports.page_ends

    def take_in(self, source: SourceFile) -> None:
        """Open an account for a file and route its lines to the segments of their formats."""
        path = stored_input(source, self.folder)
        if source.path == STDIN:
            source = replace(source, path="stdin", size=path.stat().st_size)
        scan = segments.scan_file(path)
        self.bytes += scan.size
        if self._known.has_same_bytes(source.name, scan.digest):
            self.unchanged += 1
            return
        head = packed.read_head(path)
        if not head.strip():
            self.skipped.append((source.name, "empty"))
            return
        account = Account(source.name, scan.size, source.mtime, scan.digest, source.explicit)
        kind = documents.kind_of(head, source.name)
        if scan.digest in self._known.digests or scan.digest in self._originals:
            self._accounts[account.path] = account
            self._copies.append(account)
        elif kind in ("lines", "text"):
            self._take_lines(account, path, head, kind, scan)
        else:
            self._take_records(account, path, kind)

    def commit(self) -> list[Account]:
        """Load everything and book it in one transaction; all counts must close."""
        import duckdb

        for name, spool in self._spools.items():
            self._segments.setdefault(name, []).insert(0, spool.close())
        try:
            self._loader.reject(self._rejects)
            for name in sorted(self._segments):
                self._loader.load(self._formats[name], self._segments[name])
            self._loader.load_exports()
            self._count_copies()
            self._connection.begin()
            self._reopen_last_lines()
            self._loader.book()
            for account in self._accounts.values():
                self._write(account)
            self._connection.commit()
        except BaseException:
            with suppress(duckdb.Error):
                self._connection.rollback()
            discard_unbooked(self._connection)
            raise
        return list(self._accounts.values())

    def _open(self, account: Account) -> None:
        self._accounts[account.path] = account
        self._originals[account.digest] = account

    def _count_copies(self) -> None:
        """Files whose bytes were read under another name: all their lines are duplicates."""
        for copy in self._copies:
            original = self._originals.get(copy.digest)
            copy.lines = (
                original.lines_before + original.lines
                if original
                else self._known.digests[copy.digest]
            )
            copy.duplicates = copy.lines

    def _spool(self, name: str) -> Spool:
        if name not in self._spools:
            self._spools[name] = self._loader.new_spool()
        return self._spools[name]

    def _take_lines(self, account: Account, path: Path, head: bytes, kind: str, scan: Scan) -> None:
        """A file of one JSON object a line."""
        format_ = self._format_of(head)
        if format_ is None and (account.explicit or kind == "text"):
            self._turn_away(account, _sample(head), kind)
            return
        if (format_ and format_.is_export) or not self._any_format:
            self._take_records(account, path, "lines")
            return
        self._open(account)
        # Of an unknown format every line is rejected with the keys seen: the second look says why.
        name = format_.name if format_ else self._any_format
        if not packed.is_compressed(path):
            account.skip_lines = self._lines_already_read(account, path)
        if _can_lie(path, scan):
            run = Run(0, account.path, 1)
            segment = Segment(path, [run], longest=scan.longest, is_counted=False)
            self._segments.setdefault(name, []).append(segment)
        else:
            account.lines += self._copy(path, self._spool(name), account)
        account.lines -= account.skip_lines

    def _copy(self, path: Path, spool: Spool, account: Account) -> int:
        lines = 0
        try:
            with packed.open_decompressed(path) as stream:
                lines = spool.copy(stream, account.path)
        except BrokenCompressionError as error:
            lines += 1
            problem = f"the compressed file is broken from here on: {error}"
            self._rejects.append(Reject(account.path, lines, problem, ""))
        return lines

    def _take_records(self, account: Account, path: Path, kind: str) -> None:
        """A document or an export: each record goes to the segment of its own format."""
        records = self._records(path, kind)
        first = list(itertools.islice(records, SAMPLE_RECORDS))
        sample = [json.loads(record.json) for record in first if not record.problem]
        if not first:
            self._take_header(account, path, kind)
            return
        if account.explicit and sample and not any(map(self._detect, sample)):
            self._turn_away(account, sample, "")
            return
        self._open(account)
        is_document = kind not in ("lines", "csv")
        for record in itertools.chain(first, records):
            account.lines += self._take_record(account, record, is_document=is_document)

    def _take_record(self, account: Account, record: Record, *, is_document: bool) -> int:
        """Route one record; returns how many it is: a page of an export holds several."""
        is_readable = not record.problem or bool(record.lacking)
        format_ = self._detect(json.loads(record.json)) if is_readable else None
        only = next(iter(self._formats.values())) if not self._any_format else None
        home = format_ or (only if is_readable else None)
        if home and home.is_export and record.lacking <= home.may_lack:
            return self._loader.exports.take(
                home, record.json, account.path, record.number, is_document=is_document
            )
        if record.problem:
            excerpt = documents.excerpt(record.json)
            self._rejects.append(Reject(account.path, record.number, record.problem, excerpt))
            return 1
        name = format_.name if format_ else self._any_format
        self._spool(name).add(record.json, account.path, record.number)
        return 1

    def _take_header(self, account: Account, path: Path, kind: str) -> None:
        """A file without records. An export of a period without usage is known all the same."""
        header = documents.csv_header(packed.read_head(path)) if kind == "csv" else {}
        format_ = self._detect(header)
        if format_ is None or not format_.is_export:
            self.skipped.append((account.path, "no records"))
            return
        self._open(account)
        self._loader.exports.see(format_, account.path)
        account.formats.add(format_.name)

    def _records(self, path: Path, kind: str) -> Iterator[Record]:
        if kind == "parquet":
            yield from self._parquet_records(path)
            return
        number = 0
        try:
            with packed.open_decompressed(path) as stream:
                for record in documents.READERS[kind](stream):
                    number = record.number
                    yield record
        except BrokenCompressionError as error:
            problem = f"the compressed file is broken from here on: {error}"
            yield Record(number + 1, b"", problem)

    def _parquet_records(self, path: Path) -> Iterator[Record]:
        import duckdb

        try:
            target = documents.parquet_lines(self._connection, path, self.folder)
        except duckdb.Error as error:
            yield Record(1, b"", f"not a Parquet file: {str(error).splitlines()[0]}")
            return
        for number, line in enumerate(segments.iterate_lines(target), start=1):
            yield Record(number, line.rstrip(b"\n"))

    def _format_of(self, head: bytes) -> Format | None:
        """The format of most of a file's first records; the others are found when it is loaded."""
        if len(self._formats) == 1:
            return next(iter(self._formats.values()))
        votes = Counter(found.name for record in _sample(head) if (found := self._detect(record)))
        return self._formats[votes.most_common(1)[0][0]] if votes else None

    def _detect(self, record: object) -> Format | None:
        """The format of a record; None too where two fit, which the second look says."""
        try:
            return detect(record, self._formats)
        except InputError:
            return None

    def _turn_away(self, account: Account, sample: list[Any], kind: str) -> None:
        """A file in which nothing is recognised is not booked: the user must choose a format."""
        if account.explicit:
            self.unknown.append(f"{account.path} ({self._why_unknown(sample)})")
        else:
            self.skipped.append((account.path, f"{kind}: no JSON, CSV or event stream"))

    def _why_unknown(self, sample: list[Any]) -> str:
        record = next((record for record in sample if isinstance(record, dict)), {})
        try:
            detect(record, self._formats)
        except InputError as error:
            return error.message
        keys = ", ".join(printable(key, 24) for key in list(record)[:8])
        return f"keys seen: {keys}" if keys else "no JSON, CSV or event stream"

    def _lines_already_read(self, account: Account, path: Path) -> int:
        """How many lines of a file that grew were read before; 0 for a new or rewritten file."""
        size, _, digest = self._known.files.get(account.path, (0, 0.0, ""))
        if not 0 < size < account.size:
            return 0
        if segments.scan_file(path, limit=size).digest != digest:
            return 0
        prefix = segments.count_lines(path, limit=size)
        account.grown_from = digest
        account.formats = self._formats_of(account.path, digest)
        account.lines_before = self._known.digests[digest]
        if prefix.open_is_blank:
            return prefix.full_lines
        if self._is_rejected(account.path, prefix.lines):
            account.reopened_line = prefix.lines
            account.lines_before -= 1
            return prefix.full_lines
        return prefix.lines

    def _formats_of(self, path: str, digest: str) -> set[str]:
        rows = self._connection.execute(
            "SELECT format FROM ingested_files WHERE path = ? AND digest = ?", [path, digest]
        ).fetchall()
        return {name for (names,) in rows if names for name in names.split(",")}

    def _is_rejected(self, path: str, line: int) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM rejects WHERE source_file = ? AND line_number = ?", [path, line]
        ).fetchall()
        return bool(found)

    def _reopen_last_lines(self) -> None:
        """A line that was cut off when the file was shorter is read again, now whole."""
        for account in self._accounts.values():
            if account.reopened_line:
                deleted = self._connection.execute(
                    "DELETE FROM rejects WHERE source_file = ? AND line_number = ?",
                    [account.path, account.reopened_line],
                ).fetchone()
                # More than one where the line was a page of an export.
                count = deleted[0] if deleted else 0
                self._connection.execute(
                    "UPDATE ingested_files SET lines = lines - ?, rejects = rejects - ? "
                    "WHERE rowid = (SELECT max(rowid) FROM ingested_files "
                    "WHERE path = ? AND digest = ?)",
                    [count, count, account.path, account.grown_from],
                )

    def _write(self, account: Account) -> None:
        """Book one file. A path that was rewritten has several rows: the latest one grows."""
        if not account.closes():
            raise EngineError(
                f"{account.path}: {account.lines} lines, but {account.calls} calls + "
                f"{account.rejects} rejects + {account.duplicates} duplicates + "
                f"{account.not_calls} lines without a call",
                slug="counts-do-not-close",
                hint="please report this as a bug; nothing of this batch was written",
            )
        counts = [
            account.lines,
            account.calls,
            account.rejects,
            account.duplicates,
            account.not_calls,
        ]
        format_names = ",".join(sorted(account.formats)) or None
        if account.grown_from:
            self._connection.execute(
                "UPDATE ingested_files SET size = ?, mtime = ?, digest = ?, format = ?, "
                "lines = lines + ?, "
                "calls = calls + ?, rejects = rejects + ?, duplicates = duplicates + ?, "
                "not_calls = not_calls + ? WHERE rowid = "
                "(SELECT max(rowid) FROM ingested_files WHERE path = ? AND digest = ?)",
                [
                    account.size,
                    account.mtime,
                    account.digest,
                    format_names,
                    *counts,
                    account.path,
                    account.grown_from,
                ],
            )
            return
        self._connection.execute(
            "INSERT INTO ingested_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [account.path, account.size, account.mtime, account.digest, format_names, *counts],
        )


def stored_input(source: SourceFile, folder: Path) -> Path:
    """Where the bytes of a source are: standard input is kept, as it is read more than once."""
    if source.path != STDIN:
        return Path(source.path)
    path = folder / "stdin"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, packed.CHUNK)
    return path


def _sample(head: bytes) -> list[Any]:
    """The first parsable JSON records of a file's head, for detection."""
    lines = (line for line in head.splitlines() if not documents.json_problem(line))
    return [json.loads(line) for line in itertools.islice(lines, SAMPLE_RECORDS)]


def _can_lie(path: Path, scan: Scan) -> bool:
    """Whether DuckDB may read a file where it lies, under its own name."""
    name = str(path)
    return (
        scan.size >= DIRECT_BYTES
        and name.isprintable()
        and not set("*?[{") & set(name)
        and not packed.is_compressed(path)
        and not _has_bom(path)
    )


def _has_bom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(packed.BOM)) == packed.BOM
