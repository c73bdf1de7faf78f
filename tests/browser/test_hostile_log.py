"""A log written by an attacker, through the command line, into every format of the report."""

from __future__ import annotations

import csv
import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llm_audit import cli
from llm_audit.report import Result, from_json
from tests.browser import hostile_log
from tests.browser.conftest import page_of
from tests.browser.visits import visit
from tests.report.page import Page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FORMATS = {
    "page.html": (),
    "mail.html": ("--static",),
    "run.json": (),
    "comment.md": ("--format", "markdown"),
    "workloads.csv": ("--format", "csv"),
    "costs.csv": ("--format", "focus"),
    "table.txt": ("--format", "table"),
}

_LINKS = """() => [...document.querySelectorAll("a, area, form, [href], [src], [action]")]
  .map((e) => e.getAttribute("href") ?? e.getAttribute("xlink:href")
    ?? e.getAttribute("src") ?? e.getAttribute("action") ?? "")
  .filter((address) => !address.startsWith("#"))"""

_CLICK_ALL = """async () => {
  for (const part of document.querySelectorAll("a, button, summary, label")) part.click();
  await new Promise((done) => setTimeout(done, 200));
}"""


@dataclass(frozen=True)
class Reports:
    """What the commands wrote: a text per file, and all they said on the terminal."""

    files: dict[str, str]
    said: str

    @property
    def result(self) -> Result:
        return from_json(self.files["run.json"])


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    folder = tmp_path_factory.mktemp("hostile")
    database = folder / "audit.duckdb"
    (folder / "logs").mkdir()
    hostile_log.write(folder / "logs")
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        assert cli.run(["--db", str(database), "ingest", str(folder / "logs")]) == 0
        out = str(folder / "run.json")
        day = ["--as-of", "2026-11-22"]
        assert cli.run(["--db", str(database), "report", *day, "--out", out]) == 0
        for name, options in FORMATS.items():
            if name != "run.json":
                target = ["--out", str(folder / name), *options]
                assert cli.run(["report", "--from", out, *target]) == 0
        assert cli.run(["report", "--from", out]) == 0
    with_ends = {name: (folder / name).read_bytes().decode() for name in FORMATS}
    return Reports(with_ends, said.getvalue())


def test_the_attacks_reach_the_report(reports: Reports) -> None:
    """Else nothing below means anything."""
    callers = {w.caller for w in reports.result.workloads}
    models = {w.model for w in reports.result.workloads}
    assert callers > set(hostile_log.ATTACKS)
    assert len(models) > len(hostile_log.ATTACKS)
    assert {w.label for w in reports.result.workloads} == {"batch_eligible", "gray_area"}
    assert reports.result.totals.worth_moving_calls > 0
    for name in ("page.html", "mail.html"):
        text = Page(reports.files[name]).elements[0].text
        for words in ("<script>alert(1)</script>", '"><img src=x', "{{7*7}} {% import os %}"):
            assert words in text


@pytest.mark.parametrize("name", ["page.html", "mail.html"])
def test_nothing_happens_in_the_browser(
    browser: Browser, reports: Reports, tmp_path: Path, name: str
) -> None:
    """No dialog, no request, no word on the console: `visit` would tell."""
    with visit(browser, reports.files[name], tmp_path) as seen:
        page = seen.page
        seen.unfold()
        dots = page.locator("#explore .points path")
        assert (dots.count() > 0) == (name == "page.html")
        for place in range(min(dots.count(), 8)):
            dots.nth(place).hover(force=True)
            page.wait_for_timeout(60)
        assert page.evaluate(_LINKS) == []
        page.evaluate(_CLICK_ALL)
        assert page.evaluate(_LINKS) == []
        assert (
            page.evaluate("() => document.querySelectorAll('#explore b, #explore sub').length") == 0
        )
        assert page.title() == "Batch savings report"
        assert seen.sticks_out() == []
        page.set_viewport_size({"width": 390, "height": 900})
        assert seen.sticks_out() == []


@pytest.mark.parametrize("name", ["page.html", "mail.html"])
def test_no_element_or_attribute_comes_from_the_log(reports: Reports, name: str) -> None:
    """The page is made of what a harmless page is made of, and of nothing else."""
    harmless = Page(page_of("mixed" if name == "page.html" else "mixed, static"))
    harmful = Page(reports.files[name])
    kinds = {(e.tag, attribute) for e in harmless.elements for attribute in (*e.attributes, "")}
    found = {(e.tag, attribute) for e in harmful.elements for attribute in (*e.attributes, "")}
    assert found <= kinds | {("data", "data-times"), ("data", "data-keys")}
    for tag in ("script", "style", "meta", "title", "body", "html", "head"):
        assert len(harmful.all(tag)) == len(harmless.all(tag)), tag
    assert reports.files[name].replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["workloads.csv", "costs.csv"])
def test_no_cell_is_a_formula(reports: Reports, name: str) -> None:
    rows = list(csv.reader(io.StringIO(reports.files[name], newline="")))
    assert len(rows) == len(reports.result.workloads) + 1
    assert len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert not [c for c in cells if re.match(r"\s*[=+\-@\t\r]", c) and not re.fullmatch(NUMBER, c)]
    assert all(cell.isprintable() for cell in cells)
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


def test_the_comment_has_no_markup_of_the_log(reports: Reports) -> None:
    comment = reports.files["comment.md"]
    assert comment.replace("\n", "").isprintable()
    prose = re.sub(r"`[^`\n]+`", "", comment)
    assert set(re.findall(r"<[^>]*>", prose)) <= {
        "<!-- llm-audit -->", "<details>", "</details>", "<summary>", "</summary>", "<sub>",
        "</sub>",
    }  # fmt: skip
    assert not re.findall(r"\]\(|!\[|@\w|https?:|www\.|(?<!\w)#\d", prose)
    columns = [
        len(re.findall(r"(?<!\\)\|", line)) for line in comment.splitlines() if line[:1] == "|"
    ]
    assert set(columns) <= {8, 5}, "a name broke out of its cell"


def test_the_terminal_gets_plain_lines(reports: Reports) -> None:
    for text in (reports.said, reports.files["table.txt"]):
        assert text.replace("\n", "").isprintable()
        assert max(map(len, text.splitlines())) <= 500


def test_the_json_is_ascii_and_keeps_the_text(reports: Reports) -> None:
    text = reports.files["run.json"]
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert "\x1b[2J\x1b]0;owned" in "".join(str(w["caller"]) for w in json.loads(text)["workloads"])


NUMBER = r"-?\d+(\.\d+)?(e-?\d+)?"
