"""Loads segments of one format into `calls`: receive, locate, sort out, settle.

Rows are appended to `calls` as they are read and sorted out in place: writing them to a staging
table first would cost as much as reading the log. Until its file is booked, a row's `source_line`
is NULL or negative; the transaction that books a file turns the sign, and `discard_unbooked`
removes what a crash left before that. (One transaction around everything would do without the
sign, but DuckDB then writes each row a second time, to its write-ahead log.)

The proof that nothing is lost: DuckDB reads with `ignore_errors`, in which mode a broken line is a
row of NULLs and rows keep the order of the lines. So the n-th row is the n-th line, and the number
of rows must equal the number of lines, which was counted apart. Rows the format does not recognise
are looked up by that number, re-read one by one, and given to another format or an exact reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.errors import EngineError, InputError
from llm_audit.formats import Format, detect, shared_sql
from llm_audit.ingest.accounts import Account, statement
from llm_audit.ingest.exports import Exports
from llm_audit.ingest.segments import (
    Reject,
    Segment,
    Spool,
    careful_copy,
    count_lines,
    iterate_lines,
)
from llm_audit.sources import documents
from llm_audit.sources.packed import MAX_LINE
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb


READ_BUFFER = 16 << 20
"""Bytes: DuckDB's own default, raised when a longer line is there."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the macros and make the settings that loading relies on; `restore` undoes these."""
    connection.execute(shared_sql("_macros.sql"))
    # Long IN lists would become joins, and a join loses the order of the lines.
    connection.execute("SET disabled_optimizers = 'in_clause'")
    # A checkpoint could renumber rows between two statements that speak of the same row.
    connection.execute("SET wal_autocheckpoint = '1TB'")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE replaced (ordinal BIGINT, source_file VARCHAR)"
    )


