"""`migrate status`, `resume` and `cancel` on the command line: exit codes, and what is printed."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import click
import pytest

from llm_audit import cli
from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate import context as contexts
from llm_audit.migrate import lock, reconcile
from llm_audit.migrate import run as runs
from llm_audit.migrate.ledger import open_ledger
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from tests.migrate import logs
from tests.migrate.engine import SharedClock, book, scenario, states
from tests.migrate.fake.process import FakeProcess

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path,
    vendors: FakeProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """A command line in a folder of its own, with the tests' clock and the fake's keys."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLM_AUDIT_DB", raising=False)
    for name, value in vendors.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(contexts, "SystemClock", lambda: SharedClock(vendors, vendors.control()))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["migrate", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".llm-audit" / "migrate"


def test_there_is_nothing_to_show_before_the_first_run(run: Run) -> None:
    code, _, err = run("status")
    assert code == ExitCode.ERROR
    assert "llm-audit migrate --dry-run" in err


def test_resume_does_what_is_left_and_status_shows_it(
    run: Run, folder: Path, vendors: FakeProcess
) -> None:
    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (2, 3))
    code, out, err = run("resume")
    assert (code, states(folder)) == (ExitCode.OK, {RequestState.SUCCEEDED: 5})
    assert "done, 5 of 5 requests answered" in out
    assert "1 submitted" in err
    code, out, _ = run("status", "--format", "json")
    assert code == ExitCode.OK
    assert json.loads(out)["runs"][0]["requests"] == {"succeeded": 5}


def test_what_needs_a_person_has_its_exit_code(
    run: Run, folder: Path, vendors: FakeProcess
) -> None:
    vendors.play(scenario(batches=[{"missing": [1]}]))
    book(folder, Vendor.ANTHROPIC, (3,))
    assert run("resume")[0] == ExitCode.MIGRATION
    code, out, _ = run("status")
    assert code == ExitCode.MIGRATION
    assert "--resend-lost" in out


def test_a_missing_key_is_told_before_anything_is_sent(
    run: Run, folder: Path, vendors: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.play(scenario())
    book(folder, Vendor.ANTHROPIC, (3,))
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert run("resume")[0] == ExitCode.KEY
    assert vendors.journal.requests() == []


def test_ctrl_c_leaves_the_batches_going_and_says_how_to_go_on(
    run: Run, folder: Path, vendors: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SharedClock, "sleep", press)
        code, _, err = run("resume")
    assert code == ExitCode.INTERRUPTED
    assert "llm-audit migrate resume" in err
    assert "batch_fake000001" in err
    assert vendors.journal.requests("openai.batches.cancel") == []
    assert run("resume")[0] == ExitCode.OK
    assert set(vendors.journal.bought().values()) == {1}


def test_a_second_process_is_told_who_is_at_it(
    run: Run, folder: Path, vendors: FakeProcess
) -> None:
    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))
    with lock.held(folder):
        code, _, err = run("resume")
        assert code == ExitCode.ERROR
        assert "process" in err
        assert run("status")[0] == ExitCode.OK


def test_cancel_asks_first(run: Run, folder: Path, vendors: FakeProcess) -> None:
    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))
    code, _, err = run("cancel")
    assert code == ExitCode.ERROR
    assert "--yes" in err
    assert run("cancel", "--yes")[0] == ExitCode.OK
    assert states(folder) == {RequestState.RELEASED: 3}
    assert run("status")[0] == ExitCode.OK


