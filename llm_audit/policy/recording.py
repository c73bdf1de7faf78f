"""Measurements -> `[[measured]]` entries of the config: in the place of older ones, or at its end.

What stands in the file stays as it is, comments and order included; of an entry that is written
anew only the values change. The new text is read back before it takes the old one's place, and must
say what the old one said and the measurements, no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from llm_audit.errors import PolicyError
from llm_audit.policy import PROJECT_FILE, Measured, Policy, files, reading
from llm_audit.policy.answers import appended, string, tolerance_text
from llm_audit.policy.measured import KEYS

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ENTRY = re.compile(
    r"""
    (?P<key> [^=]* = \s* )
    (?P<value> "(?:\\.|[^"\\])*" | '[^']*' | [^\s#"'{\[]+ )
    (?P<rest> \s* (?:\#.*)? )
    """,
    re.VERBOSE | re.DOTALL,
)
"""A line with one key and its value, and what stands behind it: a comment, the line end."""


def record(path: Path, entries: Sequence[Measured], *, today: date, note: str) -> bool:
    """Write the entries into the config at `path`, which is made if it is not there.

    note: one line that says where they come from; it becomes a comment in front of new entries.
    Returns whether the file says anything new. Errors: `PolicyError` where the file cannot be
    written or changed; it is as it was.
    """
    old = reading.read_bytes(path) if path.exists() else b""
    before = Policy.parse(old, path.name, today=today)
    new = old
    try:
        for entry in entries:
            new = _with(new, entry, path.name, today, note)
        after = Policy.parse(new, path.name, today=today)
    except PolicyError as error:
        raise _refusal(path, error.message) from None
    if after != replace(before, measured=_merged(before.measured, entries)):
        raise _refusal(path, "read back, it would not say the same and the measurements")
    if new != old:
        files.replace(path, new)
    return new != old


def entry_text(entry: Measured, file_name: str) -> str:
    """The measurement as TOML, ready to be pasted into a file of that name."""
    table = "tool.llm-audit.measured" if file_name == PROJECT_FILE else "measured"
    lines = [f"[[{table}]]", *(f"{key} = {value}" for key, value in _values(entry).items())]
    return "\n".join(lines) + "\n"


def _values(entry: Measured) -> dict[str, str]:
    """Every key that the entry has, in order, and its value as TOML."""
    found = {"provider": string(entry.provider), "model": string(entry.model)}
    if entry.hits:
        found |= {
            "cache_hit_share": f"{entry.hits.share:.2f}",
            "requests": f"{entry.hits.requests}",
        }
    if entry.turnaround:
        found |= {
            "turnaround_p90": string(tolerance_text(entry.turnaround.p90_s)),
            "turnaround_max": string(tolerance_text(entry.turnaround.max_s)),
            "batches": f"{entry.turnaround.batches}",
        }
    return found | {"measured_on": entry.measured_on.isoformat()}


def _merged(old: Sequence[Measured], new: Sequence[Measured]) -> tuple[Measured, ...]:
    """The old ones, each replaced by the new one of its model, and behind them all others."""
    by_name = {entry.names: entry for entry in new}
    kept = [by_name.pop(entry.names, entry) for entry in old]
    return (*kept, *by_name.values())


def _with(data: bytes, entry: Measured, name: str, today: date, note: str) -> bytes:
    known = {m.names: m for m in Policy.parse(data, name, today=today).measured}
    if entry.names not in known:
        return appended(data, [entry_text(entry, name)], note)
    return _rewritten(data, known[entry.names], _values(entry))


def _rewritten(data: bytes, old: Measured, values: Mapping[str, str]) -> bytes:
    """The file with other values in the entry `old`; lines whose value stays are not touched."""
    assert old.place is not None
    stood = _values(old)
    where = {key: old.place.at(key).line for key in KEYS}
    numbers = {key: line - 1 for key, line in where.items() if line is not None}
    lines: list[str] = _LINE.findall(data.decode("utf-8"))
    end = "\r\n" if b"\r\n" in data else "\n"
    last = max(numbers.values())
    added = [f"{key} = {value}{end}" for key, value in values.items() if key not in numbers]
    if added and not lines[last].endswith(("\n", "\r")):
        lines[last] += end
    for key, number in numbers.items():
        if key not in values:
            lines[number] = ""
        elif values[key] != stood.get(key):
            lines[number] = _changed(lines[number], values[key])
    lines.insert(last + 1, "".join(added))
    return "".join(lines).encode()


def _changed(line: str, value: str) -> str:
    """The line with another value. One of another shape stays, and the reading back tells."""
    match = _ENTRY.fullmatch(line)
    return line if match is None else f"{match['key']}{value}{match['rest']}"


def _refusal(path: Path, reason: str) -> PolicyError:
    return PolicyError(
        f"the measurements cannot be written to {path.name}: {reason}",
        slug="config-measured",
        hint="nothing was changed; `measured` must be a list of [[measured]] tables there, one key "
        "a line, or paste the new entries by hand",
    )
