"""`llm-audit migrate`: plan the batches of eligible calls, and send them (`migrating.py`)."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from llm_audit import __version__
from llm_audit.cli import measuring, migrating
from llm_audit.cli.common import (
    common,
    common_options,
    config_option,
    config_path,
    policy_of,
    workspace,
)
from llm_audit.errors import MigrationError, UsageError
from llm_audit.text import printable, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    import duckdb

    from llm_audit.migrate.candidates import Choice
    from llm_audit.migrate.dry_run import DryRun
    from llm_audit.migrate.plan import Plan, Settings


@click.group("migrate", invoke_without_command=True)
@click.option("--dry-run", is_flag=True, help="Plan only: no key, no network, nothing is sent.")
@click.option(
    "--workload",
    "workloads",
    multiple=True,
    metavar="ID|CALLER|GLOB",
    help="Only these workloads. Repeatable.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N calls.")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most N calls from all over the log, the same ones each time: a cheap proof.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the request files in this new folder, to submit them by hand.",
)
@click.option(
    "--emit",
    "emit_to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write scripts and a note by which a team moves each workload itself; nothing is sent.",
)
@click.option(
    "--max-rows",
    type=click.IntRange(min=1),
    default=5_000,
    show_default=True,
    help="Requests in one batch.",
)
@click.option(
    "--queue-tokens",
    type=click.IntRange(min=1),
    metavar="N",
    help="Your limit of queued tokens for one model; a batch takes 80 % of it at most.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@migrating.yes_option
@migrating.max_cost_option
@config_option
@common_options
@click.pass_context
def command(
    context: click.Context,
    dry_run: bool,
    workloads: tuple[str, ...],
    limit: int | None,
    sample: int | None,
    out: Path | None,
    emit_to: Path | None,
    max_rows: int,
    queue_tokens: int | None,
    format_name: str,
    yes: bool,
    max_cost: Decimal | None,
    config: Path | None,
) -> None:
    """Prove the audit's claim with real batches, and switch the jobs to them.

    A replay buys answers that you have paid for once already, at half the price: it proves what a
    batch costs and how long it takes, and saves nothing of the past. What saves is --emit: scripts
    by which each job uses batches from now on.

    A dry run builds the exact request files from the logs, checks and prices them, and says why
    each other call is left out. Without --dry-run they are sent after a confirmation, polled and
    collected: a small canary first, then the rest, each up to 24 hours. Ctrl-C leaves the batches
    going.

    What goes where: prompts from your logs go to the account of OPENAI_API_KEY at OpenAI, which
    deletes them and the answers after 7 days, and of ANTHROPIC_API_KEY at Anthropic, which keeps
    them for 29 days (zero data retention does not cover batches). Here they lie in
    .llm-audit/migrate/, in clear text, until you delete them.

    \b
        llm-audit migrate --dry-run
        llm-audit migrate --sample 50 --max-cost 5
        llm-audit migrate verify
        llm-audit migrate --emit switch
        llm-audit migrate --dry-run --workload 'nightly-*' --out batches
        llm-audit migrate status
    """
    if context.invoked_subcommand is not None:
        _refuse_own_options(context)
        return
    from llm_audit.migrate.candidates import Choice
    from llm_audit.migrate.plan import Settings

    if emit_to is not None:
        if dry_run or out is not None or sample or limit or yes or max_cost is not None:
            raise UsageError(
                "--emit goes with --workload and --config only",
                slug="migrate-emit",
                hint="the scripts read a team's own requests: nothing is planned or sent",
            )
        _emit(emit_to, workloads, config)
        return
    choice = Choice(workloads, sample, limit)
    settings = Settings(max_rows, queue_tokens)
    if dry_run:
        _print(_plan(choice, settings, out, config), format_name, config)
        return
    if out is not None or format_name != "text":
        raise UsageError(
            "--out and --format belong to --dry-run",
            slug="migrate-options",
            hint="the files of a run are in .llm-audit/migrate; see `llm-audit migrate status`",
        )
    if yes and max_cost is None:
        raise UsageError(
            "--yes needs --max-cost: nobody is asked, so there must be a limit",
            slug="migrate-yes",
            hint="add --max-cost USD; the dry run tells what it may cost",
        )
    _migrate(choice, settings, config, yes, max_cost)


def _refuse_own_options(context: click.Context) -> None:
    """What stands before a subcommand would be lost, such as --dry-run. Errors: `UsageError`."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.expose_value and source is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{option.opts[-1]} does not go with `{context.invoked_subcommand}`",
                slug="migrate-options",
                hint=f"options of `{context.invoked_subcommand}` stand after its name",
            )


