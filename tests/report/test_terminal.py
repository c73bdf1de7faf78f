from __future__ import annotations

from dataclasses import replace

import pytest

from llm_audit.report import Result, compare, table, write_html
from llm_audit.report.summary import summary
from llm_audit.report.terminal import NARROWEST
from tests.report.everywhere import golden, sentences
from tests.report.page import Page


def test_bottom_line_first(mixed: Result) -> None:
    lines = table(mixed).splitlines()
    assert lines[0] == "Move 1 workload to the batch API and save $150.94 to $225.94 a month."
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


@pytest.mark.parametrize("width", [100, 60])
def test_the_first_screen_is_the_same_as_everywhere(mixed: Result, width: int) -> None:
    text, top = sentences(table(mixed, width=width)), summary(mixed)
    assert len(top.steps) >= 2
    for tile in top.tiles:
        assert f"{tile.name} {tile.amount} {tile.note}" in text
    for number, step in enumerate(top.steps, 1):
        assert f"{number}. {step.what}: {step.caller}" in text
        assert (
            f"{step.saving} ({step.share}); effort: {step.effort}; risk if late: {step.risk}; "
            f"confidence: {step.confidence} run: {step.command}"
        ) in text
    assert text.startswith(f"{top.sentence} {top.detail}")


def test_the_page_says_the_same(mixed: Result) -> None:
    """The page has words of its own in its templates: they are these."""
    texts = [sentences(e.text) for e in Page(write_html(mixed)).all("li")]
    for step in summary(mixed).steps:
        [item] = [text for text in texts if f"{step.what}: {step.caller}" in text]
        for words in (step.saving, step.share, step.effort, step.risk, step.command):
            assert words in item, words


def test_the_change_since_the_baseline(mixed: Result) -> None:
    earlier = golden("one_day")
    text = sentences(table(replace(mixed, baseline=compare(mixed, earlier))))
    assert "Since the report of 2025-09-10 (a month, projected): spend was $1,620, is" in text
    assert "webhook-triage: new, gray area: could save $3.79 a day, observed, if its owner" in text
