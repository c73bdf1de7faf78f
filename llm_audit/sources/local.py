"""Local paths: files, folders, globs and `-` become one ordered list of log files."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llm_audit.errors import InputError

STDIN = "-"
NOT_LOGS = frozenset(
    {".md", ".rst", ".html", ".htm", ".pdf", ".png", ".jpg", ".svg", ".py", ".toml", ".yaml"}
    | {".yml", ".xml", ".duckdb", ".wal", ".db", ".sqlite", ".lock", ".ini"}
)
"""Endings that a walk through a folder passes over; a file named on the command line is read."""


@dataclass(frozen=True)
class SourceFile:
    """One log file. `explicit`: the user named it; it was not merely found in a folder."""

    path: str
    size: int
    mtime: float
    explicit: bool

    @property
    def name(self) -> str:
        """The path as text: bytes of it that are not UTF-8 are written as `\\xff`."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")


def find(patterns: Iterable[str]) -> list[SourceFile]:
    """Expand files, folders, globs and `-`, in path order, each file once.

    Errors: `InputError` for a path that does not exist or cannot be read (also one inside a
    folder: an audit must not pass over it in silence), a glob without a match, or a remote URL.
    """
    found: dict[str, SourceFile] = {}
    for pattern in patterns:
        try:
            for source in _expand(pattern):
                known = found.get(source.path)
                if known is None or source.explicit:
                    found[source.path] = source
        except OSError as error:
            raise InputError(
                f"cannot read {error.filename or pattern}: {error.strerror}",
                slug="path-unreadable",
                hint="make it readable, or name the files to read without it",
            ) from None
    return [found[path] for path in sorted(found)]


def _expand(pattern: str) -> Iterator[SourceFile]:
    if pattern == STDIN:
        yield SourceFile(STDIN, 0, 0.0, explicit=True)
        return
    if "://" in pattern:
        raise InputError(
            f"{pattern}: object stores and databases are not read yet",
            slug="remote-source",
            hint="copy the logs to a local folder first, for example with `aws s3 sync`",
        )
    path = Path(pattern)
    if path.is_dir():
        yield from _walk(path)
    elif path.exists():
        yield _source(path, explicit=True)
    else:
        matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (absolute patterns too)
        if not matches:
            raise InputError(
                f"no such file or folder: {pattern}",
                slug="path-missing",
                hint="give log files, folders, quoted globs like 'logs/**/*.jsonl', or - for stdin",
            )
        for match in matches:
            if Path(match).is_dir():
                yield from _walk(Path(match))
            else:
                yield _source(Path(match), explicit=True)


def _walk(folder: Path) -> Iterator[SourceFile]:
    """Every file below a folder except hidden ones and those that are plainly no logs."""
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent) / name
            if not name.startswith(".") and path.suffix.lower() not in NOT_LOGS and path.is_file():
                yield _source(path, explicit=False)


def _refuse(error: OSError) -> None:
    raise error


def _source(path: Path, *, explicit: bool) -> SourceFile:
    stat = path.stat()
    if not path.is_file():
        # A pipe or device has no size to remember and no second read.
        raise InputError(
            f"{path} is not a regular file",
            slug="not-a-file",
            hint="pipe it in: `llm-audit ingest - < FILE`",
        )
    path.open("rb").close()
    return SourceFile(str(path.resolve()), stat.st_size, stat.st_mtime, explicit)
