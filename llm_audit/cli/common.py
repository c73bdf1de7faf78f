"""What the commands share: the options every one accepts, the policy, tables, files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llm_audit.errors import InputError
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.ingest import Summary
    from llm_audit.policy import Policy
    from llm_audit.workspace import Workspace


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


class Day(click.DateTime):
    """A calendar day, which messages and --help name as people write it."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def get_metavar(self, *_: Any, **__: Any) -> str:
        """How --help names it."""
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The day at midnight. Errors: `click.BadParameter`."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no day: write YYYY-MM-DD, such as 2026-06-15", param, ctx)


DAY = Day()


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


config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your policy.  [default: llm-audit.toml or pyproject.toml in this folder]",
)


SEE_REJECTS = 'llm-audit sql "SELECT reason, count(*) FROM rejects GROUP BY 1 ORDER BY 2 DESC"'


def allowed_rejects(share: str | None, *, strict: bool) -> float:
    """What part of the lines may be rejected: `1%` or `0.01` as 0.01; none if strict, else all.

    Errors: `click.BadParameter`.
    """
    if not share:
        return 0.0 if strict else 1.0
    try:
        allowed = float(share.removesuffix("%")) / (100 if share.endswith("%") else 1)
    except ValueError:
        allowed = -1.0
    if not 0 <= allowed <= 1:
        raise click.BadParameter(
            f"{share!r} is no share; write 1% or 0.01", param_hint="--max-rejects"
        )
    return allowed


def workspace() -> Workspace:
    """The database that the command line names, inside a running command."""
    return common().workspace()


def common() -> Common:
    """The common options of the running command."""
    return click.get_current_context().find_root().ensure_object(Common)


def policy_of(config: Path | None) -> Policy:
    """The user's policy over the packaged one; what it warns of goes to standard error."""
    from llm_audit.policy import OWN_FILE, Policy, find_config, hidden_config

    policy = Policy.load(config or find_config(Path.cwd()))
    if config is None and hidden_config(Path.cwd()):
        click.echo(
            f"warning: [tool.llm-audit] in pyproject.toml is ignored: {OWN_FILE} is here", err=True
        )
    for warning in policy.warnings:
        click.echo(f"warning: {printable(warning, 400)}", err=True)
    return policy


def config_path(config: Path | None) -> Path:
    """Where to write to: the config in force, so that no second one puts it out of force."""
    from llm_audit.policy import OWN_FILE, find_config

    if config:
        return config
    found = find_config(Path.cwd())
    return Path(found.name) if found else Path(OWN_FILE)


def print_warnings(summary: Summary) -> None:
    """What an ingest warns of goes to standard error."""
    for warning in summary.warnings:
        click.echo(f"warning: {printable(warning, 400)}", err=True)


def write(out: Path, text: str) -> None:
    """Write a result to a file. Errors: `InputError` where that cannot be done."""
    try:
        out.write_text(text, encoding="utf-8", newline="")  # CSV has line ends of its own
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}", slug="out-unwritable") from None


def print_rows(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Print a plain table; text from a log is made fit to be shown."""
    cells = [["" if v is None else printable(str(v), 200) for v in row] for row in rows]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(names)]
    for row in [names, ["-" * width for width in widths], *cells]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())
