"""The command line: exit codes, where options may stand, what is printed and what never is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import cli
from llm_audit.errors import ExitCode
from tests.ingest.helpers import chat, jsonl, write

ESCAPE = "\x1b[31mred\x07\u202e"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in an empty folder; whatever it does, no traceback is shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLM_AUDIT_DB", raising=False)

    def run(*arguments: str | Path) -> Outcome:
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        for text in (captured.out, captured.err):
            assert text.replace("\n", "").isprintable()
        return Outcome(code, captured.out, captured.err)

    return run


def log(folder: Path, *records: Any, name: str = "log.jsonl") -> Path:
    return write(folder / name, jsonl(*(records or (chat(1), chat(2)))))


def test_ingest_prints_one_line_that_adds_up(run: Run, tmp_path: Path) -> None:
    log(tmp_path / "logs", chat(1), chat(1), b"{broken", {"input_tokens": 3}, chat(2))
    outcome = run("ingest", "logs")
    assert outcome.code == 0
    assert outcome.out.startswith(
        "5 lines in 1 file = 2 calls + 1 reject + 1 duplicate + 1 line without a call"
    )
    assert "see the rejects" in outcome.err
    assert run("ingest", "logs").out == "nothing new: 1 file unchanged\n"


@pytest.mark.parametrize("place", ["before", "after"])
def test_common_options_stand_before_or_after_the_command(
    run: Run, tmp_path: Path, place: str
) -> None:
    log(tmp_path)
    options = ["--db", str(tmp_path / "my.duckdb"), "--threads", "1", "--memory", "500MB"]
    command = ["ingest", "log.jsonl"]
    arguments = [*options, *command] if place == "before" else [*command, *options]
    assert run(*arguments).code == 0
    assert (tmp_path / "my.duckdb").exists()
    assert not (tmp_path / ".llm-audit").exists()
    query = ["sql", "SELECT count(*) AS n FROM calls"]
    arguments = [*options, *query] if place == "before" else [*query, *options]
    assert run(*arguments).out.split() == ["n", "-", "2"]


def test_the_database_from_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(tmp_path)
    monkeypatch.setenv("LLM_AUDIT_DB", str(tmp_path / "env" / "audit.duckdb"))
    assert run("ingest", "log.jsonl").code == 0
    assert (tmp_path / "env" / "audit.duckdb").exists()
    assert run("ingest", "log.jsonl", "--db", tmp_path / "flag.duckdb").code == 0
    assert (tmp_path / "flag.duckdb").exists()


def test_the_workspace_is_private_and_ignored_by_git(run: Run, tmp_path: Path) -> None:
    log(tmp_path)
    run("ingest", "log.jsonl")
    folder = tmp_path / ".llm-audit"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "audit.duckdb").stat().st_mode) == 0o600
    assert (folder / ".gitignore").read_text() == "*\n"


def commands_of(outcome: Outcome) -> list[str]:
    lines = outcome.out.split("Commands:\n")[1].split("\n")
    return [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]


def test_help_lists_what_is_built(run: Run) -> None:
    built = commands_of(run("--help"))
    assert built == sorted(cli.cli.commands)
    assert {"ingest", "prices", "report", "sql"} <= set(built)
    assert commands_of(run("prices", "--help")) == ["check", "diff", "show", "update"]
    for command in [[name] for name in built] + [["prices", "show"], ["prices", "check"]]:
        helped = run(*command, "--help")
        assert helped.code == 0
        assert "--db" in helped.out
        assert "--debug" in helped.out


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "llm_audit", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not imported & {"duckdb", "pandas", "plotly", "jinja2", "openai", "anthropic"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["ingest"],
        ["ingest", "--nonsense", "x"],
        ["ingest", "log.jsonl", "--max-rejects", "many"],
        ["ingest", "log.jsonl", "--threads", "0"],
        ["ingest", "log.jsonl", "--format", "openai_chat", "--map", "input_tokens=x"],
        ["ingest", "log.jsonl", "--memory", "lots"],
        ["report", "--format", "pdf"],
        ["report", "--out", "x.pdf"],
        ["report", "--as-of", "yesterday"],
        ["sql"],
        ["prices", "nonsense"],
        ["prices", "show"],
        ["prices", "show", "gpt-4o", "--tier", "cheap"],
        ["prices", "show", "gpt-4o", "--on", "yesterday"],
        ["prices", "check", "--config", "missing.toml"],
        ["prices", "update", "--format", "excel"],
        ["prices", "diff"],
    ],
)
def test_usage_errors_exit_with_2(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    log(tmp_path)
    outcome = run(*arguments)
    assert outcome.code == ExitCode.USAGE
    assert outcome.out == ""
    assert "Error" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["ingest", "missing.jsonl"], "no such file", "quoted globs"),
        (["ingest", "none/**/*.jsonl"], "no such file", "quoted globs"),
        (["ingest", "s3://bucket/logs"], "not read yet", "copy the logs"),
        (["ingest", "log.jsonl", "--formats", "missing"], "not a folder", ".sql files"),
        (["ingest", "app.jsonl"], "keys seen: level, message", "--map"),
        (["ingest", "notes.txt"], "no JSON, CSV or event stream", "--peek"),
        (["report"], "no audit database", "llm-audit ingest"),
        (["prices", "show", "gpt-99x"], "no price for gpt-99x", "not on the price card"),
        (["prices", "diff", "1999.01.01"], "neither a release", "2026.11.22"),
        (["sql", "SELECT 1"], "no audit database", "llm-audit ingest"),
        (["ingest", "log.jsonl", "--db", "app.jsonl"], "not a DuckDB database", "--db"),
        (["ingest", "log.jsonl", "--db", "app.jsonl/audit.duckdb"], "cannot create", "--db"),
    ],
)
def test_errors_exit_with_1_and_say_what_to_do(
    run: Run, tmp_path: Path, arguments: list[str], message: str, hint: str
) -> None:
    log(tmp_path)
    log(tmp_path, {"level": "info", "message": "started"}, name="app.jsonl")
    write(tmp_path / "notes.txt", b"to do\nmuch\n")
    outcome = run(*arguments)
    assert outcome.code == ExitCode.ERROR
    assert outcome.err.splitlines()[-2 if hint else 0].startswith("error: ")
    assert message in outcome.err
    assert hint in outcome.err
    assert "unexpected" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["ingest", "log.jsonl", "--format", "nonsense"], "unknown format", "openai_chat"),
        (["ingest", "log.jsonl", "--map", "input_tokns=x"], "no column", "input_tokens?"),
        (["ingest", "log.jsonl", "--map", "x"], "not FIELD=PATH", "--map input_tokens="),
        (["report", "--fail-on", "saving>1"], "no condition", "eligible-share"),
    ],
)
def test_a_wrong_option_value_exits_with_2_and_a_hint(
    run: Run, tmp_path: Path, arguments: list[str], message: str, hint: str
) -> None:
    log(tmp_path)
    outcome = run(*arguments)
    assert outcome.code == ExitCode.USAGE
    assert message in outcome.err
    assert hint in outcome.err


def test_an_unknown_file_does_not_keep_the_others_out(run: Run, tmp_path: Path) -> None:
    log(tmp_path)
    log(tmp_path, {"level": "info"}, name="app.jsonl")
    outcome = run("ingest", "log.jsonl", "app.jsonl")
    assert outcome.code == ExitCode.ERROR
    assert outcome.out.startswith("2 lines in 1 file = 2 calls")
    assert run("ingest", "app.jsonl").code == ExitCode.ERROR


def test_a_folder_passes_over_what_is_no_log(run: Run, tmp_path: Path) -> None:
    log(tmp_path / "logs")
    write(tmp_path / "logs" / "notes.txt", b"to do\n")
    write(tmp_path / "logs" / "empty.jsonl", b"")
    write(tmp_path / "logs" / ".hidden.jsonl", jsonl(chat(9)))
    outcome = run("ingest", "logs")
    assert (outcome.code, outcome.err.count("skipped")) == (0, 2)
    assert outcome.out.startswith("2 lines in 1 file")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--strict"], 5),
        (["--max-rejects", "25%"], 0),
        (["--max-rejects", "0.25"], 0),
        (["--max-rejects", "24.9%"], 5),
        (["--max-rejects", "0%"], 5),
    ],
)
def test_too_many_rejects_exit_with_5(
    run: Run, tmp_path: Path, options: list[str], code: int
) -> None:
    log(tmp_path, chat(1), b"{broken", chat(2), chat(3))
    outcome = run("ingest", "log.jsonl", *options)
    assert outcome.code == code
    assert outcome.out.startswith("4 lines in 1 file = 3 calls + 1 reject")
    assert ("1 of 4 lines were rejected" in outcome.err) == (code == 5)


def test_an_interrupt_exits_with_130(run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    log(tmp_path)
    monkeypatch.setattr("llm_audit.ingest.batch.Batch._write", interrupt)
    outcome = run("ingest", "log.jsonl")
    assert (outcome.code, outcome.err.strip()) == (ExitCode.INTERRUPTED, "error: interrupted")


def test_an_interrupt_within_a_query_exits_with_130(
    run: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    def interrupt(*arguments: object) -> None:
        raise RuntimeError("Query interrupted")

    log(tmp_path)
    monkeypatch.setattr("llm_audit.ingest.batch.Batch._write", interrupt)
    assert run("ingest", "log.jsonl").code == ExitCode.INTERRUPTED


def test_what_cannot_be_read_is_an_error_and_not_passed_over(
    run: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    log(tmp_path / "logs")
    log(tmp_path / "logs" / "closed", chat(3))
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    outcome = run("ingest", "logs")
    assert outcome.code == ExitCode.ERROR
    assert "cannot read logs/closed: Permission denied" in outcome.err


def test_an_ingest_that_finds_nothing_new_says_why(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "docs" / "README.md", b"# Logs")
    assert "no log files there" in run("ingest", "docs").err
    log(tmp_path)
    assert run("ingest", "log.jsonl", "--map", "input_tokens=nowhere").code == 0
    assert "take a new database" in run("ingest", "log.jsonl", "--map", "input_tokens=usage.x").err


def test_too_little_memory_is_said_so(run: Run, tmp_path: Path) -> None:
    log(tmp_path)
    run("ingest", "log.jsonl")
    outcome = run("report", "--memory", "1MB")
    assert outcome.code == ExitCode.ERROR
    assert "not enough memory" in outcome.err
    assert "--memory" in outcome.err


def test_a_report_file_comes_with_the_warnings(run: Run, tmp_path: Path) -> None:
    log(tmp_path, chat(1, model="no-such-model"))
    run("ingest", "log.jsonl")
    outcome = run("report", "--out", "savings.html")
    assert outcome.out.startswith("Nothing in this log has a known price")
    assert "! Unpriced calls: 100% of the calls" in outcome.out
    assert "$0" not in outcome.out


def test_a_day_without_prices_is_not_projected(run: Run, tmp_path: Path) -> None:
    log(tmp_path)
    run("ingest", "log.jsonl")
    outcome = run("report", "--project", "--as-of", "1999-01-01")
    assert "100% of the bill has no price on 1999-01-01" in " ".join(outcome.out.split())
    assert "lies ahead" in run("report", "--as-of", "2999-01-01").err
    assert "no such folder" in run("report", "--out", "missing/x.html").err


def test_a_config_that_names_nothing_is_warned_of(run: Run, tmp_path: Path) -> None:
    log(tmp_path)
    run("ingest", "log.jsonl")
    write(
        tmp_path / "llm-audit.toml",
        b"""
        [[override]]
        caller = "nihgtly-*"
        label = "batch_eligible"
        because = "nobody waits"
        by = "ana"
        [[prices]]
        provider = "opanai"
        multiplier = 0.9
        """,
    )
    outcome = run("report")
    assert outcome.code == 0
    assert "line 2, the override of caller = 'nihgtly-*' names no workload" in outcome.err
    assert "the price of opanai * names no priced model" in outcome.err
    write(tmp_path / "llm-audit.toml", b'[[prices]]\nprovider = "openai"\nmultiplier = 0.9\n')
    assert run("report").err == ""


def test_an_archive_of_logs_is_no_csv_file(run: Run, tmp_path: Path) -> None:
    archive = b"log.jsonl\0\0\0ustar " + jsonl(chat(1), chat(2))
    write(tmp_path / "logs" / "old.bin", archive)
    write(tmp_path / "logs" / "old.zip", b"PK\x03\x04")
    assert "skipped" in run("ingest", "logs").err
    prefixed = b'INFO {"model": "gpt-4o", "usage": {"tokens": 1}, "id": 1}\n' * 2
    write(tmp_path / "app.log", prefixed)
    assert "no JSON, CSV or event stream" in run("ingest", "app.log").err


@pytest.mark.parametrize("place", ["before", "after"])
def test_debug_shows_the_traceback(tmp_path: Path, place: str) -> None:
    options = ["--debug", "ingest", "x"] if place == "before" else ["ingest", "x", "--debug"]
    done = subprocess.run(
        [sys.executable, "-m", "llm_audit", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert "InputError" in done.stderr


def test_standard_input_is_read_and_peeked(tmp_path: Path) -> None:
    def piped(*options: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "llm_audit", "ingest", "-", *options],
            input=jsonl(chat(1), chat(2)),
            capture_output=True,
            check=True,
            cwd=tmp_path,
        ).stdout.decode()

    assert "chatcmpl-1" in piped("--peek")
    assert not (tmp_path / ".llm-audit").exists()
    assert piped().startswith("2 lines in 1 file = 2 calls")
    assert piped() == "nothing new: 1 file unchanged\n"


def test_globs(run: Run, tmp_path: Path) -> None:
    log(tmp_path / "logs" / "a", chat(1))
    log(tmp_path / "logs" / "b" / "c", chat(2))
    log(tmp_path / "logs", chat(3), name="other.json")
    assert run("ingest", "logs/**/*.jsonl").out.startswith("2 lines in 2 files = 2 calls")
    log(tmp_path / "odd", chat(4), name="log[1].jsonl")
    log(tmp_path / "odd", chat(5), name="log1.jsonl")
    assert run("ingest", "odd/log[1].jsonl").out.startswith("1 line in 1 file = 1 call")
    assert "chatcmpl-4" in run("sql", "SELECT call_id FROM calls").out


def test_a_hostile_log_prints_nothing_active(run: Run, tmp_path: Path) -> None:
    hostile = {
        "service": ESCAPE,
        "tags": [ESCAPE],
        "request": {"model": ESCAPE, "messages": [{"role": "user", "content": ESCAPE}]},
        "response": chat(1, model=f"<script>{ESCAPE}"),
    }
    folder = tmp_path / "logs"
    bad = chat(2, usage={"prompt_tokens": ESCAPE, "completion_tokens": 1})
    log(folder, hostile, bad, {ESCAPE: 1}, name=f"{ESCAPE}.jsonl")
    log(folder, {ESCAPE: 1}, name=f"unknown {ESCAPE}.jsonl")
    write(folder / f"{ESCAPE}.txt", b"\x1b[2J no log")
    # The fixture checks every output for control characters.
    assert run("ingest", "logs", "--peek").code == 0
    assert run("ingest", "logs").code == 0
    for table in ("calls", "rejects", "ingested_files"):
        assert run("sql", f"SELECT * FROM {table}").code == 0
    assert run("sql", f'SELECT 1 AS "{ESCAPE}"').code == 0
    assert run("ingest", folder / f"unknown {ESCAPE}.jsonl").code in (0, 1)
    assert run("ingest", tmp_path / f"missing {ESCAPE}").code == 1
    assert run("ingest", "logs", "--format", ESCAPE).code == 2
    assert run("report").code == 0


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM calls",
        "DROP TABLE calls",
        "COPY calls TO 'out.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM 'log.jsonl'",
        "ATTACH 'other.duckdb'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "nonsense",
        "",
    ],
)
def test_sql_reads_the_audit_and_nothing_else(run: Run, tmp_path: Path, query: str) -> None:
    log(tmp_path)
    run("ingest", "log.jsonl")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert run("sql", query).code == (ExitCode.OK if query == "" else ExitCode.ERROR)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert run("sql", "SELECT count(*) AS n FROM calls").out.split() == ["n", "-", "2"]


HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_database_held_by_another_process(run: Run, tmp_path: Path) -> None:
    path = log(tmp_path)
    database = tmp_path / "audit.duckdb"
    duckdb.connect(database).close()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        outcome = run("ingest", path, "--db", database)
        assert holder.stdin is not None
        holder.stdin.close()
    assert outcome.code == ExitCode.ERROR
    assert "cannot open" in outcome.err
    assert "close the other" in outcome.err


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    log(tmp_path, *[chat(number) for number in range(3000)])
    command = f"{sys.executable} -m llm_audit"
    done = subprocess.run(
        f"{command} ingest log.jsonl >/dev/null && "
        f"{command} sql 'SELECT * FROM calls' | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.stdout == "0\n"
    assert done.stderr == ""
