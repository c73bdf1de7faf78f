"""Everybody can read the page: axe finds nothing, in either theme, on a desk or on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import page_of
from tests.browser.visits import AXE_PAINTED, NARROW, NARROWEST, WIDE, Visit, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

AUDITS = (
    "mixed",
    "one day",
    "empty",
    "all unpriced",
    "hostile",
    "migrated",
    "many",
    "many, static",
)

_FAINT_IN_DRAWINGS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => channels(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let part = element; part; part = part.parentElement) {
      const colour = getComputedStyle(part).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("svg text")].filter((text) => !text.closest(".bar"))
    .map((text) => {
      const [a, b] = [light(getComputedStyle(text).fill), light(behind(text))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return [ratio, `${ratio.toFixed(2)}: ${text.textContent}`];
    })
    .filter(([ratio]) => ratio < 4.5).map(([, words]) => words).slice(0, 8);
}"""
"""axe cannot judge the contrast of text in a drawing; bars have their own colours on purpose."""


@pytest.mark.parametrize("name", AUDITS)
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, name: str) -> None:
    with visit(browser, page_of(name), tmp_path, color_scheme="light") as seen:
        seen.unfold()
        assert _faint(seen) == []
        seen.shorten()
        assert seen.axe() == []
    with visit(browser, page_of(name), tmp_path, color_scheme="dark", width=NARROW) as seen:
        seen.unfold()
        assert _faint(seen) == []
        seen.shorten()
        assert seen.axe(*AXE_PAINTED) == []
        if name != "many":
            seen.page.emulate_media(color_scheme="light")
            assert _faint(seen) == []
            assert seen.axe(*AXE_PAINTED) == []


def test_a_theme_chosen_by_hand_is_that_of_the_system(browser: Browser, tmp_path: Path) -> None:
    """So what axe says of a dark system holds for a dark page on a light one, and the reverse."""
    with visit(browser, page_of("mixed"), tmp_path, color_scheme="light") as seen:
        light = seen.colours()
        _choose(seen, "dark")
        chosen_dark = seen.colours()
        seen.page.emulate_media(color_scheme="dark")
        _choose(seen, "auto")
        assert seen.colours() == chosen_dark != light
        _choose(seen, "light")
        assert seen.colours() == light


@pytest.mark.parametrize("name", AUDITS)
def test_no_page_scrolls_sideways(browser: Browser, tmp_path: Path, name: str) -> None:
    with visit(browser, page_of(name), tmp_path) as seen:
        seen.unfold()
        found: dict[str, list[str]] = {}
        widths = (WIDE, 1024, 720, NARROW, NARROWEST)
        for width in widths if name != "many" else (WIDE, NARROWEST):
            _resize(seen, width)
            found[f"{width}"] = seen.sticks_out()
        # Text alone at 200 % (WCAG 1.4.4); 1440 at 200 % zoom is 720 above (WCAG 1.4.10).
        seen.page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
        for width in (1280, NARROW) if name != "many" else ():
            _resize(seen, width)
            found[f"{width}, text at 200 %"] = seen.sticks_out()
        assert not any(found.values()), found


def test_wider_spacing_of_text_cuts_nothing_off(browser: Browser, tmp_path: Path) -> None:
    """The spacing that WCAG 1.4.12 lets a reader ask for."""
    with visit(browser, page_of("mixed"), tmp_path, width=NARROW) as seen:
        seen.unfold()
        seen.page.evaluate(
            "() => { const sheet = new CSSStyleSheet(); sheet.replaceSync('* { line-height: 1.5 "
            "!important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }');"
            "document.adoptedStyleSheets = [sheet]; }"
        )
        assert seen.sticks_out() == []
        cut = seen.page.evaluate(
            "() => [...document.querySelectorAll('h1, h2, h3, h4, p, dd, summary, button, .tag')]"
            ".filter(e => getComputedStyle(e).overflow !== 'visible'"
            " && e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
        )
        assert cut == []


def test_system_colours_and_calm(browser: Browser, tmp_path: Path) -> None:
    """Forced colours keep words and drawings apart from the ground; nothing moves if unwanted."""
    with visit(
        browser, page_of("mixed"), tmp_path, forced_colors="active", reduced_motion="reduce"
    ) as seen:
        seen.unfold()
        assert _faint(seen) == []
        page = seen.page
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
        assert page.evaluate("document.getAnimations().length") == 0
        plain = page.evaluate(
            "() => [...document.querySelectorAll('.bar [class^=fill-], .range [class^=fill-]')]"
            ".filter(e => getComputedStyle(e).fill === getComputedStyle(document.body)"
            ".backgroundColor).length"
        )
        assert plain == 0


def _resize(seen: Visit, width: int) -> None:
    seen.page.set_viewport_size({"width": width, "height": 900})


def _choose(seen: Visit, theme: str) -> None:
    """Press the button until it names the theme; it says so itself, hence the same words after."""
    button = seen.page.locator("#theme")
    for _ in range(3):
        if theme in button.inner_text():
            return
        button.click()
    raise AssertionError(f"the button never says {theme}")


def _faint(seen: Visit) -> list[str]:
    """Text in drawings that is too close to its background; plotly takes a moment to redraw."""
    for _ in range(40):
        found: list[str] = seen.page.evaluate(_FAINT_IN_DRAWINGS)
        if not found:
            break
        seen.page.wait_for_timeout(250)
    return found
