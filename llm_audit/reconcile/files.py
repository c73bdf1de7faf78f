"""The exports as files: what a file that was named has to compare, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from llm_audit.reconcile.verdict import several

if TYPE_CHECKING:
    import duckdb

_STATE = """
WITH same AS (
  SELECT path FROM ingested_files
  WHERE path = $path OR digest IN (SELECT digest FROM ingested_files WHERE path = $path)
)
SELECT
  (SELECT count(*) FROM usage_buckets
    WHERE token_kind <> 'nothing' AND source_file IN (SELECT path FROM same))
  + (SELECT count(*) FROM export_copies WHERE source_file IN (SELECT path FROM same)),
  (SELECT count(*) FROM same),
  (SELECT COALESCE(max(rejects), 0) FROM ingested_files WHERE path IN (SELECT path FROM same)),
  (SELECT reason FROM rejects WHERE source_file IN (SELECT path FROM same)
    ORDER BY line_number, reason LIMIT 1)
"""


def with_copies(connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> list[str]:
    """The files, and those with the same bytes: of equal files only the first one was read."""
    rows = connection.execute(
        "SELECT DISTINCT path FROM ingested_files WHERE digest IN "
        "(SELECT digest FROM ingested_files WHERE list_contains(?, path))",
        [list(paths)],
    ).fetchall()
    return sorted({*paths, *(path for (path,) in rows)})


def unusable(connection: duckdb.DuckDBPyConnection, paths: Iterable[str]) -> list[str]:
    """A sentence for every file without a line to compare: that it is empty, or all rejected."""
    found = []
    for path in paths:
        row = connection.execute(_STATE, {"path": path}).fetchone()
        lines, known, rejects, reason = row or (0, 0, 0, None)
        if lines:
            continue
        if not known:
            found.append(f"{path} is empty")
        elif rejects:
            verb = "was" if rejects == 1 else "were"
            found.append(f"{path}: {several(rejects, 'line')} {verb} rejected, no other: {reason}")
        else:
            found.append(f"{path} holds no usage: it is an export of nothing")
    return found
