from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_audit.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gpt-4.1", "gpt-4.1"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("a\x00b\x7fc", "abc"),
        ("two\r\nlines\tand a tab", "two  lines and a tab"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("lone\ud800surrogate", "lonesurrogate"),
        ("naïve 模型 ✓", "naïve 模型 ✓"),
    ],
)
def test_only_what_can_be_seen_stays(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_long_text_ends_in_an_ellipsis() -> None:
    assert printable("x" * 300, 10) == "x" * 9 + "…"
    assert printable("x" * 10, 10) == "x" * 10
    assert printable("\x00" * 100 + "end", 5).endswith("…")


@given(st.text(), st.integers(1, 50))
def test_always_printable_and_never_longer(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    assert printable(shown, limit) == shown
