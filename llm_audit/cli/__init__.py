"""The command line: options -> one call -> print. The only package that exits.

One module per command, each with a click `command`, registered below. Heavy modules are imported
inside the commands, so that `llm-audit --help` stays quick.
"""

from __future__ import annotations

import os
import sys

import click

from llm_audit import __version__
from llm_audit.cli import (
    explain,
    ingest,
    init,
    migrate,
    prices,
    reconcile,
    report,
    review,
    schema,
    sql,
)
from llm_audit.cli.common import common_options
from llm_audit.errors import ExitCode, LlmAuditError
from llm_audit.text import printable


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="llm-audit")
@common_options
def cli() -> None:
    """Find the LLM API calls that could have used a half-price batch API.

    \b
        llm-audit ingest logs/
        llm-audit report --out savings.html
        llm-audit migrate --dry-run

    Everything stays on this machine: only `migrate` uses the network, and not with --dry-run.
    """


for _module in (ingest, reconcile, report, explain, review, migrate, prices, sql, init, schema):
    cli.add_command(_module.command)


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
