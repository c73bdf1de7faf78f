"""`llm-audit ingest`: log files into calls."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit.cli.common import (
    SEE_REJECTS,
    allowed_rejects,
    common_options,
    print_warnings,
    workspace,
)
from llm_audit.errors import DataQualityError, InputError
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.ingest import Options, Summary
    from llm_audit.sources.local import SourceFile

SKIPPED_SHOWN = 8


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--format", "format_name", metavar="NAME", help="Read every file as this format.")
@click.option(
    "--map",
    "fields",
    multiple=True,
    metavar="FIELD=PATH",
    help="Read a column from another key, e.g. input_tokens=usage.prompt_tokens; repeatable.",
)
@click.option(
    "--formats",
    "formats_folder",
    type=click.Path(path_type=Path),
    help="A folder of your own format files.",
)
@click.option("--peek", is_flag=True, help="Show what the first records become; write nothing.")
@click.option("--strict", is_flag=True, help="Exit with 5 if any line was rejected.")
@click.option(
    "--max-rejects", metavar="SHARE", help="Exit with 5 above this share of rejects, e.g. 1%."
)
@common_options
def command(
    paths: tuple[str, ...],
    format_name: str | None,
    fields: tuple[str, ...],
    formats_folder: Path | None,
    peek: bool,
    strict: bool,
    max_rejects: str | None,
) -> None:
    """Read log files, folders, globs, or - for standard input.

    Formats are recognised record by record; .gz and .zst are unpacked. Reading a file twice adds
    nothing, and a file that grew adds only what is new.
    """
    from llm_audit.ingest import Options
    from llm_audit.ingest.mapping import parse_fields
    from llm_audit.sources.local import find

    if fields and format_name not in (None, "generic"):
        raise click.UsageError("--map reads the generic format; leave --format out")
    allowed = allowed_rejects(max_rejects, strict=strict)
    options = Options(format_name, parse_fields(fields), formats_folder)
    sources = find(paths)
    if peek:
        _print_peeks(sources, options)
        return
    summary = _ingest(sources, options)
    if summary.rejects > allowed * summary.lines:
        raise DataQualityError(
            f"{summary.rejects:,} of {summary.lines:,} lines were rejected",
            slug="rejects",
            hint=SEE_REJECTS,
        )


def _ingest(sources: list[SourceFile], options: Options) -> Summary:
    from llm_audit.ingest import ingest as run

    started = time.monotonic()
    with workspace().connect() as connection, _progress(sources) as progress:
        summary = run(connection, sources, options, progress)
    click.echo(_summary_line(summary, time.monotonic() - started))
    print_warnings(summary)
    for path, reason in summary.skipped[:SKIPPED_SHOWN]:
        click.echo(f"skipped {printable(path)}: {reason}", err=True)
    if len(summary.skipped) > SKIPPED_SHOWN:
        click.echo(f"skipped {len(summary.skipped) - SKIPPED_SHOWN:,} more files", err=True)
    if not sources:
        click.echo("no log files there: hidden files and documents are not read", err=True)
    if summary.unchanged and (options.format_name or options.fields or options.formats_folder):
        click.echo(
            "unchanged files keep what they were read as; to read them in another way, take a new "
            "database: --db FILE",
            err=True,
        )
    if summary.rejects:
        click.echo(
            'see the rejects: llm-audit sql "SELECT source_file, line_number, reason FROM rejects"',
            err=True,
        )
    if summary.unknown:
        raise InputError(
            "no known log format in " + "; ".join(printable(name, 400) for name in summary.unknown),
            slug="format-unknown",
            hint="see what is read with `llm-audit ingest --peek FILE`, or name the columns: "
            "--map request_model=PATH --map input_tokens=PATH",
        )
    return summary


@contextmanager
def _progress(sources: list[SourceFile]) -> Iterator[Callable[[int], None]]:
    """A bar of bytes on standard error, if that is a terminal."""
    total = sum(source.size for source in sources)
    if not sys.stderr.isatty() or os.environ.get("CI") or total == 0:
        yield lambda _: None
        return
    with click.progressbar(length=total, label="reading", file=sys.stderr) as bar:
        yield bar.update


def _summary_line(summary: Summary, seconds: float) -> str:
    def several(number: int, noun: str) -> str:
        return f"{number:,} {noun}" + ("" if number == 1 else "s")

    if summary.files == 0 and summary.unchanged:
        return f"nothing new: {several(summary.unchanged, 'file')} unchanged"
    parts = [
        several(summary.calls, "call"),
        several(summary.rejects, "reject"),
        several(summary.duplicates, "duplicate"),
        f"{several(summary.not_calls, 'line')} without a call",
    ]
    buckets = f"; {several(summary.buckets, 'usage bucket')}" if summary.buckets else ""
    unchanged = f" ({several(summary.unchanged, 'file')} unchanged)" if summary.unchanged else ""
    return (
        f"{several(summary.lines, 'line')} in {several(summary.files, 'file')}{unchanged} = "
        + " + ".join(parts)
        + buckets
        + f"   [{seconds:.1f} s]"
    )


def _print_peeks(sources: list[SourceFile], options: Options) -> None:
    from llm_audit.ingest.peek import peek

    for found in peek(sources, options):
        click.echo(f"{printable(found.path)}: {', '.join(found.formats) or 'no known format'}")
        for row in found.rows:
            line = row.pop("source_line")
            row.pop("source_format", None)
            click.echo(f"  record {line}")
            for name, value in row.items():
                click.echo(f"    {name:<32} {printable(str(value), 120)}")
        for line, reason in found.rejects:
            click.echo(f"  record {line}: rejected: {printable(reason)}")
        if found.note:
            click.echo(f"  {printable(found.note, 400)}")
