from __future__ import annotations

import base64
import hashlib
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from typing import Any

import duckdb
import pytest

from llm_audit.report import Result, limits, to_json, write_html
from llm_audit.report.result import Criteria, Reason
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
        found = _at(document, key)
        assert figure.attributes["value"] == ("" if found is None else str(found)), key


def test_every_figure_made_of_others_is_what_they_make(result: Result) -> None:
    """A sum of keys, '-' taken away, times a fraction: a reader can do it again by hand."""
    document = json.loads(to_json(result))
    made = [e for e in Page(write_html(result)).all("data") if "data-times" in e.attributes]
    for figure in made:
        whole = Decimal(0)
        for key in (figure.attributes["data-keys"] or "").split():
            amount = Decimal(_at(document, key.removeprefix("-")))
            whole += -amount if key.startswith("-") else amount
        times = Fraction(figure.attributes["data-times"] or "")
        value = whole * times.numerator / times.denominator
        assert abs(value - Decimal(figure.attributes["value"] or "")) < Decimal("1e-11")


def test_every_row_shows_its_workload(mixed: Result) -> None:
    page = Page(write_html(mixed))
    rows = [e for e in page.all("tbody") if "data-label" in e.attributes]
    assert len(rows) == len(mixed.workloads)
    shown = {
        e.attributes["data-key"]: e.text for e in page.all("data") if "data-key" in e.attributes
    }
    for place, (workload, row) in enumerate(zip(mixed.workloads, rows, strict=True)):
        key = f"workloads.{place}"
        assert row.attributes["id"] == f"{workload.workload_id}-{workload.label}"
        assert row.text.strip().startswith(workload.caller or "(no caller)")
        assert shown[f"{key}.calls"].replace(",", "").startswith(str(workload.calls))
        if workload.effective_cost is not None:
            assert f"{key}.effective_cost" in shown
        for number, reason in enumerate(workload.reasons):
            assert reason.evidence in row.text
            if reason.weight is not None:
                assert f"{key}.reasons.{number}.weight" in shown


def test_a_heatmap_is_the_hours_of_the_week(mixed: Result) -> None:
    page = Page(write_html(mixed))
    maps = [e for e in page.all("tbody") if "data-list" in e.attributes]
    drawn = [w for w in mixed.workloads if any(w.activity.by_hour)]
    assert len(maps) == len(drawn) > 0
    for body in maps:
        _, place, *_ = str(body.attributes["data-list"]).split(".")
        cells = [e for e in page.all("td") if e.parent and e.parent.parent is body]
        assert tuple(int(e.text) for e in cells) == mixed.workloads[int(place)].activity.by_hour


def test_the_lines_to_paste_are_toml_as_they_stand_on_the_page(mixed: Result) -> None:
    page = Page(write_html(mixed))
    pasted = [e.text for e in page.all("code") if e.inside("pre") and "[[override]]" in e.text]
    asked = [w for w in mixed.workloads if w.advice == "ask_owner"]
    assert len(pasted) == len(asked) > 0
    callers = {tomllib.loads(text)["override"][0].get("caller") for text in pasted}
    assert callers == {w.caller for w in asked}


def test_what_a_yes_does_not_move_is_shown_after_and_asks_nothing(mixed: Result) -> None:
    asked = next(w for w in mixed.workloads if w.advice == "ask_owner")
    retired = replace(asked, workload_id="w_old", advice="retired_model", worth_it=False)
    small = replace(asked, workload_id="w_few", advice="below_floor", peak_day_calls=60)
    page = Page(write_html(replace(mixed, workloads=(retired, small, asked))))
    items = [e for e in page.all("li") if (e.attributes.get("id") or "").startswith("ask-")]
    assert ["at stake" in e.text for e in items] == [True, False, False]
    assert ["[[override]]" in e.text for e in items] == [True, False, False]
    assert "A yes moves nothing: model retired." in items[1].text + items[2].text
    [section] = [e for e in page.all("section") if e.attributes.get("id") == "gray-area"]
    assert "a yes moves nothing: too small (60 calls within 24 h)" in section.text
    assert "2 more gray workloads, listed last, have no question" in section.text


def test_an_owner_who_has_spoken_is_not_asked_anywhere(mixed: Result) -> None:
    word = Reason("OVERRIDE", None, None, "the owner allows 24 h for a result: x (ana)", 9)
    gray = next(w for w in mixed.workloads if w.advice == "ask_owner")
    open_ = replace(gray, criteria=Criteria("unknown", "supported", "supported"))
    said = replace(open_, reasons=(word,))
    for workload, tile in (
        (gray, "if 1 workload can wait: ask the owners"),
        (open_, "if 1 workload can wait and be sent all at once: ask the owners"),
        (said, "1 workload: owner has spoken; independence is not shown"),
    ):
        page = Page(write_html(replace(mixed, workloads=(workload,))))
        [note] = [e.text for e in page.all("li") if "Gray area, not counted" in e.text]
        assert tile in note
        text = page.all("main")[0].text
        assert ("Ask the owner:" in text) == (workload is not said)
        assert ("No question is open" in text) == (workload is said)
        assert ('label = "batch_eligible"' in text) == (workload is not gray)


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
    assert in_h1 == ["savings.monthly.conservative", "savings.monthly.best"]
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
        assert any(svg.attributes.get(name) for name in ("aria-hidden", *labelled))


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
    named = re.sub(r"sha256-[\w+/]+=*", "", html)  # base64 may hold a "//", too
    assert not re.findall(r"https?:|//[a-z]", named)
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
    assert (len(page.all("style")), len(page.programs())) == (1, 2)
    for element in [*page.all("style"), *page.programs()]:
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        [allowed] = re.findall(f"{element.tag}-src ([^;]*);", policy)
        assert f"'sha256-{digest}'" in allowed


def test_templates_have_no_way_around_escaping() -> None:
    folder = resources.files("llm_audit.report")
    files = [*folder.iterdir(), *folder.joinpath("templates").iterdir()]
    sources = {f.name: f.read_text(encoding="utf-8") for f in files if f.is_file()}
    assert "report.html.j2" in sources
    for name, source in sources.items():
        assert not re.search(r"\|\s*safe\b|Markup\(|autoescape (false|off)", source), name


def test_500_workloads_stay_small_and_more_are_counted(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=7)
    for number in range(limits.PAGE[0].most_workloads + 1):
        workload = tables.add_workload(
            audit, number, cost=number, saved=(number, number, number), note="Runs at night."
        )
        for code in ("NIGHT", "BURST", "NO_STREAM"):
            tables.add_reason(
                audit, workload, "batch_eligible", code=code, criterion="tolerance", weight=1.0,
                evidence="98% of 600 calls start between 02:00 and 02:20 UTC", calls=600,
            )  # fmt: skip
    html = write_html(tables.build(audit))
    assert len(html) < 4_000_000
    rows = [e for e in Page(html).all("tbody") if "data-label" in e.attributes]
    assert len(rows) == limits.PAGE[0].most_workloads
    assert "501 workloads" in html
