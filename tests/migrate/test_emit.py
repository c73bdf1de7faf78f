"""`migrate --emit`: the scripts are small, clean, harmless, and buy nothing twice.

They run as a team would run them: as processes of their own, with the vendors' SDKs. All but those
of the first story are forks of one process, `warm.py`, as each would import an SDK for seconds.
"""

from __future__ import annotations

import ast
import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from llm_audit import cli
from llm_audit.errors import MigrationError
from llm_audit.migrate import emit
from llm_audit.migrate.emit import Switch
from tests.migrate import logs
from tests.migrate.fake.journal import fingerprint
from tests.migrate.fake.process import (
    FAKE_ANTHROPIC_KEY,
    FAKE_OPENAI_KEY,
    FakeProcess,
    running_fake,
)
from tests.migrate.warm import Warm, running_warm
from tests.support import ROOT

NAME = "w_0123456789"
TODAY = date(2026, 11, 22)
OPENAI = Switch(
    NAME,
    "nightly",
    "chat",
    "openai",
    "gpt-4o-mini",
    5_000,
    datetime(2026, 10, 1),
    datetime(2026, 10, 31),
    86_400.0,
    4_000,
    Decimal(100),
    Decimal(50),
    Decimal(50),
    Decimal("61.5"),
    True,
    "Move to the batch API.",
    ("openai_chat",),
    31,
)
RESPONSES = replace(OPENAI, operation_name="responses", formats=("openai_responses",))
EMBEDDINGS = replace(OPENAI, operation_name="embeddings", formats=("openai_embeddings",))
ANTHROPIC = replace(
    OPENAI,
    provider_name="anthropic",
    model="claude-haiku-4-5",
    formats=("anthropic_messages",),
)
BOTH = pytest.mark.parametrize("row", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
HOSTILE = [
    'x"\nimport os; os.system("id")\n',
    "'''\"\"\"\\",
    "\0\r\u2028${name} $key %s {y}",
    "\\x22\\",
    "😀" * 50 + "\u202e" + "`|</script>",
    "",
]


@dataclass(frozen=True)
class Ran:
    code: int
    said: str


@dataclass(frozen=True)
class Desk:
    """A folder with the scripts of one workload, quick to lose patience."""

    fake: FakeProcess
    folder: Path
    row: Switch
    warm: Warm | None = None
    """None: an interpreter of its own for each script."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """In place of the fake's."""

    def command(self, script: str, *arguments: str) -> list[str]:
        return [sys.executable, f"{NAME}{script}.py", *arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.fake.environment(), **self.keys}

    def run(self, script: str, *arguments: str) -> Ran:
        if self.warm is not None:
            name = f"{NAME}{script}.py"
            return Ran(*self.warm.run(self.folder, self.environment(), name, arguments))
        done = subprocess.run(
            self.command(script, *arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    def submit(self, path: str | None = None) -> Ran:
        return self.run("", "submit", path or self.requests(6))

    def collect(self, *hours: str) -> Ran:
        return self.run("", "collect", *hours)

    def rescue(self, *arguments: str) -> Ran:
        return self.run("_rescue", *arguments)

    def requests(self, count: int) -> str:
        path = self.folder / "requests.jsonl"
        rows = [{"id": f"q-{n}", "body": self.body(n)} for n in range(count)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path.name

    def body(self, number: int) -> dict[str, Any]:
        text = f"Say [[m{number}]]"
        if self.row.operation_name == "chat":
            messages = [{"role": "user", "content": text}]
            return {"model": self.row.model, "max_tokens": 50, "messages": messages}
        return {"model": self.row.model, "input": text}

    def rows(self, kind: str) -> dict[str, dict[str, Any]]:
        """The rows of all files of a kind, by id."""
        found = {}
        for path in self.folder.glob(f"{NAME}.*.{kind}.jsonl"):
            for line in path.read_text().splitlines():
                row = json.loads(line)
                assert row["id"] not in found
                found[row["id"]] = row
        return found

    def retry(self) -> str:
        [path] = self.folder.glob(f"{NAME}.*.retry.jsonl")
        return path.name

    @property
    def state(self) -> Path:
        return self.folder / f"{NAME}.state.json"

    def creates(self) -> int:
        return len(self.fake.journal.requests("*.batches.create"))

    def paid(self) -> Counter[str]:
        """How often each request was paid for in a batch."""
        return Counter({k: n for k, n in self.fake.journal.bought().items() if n})


def open_desk(
    fake: FakeProcess, folder: Path, row: Switch, warm: Warm | None = None, **scenario: Any
) -> Desk:
    fake.play(scenario)
    for name, text in emit._texts(row, TODAY).items():
        quick = text.replace("10, 600", "0.01, 0.4")
        assert quick != text or not name.endswith(f"{NAME}.py")
        (folder / name).write_text(quick, encoding="utf-8")
    return Desk(fake, folder, row, warm)


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeProcess]:
    with running_fake(tmp_path_factory.mktemp("vendors")) as process:
        yield process


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with running_warm() as process:
        yield process


def scripts(row: Switch) -> dict[str, str]:
    return {k: v for k, v in emit._texts(row, TODAY).items() if k.endswith(".py")}


def ruff(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--isolated", "--line-length", "100", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def clean(folder: Path) -> None:
    """Small, and as ruff would have them."""
    for path in folder.glob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 100, path.name
    ruff(folder, "check", "--select", "E,F,W,I,B,UP,SIM,RUF,PTH,C4,A", "--no-cache")
    ruff(folder, "format", "--check", "--no-cache")


# --- what is written ------------------------------------------------------------------------------


def test_they_are_small_and_clean(tmp_path: Path) -> None:
    rows = itertools.product([OPENAI, RESPONSES, EMBEDDINGS, ANTHROPIC], ["nightly", *HOSTILE])
    for number, (row, caller) in enumerate(rows):
        own = replace(row, workload_id=f"w_{number:010x}", caller=caller, model=caller)
        for name, text in scripts(own).items():
            (tmp_path / name).write_text(text, encoding="utf-8")
    clean(tmp_path)


@pytest.mark.parametrize("row", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize("caller", HOSTILE)
def test_log_text_never_becomes_code(row: Switch, caller: str) -> None:
    """The program is the same whatever the names are: they stand in comments alone."""
    hostile = scripts(replace(row, caller=caller, model=caller))
    for name, text in scripts(row).items():
        assert ast.dump(ast.parse(hostile[name])) == ast.dump(ast.parse(text))
        assert hostile[name].isascii()
    note = emit._texts(replace(row, caller=caller, model=caller), TODAY)[f"{NAME}.md"]
    assert note.replace("\n", "").isprintable()
    assert note.count("\n") == emit._texts(row, TODAY)[f"{NAME}.md"].count("\n")
    assert re.search(r"for the calls of `[^`|]+` to `[^`|]+` \(", note)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("width", [8, 28, 500])
def test_a_literal_is_a_string(text: str, width: int) -> None:
    written = emit.literal(text, width)
    assert len(written) <= width
    assert written.isascii()
    assert isinstance(ast.literal_eval(written), str)


def test_a_workload_id_is_checked_before_it_is_a_file_name() -> None:
    with pytest.raises(MigrationError):
        emit._texts(replace(OPENAI, workload_id="../../etc/x"), TODAY)


def test_the_note_says_what_counts() -> None:
    note = emit._texts(OPENAI, TODAY)[f"{NAME}.md"]
    for part in (
        "| **a batch would have saved** | **$50.00** (50%) |",
        "| with the documented share of cache hits | $61.50 |",
        "2026-10-01 to 2026-10-31",
        "may take 24 hours at most",
        f"python {NAME}.py collect 18 || python {NAME}_rescue.py fallback",
        "## Rollback",
        "## What to watch",
        "50,000 requests and 200 MB",
    ):
        assert part in note
    assert "$name" not in note
    assert "100,000 requests or 256 MB" in emit._texts(ANTHROPIC, TODAY)[f"{NAME}.md"]


@pytest.mark.parametrize(
    ("row", "formats", "shape"),
    [
        (OPENAI, ("openai_chat", "openai_batch"), "as_sent"),
        (ANTHROPIC, ("anthropic_messages_sse",), "as_sent"),
        (OPENAI, ("litellm_slp",), "litellm"),
        (RESPONSES, ("litellm_spend_logs",), "litellm"),
        (ANTHROPIC, ("litellm_slp",), "reshaped"),
        (ANTHROPIC, ("anthropic_messages", "litellm_spend_logs"), "reshaped"),
        (ANTHROPIC, ("generic",), "unknown"),
        (OPENAI, ("openai_chat", "generic"), "unknown"),
        (OPENAI, ("openai_batch",), "unknown"),
        (OPENAI, ("a_format_of_the_users_own",), "unknown"),
    ],
)
def test_the_note_knows_what_the_job_sends_today(
    row: Switch, formats: tuple[str, ...], shape: str
) -> None:
    own = replace(row, formats=formats)
    assert emit.shape_of(own) == shape
    note = emit._texts(own, TODAY)[f"{NAME}.md"]
    told = {
        "as_sent": "The body is what the job sends today, without `stream`",
        "litellm": "and with OpenAI's name of the model in place of an alias",
        "reshaped": "**The body is not what the job sends today.**",
        "unknown": "**The log does not show the shape of your requests.**",
    }
    assert [name for name, words in told.items() if words in note] == [shape]
    assert ("the bodies are the same" in note) == (shape == "as_sent")
    assert ("Convert one request" in note) == (shape == "reshaped")
    assert "$" not in re.sub(r"\$[\d,.]+", "", note)


def test_the_note_says_how_long_prompts_are_kept() -> None:
    note = emit._texts(OPENAI, TODAY)[f"{NAME}.md"]
    assert "At OpenAI they lie for a week at most" in note
    note = emit._texts(ANTHROPIC, TODAY)[f"{NAME}.md"]
    assert "for 29 days; zero data retention does not cover batches" in note


# --- what they do ---------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [OPENAI, RESPONSES, EMBEDDINGS, ANTHROPIC])
def test_submit_and_collect(fake: FakeProcess, tmp_path: Path, row: Switch) -> None:
    desk = open_desk(
        fake, tmp_path, row, batches=[{"shuffle": True, "duplicate": [1], "stranger": 2}]
    )
    assert desk.submit() == Ran(0, "")
    ran = desk.collect()
    assert ran.code == 0, ran.said
    answers = desk.rows("results")
    assert set(answers) == {f"q-{n}" for n in range(6)}
    if row is not EMBEDDINGS:
        assert all(f"echo m{key[2:]}" in json.dumps(answers[key]["body"]) for key in answers)
    assert desk.rows("retry") == {}
    assert desk.paid() == {f"m{n}": 1 for n in range(6)}
    assert not desk.state.exists()
    for path in tmp_path.iterdir():
        if path.is_file() and path.suffix != ".py":
            assert FAKE_OPENAI_KEY not in path.read_text()
            assert FAKE_ANTHROPIC_KEY not in path.read_text()
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("*.results.jsonl"))


@BOTH
def test_a_batch_under_way_is_not_submitted_again(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    desk = open_desk(fake, tmp_path, row, warm)
    assert desk.submit().code == 0
    again = desk.submit()
    assert again.code == 1
    assert "a batch is or may be" in again.said
    assert desk.creates() == 1
    assert "run `collect`" in desk.rescue("reconcile").said


@BOTH
@pytest.mark.parametrize("reply", ["reset", 500])
def test_a_lost_reply_is_reconciled(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch, reply: str | int
) -> None:
    fault = {"op": "*.batches.create", "when": "after", "reply": reply}
    desk = open_desk(fake, tmp_path, row, warm, faults=[fault])
    ran = desk.submit()
    assert ran.code == 1
    assert "perhaps bought" in ran.said
    assert desk.submit().code == desk.collect().code == 1
    assert desk.creates() == 1
    settle(desk)
    assert desk.paid() == {f"m{n}": 1 for n in range(6)}


@BOTH
def test_killed_between_call_and_reply(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    fault = {"op": "*.batches.create", "when": "after", "reply": None, "delay": 20}
    desk = open_desk(fake, tmp_path, row, warm, faults=[fault])
    process = subprocess.Popen(
        desk.command("", "submit", desk.requests(6)), cwd=tmp_path, env=desk.environment()
    )
    until = time.monotonic() + 20
    while not desk.creates() and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert desk.submit().code == 1
    assert desk.creates() == 1
    settle(desk)
    assert desk.paid() == {f"m{n}": 1 for n in range(6)}


def settle(desk: Desk) -> None:
    """Reconcile, as often as it asks for it, and collect."""
    said = desk.rescue("reconcile").said
    if desk.row.provider_name == "anthropic":
        assert "look again when it has ended" in said
        end_it(desk)
        said = desk.rescue("reconcile").said
    assert "it was made, as" in said
    assert not (desk.folder / "requests.jsonl").exists()
    ran = desk.collect()
    assert ran.code == 0, ran.said
    assert len(desk.rows("results")) == 6


def end_it(desk: Desk) -> None:
    """Only polls move the fake's batches on."""
    [batch] = desk.fake.journal.batches()
    headers = {"x-api-key": FAKE_ANTHROPIC_KEY, "anthropic-version": "2023-06-01"}
    connection = http.client.HTTPConnection("127.0.0.1", desk.fake.port, timeout=30)
    for _ in range(3):
        connection.request("GET", f"/v1/messages/batches/{batch.id}", headers=headers)
        assert connection.getresponse().read()
    connection.close()


@BOTH
def test_a_batch_that_was_not_made_is_free_again_in_time(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    fault = {"op": "*.batches.create", "reply": 500, "nth": 1}
    desk = open_desk(fake, tmp_path, row, warm, faults=[fault])
    assert "perhaps bought" in desk.submit().said
    for _ in range(4):
        assert "it is not there; to be sure" in desk.rescue("reconcile").said
    state = json.loads(desk.state.read_text())
    state["looks"] = [at - 700 for at in state["looks"]]
    desk.state.write_text(json.dumps(state))
    assert "it was not made: `submit` again" in desk.rescue("reconcile").said
    assert desk.submit().code == 0
    assert desk.collect().code == 0
    assert desk.creates() == 2
    assert desk.paid() == {f"m{n}": 1 for n in range(6)}


@BOTH
@pytest.mark.parametrize("status", [400, 429])
def test_what_is_refused_may_be_submitted_again(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch, status: int
) -> None:
    fault = {"op": "*.batches.create", "reply": status, "nth": 1}
    desk = open_desk(fake, tmp_path, row, warm, faults=[fault])
    ran = desk.submit()
    assert ran.code == 1
    assert "refused, nothing was bought" in ran.said
    assert desk.creates() == 1
    assert desk.submit().code == 0


@BOTH
def test_an_error_page_proves_nothing(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    fault = {"op": "*.batches.create", "reply": 429, "body": "html"}
    desk = open_desk(fake, tmp_path, row, warm, faults=[fault])
    assert "perhaps bought" in desk.submit().said
    assert desk.state.exists()


def test_a_failed_upload_costs_nothing(fake: FakeProcess, warm: Warm, tmp_path: Path) -> None:
    fault = {"op": "openai.files.create", "reply": 400}
    desk = open_desk(fake, tmp_path, OPENAI, warm, faults=[fault])
    assert desk.submit().code == 1
    assert not desk.state.exists()


@BOTH
def test_what_expired_goes_into_the_next_batch(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    batches = [{"nth": 1, "polls": ["in_progress", "expired"], "done": 0.5}]
    desk = open_desk(fake, tmp_path, row, warm, batches=batches)
    assert desk.submit().code == 0
    ran = desk.collect()
    assert ran.code == 3
    assert "3 answers in" in ran.said
    left = desk.rows("retry")
    assert set(left) == {"q-3", "q-4", "q-5"}
    assert all("expired" in str(row["why"]) for row in left.values())
    path = desk.retry()
    assert desk.submit(path).code == 0
    assert not (tmp_path / path).exists()  # a fallback for all retry files does not buy it again
    assert desk.collect().code == 0
    assert set(desk.rows("results")) == {f"q-{n}" for n in range(6)}
    assert desk.paid() == {f"m{n}": 1 for n in range(6)}


@BOTH
def test_the_deadline_fallback(fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch) -> None:
    batches = [{"polls": ["in_progress"], "done": 0.5}]
    desk = open_desk(fake, tmp_path, row, warm, batches=batches)
    assert desk.submit().code == 0
    assert desk.collect("0").code == 3
    assert len(desk.fake.journal.requests("*.batches.cancel")) == 1
    ran = desk.rescue("fallback")
    assert ran.code == 0, ran.said
    assert set(desk.rows("results")) == {f"q-{n}" for n in range(6)}
    assert desk.rows("retry") == {}
    assert desk.paid() == {"m0": 1, "m1": 1, "m2": 1}
    assert len(fake.journal.requests("*.sync.create")) == 3
    assert desk.rescue("fallback").code == 0
    assert len(fake.journal.requests("*.sync.create")) == 3


@BOTH
def test_a_fallback_that_broke_off_goes_on(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    batches = [{"polls": ["in_progress"], "done": 0.5}]
    slow = {"op": "*.sync.create", "nth": 3, "when": "before", "delay": 20, "reply": 500}
    desk = open_desk(fake, tmp_path, row, warm, batches=batches, faults=[slow])
    desk.submit()
    desk.collect("0")
    path = desk.retry()
    process = subprocess.Popen(
        desk.command("_rescue", "fallback"), cwd=tmp_path, env=desk.environment()
    )
    until = time.monotonic() + 20
    while len(desk.rows("results")) < 5 and time.monotonic() < until:
        time.sleep(0.02)
    process.kill()
    process.wait()
    [results] = tmp_path.glob("*.results.jsonl")
    with results.open("a") as file:
        file.write('{"id": "q-5", "bo')  # the kill came in the middle of a line
    assert not (tmp_path / path).exists()  # nobody submits it meanwhile
    ran = desk.rescue("fallback")
    assert ran.code == 0, ran.said
    assert set(desk.rows("results")) == {f"q-{n}" for n in range(6)}
    assert len(fake.journal.requests("*.sync.create")) == 4


@BOTH
def test_rows_that_failed_are_kept_with_their_reason(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    outcomes = ["no_status", "bad_request", "credit", "unwrapped", "truncated"]
    rules = [{"marker": f"m{n}", "outcome": outcome} for n, outcome in enumerate(outcomes)]
    desk = open_desk(fake, tmp_path, row, warm, rows=rules)
    desk.submit()
    assert desk.collect().code == 3
    assert set(desk.rows("retry")) == {"q-0", "q-1", "q-2", "q-3"}
    assert set(desk.rows("results")) == {"q-4", "q-5"}
    assert all(row["why"] for row in desk.rows("retry").values())


@BOTH
@pytest.mark.parametrize("plan", [{"missing": [2]}, {"bad_json": [2]}])
def test_a_line_that_is_not_there(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch, plan: dict[str, Any]
) -> None:
    desk = open_desk(fake, tmp_path, row, warm, batches=[plan])
    desk.submit()
    assert desk.collect().code == 3
    assert {key: row["why"] for key, row in desk.rows("retry").items()} == {"q-1": "no row"}
    assert len(desk.rows("results")) == 5


@pytest.mark.parametrize("plan", [{"output_late": 2}, {"no_errors": "blank_id"}, {"counts": None}])
def test_openai_is_slow_to_say(
    fake: FakeProcess, warm: Warm, tmp_path: Path, plan: dict[str, Any]
) -> None:
    desk = open_desk(fake, tmp_path, OPENAI, warm, batches=[plan])
    desk.submit()
    assert desk.collect().code == 0
    assert len(desk.rows("results")) == 6


def test_openai_fails_the_whole_file(fake: FakeProcess, warm: Warm, tmp_path: Path) -> None:
    full = {"fail": [{"code": "token_limit_exceeded"}]}
    desk = open_desk(fake, tmp_path, OPENAI, warm, batches=[full])
    desk.submit()
    assert desk.collect().code == 3
    left = desk.rows("retry")
    assert len(left) == 6
    assert all("token_limit_exceeded" in row["why"] for row in left.values())
    assert not desk.paid()


@BOTH
@pytest.mark.parametrize("reply", ["reset", 500, 529, 429, 409])
def test_collect_rides_out_trouble(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch, reply: str | int
) -> None:
    """Longer than the SDK's own retries do."""
    names = ("*.batches.retrieve", "openai.files.content", "anthropic.batches.results")
    faults = [{"op": name, "reply": reply, "nth": "1-4", "retry_after": 0} for name in names]
    desk = open_desk(fake, tmp_path, row, warm, faults=faults)
    desk.submit()
    ran = desk.collect("1")
    assert ran.code == 0, ran.said
    assert "looking again" in ran.said
    assert len(desk.rows("results")) == 6
    assert desk.paid() == {f"m{n}": 1 for n in range(6)}


@BOTH
def test_results_that_cannot_be_had_are_not_given_up(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    """A refused key is told at once; the batch stays under way, and `fallback` leaves it alone."""
    accounts = [fingerprint(key) for key in (FAKE_OPENAI_KEY, FAKE_ANTHROPIC_KEY)]
    desk = open_desk(fake, tmp_path, row, warm, accounts=accounts)
    desk.submit()
    for key, said in (("", "_API_KEY is not set"), ("wrong", "AuthenticationError")):
        keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY"), key)
        ran = replace(desk, keys=keys).collect()
        assert ran.code == 1
        assert said in ran.said
        assert "Traceback" not in ran.said
    assert desk.state.exists()
    ran = desk.rescue("fallback")
    assert (ran.code, "`collect` it first" in ran.said) == (1, True)
    assert not fake.journal.requests("*.sync.create")
    assert desk.collect().code == 0


@BOTH
@pytest.mark.parametrize("length", [True, False])
def test_a_download_that_was_cut_is_made_again(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch, length: bool
) -> None:
    cut = {"when": "after", "reply": "cut", "at": 0.5, "nth": 1, "length": length}
    names = ("openai.files.content", "anthropic.batches.results")
    desk = open_desk(fake, tmp_path, row, warm, faults=[cut | {"op": name} for name in names])
    desk.submit()
    assert desk.collect().code == 0
    assert len(desk.rows("results")) == 6


@BOTH
def test_a_fallback_asks_for_nothing_older(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    """The first batch leaves three, the second none: there is nothing to ask for."""
    batches = [{"nth": 1, "polls": ["in_progress", "expired"], "done": 0.5}]
    desk = open_desk(fake, tmp_path, row, warm, batches=batches)
    ran = desk.rescue("fallback")
    assert (ran.code, "no batch has been collected" in ran.said) == (1, True)
    desk.submit()
    assert desk.collect().code == 3
    path = tmp_path / "more.jsonl"
    path.write_text(json.dumps({"id": "more", "body": desk.body(9)}) + "\n")
    desk.submit(path.name)
    assert desk.collect().code == 0
    assert desk.rescue("fallback").code == 0
    assert not fake.journal.requests("*.sync.create")
    assert len(desk.rows("retry")) == 3


def test_what_is_not_there_is_said_in_a_sentence(
    fake: FakeProcess, warm: Warm, tmp_path: Path
) -> None:
    desk = open_desk(fake, tmp_path, OPENAI, warm)
    for ran, said in (
        (desk.collect(), "no batch is under way"),
        (desk.submit("nothing.jsonl"), "No such file"),
        (desk.run("", "submit"), f"python {NAME}.py submit FILE"),
        (desk.run("", "collect", "1", "2"), f"python {NAME}.py collect [HOURS]"),
        (desk.rescue("reconcile"), "nothing to do"),
    ):
        assert ran.code == 1
        assert said in ran.said
        assert "Traceback" not in ran.said
        assert "Error" not in ran.said


# --- the file of requests is renamed, and that costs nothing --------------------------------------


@BOTH
def test_what_cannot_be_renamed_is_not_bought(
    fake: FakeProcess, tmp_path: Path, row: Switch
) -> None:
    """As of `submit <(cat requests.jsonl)`."""
    desk = open_desk(fake, tmp_path, row)
    end, start = os.pipe()
    os.write(start, (tmp_path / desk.requests(6)).read_bytes())
    os.close(start)
    done = subprocess.run(
        desk.command("", "submit", f"/dev/fd/{end}"),
        cwd=tmp_path,
        env=desk.environment(),
        pass_fds=[end],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(end)
    assert done.returncode == 1
    assert f"/dev/fd/{end}: No such file, or none that can be renamed" in done.stderr
    assert not desk.state.exists()
    assert not fake.journal.requests()


@BOTH
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_told_before(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    desk = open_desk(fake, tmp_path, row, warm)
    folder = tmp_path / "drop"
    folder.mkdir()
    path = (tmp_path / desk.requests(6)).rename(folder / "requests.jsonl")
    folder.chmod(0o500)
    ran = desk.submit(str(path))
    folder.chmod(0o700)
    assert (ran.code, "its folder is read-only" in ran.said) == (1, True)
    assert not desk.state.exists()
    assert not fake.journal.requests()


@BOTH
@pytest.mark.parametrize("lost", [False, True])
def test_a_rename_that_fails_is_a_warning(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch, lost: bool
) -> None:
    """The batch is known by then, whether `submit` or `reconcile` names it."""
    fault = {"op": "*.batches.create", "when": "after", "reply": "reset", "nth": 1 if lost else 9}
    desk = open_desk(fake, tmp_path, row, warm, faults=[fault])
    (tmp_path / "requests.jsonl.sent" / "full").mkdir(parents=True)
    ran = desk.submit()
    assert ran.code == lost, ran.said
    if lost:
        if row is ANTHROPIC:
            end_it(desk)
        ran = desk.rescue("reconcile")
        assert "it was made, as" in ran.said
    assert "rename" in ran.said
    assert "Error" not in ran.said.replace("[Errno", "")
    [batch] = fake.journal.batches()
    assert json.loads(desk.state.read_text())["batch"] == batch.id
    assert desk.collect().code == 0
    assert desk.paid() == {f"m{n}": 1 for n in range(6)}


# --- errors in one sentence -----------------------------------------------------------------------


GOOD = b'{"id": "a", "body": {}}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD + b'{"id": "b"}\n', "bad.jsonl, line 2: not one JSON object"),
        (b'{"body": {}}\n', "bad.jsonl, line 1: not one JSON object"),
        (GOOD + b'\n{"id": "b", "body"}\n', "bad.jsonl, line 3: not one JSON object"),
        (b"[1]\n", "bad.jsonl, line 1: not one JSON object"),
        (b"null\n", "bad.jsonl, line 1: not one JSON object"),
        (b'{"id": "b", "body": "text"}\n', "bad.jsonl, line 1: not one JSON object"),
        (b'{"id": "\xff", "body": {}}\n', "bad.jsonl, line 1: not one JSON object"),
        (GOOD + GOOD, "bad.jsonl, line 2: the id 'a' is there twice"),
        (b"\n \n", "bad.jsonl holds no request"),
    ],
)
def test_a_bad_line_is_named(
    fake: FakeProcess, warm: Warm, tmp_path: Path, content: bytes, said: str
) -> None:
    desk = open_desk(fake, tmp_path, OPENAI, warm)
    (tmp_path / "bad.jsonl").write_bytes(content)
    ran = desk.submit("bad.jsonl")
    assert ran.code == 1
    assert ran.said.startswith(said)
    assert ran.said.count("\n") == 1
    if "not one" in said:
        assert '{"id": "a-17", "body": {...}}' in ran.said
    assert not fake.journal.requests()


@BOTH
@pytest.mark.parametrize("hours", ["abc", "nan", "-1", ""])
def test_hours_that_are_none(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch, hours: str
) -> None:
    desk = open_desk(fake, tmp_path, row, warm)
    desk.submit()
    ran = desk.collect(hours)
    assert ran.code == 1
    assert ran.said == f"HOURS is a number, 0 or more, counted from `submit`: not {hours!r}\n"
    assert desk.collect("1.5").code == 0


@BOTH
def test_results_that_are_gone_are_said_in_a_sentence(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    desk = open_desk(fake, tmp_path, row, warm, batches=[{"gone": ["output", "results"]}])
    script = tmp_path / f"{NAME}.py"
    quick = script.read_text().replace("patience = 900 if", "patience = 0.1 if")
    assert quick != script.read_text()
    script.write_text(quick)
    desk.submit()
    ran = desk.collect()
    assert ran.code == 1
    *_, last = ran.said.splitlines()
    assert " is gone (" in last
    assert "NotFoundError" not in ran.said
    assert desk.state.exists()


@pytest.mark.parametrize("refused", [False, True])
def test_prompts_do_not_stay_at_openai(
    fake: FakeProcess, warm: Warm, tmp_path: Path, refused: bool
) -> None:
    fault = {"op": "openai.batches.create", "reply": 400, "nth": 1 if refused else 9}
    desk = open_desk(fake, tmp_path, OPENAI, warm, faults=[fault])
    assert desk.submit().code == refused
    if not refused:
        [upload] = files_at(fake, "batch")
        assert upload["expires_at"] - upload["created_at"] == 7 * 86_400
        assert desk.collect().code == 0
        answers = files_at(fake, "batch_output")
        assert {f["expires_at"] - f["created_at"] for f in answers} == {7 * 86_400}
    assert files_at(fake, "batch") == []


def files_at(fake: FakeProcess, purpose: str) -> list[dict[str, Any]]:
    """The files that OpenAI holds."""
    headers = {"authorization": f"Bearer {FAKE_OPENAI_KEY}"}
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=30)
    connection.request("GET", f"/v1/files?purpose={purpose}", headers=headers)
    data = json.loads(connection.getresponse().read())["data"]
    connection.close()
    return [file for file in data if file["purpose"] == purpose]


@pytest.mark.parametrize("name", ["a" * 56, "a b", "", "é"])
def test_an_id_that_a_batch_does_not_take(
    fake: FakeProcess, warm: Warm, tmp_path: Path, name: str
) -> None:
    desk = open_desk(fake, tmp_path, ANTHROPIC, warm)
    (tmp_path / "bad.jsonl").write_text(json.dumps({"id": name, "body": desk.body(0)}))
    ran = desk.submit("bad.jsonl")
    assert (ran.code, "is not 1 to 55 of" in ran.said) == (1, True)
    assert not fake.journal.requests()


def test_anthropic_does_not_see_it_at_once(fake: FakeProcess, warm: Warm, tmp_path: Path) -> None:
    desk = open_desk(fake, tmp_path, ANTHROPIC, warm, batches=[{"not_found": 3}])
    desk.submit()
    assert desk.collect().code == 0


def test_the_key_goes_to_no_other_host(fake: FakeProcess, warm: Warm, tmp_path: Path) -> None:
    elsewhere = {"results_url": "https://127.0.0.1:1/{id}"}
    desk = open_desk(fake, tmp_path, ANTHROPIC, warm, batches=[elsewhere])
    desk.submit()
    ran = desk.collect()
    assert ran.code == 1
    assert "another host" in ran.said
    assert desk.state.exists()


@BOTH
def test_temperature_is_still_taken(
    fake: FakeProcess, warm: Warm, tmp_path: Path, row: Switch
) -> None:
    desk = open_desk(fake, tmp_path, row, warm)
    body = desk.body(0) | {"temperature": 0.0}
    (tmp_path / "one.jsonl").write_text(json.dumps({"id": 17, "body": body}) + "\n")
    desk.submit("one.jsonl")
    assert desk.collect().code == 0
    assert set(desk.rows("results")) == {"17"}


@pytest.mark.parametrize("content", ["", '{"id": 1, "body": {}}\n{"id": "1", "body": {}}\n', "{"])
def test_a_file_that_is_not_right_is_not_sent(
    fake: FakeProcess, warm: Warm, tmp_path: Path, content: str
) -> None:
    desk = open_desk(fake, tmp_path, OPENAI, warm)
    (tmp_path / "bad.jsonl").write_text(content)
    assert desk.submit("bad.jsonl").code == 1
    assert not desk.state.exists()
    assert not fake.journal.requests()


@pytest.mark.parametrize("script", ["", "_rescue"])
def test_without_a_command_they_tell_how(
    fake: FakeProcess, warm: Warm, tmp_path: Path, script: str
) -> None:
    desk = open_desk(fake, tmp_path, OPENAI, warm)
    assert f"python {NAME}{script}.py" in desk.run(script).said


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "audit.duckdb"
    assert cli.run(["--db", str(path), "ingest", str(ROOT / "sample_logs")]) == 0
    return path


def command(database: Path, *arguments: str | Path) -> int:
    return cli.run(["--db", str(database), "migrate", *map(str, arguments)])


def test_emit_writes_for_every_workload_that_moves(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["--db", str(database), "report", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    worth = {
        w["workload_id"]
        for w in report["workloads"]
        if w["label"] == "batch_eligible" and w["worth_it"]
    }
    folder = tmp_path / "switch"
    assert command(database, "--emit", folder) == 0
    out = capsys.readouterr().out
    written = {path.name for path in folder.iterdir()}
    named = {name[:12] for name in written}
    assert written == {
        name + end for name in named for end in (".py", "_rescue.py", "_tools.py", ".md")
    }
    assert named <= worth
    assert len(named) >= 2
    assert all(name in out for name in worth)
    assert "would have saved $388.48 in the 14 days of the log" in " ".join(out.split())
    clean(folder)

    assert command(database, "--emit", folder) == 1
    assert "is there already" in capsys.readouterr().err


def test_emit_needs_no_body_in_the_log(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(database, "--dry-run", "--format", "json") == 0
    dry = json.loads(capsys.readouterr().out)
    bodiless = {w["workload_id"] for w in dry["workloads"] if not w["requests"]}
    assert command(database, "--emit", tmp_path) == 0
    assert bodiless & {path.name[:12] for path in tmp_path.iterdir()}


def test_emit_of_one_workload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, database = tmp_path / "log.jsonl", tmp_path / "audit.duckdb"
    records = [logs.openai_chat(n) for n in range(120)] + [logs.anthropic(n) for n in range(120)]
    source.write_bytes(logs.lines(records))
    assert cli.run(["--db", str(database), "ingest", str(source)]) == 0
    folder = tmp_path / "out"
    assert command(database, "--emit", folder, "--workload", "extract") == 0
    [script] = folder.glob("*_rescue.py")
    assert "The body is what the job sends today" in next(folder.glob("*.md")).read_text()
    assert "anthropic" in script.with_name(script.name.replace("_rescue", "")).read_text()
    capsys.readouterr()
    assert command(database, "--emit", folder, "--workload", "nobody") == 2
    assert "there is no workload or caller" in capsys.readouterr().err
    assert command(database, "--emit", folder, "--dry-run") == 2


@pytest.mark.parametrize(
    ("caller", "hint"),
    [
        ("support-chat", "Someone waits for these results."),
        ("svc-orion", "may the results come hours later? `llm-audit review` asks"),
        ("press-digest", "Too few calls to be worth a migration"),
        ("policy-check", "Keep synchronous: cache hits make these calls cost"),
    ],
)
def test_nothing_written_is_no_success(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caller: str, hint: str
) -> None:
    """The hint is of this workload: whose owner is to be asked, and why another does not move."""
    assert command(database, "--emit", tmp_path / "out", "--workload", caller) == 1
    said = capsys.readouterr()
    assert "error: nothing was written for w_" in said.err
    assert caller in said.err
    assert hint in said.err.partition("hint: ")[2]
    assert ("llm-audit review" in said.err) == (caller == "svc-orion")
    assert not (tmp_path / "out").exists()


def test_why_others_are_skipped_is_told_beside_what_is_written(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(database, "--emit", tmp_path, "--workload", "s*") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "support-chat: nothing is written for it: Someone waits for these results." in said
    assert "`llm-audit review` asks, and keeps the answer" in said


def test_a_hint_for_many_is_short() -> None:
    error = emit._nothing([replace(OPENAI, caller=f"job-{n}") for n in range(9)])
    assert "job-4: Move" in error.hint
    assert "job-5" not in error.hint + error.message
    assert "llm-audit report" in error.hint
    assert "llm-audit report" in emit._nothing([]).hint


def test_the_largest_saving_is_not_told_to_send_what_it_sends_today(
    database: Path, tmp_path: Path
) -> None:
    """It calls Anthropic through LiteLLM, in OpenAI's shape; the second is known from a table."""
    for caller, words in (
        ("catalogue-enrichment", "**The body is not what the job sends today.**"),
        ("contract-review", "**The log does not show the shape of your requests.**"),
    ):
        folder = tmp_path / caller
        assert command(database, "--emit", folder, "--workload", caller) == 0
        assert words in next(folder.glob("*.md")).read_text()