def restore(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo the settings of `prepare`."""
    connection.execute("RESET wal_autocheckpoint")
    connection.execute("RESET disabled_optimizers")


class Loader:
    """Loads segments; `book` makes what was loaded count."""

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
        self.exports = Exports(connection, accounts, folder)
        self._rejects: list[Reject] = []
        self._spools = 0
        self._first_ordinal = 0

    def load(self, format_: Format, segments: list[Segment]) -> None:
        """Load segments of one format; what turns out to be of another goes to that one."""
        strays = self._load(format_, segments, self._formats)
        for name, segment in strays.items():
            self._load(self._formats[name], [segment], {name: self._formats[name]})

    def load_exports(self) -> None:
        """Load the records of exports. To be called when all calls are loaded: among those, too,
        exports turn up."""
        self.reject(self.exports.load())

    def reject(self, rejects: list[Reject]) -> None:
        """Count rejects; `book` writes them."""
        for reject in rejects:
            self._accounts[reject.source_file].rejects += 1
        self._rejects += rejects

    def book(self) -> None:
        """Make the loaded rows count. To be called in the transaction that writes the files."""
        self._write_rejects()
        self.exports.book()
        for path, count in self._connection.execute(
            "SELECT source_file, count(*) FROM replaced GROUP BY source_file"
        ).fetchall():
            self._demote(path, count)
        self._connection.execute("DELETE FROM calls WHERE rowid IN (SELECT ordinal FROM replaced)")
        self._connection.execute("DELETE FROM replaced")
        self._connection.execute(
            "UPDATE calls SET source_line = -source_line WHERE source_line < 0"
        )

    def _write_rejects(self) -> None:
        for start in range(0, len(self._rejects), 10_000):
            part = self._rejects[start : start + 10_000]
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
        segments = self._receive(format_, [s for s in segments if s.lines or not s.is_counted])
        if not segments:
            return {}
        self._locate(format_, segments)
        self._find_duplicates()
        strays = self._second_look(format_, segments, candidates)
        self._count(format_)
        self._settle()
        return strays

    def _table(self, name: str, select: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {select}")

    def _receive(self, format_: Format, segments: list[Segment]) -> list[Segment]:
        """Append a row per line to `calls`; falls back to a careful copy of the segments."""
        segments = [self._copy_carefully(s) if s.longest > MAX_LINE else s for s in segments]
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
        """Whether as many rows arrived as the segments have lines; if not, none stays."""
        # The stub of duckdb 2.0 knows neither a list of files nor this compression.
        reader: Any = self._connection.read_json
        raw = reader(
            [str(segment.path) for segment in segments],
            columns=dict(format_.columns),
            format="newline_delimited",
            ignore_errors=True,
            compression="uncompressed",
            hive_partitioning=False,
            maximum_object_size=max(READ_BUFFER, 2 * max(s.longest for s in segments)),
        )
        # A registered relation is a temporary view: one over the log must not stay in the database.
        self._connection.register("raw", raw)
        arrivals = f"WITH lines AS ({format_.select}) {statement('arrivals')}"
        with ThreadPoolExecutor(1) as pool:
            counting = pool.submit(self._count_lines, segments)
            rows = self._insert_in_order(f"INSERT INTO calls BY NAME {arrivals}")
            counting.result()
        # New rows are numbered one by one, in the order they came.
        last = self._value("SELECT max(rowid) FROM calls")
        self._first_ordinal = (last or 0) - rows + 1
        self._connection.execute("SET VARIABLE first_ordinal = ?", [self._first_ordinal])
        if rows == sum(segment.lines for segment in segments):
            return True
        self._connection.execute("DELETE FROM calls WHERE rowid >= getvariable('first_ordinal')")
        return False

    def _insert_in_order(self, insert: str) -> int:
        """Run an INSERT whose rows must keep the order of the lines; returns their number.

        DuckDB keeps it on several threads only in a batch insert, which a join or an aggregate in
        a format's SELECT rules out: then one thread does it.
        """
        plan = self._connection.execute(f"EXPLAIN {insert}").fetchall()
        if any("Batch Insert" in text for _, text in plan):
            return self._value(insert)
        threads = self._value("SELECT current_setting('threads')")
        self._connection.execute("SET threads = 1")
        try:
            return self._value(insert)
        finally:
            self._connection.execute("SET threads = ?", [threads])

    def _count_lines(self, segments: list[Segment]) -> None:
        """Count what was not counted yet: the other side of the proof that nothing was lost."""
        for segment in segments:
            if not segment.is_counted:
                segment.lines = count_lines(segment.path).lines
                segment.is_counted = True
                self._accounts[segment.runs[0].source_file].lines += segment.lines

    def _value(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        return int(row[0] or 0) if row else 0

    def _copy_carefully(self, segment: Segment) -> Segment:
        self._spools += 1
        self._count_lines([segment])
        target = self._folder / f"careful-{self._spools}.jsonl"
        skip_lines = {path: account.skip_lines for path, account in self._accounts.items()}
        copy, rejects, blanks = careful_copy(segment, target, skip_lines)
        for source_file, count in blanks.items():
            self._accounts[source_file].lines -= count
        self.reject(rejects)
        return copy

    def _locate(self, format_: Format, segments: list[Segment]) -> None:
        places: list[tuple[int, int, str, int, int]] = []
        base = self._first_ordinal
        for segment in segments:
            for run in segment.runs:
                account = self._accounts[run.source_file]
                first = base + run.first_ordinal
                place = (len(places), first, run.source_file, run.first_line, account.skip_lines)
                places.append(place)
            base += segment.lines
        self._connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE places AS
            SELECT unnest(?) AS place_no, unnest(?) AS first_ordinal, unnest(?) AS source_file,
              unnest(?) AS first_line, unnest(?) AS skip_lines, ? AS source_format
            """,
            [*(list(column) for column in zip(*places, strict=True)), format_.name],
        )
        self._table("located", statement("located"))
        self._table("made_ids", statement("made_ids"))
        self._connection.execute(statement("settle_ids"))

    def _find_duplicates(self) -> None:
        """Fill `dropped`; a better row for a known call takes its place."""
        self._table("repeated", statement("repeated"))
        self._table("surplus", statement("surplus"))
        self._table("known", statement("known"))
        self._connection.execute(
            "INSERT INTO replaced SELECT DISTINCT known_ordinal, known_file FROM known "
            "WHERE is_better"
        )
        self._table("dropped", statement("dropped"))

    def _settle(self) -> None:
        """Remove the rows that are no calls; tell the others their place and their caller."""
        self._connection.execute(statement("settle_no_calls"))
        self._connection.execute(statement("settle_places"))
        self._table("tag_sets", statement("tag_sets"))
        self._table("tag_facts", shared_sql("_tag_facts.sql"))
        self._connection.execute(statement("settle_callers"))

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
        lines = _lines_at(segments, [row[0] - self._first_ordinal for row in troubled])
        may_mend = candidates is self._formats
        for (_, source_file, source_line, is_new, reason), line in zip(
            troubled, lines, strict=True
        ):
            problem, home = (reason, None) if reason else _home_of(line, candidates)
            is_mended = home == format_ and may_mend and b"\\ud" in line.lower()
            if home and home.is_export:
                if is_new:
                    parts = self.exports.take(
                        home, line, source_file, source_line, is_document=False
                    )
                    self._accounts[source_file].lines += parts - 1
            elif home and (home != format_ or is_mended):
                if home.name not in spools:
                    spools[home.name] = self.new_spool()
                text = _mended(line) if is_mended else line.rstrip(b"\r\n")
                spools[home.name].add(text, source_file, source_line)
            elif is_new:
                problem = problem or _why_unknown(line, home)
                rejects.append(Reject(source_file, source_line, problem, documents.excerpt(line)))
        self.reject(rejects)
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


def _home_of(line: bytes, candidates: Mapping[str, Format]) -> tuple[str, Format | None]:
    """What is wrong with a line, or the format it belongs to, if any."""
    problem = documents.json_problem(line)
    if problem:
        return problem, None
    try:
        return "", detect(json.loads(line), candidates)
    except InputError as error:
        return f"{error.message}; {error.hint}", None


def _mended(line: bytes) -> bytes:
    """Half a surrogate pair, as cutting a text leaves it, is JSON but no Unicode: now `?`."""
    return json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace")


def _why_unknown(line: bytes, format_: Format | None) -> str:
    if format_ is not None:
        return f"looks like {format_.name}, but a required part is missing or of the wrong type"
    record = json.loads(line)
    if not isinstance(record, dict):
        return f"a JSON {type(record).__name__}, not an object"
    keys = ", ".join(sorted(printable(key, 24) for key in list(record)[:8]))
    return f"no known format; keys seen: {keys}" if keys else "an empty object"
