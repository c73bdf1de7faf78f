"""`llm-audit migrate` without --dry-run; `status`, `resume`, `cancel`. Thin over migrate.run."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llm_audit.cli.common import common_options, workspace
from llm_audit.errors import ExitCode, MigrationError, UsageError
from llm_audit.text import cut, printable

if TYPE_CHECKING:
    from llm_audit.migrate.context import Context, Policy
    from llm_audit.migrate.ledger import Ledger
    from llm_audit.migrate.model import Vendor
    from llm_audit.migrate.status import Status
    from llm_audit.migrate.vendor import Driver

RESUME = "llm-audit migrate resume"


class Usd(click.ParamType[Decimal]):
    """An amount of money, exact."""

    name = "USD"

    def convert(self, value: Any, param: Any, ctx: Any) -> Decimal:
        """A decimal above zero."""
        try:
            amount = value if isinstance(value, Decimal) else Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is no amount of money; write it like 12.50", param, ctx)
        if not amount.is_finite() or amount <= 0:
            self.fail("it must be above 0", param, ctx)
        return amount


yes_option = click.option(
    "--yes",
    is_flag=True,
    help="Do not ask. What spends money needs --max-cost then.",
)
run_option = click.option(
    "--run", "run_id", metavar="ID", help="This run only.  [default: all that are not finished]"
)
max_cost_option = click.option(
    "--max-cost",
    type=Usd(),
    metavar="USD",
    help="Send nothing that could bring the run above this.",
)


def folder() -> Path:
    """`.llm-audit/migrate/`, beside the audit's database."""
    return workspace().path.absolute().parent / "migrate"


@contextmanager
def alone(*, must_exist: bool = True) -> Iterator[None]:
    """For one process at a time. must_exist: no folder is made for it.

    Errors: `MigrationError` where another one is at it.
    """
    from llm_audit.migrate.lock import held

    where = folder()
    with held(where) if where.exists() or not must_exist else nullcontext():
        yield


@contextmanager
def opened(
    policy: Policy, *, must_exist: bool = True, read_only: bool = False
) -> Iterator[Context]:
    """The ledger and what moves it; within `alone`, unless it is for looking only (read_only)."""
    from llm_audit.migrate.context import Context, SystemClock
    from llm_audit.migrate.ledger import open_ledger

    drivers: dict[Vendor, Driver] = {}

    def driver_of(vendor: Vendor) -> Driver:
        if vendor not in drivers:
            drivers[vendor] = _driver(vendor)
        return drivers[vendor]

    with open_ledger(folder(), must_exist=must_exist, read_only=read_only) as ledger:
        try:
            yield Context(
                ledger,
                driver_of,
                SystemClock(),
                policy,
                say=lambda line: click.echo(line, err=True),
            )
        finally:
            for driver in drivers.values():
                driver.close()


def _driver(vendor: Vendor) -> Driver:
    from llm_audit.migrate.anthropic import AnthropicDriver
    from llm_audit.migrate.model import Vendor
    from llm_audit.migrate.openai import OpenAIDriver

    return OpenAIDriver() if vendor is Vendor.OPENAI else AnthropicDriver()


def work(context: Context) -> None:
    """Drive the runs of the scope until done, show how it goes, and end with what it came to.

    Exit codes: 0 every request answered; 4 a key was refused; 6 a person is needed; 130
    interrupted, with the command that goes on.
    """
    from llm_audit.migrate import run, status

    check_keys(_needed(context))
    progress = _Progress(context)
    refused: MigrationError | None = None
    try:
        with _gentle_interrupt(context):
            run.drive(context, progress.show)
    except MigrationError as error:
        refused = error
    except KeyboardInterrupt:
        raise MigrationError(
            f"interrupted; {_left_running(context)}",
            slug="interrupted",
            hint=f"continue with: {RESUME}",
            exit_code=ExitCode.INTERRUPTED,
        ) from None
    finally:
        progress.end()
    result = status.build(context)
    click.echo(status.text(result))
    _tell_of_others(context)
    if refused is not None:
        raise refused
    _demand_attention(result)


def _left_running(context: Context) -> str:
    """What goes on at the vendors without us (F22)."""
    from llm_audit.migrate import gates, run

    sent = [
        shard.batch_id or f"one of {shard.requests:,} requests that was being made"
        for shard in context.ledger.shards()
        if shard.state in gates.SENT and run.in_scope(context, shard.run_id)
    ]
    if not sent:
        return "no batch is running"
    more = f" and {len(sent) - 10:,} more" if len(sent) > 10 else ""
    return f"these batches go on: {', '.join(sent[:10])}{more}"


def _needed(context: Context) -> set[Vendor]:
    """Vendors that will be asked for something."""
    from llm_audit.migrate import run

    return {
        shard.vendor
        for shard in context.ledger.shards()
        if run.in_scope(context, shard.run_id) and run.step_of(context, shard) is not None
    }


