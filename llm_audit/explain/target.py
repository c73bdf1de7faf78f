"""Which workload or call a person means by a name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_audit.errors import InputError, UsageError
from llm_audit.explain.rows import query, rows
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb


_LISTING = 'see them all: llm-audit sql "SELECT workload_id, caller, model FROM workloads"'


@dataclass(frozen=True)
class Target:
    """A workload; or a call, with the workload it belongs to."""

    workload_id: str
    call_id: str | None = None


@dataclass(frozen=True)
class Candidate:
    """A workload that a name may mean. label: the one most of its calls have.

    template_hash: its prompt template, None where small ones are pooled.
    """

    workload_id: str
    caller: str
    operation_name: str
    model: str
    template_hash: str | None
    label: str
    calls: int


class AmbiguousError(InputError):
    """A name that fits several workloads: `candidates`, the largest first."""

    def __init__(self, name: str, candidates: tuple[Candidate, ...]) -> None:
        super().__init__(
            f"{_shown(name)} names {len(candidates):,} workloads",
            slug="explain-ambiguous",
            hint="name one of them by its workload_id",
        )
        self.candidates = candidates


def find(connection: duckdb.DuckDBPyConnection, name: str) -> Target:
    """A workload_id, else a caller's name or a glob of it (`*`, `?`), else a call_id.

    Workloads go first: whoever writes a log chooses its call ids, and must not hide a workload.
    Errors: `UsageError` for a blank name; `AmbiguousError`; `InputError` with the nearest names
    where nothing is called so.
    """
    if not name.strip():
        raise UsageError(
            "the name of a workload, caller or call is empty",
            slug="explain-blank",
            hint=_LISTING,
        )
    workloads = [Candidate(**row) for row in rows(connection, query("candidates"))]
    for found in (
        [w for w in workloads if w.workload_id == name],
        [w for w in workloads if w.caller == name],
        _that_match(workloads, name),
    ):
        if len(found) > 1:
            raise AmbiguousError(name, tuple(found))
        if found:
            return Target(found[0].workload_id)
    calls = rows(connection, "SELECT workload_id FROM labels WHERE call_id = ? LIMIT 1", [name])
    if calls:
        return Target(calls[0]["workload_id"], name)
    raise InputError(
        f"there is no workload, caller or call {_shown(name)}",
        slug="explain-unknown",
        hint=_nearest(connection, name, workloads),
    )


def _shown(name: str) -> str:
    return repr(printable(name, 80))


def _that_match(workloads: Iterable[Candidate], name: str) -> list[Candidate]:
    """Callers that fit a glob: no other character than `*` and `?` is special."""
    if not {"*", "?"} & set(name):
        return []
    signs = {"*": ".*", "?": "."}
    pattern = re.compile("".join(signs.get(c, re.escape(c)) for c in name), re.DOTALL)
    return [w for w in workloads if pattern.fullmatch(w.caller)]


def _nearest(
    connection: duckdb.DuckDBPyConnection, name: str, workloads: Iterable[Candidate]
) -> str:
    names = [n for w in workloads for n in (w.caller, w.workload_id)]
    lowered = {n.lower(): n for n in names}
    near = [lowered[n] for n in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]
    near += [n for low, n in lowered.items() if name.lower() in low and n not in near][:3]
    near += [row["call_id"] for row in rows(connection, query("near_calls"), {"name": name})]
    if not near:
        return _LISTING
    return f"did you mean {', '.join(_shown(n) for n in near[:5])}? {_LISTING}"
