"""Loads segments of one format into `calls`: stage, locate, sort out, insert.

The proof that nothing is lost: DuckDB reads with `ignore_errors`, in which mode a broken line is a
row of NULLs and rows keep the order of the lines. So the n-th row is the n-th line, and the number
of rows must equal the number of lines, which was counted apart. Rows the format does not recognise
are looked up by that number, re-read one by one, and given to another format or an exact reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.errors import EngineError
from llm_audit.formats import Format, detect, shared_sql
from llm_audit.ingest import documents
from llm_audit.ingest.segments import Reject, Segment, Spool, careful_copy, iterate_lines
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb


@dataclass
class Account:
    """One source file on its way into the database; its counts must close."""

    path: str
    size: int
    mtime: float
    digest: str
    explicit: bool
    lines: int = 0
    calls: int = 0
    rejects: int = 0
    duplicates: int = 0
    not_calls: int = 0
    skip_lines: int = 0
    """Lines at the top that an earlier ingest of this growing file has accounted for."""
    grown_from: str = ""
    """The digest under which the shorter file is known."""
    reopened_line: int = 0
    """A last line that was cut off before and rejected; it is read again."""
    formats: set[str] = field(default_factory=set)

    def closes(self) -> bool:
        """Whether every line is accounted for."""
        return self.lines == self.calls + self.rejects + self.duplicates + self.not_calls


@cache
def statement(name: str) -> str:
    """The text of one `ingest/sql/NAME.sql`."""
    file = resources.files("llm_audit.ingest").joinpath("sql", f"{name}.sql")
    return file.read_text(encoding="utf-8")


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the macros that formats and statements use."""
    connection.execute(shared_sql("_macros.sql"))


