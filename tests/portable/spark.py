"""How a SELECT of `sql/` reads on Spark: transpiled by sqlglot, and what has to be set there.

The SELECTs are DuckDB's; `tests/portable/allowed.toml` holds them to what both engines do alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import ErrorLevel, exp

from llm_audit import pipeline, scoring
from llm_audit.policy import Policy

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # Money is DECIMAL(38,12). By default Spark drops decimals where a sum could need 39 digits;
    # without this permission it does as DuckDB does: twelve decimals, and an error on overflow.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    # A timestamp of a Parquet file without a zone stays one without a zone.
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
}
"""What a Spark session needs to give DuckDB's values."""


@dataclass(frozen=True)
class Query:
    """One step of the pipeline: the SELECT that makes table or view `name`."""

    name: str
    select: str


def queries(policy: Policy) -> Iterator[Query]:
    """Every SELECT of the pipeline in order, the generated `rule_scores` in its place."""
    scores: Query | None = Query("rule_scores", scoring.rule_scores_sql(policy))
    for step in pipeline.steps():
        if scores and step.number >= 30:
            yield scores
            scores = None
        yield Query(step.name, step.select)


def parse(select: str) -> exp.Expr:
    """The tree of one SELECT in DuckDB's dialect. Errors: `sqlglot.errors.ParseError`."""
    return sqlglot.parse_one(select, read="duckdb")


def to_spark(select: str) -> str:
    """The same SELECT for Spark. Errors: `sqlglot.errors.UnsupportedError`."""
    tree = parse(select).transform(_any_number).transform(_apart)
    return tree.sql("spark", identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)


def _any_number(node: exp.Expr) -> exp.Expr:
    """`row_number() OVER ()` numbers rows in any order; Spark has another function for that."""
    if is_any_number(node):
        return exp.func("monotonically_increasing_id", dialect="spark")
    return node


def _apart(node: exp.Expr) -> exp.Expr:
    """`sum(x) OVER w - y` in brackets: Spark reads `w - y` as a name with a hyphen."""
    if isinstance(node, exp.Window) and node.alias and isinstance(node.parent, exp.Binary):
        return exp.paren(node)
    return node


def is_any_number(node: exp.Expr) -> bool:
    """Whether it is `row_number() OVER ()`, without an order and without parts."""
    return (
        isinstance(node, exp.Window)
        and isinstance(node.this, exp.RowNumber)
        and not (node.args.get("partition_by") or node.args.get("order") or node.alias)
    )
