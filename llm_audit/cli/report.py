"""`llm-audit report`: label, price, and say what a batch API would have saved."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit import __version__
from llm_audit.cli.common import common_options, config_option, policy_of, workspace, write
from llm_audit.errors import GateError, InputError
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.policy import Policy
    from llm_audit.report import Result


@click.command("report")
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
@config_option
@common_options
def command(
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
    policy = policy_of(config)
    result = _result(policy, as_of.date() if as_of else date.today(), project=project)
    if format_name == "table":
        text = _table(result)
    else:
        text = reporting.to_json(result) if format_name == "json" else reporting.write_html(result)
    if out is None or str(out) == "-":
        click.echo(text)
    else:
        write(out, text)
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


def _result(policy: Policy, as_of: date, *, project: bool) -> Result:
    from llm_audit import pipeline
    from llm_audit import report as reporting

    with workspace().connect(must_exist=True) as connection:
        pipeline.run(connection, policy, as_of)
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


def _table(result: Result) -> str:
    import shutil

    from llm_audit import report as reporting

    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    return reporting.table(result, width=width, encoding=sys.stdout.encoding or "ascii").rstrip()