class Loader:
    """Loads segments within the caller's transaction and books every line in an account."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        accounts: Mapping[str, Account],
        formats: Mapping[str, Format],
        folder: Path,
    ) -> None:
        self._connection = connection
        self._accounts = accounts
        self._formats = formats
        self._folder = folder
        self._spools = 0
        self._first_rowid = 0

    def load(self, format_: Format, segments: list[Segment]) -> None:
        """Load segments of one format; what turns out to be of another goes to that one."""
        strays = self._load(format_, segments, self._formats)
        for name, segment in strays.items():
            self._load(self._formats[name], [segment], {name: self._formats[name]})

    def book_rejects(self, rejects: list[Reject]) -> None:
        """Write rejects and count them."""
        for reject in rejects:
            self._accounts[reject.source_file].rejects += 1
        for start in range(0, len(rejects), 10_000):
            part = rejects[start : start + 10_000]
            self._connection.execute(
                "INSERT INTO rejects SELECT unnest(?), unnest(?), unnest(?), unnest(?)",
                [
                    [r.source_file for r in part],
                    [r.line for r in part],
                    [printable(r.reason) for r in part],
                    [r.excerpt for r in part],
                ],
            )

    def new_spool(self) -> Spool:
        """A new spool file in this batch's folder."""
        self._spools += 1
        return Spool(self._folder / f"spool-{self._spools}.jsonl")

    def _load(
        self, format_: Format, segments: list[Segment], candidates: Mapping[str, Format]
    ) -> dict[str, Segment]:
        """One pass; returns the lines that belong to other formats, one segment per format."""
        segments = self._stage(format_, [s for s in segments if s.lines])
        if not segments:
            return {}
        self._locate(format_, segments)
        self._drop_duplicates()
        strays = self._second_look(format_, segments, candidates)
        self._count(format_)
        self._connection.execute(f"INSERT INTO calls BY NAME {statement('insert_calls')}")
        return strays

    def _table(self, name: str, select: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")

    def _stage(self, format_: Format, segments: list[Segment]) -> list[Segment]:
        """Read segments into `stage`, row n = line n; falls back to a careful copy."""
        if segments and not self._read(format_, segments):
            segments = [self._copy_carefully(segment) for segment in segments]
            segments = [s for s in segments if s.lines]
            if segments and not self._read(format_, segments):
                raise EngineError(
                    f"DuckDB did not return one row per line reading {format_.name}",
                    slug="rows-and-lines",
                    hint="please report this as a bug; nothing was written",
                )
        return segments

    def _read(self, format_: Format, segments: list[Segment]) -> bool:
        # The stub of duckdb 2.0 knows neither a list of files nor this compression.
        reader: Any = self._connection.read_json
        raw = reader(
            [str(segment.path) for segment in segments],
            columns=dict(format_.columns),
            format="newline_delimited",
            ignore_errors=True,
            compression="uncompressed",
            maximum_object_size=2 * max(segment.longest for segment in segments) + (1 << 20),
        )
        raw.create_view("raw")
        self._table("stage", f"{statement('stage')} UNION ALL BY NAME ({format_.select})")
        rows, first = self._connection.execute("SELECT count(*), min(rowid) FROM stage").fetchall()[
            0
        ]
        # Rows of an open transaction are numbered from a large base, but still one by one.
        self._first_rowid = first or 0
        return bool(rows == sum(segment.lines for segment in segments))

    def _copy_carefully(self, segment: Segment) -> Segment:
        self._spools += 1
        target = self._folder / f"careful-{self._spools}.jsonl"
        copy, rejects, blanks = careful_copy(segment, target)
        for source_file, count in blanks.items():
            self._accounts[source_file].lines -= count
        self.book_rejects([r for r in rejects if r.line > self._accounts[r.source_file].skip_lines])
        return copy

    def _locate(self, format_: Format, segments: list[Segment]) -> None:
        places = []
        base = self._first_rowid
        for segment in segments:
            for run in segment.runs:
                account = self._accounts[run.source_file]
                places.append(
                    (base + run.first_ordinal, run.source_file, run.first_line, account.skip_lines)
                )
            base += segment.lines
        self._connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE places AS
            SELECT unnest(?) AS first_ordinal, unnest(?) AS source_file, unnest(?) AS first_line,
              unnest(?) AS skip_lines, ? AS source_format
            """,
            [*(list(column) for column in zip(*places, strict=True)), format_.name],
        )
        self._table("located", statement("located"))
        self._table("made_ids", statement("made_ids"))
        self._connection.execute(
            "UPDATE located SET call_id = made_ids.call_id FROM made_ids "
            "WHERE made_ids.ordinal = located.ordinal"
        )
        self._table("tag_sets", "SELECT DISTINCT tags FROM stage WHERE tags IS NOT NULL")
        self._table("tag_facts", shared_sql("_tag_facts.sql"))

    def _drop_duplicates(self) -> None:
        """Fill `dropped`; a better row for a known call takes its place."""
        self._table("repeated", statement("repeated"))
        self._table("surplus", statement("surplus"))
        self._table("known", statement("known"))
        replaced = self._connection.execute(
            "SELECT known_file, count(*) FROM known WHERE is_better GROUP BY known_file"
        ).fetchall()
        if replaced:
            self._connection.execute(
                "DELETE FROM calls WHERE call_id IN (SELECT call_id FROM known WHERE is_better)"
            )
        for path, count in replaced:
            self._demote(path, count)
        self._table(
            "dropped",
            "SELECT ordinal FROM surplus UNION ALL SELECT ordinal FROM known WHERE NOT is_better",
        )

    def _demote(self, path: str, count: int) -> None:
        """Calls of a file gave way to better rows: they are duplicates now."""
        account = self._accounts.get(path)
        if account is not None and account.calls >= count:
            account.calls -= count
            account.duplicates += count
            return
        self._connection.execute(
            """
            UPDATE ingested_files SET calls = calls - ?, duplicates = duplicates + ?
            WHERE rowid = (SELECT max(rowid) FROM ingested_files WHERE path = ? AND calls >= ?)
            """,
            [count, count, path, count],
        )

    def _count(self, format_: Format) -> None:
        for path, calls, duplicates, not_calls in self._connection.execute(
            statement("counts")
        ).fetchall():
            account = self._accounts[path]
            account.calls += calls
            account.duplicates += duplicates
            account.not_calls += not_calls
            if calls or duplicates or not_calls:
                account.formats.add(format_.name)

    def _second_look(
        self, format_: Format, segments: list[Segment], candidates: Mapping[str, Format]
    ) -> dict[str, Segment]:
        """Re-read the lines that did not become calls: reject them, or find their format."""
        troubled = self._connection.execute(statement("troubled")).fetchall()
        if not troubled:
            return {}
        spools: dict[str, Spool] = {}
        rejects: list[Reject] = []
        lines = _lines_at(segments, [row[0] - self._first_rowid for row in troubled])
        for (_, source_file, source_line, reason), line in zip(troubled, lines, strict=True):
            problem = reason or documents.json_problem(line)
            other = None if problem else detect(json.loads(line), candidates)
            if other is not None and other.name != format_.name:
                if other.name not in spools:
                    spools[other.name] = self.new_spool()
                spools[other.name].add(line.rstrip(b"\r\n"), source_file, source_line)
                continue
            problem = problem or _why_unknown(line, format_ if other else None)
            rejects.append(Reject(source_file, source_line, problem, documents.excerpt(line)))
        self.book_rejects(rejects)
        return {name: spool.close() for name, spool in spools.items()}


def _lines_at(segments: list[Segment], ordinals: list[int]) -> Iterator[bytes]:
    """The text of some lines, by ordinal over all segments, in order; reads each file once."""
    wanted = iter(ordinals)
    target = next(wanted, None)
    base = 0
    for segment in segments:
        if target is not None and target < base + segment.lines:
            for ordinal, line in enumerate(iterate_lines(segment.path), start=base):
                if ordinal == target:
                    yield line
                    target = next(wanted, None)
                    if target is None or target >= base + segment.lines:
                        break
        base += segment.lines


def _why_unknown(line: bytes, format_: Format | None) -> str:
    if format_ is not None:
        return f"looks like {format_.name}, but a required part is missing or of the wrong type"
    record = json.loads(line)
    if not isinstance(record, dict):
        return f"a JSON {type(record).__name__}, not an object"
    keys = ", ".join(sorted(printable(key, 24) for key in list(record)[:8]))
    return f"no known format; keys seen: {keys}" if keys else "an empty object"
