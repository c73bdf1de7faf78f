"""Keys appear nowhere: not in the ledger, files, logs, errors or the process list.

Each test is a real `llm-audit migrate` as a process of its own, against the fake. While it runs,
the process list and every file it has are looked at again and again; in the end all files, all
tables, and what it printed. HOME and TMPDIR lie in the folder that is searched.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb
import pytest

from llm_audit.errors import ExitCode
from tests.migrate import logs
from tests.migrate.fake.journal import fingerprint
from tests.migrate.fake.process import FakeProcess, running_fake
from tests.support import ROOT

KEYS = {
    "OPENAI_API_KEY": "sk-proj-Zq7+vN2/wK9x~Hj4==oPenAiLeaks",
    "ANTHROPIC_API_KEY": "sk-ant-api03-Yt5+bM8/rD3c~Gf6==aNthroPicLeaks",
}
DEBUG_LOGS = {"OPENAI_LOG": "debug", "ANTHROPIC_LOG": "debug"}
PROC = Path("/proc")


def spellings(key: str) -> Iterator[bytes]:
    """A key, as it is and as it may be written: whole, and its secret half alone."""
    for text in (key, key[12:]):
        raw = text.encode()
        yield from (raw, raw[::-1], raw.hex().encode(), json.dumps(text)[1:-1].encode())
        yield from (raw.replace(b"/", b"\\/"), raw.decode().encode("utf-16-le"))
        yield from (quote(text, safe="").encode(), quote_plus(text).encode(), quote(text).encode())
        for before in range(3):  # base64 of a longer text has it at any of three alignments
            coded = base64.b64encode(b"\0" * before + raw)
            inner = coded[4 if before else 0 : -4]
            yield from (inner, inner.translate(bytes.maketrans(b"+/", b"-_")))


FORBIDDEN = frozenset(s for key in KEYS.values() for s in spellings(key))


def leaks(data: bytes) -> list[bytes]:
    return [spelling for spelling in FORBIDDEN if spelling in data]


def files(folder: Path, known: dict[Path, tuple[int, int]]) -> Iterator[tuple[Path, bytes]]:
    """Every file that is not as it was, with its name; what goes away meanwhile is no file."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            try:
                state = (path.stat().st_mtime_ns, path.stat().st_size)
                if known.get(path) != state:
                    known[path] = state
                    yield path, os.fsencode(path) + b"\n" + path.read_bytes()
            except FileNotFoundError:
                continue


