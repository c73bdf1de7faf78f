"""The comment of a pull request: what it says, how long it is, and that log text stays text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from llm_audit.report import Result, compare, to_markdown
from llm_audit.report.markdown import LONGEST, MARKER, code
from llm_audit.report.summary import summary
from tests.report.everywhere import TEXTS, everywhere, golden, in_log_text, many

IDS = [ascii(text[:24]) for text in TEXTS]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _without_code(text: str) -> str:
    """What GitHub reads as markup: everything outside of code spans, without what is escaped."""
    return re.sub(r"\\[!-/:-@\[-`{-~]", "", re.sub(r"`[^`\n]+`", "CODE", text))


@pytest.mark.parametrize("name", ["mixed", "one_day", "empty"])
def test_the_first_screen_is_the_same_as_everywhere(name: str) -> None:
    result = golden(name)
    text, top = to_markdown(result), summary(result)
    assert text.startswith(f"{MARKER}\n## {top.sentence}\n\n{top.detail}\n")
    assert text.endswith("\n")
    for title, sentence in top.banners:
        assert f"> **{title}.** {sentence}" in text
    for tile in top.tiles:
        assert f"**{tile.amount}**" in text
        assert tile.note in text
    for number, step in enumerate(top.steps, 1):
        [row] = [line for line in text.splitlines() if line.startswith(f"| {number} | ")]
        assert f"{step.what}: `{step.caller}`" in row
        assert f"**{step.saving}** ({step.share})" in row
        assert f"`{step.command}`" in row


def test_it_says_where_every_line_went() -> None:
    text = to_markdown(golden("mixed"))
    assert "1,555 lines = 1,520 calls + 30 rejects + 2 duplicates + 3 not calls." in text


def test_the_change_since_the_baseline() -> None:
    mixed, one_day = golden("mixed"), golden("one_day")
    text = to_markdown(replace(mixed, baseline=compare(mixed, one_day)))
    assert "Since the report of 2025-09-10 (a month, projected): spend was $1,620, is " in text


@pytest.mark.parametrize("number", [0, 1, 500, 5000])
def test_it_is_short_enough_and_says_what_is_left_out(number: int) -> None:
    result = many(golden("mixed"), number)
    text = to_markdown(result)
    assert _units(text) <= LONGEST
    rows = text.count("\n| `job-")
    left = re.search(r"Left out for length: ([\d,]+) workload", text)
    assert rows + (int(left[1].replace(",", "")) if left else 0) == number
    assert text.count("<details>") == text.count("</details>") == (1 if number else 0)


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_characters_outside_the_plane_count_twice(text: str) -> None:
    result = in_log_text(many(golden("mixed"), 900), text + "\U0001f600" * 60)
    assert _units(to_markdown(result)) <= LONGEST


@pytest.mark.parametrize("change", [in_log_text, everywhere], ids=["log", "everywhere"])
@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_hostile_text_stays_text(text: str, change: object) -> None:
    assert callable(change)
    mixed = golden("mixed")
    mixed = replace(mixed, baseline=compare(mixed, many(mixed, 3)))
    hostile: Result = change(mixed, text)
    comment = to_markdown(hostile)
    assert comment.startswith(f"{MARKER}\n")
    assert comment.replace("\n", "").isprintable()
    assert comment.count(MARKER) == 1 or MARKER in text
    left = _without_code(comment.removeprefix(MARKER))
    assert "`" not in left
    assert set(re.findall(r"<[^>]*>?", left)) <= {
        "<sub>", "</sub>", "<details>", "</details>", "<summary>", "</summary>",
    }  # fmt: skip
    assert not re.search(r"@\w|://|www\.|\]\(|!\[|~~|\$[^\d]", left)
    assert left.count("<details>") == left.count("</details>") == 1


@pytest.mark.parametrize("change", [in_log_text, everywhere], ids=["log", "everywhere"])
@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_hostile_text_adds_no_cell(text: str, change: object) -> None:
    assert callable(change)
    comment = to_markdown(change(golden("mixed"), text))
    tables = [
        [line.replace("\\|", "").count("|") for line in block.splitlines() if line.startswith("|")]
        for block in comment.split("\n\n")
    ]
    assert all(len(set(columns)) <= 1 for columns in tables)


@pytest.mark.parametrize("text", ["", "\u200b", "\x00", "`", " "])
def test_a_code_span_is_never_empty(text: str) -> None:
    assert re.fullmatch(r"`[^`]+`", code(text))
