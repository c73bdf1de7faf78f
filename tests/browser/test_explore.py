"""The charts to zoom into: drawn on request, silent, themed, and deaf to what a name says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llm_audit.report import Result, explore, write_html
from tests.browser.conftest import page_of, result_of
from tests.browser.visits import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = (
    '<a href="https://evil.example/">click</a>',
    "<b>bold</b> &lt;i&gt; &#60;u&#62;",
    '</script><script>alert(1)</script><img src=x onerror="alert(1)">',
    "%{x} %{customdata} $\\alpha$",
    "javascript:alert(1)",
)


RECOLOURED = """before =>
  document.querySelector('#explore-days .bars .point path').style.fill !== before"""


def _open(page: Page) -> str:
    """Open the fold and wait for the charts, or for the sentence that says why there are none."""
    page.locator("#explore-fold > summary").click()
    _until(
        page, "() => !/need|Unpacking/.test(document.getElementById('explore-status').innerText)"
    )
    return page.locator("#explore-status").inner_text()


def _until(page: Page, script: str, argument: object = None) -> None:
    """Wait until a function of the page is true. Playwright's own way evaluates its text within the
    page, which the page's policy forbids.
    """
    for _ in range(600):
        if page.evaluate(script, argument):
            return
        page.wait_for_timeout(100)
    raise AssertionError(script)


def _fills(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('#explore-days .bars .point path')]"
        ".map(path => path.style.fill)"
    )
    return found


def test_opening_draws_both_charts_without_a_word(browser: Browser, folder: Path) -> None:
    with visit(browser, page_of("mixed"), folder) as seen:
        assert seen.page.evaluate("typeof Plotly") == "undefined"
        assert _open(seen.page) == ""
        priced = [day for day in result_of("mixed").trend if day.effective_cost]
        assert len(_fills(seen.page)) >= len(priced) > 0
        assert seen.page.locator("#explore-workloads .scatterlayer .point").count() > 1
        # No tool bar: it would carry a link to plotly's own site.
        assert seen.page.locator("#explore .modebar, #explore a[href^='http']").count() == 0


def test_a_theme_recolours_what_is_drawn(browser: Browser, folder: Path) -> None:
    with visit(browser, page_of("mixed"), folder, color_scheme="light") as seen:
        _open(seen.page)
        light = _fills(seen.page)
        seen.page.emulate_media(color_scheme="dark")
        _until(seen.page, RECOLOURED, light[0])
        dark = _fills(seen.page)
        seen.page.locator("#theme").click()  # from auto to light
        _until(seen.page, RECOLOURED, dark[0])
        assert _fills(seen.page) == light != dark


def test_a_drag_zooms_and_a_double_click_goes_back(browser: Browser, folder: Path) -> None:
    span = "() => document.getElementById('explore-days')._fullLayout.xaxis.range.map(String)"
    with visit(browser, page_of("mixed"), folder) as seen:
        _open(seen.page)
        whole = seen.page.evaluate(span)
        chart = seen.page.locator("#explore-days .nsewdrag")
        box = chart.bounding_box()
        assert box
        chart.hover(position={"x": box["width"] * 0.4, "y": 100})
        seen.page.mouse.down()
        seen.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 100, steps=5)
        seen.page.mouse.up()
        _until(seen.page, f"before => ({span})()[0] !== before", whole[0])
        chart.dblclick(position={"x": 200, "y": 100})
        _until(seen.page, f"before => ({span})()[0] === before", whole[0])


def _hover(page: Page, dot: int) -> str:
    """Point at the given dot of the first trace; the box's text as it reads."""
    page.evaluate(
        "dot => Plotly.Fx.hover('explore-workloads', [{curveNumber: 0, pointNumber: dot}])", dot
    )
    box = page.locator("#explore-workloads .hovertext", has_text=f"W{dot + 1} ")
    return re.sub(r"\s+", " ", box.text_content() or "")


@pytest.fixture
def hostile(mixed: Result) -> Result:
    first = next(w for w in mixed.workloads if w.label == "batch_eligible")
    workloads = tuple(
        replace(first, workload_id=f"w_{number:010x}", caller=text, model=text)
        for number, text in enumerate(HOSTILE)
    )
    return replace(mixed, workloads=workloads)


def test_names_stay_text_in_the_hover_box(hostile: Result, browser: Browser, folder: Path) -> None:
    with visit(browser, write_html(hostile), folder) as seen:
        _open(seen.page)
        for number, text in enumerate(HOSTILE):
            assert f"W{number + 1} {text}" in _hover(seen.page, number)
        assert seen.page.locator("#explore a:not([href^='#']), #explore img").count() == 0


def test_a_dot_leads_to_its_row(browser: Browser, folder: Path) -> None:
    with visit(browser, page_of("mixed"), folder) as seen:
        _open(seen.page)
        dot = seen.page.locator("#explore-workloads .scatterlayer .point").first
        dot.scroll_into_view_if_needed()
        box = dot.bounding_box()
        assert box
        seen.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        _until(seen.page, "() => location.hash.startsWith('#w_')")
        why = seen.page.locator("tbody:target .why > td > details")
        assert why.get_attribute("open") is not None


def test_a_changed_library_is_refused(browser: Browser, folder: Path) -> None:
    """The control: what runs is what the policy names, and the reader is told."""
    library = explore.library()
    assert library
    other = replace(library, sha256="sha256-" + "A" * 43 + "=")
    html = page_of("mixed").replace(library.sha256, other.sha256)
    with visit(browser, html, folder) as seen:
        assert "could not be drawn" in _open(seen.page)
        assert any("Content Security Policy" in text for text in seen.noticed)
        seen.noticed.clear()


def test_an_old_browser_is_told(browser: Browser, folder: Path) -> None:
    with visit(browser, page_of("mixed"), folder) as seen:
        seen.page.evaluate("() => { delete window.DecompressionStream; }")
        assert "could not be drawn" in _open(seen.page)


def test_without_javascript_the_fold_says_so(browser: Browser, folder: Path) -> None:
    with visit(browser, page_of("mixed"), folder, java_script_enabled=False) as seen:
        seen.page.locator("#explore-fold > summary").click()
        assert seen.page.locator("#explore-status").inner_text() == "These charts need JavaScript."
        assert not seen.page.locator("#explore figure").first.is_visible()


def test_print_leaves_the_charts_out_and_does_not_unpack_them(
    browser: Browser, folder: Path
) -> None:
    with visit(browser, page_of("mixed"), folder) as seen:
        seen.page.pdf()
        assert seen.page.evaluate("typeof Plotly") == "undefined"
