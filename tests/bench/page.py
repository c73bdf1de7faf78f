"""Seconds until the page of 500 workloads can be read in Chromium: `python -m tests.bench.page`.

Measured by the browser's own clock from the start of the navigation: when it first paints text
(first contentful paint, which the headline is part of), when the headline and the tiles stand
painted where a reader sees them (largest contentful paint above the fold), and when the whole
document is ready. Medians of some visits, each with a fresh profile.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.run import Figure, table

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LIMIT_S = 1.0
WORKLOADS = 500

_TIMES = """async () => {
  const largest = await new Promise((done) => {
    new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
      .observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(() => done(NaN), 3000);
  });
  const [load] = performance.getEntriesByType("navigation");
  return {
    first: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    largest,
    ready: load.domContentLoadedEventEnd,
    complete: load.loadEventEnd,
    elements: document.querySelectorAll("*").length,
    inSight: [...document.querySelectorAll("h1, .tiles li")]
      .every((element) => element.getBoundingClientRect().top < innerHeight),
  };
}"""


def measure(visits: int = 5) -> list[Figure]:
    """The medians; values are None where Chromium is not installed."""
    from llm_audit.report import write_html
    from tests.browser.audits import made, many
    from tests.browser.visits import chromium
    from tests.report.tables import mixed_audit

    html = write_html(many(made(mixed_audit), WORKLOADS))
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        file = Path(folder, "savings.html")
        file.write_text(html, encoding="utf-8")
        found = [visit(browser, file.as_uri()) for _ in range(visits)] if browser else []

    def seconds(name: str) -> float | None:
        return median(times[name] for times in found) / 1000 if found else None

    return [
        Figure(f"page of {WORKLOADS} workloads: first paint", seconds("first"), "s", LIMIT_S),
        Figure("  headline and tiles painted", seconds("largest"), "s", LIMIT_S),
        Figure("  document ready, rows sortable", seconds("ready"), "s"),
        Figure("  fully loaded", seconds("complete"), "s"),
        Figure("  elements", found[0]["elements"] if found else None, ""),
        Figure("  size", len(html.encode()) / 1e6, "MB", 4.0),
    ]


def visit(browser: Browser, address: str) -> dict[str, float]:
    """The times of one visit, milliseconds."""
    holder = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = holder.new_page()
        page.goto(address)
        times: dict[str, float] = page.evaluate(_TIMES)
        assert times["inSight"], "the first screen does not hold the headline and the tiles"
        return times
    finally:
        holder.close()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Seconds until the page can be read.")
    parser.add_argument("--visits", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    figures = measure(options.visits)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
