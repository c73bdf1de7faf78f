"""One fake for the tests of a module; each begins with an empty state."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.migrate.fake.process import FakeProcess, running_fake
from tests.migrate.fake.scenario import Json


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProcess]:
    with running_fake(tmp_path_factory.mktemp("fake")) as fake:
        yield fake


@pytest.fixture
def fake(process: FakeProcess) -> FakeProcess:
    process.play()
    return process


def chat(marker: str, **more: object) -> Json:
    """A chat body with a marker."""
    messages = [{"role": "user", "content": f"Say [[{marker}]]"}]
    return {"model": "gpt-4o-mini", "messages": messages, "max_tokens": 20} | more


def jsonl(*lines: object) -> bytes:
    """A request file; text goes in as it is."""
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    return "".join(text + "\n" for text in texts).encode()


def request(n: int, url: str = "/v1/chat/completions", **body: object) -> Json:
    """One line of a request file."""
    return {"custom_id": f"la-{n}", "method": "POST", "url": url, "body": chat(f"q{n}", **body)}


def params(marker: str, **more: object) -> Json:
    """A message's parameters with a marker."""
    messages = [{"role": "user", "content": f"Say [[{marker}]]"}]
    return {"model": "claude-haiku-4-5", "max_tokens": 20, "messages": messages} | more
