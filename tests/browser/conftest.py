"""One Chromium for the whole session, and the audits as pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llm_audit.report import Result, write_html
from tests.browser import audits
from tests.browser.visits import chromium
from tests.report import tables

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by playwright; skips where it is not installed, except in CI."""
    with chromium() as browser:
        if browser is None:
            assert "CI" not in os.environ, "CI has to install chromium: .ci/run"
            pytest.skip("chromium is not installed")
        yield browser


@cache
def result_of(name: str) -> Result:
    """An audit by name, made once."""
    if name == "many":
        return audits.many(result_of("mixed"))
    fill, project = {
        "mixed": (tables.mixed_audit, False),
        "one day": (tables.one_day_on_sonnet_4, False),
        "one day projected": (tables.one_day_on_sonnet_4, True),
        "empty": (audits.nothing, False),
        "all unpriced": (audits.all_unpriced, False),
        "hostile": (audits.hostile, False),
        "migrated": (audits.migrated, False),
    }[name]
    return audits.made(fill, project=project)


@cache
def page_of(name: str) -> str:
    """An audit's page by the audit's name; a name that ends in ', static' is for e-mail."""
    audit, static, _ = name.partition(", static")
    return write_html(result_of(audit), static=True) if static else write_html(result_of(audit))


@pytest.fixture
def mixed() -> Result:
    return result_of("mixed")


@pytest.fixture(scope="session")
def many_html() -> str:
    return page_of("many")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
