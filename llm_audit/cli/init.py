"""`llm-audit init`: a commented llm-audit.toml to start from."""

from __future__ import annotations

from pathlib import Path

import click

from llm_audit.cli.common import common_options
from llm_audit.errors import InputError
from llm_audit.text import printable


@click.command("init")
@click.option(
    "--path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("llm-audit.toml"),
    show_default=True,
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@common_options
def command(path: Path, force: bool) -> None:
    """Write a commented llm-audit.toml: rules, overrides, prices, each with an example.

    As written it changes nothing; take the # from the lines you want.
    """
    from llm_audit.policy import PROJECT_FILE, files, find_config
    from llm_audit.policy.starter import starter_config

    if path.name == PROJECT_FILE:
        raise InputError(
            f"{path} belongs to your project and is not replaced",
            slug="init-pyproject",
            hint="write [tool.llm-audit] there by hand, or choose another --path",
        )
    in_force = None if path.exists() or path.name != "llm-audit.toml" else find_config(path.parent)
    if in_force and not force:
        raise InputError(
            f"{in_force} holds [tool.llm-audit], which {path.name} would put out of force",
            slug="init-hides",
            hint="move that table into the new file and write it with --force, or stay with it",
        )
    data = starter_config().encode()
    if force:
        files.replace(path, data)
    else:
        files.create(path, data)
    if in_force:
        click.echo(
            f"warning: [tool.llm-audit] in {printable(str(in_force))} is ignored from now on",
            err=True,
        )
    click.echo(f"wrote {printable(str(path))}; as it stands it changes nothing")
