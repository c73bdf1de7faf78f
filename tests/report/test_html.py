from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from decimal import Decimal
from importlib import resources
from typing import Any

import duckdb
import pytest

from llm_audit.report import Result, render, to_json, write_html
from tests.report import tables
from tests.report.page import Page

Fill = Callable[[duckdb.DuckDBPyConnection], None]


def _nothing(connection: duckdb.DuckDBPyConnection) -> None:
    """No rows: an audit before the first ingest."""


@pytest.fixture(
    params=[(tables.mixed_audit, False), (tables.one_day_on_sonnet_4, True),
            (tables.one_day_on_sonnet_4, False), (_nothing, False)],
    ids=["mixed", "one day projected", "one day", "empty"],
)  # fmt: skip
def result(audit: duckdb.DuckDBPyConnection, request: pytest.FixtureRequest) -> Result:
    fill, project = request.param
    fill(audit)
    return tables.build(audit, project=project)


def _at(document: Any, key: str) -> Any:
    for name in key.split("."):
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def test_every_marked_figure_is_the_one_in_the_json(result: Result) -> None:
    document = json.loads(to_json(result))
    figures = [e for e in Page(write_html(result)).all("data") if "data-key" in e.attributes]
    assert figures
    for figure in figures:
        key = figure.attributes["data-key"]
        assert key
        assert figure.attributes["value"] == str(_at(document, key)), key


def test_every_row_shows_its_workload(mixed: Result) -> None:
    page = Page(write_html(mixed))
    cells = [e for e in page.all("data") if e.inside("tbody") and e.inside("table")]
    values = [e.attributes["value"] for e in cells if "data-key" not in e.attributes]
    for workload in mixed.workloads:
        assert str(workload.calls) in values
        if workload.effective_cost is not None:
            assert any(v and Decimal(v) == workload.effective_cost for v in values)
    headers = [e.text for e in page.all("th") if e.inside("tbody")]
    for workload in mixed.workloads:
        assert any((workload.caller or "(no caller)") in text for text in headers)


def test_users_example_on_the_page(one_day: Result) -> None:
    page = Page(write_html(one_day))
    [h1] = page.all("h1")
    assert h1.text == "Move 1 workload to the batch API and save $810 a month."
    [detail] = [e for e in page.all("p") if e.attributes.get("class") == "detail"]
    assert "50% of a bill of $1,620, which becomes $810." in detail.text
    assert "Over a year: $9,720." in detail.text


def test_a_short_log_says_so_and_is_not_projected(audit: duckdb.DuckDBPyConnection) -> None:
    tables.one_day_on_sonnet_4(audit)
    page = Page(write_html(tables.build(audit)))
    assert page.all("h1")[0].text.endswith("would have saved $27 on this one day.")
    [banner] = page.banners()
    assert "1 day" in banner.text
    assert "--project" in banner.text


def test_gray_area_is_apart_from_the_headline(mixed: Result) -> None:
    page = Page(write_html(mixed))
    in_h1 = [e.attributes["data-key"] for e in page.all("data") if e.inside("h1")]
    assert in_h1 == ["savings.monthly.conservative"]
    tiles = [e.text for e in page.all("li") if "Gray area, not counted" in e.text]
    assert len(tiles) == 1


def test_loud_banners(mixed: Result) -> None:
    titles = [e.attributes["aria-label"] for e in Page(write_html(mixed)).banners()]
    assert titles == ["Unpriced calls", "Unread lines"]


def test_a_retired_model_is_named(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=10)
    tables.add_workload(
        audit, 1, cost=54, saved=(27, 27, 27), forward=(0, 0, 0), advice="retired_model",
        note="Claude Sonnet 4 was retired: look at Sonnet 4.5.",
    )  # fmt: skip
    page = Page(write_html(tables.build(audit)))
    assert page.all("h1")[0].text == "Nothing in this log is worth moving to a batch API today."
    assert [e.attributes["aria-label"] for e in page.banners()] == ["Retired models"]
    assert any("look at Sonnet 4.5" in e.text for e in page.all("summary"))


def test_structure(result: Result) -> None:
    page = Page(write_html(result))
    assert page.elements[0].attributes == {"lang": "en"}
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("nav")) == 1
    assert all(e.attributes.get("scope") in ("row", "col") for e in page.all("th"))
    captions = [e.parent for e in page.all("caption")]
    assert captions == page.all("table")
    labelled = ("aria-label", "aria-labelledby")
    for element in [*page.all("section", "nav"), *page.banners()]:
        assert any(element.attributes.get(name) for name in labelled)
    for svg in page.all("svg"):
        assert svg.attributes.get("aria-hidden") or svg.attributes.get("aria-label")


def test_ids_are_unique_and_links_stay_on_the_page(result: Result) -> None:
    page = Page(write_html(result))
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        target = (link.attributes["href"] or "").removeprefix("#")
        assert target in ids, link.attributes["href"]
    named = [e.attributes.get("aria-labelledby") for e in page.elements]
    assert {name for name in named if name} <= set(ids)


def test_nothing_is_loaded_and_only_the_named_style_and_script_run(result: Result) -> None:
    html = write_html(result)
    page = Page(html)
    assert not re.findall(r"https?:|//[a-z]", html)
    names = {name for element in page.elements for name in element.attributes}
    assert not [n for n in names if n.startswith("on") or n in ("style", "src", "srcset", "action")]
    assert not page.all("link", "img", "iframe", "object", "form", "base")
    [policy] = [
        e.attributes["content"] or ""
        for e in page.all("meta")
        if e.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        [element] = page.all(tag)
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_templates_have_no_way_around_escaping() -> None:
    folder = resources.files("llm_audit.report")
    files = [*folder.iterdir(), *folder.joinpath("templates").iterdir()]
    sources = {f.name: f.read_text(encoding="utf-8") for f in files if f.is_file()}
    assert "report.html.j2" in sources
    for name, source in sources.items():
        assert not re.search(r"\|\s*safe\b|Markup\(|autoescape (false|off)", source), name


def test_500_workloads_stay_small_and_more_are_counted(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=7)
    for number in range(render.MOST_WORKLOADS + 1):
        workload = tables.add_workload(
            audit, number, cost=number, saved=(number, number, number), note="Runs at night."
        )
        for code in ("NIGHT", "BURST", "NO_STREAM"):
            tables.add_reason(
                audit, workload, "batch_eligible", code=code, criterion="tolerance", weight=1.0,
                evidence="98% of 600 calls start between 02:00 and 02:20 UTC", calls=600,
            )  # fmt: skip
    html = write_html(tables.build(audit))
    assert len(html) < 1_000_000
    rows = [e for e in Page(html).all("tbody") if "data-label" in e.attributes]
    assert len(rows) == render.MOST_WORKLOADS
    assert "501 workloads" in html