def test_cancel_tells_what_was_heard_and_works_again(
    run: Run, folder: Path, vendors: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = {"op": "*.batches.cancel", "nth": 1, "when": "before", "reply": 403, "message": "no"}
    vendors.play(scenario(faults=[fault], batches=[{"ends_after": 50_000, "done": 0}]))
    book(folder, Vendor.OPENAI, (2, 3))
    interrupted(run, monkeypatch)
    code, out, err = run("cancel", "--yes")
    assert code == ExitCode.MIGRATION
    assert "1 never sent, 1 running and not heard to end" in out
    assert "llm-audit migrate cancel" in err
    code, out, _ = run("status")
    assert code == ExitCode.MIGRATION
    assert "not cancelled: no" in out
    code, out, _ = run("cancel", "--yes")
    assert code == ExitCode.OK
    assert "1 ending early" in out
    assert run("resume")[0] == ExitCode.OK
    code, out, _ = run("cancel", "--yes")
    assert code == ExitCode.OK
    assert "nothing was running" in out


def interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`resume` until its first wait, which is for the first batch."""

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SharedClock, "sleep", press)
        assert run("resume")[0] == ExitCode.INTERRUPTED


def test_cancel_takes_what_is_collected_and_would_be_tried_again(
    run: Run, folder: Path, vendors: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    vendors.play(scenario(rows=[{"outcome": "expired", "lines": 2, "attempt": 1}]))
    book(folder, Vendor.OPENAI, (3,))
    with monkeypatch.context() as patch:
        patch.setattr(runs, "STEPS", {**runs.STEPS, ShardState.COLLECTED: press})
        assert run("resume")[0] == ExitCode.INTERRUPTED
    assert run("resume", "--yes")[0] == ExitCode.USAGE, "it may spend, and has no limit"
    code, out, _ = run("cancel", "--yes")
    assert code == ExitCode.OK
    assert "nothing was running" not in out
    assert run("resume")[0] == ExitCode.OK
    assert len(vendors.journal.batches()) == 1


def test_the_wish_to_cancel_is_kept_though_a_double_cannot_be_ended(
    run: Run, folder: Path, vendors: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> int:
        raise MigrationError("bad key", slug="key-refused", exit_code=ExitCode.KEY)

    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))
    monkeypatch.setattr(reconcile, "cancel_doubles", refuse)
    assert run("cancel", "--yes")[0] == ExitCode.KEY
    assert states(folder) == {RequestState.RELEASED: 3}


def test_ctrl_c_names_no_batch_where_none_is_running(
    run: Run, folder: Path, vendors: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.play(scenario(faults=[{"op": "openai.files.create", "nth": 1, "reply": 500}]))
    book(folder, Vendor.OPENAI, (3,))

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SharedClock, "sleep", press)
    code, _, err = run("resume")
    assert code == ExitCode.INTERRUPTED
    assert "no batch is running" in err
    assert "1 time in a row, tried again from" in err


@pytest.mark.parametrize("outcome", ["bad_request", "server_error", "expired"])
def test_requests_that_nobody_answered_have_the_exit_code_of_attention(
    outcome: str, run: Run, folder: Path, vendors: FakeProcess
) -> None:
    vendors.play(scenario(rows=[{"outcome": outcome}]))
    book(folder, Vendor.OPENAI, (3,))
    code, out, _ = run("resume")
    assert code == ExitCode.MIGRATION
    assert "! 3 requests" in out
    assert run("cancel", "--run", "run1", "--yes")[0] == ExitCode.OK
    assert run("status")[0] == ExitCode.OK


def test_a_limit_is_of_one_run(run: Run, folder: Path, vendors: FakeProcess) -> None:
    vendors.play(scenario())
    least = Decimal("0.000001")
    book(folder, Vendor.OPENAI, (3,), max_cost=least)
    book(folder, Vendor.OPENAI, (3,), max_cost=least, run_id="run2")
    code, _, err = run("resume", "--max-cost", "5")
    assert code == ExitCode.USAGE
    assert "--run: run1, run2" in err
    code, _, err = run("resume", "--run", "run2", "--max-cost", "5")
    assert code == ExitCode.OK
    assert "left alone: run run1" in err
    assert states(folder, "run1") == {RequestState.ASSIGNED: 3}
    assert states(folder, "run2") == {RequestState.SUCCEEDED: 3}
    with open_ledger(folder) as ledger:
        assert [row.max_cost for row in ledger.runs()] == [least, Decimal(5)]
    assert run("resume", "--max-cost", "5")[0] == ExitCode.OK  # one is left, so it is that one
    with open_ledger(folder) as ledger:
        assert [row.max_cost for row in ledger.runs()] == [Decimal(5), Decimal(5)]
    assert run("resume", "--run", "run3")[0] == ExitCode.USAGE


def test_yes_needs_a_limit(run: Run, folder: Path, vendors: FakeProcess) -> None:
    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))
    code, _, err = run("resume", "--yes")
    assert code == ExitCode.USAGE
    assert "--max-cost" in err
    code, _, err = run("--yes")
    assert code == ExitCode.USAGE
    assert "--max-cost" in err
    assert vendors.journal.requests() == []


def test_what_may_be_unknown_is_sent_again_by_its_own_option_only(
    run: Run, folder: Path, vendors: FakeProcess
) -> None:
    fault = {"op": "*.batches.create", "nth": 1, "when": "before", "reply": "close"}
    vendors.play(scenario(faults=[fault]))
    book(folder, Vendor.OPENAI, (3,))
    limit = ("--yes", "--max-cost", "5")
    assert run("resume", *limit)[0] == ExitCode.MIGRATION
    assert vendors.journal.batches() == []
    code, _, err = run("resume", "--resend-unknown")
    assert code == ExitCode.ERROR
    assert "nothing was sent" in err
    assert run("resume", "--resend-unknown", *limit)[0] == ExitCode.OK
    assert set(vendors.journal.bought().values()) == {1}


def test_options_before_a_subcommand_are_not_lost(
    run: Run, folder: Path, vendors: FakeProcess
) -> None:
    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))
    for options in (("--dry-run",), ("--max-cost", "0.01"), ("--yes",), ("--limit", "1")):
        code, _, err = run(*options, "resume")
        assert code == ExitCode.USAGE
        assert options[0] in err
    assert vendors.journal.requests() == []


def test_a_refused_key_shows_where_it_stands(run: Run, folder: Path, vendors: FakeProcess) -> None:
    vendors.play(scenario(faults=[{"op": "openai.*", "reply": 401, "message": "bad key"}]))
    book(folder, Vendor.OPENAI, (3,))
    code, out, err = run("resume")
    assert code == ExitCode.KEY
    assert "open, 0 of 3 requests answered" in out
    assert "bad key" in err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_status_reads_where_nobody_may_write_as_somebody(
    run: Run, folder: Path, vendors: FakeProcess
) -> None:
    reads_only(run, folder, vendors)


def test_status_reads_where_nobody_may_write(
    run: Run, folder: Path, vendors: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root sees it: every attempt to write is refused."""
    real_open = os.open

    def refuse(path: object, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    def open_(path: str | Path, flags: int, *rest: int) -> int:
        if flags & os.O_CREAT:
            refuse(path)
        return real_open(path, flags, *rest)

    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))
    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(Path, "touch", refuse)
    code, out, _ = run("status")
    assert code == ExitCode.OK
    assert "0 of 3 requests answered" in out
    for command in (("resume",), ("cancel", "--yes")):
        code, _, err = run(*command)
        assert code == ExitCode.ERROR
        assert "cannot write" in err