def process_list() -> dict[str, bytes]:
    """Command line and title of every process of this machine, by its id."""
    found = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            found[folder.name] = b"".join((folder / n).read_bytes() for n in ("cmdline", "comm"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def tables(database: Path) -> Iterator[tuple[str, bytes]]:
    """Every row as text: a database may hold its strings packed."""
    connection: Any
    if database.suffix == ".sqlite":
        connection = sqlite3.connect(database)
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        connection = duckdb.connect(str(database), read_only=True)
        names = connection.execute("SELECT table_name FROM duckdb_tables()")
    for (name,) in names.fetchall():
        yield name, repr(connection.execute(f'SELECT * FROM "{name}"').fetchall()).encode()
    connection.close()


@dataclass
class Desk:
    """A folder of one person: home, temporary files, logs and audit."""

    folder: Path
    seen: set[str] = field(default_factory=set)
    """Names of the files that were there while it ran."""
    known: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Those that were searched: time and size."""

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def environment(self, fake: FakeProcess, more: dict[str, str]) -> dict[str, str]:
        private = {name: str(self.folder / name.lower()) for name in ("HOME", "TMPDIR")}
        clean = {k: v for k, v in os.environ.items() if k not in ("LLM_AUDIT_DB", *DEBUG_LOGS)}
        paths = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        return clean | private | paths | fake.environment() | KEYS | more

    def migrate(
        self, fake: FakeProcess, *arguments: str, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it, and look at the processes and files while it runs and afterwards."""
        command = [sys.executable, "-m", "tests.migrate.hasty", "migrate", *arguments]
        out, err = self.folder / "stdout", self.folder / "stderr"
        listed = 0
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                cwd=self.work,
                env=self.environment(fake, more),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
            try:
                until = time.monotonic() + 120
                while process.poll() is None:
                    assert time.monotonic() < until, "it does not end"
                    listed += self.look(str(process.pid))
                    time.sleep(0.02)
            finally:
                process.kill()
                process.wait()
        assert listed or not PROC.exists(), "it was never seen running"
        self.known.clear()
        self.look(None)
        for database in self.work.rglob("*.duckdb"), self.work.rglob("*.sqlite"):
            for path in database:
                for name, text in tables(path):
                    assert leaks(text) == [], f"{path.name}, {name}"
        return subprocess.CompletedProcess(
            command, process.returncode, out.read_bytes(), err.read_bytes()
        )

    def look(self, process: str | None) -> bool:
        """Nothing that is there now has a key; whether the process is in the list."""
        running = process_list()
        for number, line in running.items():
            assert leaks(line) == [], f"process {number}"
        for path, data in files(self.folder, self.known):
            assert leaks(data) == [], path
            self.seen.add(path.name)
        return b"tests.migrate.hasty" in running.get(process or "", b"")


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProcess]:
    with running_fake(tmp_path_factory.mktemp("vendors")) as process:
        yield process


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs of two jobs, one for each vendor, and their audit."""
    from llm_audit import cli

    work = tmp_path_factory.mktemp("ingested") / "work"
    work.mkdir()
    records = [logs.openai_chat(n) for n in range(120)] + [logs.anthropic(n) for n in range(120)]
    (work / "log.jsonl").write_bytes(logs.lines(records))
    database = work / ".llm-audit" / "audit.duckdb"
    assert cli.run(["--db", str(database), "ingest", str(work / "log.jsonl")]) == 0
    return work


@pytest.fixture
def desk(ingested: Path, tmp_path: Path) -> Desk:
    for name in ("home", "tmpdir"):
        (tmp_path / name).mkdir()
    shutil.copytree(ingested, tmp_path / "work")
    return Desk(tmp_path)


YES = ("--yes", "--max-cost", "100", "--sample", "60")


def bought_all(fake: FakeProcess) -> bool:
    return sorted(fake.journal.bought().values()) == [1] * len(fake.journal.bought()) != []


def test_the_search_finds_what_it_searches(tmp_path: Path) -> None:
    for key in KEYS.values():
        for text in (
            f"Authorization: Bearer {key}",
            base64.b64encode(f"user:{key}".encode()).decode(),
            base64.urlsafe_b64encode(f"{{'key': '{key}'}}".encode()).decode(),
            f"https://example.com/?key={quote_plus(key)}&x=1",
            json.dumps({"message": f"no such key: {key[12:]}"}),
        ):
            (tmp_path / "leak").write_text(text)
            assert [path for path, data in files(tmp_path, {}) if leaks(data)], text


@pytest.mark.parametrize(
    ("options", "more"), [((), {}), (("--debug",), DEBUG_LOGS)], ids=["plain", "debug"]
)
def test_a_migration_that_works(
    fake: FakeProcess, desk: Desk, options: tuple[str, ...], more: dict[str, str]
) -> None:
    fake.play()
    done = desk.migrate(fake, *YES, *options, **more)
    assert done.returncode == ExitCode.OK, done.stderr.decode()
    assert bought_all(fake)
    keys = {request.account for request in fake.journal.requests()}
    assert keys == {fingerprint(key) for key in KEYS.values()}, "both keys were really used"
    assert {"ledger.sqlite", "ledger.sqlite-wal", "audit.duckdb", "replies.jsonl"} <= desk.seen
    assert (b"DEBUG" in done.stderr) is bool(more), "the SDKs' own logs are what is searched"


@pytest.mark.parametrize(("vendor", "options"), [("openai", ()), ("anthropic", ("--debug",))])
def test_a_key_that_is_refused(
    fake: FakeProcess, desk: Desk, vendor: str, options: tuple[str, ...]
) -> None:
    """By one that quotes it, as gateways do; then `status` tells of it."""
    key = KEYS[f"{vendor.upper()}_API_KEY"]
    message = f"Incorrect API key provided: {key}. You can find yours at https://x.example/?k={key}"
    fake.play({"faults": [{"op": f"{vendor}.*", "reply": 401, "message": message}]})
    done = desk.migrate(fake, *YES, *options, **DEBUG_LOGS)
    assert done.returncode == (ExitCode.ERROR if options else ExitCode.KEY)
    assert b"Incorrect API key provided: [key]" in done.stderr
    assert b"[key]" in next(desk.work.rglob("replies.jsonl")).read_bytes()
    told = desk.migrate(fake, "status", "--format", "json")
    assert b"Incorrect API key provided: [key]" in told.stdout


def test_trouble_on_the_line(fake: FakeProcess, desk: Desk) -> None:
    """Errors of the transport, which the SDKs log with their traceback."""
    faults: list[dict[str, Any]] = [
        {"op": "*.batches.create", "nth": 1, "when": "after", "reply": "reset"},
        {"op": "*.batches.retrieve", "nth": 1, "reply": "close"},
        {"op": "*.batches.retrieve", "nth": 2, "reply": 429, "body": "html"},
        {"op": "openai.files.*", "nth": 1, "reply": "reset"},
        {"op": "*.batches.list", "nth": 1, "reply": 500},
        {"op": "openai.files.content", "nth": 1, "when": "after", "reply": "cut"},
        {"op": "anthropic.batches.results", "nth": 1, "when": "after", "reply": "cut"},
    ]
    fake.play({"faults": faults})
    done = desk.migrate(fake, *YES, "--debug", **DEBUG_LOGS)
    assert done.returncode == ExitCode.OK, done.stderr.decode()
    assert b"Traceback" in done.stderr
    assert bought_all(fake)


def test_a_key_that_no_header_can_hold(fake: FakeProcess, desk: Desk) -> None:
    """HTTP libraries quote a bad header in full, and the SDKs log that."""
    fake.play()
    key = KEYS["ANTHROPIC_API_KEY"]
    bad = {"ANTHROPIC_API_KEY": f"{key[:12]}\n{key[12:]}"}
    done = desk.migrate(fake, *YES, "--debug", **DEBUG_LOGS, **bad)
    assert done.returncode == ExitCode.ERROR
    assert b"ANTHROPIC_API_KEY holds a character that no key has" in done.stderr
    assert not fake.journal.requests()


def test_a_dry_run_needs_no_key(fake: FakeProcess, desk: Desk) -> None:
    fake.play()
    done = desk.migrate(fake, "--dry-run", "--out", "batches", **dict.fromkeys(KEYS, ""))
    assert done.returncode == ExitCode.OK, done.stderr.decode()
    assert not fake.journal.requests()
    assert list((desk.work / "batches").iterdir())
