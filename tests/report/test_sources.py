"""From the page to the JSON to a query over the tables: every number, not a sample of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from llm_audit import pipeline
from llm_audit.report import Result, to_json, write_html
from llm_audit.report.sources import SOURCES, query_of, source_of
from tests.report import tables
from tests.report.page import Page

Fill = Callable[[duckdb.DuckDBPyConnection], None]

OF_NO_TABLE = {"schema_version"}
DERIVED_BY_ROUNDING = ("savings.monthly.", "savings.annual.")
"""Dividing by the days of the log leaves the exact decimals."""


def _whole_audit(audit: duckdb.DuckDBPyConnection) -> None:
    """Everything that has a key: an export, own rates, an override, a caller who quotes."""
    tables.mixed_audit(audit)
    tables.add_reconciliation(audit, "openai", "usd", theirs="3", gap="3", unexplained="3")
    tables.add_reconciliation(audit, "anthropic", "tokens", theirs="3", ours="1", gap="2")
    tables.insert(audit, "rate_sheets", card_id=1, model_key="o'1", tier="batch", has_user_rates=1)
    tables.insert(
        audit, "card_costs", card_id=1, basis="observed", price_status="priced", calls=2,
        effective_cost=Decimal("1.5"), list_cost=Decimal("1.5"), plain_cost=Decimal("1.5"),
        cache_effect=0,
    )  # fmt: skip
    for position, calls in ((0, 7), (3, 9)):
        tables.insert(
            audit, "override_uses", position=position, names="caller = 'x'", label="realtime",
            tolerance_s=60.0, because="it's live", signed_by="me", calls=calls,
        )  # fmt: skip
    tables.add_migration(audit)
    audit.execute(
        "UPDATE verified_workloads SET workload_id = 'it''s' WHERE workload_id = 'w_gone'"
    )
    quoted = tables.add_workload(
        audit, 9, workload={"caller": "o'brien", "model": "x' OR 'a'='a"}, cost=3, saved=(1, 1, 1)
    )
    tables.add_reason(
        audit, quoted, "batch_eligible", code="QUOTED", criterion="tolerance", weight=1.25,
        evidence="it's 'quoted'", calls=5,
    )  # fmt: skip


@pytest.fixture(
    params=[(_whole_audit, False), (tables.one_day_on_sonnet_4, True), (None, False)],
    ids=["whole", "one day", "empty"],
)
def result(audit: duckdb.DuckDBPyConnection, request: pytest.FixtureRequest) -> Result:
    fill, project = request.param
    if fill:
        fill(audit)
    return tables.build(audit, project=project)


@pytest.fixture
def frozen(audit: duckdb.DuckDBPyConnection, result: Result) -> duckdb.DuckDBPyConnection:
    """The audit with its views as tables, for some thousand queries ask the same few."""
    assert result
    for step in pipeline.steps():
        if step.number >= 80:
            audit.execute(f"CREATE TABLE frozen AS FROM {step.name}")
            audit.execute(f"DROP VIEW {step.name}")
            audit.execute(f"ALTER TABLE frozen RENAME TO {step.name}")
    return audit


def _numbers(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every number of a JSON document with its key; amounts of money are texts there."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in items:
            yield from _numbers(inner, f"{key}.{name}".removeprefix("."))
    elif (isinstance(value, int | float) and not isinstance(value, bool)) or _is_money(key, value):
        yield key, value


def _is_money(key: str, value: Any) -> bool:
    name = key.rpartition(".")[2]
    if not isinstance(value, str) or name in ("version", "tool_version"):
        return False
    return value.removeprefix("-").replace(".", "", 1).isdigit()


def _asked(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    [[value]] = connection.execute(query).fetchall()
    return value


def test_every_number_of_the_json_is_what_its_query_says(
    frozen: duckdb.DuckDBPyConnection, result: Result
) -> None:
    document = json.loads(to_json(result))
    seen = set()
    for key, value in _numbers(document):
        if key in OF_NO_TABLE:
            continue
        query = query_of(result, key)
        assert query, f"{key} has no source"
        seen.add(source_of(key))
        found = _asked(frozen, query)
        if key.startswith(DERIVED_BY_ROUNDING):
            assert float(found) == pytest.approx(float(value), rel=1e-12), key
        else:
            assert Decimal(str(found)) == Decimal(str(value)), f"{key}: {query}"
    if result.data_quality.reconciliation:
        assert {source.pattern for source in SOURCES if source not in seen} == set()


def test_every_number_of_the_page_is_in_the_json_and_has_a_query(result: Result) -> None:
    document = dict(_numbers(json.loads(to_json(result))))
    figures = [e for e in Page(write_html(result)).all("data") if "data-key" in e.attributes]
    assert figures
    for figure in figures:
        key = figure.attributes["data-key"] or ""
        assert figure.attributes["value"] == str(document[key]), key
        assert query_of(result, key), f"{key} has no source"


def test_every_sum_of_the_page_is_made_of_keys_that_have_one(result: Result) -> None:
    """data-keys: the amounts that add up to the value ('-' takes one away), times a fraction."""
    document = dict(_numbers(json.loads(to_json(result))))
    for made in [e for e in Page(write_html(result)).all("data") if "data-keys" in e.attributes]:
        whole = Fraction(0)
        for key in (made.attributes["data-keys"] or "").split():
            name = key.removeprefix("-")
            assert query_of(result, name), f"{name} has no source"
            whole += Fraction(str(document[name])) * (-1 if key.startswith("-") else 1)
        value = whole * Fraction(made.attributes["data-times"] or "1")
        assert abs(value - Fraction(made.attributes["value"] or "")) <= Fraction(1, 10**12)


def test_what_a_figure_says_is_its_value_rounded(result: Result) -> None:
    """Every <data> whose text is a plain number or amount, marked or not: no slip by a digit."""
    for figure in Page(write_html(result)).all("data"):
        said = re.fullmatch(r"([+\N{MINUS SIGN}-]?)\$?([\d,]+(?:\.(\d+))?)", figure.text.strip())
        value = figure.attributes["value"]
        if said and value:
            shown = Decimal(said[2].replace(",", ""))
            half = Decimal(1).scaleb(-len(said[3] or "")) / 2
            assert abs(abs(Decimal(value)) - shown) <= half, (figure.text, value)


def test_a_query_is_shown_with_names_for_its_values() -> None:
    source = source_of("workloads.12.calls")
    assert source is not None
    assert source.shown == (
        "SELECT FIELD FROM report_workloads WHERE workload_id = :workload_id AND label = :label"
    )


def test_what_another_run_said_has_no_query() -> None:
    assert source_of("baseline.saving_now") is None