def _tell_of_others(context: Context) -> None:
    """Runs that were left alone are not forgotten."""
    from llm_audit.migrate import run, status

    others = [r for r in status.unfinished(context) if not run.in_scope(context, r.run_id)]
    if others:
        names = ", ".join(row.run_id for row in others)
        click.echo(f"not finished, and left alone: run {names}; go on with: {RESUME}", err=True)


def _demand_attention(result: Status) -> None:
    """Errors: `MigrationError`, exit code 6, where a person must do something."""
    from llm_audit.migrate import status

    if status.needs_attention(result):
        raise MigrationError(
            "the migration needs attention: see the lines marked with !",
            slug="attention",
            exit_code=ExitCode.MIGRATION,
        )


def check_keys(vendors: Iterable[Vendor]) -> None:
    """A missing key is told before anything is sent. Errors: `MigrationError`, exit code 4."""
    for vendor in sorted(vendors):
        _driver(vendor).close()


def bought() -> frozenset[str]:
    """Requests of earlier runs, which no plan may hold again."""
    from llm_audit.migrate.ledger import open_ledger

    if not (folder() / "ledger.sqlite").exists():
        return frozenset()
    with open_ledger(folder(), read_only=True) as ledger:
        return purchases(ledger)


def purchases(ledger: Ledger) -> frozenset[str]:
    """Request keys of what is in the ledger; also those of the ids that ingest gave its calls."""
    from llm_audit.migrate.plan import request_key

    return ledger.known_keys() | {request_key(call_id) for call_id in ledger.known_calls()}


@contextmanager
def _gentle_interrupt(context: Context) -> Iterator[None]:
    """Ctrl-C does not cut a call in two that spends money; a second one does."""
    waiting = False

    def stop(*_: object) -> None:
        nonlocal waiting
        if context.busy and not waiting:
            waiting = True
            click.echo("a batch is being created: stopping when that is settled", err=True)
            context.stop = True
            return
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Progress:
    """One line that changes on a terminal; elsewhere a line when something has changed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._last = ""
        self._began = time.monotonic()
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        click.echo(f"Ctrl-C leaves the batches running; then go on with: {RESUME}", err=True)

    def show(self) -> None:
        """Where it stands; elsewhere than on a terminal only what has happened."""
        from llm_audit.migrate import status

        now = status.progress(self._context)
        line = printable(f"{now.done}; {now.batches}", 400)
        if self._is_terminal:
            width = max(20, shutil.get_terminal_size().columns - 1)
            minutes = f"{(time.monotonic() - self._began) / 60:.0f} min"
            parts = (now.done, minutes, now.ahead, now.batches)
            line = cut(printable("; ".join(filter(None, parts)), 400), width)
        if line == self._last:
            return
        self._last = line
        if self._is_terminal:
            click.echo(f"\r\x1b[K{line}", err=True, nl=False)
        else:
            click.echo(line, err=True)

    def end(self) -> None:
        """Leave the line."""
        if self._is_terminal and self._last:
            click.echo(err=True)
            self._last = ""


def confirm(question: str, otherwise: str, *, yes: bool) -> None:
    """Ask, unless `--yes`. otherwise: what a no comes to.

    Errors: `MigrationError` for a no, and where nobody can answer.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise MigrationError(
            f"{otherwise}: it has to be confirmed, and there is nobody to ask",
            slug="not-confirmed",
            hint="add --yes; what spends money needs --max-cost USD with it",
        )
    if not click.confirm(question, err=True):
        raise MigrationError(otherwise, slug="declined")


# --- commands -------------------------------------------------------------------------------------


@click.command("status")
@click.option(
    "--run", "run_id", metavar="ID", help="This run only.  [default: all, also finished ones]"
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What to print.",
)
@common_options
def status_command(run_id: str | None, format_name: str) -> None:
    """Show where each migration is. Reads the ledger only."""
    from llm_audit.migrate import status
    from llm_audit.migrate.context import Policy
    from llm_audit.report.codec import to_json

    with opened(Policy(), read_only=True) as context:
        _keep_to(context, run_id)
        result = status.build(context)
    click.echo(to_json(result).rstrip() if format_name == "json" else status.text(result))
    _demand_attention(result)


@click.command("resume")
@run_option
@yes_option
@max_cost_option
@click.option(
    "--resend-unknown",
    is_flag=True,
    help="Send again what the vendor's list did not show in ten minutes.",
)
@click.option("--resend-lost", is_flag=True, help="Buy again what is lost or missing.")
@click.option(
    "--despite-canary", is_flag=True, help="Send the rest of a group although its canary failed."
)
@click.option(
    "--same-account",
    "same_account",
    metavar="ID",
    multiple=True,
    help="The key was replaced by another of the same project: look for this batch with it. ID: "
    "the eight characters that `status` shows for it.",
)
@common_options
def resume_command(
    run_id: str | None,
    yes: bool,
    max_cost: Decimal | None,
    resend_unknown: bool,
    resend_lost: bool,
    despite_canary: bool,
    same_account: tuple[str, ...],
) -> None:
    """Go on with the migrations of this folder: send what waits, poll, collect."""
    from llm_audit.migrate import reconcile, run
    from llm_audit.migrate.context import Policy

    with alone(), opened(Policy(resend_unknown, resend_lost, despite_canary)) as context:
        _keep_to(context, run_id)
        _check_limits(context, yes, max_cost)
        if resend_lost:
            question = "Buy again what was most likely paid for already?"
            confirm(question, "nothing was sent", yes=yes)
        if resend_unknown:
            question = "Send again what was most likely never made? If it was, it is bought twice."
            confirm(question, "nothing was sent", yes=yes)
        for intent in same_account:
            reconcile.vouch(context, intent)
        run.reopen(context, max_cost)
        work(context)


