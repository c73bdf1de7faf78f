from __future__ import annotations

import pytest

from llm_audit.report import Result, table
from llm_audit.report.terminal import NARROWEST


def test_bottom_line_first(mixed: Result) -> None:
    lines = table(mixed).splitlines()
    assert lines[0] == "Move 1 workload to the batch API and save $150.94 a month."
    assert any(line.startswith("! Unpriced calls: 3.3% of the calls") for line in lines)
    rows = [line for line in lines if line.startswith(("nightly", "webhook", "chat"))]
    assert [row.split()[-1] for row in rows] == ["$40.25", "$30.33", "-"]
    assert "1,555 lines = 1,520 calls + 30 rejects + 2 duplicates + 3 not calls." in table(mixed)


def test_users_example_in_the_terminal(one_day: Result) -> None:
    text = table(one_day)
    assert "save $810 a month" in text
    assert "Over a year: $9,720." in text.replace("\n", " ")


@pytest.mark.parametrize("width", [1, NARROWEST, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(mixed: Result, width: int) -> None:
    lines = table(mixed, width=width).splitlines()
    assert max(map(len, lines)) <= max(width, NARROWEST)
    assert any("nightly" in line and "$40.25" in line for line in lines)


def test_ascii_terminals_get_the_same_table(mixed: Result) -> None:
    text = table(mixed, encoding="ascii")
    assert text.isascii()
    assert "?" not in text
    assert [len(line) for line in text.splitlines()] == [
        len(line) for line in table(mixed).splitlines()
    ]


def test_an_empty_audit_says_what_to_do(empty: Result) -> None:
    assert "llm-audit ingest PATH" in table(empty)