def _emit(folder: Path, workloads: tuple[str, ...], config: Path | None) -> None:
    from llm_audit.migrate import emit

    with _audited(config) as connection:
        emitted = emit.emit(connection, folder, workloads, date.today())
    for line in emit.lines(emitted):
        click.echo("\n".join(wrapped(line, _width(), 4)))


def _plan(choice: Choice, settings: Settings, out: Path | None, config: Path | None) -> DryRun:
    """The files stay where `--out` says, if at all."""
    from llm_audit.migrate import manual, plan

    run_id, now = _new_run()
    bought = migrating.bought()
    with _audited(config) as connection:
        if out is not None:
            made = plan.make(connection, out.absolute(), run_id, now, choice, settings, bought)
            if made.shards:
                manual.explain(made.folder, made.shards)
            return _dry_run(connection, made, choice, settings, kept=True)
        # Prompts are copied nowhere but into the audit's own private folder, and not for long.
        with tempfile.TemporaryDirectory(
            prefix="plan-", dir=workspace().path.absolute().parent
        ) as folder:
            place = Path(folder) / "files"
            made = plan.make(connection, place, run_id, now, choice, settings, bought)
            return _dry_run(connection, made, choice, settings, kept=False)


def _dry_run(
    connection: duckdb.DuckDBPyConnection,
    made: Plan,
    choice: Choice,
    settings: Settings,
    *,
    kept: bool,
) -> DryRun:
    """The plan beside the report's own saving of a month."""
    from llm_audit.migrate import dry_run
    from llm_audit.report.build import build

    result = build(connection, now=datetime.now(UTC), project=False, tool_version=__version__)
    monthly = None if result.savings.monthly is None else result.savings.monthly.conservative
    return dry_run.build(
        connection, made, kept=kept, choice=choice, settings=settings, monthly=monthly
    )


def _width() -> int:
    """Of the terminal, or as COLUMNS says."""
    return shutil.get_terminal_size((100, 24)).columns


def _migrate(
    choice: Choice, settings: Settings, config: Path | None, yes: bool, max_cost: Decimal | None
) -> None:
    """Plan into the run's own folder, ask, book, and do it."""
    from llm_audit.migrate import dry_run, plan, rates, run
    from llm_audit.migrate.context import Policy
    from llm_audit.migrate.text import question, text

    run_id, now = _new_run()
    folder = migrating.folder() / run_id
    booked = False
    with migrating.alone(must_exist=False):
        try:
            with _audited(config) as connection:
                known = migrating.bought()
                made = plan.make(connection, folder, run_id, now, choice, settings, known)
                card = rates.of_plan(connection, made)
                result = dry_run.build(connection, made, kept=False)
            click.echo(text(result, _width(), is_dry=False))
            if not made.shards:
                return
            migrating.check_keys({planned.shard.vendor for planned in made.shards})
            _check_reach(result, max_cost)
            migrating.confirm(question(result, os.environ, max_cost), "nothing was sent", yes=yes)
            with migrating.opened(Policy(), must_exist=False) as context:
                run.begin(context.ledger, made, card, {"workloads": choice.workloads}, max_cost)
                booked = True
                # Leave was given to spend for this run, not for those that are open from before.
                context.scope = frozenset({run_id})
                migrating.work(context)
        finally:
            if not booked:  # nothing was sent: the prompts need not stay
                shutil.rmtree(folder, ignore_errors=True)


