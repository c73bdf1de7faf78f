"""Takes an export out of the database again, so that it can be left out or read anew.

Records that several exports hold are stored once, under one of their names. What is forgotten with
a file is therefore every file that shares a record with it, too: what those would have held alone
is not known any more. They are named, so that they can be read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_audit.errors import InputError

if TYPE_CHECKING:
    import duckdb

TABLES = {
    "usage_buckets": "source_file",
    "export_copies": "source_file",
    "export_files": "path",
    "rejects": "source_file",
    "ingested_files": "path",
}
"""Where an export leaves rows, and the column that names it."""

_SHARING = """
WITH forgotten AS (SELECT unnest(?::VARCHAR[]) AS path),
records AS (
  SELECT record_id FROM usage_buckets WHERE source_file IN (SELECT path FROM forgotten)
  UNION
  SELECT record_id FROM export_copies WHERE source_file IN (SELECT path FROM forgotten)
)
SELECT source_file FROM usage_buckets WHERE record_id IN (SELECT record_id FROM records)
UNION
SELECT source_file FROM export_copies WHERE record_id IN (SELECT record_id FROM records)
UNION
SELECT path FROM ingested_files WHERE digest IN (
  SELECT digest FROM ingested_files WHERE path IN (SELECT path FROM forgotten)
)
"""


@dataclass(frozen=True)
class Forgotten:
    """The rows of `usage_buckets` that went, and the other exports that went with the one named."""

    buckets: int
    others: tuple[str, ...]


def forget(connection: duckdb.DuckDBPyConnection, path: str) -> Forgotten:
    """Remove an export and all that shares records with it, in one transaction.

    Errors: `InputError` when no such file was read, or when it holds calls.
    """
    paths = _with_others(connection, path)
    known = connection.execute(
        "SELECT path, sum(calls) FROM ingested_files WHERE list_contains(?, path) GROUP BY path",
        [paths],
    ).fetchall()
    if path not in {name for name, _ in known}:
        raise InputError(
            f"no such file was read into this database: {path}",
            slug="export-not-read",
            hint='see the files: llm-audit sql "SELECT path, format FROM ingested_files"',
        )
    for name, calls in known:
        if calls:
            raise InputError(
                f"{name} holds {calls:,} calls: only exports can be forgotten",
                slug="not-an-export",
                hint="to leave out a log, take a new database: --db FILE",
            )
    connection.begin()
    try:
        buckets = 0
        for table, column in TABLES.items():
            row = connection.execute(
                f"DELETE FROM {table} WHERE list_contains(?, {column})",  # noqa: S608 (our names)
                [paths],
            ).fetchone()
            buckets += row[0] if row and table == "usage_buckets" else 0
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return Forgotten(buckets, tuple(name for name in paths if name != path))


def _with_others(connection: duckdb.DuckDBPyConnection, path: str) -> list[str]:
    paths = [path]
    while True:
        rows = connection.execute(_SHARING, [paths]).fetchall()
        found = sorted({path, *(name for (name,) in rows)})
        if found == sorted(paths):
            return found
        paths = found
