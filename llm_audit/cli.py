"""The command line: options -> one call -> print. The only module that exits.

Heavy modules are imported inside the commands, so that `llm-audit --help` stays quick.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llm_audit import __version__
from llm_audit.errors import DataQualityError, ExitCode, GateError, InputError, LlmAuditError
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.ingest import Options, Summary
    from llm_audit.policy import Policy
    from llm_audit.report import Result
    from llm_audit.sources.local import SourceFile
    from llm_audit.workspace import Workspace


SKIPPED_SHOWN = 8


@dataclass
class Common:
    """What every command accepts, before or after its name."""

    db: Path | None = None
    debug: bool = False
    memory: str | None = None
    threads: int | None = None

    def workspace(self) -> Workspace:
        """The database these options name."""
        from llm_audit.workspace import Workspace, default_path

        return Workspace(self.db or default_path(), self.memory, self.threads)


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep a common option wherever it stands; the one after the command's name wins."""
    common = context.find_root().ensure_object(Common)
    if value and parameter.name:
        setattr(common, parameter.name, value)


def _remember_size(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Keep an amount of memory, if it is one."""
    if value and not re.fullmatch(r"\d+(\.\d+)?\s*([KMGT]i?)?B", value, re.IGNORECASE):
        raise click.BadParameter(f"{value!r} is no amount of memory; write 2GB or 500MB")
    _remember(context, parameter, value)


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --db, --memory, --threads and --debug to a command or group."""
    for option in (
        click.option(
            "--debug", is_flag=True, help="Show tracebacks.", callback=_remember, expose_value=False
        ),
        click.option(
            "--threads",
            type=click.IntRange(min=1),
            help="CPU threads to use.",
            callback=_remember,
            expose_value=False,
        ),
        click.option(
            "--memory",
            metavar="SIZE",
            help="Memory limit such as 2GB; what exceeds it spills to disk.",
            callback=_remember_size,
            expose_value=False,
        ),
        click.option(
            "--db",
            type=click.Path(dir_okay=False, path_type=Path),
            help="The audit database.  [default: .llm-audit/audit.duckdb or $LLM_AUDIT_DB]",
            callback=_remember,
            expose_value=False,
        ),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="llm-audit")
@common_options
def cli() -> None:
    """Find the LLM API calls that could have used a half-price batch API.

    \b
        llm-audit ingest logs/
        llm-audit report --out savings.html

    Everything stays on this machine: no command here uses the network.
    """


@cli.command()
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
def ingest(
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
    allowed = _share(max_rejects) if max_rejects else 0.0 if strict else 1.0
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
            hint='llm-audit sql "SELECT reason, count(*) FROM rejects GROUP BY 1 ORDER BY 2 DESC"',
        )


def _share(text: str) -> float:
    """`1%` or `0.01` as 0.01. Errors: `click.BadParameter`."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise click.BadParameter(
            f"{text!r} is no share; write 1% or 0.01", param_hint="--max-rejects"
        )
    return share


def _ingest(sources: list[SourceFile], options: Options) -> Summary:
    from llm_audit.ingest import ingest as run

    started = time.monotonic()
    common = click.get_current_context().find_root().ensure_object(Common)
    with common.workspace().connect() as connection, _progress(sources) as progress:
        summary = run(connection, sources, options, progress)
    click.echo(_summary_line(summary, time.monotonic() - started))
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
    unchanged = f" ({several(summary.unchanged, 'file')} unchanged)" if summary.unchanged else ""
    return (
        f"{several(summary.lines, 'line')} in {several(summary.files, 'file')}{unchanged} = "
        + " + ".join(parts)
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


@cli.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="The file to write; its ending chooses the format. Without it, a table is printed.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["html", "json", "table"]),
    help="What to write.  [default: from --out, else table]",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the price card for the forward saving.  [default: today]",
)
@click.option("--project", is_flag=True, help="Project to a month even from a short log.")
@click.option(
    "--fail-on",
    "conditions",
    multiple=True,
    metavar="EXPR",
    help="Exit with 3 if e.g. 'savings>=500' or 'unpriced>5%' holds; the report is written first.",
)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your policy.  [default: llm-audit.toml or pyproject.toml in this folder]",
)
@common_options
def report(
    out: Path | None,
    format_name: str | None,
    as_of: datetime | None,
    project: bool,
    conditions: tuple[str, ...],
    config: Path | None,
) -> None:
    """Label and price every call, and report what a batch API would have saved."""
    from llm_audit import report as reporting
    from llm_audit.report.gates import parse
    from llm_audit.report.headline import headline, plain

    gates = [parse(condition) for condition in conditions]
    format_name = format_name or _format_of(out)
    if as_of and as_of.date() > date.today():
        click.echo(
            "warning: --as-of lies ahead: prices known today are taken for that day", err=True
        )
    if out and not out.absolute().parent.is_dir():
        raise InputError(f"cannot write {out}: no such folder", slug="out-unwritable")
    policy = _policy(config)
    result = _result(policy, as_of.date() if as_of else date.today(), project=project)
    if format_name == "table":
        text = _table(result)
    else:
        text = reporting.to_json(result) if format_name == "json" else reporting.write_html(result)
    if out is None or str(out) == "-":
        click.echo(text)
    else:
        _write(out, text)
        line = headline(result)
        click.echo(printable(plain(line.sentence), 400))
        click.echo(printable(plain(line.detail), 400))
        for banner in line.banners:
            click.echo(f"! {banner.title}: {printable(plain(banner.text), 400)}")
        click.echo(f"wrote {printable(str(out))}", err=True)
    tripped = [gate.text for gate in gates if gate.tripped(result)]
    if tripped:
        raise GateError(f"--fail-on holds: {', '.join(tripped)}", slug="gate")


def _format_of(out: Path | None) -> str:
    ending = out.suffix.lower() if out else ""
    formats = {"": "table", ".html": "html", ".htm": "html", ".json": "json", ".txt": "table"}
    if ending not in formats:
        raise click.BadParameter(
            f"no report format is known for {ending!r}: use .html, .json or .txt, or --format",
            param_hint="--out",
        )
    return formats[ending]


def _policy(config: Path | None) -> Policy:
    from llm_audit.policy import Policy, find_config

    policy = Policy.load(config or find_config(Path.cwd()))
    for warning in policy.warnings:
        click.echo(f"warning: {printable(warning, 400)}", err=True)
    return policy


def _result(policy: Policy, as_of: date, *, project: bool) -> Result:
    from llm_audit import pipeline
    from llm_audit import report as reporting

    common = click.get_current_context().find_root().ensure_object(Common)
    with common.workspace().connect(must_exist=True) as connection:
        pipeline.run(connection, policy, as_of)
        for warning in pipeline.idle_policy(connection, policy):
            click.echo(f"warning: {printable(warning, 400)}", err=True)
        return reporting.build(
            connection, now=datetime.now(UTC), project=project, tool_version=__version__
        )


def _table(result: Result) -> str:
    import shutil

    from llm_audit import report as reporting

    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    return reporting.table(result, width=width, encoding=sys.stdout.encoding or "ascii").rstrip()


def _write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}", slug="out-unwritable") from None


@cli.command()
@click.argument("query")
@common_options
def sql(query: str) -> None:
    """Run one read-only query over the audit's tables and print it as a table.

    \b
        llm-audit sql "SELECT caller, count(*) FROM calls GROUP BY 1 ORDER BY 2 DESC"
    """
    import duckdb

    common = click.get_current_context().find_root().ensure_object(Common)
    with common.workspace().connect(read_only=True) as connection:
        connection.execute("SET enable_external_access = false")
        try:
            connection.execute(query)
            names = [printable(column[0]) for column in connection.description or []]
            if names:
                _print_rows(names, connection.fetchall())
        except duckdb.Error as error:
            raise InputError(
                printable(str(error).splitlines()[0], 400),
                slug="sql",
                hint='the tables: llm-audit sql "SHOW TABLES"',
            ) from None


def _print_rows(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    cells = [["" if v is None else printable(str(v), 200) for v in row] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(names)]
    for row in [names, ["-" * width for width in widths], *cells]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def main() -> None:
    """Entry point: runs the command, turns every failure into a message and an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code (the README documents them)."""
    debug = "--debug" in arguments
    try:
        cli.main(args=arguments, prog_name="llm-audit", standalone_mode=False)
    except LlmAuditError as error:
        if debug:
            raise
        return _fail(error.message, error.hint, error.exit_code)
    except click.exceptions.Abort:
        return _fail("interrupted", "", ExitCode.INTERRUPTED)
    except KeyboardInterrupt:
        return _fail("interrupted", "", ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE if isinstance(error, click.UsageError) else ExitCode.ERROR
    except (BrokenPipeError, SystemExit):
        # The reader (head, less) has seen enough; click exits for that. Python would complain again
        # at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:
        if _is_interrupt(error):
            return _fail("interrupted", "", ExitCode.INTERRUPTED)
        if debug:
            raise
        reason = printable(str(error).splitlines()[0] if str(error) else type(error).__name__, 400)
        hint = "run it again with --debug for the traceback, and please report it"
        return _fail(f"unexpected {type(error).__name__}: {reason}", hint, ExitCode.ERROR)
    return ExitCode.OK


def _is_interrupt(error: Exception) -> bool:
    """DuckDB turns a Ctrl-C that arrives within a query into an error of its own."""
    return isinstance(error, RuntimeError) and str(error).startswith("Query interrupted")


def _fail(message: str, hint: str, code: ExitCode) -> int:
    click.echo(f"error: {printable(message, 2000)}", err=True)
    if hint:
        click.echo(f"hint: {printable(hint, 2000)}", err=True)
    return code
