"""`llm-audit sql`: one read-only query over the audit's tables."""

from __future__ import annotations

import click

from llm_audit.cli.common import common_options, print_rows, workspace
from llm_audit.errors import InputError
from llm_audit.text import printable


@click.command("sql")
@click.argument("query")
@common_options
def command(query: str) -> None:
    """Run one read-only query over the audit's tables and print it as a table.

    \b
        llm-audit sql "SELECT caller, count(*) FROM calls GROUP BY 1 ORDER BY 2 DESC"
    """
    import duckdb

    with workspace().connect(read_only=True) as connection:
        connection.execute("SET enable_external_access = false")
        try:
            connection.execute(query)
            names = [printable(column[0]) for column in connection.description or []]
            if names:
                print_rows(names, connection.fetchall())
        except duckdb.Error as error:
            raise InputError(
                printable(str(error).splitlines()[0], 400),
                slug="sql",
                hint='the tables: llm-audit sql "SHOW TABLES"',
            ) from None
