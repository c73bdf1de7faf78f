"""Start, steer and stop the fake from a test."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.migrate.fake.journal import Journal
from tests.migrate.fake.scenario import Json
from tests.support import ROOT

FAKE_OPENAI_KEY = "sk-fake-0123456789-openai"
FAKE_ANTHROPIC_KEY = "sk-ant-fake-0123456789"


class FakeProcess:
    """A fake in a process of its own. It can be stopped and started again on the same state."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.journal = Journal(state)
        self.port = 0
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """On the port it had before, if it had one: clients keep their base URL."""
        command = [sys.executable, "-m", "tests.migrate.fake", "--until-eof"]
        command += ["--state", str(self.state), "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        """End it in an orderly way."""
        self.end("terminate")

    def kill(self) -> None:
        """SIGKILL: what it had committed is there when it starts again."""
        self.end("kill")

    def end(self, how: str) -> None:
        """Both, and the pipes with them."""
        if self.process is None:
            return
        getattr(self.process, how)()
        self.process.wait(timeout=10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process = None

    @property
    def url(self) -> str:
        """Its origin: Anthropic's base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        """OpenAI's base URL."""
        return f"{self.url}/v1"

    def environment(self) -> dict[str, str]:
        """What a client needs in its environment to come here."""
        return {
            "OPENAI_BASE_URL": self.openai_url,
            "OPENAI_API_KEY": FAKE_OPENAI_KEY,
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": FAKE_ANTHROPIC_KEY,
        }

    def control(self, **wish: Any) -> float:
        """`POST /_control`: reset, scenario, advance. The fake's clock; ValueError if refused."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/_control", json.dumps(wish))
            reply = connection.getresponse()
            data = json.loads(reply.read())
        finally:
            connection.close()
        if reply.status != 200:
            raise ValueError(data["error"])
        return float(data["now"])

    def play(self, scenario: Json | None = None) -> None:
        """Forget everything and take a scenario: one process serves many tests."""
        self.control(reset=True, scenario=scenario or {})


@contextmanager
def running_fake(state: Path, scenario: Json | None = None) -> Iterator[FakeProcess]:
    """A fake that is there while the block runs."""
    fake = FakeProcess(state)
    fake.start()
    try:
        if scenario is not None:
            fake.control(scenario=scenario)
        yield fake
    finally:
        fake.stop()
