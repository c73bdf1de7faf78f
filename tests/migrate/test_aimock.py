"""A second opinion on the wire: our drivers against `@copilotkit/aimock`, which others wrote.

It has OpenAI's Files and Batches; Anthropic's Message Batches it does not serve. It runs where the
npm package is installed, or where AIMOCK=1 allows npm to fetch it into a folder of the test's:

    AIMOCK=1 pytest tests/migrate/test_aimock.py
    AIMOCK=/path/to/folder pytest ...      # which has node_modules/@copilotkit/aimock

What it does not check our own fake does: duplicate ids, mixed models, limits, partial expiry.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llm_audit.migrate import run
from llm_audit.migrate.context import Context, Policy
from llm_audit.migrate.ledger import open_ledger
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from llm_audit.migrate.openai import OpenAIDriver
from llm_audit.migrate.vendor import Rejected, Reply
from tests.migrate.engine import book, states

PACKAGE = "@copilotkit/aimock@1.43.0"
PROGRAM = Path("node_modules", "@copilotkit", "aimock", "dist", "cli.js")
KEY = "sk-aimock-0123456789"


@dataclass
class Clock:
    """Nothing here takes time: what is slept has passed. It begins at aimock's own time."""

    at: float = field(default_factory=time.time)
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept.append(seconds)
        assert len(self.slept) < 200, "it waits for ever"


