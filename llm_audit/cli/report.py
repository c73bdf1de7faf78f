"""`llm-audit report`: label, price, and say what a batch API would have saved."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit import __version__
from llm_audit.cli.common import (
    DAY,
    SEE_REJECTS,
    Common,
    allowed_rejects,
    common_options,
    config_option,
    policy_of,
    workspace,
    write,
)
from llm_audit.errors import DataQualityError, GateError, InputError
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.policy import Policy
    from llm_audit.report import Result
    from llm_audit.report.gates import Gate

ENDINGS = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "markdown",
    ".focus.csv": "focus",
    ".csv": "csv",
    ".txt": "table",
}
"""The first that fits names the format."""

_A_RESULT = click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True)


@dataclass(frozen=True)
class _Limits:
    """What the exit code depends on; checked when the report has been written."""

    gates: tuple[Gate, ...]
    rejects: float

    def check(self, result: Result) -> None:
        """Errors: `DataQualityError`, else `GateError`: figures over a log that was not read say
        nothing about a gate, so the first one goes before, but both are told.
        """
        quality = result.data_quality
        tripped = [gate.reason(result) for gate in self.gates if gate.tripped(result)]
        gate = f"--fail-on holds: {'; '.join(tripped)}" if tripped else ""
        if quality.rejects > self.rejects * quality.lines:
            reason = f"{quality.rejects:,} of {quality.lines:,} lines were rejected"
            message = f"{reason}; {gate}" if gate else reason
            raise DataQualityError(message, slug="rejects", hint=SEE_REJECTS)
        if gate:
            raise GateError(gate, slug="gate")


@click.command("report")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="The file to write; its ending chooses the format. Without it, a table is printed.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["html", "json", "markdown", "csv", "focus", "table"]),
    help="What to write.  [default: from --out, else table]",
)
@click.option("--static", is_flag=True, help="HTML without any script, below 200 kB, for e-mail.")
@click.option(
    "--as-of",
    type=DAY,
    help="Day of the price card for the forward saving.  [default: today]",
)
@click.option("--project", is_flag=True, help="Project to a month even from a short log.")
@click.option(
    "--from",
    "source",
    type=_A_RESULT,
    help="Redraw this result (--format json) of an earlier run; needs no database.",
)
@click.option(
    "--baseline", type=_A_RESULT, help="Say what changed since this result (--format json)."
)
@click.option(
    "--fail-on",
    "conditions",
    multiple=True,
    metavar="EXPR",
    help="Exit with 3 if e.g. 'savings>=500' or 'unpriced>5%' holds; the report is written first.",
)
@click.option("--strict", is_flag=True, help="Exit with 5 if any line of the log was rejected.")
@click.option(
    "--max-rejects", metavar="SHARE", help="Exit with 5 above this share of rejects, e.g. 1%."
)
@config_option
@common_options
def command(
    out: Path | None,
    format_name: str | None,
    static: bool,
    as_of: datetime | None,
    project: bool,
    source: Path | None,
    baseline: Path | None,
    conditions: tuple[str, ...],
    strict: bool,
    max_rejects: str | None,
    config: Path | None,
) -> None:
    """Label and price every call, and report what a batch API would have saved.

    \b
        llm-audit report --out savings.html
        llm-audit report --out run.json
        llm-audit report --from run.json --format markdown
    """
    from llm_audit.report.gates import parse

    limits = _Limits(
        tuple(parse(condition) for condition in conditions),
        allowed_rejects(max_rejects, strict=strict),
    )
    format_name = format_name or _format_of(out)
    if static and format_name != "html":
        raise click.UsageError("--static makes an HTML report; write --out FILE.html")
    if out and not out.absolute().parent.is_dir():
        raise InputError(f"cannot write {out}: no such folder", slug="out-unwritable")
    if source is not None:
        _refuse_with_from(as_of=as_of, project=project, config=config)
    # Before the database is asked, which may take a while.
    earlier = None if baseline is None else _read(baseline, "--baseline")
    if source is not None:
        result = _read(source, "--from")
    else:
        result = _build(as_of, policy_of(config), project=project)
    if earlier is not None:
        result = _beside(result, earlier)
    _write(result, out, format_name, static=static)
    limits.check(result)


def _format_of(out: Path | None) -> str:
    name = out.name.lower() if out else ""
    found = next((ENDINGS[ending] for ending in ENDINGS if name.endswith(ending)), None)
    if found is None and Path(name).suffix:
        raise click.BadParameter(
            f"no report format is known for {Path(name).suffix!r}: use one of "
            f"{', '.join(ENDINGS)}, or --format",
            param_hint="--out",
        )
    return found or "table"


def _refuse_with_from(**options: object) -> None:
    """What only the database can answer is settled in a result that was written before."""
    common = click.get_current_context().find_root().ensure_object(Common)
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    given += ["--db"] if common.db else []
    if given:
        raise click.UsageError(
            f"--from redraws a result as it is: {', '.join(given)} would need the database; "
            "leave one of them out"
        )


def _read(path: Path, option: str) -> Result:
    """The result in a file. Errors: `InputError` naming the option."""
    from llm_audit import report as reporting

    try:
        with click.open_file(str(path), "rb") as file:
            text = file.read().decode("utf-8")
        return reporting.from_json(text)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"{option} {path}: {reason}", slug="result-unreadable") from None
    except (UnicodeDecodeError, RecursionError):
        raise InputError(
            f"{option} {path}: this is not a result of `llm-audit report --format json`",
            slug="result-unreadable",
            hint="write one with `llm-audit report --out run.json`",
        ) from None
    except InputError as error:
        raise InputError(
            f"{option} {path}: {error.message}", slug=error.slug, hint=error.hint
        ) from None


def _build(as_of: datetime | None, policy: Policy, *, project: bool) -> Result:
    from llm_audit import pipeline
    from llm_audit import report as reporting

    today = date.today()
    if as_of and as_of.date() > today:
        click.echo(
            "warning: --as-of lies ahead: prices known today are taken for that day", err=True
        )
    with workspace().connect(must_exist=True) as connection:
        pipeline.run(connection, policy, as_of.date() if as_of else today, empty=True)
        idle = pipeline.idle_policy(connection, policy)
        for warning in idle:
            click.echo(f"warning: {printable(warning, 400)}", err=True)
        return reporting.build(
            connection,
            now=datetime.now(UTC),
            project=project,
            tool_version=__version__,
            policy_warnings=(*policy.warnings, *idle),
        )


def _beside(result: Result, earlier: Result) -> Result:
    from llm_audit import report as reporting

    return replace(result, baseline=reporting.compare(result, earlier))


def _write(result: Result, out: Path | None, format_name: str, *, static: bool) -> None:
    """To a file, and the bottom line to standard output; or all of it there."""
    if out is None or str(out) == "-":
        text = _text(result, format_name, static=static, on_screen=True)
        click.echo(text, nl=not text.endswith("\n"))
        return
    write(out, _text(result, format_name, static=static, on_screen=False))
    from llm_audit.report.headline import headline, plain

    line = headline(result)
    click.echo(printable(plain(line.sentence), 400))
    click.echo(printable(plain(line.detail), 400))
    for banner in line.banners:
        click.echo(f"! {banner.title}: {printable(plain(banner.text), 400)}")
    click.echo(f"wrote {printable(str(out))}", err=True)


def _text(result: Result, format_name: str, *, static: bool, on_screen: bool) -> str:
    from llm_audit import report as reporting

    match format_name:
        case "html":
            return reporting.write_html(result, static=static)
        case "json":
            return reporting.to_json(result)
        case "markdown":
            return reporting.to_markdown(result)
        case "csv":
            return reporting.to_csv(result)
        case "focus":
            return reporting.to_focus(result)
        case _:
            return _on_screen(result) if on_screen else reporting.table(result)


def _on_screen(result: Result) -> str:
    """As wide as the terminal and in its encoding; a file is always 100 columns of UTF-8."""
    import shutil

    from llm_audit import report as reporting

    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    return reporting.table(result, width=width, encoding=sys.stdout.encoding or "ascii")
