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
`only(key)` (the record has no other key) · `a[].b` (some element of the list `a` has `b`). The
folder is the registry; adding a file adds a format.

An export of aggregated usage or costs is a format file, too, with these lines more in its header:

    -- yields: usage_buckets   its records are no calls
    -- records: a[].b[]        where they stand in a page; each takes over what encloses it
    -- may_lack: KEY, KEY      trailing cells that a CSV row may leave out

Numbers reach it as texts, exactly as written, and beside the keys of `columns` it may read
`file_name` and `other_dimensions` (a hash of the texts under keys it does not read: what two
records differ in without our knowing it; it belongs into `export_keys`). Its SELECT names
`recognised`, `reject_reason`, `bucket_start`, `bucket_end`, `provider_name`, `model`,
`service_tier`, `api_key`, `export_keys` (a MAP of texts) and `quantities` (a list of `measured` and
`charged`, see `_export_macros.sql`). Records are the same where all of that but `quantities` is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
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

    @property
    def root(self) -> str:
        """The key of the record itself that it speaks of."""
        return self.path[0].removesuffix("[]") if self.path else self.value

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether a parsed record meets the condition."""
        if self.operator == "only":
            return set(record) == {self.value}
        return self._holds_at(record, self.path)

    def _holds_at(self, found: Any, path: tuple[str, ...]) -> bool:
        for depth, key in enumerate(path, start=1):
            found = found.get(key.removesuffix("[]")) if isinstance(found, dict) else None
            if key.endswith("[]"):
                elements = found if isinstance(found, list) else []
                return any(self._holds_at(element, path[depth:]) for element in elements)
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


CALLS, BUCKETS = "calls", "usage_buckets"


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
    yields: str = CALLS
    """The table that its records go to."""
    records: tuple[tuple[str, ...], ...] = ()
    """Of an export: paths of lists in a page, from the outermost in, at whose ends records are."""
    may_lack: frozenset[str] = frozenset()

    @property
    def is_export(self) -> bool:
        """Its records are aggregates, not calls."""
        return self.yields == BUCKETS

    def score(self, record: Mapping[str, Any]) -> int:
        """How many terms of its best matching alternative hold; 0: not this format."""
        best = 0
        for keys, terms in self._alternatives:
            # The keys first: most records have not even those of most formats.
            if keys <= record.keys() and all(term.holds(record) for term in terms):
                best = max(best, len(terms))
        return best

    @cached_property
    def _alternatives(self) -> list[tuple[frozenset[str], tuple[Term, ...]]]:
        """Each alternative with the keys that a record needs for it."""
        return [(frozenset(term.root for term in terms), terms) for terms in self.detect]


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
    """The text of one of the `_*.sql` files, which formats share."""
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


_FIELD = re.compile(
    r"-- (format|title|docs|reader|detect|tokens|columns|yields|records|may_lack):\s*(.*)"
)
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
    yields = fields.get("yields", [CALLS])[0]
    if yields not in (CALLS, BUCKETS):
        missing.add("yields")
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
        yields=yields,
        records=tuple(
            tuple(key.removesuffix("[]") for key in path.split("."))
            for path in fields.get("records", [])
        ),
        may_lack=frozenset(key for keys in fields.get("may_lack", []) for key in keys.split(", ")),
    )


def _select_of(text: str) -> str:
    """The statement below the header."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(lines[start:]).strip().rstrip(";")


_TERM = re.compile(r"([\w.\[\]]+?)(\^=|=|~)(.+)")


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
