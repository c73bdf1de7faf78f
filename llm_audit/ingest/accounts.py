"""What the steps of an ingest share: a file's account, and the texts of their SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources


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
    lines_before: int = 0
    """Lines that the shorter file was booked with."""
    reopened_line: int = 0
    """A last line that was cut off before and rejected; it is read again."""
    buckets: int = 0
    """Rows of `usage_buckets` from it."""
    formats: set[str] = field(default_factory=set)

    def closes(self) -> bool:
        """Whether every line is accounted for."""
        return self.lines == self.calls + self.rejects + self.duplicates + self.not_calls


@cache
def statement(name: str) -> str:
    """The text of one `ingest/sql/NAME.sql`."""
    file = resources.files("llm_audit.ingest").joinpath("sql", f"{name}.sql")
    return file.read_text(encoding="utf-8")
