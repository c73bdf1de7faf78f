"""Log text is written by whoever sends requests: it may show, it may not do anything."""

from __future__ import annotations

import json
from datetime import date

import duckdb
import pytest

from llm_audit.report import Result, from_json, table, to_json, write_html
from tests.report import tables
from tests.report.page import Page
from tests.support import create_stored_tables

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}</style>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "=cmd|'/c calc'!A1",
    "\x1b[2J\x1b]0;owned\x07gone",
    "\u202etxt.exe\u2066",
    "null\x00byte\u2028line",
    "lone \ud83d".encode("utf-8", "replace").decode(),
    "x" * 5000,
)


def _fill(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """One row of every kind that carries log text, with `text` in each such column."""
    path = f"{text}.jsonl"
    tables.add_calls(connection, 1000, days=8, path=path, rejects=20)
    workload = tables.add_workload(
        connection, 1, cost=10, saved=(5, 5, 5), note=text, unpriced_calls=20,
        workload={
            "caller": text, "model": text, "provider_name": text, "operation_name": text,
        },
    )  # fmt: skip
    tables.add_reason(
        connection, workload, "batch_eligible", code="TAG", criterion="tolerance", weight=1.0,
        evidence=f"tagged {text}", calls=9,
    )  # fmt: skip
    tables.insert(
        connection, "rejects", source_file=path, line_number=1, reason=text, excerpt=text
    )  # fmt: skip
    connection.execute(
        "UPDATE calls SET request_model = ?, provider_name = ? WHERE source_line <= 20",
        [text, text],
    )
    connection.execute(
        "UPDATE costs SET price_status = 'unpriced_model' WHERE call_id IN "
        "(SELECT call_id FROM calls WHERE request_model IS NOT NULL)"
    )
    tables.insert(
        connection, "override_uses", position=0, names=text, label="realtime", because=text,
        signed_by=text, calls=3,
    )  # fmt: skip
    tables.add_migration(connection, tool_version=text)
    for part, column in (
        ("runs", "run_id"), ("turnaround", "vendor"), ("costs", "token_kind"), ("checks", "name"),
        ("counts", "name"), ("workloads", "workload_id"),
    ):  # fmt: skip
        connection.execute(f"UPDATE verified_{part} SET {column} = ?", [text])
    tables.insert(
        connection, "model_names", provider_name=text, request_model=text, hint=f"unknown: {text}"
    )


@pytest.fixture(params=HOSTILE, ids=[ascii(text[:24]) for text in HOSTILE])
def hostile(audit: duckdb.DuckDBPyConnection, request: pytest.FixtureRequest) -> Result:
    _fill(audit, request.param)
    return tables.build(audit)


@pytest.fixture(scope="module")
def harmless() -> Page:
    with duckdb.connect() as connection:
        create_stored_tables(connection)
        tables.create_derived_tables(connection)
        _fill(connection, "harmless")
        return Page(write_html(tables.build(connection)))


def test_log_text_adds_no_element_and_no_attribute(hostile: Result, harmless: Page) -> None:
    assert Page(write_html(hostile)).shape() == harmless.shape()


def test_log_text_reaches_no_link_style_script_or_id(hostile: Result, harmless: Page) -> None:
    page = Page(write_html(hostile))
    for own, other in zip(page.elements, harmless.elements, strict=True):
        assert own.attributes == other.attributes
        if own.tag in ("style", "script", "title", "a"):
            assert own.text == other.text


def test_the_page_has_no_invisible_characters(hostile: Result) -> None:
    html = write_html(hostile)
    assert html.replace("\n", "").isprintable()
    assert "49" not in [e.text for e in Page(html).all("summary")]


def test_the_terminal_gets_no_control_character(hostile: Result) -> None:
    for encoding in ("utf-8", "ascii"):
        text = table(hostile, width=80, encoding=encoding)
        assert text.replace("\n", "").isprintable()
        assert max(map(len, text.splitlines())) <= 80


def test_the_json_keeps_the_text_and_is_ascii(hostile: Result) -> None:
    text = to_json(hostile)
    assert text.isascii()
    assert "\x1b" not in text
    assert from_json(text) == hostile
    assert json.loads(text)["workloads"][0]["caller"] == hostile.workloads[0].caller


def test_a_hostile_price_card_name_is_text(audit: duckdb.DuckDBPyConnection) -> None:
    audit.execute("UPDATE pricing_meta SET version = ?, as_of = ?", [HOSTILE[0], date(2025, 9, 1)])
    page = Page(write_html(tables.build(audit)))
    assert len(page.programs()) == 2
