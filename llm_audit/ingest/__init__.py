"""Log files -> `calls`: find, detect, load; every line is booked.

    lines = calls + rejects + duplicates + not_calls      per file and in total

Vendors' exports of aggregated usage go to `usage_buckets`; their records are no calls.

A batch of files is booked in one transaction, so a crash leaves no half-read file.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.errors import UsageError
from llm_audit.formats import Format, formats
from llm_audit.ingest import loading
from llm_audit.ingest.accounts import Account
from llm_audit.ingest.batch import Batch, Known
from llm_audit.ingest.mapping import mapped_format
from llm_audit.ingest.pages import PageEnd
from llm_audit.sources.local import SourceFile

if TYPE_CHECKING:
    import duckdb

BATCH_BYTES = 1 << 30
"""Bytes of log booked together: enough to keep the cores busy, little enough for memory."""


@dataclass(frozen=True)
class Options:
    """What the user asked for. `fields`: canonical name -> path in the log, from `--map`."""

    format_name: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    formats_folder: Path | None = None

    def formats(self) -> Mapping[str, Format]:
        """The formats that may be found. Errors: `UsageError` for an unknown name or field."""
        known = formats(self.formats_folder)
        if self.fields:
            return {"generic": mapped_format(known["generic"], self.fields)}
        if self.format_name is None:
            return known
        if self.format_name not in known:
            raise UsageError(
                f"unknown format {self.format_name!r}",
                slug="format-name",
                hint="known formats: " + ", ".join(sorted(known)),
            )
        return {self.format_name: known[self.format_name]}


@dataclass
class Summary:
    """The result of one ingest, in files and lines."""

    files: int = 0
    unchanged: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """Files found in a folder that are no log at all, each with the reason."""
    unknown: list[str] = field(default_factory=list)
    """Files the user named in which no record is of a known format, with the keys seen."""
    lines: int = 0
    calls: int = 0
    rejects: int = 0
    duplicates: int = 0
    not_calls: int = 0
    buckets: int = 0
    """Rows of `usage_buckets` from the exports among the files; their records are no calls."""
    bytes: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    page_ends: dict[tuple[str, str], PageEnd] = field(default_factory=dict)
    """The last page of each series of pages."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know of files that were read."""
        return [
            f"{end.source_file}: the export stops at page {end.next_page or 'unknown'}: it says "
            "that more follow, so what is behind it is missing here"
            for end in self.page_ends.values()
            if end.has_more
        ]

    def see(self, end: PageEnd) -> None:
        """Remember a page if it is the last of its series so far."""
        last = self.page_ends.get(end.series)
        if last is None or end.start >= last.start:
            self.page_ends[end.series] = end

    def add(self, account: Account) -> None:
        """Count one finished file."""
        self.files += 1
        self.bytes += account.size
        self.lines += account.lines
        self.calls += account.calls
        self.rejects += account.rejects
        self.duplicates += account.duplicates
        self.not_calls += account.not_calls
        self.buckets += account.buckets
        self.formats.update(account.formats)


def ingest(
    connection: duckdb.DuckDBPyConnection,
    sources: Iterable[SourceFile],
    options: Options | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Read log files into the database. `progress` gets the bytes of each finished file.

    Errors: `UsageError` for an unknown `--format` or a bad `--map`. Files in which nothing is
    recognised are returned in the summary; the rest is ingested all the same.
    """
    known_formats = (options or Options()).formats()
    loading.prepare(connection)
    try:
        return _ingest(connection, sources, known_formats, progress)
    finally:
        loading.restore(connection)


def _ingest(
    connection: duckdb.DuckDBPyConnection,
    sources: Iterable[SourceFile],
    known_formats: Mapping[str, Format],
    progress: Callable[[int], None],
) -> Summary:
    summary = Summary()
    with tempfile.TemporaryDirectory(prefix="llm-audit-") as folder:
        number = 0
        known = Known.read(connection)
        batch = Batch(connection, _subfolder(folder, number), known_formats, known)
        for source in sources:
            if known.is_unchanged(source):
                summary.unchanged += 1
                progress(source.size)
                continue
            batch.take_in(source)
            if batch.bytes >= BATCH_BYTES:
                _finish(batch, summary, progress)
                number += 1
                known = Known.read(connection)
                batch = Batch(connection, _subfolder(folder, number), known_formats, known)
        _finish(batch, summary, progress)
    return summary


def _subfolder(folder: str, number: int) -> Path:
    path = Path(folder) / f"batch-{number}"
    path.mkdir()
    return path


def _finish(batch: Batch, summary: Summary, progress: Callable[[int], None]) -> None:
    for account in batch.commit():
        summary.add(account)
    for end in batch.page_ends:
        summary.see(end)
    progress(batch.bytes)
    summary.unchanged += batch.unchanged
    summary.skipped += batch.skipped
    summary.unknown += batch.unknown
    shutil.rmtree(batch.folder)
