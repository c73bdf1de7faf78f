"""The page in a real browser: it renders, its policy blocks nothing of its own, its script runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from llm_audit.report import Result, write_html
from tests.report import tables, test_hostile
from tests.report.page import Element, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

_QUIET = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--enable-logging=stderr",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _run(url: str, folder: Path, *options: str) -> tuple[str, list[str]]:
    """What Chromium prints for a page, and every message on the page's console."""
    assert CHROMIUM
    done = subprocess.run(
        [CHROMIUM, *_QUIET, f"--user-data-dir={folder / 'profile'}", *options, url],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout, re.findall(r"CONSOLE.*", done.stderr)


def _open(html: str, folder: Path, query: str = "") -> tuple[Page, list[str]]:
    file = folder / "savings.html"
    file.write_text(html, encoding="utf-8")
    dom, console = _run(file.as_uri() + query, folder, "--dump-dom")
    return Page(dom), console


def _rows(page: Page, *, hidden: bool = False) -> list[str]:
    """Callers in the workload table, in the order shown."""
    bodies = [e for e in page.all("tbody") if "data-label" in e.attributes]
    shown = [e for e in bodies if hidden or "hidden" not in e.attributes]
    return [body.text.split()[0] for body in shown]


def _sorted_header(page: Page) -> list[tuple[str, str | None]]:
    found: list[Element] = [e for e in page.all("th") if "aria-sort" in e.attributes]
    return [(e.text.strip(), e.attributes["aria-sort"]) for e in found]


def test_page_renders_sorts_and_filters_without_a_word_on_the_console(
    mixed: Result, tmp_path: Path
) -> None:
    page, console = _open(write_html(mixed), tmp_path, "?sort=calls&show=gray_area")
    assert console == []
    assert _sorted_header(page) == [("Calls", "descending")]
    calls = {(w.caller or "(no"): w.calls for w in mixed.workloads}
    assert _rows(page, hidden=True) == sorted(calls, key=lambda name: -calls[name])
    assert _rows(page) == ["webhook-triage", "(no"]
    assert [e.text for e in page.all("p") if e.attributes.get("role") == "status"] == [
        "2 of 6 shown"
    ]
    [controls] = [e for e in page.elements if e.attributes.get("id") == "workload-controls"]
    assert "hidden" not in controls.attributes


def test_a_link_opens_its_workload(mixed: Result, tmp_path: Path) -> None:
    workload = mixed.workloads[2]
    page, console = _open(write_html(mixed), tmp_path, f"#{workload.workload_id}-{workload.label}")
    assert console == []
    [opened] = [e for e in page.all("details") if "open" in e.attributes]
    assert workload.note in opened.text


def test_a_changed_script_does_not_run(mixed: Result, tmp_path: Path) -> None:
    """The control: the policy is in force, and the test would see a violation of it."""
    html = write_html(mixed).replace('"use strict";', '"use strict"; ')
    page, console = _open(html, tmp_path, "?sort=calls")
    assert any("Content Security Policy" in message for message in console)
    assert _sorted_header(page) == []


def test_hostile_log_stays_text_in_the_browser(
    audit: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    test_hostile._fill(audit, "".join(test_hostile.HOSTILE[:5]))
    page, console = _open(write_html(tables.build(audit)), tmp_path)
    assert console == []
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not page.all("img")
    assert not [name for e in page.elements for name in e.attributes if name.startswith("on")]


def test_prints_to_pdf(mixed: Result, tmp_path: Path) -> None:
    file = tmp_path / "savings.html"
    file.write_text(write_html(mixed), encoding="utf-8")
    pdf = tmp_path / "savings.pdf"
    _, console = _run(file.as_uri(), tmp_path, f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
    assert console == []
    assert pdf.read_bytes().startswith(b"%PDF")
