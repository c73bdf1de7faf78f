"""One transaction's worth of files: routes their lines to segments by format, then loads them."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.errors import EngineError, InputError
from llm_audit.formats import Format, detect
from llm_audit.ingest import documents, segments
from llm_audit.ingest.documents import Record
from llm_audit.ingest.loading import Account, Loader
from llm_audit.ingest.segments import BrokenCompressionError, Reject, Run, Scan, Segment, Spool
from llm_audit.sources.local import STDIN, SourceFile
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb

DIRECT_BYTES = 1 << 20
"""A plain file at least this large is read where it lies; smaller ones are gathered first, because
opening thousands of files costs DuckDB more than reading them."""


@dataclass(frozen=True)
class Known:
    """The files that earlier ingests have read: path -> (size, mtime, digest), and all digests."""

    files: Mapping[str, tuple[int, float, str]]
    digests: frozenset[str]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection) -> Known:
        """What the database knows now."""
        rows = connection.execute(
            "SELECT path, size, mtime, digest FROM ingested_files ORDER BY rowid"
        ).fetchall()
        return cls({row[0]: row[1:] for row in rows}, frozenset(row[3] for row in rows))

    def is_unchanged(self, source: SourceFile) -> bool:
        """Same path, size and time as when it was read; its bytes need not be looked at."""
        size, mtime, _ = self.files.get(source.path, (None, None, None))
        return source.path != STDIN and (size, mtime) == (source.size, source.mtime)


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
        self.skipped: list[tuple[str, str]] = []
        self.unknown: list[str] = []
        self._connection = connection
        self._formats = formats
        self._known = known
        self._digests = set(known.digests)
        self._accounts: dict[str, Account] = {}
        self._segments: dict[str, list[Segment]] = {}
        self._spools: dict[str, Spool] = {}
        self._rejects: list[Reject] = []
        self._loader = Loader(connection, self._accounts, formats, folder)

    def take_in(self, source: SourceFile) -> None:
        """Open an account for a file and route its lines to the segments of their formats."""
        path, source = self._on_disk(source)
        scan = segments.scan_file(path)
        self.bytes += scan.size
        head = segments.read_head(path)
        if not head.strip() and not segments.is_compressed(path):
            self.skipped.append((source.path, "empty"))
            return
        account = Account(source.path, scan.size, source.mtime, scan.digest, source.explicit)
        kind = documents.kind_of(head, source.path)
        if scan.digest in self._digests:
            self._take_copy(account, path, kind)
        elif kind in ("lines", "text"):
            self._take_lines(account, path, head, kind, scan)
        else:
            self._take_records(account, self._records(path, kind))
        self._digests.add(scan.digest)

    def commit(self) -> list[Account]:
        """Load everything in one transaction and return the accounts; all counts must close."""
        if not self._accounts:
            return []
        for name, spool in self._spools.items():
            self._segments.setdefault(name, []).insert(0, spool.close())
        self._connection.begin()
        try:
            self._reopen_last_lines()
            self._loader.book_rejects(self._rejects)
            for name in sorted(self._segments):
                self._loader.load(self._formats[name], self._segments[name])
            for account in self._accounts.values():
                self._write(account)
            self._connection.commit()
        except BaseException:
            self._connection.rollback()
            raise
        return list(self._accounts.values())

    def _on_disk(self, source: SourceFile) -> tuple[Path, SourceFile]:
        """Standard input is kept in a temporary file: it is read more than once."""
        if source.path != STDIN:
            return Path(source.path), source
        path = self.folder / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, segments.CHUNK)
        return path, replace(source, path="stdin", size=path.stat().st_size)

    def _spool(self, name: str) -> Spool:
        if name not in self._spools:
            self._spools[name] = self._loader.new_spool()
        return self._spools[name]

    def _take_copy(self, account: Account, path: Path, kind: str) -> None:
        """A file whose bytes were read under another name: all its lines are duplicates."""
        self._accounts[account.path] = account
        if kind in ("lines", "text"):
            with segments.open_decompressed(path) as stream:
                account.lines = sum(1 for line in stream if line.strip())
        else:
            account.lines = sum(1 for _ in self._records(path, kind))
        account.duplicates = account.lines

    def _take_lines(self, account: Account, path: Path, head: bytes, kind: str, scan: Scan) -> None:
        """A file of one JSON object a line."""
        format_ = self._format_of(head, account)
        if format_ is None and (account.explicit or kind == "text"):
            self._turn_away(account, head, kind)
            return
        self._accounts[account.path] = account
        # Of an unknown format every line is rejected with the keys seen: the second look says why.
        name = format_.name if format_ else next(iter(self._formats))
        compressed = segments.is_compressed(path)
        if not compressed:
            account.skip_lines = self._lines_already_read(account, path)
        is_direct = (
            not compressed
            and scan.size >= DIRECT_BYTES
            and not set("*?[{") & set(str(path))
            and not _has_bom(path)
        )
        if is_direct:
            lines = scan.lines
            run = Run(0, account.path, 1)
            segment = Segment(path, [run], scan.lines, scan.longest)
            self._segments.setdefault(name, []).append(segment)
        else:
            lines = self._copy(path, self._spool(name), account)
        account.lines += lines - account.skip_lines

    def _copy(self, path: Path, spool: Spool, account: Account) -> int:
        before = spool.segment.lines
        try:
            with segments.open_decompressed(path) as stream:
                if _has_bom(path):
                    stream.read(len(segments.BOM))
                return spool.copy(stream, account.path)
        except BrokenCompressionError as error:
            lines = spool.segment.lines - before
            self._rejects.append(
                Reject(account.path, lines + 1, f"compressed file is cut off: {error}", "")
            )
            return lines + 1

    def _take_records(self, account: Account, records: Iterator[Record]) -> None:
        """A document: each record goes to the segment of its own format."""
        self._accounts[account.path] = account
        found = False
        seen: list[Record] = []
        for record in records:
            account.lines += 1
            if record.problem:
                excerpt = documents.excerpt(record.json)
                self._rejects.append(Reject(account.path, record.number, record.problem, excerpt))
                continue
            format_ = self._detect(json.loads(record.json), account)
            found = found or format_ is not None
            seen = seen or [record]
            name = format_.name if format_ else next(iter(self._formats))
            self._spool(name).add(record.json, account.path, record.number)
        if account.lines == 0:
            del self._accounts[account.path]
            self.skipped.append((account.path, "no records"))
        elif not found and account.explicit and seen:
            self.unknown.append(f"{account.path} (keys seen: {_keys_seen(seen[0].json)})")

    def _records(self, path: Path, kind: str) -> Iterator[Record]:
        if kind == "parquet":
            yield from self._parquet_records(path)
            return
        number = 0
        try:
            with segments.open_decompressed(path) as stream:
                if _has_bom(path):
                    stream.read(len(segments.BOM))
                for record in documents.READERS[kind](stream):
                    number = record.number
                    yield record
        except BrokenCompressionError as error:
            yield Record(number + 1, b"", f"compressed file is cut off: {error}")

    def _parquet_records(self, path: Path) -> Iterator[Record]:
        """DuckDB writes the rows as JSON lines; a name with glob characters must not match more."""
        import duckdb

        source, target = self.folder / "table.parquet", self.folder / "table.jsonl"
        shutil.copyfile(path, source)
        try:
            rows = self._connection.read_parquet(str(source))
            self._connection.register("parquet_rows", rows)
            self._connection.execute(f"COPY parquet_rows TO '{_quoted(target)}' (FORMAT json)")
        except duckdb.Error as error:
            yield Record(1, b"", f"not a Parquet file: {str(error).splitlines()[0]}")
            return
        for number, line in enumerate(segments.iterate_lines(target), start=1):
            yield Record(number, line.rstrip(b"\n"))

    def _format_of(self, head: bytes, account: Account) -> Format | None:
        """The format of most of a file's first records; the others are found when it is loaded."""
        if len(self._formats) == 1:
            return next(iter(self._formats.values()))
        votes = Counter(
            format_.name
            for record in _sample(head)
            if (format_ := self._detect(record, account)) is not None
        )
        return self._formats[votes.most_common(1)[0][0]] if votes else None

    def _detect(self, record: object, account: Account) -> Format | None:
        try:
            return detect(record, self._formats)
        except InputError as error:
            raise InputError(
                f"{account.path}: {error.message}", slug=error.slug, hint=error.hint
            ) from None

    def _turn_away(self, account: Account, head: bytes, kind: str) -> None:
        if account.explicit:
            keys = _keys_seen(next((json.dumps(r).encode() for r in _sample(head)), b"{}"))
            reason = f"keys seen: {keys}" if keys else "no JSON, CSV or event stream"
            self.unknown.append(f"{account.path} ({reason})")
        else:
            self.skipped.append((account.path, f"{kind}: no JSON, CSV or event stream"))

    def _lines_already_read(self, account: Account, path: Path) -> int:
        """How many lines of a file that grew were read before; 0 for a new or rewritten file."""
        size, _, digest = self._known.files.get(account.path, (0, 0.0, ""))
        if not 0 < size < account.size:
            return 0
        prefix = segments.scan_file(path, limit=size)
        if prefix.digest != digest:
            return 0
        account.grown_from = digest
        if prefix.lines > prefix.full_lines and self._is_rejected(account.path, prefix.lines):
            account.reopened_line = prefix.lines
            return prefix.full_lines
        return prefix.lines

    def _is_rejected(self, path: str, line: int) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM rejects WHERE source_file = ? AND line_number = ?", [path, line]
        ).fetchone()
        return found is not None

    def _reopen_last_lines(self) -> None:
        """A line that was cut off when the file was shorter is read again, now whole."""
        for account in self._accounts.values():
            if account.reopened_line:
                self._connection.execute(
                    "DELETE FROM rejects WHERE source_file = ? AND line_number = ?",
                    [account.path, account.reopened_line],
                )
                self._connection.execute(
                    "UPDATE ingested_files SET lines = lines - 1, rejects = rejects - 1 "
                    "WHERE path = ? AND digest = ?",
                    [account.path, account.grown_from],
                )

    def _write(self, account: Account) -> None:
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
                "UPDATE ingested_files SET size = ?, mtime = ?, digest = ?, lines = lines + ?, "
                "calls = calls + ?, rejects = rejects + ?, duplicates = duplicates + ?, "
                "not_calls = not_calls + ? WHERE path = ? AND digest = ?",
                [
                    account.size,
                    account.mtime,
                    account.digest,
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


def _sample(head: bytes) -> list[object]:
    """The first parsable JSON records of a file's head (at most 20), for detection."""
    records: list[object] = []
    for line in head.splitlines()[:60]:
        if len(records) == 20:
            break
        try:
            records.append(json.loads(line))
        except (ValueError, RecursionError):
            continue
    return records


def _has_bom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == segments.BOM


def _keys_seen(line: bytes) -> str:
    record = json.loads(line)
    keys = list(record)[:8] if isinstance(record, dict) else []
    return ", ".join(printable(str(key), 24) for key in keys)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
