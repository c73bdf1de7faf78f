"""`llm-audit prices`: what the price data holds, whether it is sound, and how it changes."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit.cli.common import DAY, common_options, config_option, policy_of
from llm_audit.errors import InputError, PricingError
from llm_audit.schema import SERVICE_TIERS

if TYPE_CHECKING:
    from llm_audit.prices.importers import Import
    from llm_audit.prices.own import Own

_FORMATS = ("genai-prices", "litellm", "portkey", "csv")
"""As in `prices.importers.FORMATS`, which is too heavy for --help; a test holds them together."""


@click.group("prices")
@common_options
def command() -> None:
    """Look at the price data: sources, age, changes."""


@command.command("check")
@click.option(
    "--as-of",
    type=DAY,
    help="The day from which age is counted.  [default: today]",
)
@config_option
@common_options
def check(as_of: datetime | None, config: Path | None) -> None:
    """Check the price data; print version, age, size and every finding.

    Exits with 1 if there is an error. Warnings (old, unlikely, announced) leave it at 0.
    """
    from llm_audit.cli import price_text
    from llm_audit.prices import catalogue, checks
    from llm_audit.prices.findings import ERROR
    from llm_audit.prices.overview import overview
    from llm_audit.prices.own import own_doubts

    day = as_of.date() if as_of else date.today()
    own = _own(config)
    data = catalogue.read()
    findings = [*checks.every(data, day), *own_doubts(data, own, day)]
    _print(price_text.overview_lines(overview(data, day)))
    _print(price_text.finding_lines(findings))
    errors = sum(finding.severity == ERROR for finding in findings)
    if errors:
        raise PricingError(
            f"{errors} error{'' if errors == 1 else 's'} in the price data",
            slug="pricing-check",
            hint="each line above says how to mend it",
        )


@command.command("show")
@click.argument("model")
@click.option(
    "--on",
    type=DAY,
    help="The day whose rates are shown.  [default: today]",
)
@click.option(
    "--provider",
    "provider_name",
    metavar="NAME",
    help="Who is paid, as in a log: openai, anthropic, aws.bedrock, azure.ai.openai, …",
)
@click.option("--tier", type=click.Choice(SERVICE_TIERS), help="Only this tier.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
@config_option
@common_options
def show(
    model: str,
    on: datetime | None,
    provider_name: str | None,
    tier: str | None,
    format_name: str,
    config: Path | None,
) -> None:
    """Show the rates in force for MODEL, and how its name was read.

    \b
        llm-audit prices show gpt-4.1 --on 2026-03-01
        llm-audit prices show us.anthropic.claude-sonnet-4-6 --tier batch
    """
    from llm_audit.cli import price_text
    from llm_audit.prices import catalogue, checks
    from llm_audit.prices import show as showing

    data = catalogue.read()
    checks.check(data)
    shown = showing.show(
        data,
        model,
        on.date() if on else date.today(),
        provider_name=provider_name,
        tier=tier,
        own=_own(config),
    )
    if format_name == "json":
        click.echo(json.dumps(showing.as_json(shown), indent=2))
    else:
        _print(price_text.shown_lines(shown))


@command.command("diff")
@click.argument("old")
@click.argument("new", default="current")
@common_options
def diff(old: str, new: str) -> None:
    """Show which rates differ between two releases or folders.

    OLD and NEW are versions, folders like pricing/, or `current` (the default of NEW).
    """
    from llm_audit.cli import price_text
    from llm_audit.prices import archive
    from llm_audit.prices.diff import difference

    _print(price_text.difference_lines(old, new, difference(archive.read(old), archive.read(new))))


@command.command("update")
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path),
    help="A local copy of the price file; genai-prices is also read as installed.",
)
@click.option(
    "--format", "format_name", type=click.Choice(_FORMATS), required=True, help="What it is."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV file for the candidates: what is new, changed or contradicted.",
)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    help="Only this maker or seller (openai, bedrock, …); repeatable.",
)
@common_options
def update(
    file: Path | None, format_name: str, out: Path | None, providers: tuple[str, ...]
) -> None:
    """Lay another price file beside ours; nothing is written into the price data.

    \b
        llm-audit prices update --format litellm --from model_prices.json --out candidates.csv
    """
    from llm_audit.prices import catalogue, importers
    from llm_audit.prices import update as updating

    data = catalogue.read()
    found = _only(importers.read(format_name, file, data), providers)
    compared = updating.compare(found, data, date.today())
    _print(list(updating.lines(compared)))
    if out:
        count = updating.write(compared, out)
        click.echo(f"wrote {count:,} candidates to {out.name}", err=True)


def _only(found: Import, providers: tuple[str, ...]) -> Import:
    """The candidates of some makers or sellers; all without a choice."""
    from dataclasses import replace

    if not providers:
        return found
    kept = tuple(
        one for one in found.candidates if one.provider in providers or one.surface in providers
    )
    if not kept:
        known = sorted({one.provider for one in found.candidates})
        raise InputError(
            f"the file has no rates of {', '.join(providers)}",
            slug="price-provider",
            hint=f"it has: {', '.join(known)}",
        )
    return replace(found, candidates=kept, skipped=())


def _own(config: Path | None) -> Own:
    from llm_audit.prices.own import Own

    policy = policy_of(config)
    return Own(policy.aliases, policy.price_multipliers, policy.user_prices)


def _print(lines: list[str]) -> None:
    for line in lines:
        click.echo(line)