def _keep_to(context: Context, run_id: str | None) -> None:
    """Leave all other runs alone. Errors: `UsageError` where there is no such run."""
    if run_id is None:
        return
    known = [row.run_id for row in context.ledger.runs()]
    if run_id not in known:
        raise UsageError(
            f"there is no run {printable(run_id, 60)!r} here",
            slug="migrate-run",
            hint="one of: " + ", ".join(known[-5:]),
        )
    context.scope = frozenset({run_id})


def _check_limits(context: Context, yes: bool, max_cost: Decimal | None) -> None:
    """A limit is one run's, and what nobody is asked about has one. Errors: `UsageError`."""
    from llm_audit.migrate import run

    spending = run.spending(context)
    if max_cost is not None and len(spending) > 1:
        raise UsageError(
            f"--max-cost is the limit of one run, and {len(spending)} are not finished",
            slug="migrate-max-cost",
            hint="name it with --run: " + ", ".join(row.run_id for row in spending),
        )
    without = [row.run_id for row in spending if row.max_cost is None]
    if yes and max_cost is None and without:
        raise UsageError(
            f"--yes needs a limit, and run {', '.join(without)} has none",
            slug="migrate-yes",
            hint="add --max-cost USD, and --run ID where there are several",
        )


@click.command("cancel")
@run_option
@click.option("--doubles", is_flag=True, help="Only what a vendor was found to have made twice.")
@yes_option
@common_options
def cancel_command(run_id: str | None, doubles: bool, yes: bool) -> None:
    """Send nothing more, and ask the vendors to end what runs. What is done by then is paid for.

    A batch that cannot be asked now is asked by the next `cancel` or `resume`. Exit code 6: not
    every batch that may be running has heard it.
    """
    from llm_audit.migrate import gates, reconcile, run, status
    from llm_audit.migrate.context import Policy

    with alone(), opened(Policy()) as context:
        _keep_to(context, run_id)
        if doubles:
            _cancel_doubles(context, yes=yes)
            return
        rows = context.ledger.runs() if run_id else status.unfinished(context)
        wanted = [row.run_id for row in rows if run.in_scope(context, row.run_id)]
        if not wanted:
            click.echo("nothing was running: every run is finished")
            return
        question = "Cancel all batches that run? What is done by then is paid for."
        confirm(question, "nothing was cancelled", yes=yes)
        context.scope = frozenset(wanted)
        at_vendor = [s for s in context.ledger.shards() if s.batch_id or s.file_id]
        open_ones = [s for s in at_vendor if s.run_id in wanted and s.state not in gates.OVER]
        check_keys({shard.vendor for shard in open_ones})
        try:
            run.cancel(context, wanted)  # the wish first: it is kept whatever is heard of it
            unheard = reconcile.cancel_doubles(context)
        finally:
            ends = [status.cancellation(context, name) for name in wanted]
            for end in ends:
                click.echo(status.cancellation_text(end))
    if unheard or any(end.not_heard or end.looked_for for end in ends):
        raise MigrationError(
            "not every batch that may be running has heard it",
            slug="not-cancelled",
            hint=f"`llm-audit migrate cancel` asks again; {RESUME} goes on asking, and collects",
            exit_code=ExitCode.MIGRATION,
        )
    if any(end.ending for end in ends):
        click.echo(f"collect what was done with: {RESUME}")


def _cancel_doubles(context: Context, *, yes: bool) -> None:
    """End the second batches of requests that have a first one."""
    from llm_audit.migrate import reconcile

    doubles = context.ledger.doubles()
    if not doubles:
        click.echo("nothing was made twice")
        return
    for _, batch_id in doubles:
        click.echo(f"made twice: {printable(batch_id)}")
    confirm("Cancel them? What is done by then is paid for.", "nothing was cancelled", yes=yes)
    check_keys({context.ledger.shard(shard_id).vendor for shard_id, _ in doubles})
    if unheard := reconcile.cancel_doubles(context):
        raise MigrationError(
            f"{unheard} of them may not have heard it",
            slug="not-cancelled",
            hint="`llm-audit migrate cancel --doubles` asks again",
            exit_code=ExitCode.MIGRATION,
        )


COMMANDS: tuple[click.Command, ...] = (status_command, resume_command, cancel_command)
