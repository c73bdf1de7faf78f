"""The page as a file: what may run in it, how large it gets, what the one for e-mail leaves out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from llm_audit import cli
from llm_audit.report import Result, explore, from_json, limits, write_html
from tests.browser.audits import many
from tests.report.page import Element, Page
from tests.support import ROOT

MB = 1_000_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The result of sample_logs/, as `make demo` has it."""
    folder = tmp_path_factory.mktemp("sample")
    database, out = str(folder / "audit.duckdb"), folder / "run.json"
    assert cli.run(["--db", database, "ingest", str(ROOT / "sample_logs")]) == 0
    report = ["--db", database, "report", "--as-of", "2026-11-22", "--out", str(out)]
    assert cli.run(report) == 0
    return from_json(out.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def large(sample: Result) -> Result:
    return many(sample)


@pytest.fixture(scope="module")
def page(sample: Result) -> str:
    return write_html(sample)


@pytest.fixture(scope="module")
def static(sample: Result) -> str:
    return write_html(sample, static=True)


def _policy(page: Page) -> dict[str, str]:
    [policy] = [
        element.attributes["content"] or ""
        for element in page.all("meta")
        if element.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    return dict(rule.split(" ", 1) for rule in policy.split("; "))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _runs(script: Element) -> bool:
    return script.attributes.get("type") not in ("application/json", "text/plain")


def test_the_policy_names_exactly_what_is_there(page: str) -> None:
    parsed = Page(page)
    policy = _policy(parsed)
    library = explore.library()
    assert library
    scripts = {_hash(script.text) for script in parsed.all("script") if _runs(script)}
    assert set(policy["script-src"].split()) == scripts | {f"'{library.sha256}'"}
    assert set(policy["style-src"].split()) == {_hash(style.text) for style in parsed.all("style")}
    assert policy["default-src"] == "'none'"


def test_the_library_is_the_installed_one_and_stands_last(page: str) -> None:
    parsed = Page(page)
    *_, last = parsed.elements
    assert last.attributes == {"type": "text/plain", "id": "explore-library"}
    script = gzip.decompress(base64.urlsafe_b64decode(last.text))
    assert _hash(script.decode()) in _policy(parsed)["script-src"]
    assert b"plotly" in script[:200]


def test_the_charts_are_json_without_a_word_of_the_log(sample: Result, page: str) -> None:
    def charts(html: str) -> str:
        blocks = [e for e in Page(html).all("script") if e.attributes.get("id") == "explore-charts"]
        return blocks[0].text

    assert "<" not in charts(page)
    assert set(json.loads(charts(page))) == {"explore-days", "explore-workloads"}
    renamed = tuple(
        replace(w, caller="</script><b>", model="<i>", operation_name="<u>", note="<a>")
        for w in sample.workloads
    )
    assert charts(write_html(replace(sample, workloads=renamed))) == charts(page)


def test_without_plotly_the_page_says_so(sample: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "library", lambda: None)
    parsed = Page(write_html(sample))
    runs = {_hash(script.text) for script in parsed.all("script") if _runs(script)}
    assert set(_policy(parsed)["script-src"].split()) == runs
    assert not [e for e in parsed.elements if e.attributes.get("id") == "explore-library"]


def test_sizes(page: str, static: str, large: Result) -> None:
    assert len(page.encode()) <= 2.5 * MB
    assert len(static.encode()) <= 0.2 * MB
    assert len(write_html(large).encode()) <= 4 * MB
    assert len(write_html(large, static=True).encode()) <= 0.2 * MB


def test_the_static_page_has_no_script_and_no_control(static: str) -> None:
    parsed = Page(static)
    assert _policy(parsed)["script-src"] == "'none'"
    assert not parsed.all("script", "button", "input", "select", "dialog", "label")
    assert not [e for e in parsed.elements if "style" in e.attributes]
    assert len(parsed.all("style")) == 1
    assert "explore" not in {e.attributes.get("id") for e in parsed.elements}


def test_what_a_page_leaves_out_it_says(large: Result) -> None:
    for html in (write_html(large), write_html(large, static=True)):
        parsed = Page(html)
        ids = {e.attributes["id"] for e in parsed.elements if "id" in e.attributes}
        assert [a.attributes["href"] for a in parsed.all("a")
                if (a.attributes["href"] or "")[1:] not in ids] == []  # fmt: skip
        rows = [e for e in parsed.all("tbody") if "data-label" in e.attributes]
        [section] = [e for e in parsed.all("section") if e.attributes.get("id") == "workloads"]
        opened = [e for e in parsed.all("details") if e.parent and e.parent.tag == "td"]
        assert 0 < len(opened) < len(rows) <= len(large.workloads)
        assert f"The {len(opened)} rows with most money in them can be opened" in section.text
        assert "llm-audit explain" in section.text
        if len(rows) < len(large.workloads):
            assert f"the first {len(rows)} are listed, the JSON has all" in section.text
        for row in rows:
            assert "llm-audit explain" in row.text


def test_the_least_page_is_small_whatever_the_log_says(large: Result) -> None:
    """Names as long as the page prints them, everywhere."""
    wide = tuple(
        replace(w, caller="n" * 500, model="m" * 500, note="x" * 500) for w in large.workloads
    )
    html = write_html(replace(large, workloads=wide), static=True)
    assert len(html.encode()) <= limits.STATIC_BYTES


def test_the_same_result_makes_the_same_page(sample: Result, page: str) -> None:
    explore.library.cache_clear()
    assert write_html(sample) == page


def test_nothing_looks_like_an_address(page: str, static: str) -> None:
    for html in (page, static):
        named = re.sub(r"sha256-[\w+/]+=*", "", html)  # base64 may hold a "//", too
        assert not re.findall(r"https?:|//[a-z]", named)


def test_parts_are_in_the_wheel() -> None:
    """Every part that render.py names is a file beside its templates."""
    folder = Path(explore.__file__).parent / "templates"
    assert {p.name for p in folder.glob("*.css")} | {p.name for p in folder.glob("*.js")} == {
        "report.css", "workloads.css", "explore.css", "theme.js", "report.js", "explore.js",
    }  # fmt: skip
