"""A report that was held against a provider's export says so, first thing and in every format."""

from __future__ import annotations

import json
from decimal import Decimal

import duckdb
import pytest

from llm_audit.report import Result, from_json, table, to_json, write_html
from tests.report import tables
from tests.report.page import Page
from tests.report.test_html import test_every_marked_figure_is_the_one_in_the_json as figures_hold


@pytest.fixture
def reconciled(audit: duckdb.DuckDBPyConnection) -> Result:
    tables.mixed_audit(audit)
    tables.add_reconciliation(
        audit, "openai", "tokens", theirs="5000", ours="4990", gap="10", unexplained="10",
        unexplained_size="30",
    )  # fmt: skip
    tables.add_reconciliation(
        audit, "anthropic", "usd", theirs="1040.25", ours="1000", gap="40.25",
        model_not_in_log="42.5", unexplained="-2.25", unexplained_size="2.25",
    )  # fmt: skip
    tables.add_reconciliation(audit, "anthropic", "tokens", theirs="70", ours="70")
    return tables.build(audit)


def test_amounts_are_dollars_and_quantities_are_whole_numbers(reconciled: Result) -> None:
    found = json.loads(to_json(reconciled))["data_quality"]["reconciliation"]
    [usd] = found["usd"]
    assert (usd["provider_name"], usd["theirs"], usd["unexplained"]) == (
        "anthropic", "1040.25", "-2.25",
    )  # fmt: skip
    assert [(t["provider_name"], t["theirs"]) for t in found["tokens"]] == [
        ("anthropic", 70),
        ("openai", 5000),
    ]


def test_it_survives_the_json(reconciled: Result) -> None:
    assert from_json(to_json(reconciled)) == reconciled


def test_the_first_screen_says_so(reconciled: Result) -> None:
    page = Page(write_html(reconciled))
    said = [e.text for e in page.all("p") if e.attributes.get("class") == "reconciled"]
    assert len(said) == 2, "one per provider: dollars where there are any"
    assert (
        "Reconciled with Anthropic's export: our total of $1,000 is within 0.2%, $2.25 of their "
        "$1,040 unexplained; 4.1% of theirs is not in this log." in said[0]
    )
    assert (
        "Reconciled with OpenAI's export: our total of 4,990 tokens is within 0.6%, 30 tokens of "
        "their 5,000 tokens unexplained." in said[1]
    )


def test_data_quality_names_the_causes(reconciled: Result) -> None:
    page = Page(write_html(reconciled))
    rows = [e.text for e in page.all("tr") if "models not in the log $42.50" in e.text]
    assert len(rows) == 1
    assert "unexplained -$2.25" in rows[0]
    figures_hold(reconciled)


def test_the_terminal_says_it_in_one_line(reconciled: Result) -> None:
    text = table(reconciled, width=200)
    assert text.count("Reconciled with") == 2


def test_a_report_without_an_export_says_that_too(mixed: Result) -> None:
    assert mixed.data_quality.reconciliation is None
    html = write_html(mixed)
    assert "Not reconciled: no provider" in html
    assert "Reconciled with" not in html
    assert "Reconciled with" not in table(mixed)


def test_nothing_unexplained(audit: duckdb.DuckDBPyConnection) -> None:
    tables.mixed_audit(audit)
    tables.add_reconciliation(audit, "openai", "usd", theirs="12.50", ours="12.50")
    result = tables.build(audit)
    assert (
        "Reconciled with OpenAI's export: our total of $12.50 leaves nothing of their $12.50 "
        "unexplained." in table(result, width=200)
    )
    assert result.data_quality.reconciliation is not None
    assert result.data_quality.reconciliation.usd[0].gap == Decimal(0)


def test_an_export_of_another_time_is_no_check(audit: duckdb.DuckDBPyConnection) -> None:
    tables.mixed_audit(audit)
    tables.add_reconciliation(
        audit, "openai", "usd", theirs="12.50", gap="12.50", outside_period="12.50"
    )
    text = table(tables.build(audit), width=200)
    assert "Not reconciled with OpenAI's export: nothing in it is of this log's days" in text


def test_what_was_not_compared_is_said(audit: duckdb.DuckDBPyConnection) -> None:
    tables.mixed_audit(audit)
    covered = {"log_days": 5, "log_days_compared": 1, "calls_not_compared": 4, "lines_rejected": 1,
               "pages_missing": 1, "cost_not_compared": 7}  # fmt: skip
    tables.add_reconciliation(audit, "openai", "usd", theirs="9", ours="9", counts=covered)
    result = tables.build(audit)
    said = (
        "our total of $9 on 1 of the log's 5 days leaves nothing of their $9 unexplained; "
        "1 line of the export could not be read; pages of the export are missing."
    )
    assert said in table(result, width=300)
    page = Page(write_html(result))
    assert any("4 calls of ours ($7) not compared" in e.text for e in page.all("tr"))
    figures_hold(result)


def test_a_gap_larger_than_the_bill_is_no_percentage(audit: duckdb.DuckDBPyConnection) -> None:
    tables.mixed_audit(audit)
    tables.add_reconciliation(
        audit, "openai", "usd", theirs="1", ours="11", gap="-10", unexplained="-10",
        unexplained_size="10",
    )  # fmt: skip
    said = "our total of $11 leaves $10 unexplained against their $1."
    assert said in table(tables.build(audit), width=200)
