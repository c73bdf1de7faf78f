"""`llm-audit migrate verify --write-policy`: what was measured goes into the config."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit.errors import MigrationError
from llm_audit.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_audit.migrate.measurements import Measurements

NOTE = "llm-audit migrate verify --write-policy"


def write(path: Path, found: Measurements, *, show: bool) -> None:
    """Write the entries into the config at `path`, and print them if `show`.

    Errors: `MigrationError` where too little was bought to measure anything: nothing is written;
    `PolicyError` for a config that cannot be written to.
    """
    from llm_audit.policy import recording

    if not found.entries:
        _tell(found.lacking or ("no batch has ended yet",))
        raise MigrationError(
            "too little was bought to measure anything the next audit could count on",
            slug="measured-few",
            hint="nothing was written; verify again when more has come back",
        )
    if show:  # before it is written: where that fails, they can be pasted
        for entry in found.entries:
            click.echo(f"\n{recording.entry_text(entry, path.name).rstrip()}")
    changed = recording.record(path, found.entries, today=date.today(), note=NOTE)
    where = printable(str(path))
    _tell(found.lacking)
    click.echo(
        f"wrote this to {where}; the next `llm-audit report` uses it"
        if changed
        else f"{where} says so already",
        err=True,
    )


def _tell(lacking: Iterable[str]) -> None:
    """What was not measured, a line each."""
    for reason in lacking:
        click.echo(f"not measured: {printable(reason, 400)}", err=True)
