"""One visit to a page of the report, with everything the browser noticed on the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage")

WIDE, NARROW, NARROWEST = 1440, 390, 320
"""Widths in CSS pixels: a desktop, a phone, and the least that WCAG 1.4.10 asks for."""

AXE_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
AXE_PAINTED = ("color-contrast", "target-size", "scrollable-region-focusable")
"""The rules whose verdict depends on colours or on the width of the window."""

_AXE = """(only) => axe.run(
  { runOnly: only, resultTypes: ["violations"], preload: false, elementRef: false },
).then((result) => result.violations)"""

_SAME_AGAIN = "#workload-table tbody:nth-of-type(n+26), #realtime tbody tr:nth-of-type(n+26)"

_COLOURS = """() => [...document.querySelectorAll("body *")].map((element) => {
  const style = getComputedStyle(element);
  return [style.color, style.backgroundColor, style.borderTopColor, style.fill, style.stroke];
}).join()"""

_UNFOLD = "() => document.querySelectorAll('details').forEach((part) => { part.open = true; })"

_STICKS_OUT = """() => {
  const room = innerWidth, root = document.scrollingElement;
  if (root.scrollWidth <= room) return [];
  const wide = [...document.querySelectorAll("body *")]
    .filter((e) => !e.closest(".scroll > *, svg *")
      && e.getBoundingClientRect().left + Math.max(e.scrollWidth, e.clientWidth) > room + 1)
    .map((e) => `${e.localName}.${e.getAttribute("class")} ${e.textContent.trim().slice(0, 40)}`);
  return [`the page is ${root.scrollWidth} wide, its window ${room}`, ...wide.slice(0, 12)];
}"""


@dataclass
class Visit:
    """An open page. noticed: console messages, errors, dialogs; requests: every URL asked for."""

    page: Page
    address: str
    noticed: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def axe(self, *rules: str) -> list[str]:
        """What axe finds: the rule, its help, the elements. All of `AXE_TAGS`, or rules by name.

        `evaluate` talks to the browser, not to the page, so the page's own policy stays in force.
        """
        if not self.page.evaluate("() => 'axe' in window"):
            from axe_playwright_python.base import AXE_SCRIPT

            self.page.evaluate(AXE_SCRIPT)
        only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": AXE_TAGS}
        return [_words(violation) for violation in self.page.evaluate(_AXE, only)]

    def unfold(self) -> None:
        """Open every folded part, as a patient reader would, and wait for what draws itself."""
        self.page.evaluate(_UNFOLD)
        if self.page.locator("#explore-status").count():
            self.page.wait_for_function(
                "() => document.getElementById('explore-status').textContent === ''"
            )

    def shorten(self) -> None:
        """Take rows 26 and on off the page: their template is that of the first 25, and axe
        needs a minute for 500. Links to them lead nowhere from then on.
        """
        self.page.evaluate(
            "(rows) => document.querySelectorAll(rows).forEach((row) => row.remove())", _SAME_AGAIN
        )

    def colours(self) -> str:
        """The colours of every element, as they are painted, with nothing pointed at."""
        self.page.mouse.move(0, 0)
        self.page.evaluate("document.activeElement.blur()")
        found: str = self.page.evaluate(_COLOURS)
        return found

    def sticks_out(self) -> list[str]:
        """What makes the page scroll sideways; empty if nothing does."""
        found: list[str] = self.page.evaluate(_STICKS_OUT)
        return found

    def check(self) -> None:
        """Nothing was said, nothing opened, and only the page itself was asked for."""
        assert self.noticed == []
        assert self.requests == [self.address]


def _words(violation: dict[str, Any]) -> str:
    nodes = violation["nodes"]
    shown = [f"    {node['html'][:160]}\n      {node['failureSummary']}" for node in nodes[:4]]
    return "\n".join([f"{violation['id']}: {violation['help']} ({len(nodes)})", *shown])


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """The Chromium of this machine, headless; None where none is installed."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(SWITCHES))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(
    browser: Browser, html: str, folder: Path, *, after: str = "", **context: Any
) -> Iterator[Visit]:
    """Open `html` as a local file; `after` is its query and fragment. Checked when it is left."""
    file = folder / "savings.html"
    file.write_text(html, encoding="utf-8")
    with opened(browser, file.as_uri() + after, **context) as seen:
        yield seen
        seen.check()


@contextmanager
def opened(
    browser: Browser, address: str, *, width: int = WIDE, height: int = 900, **context: Any
) -> Iterator[Visit]:
    """The same for an address, unchecked: for pages that are meant to be stopped."""
    holder = browser.new_context(viewport={"width": width, "height": height}, **context)
    try:
        page = holder.new_page()
        seen = Visit(page, address.partition("#")[0])
        _listen(page, seen)
        page.goto(address)
        yield seen
    finally:
        holder.close()


def _listen(page: Page, seen: Visit) -> None:
    def answer(dialog: Any) -> None:
        seen.noticed.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", answer)
    page.on("console", lambda message: seen.noticed.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: seen.noticed.append(f"error: {error}"))
    page.on("popup", lambda popup: seen.noticed.append(f"popup: {popup.url}"))
    page.on("download", lambda download: seen.noticed.append(f"download: {download.url}"))
    page.on("request", lambda request: seen.requests.append(request.url.partition("#")[0]))
