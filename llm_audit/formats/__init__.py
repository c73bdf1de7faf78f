"""The log formats: one `.sql` file each, read and checked here.

A format file is a header of SQL comments and one SELECT over `raw`, the parsed log lines:

    -- format: NAME            the file's own name
    -- title, docs, tokens     for people; `tokens` says what its token counts mean
    -- reader: json            how `raw` is made; CSV and Parquet are turned into JSON lines first
    -- detect: TERM, TERM      one alternative; a record is this format when all terms hold
    -- columns:                the keys to read, each with a DuckDB type; leaves are VARCHAR

The SELECT names canonical columns (`schema.CALLS`) and three verdicts: `recognised` (this line is
of this format), `not_call_reason` and `reject_reason` (text, or NULL).

Detect terms: `a.b` (present and not null) · `a.b=value` · `a.b^=prefix` · `a.b~part` ·
`only(key)` (the record has no other key). The folder is the registry; adding a file adds a format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from llm_audit.errors import InputError


@dataclass(frozen=True)
class Term:
    """One condition on a parsed record."""

    path: tuple[str, ...]
    operator: str
    value: str

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether a parsed record meets the condition."""
        if self.operator == "only":
            return set(record) == {self.value}
        found: Any = record
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            return False
        match self.operator:
            case "=":
                return bool(found == self.value)
            case "^=":
                return isinstance(found, str) and found.startswith(self.value)
            case "~":
                return isinstance(found, str) and self.value in found
        return True


@dataclass(frozen=True)
class Format:
    """One log format: how to recognise it, what to read, and the SELECT that makes calls of it."""

    name: str
    title: str
    docs: str
    tokens: str
    detect: tuple[tuple[Term, ...], ...]
    columns: Mapping[str, str]
    select: str

    def score(self, record: Mapping[str, Any]) -> int:
        """How many terms of its best matching alternative hold; 0: not this format."""
        matching = (len(terms) for terms in self.detect if all(t.holds(record) for t in terms))
        return max(matching, default=0)


class _Folder(Protocol):
    """What a packaged folder and a `pathlib.Path` have in common."""

    def iterdir(self) -> Any: ...


@cache
def formats(extra_folder: Path | None = None) -> Mapping[str, Format]:
    """All formats by name: the packaged ones and those of `--formats DIR`, which win.

    Errors: `InputError` for a folder that cannot be read or a file that breaks the rules above.
    """
    found = _read_folder(resources.files("llm_audit.formats"))
    if extra_folder is not None:
        if not extra_folder.is_dir():
            raise InputError(
                f"{extra_folder} is not a folder",
                slug="formats-folder",
                hint="--formats names a folder of .sql files; see any file in llm_audit/formats",
            )
        found |= _read_folder(extra_folder)
    return found


def shared_sql(name: str) -> str:
    """The text of `_macros.sql` or `_tag_facts.sql`, which all formats share."""
    return resources.files("llm_audit.formats").joinpath(name).read_text(encoding="utf-8")


def detect(record: Any, candidates: Mapping[str, Format]) -> Format | None:
    """The format whose detect terms fit a parsed record best; None when none fits.

    Errors: `InputError` when two formats fit equally well.
    """
    if not isinstance(record, dict):
        return None
    scores = {name: f.score(record) for name, f in candidates.items()}
    best = max(scores.values(), default=0)
    if best == 0:
        return None
    winners = [name for name, score in scores.items() if score == best]
    if len(winners) > 1:
        names = ", ".join(sorted(winners))
        raise InputError(
            f"a record fits several formats: {names}",
            slug="format-ambiguous",
            hint="name the right one with --format",
        )
    return candidates[winners[0]]


def _read_folder(folder: _Folder) -> dict[str, Format]:
    files = [f for f in folder.iterdir() if f.name.endswith(".sql") and not f.name.startswith("_")]
    return {
        parsed.name: parsed
        for parsed in (
            _parse(f.name, f.read_text(encoding="utf-8"))
            for f in sorted(files, key=lambda f: str(f.name))
        )
    }


_FIELD = re.compile(r"-- (format|title|docs|reader|detect|tokens|columns):\s*(.*)")
_COLUMN = re.compile(r'--   ("?\w+"?): (.+)')


def _parse(file_name: str, text: str) -> Format:
    """Read one format file. Errors: `InputError` naming the file and what is missing."""
    fields: dict[str, list[str]] = {}
    columns: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        field, column = _FIELD.match(line), _COLUMN.match(line)
        if field:
            last = field[1]
            fields.setdefault(last, []).append(field[2])
        elif last == "columns" and column:
            name = column[1].strip('"')
            columns[name] = column[2]
        elif last == "columns" and columns:
            columns[name] += " " + line[2:].strip()
        elif last in fields:
            fields[last][-1] += " " + line[2:].strip()
    missing = {"format", "title", "detect", "tokens", "columns"} - fields.keys()
    if missing or not columns or fields["format"][0] + ".sql" != file_name:
        raise InputError(
            f"{file_name} is not a format file: missing or wrong "
            + (", ".join(sorted(missing)) or "columns or format name"),
            slug="format-file",
            hint="compare with any file in llm_audit/formats",
        )
    return Format(
        name=fields["format"][0],
        title=fields["title"][0],
        docs=fields.get("docs", [""])[0],
        tokens=fields["tokens"][0],
        detect=tuple(_parse_terms(terms) for terms in fields["detect"]),
        columns=columns,
        select=_select_of(text),
    )


def _select_of(text: str) -> str:
    """The statement below the header."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[start:]).strip().rstrip(";")


_TERM = re.compile(r"([\w.]+?)(\^=|=|~)(.+)")


def _parse_terms(text: str) -> tuple[Term, ...]:
    terms = []
    for part in text.split(", "):
        only = re.fullmatch(r"only\((\w+)\)", part)
        comparison = _TERM.fullmatch(part)
        if only:
            terms.append(Term((), "only", only[1]))
        elif comparison:
            terms.append(Term(tuple(comparison[1].split(".")), comparison[2], comparison[3]))
        else:
            terms.append(Term(tuple(part.split(".")), "present", ""))
    return tuple(terms)
