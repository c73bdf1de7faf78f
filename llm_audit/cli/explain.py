"""`llm-audit explain`: why a call or a workload has its label, and what it costs."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit import __version__
from llm_audit.cli.common import DAY, common_options, config_option, policy_of, workspace, write
from llm_audit.errors import InputError
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.explain import Explanation
    from llm_audit.policy import Override, Policy


@click.command("explain")
@click.argument("name", metavar="CALL|WORKLOAD")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "json"]),
    help="What to write.  [default: from --out, else text]",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="The file to write.  [default: standard output]",
)
@click.option(
    "--as-of",
    type=DAY,
    help="Day of the price card for the forward saving.  [default: today]",
)
@config_option
@common_options
def command(
    name: str,
    format_name: str | None,
    out: Path | None,
    as_of: datetime | None,
    config: Path | None,
) -> None:
    """Show why a call or a workload has its label and its cost.

    The rules for and against with their evidence, what would change the verdict, what the log does
    not tell, sample calls with file and line, and the arithmetic of the costs. Name a workload_id,
    a caller (or a pattern such as 'nightly-*') or a call_id.

    \b
        llm-audit explain svc-orion
        llm-audit explain chatcmpl-9f2c --format json
    """
    if format_name is None:
        format_name = "json" if out and out.suffix.lower() == ".json" else "text"
    if out and str(out) != "-" and not out.absolute().parent.is_dir():
        raise InputError(f"cannot write {out}: no such folder", slug="out-unwritable")
    to_file = out is not None and str(out) != "-"
    result = _result(name, as_of.date() if as_of else date.today(), config)
    text = _text(result, format_name, to_file=to_file)
    if out is None or not to_file:
        click.echo(text.rstrip())
        return
    write(out, text)
    click.echo(f"wrote {printable(str(out))}", err=True)


def _result(name: str, as_of: date, config: Path | None) -> Explanation:
    from llm_audit import explain, pipeline

    policy = policy_of(config)
    with workspace().connect(must_exist=True) as connection:
        pipeline.run(connection, policy, as_of)
        try:
            target = explain.find(connection, name)
        except explain.AmbiguousError as error:
            click.echo(explain.candidates_text(error.candidates), err=True)
            raise
        return explain.build(
            connection,
            policy,
            target,
            run_steps=pipeline.run_steps,
            now=datetime.now(UTC),
            tool_version=__version__,
            ended=_ended(config, policy),
        )


def _ended(config: Path | None, policy: Policy) -> tuple[Override, ...]:
    """The overrides of the file in force that `policy` leaves out, because their time is over."""
    from llm_audit.policy import Policy, find_config

    everything = Policy.load(config or find_config(Path.cwd()), today=date.min)
    return tuple(word for word in everything.overrides if word not in policy.overrides)


def _text(result: Explanation, format_name: str, *, to_file: bool) -> str:
    import shutil

    from llm_audit import explain
    from llm_audit.report.codec import to_json

    if format_name == "json":
        return to_json(result)
    on_screen = not to_file and sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if on_screen else 100
    text = explain.text(result, width=width, folder=Path.cwd())
    if to_file:
        return text
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "replace").decode(encoding)
