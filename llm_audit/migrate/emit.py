"""The switch itself: for each workload that should move, scripts with the vendor's SDK and a note.

Nothing here needs a body from the log, so it works for every log format. What a log says reaches a
script only as an escaped literal in a comment, and no file name at all: names come from the
workload's id, which must look like one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from llm_audit import __version__
from llm_audit.errors import MigrationError
from llm_audit.migrate import candidates, replay
from llm_audit.migrate.layout import count, lasting, usd
from llm_audit.migrate.model import Vendor
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb

ENDPOINTS = {
    ("openai", "chat"): "/v1/chat/completions",
    ("openai", "responses"): "/v1/responses",
    ("openai", "embeddings"): "/v1/embeddings",
    ("openai", "completions"): "/v1/completions",
    ("anthropic", "chat"): "/v1/messages",
}
"""Provider and operation -> what the batch API takes (batch.md 1.1, 1.2) and may save on."""

_ID = re.compile(r"w_[0-9a-f]{10}")

_TOLD = 5
"""Workloads of which an error tells."""

_WORDS = {
    Vendor.OPENAI: {
        "title": "OpenAI's Batch API",
        "vendor": "OpenAI",
        "sdk": "openai",
        "key": "OPENAI_API_KEY",
        "names": "client, sdk",
        "base_error": "sdk.OpenAIError",
        "without": "`stream_options`, `service_tier` and `background`",
        "kept": "At OpenAI they lie for a week at most; `collect` deletes the uploaded prompts.",
        "by": "by a mark in the metadata of the batch",
    },
    Vendor.ANTHROPIC: {
        "title": "Anthropic's Message Batches",
        "vendor": "Anthropic",
        "sdk": "anthropic",
        "key": "ANTHROPIC_API_KEY",
        "names": "client, results, sdk",
        "base_error": "sdk.AnthropicError",
        "without": "`service_tier` and `speed`",
        "kept": "Anthropic keeps them for 29 days; zero data retention does not cover batches.",
        "by": "by its size and, once it has ended, by the ids in its results",
    },
}
"""What differs between the vendors, apart from the scripts."""


@dataclass(frozen=True)
class Switch:
    """A workload and whether it moves: a row of `sql/switch.sql`, in the order of its columns.

    Money is USD; declared_s: seconds that the log allows a result to take, at least. note: why it
    does not move. formats: of the logs its calls are in. days: of the whole log, 0: not known.
    """

    workload_id: str
    caller: str
    operation_name: str
    provider_name: str
    model: str
    calls: int
    first_call_at: datetime | None
    last_call_at: datetime | None
    declared_s: float | None
    eligible_calls: int
    cost: Decimal | None
    batch_cost: Decimal | None
    saving: Decimal | None
    saving_expected: Decimal | None
    moves: bool
    note: str
    formats: Sequence[str] = ()
    days: int = 0

    @property
    def endpoint(self) -> str | None:
        """Of the vendor's own batch API; None where there is none."""
        return ENDPOINTS.get((self.provider_name, self.operation_name))

    @property
    def period(self) -> str:
        """The time that its figures are of."""
        return f"the {count(self.days, 'day')} of the log" if self.days else "this log"


@dataclass(frozen=True)
class Emitted:
    """What was written, file by file, and the workloads for which nothing was."""

    files: tuple[tuple[Switch, tuple[Path, ...]], ...]
    skipped: tuple[Switch, ...]


def emit(
    connection: duckdb.DuckDBPyConnection, folder: Path, names: Sequence[str], today: date
) -> Emitted:
    """Write scripts and notes into `folder`; after `pipeline.run`.

    names: workload ids, callers or globs; none: the workloads that the headline counts.
    Errors: `UsageError` for an unknown name; `MigrationError` where none of them moves (the hint
    says why), a file is there already or the folder cannot be written. Nothing is written then.
    """
    rows = [Switch(*row) for row in _rows(connection, names)]
    moving = [row for row in rows if row.moves and row.endpoint]
    skipped = tuple(_explained(connection, row) for row in rows if row not in moving)
    if not moving:
        raise _nothing(skipped)
    texts = {row.workload_id: _texts(row, today) for row in moving}
    _write(folder, {name: text for files in texts.values() for name, text in files.items()})
    return Emitted(
        tuple((row, tuple(folder / name for name in texts[row.workload_id])) for row in moving),
        skipped,
    )