def _check_reach(result: DryRun, max_cost: Decimal | None) -> None:
    """How far the limit will do. Errors: `MigrationError` where not even for the first batch."""
    from llm_audit.migrate.layout import usd

    ends = list(accumulate(line.ceiling for line in result.shards))
    if max_cost is None or ends[-1] <= max_cost:
        return
    if ends[0] > max_cost:
        raise MigrationError(
            f"the first batch may cost {usd(ends[0])}, above --max-cost {max_cost}: nothing was "
            "booked",
            slug="max-cost-too-low",
            hint="raise --max-cost, or make the batches smaller with --sample or --max-rows",
        )
    reached = sum(end <= max_cost for end in ends)
    click.echo(
        f"--max-cost {max_cost} is enough for {reached:,} of {len(ends):,} batches at their "
        "dearest; what is left waits for `llm-audit migrate resume --max-cost USD`",
        err=True,
    )


def _new_run() -> tuple[str, datetime]:
    now = datetime.now(UTC).replace(microsecond=0)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}", now


@contextmanager
def _audited(config: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables, labelled and priced as `report` does."""
    from llm_audit import pipeline

    policy = policy_of(config)
    with workspace().connect(must_exist=True) as connection:
        pipeline.run(connection, policy, date.today())
        for warning in pipeline.idle_policy(connection, policy):
            click.echo(f"warning: {printable(warning, 400)}", err=True)
        yield connection


def _print(result: DryRun, format_name: str, config: Path | None) -> None:
    from llm_audit.migrate.text import text
    from llm_audit.report.codec import to_json

    if format_name == "json":
        click.echo(to_json(result).rstrip())
        return
    options = {"--db": common().db, "--config": config}
    where = [word for name, path in options.items() if path for word in (name, str(path))]
    click.echo(text(result, _width(), where=where))


@click.command("verify")
@click.option("--run", "run_id", metavar="ID", help="One run.  [default: all of them]")
@click.option(
    "--show-samples",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Print the N pairs of answers that are least alike. Nothing else prints answers.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@click.option(
    "--write-policy",
    is_flag=True,
    help="Write the measured cache hits and turnaround to your policy, where they are measured "
    "well enough; the next audit uses them.",
)
@config_option
@common_options
def verify_command(
    run_id: str | None,
    show_samples: int,
    format_name: str,
    write_policy: bool,
    config: Path | None,
) -> None:
    """Compare what was bought with what the audit said: delivery, structure, cost, times, texts.

    Reads the ledger, the results and the logs again; no key, no network. What it finds is kept in
    the audit's database, without any answer, for a section of the next report.
    """
    from llm_audit.migrate import booking, measurements
    from llm_audit.migrate.ledger import open_ledger
    from llm_audit.migrate.verify import verify
    from llm_audit.migrate.verify_text import text
    from llm_audit.report.codec import to_json

    with (
        open_ledger(migrating.folder(), read_only=True) as ledger,
        _audited(config) as connection,
    ):
        result = verify(connection, ledger, run_id, show_samples)
        if booking.shows_less(connection, result):
            click.echo(
                "warning: results were deleted since the last verify, so that less can be "
                "compared: the report keeps what was found then; --run ID verifies another run "
                "alone",
                err=True,
            )
        elif result.delivery.requests:
            booking.book(
                connection,
                result,
                all_runs=run_id is None,
                at=datetime.now(UTC).replace(microsecond=0),
                tool_version=__version__,
            )
        measured = measurements.measure(connection, ledger, run_id)
    if format_name == "json":
        click.echo(to_json(result).rstrip())
    else:
        can_write = bool(measured.entries) and not write_policy
        click.echo(text(result, _width(), can_write=can_write))
    if write_policy:
        measuring.write(config_path(config), measured, show=format_name == "text")


command.add_command(verify_command)
for _command in migrating.COMMANDS:
    command.add_command(_command)
