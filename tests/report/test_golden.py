"""A stored result and what is drawn from it, to the byte.

Look at the difference first, then accept it: `ACCEPT_GOLDEN=1 pytest tests/report/test_golden.py`.
The interactive page is stored without plotly.js, which is another program's and another release.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from llm_audit.report import Result, explore, table, to_csv, to_focus, to_markdown, write_html
from tests.report.everywhere import GOLDEN, golden

DRAWN: dict[str, Callable[[Result], str]] = {
    ".html": write_html,
    ".static.html": lambda result: write_html(result, static=True),
    ".md": to_markdown,
    ".csv": to_csv,
    ".focus.csv": to_focus,
    ".txt": table,
}


@pytest.mark.parametrize("ending", DRAWN)
def test_what_is_drawn_from_a_stored_result(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "library", lambda: None)
    text = DRAWN[ending](golden("mixed"))
    file = GOLDEN / f"mixed{ending}"
    if os.environ.get("ACCEPT_GOLDEN") == "1":
        file.write_text(text, encoding="utf-8", newline="")
    assert text.splitlines() == _read(file).splitlines()
    assert text == _read(file)


def _read(file: Path) -> str:
    return file.read_bytes().decode("utf-8")