def lines(emitted: Emitted) -> list[str]:
    """What was done, for a person."""
    told = [
        f"{printable(row.caller, 40)} ({printable(row.model, 40)}) would have saved "
        f"{usd(row.saving)} in {row.period}: {', '.join(path.name for path in paths)}"
        for row, paths in emitted.files
    ]
    told += [
        f"{row.workload_id} {printable(row.caller, 40)}: nothing is written for it: {row.note}"
        for row in emitted.skipped
    ]
    if emitted.files:
        folder = emitted.files[0][1][0].parent
        told.append(f"Written to {printable(str(folder), 400)}; begin with the notes (.md).")
    return told


def _rows(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> list[tuple[Any, ...]]:
    query = resources.files("llm_audit.migrate").joinpath("sql", "switch.sql")
    chosen = {"chosen": candidates.chosen(connection, names)}
    return connection.execute(query.read_text(encoding="utf-8"), chosen).fetchall()


def _explained(connection: duckdb.DuckDBPyConnection, row: Switch) -> Switch:
    """`row` with a note that is true of it, and says what to do."""
    if row.moves:
        what = f"{printable(row.provider_name, 40)} {printable(row.operation_name, 40)}"
        return replace(row, note=f"No script for {what} calls: OpenAI's and Anthropic's own only.")
    if row.eligible_calls:
        return replace(row, note=printable(row.note, 400))
    # No call of it is eligible, so its note is that of what most of its calls are instead.
    found = connection.execute(
        "SELECT note, advice FROM savings WHERE workload_id = ? ORDER BY calls DESC, label LIMIT 1",
        [row.workload_id],
    ).fetchone()
    note, advice = found or (row.note, "")
    how = " `llm-audit review` asks, and keeps the answer." if advice == "ask_owner" else ""
    return replace(row, note=printable(note, 400) + how)


def _nothing(skipped: Sequence[Switch]) -> MigrationError:
    """Nothing was written, and why: a sentence each for the first workloads."""
    names = [f"{row.workload_id} {printable(row.caller, 40)}" for row in skipped[:_TOLD]]
    told = [row.note for row in skipped[:_TOLD]]
    if len(told) > 1:
        told = [f"{name}: {note}" for name, note in zip(names, told, strict=True)]
    if len(skipped) > _TOLD or not skipped:
        told.append("See what each workload is held for: llm-audit report")
    return MigrationError(
        "nothing was written" + (f" for {', '.join(names)}" if names else ": nothing is to move"),
        slug="emit-nothing",
        hint=" ".join(told),
    )


def _texts(row: Switch, today: date) -> dict[str, str]:
    """The files of a workload by name."""
    if not _ID.fullmatch(row.workload_id):
        raise MigrationError("a workload id is not one of ours", slug="emit-id")
    vendor, name = Vendor(row.provider_name), row.workload_id
    words = {
        **_WORDS[vendor],
        "name": name,
        "version": __version__,
        "caller": literal(row.caller, 28),
        "model": literal(row.model, 28),
        "endpoint": row.endpoint or "",
        "path": (row.endpoint or "").removeprefix("/v1" if vendor is Vendor.OPENAI else ""),
        "find": _template(f"{vendor.value}_find.py").template.rstrip(),
        "limits": _template(f"{vendor.value}_limits.md").template.rstrip(),
    }
    words |= _shape(row, words)
    return {
        f"{name}.py": _template(f"{vendor.value}.py").substitute(words),
        f"{name}_rescue.py": _template("rescue.py").substitute(words),
        f"{name}_tools.py": _template("tools.py").substitute(words),
        f"{name}.md": _template("note.md").substitute(words | _note(row, today)),
    }


def _shape(row: Switch, words: Mapping[str, str]) -> dict[str, str]:
    """What the note says of the bodies: whether they are what the job sends today."""
    shape = shape_of(row)
    is_same = shape == "as_sent"
    return {
        "shape": _template(f"shape_{shape}.md").substitute(words).rstrip(),
        "answer": f"the body as POST\n  {row.endpoint} answers it",
        "back": _SAME if is_same else _OTHER,
    }


_SAME = "Send the requests as today: the bodies are the same."
_OTHER = """\
Keep the code that sends the requests today until batches have run for a while, and go back to it:
its bodies are not those of a batch."""

_NO_REQUESTS = frozenset({"openai_batch", "anthropic_batch", "openai_error"})
"""Log formats that are the vendor's own, of answers alone."""


def shape_of(row: Switch) -> str:
    """`as_sent`, `litellm` (through LiteLLM, in the API's shape), `reshaped` or `unknown`.

    Where the logs are of several formats, what asks most of the job.
    """
    found = {_shape_in(name, row) for name in row.formats if name not in _NO_REQUESTS}
    order = ("reshaped", "unknown", "litellm", "as_sent")
    return next((shape for shape in order if shape in found), "unknown")


def _shape_in(log_format: str, row: Switch) -> str:
    if log_format.startswith("litellm"):
        # Its callers have OpenAI's shape, whoever answers.
        return "litellm" if row.provider_name == Vendor.OPENAI else "reshaped"
    shape = replay.rules().shapes.get(log_format)
    fits = shape is not None and shape.endpoints.get(row.operation_name) == row.endpoint
    return "as_sent" if fits else "unknown"


def _template(name: str) -> Template:
    file = resources.files("llm_audit.migrate").joinpath("templates", f"{name}.txt")
    return Template(file.read_text(encoding="utf-8"))


def _note(row: Switch, today: date) -> dict[str, str]:
    """What only the note says."""
    hours = _hours(row.declared_s)
    saving, cost = row.saving or Decimal(0), row.cost or Decimal(0)
    return {
        "date": today.isoformat(),
        "caller": code(row.caller),
        "model": code(row.model),
        "period": _period(row),
        "calls": f"{row.calls:,}",
        "eligible": f"{row.eligible_calls:,}",
        "cost": usd(cost),
        "batch_cost": usd(row.batch_cost),
        "saving": usd(saving),
        "share": f"{saving / cost:.0%}" if cost else "0%",
        "expected": _expected(row),
        "deadline": _deadline(row, hours),
        "hours": str(hours),
    }


def _period(row: Switch) -> str:
    if row.first_call_at is None or row.last_call_at is None:
        return "whose calls have no time"
    return f"{row.first_call_at:%Y-%m-%d} to {row.last_call_at:%Y-%m-%d}"


def _expected(row: Switch) -> str:
    """A line of the table where cache hits are expected to save more."""
    if row.saving_expected is None or row.saving_expected <= (row.saving or 0):
        return ""
    return f"| with the documented share of cache hits | {usd(row.saving_expected)} |\n"


def _hours(declared_s: float | None) -> int:
    """Three quarters of what the log allows (never under 24 hours here), 20 hours at most."""
    return 20 if declared_s is None else min(20, int(declared_s / 3600 * 0.75))


def _deadline(row: Switch, hours: int) -> str:
    if row.declared_s is None:
        return f"The log names none; {hours} hours leave time to spare within a day. Ask the owner."
    return f"The log says that a result may take {lasting(row.declared_s)} at most."


def literal(text: str, width: int) -> str:
    """`text` as a Python string of ASCII in double quotes, at most `width` characters in all.

    Whatever it holds, it cannot end the string or the line; what is too long ends in three dots.
    """
    pieces = [_escaped(character) for character in printable(text)]
    if sum(map(len, pieces)) > width - 2:
        while sum(map(len, pieces)) > width - 5:
            pieces.pop()
        pieces.append("...")
    return '"' + "".join(pieces) + '"'


def _escaped(character: str) -> str:
    if character == '"':
        return r"\x22"
    return character.encode("unicode_escape").decode("ascii")


def code(text: str) -> str:
    """`text` as a code span of Markdown, on one line, and safe in a table."""
    shown = printable(text, 80).replace("`", "'").replace("|", "/").strip()
    return f"`{shown or '(no name)'}`"


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """All of them or none."""
    there = [name for name in texts if (folder / name).exists()]
    if there:
        raise MigrationError(
            f"{folder / there[0]} is there already, and may have been changed by hand",
            slug="emit-exists",
            hint="choose another folder, or move the file away",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise MigrationError(
            f"cannot write {folder}: {error.strerror}",
            slug="emit-unwritable",
            hint="choose a folder that you may write",
        ) from None
