"""Whether files hold exports of aggregated usage only: asked before anything of them is stored."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit.errors import InputError
from llm_audit.formats import detect, formats
from llm_audit.ingest import segments
from llm_audit.sources import documents, packed
from llm_audit.sources.documents import Record
from llm_audit.sources.packed import BrokenCompressionError

if TYPE_CHECKING:
    import duckdb

    from llm_audit.sources.local import SourceFile


def first_call(
    connection: duckdb.DuckDBPyConnection, sources: Iterable[SourceFile]
) -> tuple[str, int] | None:
    """The first record that is a call, as (path, 1-based line or record); None if there is none.

    Stops there, so that a large log is turned away at its first line.
    """
    known = formats(None)
    for source in sources:
        for record in _records(connection, source):
            if record.problem:
                continue
            with suppress(InputError):
                found = detect(json.loads(record.json), known)
                if found and not found.is_export:
                    return source.name, record.number
    return None


def _records(connection: duckdb.DuckDBPyConnection, source: SourceFile) -> Iterator[Record]:
    """The records of a file in any container; as far as it can be read."""
    path = Path(source.path)
    head = packed.read_head(path)
    kind = documents.kind_of(head, source.name) if head.strip() else "text"
    if kind == "parquet":
        yield from _rows(connection, path)
        return
    with suppress(BrokenCompressionError), packed.open_decompressed(path) as stream:
        yield from documents.READERS["lines" if kind == "text" else kind](stream)


def _rows(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Record]:
    import duckdb

    with (
        suppress(duckdb.Error),
        tempfile.TemporaryDirectory(prefix="llm-audit-") as folder,
    ):
        target = documents.parquet_lines(connection, path, Path(folder))
        for number, line in enumerate(segments.iterate_lines(target), start=1):
            yield Record(number, line)