@dataclass(frozen=True)
class Aimock:
    """The server, and what it has heard."""

    port: int

    def call(self, method: str, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            text = reply.read()
        finally:
            connection.close()
        assert reply.status == 200, text
        return json.loads(text)

    def journal(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.call("GET", "/__aimock/journal")
        return entries

    def heard(self, method: str, path: str) -> list[dict[str, Any]]:
        return [
            each
            for each in self.journal()
            if each["method"] == method and each["path"].partition("?")[0] == path
        ]


def installed(folder: Path) -> Path:
    """Where aimock's program is; skips the test, with the reason, where it cannot be had."""
    if shutil.which("node") is None:
        pytest.skip("aimock needs node, which is not here")
    asked = os.environ.get("AIMOCK", "")
    places = [Path(asked)] if asked not in ("", "0", "1") else []
    for place in (*places, *_global()):
        if (place / PROGRAM).exists():
            return place / PROGRAM
    if asked != "1":
        pytest.skip("aimock is not installed; AIMOCK=1 lets npm fetch it into a temporary folder")
    if shutil.which("npm") is None:
        pytest.skip("aimock is not installed, and neither is npm")
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--fetch-retries=0"]
    try:
        done = subprocess.run(
            ["npm", "install", "--prefix", str(folder), *options, PACKAGE],
            cwd=folder, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not fetch aimock in three minutes")
    if done.returncode != 0:
        pytest.skip(f"npm could not fetch aimock: {done.stderr.strip().partition(chr(10))[0]}")
    return folder / PROGRAM


def _global() -> list[Path]:
    """Where npm keeps what is installed for all."""
    if shutil.which("npm") is None:
        return []
    done = subprocess.run(
        ["npm", "root", "--global"], capture_output=True, text=True, timeout=30, check=False
    )
    return [Path(done.stdout.strip()).parent] if done.returncode == 0 else []


@contextmanager
def serving(program: Path, folder: Path, *options: str) -> Iterator[Aimock]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    fixtures = folder / "fixtures"
    fixtures.mkdir(exist_ok=True)
    (fixtures / "none.json").write_text('{"fixtures": []}')
    command = ["node", str(program), "-h", "127.0.0.1", "-p", str(port), "-f", str(fixtures)]
    command += options
    log = folder / "log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=folder, stdout=out, stderr=out) as process,
    ):
        try:
            until = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    said = log.read_text(encoding="utf-8", errors="replace")
                    assert process.poll() is None, said
                    assert time.monotonic() < until, said
                    time.sleep(0.05)
            yield Aimock(port)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("npm"))


@pytest.fixture(scope="module")
def server(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    with serving(program, tmp_path_factory.mktemp("aimock")) as aimock:
        yield aimock


@pytest.fixture
def aimock(server: Aimock) -> Aimock:
    """It has forgotten what was before."""
    server.call("POST", "/__aimock/reset")
    return server


@pytest.fixture
def driver(aimock: Aimock, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIDriver]:
    with driving(aimock, monkeypatch) as made:
        yield made


@contextmanager
def driving(aimock: Aimock, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIDriver]:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{aimock.port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    made = OpenAIDriver()
    try:
        yield made
    finally:
        made.close()


@contextmanager
def opened(folder: Path, driver: OpenAIDriver, policy: Policy | None = None) -> Iterator[Context]:
    with open_ledger(folder) as ledger:
        yield Context(ledger, lambda _: driver, Clock(), policy or Policy())


def test_a_migration(aimock: Aimock, driver: OpenAIDriver, tmp_path: Path) -> None:
    """A canary and two batches: uploaded, created once each, polled, collected, cleaned."""
    book(tmp_path, Vendor.OPENAI, (2, 3, 4))
    with opened(tmp_path, driver) as context:
        run.drive(context)
        shards = context.ledger.shards()
    assert states(tmp_path) == {RequestState.SUCCEEDED: 9}
    assert {shard.state for shard in shards} == {ShardState.CLEANED}
    assert len(aimock.heard("POST", "/v1/batches")) == 3
    assert len(aimock.heard("POST", "/v1/files")) == 3
    answers = [p for p in (tmp_path / "run1" / "results").iterdir() if p.suffix == ".jsonl"]
    assert sum(path.read_bytes().count(b"\n") for path in answers) == 9


def test_a_lost_confirmation_is_found_in_its_list(
    aimock: Aimock, driver: OpenAIDriver, tmp_path: Path
) -> None:
    """The process ended behind the POST: the list shows our metadata, nothing is sent again."""
    book(tmp_path, Vendor.OPENAI, (3,))
    with opened(tmp_path, driver) as context:
        [shard] = context.ledger.shards()
        while shard.state is not ShardState.UPLOADED:
            run.STEPS[shard.state](context, shard)
            [shard] = context.ledger.shards()
        assert isinstance(driver.create(shard), Reply)
        context.ledger.move(shard, state=ShardState.SUBMITTING, submit_started_at=context.now())
    with opened(tmp_path, driver) as context:
        run.drive(context)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert len(aimock.heard("POST", "/v1/batches")) == 1


def test_cancel_and_what_is_not_there(aimock: Aimock, driver: OpenAIDriver, tmp_path: Path) -> None:
    book(tmp_path, Vendor.OPENAI, (3,))
    with opened(tmp_path, driver) as context:
        while not (shard := context.ledger.shards()[0]).batch_id:
            run.STEPS[shard.state](context, shard)
        run.cancel(context, ["run1"])
        run.drive(context)
        [shard] = context.ledger.shards()
    assert len(aimock.heard("POST", f"/v1/batches/{shard.batch_id}/cancel")) == 1
    assert RequestState.IN_FLIGHT not in states(tmp_path)
    missing = driver.retrieve("batch_none")
    assert isinstance(missing, Rejected)
    assert missing.status == 404
    assert isinstance(driver.download("file-none", tmp_path / "part"), Rejected)


@pytest.mark.parametrize("number", range(3))
def test_its_chaos(
    number: int, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs up, limits, fails and talks nonsense of its own accord, and undrawn by a seed."""
    chaos = {"disconnect": 0.15, "ratelimit": 0.1, "drop": 0.1, "malformed": 0.1}
    options = [part for name, rate in chaos.items() for part in (f"--chaos-{name}", str(rate))]
    book(tmp_path / "ledger", Vendor.OPENAI, (2, 3, 4))
    with (
        serving(program, tmp_path, *options) as aimock,
        driving(aimock, monkeypatch) as driver,
        opened(tmp_path / "ledger", driver, Policy(resend_unknown=True)) as context,
    ):
        for _ in range(12):  # the leave to send again is for what is unknown when it is given
            run.reopen(context)
            run.drive(context)
            if states(tmp_path / "ledger") == {RequestState.SUCCEEDED: 9}:
                break
        assert any(each["response"].get("chaosAction") for each in aimock.journal())
        made = [
            each
            for each in aimock.heard("POST", "/v1/batches")
            if each["response"]["status"] == 200 and not each["response"].get("chaosAction")
        ]
    assert states(tmp_path / "ledger") == {RequestState.SUCCEEDED: 9}
    assert len(made) == 3
