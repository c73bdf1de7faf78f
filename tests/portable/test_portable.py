"""`sql/` stays portable: the gate passes every SELECT of it, and refuses what it is there for."""

from __future__ import annotations

import re
from datetime import date

import duckdb
import pytest

from llm_audit import pipeline
from llm_audit.policy import Policy
from tests.portable import spark
from tests.portable.gate import Schema, allowed, faults
from tests.support import ROOT, create_stored_tables, insert_calls

FILES = sorted((ROOT / "llm_audit" / "sql").glob("*.sql"))
QUERIES = {query.name: query.select for query in spark.queries(Policy.load())}

ITEMS: Schema = {
    "items": {
        "id": "BIGINT",
        "name": "VARCHAR",
        "day": "DATE",
        "seen": "TIMESTAMP",
        "size": "DOUBLE",
        "cost": "DECIMAL(38,12)",
        "units": "DECIMAL(38,0)",
        "is_new": "BOOLEAN",
        "tags": "VARCHAR[]",
    },
    "others": {"id": "BIGINT", "seen": "TIMESTAMP"},
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    """The columns of every table and view, after a run over one call."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        create_stored_tables(connection)
        insert_calls(connection, [{}])
        pipeline.run(connection, Policy.load(), date(2026, 11, 22))
        rows = connection.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
        ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, type_ in rows:
        tables.setdefault(table, {})[column] = type_
    return tables


@pytest.mark.parametrize("name", QUERIES)
def test_every_select_is_portable(name: str, schema: Schema) -> None:
    assert faults(QUERIES[name], schema) == []


@pytest.mark.parametrize("name", QUERIES)
def test_every_select_has_a_form_on_spark(name: str) -> None:
    assert spark.to_spark(QUERIES[name])  # UnsupportedError where sqlglot knows of none


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_says_what_it_makes(path: object) -> None:
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()  # type: ignore[attr-defined]
    name = re.fullmatch(r"\d\d_(\w+)\.sql", path.name)  # type: ignore[attr-defined]
    assert name
    assert first in {f"-- table: {name[1]}", f"-- view: {name[1]}"}
    assert re.match(r"-- grain: \w", second)


def test_every_allowed_name_is_used() -> None:
    """What nothing uses, nobody has compared: it has to come in again by way of the parity run."""
    used = {
        type(node).__name__ for select in QUERIES.values() for node in spark.parse(select).walk()
    }
    assert allowed()["names"] - used == set()


PORTABLE = (
    "SELECT id, sum(cost) AS cost FROM items WHERE NOT is_new GROUP BY id HAVING count(*) > 1",
    "SELECT items.id FROM items LEFT JOIN others ON items.id = others.id",
    "SELECT row_number() OVER () AS id FROM items",
    "SELECT lag(id) OVER (PARTITION BY day ORDER BY seen) AS id FROM items",
    "SELECT CAST(id AS DOUBLE) / 3600 AS hours FROM items",
    "SELECT CAST(size AS DECIMAL(18, 2)) AS size FROM items",
    "SELECT CAST(count(*) AS BIGINT) AS items FROM items",
    "SELECT date_diff('microsecond', seen, TIMESTAMP '2026-01-01 00:00:00') AS us FROM items",
    "SELECT CASE WHEN array_length(tags) > 0 THEN tags[array_length(tags)] END AS tag FROM items",
    "SELECT id, unnest(tags) AS tag FROM items",
    "SELECT string_agg(name, ' ' ORDER BY name) AS names FROM items",
)

REFUSED = {
    "Qualify": "SELECT id FROM items QUALIFY row_number() OVER (PARTITION BY id ORDER BY seen) = 1",
    "Group with all": "SELECT day, count(*) AS n FROM items GROUP BY ALL",
    "Rollup": "SELECT day, count(*) AS n FROM items GROUP BY ROLLUP (day)",
    "hash()": "SELECT hash(name) AS h FROM items",
    "TimeToUnix": "SELECT epoch(seen) AS s FROM items",
    "UnixToTime": "SELECT epoch_ms(seen) AS s FROM items",
    "Join with method": "SELECT items.id FROM items ASOF JOIN others ON items.seen >= others.seen",
    "none of INNER, LEFT and CROSS": "SELECT items.id FROM items ANTI JOIN others "
    "ON items.id = others.id",
    "Join with using": "SELECT id FROM items INNER JOIN others USING (id)",
    "Extract": "SELECT extract(dow FROM seen) AS weekday FROM items",
    "DayOfWeek": "SELECT dayofweek(seen) AS weekday FROM items",
    "PercentileCont": "SELECT quantile_cont(size, 0.5) AS middle FROM items",
    "Median": "SELECT median(size) AS middle FROM items",
    "counts by boundaries": "SELECT date_diff('hour', seen, seen) AS hours FROM items",
    "something else than dates": "SELECT date_diff('day', seen, seen) AS days FROM items",
    "to an integer": "SELECT CAST(size AS BIGINT) AS size FROM items",
    "the type INT": "SELECT CAST(id AS INTEGER) AS id FROM items",
    "cast of other than integers": "SELECT CAST(cost AS BIGINT) AS cost FROM items",
    "TryCast": "SELECT TRY_CAST(name AS BIGINT) AS id FROM items",
    "more than 10 decimals": "SELECT CAST(size AS DECIMAL(38, 12)) AS size FROM items",
    "without a DOUBLE": "SELECT id / 3600.0 AS hours FROM items",
    "division without": "SELECT cost / units AS each FROM items",
    "39 digits": "SELECT id FROM items WHERE cost = units",
    "without an order": "SELECT row_number() OVER (PARTITION BY day) AS n FROM items",
    "string_agg without": "SELECT string_agg(name, ' ') AS names FROM items",
    "index that Spark may refuse": "SELECT tags[-1] AS tag FROM items",
    "that Spark may refuse": "SELECT CASE WHEN id > 0 THEN tags[array_length(tags) - id] END AS tag"
    " FROM items",
    "Slice": "SELECT tags[1:2] AS tags FROM items",
    "not the one of its SELECT": "SELECT unnest(tags) AS a, unnest(tags) AS b FROM items",
    "unnest that is not": "SELECT lower(unnest(tags)) AS tag FROM items",
    "first match only": "SELECT regexp_replace(name, 'a', 'b') AS name FROM items",
    "another escape": "SELECT id FROM items WHERE name LIKE 'a!%' ESCAPE '!'",
    "depends on the calendar": "SELECT seen + INTERVAL '1' MONTH AS seen FROM items",
    "Star with except_": "SELECT * EXCLUDE (id) FROM items",
    "Union with by_name": "SELECT id FROM items UNION ALL BY NAME SELECT id FROM others",
    "Distinct with on": "SELECT DISTINCT ON (day) id FROM items",
    "Limit": "SELECT id FROM items LIMIT 1",
    "Pivot": "SELECT * FROM items PIVOT (sum(cost) FOR name IN ('a', 'b'))",
    "Lambda": "SELECT list_filter(tags, lambda tag: tag <> '') AS tags FROM items",
    "type FLOAT": "SELECT CAST(id AS REAL) AS id FROM items",
    "ILike": "SELECT id FROM items WHERE name ILIKE 'a%'",
    "Filter": "SELECT count(*) FILTER (WHERE is_new) AS n FROM items",
    "Columns": "SELECT min(COLUMNS(*)) FROM items",
}
"""A part of what the gate says -> a SELECT that DuckDB runs and that must not pass."""


@pytest.mark.parametrize("select", PORTABLE)
def test_the_gate_lets_through(select: str) -> None:
    assert faults(select, ITEMS) == []


@pytest.mark.parametrize(("fault", "select"), REFUSED.items(), ids=REFUSED)
def test_the_gate_refuses(fault: str, select: str) -> None:
    assert fault in "\n".join(faults(select, ITEMS))


@pytest.mark.parametrize("select", [*PORTABLE, *REFUSED.values()])
def test_the_examples_are_duckdbs(select: str) -> None:
    """Else the gate would be praised for refusing what no engine takes."""
    with duckdb.connect() as connection:
        for name, columns in ITEMS.items():
            listed = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
            connection.execute(f"CREATE TABLE {name} ({listed})")
        connection.execute(select)


def test_numbers_in_any_order_have_another_name_on_spark() -> None:
    select = "SELECT row_number() OVER () AS n, row_number() OVER (ORDER BY id) AS m FROM items"
    assert spark.to_spark(select) == (
        "SELECT MONOTONICALLY_INCREASING_ID() AS `n`, "
        "ROW_NUMBER() OVER (ORDER BY `id` NULLS LAST) AS `m` FROM `items`"
    )
