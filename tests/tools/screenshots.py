"""Pictures of the report for a person to look at: `python -m tests.tools.screenshots FOLDER`.

Small (sample_logs/), large (500 workloads), empty and e-mail pages; at 1440 and 390 CSS pixels;
light and dark; folded as they open, and the small one unfolded too. A long page is cut into pieces
that can be looked at without scaling: NAME-WIDTH-THEME-PLACE.png.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit import cli
from llm_audit.report import Result, from_json, write_html
from tests.browser import audits
from tests.browser.visits import NARROW, WIDE, chromium, opened
from tests.support import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PIECE = 1800
MOST_PIECES = 9


def sample() -> Result:
    """The result of sample_logs/, as `make demo` has it."""
    with tempfile.TemporaryDirectory() as folder:
        database, out = f"{folder}/audit.duckdb", Path(folder, "run.json")
        cli.run(["--db", database, "ingest", str(ROOT / "sample_logs")])
        cli.run(["--db", database, "report", "--as-of", "2026-11-22", "--out", str(out)])
        return from_json(out.read_text(encoding="utf-8"))


def pages() -> Iterator[tuple[str, str, bool]]:
    """Name, page, whether to unfold it."""
    small = sample()
    yield "small", write_html(small), False
    yield "small-unfolded", write_html(small), True
    yield "large", write_html(audits.many(small)), False
    yield "empty", write_html(audits.made(audits.nothing)), False
    yield "unpriced", write_html(audits.made(audits.all_unpriced)), False
    yield "static", write_html(small, static=True), False


def picture(browser: Browser, html: str, folder: Path, name: str, *, unfold: bool) -> None:
    """All pieces of a page in both widths and themes."""
    file = folder / f"{name}.html"
    file.write_text(html, encoding="utf-8")
    for width in (WIDE, NARROW):
        for theme in ("light", "dark"):
            with opened(browser, file.as_uri(), width=width, color_scheme=theme) as seen:
                if unfold:
                    seen.unfold()
                height = seen.page.evaluate("document.documentElement.scrollHeight")
                seen.page.set_viewport_size({"width": width, "height": min(height, 30_000)})
                for place, top in enumerate(range(0, height, PIECE)[:MOST_PIECES]):
                    clip = {"x": 0, "y": top, "width": width, "height": min(PIECE, height - top)}
                    seen.page.screenshot(
                        path=folder / f"{name}-{width}-{theme}-{place}.png",
                        clip=clip,  # type: ignore[arg-type]
                    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Take pictures of the report.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", help="a page by name: small, large, empty, ...")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        if browser is None:
            print("chromium is not installed", file=sys.stderr)
            return 1
        for name, html, unfold in pages():
            if options.only in (None, name):
                picture(browser, html, options.folder, name, unfold=unfold)
                print(f"{name}: {len(html.encode()) / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
