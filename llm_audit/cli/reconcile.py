"""`llm-audit reconcile`: a provider's usage or cost export beside our own totals."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit import __version__
from llm_audit.cli.common import (
    DAY,
    common_options,
    config_option,
    policy_of,
    print_warnings,
    workspace,
    write,
)
from llm_audit.errors import InputError
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb

    from llm_audit.reconcile import Reconciliation
    from llm_audit.sources.local import SourceFile

_KNOWN = (
    "known are OpenAI's usage and costs API (JSON) and dashboard CSVs, Anthropic's Admin API "
    "reports (JSON) and Console CSVs, as they were downloaded"
)


@click.command("reconcile")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["table", "json"]),
    help="What to write.  [default: from --out, else table]",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="The file to write.  [default: standard output]",
)
@click.option(
    "--as-of",
    type=DAY,
    help="Day of the price card for calls without a time.  [default: today]",
)
@click.option(
    "--forget",
    "forgotten",
    metavar="FILE",
    multiple=True,
    help="Take this export out of the database again, and do nothing else; repeatable.",
)
@config_option
@common_options
def command(
    files: tuple[str, ...],
    format_name: str | None,
    out: Path | None,
    as_of: datetime | None,
    forgotten: tuple[str, ...],
    config: Path | None,
) -> None:
    """Hold the log against a provider's own usage or cost export.

    Per day, model and token kind, the gap is split into what explains it and what does not. FILE is
    an export of OpenAI (usage or costs API, dashboard CSV) or Anthropic (Admin API, Console CSV):
    only the files named are compared; without one, all exports ingested before are. A file with
    calls is refused: that is a log.

    \b
        llm-audit reconcile claude_api_cost_2026_08_01_to_2026_08_31.csv
    """
    if forgotten:
        if files:
            raise click.UsageError("--forget takes exports away; leave FILE out")
        _forget(forgotten)
        return
    if format_name is None:
        format_name = "json" if out and out.suffix.lower() == ".json" else "table"
    if out and str(out) != "-" and not out.absolute().parent.is_dir():
        raise InputError(f"cannot write {out}: no such folder", slug="out-unwritable")
    result = _result(files, as_of.date() if as_of else date.today(), config)
    text = _text(result, format_name)
    if out is None or str(out) == "-":
        click.echo(text.rstrip())
        return
    write(out, text)
    for comparison in result.comparisons:
        click.echo(printable(comparison.verdict, 400))
    click.echo(f"wrote {printable(str(out))}", err=True)


def _result(files: tuple[str, ...], as_of: date, config: Path | None) -> Reconciliation:
    from llm_audit import pipeline, reconcile

    policy = policy_of(config)
    with workspace().connect(must_exist=True) as connection:
        chosen = _ingest(connection, files) if files else []
        pipeline.run(connection, policy, as_of, chosen)
        return reconcile.build(connection, now=datetime.now(UTC), tool_version=__version__)


def _ingest(connection: duckdb.DuckDBPyConnection, files: tuple[str, ...]) -> list[str]:
    """Read the exports into usage_buckets; returns the paths they are known by there.

    What cannot be read is said on standard error. Errors: `InputError` when a file is no export or
    holds calls (then nothing is stored), or when none of them has a line to compare.
    """
    from llm_audit import reconcile
    from llm_audit.ingest import Options, ingest
    from llm_audit.sources.local import STDIN, find

    sources = find(files)
    if any(source.path == STDIN for source in sources):
        raise InputError(
            "an export cannot come from standard input: its file's name is part of what it says",
            slug="export-unnamed",
            hint="save it under the name it was downloaded as: llm-audit reconcile FILE",
        )
    _refuse_logs(connection, sources)
    summary = ingest(connection, sources, Options())
    if summary.unknown:
        raise InputError(
            "no known export in " + "; ".join(printable(name, 400) for name in summary.unknown),
            slug="export-unknown",
            hint=_KNOWN,
        )
    print_warnings(summary)
    if summary.rejects:
        click.echo(
            f"{reconcile.several(summary.rejects, 'line')} could not be read; the table `rejects` "
            "says why",
            err=True,
        )
    paths = [source.name for source in sources]
    useless = [printable(sentence, 400) for sentence in reconcile.unusable(connection, paths)]
    if len(useless) == len(paths):
        raise InputError("; ".join(useless) or "no export there", slug="export-empty", hint=_KNOWN)
    for sentence in useless:
        click.echo(f"warning: {sentence}", err=True)
    return reconcile.with_copies(connection, paths)


def _refuse_logs(connection: duckdb.DuckDBPyConnection, sources: list[SourceFile]) -> None:
    from llm_audit.ingest.only_exports import first_call

    found = first_call(connection, sources)
    if found:
        path, number = found
        raise InputError(
            f"{printable(path)} is a log, not an export: line {number:,} is a call. Nothing of "
            "it was stored",
            slug="export-is-log",
            hint=f"read it with `llm-audit ingest {printable(path)}`",
        )


def _forget(files: tuple[str, ...]) -> None:
    """Take exports out of the database, by the paths they were read from."""
    from llm_audit.ingest.forgetting import forget
    from llm_audit.reconcile import several

    with workspace().connect(must_exist=True) as connection:
        for file in files:
            path = os.fsencode(str(Path(file).resolve())).decode("utf-8", "backslashreplace")
            gone = forget(connection, path)
            click.echo(f"forgot {printable(path)}: {several(gone.buckets, 'usage bucket')}")
            for other in gone.others:
                click.echo(
                    f"forgot {printable(other)}, too: it shares records with it; name it again to "
                    "have it read"
                )


def _text(result: Reconciliation, format_name: str) -> str:
    from llm_audit.reconcile import table
    from llm_audit.report.codec import to_json

    return to_json(result) if format_name == "json" else table(result)
