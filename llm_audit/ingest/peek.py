"""`ingest --peek`: what the first records of each file would become.

The first records are ingested for real, into a scratch database that is thrown away, so that what
is shown is what would happen.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit import schema
from llm_audit.ingest import Options, ingest
from llm_audit.ingest.batch import stored_input
from llm_audit.sources import documents, packed
from llm_audit.sources.local import SourceFile

if TYPE_CHECKING:
    import duckdb

RECORDS = 3
SHOWN_ROWS = 8 * RECORDS


@dataclass(frozen=True)
class Peek:
    """One file's first records: as canonical columns (NULL ones left out), or why not.

    A record of an export has several rows, one per kind of token."""

    path: str
    formats: list[str]
    rows: list[dict[str, Any]]
    rejects: list[tuple[int, str]]
    """(line, reason)"""
    note: str = ""


def peek(sources: Iterable[SourceFile], options: Options) -> Iterator[Peek]:
    """Map the first records of each file. Errors: those of `ingest`."""
    for source in sources:
        with tempfile.TemporaryDirectory(prefix="llm-audit-") as name:
            folder = Path(name)
            path = stored_input(source, folder)
            (folder / "sample").mkdir()
            # Under its own name: that of an export may say what it counts.
            sample = folder / "sample" / path.name
            sample.write_bytes(b"".join(line + b"\n" for line in _first_lines(path, folder)))
            yield _peek(source, sample, options)


def _first_lines(path: Path, folder: Path) -> list[bytes]:
    head = packed.read_head(path)
    kind = documents.kind_of(head, path.name)
    if kind in ("lines", "text"):
        return [line for line in head.split(b"\n") if line.strip()][:RECORDS]
    if kind == "parquet":
        return _first_rows(path, folder)
    with packed.open_decompressed(path) as stream:
        records = documents.READERS[kind](stream)
        return [r.json for r in itertools.islice(records, RECORDS) if r.json]


def _first_rows(path: Path, folder: Path) -> list[bytes]:
    import duckdb

    with duckdb.connect() as connection:
        return documents.parquet_lines(connection, path, folder, RECORDS).read_bytes().splitlines()


def _peek(source: SourceFile, sample: Path, options: Options) -> Peek:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in schema.STORED_TABLES:
            connection.execute(schema.create_table_sql(name))
        scratch = replace(source, path=str(sample), size=sample.stat().st_size, explicit=True)
        summary = ingest(connection, [scratch], options)
        rows = _rows(
            connection,
            "SELECT * EXCLUDE (source_file, message_hashes) FROM calls ORDER BY source_line",
        )
        rows += _rows(
            connection,
            "SELECT * EXCLUDE (source_file, source_page, record_id) FROM usage_buckets "
            "ORDER BY source_line, rowid",
        )
        # A page of an export is one line here, and holds as many records as it likes.
        rows = rows[:SHOWN_ROWS]
        rejects = connection.execute(
            "SELECT line_number, reason FROM rejects ORDER BY 1"
        ).fetchall()
    note = "; ".join(summary.unknown).replace(str(sample), source.path)
    return Peek(source.path, sorted(summary.formats), rows, rejects, note)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """What a query returns, without the NULLs."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [
        {n: v for n, v in zip(names, row, strict=True) if v is not None}
        for row in cursor.fetchall()
    ]
