"""Loads exports of aggregated usage into `usage_buckets`; their records are never calls.

Exports are small, so each record is parsed: `take` unfolds pages and puts flat records into one
spool per format, `load` reads the spools through the formats' SELECTs into temporary tables, and
`book` writes in the transaction that books the files. A record that was known (pages that overlap,
an export loaded again with a longer period) is a duplicate. Where two such records differ in their
numbers, the larger one stays: a bucket that was exported before its end can only have grown. Two
equal records of one page, or of a file without pages, are two records.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.errors import EngineError
from llm_audit.formats import Format, shared_sql
from llm_audit.ingest.accounts import Account, statement
from llm_audit.ingest.pages import PageEnd, Part, flat, page_end, parse, span, unfold
from llm_audit.ingest.segments import Reject, Segment, Spool, iterate_lines
from llm_audit.sources import documents

if TYPE_CHECKING:
    import duckdb

TABLES = (
    "export_empties", "export_lines", "export_lost", "export_pages", "export_ranks",
    "export_records", "places",
)  # fmt: skip


class Exports:
    """The exports among the files of one batch."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        accounts: Mapping[str, Account],
        folder: Path,
    ) -> None:
        self.page_ends: list[PageEnd] = []
        self._connection = connection
        self._accounts = accounts
        self._folder = folder
        self._spools: dict[str, tuple[Format, Spool]] = {}
        self._numbers: Counter[str] = Counter()
        self._pages: defaultdict[str, list[int]] = defaultdict(list)
        """By format: the page of every record of its spool, 0 outside of pages."""
        self._empties: list[tuple[str, str, int, int, str, str]] = []
        self._seen: dict[tuple[str, str], int] = {}
        """By file and format: how many of its records were rejected."""
        self._providers: dict[str, str] = {}
        self._is_loaded = False

    def take(
        self, format_: Format, text: bytes, source_file: str, line: int, *, is_document: bool
    ) -> int:
        """Take in one JSON record, all parts of it if it is a page; returns how many.

        In a document a part is known by its number, in a file of lines by its line.
        """
        parsed = parse(text)
        record = parsed if isinstance(parsed, dict) else {}
        self.see(format_, source_file)
        end = page_end(record, format_, source_file)
        if end:
            self.page_ends.append(end)
        name = Path(source_file).name
        parts = 0
        for part in unfold(record, format_):
            parts += 1
            self._numbers[source_file] += 1
            is_counted = is_document and format_.records
            number = self._numbers[source_file] if is_counted else line
            page = line if part.place else 0
            if part.is_empty:
                self._take_empty(part, format_, source_file, page, number)
                continue
            self._spool(format_).add(flat(part, format_, name), source_file, number)
            self._pages[format_.name].append(page)
        return parts

    def see(self, format_: Format, source_file: str) -> None:
        """Remember that a file is an export of this format, whatever it holds."""
        self._seen.setdefault((source_file, format_.name), 0)

    def _take_empty(
        self, part: Part, format_: Format, source_file: str, page: int, number: int
    ) -> None:
        account = self._accounts[source_file]
        account.not_calls += 1
        account.formats.add(format_.name)
        start, end = span(part.fields)
        self._empties.append((format_.name, source_file, page, number, start, end))

    def _spool(self, format_: Format) -> Spool:
        if format_.name not in self._spools:
            path = self._folder / f"export-{len(self._spools)}.jsonl"
            self._spools[format_.name] = (format_, Spool(path))
        return self._spools[format_.name][1]

    def load(self) -> list[Reject]:
        """Read what was taken in; returns the records that cannot be booked."""
        rejects: list[Reject] = []
        if self._spools:
            self._connection.execute(shared_sql("_export_macros.sql"))
            self._drop_tables()
        for format_, spool in self._spools.values():
            segment = spool.close()
            self._read(format_, segment)
            self._locate(format_, segment)
            rejects += self._rejects(format_, segment)
            select = statement("export_records")
            into = "INSERT INTO export_records" if self._is_loaded else ""
            self._connection.execute(f"{into or 'CREATE TEMP TABLE export_records AS'} {select}")
            self._is_loaded = True
        return rejects

    def book(self) -> None:
        """Write what was loaded. To be called in the transaction that writes the files."""
        self._note_files()
        if not self._is_loaded:
            return
        run = self._connection.execute
        run(f"CREATE OR REPLACE TEMP TABLE export_ranks AS {statement('export_ranks')}")
        self._count()
        self._replace_known()
        run(f"INSERT INTO usage_buckets BY NAME {statement('export_buckets')}")
        run(f"INSERT INTO export_copies {statement('export_copies')}")
        self._book_empties()
        self._drop_tables()
        self._is_loaded = False

    def _book_empties(self) -> None:
        self._connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE export_empties AS
            SELECT unnest(?::VARCHAR[]) AS source_format, unnest(?::VARCHAR[]) AS source_file,
              unnest(?::BIGINT[]) AS source_page, unnest(?::BIGINT[]) AS source_line,
              unnest(?::VARCHAR[]) AS start_text, unnest(?::VARCHAR[]) AS end_text
            """,
            [[empty[column] for empty in self._empties] for column in range(6)],
        )
        self._connection.execute(f"INSERT INTO usage_buckets BY NAME {statement('export_empties')}")

    def _note_files(self) -> None:
        """What is wrong with each file, in the place of what was known of it.

        In a file without calls every reject is one of the export, also a line that is no JSON.
        """
        notes: list[list[Any]] = []
        others = self._other_rejects()
        for (path, name), rejects in self._seen.items():
            if not self._accounts[path].grown_from:
                self._connection.execute(
                    "DELETE FROM export_files WHERE path = ? AND source_format = ?", [path, name]
                )
            rejects += others.pop(path, 0)  # noqa: PLW2901 (with the file's first format)
            notes.append([path, name, self._providers.get(name), rejects, None, "", None])
        for end in self._last_pages():
            name, endpoint = end.series
            provider = self._providers.get(name)
            notes.append([end.source_file, name, provider, 0, endpoint, end.start[1], end.has_more])
        if notes:
            self._connection.executemany(
                "INSERT INTO export_files SELECT ?, ?, ?, ?, ?, to_time(?), ?", notes
            )

    def _other_rejects(self) -> dict[str, int]:
        """By file without calls: the rejects that no format's SELECT has counted."""
        counted: Counter[str] = Counter()
        for (path, _), rejects in self._seen.items():
            counted[path] += rejects
        return {
            path: self._accounts[path].rejects - rejects
            for path, rejects in counted.items()
            if self._accounts[path].calls == 0
        }

    def _last_pages(self) -> list[PageEnd]:
        """The last page of every series in every file."""
        last: dict[tuple[str, tuple[str, str]], PageEnd] = {}
        for end in self.page_ends:
            known = last.get((end.source_file, end.series))
            if known is None or end.start >= known.start:
                last[end.source_file, end.series] = end
        return list(last.values())

    def _drop_tables(self) -> None:
        for table in TABLES:
            self._connection.execute(f"DROP TABLE IF EXISTS temp.{table}")

    def _read(self, format_: Format, segment: Segment) -> None:
        reader: Any = self._connection.read_json
        raw = reader(
            str(segment.path),
            columns=dict(format_.columns),
            format="newline_delimited",
            ignore_errors=True,
            compression="uncompressed",
            maximum_object_size=max(1 << 24, 2 * segment.longest),
        )
        self._connection.register("raw", raw)
        # One thread keeps the order of the records, whatever the format's SELECT does.
        threads = self._value("SELECT current_setting('threads')")
        self._connection.execute("SET threads = 1")
        try:
            self._connection.execute(
                "CREATE OR REPLACE TEMP TABLE export_lines AS "
                f"WITH lines AS ({format_.select}) {statement('export_lines')}"
            )
        finally:
            self._connection.execute("SET threads = ?", [threads])
            self._connection.unregister("raw")
        if self._value("SELECT count(*) FROM export_lines") != segment.lines:
            raise EngineError(
                f"DuckDB did not return one row per record reading {format_.name}",
                slug="rows-and-records",
                hint="please report this as a bug; nothing was written",
            )

    def _value(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        return int(row[0] or 0) if row else 0

    def _locate(self, format_: Format, segment: Segment) -> None:
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE export_pages AS "
            "SELECT unnest(range(len(pages))) AS ordinal, unnest(pages) AS source_page "
            "FROM (SELECT ?::BIGINT[] AS pages)",
            [self._pages[format_.name]],
        )
        self._connection.execute(
            """
            CREATE OR REPLACE TEMP TABLE places AS
            SELECT unnest(?::BIGINT[]) AS first_ordinal, unnest(?::VARCHAR[]) AS source_file,
              unnest(?::BIGINT[]) AS first_line, ? AS source_format
            """,
            [
                [run.first_ordinal for run in segment.runs],
                [run.source_file for run in segment.runs],
                [run.first_line for run in segment.runs],
                format_.name,
            ],
        )
        for (path,) in self._connection.execute(
            "SELECT DISTINCT source_file FROM places"
        ).fetchall():
            self._accounts[path].formats.add(format_.name)

    def _rejects(self, format_: Format, segment: Segment) -> list[Reject]:
        for (provider,) in self._connection.execute(
            "SELECT DISTINCT provider_name FROM export_lines WHERE provider_name IS NOT NULL"
        ).fetchall():
            self._providers[format_.name] = provider
        found = self._connection.execute(statement("export_rejects")).fetchall()
        for _, path, _, _ in found:
            self._seen[path, format_.name] += 1
        texts = _texts(segment, [row[0] for row in found])
        unlike = f"looks like {format_.name}, but a required part is missing or of the wrong type"
        return [
            Reject(path, line, (reason or unlike) + _place(text), documents.excerpt(text))
            for (_, path, line, reason), text in zip(found, texts, strict=True)
        ]

    def _count(self) -> None:
        for path, kept, duplicates, buckets in self._connection.execute(
            statement("export_counts")
        ).fetchall():
            account = self._accounts[path]
            account.not_calls += kept
            account.duplicates += duplicates
            account.buckets += int(buckets)

    def _replace_known(self) -> None:
        """Known records that a new one surpasses go, and are duplicates from now on."""
        run = self._connection.execute
        run(f"CREATE OR REPLACE TEMP TABLE export_lost AS {statement('export_lost')}")
        for path, count in run(
            "SELECT source_file, count(DISTINCT (source_line, identity)) FROM export_lost "
            "GROUP BY source_file"
        ).fetchall():
            self._demote(path, count)
        run("DELETE FROM usage_buckets WHERE rowid IN (SELECT bucket_row FROM export_lost)")

    def _demote(self, path: str, count: int) -> None:
        """A path that was rewritten has several rows, and its records stand in any of them."""
        rows = self._connection.execute(
            "SELECT rowid, not_calls FROM ingested_files WHERE path = ? ORDER BY rowid DESC", [path]
        ).fetchall()
        for row, not_calls in rows:
            share = min(count, not_calls)
            count -= share
            self._connection.execute(
                "UPDATE ingested_files SET not_calls = not_calls - ?, duplicates = duplicates + ? "
                "WHERE rowid = ?",
                [share, share, row],
            )


def _texts(segment: Segment, ordinals: list[int]) -> Iterator[bytes]:
    """Some records of a spool, by ordinal, in order."""
    wanted = set(ordinals)
    if wanted:
        for ordinal, text in enumerate(iterate_lines(segment.path)):
            if ordinal in wanted:
                yield text


def _place(text: bytes) -> str:
    """Where in its page a record stands, for a person."""
    place = json.loads(text).get("place")
    return f" ({place})" if place else ""
