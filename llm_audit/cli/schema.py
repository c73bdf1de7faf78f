"""`llm-audit schema`: the JSON Schema of the JSON report."""

from __future__ import annotations

import click

from llm_audit.cli.common import common_options


@click.command("schema")
@common_options
def command() -> None:
    """Print the JSON Schema (2020-12) of `report --format json`.

    \b
        llm-audit schema > result.schema.json
    """
    import json

    from llm_audit.report import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