def reads_only(run: Run, folder: Path, vendors: FakeProcess) -> None:
    """With the folder's own permissions."""
    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))
    for path in (folder / "ledger.sqlite", folder):
        path.chmod(path.stat().st_mode & 0o555)
    try:
        assert run("status")[0] == ExitCode.OK
        code, _, err = run("resume")
        assert code == ExitCode.ERROR
        assert "cannot write" in err
    finally:
        folder.chmod(0o700)


# --- a new run ------------------------------------------------------------------------------------


@pytest.fixture
def audited(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The log of a nightly job, ingested in the folder of the command line."""
    log = tmp_path / "log.jsonl"
    log.write_bytes(logs.lines(logs.openai_chat(n) for n in range(150)))
    assert cli.run(["ingest", str(log)]) == 0
    capsys.readouterr()


@pytest.mark.usefixtures("audited")
def test_what_is_not_begun_leaves_nothing_behind(
    run: Run, folder: Path, vendors: FakeProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody to ask, a no, a limit below the first batch, a missing key."""

    def left() -> list[str]:
        return [path.name for path in folder.iterdir() if path.name != "lock"]

    vendors.play(scenario())
    code, _, err = run("--sample", "60")
    assert code == ExitCode.ERROR
    assert "nothing was sent" in err
    assert left() == []
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        patch.setattr(click, "confirm", lambda *_, **__: False)
        code, _, err = run("--sample", "60")
    assert code == ExitCode.ERROR
    assert "error: nothing was sent" in err
    assert left() == []
    code, _, err = run("--yes", "--max-cost", "0.01", "--sample", "60")
    assert code == ExitCode.ERROR
    assert "above --max-cost 0.01: nothing was booked" in err
    assert left() == []
    monkeypatch.delenv("OPENAI_API_KEY")
    assert run("--yes", "--max-cost", "100", "--sample", "60")[0] == ExitCode.KEY
    assert left() == []
    assert vendors.journal.requests() == []


@pytest.mark.usefixtures("audited")
def test_a_new_run_leaves_older_ones_alone_and_takes_other_calls(
    run: Run, folder: Path, vendors: FakeProcess
) -> None:
    vendors.play(scenario())
    book(folder, Vendor.OPENAI, (3,))
    sample = ("--yes", "--max-cost", "100", "--sample", "60")
    code, out, err = run(*sample)
    assert code == ExitCode.OK
    assert "60 of 60 requests answered" in out
    assert "left alone: run run1" in err
    assert states(folder) == {RequestState.ASSIGNED: 3}
    assert run(*sample)[0] == ExitCode.OK
    with open_ledger(folder) as ledger:
        assert len(ledger.known_keys()) == 3 + 60 + 60


@pytest.mark.usefixtures("audited")
def test_how_far_a_limit_reaches_is_told_before(
    run: Run, folder: Path, vendors: FakeProcess
) -> None:
    vendors.play(scenario())
    code, _, err = run("--yes", "--max-cost", "1.00", "--sample", "120")
    assert code == ExitCode.MIGRATION
    assert "is enough for 1 of 2 batches" in err
    assert len(vendors.journal.batches()) == 1
