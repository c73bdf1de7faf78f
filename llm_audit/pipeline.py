"""From calls to savings: runs the numbered SELECTs of `sql/` in order, each as one table or view.

10-29 workloads and signals    30-39 labels    40-59 costs    60-69 savings
70-79 reconciliation           80-99 report
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from llm_audit import prices, scoring
from llm_audit.errors import EngineError, InputError

if TYPE_CHECKING:
    import duckdb

    from llm_audit.policy import Override, Policy


@dataclass(frozen=True)
class Step:
    """One file of `sql/`: it becomes the table or view `name`."""

    number: int
    name: str
    kind: str
    select: str

    @property
    def reads(self) -> frozenset[str]:
        """Every word of the SELECT outside comments: the tables it reads are among them."""
        return frozenset(re.findall(r"\w+", re.sub(r"--.*", "", self.select)))


_HEADER = re.compile(r"^-- (table|view): (\w+)$", re.MULTILINE)


@cache
def steps() -> tuple[Step, ...]:
    """All steps in order, read from the packaged `sql/NN_name.sql` files."""
    found = []
    for file in resources.files("llm_audit").joinpath("sql").iterdir():
        if not file.name.endswith(".sql"):
            continue
        text = file.read_text(encoding="utf-8")
        header = _HEADER.search(text)
        if header is None:
            raise EngineError(
                f"{file.name} has no `-- table: NAME` or `-- view: NAME` line", slug="step-header"
            )
        found.append(Step(int(file.name[:2]), header[2], header[1], text.rstrip().rstrip(";")))
    return tuple(sorted(found, key=lambda step: step.number))


def run_steps(connection: duckdb.DuckDBPyConnection, first: int, last: int) -> None:
    """Create every table and view whose number is in [first, last]."""
    kinds = dict(
        connection.execute(
            "SELECT table_name, CASE table_type WHEN 'VIEW' THEN 'view' ELSE 'table' END "
            "FROM information_schema.tables"
        ).fetchall()
    )
    for step in steps():
        if first <= step.number <= last:
            # A step of an older version may have been the other kind, which REPLACE refuses.
            if kinds.get(step.name, step.kind) != step.kind:
                connection.execute(f"DROP {kinds[step.name]} {step.name}")
            connection.execute(f"CREATE OR REPLACE {step.kind} {step.name} AS\n{step.select}")


def idle_policy(connection: duckdb.DuckDBPyConnection, policy: Policy) -> list[str]:
    """What of the user's policy does nothing in this log (after `run`): is it misspelt?"""
    idle = connection.execute(
        "SELECT overrides.position, count(named.position) FROM overrides "
        "LEFT JOIN workload_overrides AS named ON overrides.position = named.position "
        "GROUP BY overrides.position HAVING coalesce(min(named.place), 2) > 1 "
        "ORDER BY overrides.position"
    ).fetchall()
    return [
        *(
            f"{policy.overrides[position].where} is never in force: earlier ones name its workloads"
            if names
            else f"{policy.overrides[position].where} names no workload of this log"
            for position, names in idle
        ),
        *(
            f"the price of {line.provider} {line.model} names no priced model of this log"
            for line in prices.idle_multipliers(connection, policy.price_multipliers)
        ),
        *(
            f"the rates of {price.provider} {price.model} price no call of this log"
            for price in prices.idle_user_prices(connection, policy.user_prices)
        ),
        *(
            f"{entry.where} is of no model of this log, bought of its own maker"
            for entry in prices.idle_measured(connection, policy.measured)
        ),
    ]


def run(
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    as_of: date,
    exports: Iterable[str] = (),
    *,
    empty: bool = False,
) -> None:
    """Label, price and sum up every call: creates all derived tables of DESIGN section 3.

    `as_of` is the day whose price card the forward saving uses. `exports`: the files that the log
    is reconciled with, by their stored paths; all that were ingested if none is named. `empty`: a
    log without a single call will do, for whoever reports on its lines.
    Errors: `InputError` when there is nothing to classify; `PricingError` for a broken price table.
    """
    tables = ("calls", "ingested_files") if empty else ("calls",)
    if not any(connection.table(name).limit(1).fetchall() for name in tables):
        raise InputError(
            "there are no calls in this database",
            slug="no-calls",
            hint="run `llm-audit ingest PATH` first; `llm-audit ingest --peek FILE` shows what a "
            "file would become",
        )
    connection.execute("DELETE FROM export_choice")
    connection.execute("INSERT INTO export_choice SELECT unnest(?::VARCHAR[])", [list(exports)])
    scoring.create_rule_tables(connection, policy)
    run_steps(connection, 10, 29)
    _score(connection, policy)
    run_steps(connection, 30, 39)
    prices.load(
        connection,
        as_of,
        aliases=policy.aliases,
        multipliers=policy.price_multipliers,
        user_prices=policy.user_prices,
        measured=policy.measured,
    )
    run_steps(connection, 40, 99)


_SAVINGS = 69
"""The last step that labels, costs and savings need; what follows only lays them out."""


@contextmanager
def supposing(
    connection: duckdb.DuckDBPyConnection, policy: Policy, overrides: Sequence[Override]
) -> Iterator[None]:
    """For the length of a `with` block, all tables are as if `policy` had these overrides.

    To be used after `run` with `policy`. Only the steps that depend on overrides run again; all of
    it is one transaction, which is taken back at the end.
    """
    supposed = replace(policy, overrides=tuple(overrides))
    connection.execute("BEGIN TRANSACTION")
    try:
        scoring.create_rule_tables(connection, supposed)
        changed = {"overrides"}
        for step in steps():
            if step.number >= 30 and "rule_scores" not in changed:
                _score(connection, supposed)
                changed.add("rule_scores")
            if step.number <= _SAVINGS and step.reads & changed:
                changed.add(step.name)
                if step.kind == "table":
                    connection.execute(f"CREATE OR REPLACE TABLE {step.name} AS\n{step.select}")
        yield
    finally:
        connection.execute("ROLLBACK")


def _score(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    connection.execute(f"CREATE OR REPLACE TABLE rule_scores AS {scoring.rule_scores_sql(policy)}")
