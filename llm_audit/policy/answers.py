"""An owner's answers -> `[[override]]` entries at the end of the config.

What stands in the file stays as it is, byte for byte, comments included. The new text is read back
before it takes the old one's place, and must say what the old one said and the answers, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from llm_audit.errors import PolicyError
from llm_audit.policy import PROJECT_FILE, Override, Policy, files, reading

_GLOBS = ("caller", "workload", "model", "operation")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def entry(override: Override, file_name: str) -> str:
    """The override as TOML, ready to be pasted into a file of that name.

    Errors: `PolicyError` for text that is not Unicode (a broken locale can hand such over).
    """
    table = "tool.llm-audit.override" if file_name == PROJECT_FILE else "override"
    globs = {key: getattr(override, key) for key in _GLOBS}
    texts = {key: glob for key, glob in globs.items() if glob != "*"}
    if override.label:
        texts["label"] = override.label
    else:
        texts["tolerance"] = tolerance_text(override.tolerance_s or 0.0)
    texts |= {"because": override.because, "by": override.by}
    lines = [f"[[{table}]]", *(f"{key} = {string(text)}" for key, text in texts.items())]
    if override.until:
        lines.append(f"until = {override.until.isoformat()}")
    return "\n".join(lines) + "\n"


def append(path: Path, overrides: Sequence[Override], *, today: date, note: str) -> None:
    """Add the overrides to the config at `path`, which is made if it is not there.

    note: one line that says where they come from; it becomes a comment in front of them.
    Errors: `PolicyError` where the file cannot be written, or cannot be added to; it is unchanged.
    """
    old = reading.read_bytes(path) if path.exists() else b""
    before = Policy.parse(old, path.name, today=today)
    new = appended(old, [entry(override, path.name) for override in overrides], note)
    try:
        after = Policy.parse(new, path.name, today=today)
    except PolicyError as error:
        raise _refusal(path, error.message) from None
    if after != replace(before, overrides=(*before.overrides, *overrides)):
        raise _refusal(path, "read back, the file would not say the same and the answers")
    files.replace(path, new)


def tolerance_text(seconds: float) -> str:
    """Seconds as `tolerance` takes them, exactly: `24 h`, `90 min`, `45 s`."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:f}".rstrip("0").rstrip(".") + " s"


def appended(old: bytes, entries: Sequence[str], note: str) -> bytes:
    """The old bytes and, behind an empty line, the entries; line ends are those of the file."""
    text = "\n".join(f"# {note}\n{text}" for text in entries)
    if old:
        text = ("\n" if old.endswith(b"\n") else "\n\n") + text
    if b"\r\n" in old:
        text = text.replace("\n", "\r\n")
    return old + text.encode()


def _refusal(path: Path, reason: str) -> PolicyError:
    return PolicyError(
        f"{path.name} cannot be added to: {reason}",
        slug="config-append",
        hint="nothing was changed; `override` must be a list of [[override]] tables there. "
        "`llm-audit review --format json` prints the entries to paste",
    )


def string(text: str) -> str:
    """A TOML basic string. What cannot be seen is escaped, so that a reader sees what counts."""
    return '"' + "".join(_character(c) for c in text) + '"'


def _character(c: str) -> str:
    if c in '"\\':
        return f"\\{c}"
    if c.isprintable():
        return c
    if 0xD800 <= ord(c) <= 0xDFFF:
        raise PolicyError(
            "a text holds bytes that are no UTF-8, and TOML cannot hold them",
            slug="config-not-text",
            hint="write it with other characters, or check the terminal's locale",
        )
    return _SHORT.get(c) or (f"\\u{ord(c):04X}" if ord(c) < 0x10000 else f"\\U{ord(c):08X}")
