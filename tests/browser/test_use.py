"""What the page does when it is used: sort, filter, link, switch, copy, keys, print, no script."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llm_audit.report import Result
from llm_audit.report.result import Workload
from tests.browser.conftest import page_of
from tests.browser.visits import Visit, opened, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

SORTED_BY: dict[str, Callable[[Workload], Any]] = {
    "workload": lambda w: (w.caller or "(no caller)").lower(),
    "confidence": lambda w: w.confidence,
    "calls": lambda w: w.calls,
    "tokens": lambda w: w.activity.input_tokens + w.activity.output_tokens,
    "spend": lambda w: w.effective_cost,
    "saving": lambda w: w.saving_conservative if w.label != "realtime" else 0,
    "latency": lambda w: w.activity.duration_p50_ms,
    "streams": lambda w: w.activity.streaming_share,
}
"""The value that a column sorts by; what is unknown counts as less than everything."""


def test_every_column_sorts_by_its_value(browser: Browser, tmp_path: Path, mixed: Result) -> None:
    of_row = {f"{w.workload_id}-{w.label}": w for w in mixed.workloads}
    with visit(browser, page_of("mixed"), tmp_path) as seen:
        headers = seen.page.locator("#workload-table th[data-sort]")
        names = headers.evaluate_all("found => found.map(header => header.dataset.sort)")
        assert set(names) > set(SORTED_BY)
        for name in names:
            header = seen.page.locator(f"#workload-table th[data-sort={name}]")
            orders = []
            for _ in range(2):
                header.locator("button").click()
                found = seen.page.locator("#workload-table th[aria-sort]")
                assert found.evaluate_all("f => f.map(h => h.dataset.sort)") == [name]
                direction = header.get_attribute("aria-sort")
                rows = _rows(seen)
                assert set(rows) == set(of_row)
                orders.append(direction)
                if name in SORTED_BY:
                    values = [SORTED_BY[name](of_row[row]) for row in rows]
                    keys = [
                        (value is not None, value or 0 if name != "workload" else value)
                        for value in values
                    ]
                    assert keys == sorted(keys, reverse=direction == "descending"), name
            assert set(orders) == {"ascending", "descending"}


def test_filter_counts_and_tells(browser: Browser, tmp_path: Path) -> None:
    with visit(browser, page_of("mixed"), tmp_path) as seen:
        page, count = seen.page, seen.page.locator("#workload-count")
        assert count.get_attribute("role") == "status"
        page.locator("#workload-find").fill("nightly")
        assert (len(_rows(seen)), count.inner_text()) == (1, "1 of 6 shown")
        page.keyboard.press("Escape")
        assert count.inner_text() == "6 of 6 shown"
        page.locator("#workload-show").select_option("gray_area")
        assert (len(_rows(seen)), count.inner_text()) == (2, "2 of 6 shown")
        page.locator("#workload-find").fill("no such caller")
        assert page.locator("#workload-none").is_visible()
        assert count.inner_text() == "0 of 6 shown"
        page.locator("#workload-reset").click()
        assert (len(_rows(seen)), count.inner_text()) == (6, "6 of 6 shown")
        assert page.locator("#workload-reset").is_hidden()


def test_the_address_holds_the_view(browser: Browser, tmp_path: Path, mixed: Result) -> None:
    """From the address to the page, and back again where a server sends it."""
    asked = "?sort=calls&dir=ascending&show=gray_area&find=webhook"
    with visit(browser, page_of("mixed"), tmp_path, after=asked) as seen:
        assert seen.page.locator("#workload-count").inner_text() == "1 of 6 shown"
        header = seen.page.locator("#workload-table th[aria-sort]")
        assert header.get_attribute("data-sort") == "calls"
        assert header.get_attribute("aria-sort") == "ascending"
    nonsense = (
        "?sort=constructor&dir=up&show=%3Cimg%3E&find=%22%3E%3Cimg%20src=x%20onerror=alert(1)"
    )
    with visit(browser, page_of("mixed"), tmp_path, after=nonsense) as seen:
        assert seen.page.locator("#workload-table th[aria-sort]").count() == 0
        assert seen.page.locator("img").count() == 0
    holder = browser.new_context()
    try:
        page = holder.new_page()

        def serve(route: Route) -> None:
            route.fulfill(body=page_of("mixed"), content_type="text/html; charset=utf-8")

        page.route("http://report.test/**", serve)
        page.goto("http://report.test/savings.html")
        page.locator("th[data-sort=spend] button").click()
        page.locator("#workload-show").select_option("realtime")
        page.locator("#workload-find").fill("chat front")
        assert page.evaluate("location.search") == "?sort=spend&show=realtime&find=chat+front"
        shown = page.locator("#workload-count").inner_text()
        page.reload()
        assert page.locator("#workload-count").inner_text() == shown
    finally:
        holder.close()


def test_a_link_opens_its_workload_even_if_filtered_away(
    browser: Browser, tmp_path: Path, mixed: Result
) -> None:
    workload = mixed.workloads[2]
    anchor = f"{workload.workload_id}-{workload.label}"
    for query in ("", "?find=nothing-like-it"):
        with visit(browser, page_of("mixed"), tmp_path, after=f"{query}#{anchor}") as seen:
            fold = seen.page.locator(f"#{anchor} details").first
            assert fold.evaluate("part => part.open")
            assert fold.locator("summary").first.inner_text() == f"Why: {workload.note}"
            assert _in_sight(seen, f"#{anchor}")
    with visit(browser, page_of("mixed"), tmp_path) as seen:
        assert seen.page.evaluate(_LEADS_NOWHERE) == []
    # A fragment that is no target, or no fragment at all, does nothing.
    for odd in ("#nowhere", "#%E0%A4%A", "#%22%3E"):
        with visit(browser, page_of("mixed"), tmp_path, after=odd):
            pass


def test_a_theme_is_kept(browser: Browser, tmp_path: Path) -> None:
    with visit(browser, page_of("mixed"), tmp_path, color_scheme="light") as seen:
        page, button = seen.page, seen.page.locator("#theme")
        seen_themes = []
        for _ in range(3):
            button.click()
            seen_themes.append((button.inner_text().split()[-1], _ground(seen)))
        names, grounds = zip(*seen_themes, strict=True)
        assert names == ("light", "dark", "auto")
        assert grounds[0] == grounds[2] != grounds[1]
        button.click()
        button.click()
        page.reload()
        assert (button.inner_text().split()[-1], _ground(seen)) == ("dark", grounds[1])
        assert "dark" in (button.get_attribute("aria-label") or "")
        page.emulate_media(media="print")
        assert _ground(seen) == "rgb(255, 255, 255)"
        seen.requests.pop()  # the reload


def test_the_page_works_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    with visit(browser, page_of("mixed"), tmp_path, reduced_motion="reduce") as seen:
        page = seen.page
        stops: list[dict[str, Any]] = []
        for _ in range(400):
            page.keyboard.press("Tab")
            stop = page.evaluate(_FOCUS)
            if stop["name"] == "BODY" or (stops and stop == stops[0]):
                break
            stops.append(stop)
        assert stops[0]["name"] == "A.skip"
        assert [stop for stop in stops if not stop["outlined"]] == []
        assert len(stops) == page.evaluate(_REACHABLE)
        assert [stop["place"] for stop in stops] == sorted(stop["place"] for stop in stops)

        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "workload-find"
        page.keyboard.type("?/")
        assert page.locator("#workload-find").input_value() == "?/"
        assert page.locator("#keys").is_hidden()
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        assert page.locator("#keys").is_visible()
        assert seen.axe() == []
        page.keyboard.press("Escape")
        assert page.locator("#keys").is_hidden()

        header = page.locator("th[data-sort=calls]")
        header.locator("button").focus()
        page.keyboard.press("Enter")
        assert header.get_attribute("aria-sort") == "descending"
        page.keyboard.press("Space")
        assert header.get_attribute("aria-sort") == "ascending"
        fold = page.locator("#workload-table details").first
        fold.locator("summary").first.focus()
        page.keyboard.press("Enter")
        assert fold.evaluate("part => part.open")


def test_keys_can_be_switched_off(browser: Browser, tmp_path: Path) -> None:
    """WCAG 2.1.4: who speaks to the computer may say a slash without meaning it."""
    with visit(browser, page_of("mixed"), tmp_path) as seen:
        page = seen.page
        page.locator("#keys-open").click()
        page.locator("#keys-on").uncheck()
        page.locator("#keys-close").click()
        page.keyboard.press("?")
        page.keyboard.press("/")
        assert page.locator("#keys").is_hidden()
        assert page.evaluate("document.activeElement.id") != "workload-find"


def test_copy_gives_the_lines_to_paste(browser: Browser, tmp_path: Path) -> None:
    with visit(
        browser, page_of("mixed"), tmp_path, permissions=["clipboard-read", "clipboard-write"]
    ) as seen:
        button = seen.page.locator("button.copy").first
        code = button.locator("xpath=..").locator("code").inner_text()
        button.click()
        seen.page.wait_for_function("() => document.querySelector('.copy').textContent !== 'Copy'")
        assert button.inner_text() == "Copied"
        copied = seen.page.evaluate("navigator.clipboard.readText()")
        assert copied == code
        assert tomllib.loads(copied)["override"]


def test_paper_shows_everything(browser: Browser, tmp_path: Path) -> None:
    with visit(browser, page_of("mixed"), tmp_path, color_scheme="dark") as seen:
        page = seen.page
        page.emulate_media(media="print")
        for control in ("button", "input", "select", "nav", "dialog", ".skip"):
            shown = page.locator(control).evaluate_all(
                "found => found.filter(e => e.checkVisibility() && !e.closest('th'))"
                ".map(e => e.outerHTML)"
            )
            assert shown == [], control
        folded = page.locator("main details").evaluate_all(
            "found => found.filter(d => !d.closest('#explore')).map(d => "
            "[...d.children].filter(e => e.localName !== 'summary')"
            ".reduce((sum, e) => sum + e.getBoundingClientRect().height, 0))"
        )
        assert folded
        assert min(folded) > 0
        printed = page.pdf(format="A4", print_background=True)
        assert printed.startswith(b"%PDF")
        assert printed.count(b"/Type /Page\n") > 3
        page.emulate_media(media="screen")
        assert page.locator("main details[open]").count() == 0


@pytest.mark.parametrize("name", ["mixed", "hostile", "mixed, static"])
def test_paper_cuts_nothing_off(browser: Browser, tmp_path: Path, name: str) -> None:
    """A4 between the margins is 718 CSS pixels wide, and cannot be scrolled.

    There each cell of the workload table says itself what its column's head says.
    """
    with visit(browser, page_of(name), tmp_path, width=718) as seen:
        seen.page.emulate_media(media="print")
        assert seen.sticks_out() == []
        hidden = seen.page.evaluate(
            "() => [...document.querySelectorAll('main :is(td, th, dd, li, p)')]"
            ".filter(e => !e.closest('#explore, dialog, [hidden], #workload-table > thead')"
            " && !e.checkVisibility({ contentVisibilityAuto: true }))"
            ".map(e => e.textContent)"
        )
        assert hidden == []


@pytest.mark.parametrize("name", ["mixed", "mixed, static"])
def test_the_page_is_whole_without_script(browser: Browser, tmp_path: Path, name: str) -> None:
    with visit(browser, page_of(name), tmp_path, java_script_enabled=False) as seen:
        page = seen.page
        headings = page.locator("main h2").all_inner_texts()
        assert len(headings) >= 11
        assert all(heading.is_visible() for heading in page.locator("main section h2").all())
        for control in ("button", "input", "select", "dialog"):
            assert [one for one in page.locator(control).all() if one.is_visible()] == []
        fold = page.locator("#workload-table details").first
        fold.locator("summary").first.click()
        assert fold.locator(".because").first.is_visible()
        assert page.locator("h1 data").count() > 0
        if name.endswith("static"):
            assert page.locator("script").count() == 0


def test_a_changed_script_does_not_run(browser: Browser, tmp_path: Path) -> None:
    """The control: the policy is in force, and a visit would see a violation of it."""
    file = tmp_path / "savings.html"
    file.write_text(page_of("mixed").replace('"use strict";', '"use strict"; '), encoding="utf-8")
    with opened(browser, file.as_uri() + "?sort=calls") as seen:
        assert any("Content Security Policy" in message for message in seen.noticed)
        assert seen.page.locator("th[aria-sort]").count() == 0
    file.write_text(
        page_of("mixed").replace("</main>", '<img src="https://example.org/x.png"></main>'),
        encoding="utf-8",
    )
    with opened(browser, file.as_uri()) as seen:
        assert any("Content Security Policy" in message for message in seen.noticed)


_LEADS_NOWHERE = """async () => {
  const nowhere = [];
  for (const link of document.querySelectorAll("a[href]")) {
    link.click();
    await new Promise((done) => setTimeout(done, 10));
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    const shown = target && target.checkVisibility({ contentVisibilityAuto: true });
    if (!shown) nowhere.push(link.outerHTML);
  }
  return nowhere;
}"""

_FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  return {
    name: `${at.tagName}.${at.className}`.replace(/\\.$/, ""),
    place: [...document.querySelectorAll("*")].indexOf(at),
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  };
}"""

_REACHABLE = """() => [...document.querySelectorAll(
  "a[href], button, input, select, summary, [tabindex='0']",
)].filter((e) => e.checkVisibility({ contentVisibilityAuto: true })).length"""


def _rows(seen: Visit) -> list[str]:
    """Ids of the rows in sight, in their order."""
    found: list[str] = seen.page.locator("#workload-table > tbody:visible").evaluate_all(
        "bodies => bodies.map(body => body.id)"
    )
    return found


def _ground(seen: Visit) -> str:
    colour: str = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def _in_sight(seen: Visit, selector: str) -> bool:
    """Whether its top is inside the window, once any smooth scrolling is over."""
    seen.page.wait_for_function(
        "s => { const top = document.querySelector(s).getBoundingClientRect().top;"
        " return top >= 0 && top < innerHeight; }",
        arg=selector,
        timeout=5000,
    )
    return True
