"""`llm-audit migrate --dry-run` on sample_logs: its numbers are the report's."""

from __future__ import annotations

import json
import re
import shlex
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import cli
from llm_audit.migrate import dry_run, rates
from llm_audit.migrate import run as booking
from llm_audit.migrate.candidates import Choice
from llm_audit.migrate.layout import usd
from llm_audit.migrate.ledger import open_ledger
from llm_audit.migrate.text import question, text
from llm_audit.workspace import Workspace
from tests.migrate import logs
from tests.support import ROOT


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "audit.duckdb"
    assert cli.run(["--db", str(path), "ingest", str(ROOT / "sample_logs")]) == 0
    return path


@contextmanager
def _no_network() -> Iterator[None]:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a dry run opens no connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        patch.delenv("OPENAI_API_KEY", raising=False)
        patch.delenv("ANTHROPIC_API_KEY", raising=False)
        yield


@pytest.fixture
def run(database: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = cli.run(["--db", str(database), *map(str, arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert (captured.out + captured.err).replace("\n", "").isprintable()
        return Outcome(code, captured.out, captured.err)

    with _no_network():
        yield run


@pytest.fixture(scope="module")
def told() -> dict[tuple[str, ...], Outcome]:
    """What a dry run of the sample logs says, by its options."""
    return {}


@pytest.fixture
def dry(run: Run, told: dict[tuple[str, ...], Outcome]) -> Run:
    """A dry run with these options; the same one is made once."""

    def dry(*options: str | Path) -> Outcome:
        key = tuple(map(str, options))
        if key not in told:
            told[key] = run("migrate", "--dry-run", *options)
        assert told[key].code == 0, told[key].err
        return told[key]

    return dry


def document(outcome: Outcome) -> dict[str, Any]:
    assert outcome.code == 0, outcome.err
    value: dict[str, Any] = json.loads(outcome.out)
    return value


def test_the_numbers_are_the_reports(run: Run, database: Path) -> None:
    dry = document(run("migrate", "--dry-run", "--format", "json"))
    report = document(run("report", "--format", "json"))
    assert Decimal(dry["headline_saving"]) == Decimal(report["savings"]["observed"]["conservative"])
    left = sum(Decimal(line["headline_saving"]) for line in dry["left_out"])
    assert Decimal(dry["saving"]) + left == Decimal(dry["headline_saving"])
    assert dry["calls"] == dry["requests"] + sum(line["calls"] for line in dry["left_out"])
    assert dry["calls"] == report["period"]["calls"] == 10_682
    assert Decimal(dry["saving"]) > 0

    worth = {w["workload_id"]: w for w in report["workloads"] if w["worth_it"]}
    eligible = {k: w for k, w in worth.items() if w["label"] == "batch_eligible"}
    assert {w["workload_id"] for w in dry["workloads"]} == set(eligible)
    for line in dry["workloads"]:
        same = eligible[line["workload_id"]]
        assert Decimal(line["headline_saving"]) == Decimal(same["saving_conservative"])
        if line["requests"]:  # of these every call that was paid is replayable
            saving = Decimal(line["sync_cost"]) - Decimal(line["batch_cost"])
            assert saving == Decimal(same["saving_conservative"])
            assert Decimal(line["sync_cost"]) == Decimal(same["effective_cost"])
    with Workspace(database).connect(read_only=True) as connection:
        [(distinct, told)] = connection.execute(
            "SELECT count(DISTINCT call_id), count(*) FILTER (reason IS NULL) FROM migration_calls"
        ).fetchall()
    assert (distinct, told) == (10_682, dry["requests"])


def test_the_shards_add_up(run: Run) -> None:
    dry = document(run("migrate", "--dry-run", "--format", "json", "--max-rows", "300"))
    assert sum(shard["requests"] for shard in dry["shards"]) == dry["requests"] == 1_240
    for name in ("sync_cost", "batch_cost"):
        assert sum(Decimal(shard[name]) for shard in dry["shards"]) == Decimal(dry[name])
    assert dry["batches"] == len(dry["shards"])
    assert dry["canaries"] == 2
    assert dry["window_hours"] == 24
    assert dry["folder"] is None


def test_the_text_says_what_matters(dry: Run) -> None:
    outcome = dry()
    assert outcome.code == 0, outcome.err
    for part in (
        "1,240 requests in 4 batches, 2 canaries first. Nothing was sent.",
        "Left out: 9,442 of 10,682 calls",
        "LiteLLM logs these calls in OpenAI's chat shape",
        "storefront-helper",
        "    llm-audit migrate --dry-run --out DIR --db ",
    ):
        assert part in outcome.out


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_replay_is_not_called_a_saving(dry: Run) -> None:
    """What is in the log is paid; sending it again costs more."""
    outcome = dry()
    plan = document(dry("--format", "json"))
    said = flat(outcome.out)
    at_most = usd(Decimal(plan["ceiling"]))
    assert f"buys these answers again: about $35.33 more, at most {at_most}," in said
    assert "The $70.65 in the log is paid already; nothing of it comes back." in said
    assert "would have cost $35.33 less" in said
    assert re.search(r"paid then +costs now +at most", outcome.out)
    assert " saved" not in said
    assert "llm-audit migrate --sample 50 --db " in outcome.out
    assert "llm-audit migrate verify --db " in outcome.out
    assert "llm-audit migrate --emit DIR --db " in outcome.out


def test_the_reports_figure_is_named_with_its_days(dry: Run, run: Run) -> None:
    report = document(run("report", "--format", "json"))
    plan = document(dry("--format", "json"))
    monthly = Decimal(report["savings"]["monthly"]["conservative"])
    assert Decimal(plan["headline_monthly"]) == monthly
    assert plan["days"] == report["period"]["days"] == 14
    said = flat(dry().out)
    assert f"is $609.00 in the 14 days of this log (${monthly:,.0f} a month);" in said
    assert "the calls of this plan stand for $35.33 of it" in said


def test_it_is_said_what_goes_where_and_how_long_it_stays(dry: Run, run: Run) -> None:
    said = flat(dry().out)
    assert "1,240 prompts from your logs go to the account of OPENAI_API_KEY at OpenAI" in said
    assert "deletes prompts and answers after 7 days" in said
    assert ".llm-audit/migrate/, in clear text, until you delete them" in said
    assert "Anthropic" not in said
    said = flat(run("migrate", "--help").out)
    for words in ("7 days", "29 days", "zero data retention", "clear text", "saves nothing of"):
        assert words in said


def test_canaries_are_waited_for(dry: Run) -> None:
    asked = ("--format", "json")
    plan = document(dry(*asked))
    assert hours(plan) == (48, 72)
    plan = document(dry(*asked, "--sample", "10"))
    assert plan["batches"] == plan["canaries"]
    assert hours(plan) == (24, 48)
    said = flat(dry().out)
    assert (
        "A batch may take 24 hours, and the others wait for their canary: 48 hours in all" in said
    )


def hours(plan: dict[str, Any]) -> tuple[int, int]:
    made, done, again = (
        datetime.fromisoformat(plan[name])
        for name in ("created_at", "done_by", "done_by_with_retry")
    )
    return (done - made) // timedelta(hours=1), (again - made) // timedelta(hours=1)


def test_no_line_is_wider_than_the_terminal(
    run: Run, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace(database).connect() as connection:
        shown = dry_run.build(connection, logs.make(connection, tmp_path / "run"), kept=True)
    shown = replace(shown, folder=None)
    for width in (60, 80, 100, 150):
        lines = text(shown, width).splitlines()
        assert max(map(len, lines)) <= width
        assert any("$388.48" in line for line in lines)
    monkeypatch.setenv("COLUMNS", "70")
    lines = run("migrate", "--dry-run").out.splitlines()
    prose = [line for line in lines if not line.startswith("    llm-audit ")]
    assert 60 < max(map(len, prose)) <= 70, "a command is on one line, to be pasted"


def test_of_what_was_chosen(dry: Run) -> None:
    out = dry("--workload", "svc-orion").out
    assert "no call of what you chose is both eligible and replayable" in out
    assert "catalogue-enrichment" not in out, "what was not chosen is not listed"
    assert "svc-orion" in out
    assert "--emit" not in out, "nothing of it is worth a switch"
    assert "stand for" not in out
    out = dry("--workload", "storefront-helper").out
    assert "llm-audit migrate --workload storefront-helper --sample 50 --db " in out


@pytest.mark.parametrize(
    "asked",
    [
        ("--sample", "50"),
        ("--limit", "10"),
        ("--workload", "store*-helper", "--sample", "60", "--limit", "55", "--max-rows", "20"),
        ("--queue-tokens", "150000", "--sample", "30"),
    ],
)
def test_the_next_step_sends_what_the_text_says(dry: Run, asked: tuple[str, ...]) -> None:
    """The choice that was made stays: without it, it would be 1,240 calls."""
    plan = document(dry(*asked, "--format", "json"))
    out = dry(*asked).out
    about = usd(Decimal(plan["batch_cost"]))
    assert f"To prove it on {plan['requests']} calls, for about {about}:" in flat(out)
    [proof] = re.findall(r"To prove it.*\n    llm-audit migrate (.*) --db", out)
    assert document(dry(*shlex.split(proof), "--format", "json"))["requests"] == plan["requests"]
    [kept] = re.findall(r"llm-audit migrate --dry-run (.*) --out DIR --db", out)
    assert sorted(shlex.split(kept)) == sorted(shlex.split(proof)) == sorted(asked)


def test_the_next_step_says_where_and_is_safe_to_paste(
    dry: Run, database: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "my policy.toml"
    policy.write_text("")
    out = dry("--workload", "storefront*", "--config", str(policy)).out
    where = f"--db {shlex.quote(str(database))} --config {shlex.quote(str(policy))}"
    assert f"llm-audit migrate --workload 'storefront*' --sample 50 {where}\n" in out
    assert f"llm-audit migrate verify {where}\n" in out
    assert f"llm-audit migrate --workload 'storefront*' --emit DIR {where}\n" in out


def test_names_are_quoted_or_named_by_id(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(logs.lines(logs.openai_chat(number) for number in range(120)))
    logs.audit(connection, log)
    plan = logs.make(connection, tmp_path / "run-1")
    hostile = Choice(("night $(id)*; rm 'x'",))
    shown = text(dry_run.build(connection, plan, kept=False, choice=hostile))
    [proof] = re.findall(r"llm-audit (migrate --workload .* --sample 50)\n", shown)
    assert shlex.split(proof)[2] == hostile.workloads[0]
    unseen = Choice(("night\x1b[31m*",))
    shown = text(dry_run.build(connection, plan, kept=False, choice=unseen))
    assert re.search(r"llm-audit migrate --workload w_[0-9a-f]{10} --sample 50\n", shown)


def test_a_queue_that_is_too_small_names_one_that_is_not(dry: Run) -> None:
    asked = ("--format", "json", "--queue-tokens")
    plan = document(dry(*asked, "1000"))
    assert plan["requests"] == 0
    said = flat(dry("--queue-tokens", "1000").out)
    assert "no call of what you chose" in said
    least = plan["queue_tokens"]
    assert f"--queue-tokens {least} is the least that takes them all" in said
    assert document(dry(*asked, str(least)))["queue_tokens"] is None
    assert document(dry(*asked, str(least - 1)))["requests"] < 1_240


def test_at_most_is_what_max_cost_counts(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    calls = [make(n) for make in (logs.openai_chat, logs.anthropic) for n in range(120)]
    log.write_bytes(logs.lines(calls))
    logs.audit(connection, log)
    plan = logs.make(connection, tmp_path / "migrate" / "run-1")
    shown = dry_run.build(connection, plan, kept=False)
    with open_ledger(tmp_path / "migrate") as ledger:
        booking.begin(ledger, plan, rates.of_plan(connection, plan), {}, None)
        booked = [shard.ceiling for shard in ledger.shards()]
    assert [line.ceiling for line in shown.shards] == booked
    assert shown.ceiling == sum(booked)
    assert shown.ceiling > shown.batch_cost


def test_the_question_names_vendors_money_and_retention(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    calls = [make(n) for make in (logs.openai_chat, logs.anthropic) for n in range(120)]
    log.write_bytes(logs.lines(calls))
    logs.audit(connection, log)
    plan = logs.make(connection, tmp_path / "run-1")
    shown = dry_run.build(connection, plan, kept=False)
    about, most = usd(shown.batch_cost), usd(shown.ceiling)
    assert question(shown, {}) == (
        "Send 240 prompts from your logs to Anthropic (kept there for 29 days) and OpenAI (kept "
        f"there for 7 days) and spend about {about} (at most {most})?"
    )
    elsewhere = {"OPENAI_BASE_URL": "https://gateway.example/v1"}
    assert "OpenAI at gateway.example (kept" in question(shown, elsewhere)
    limited = question(shown, {}, Decimal("0.05"))
    assert limited.endswith(f"and spend at most $0.0500 (all of it: about {about})?")
    said = text(shown, is_dry=False)
    assert said.startswith("Plan: 240 requests in 4 batches, 2 canaries first.\n")
    assert "zero data retention does not cover batches" in flat(said)
    assert "Nothing was sent" not in said
    assert "because" not in said, "the reasons are the dry run's"


def test_a_run_is_short_and_asks_with_the_money(
    run: Run, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A no costs nothing, and leaves no prompt behind. The reasons stay with --dry-run."""
    asked: list[str] = []
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda question, **_: asked.append(question))
    outcome = run("migrate", "--sample", "30")
    assert outcome.code == 1
    assert "nothing was sent" in outcome.err
    [question] = asked
    assert re.fullmatch(
        r"Send 30 prompts from your logs to OpenAI \(kept there for 7 days\) and spend about "
        r"\$0\.\d{4} \(at most \$0\.\d{4}\)\?",
        question,
    )
    assert outcome.out.startswith("Plan: 30 requests in ")
    assert "Left out: 10,652 of 10,682 calls; --dry-run says why." in outcome.out
    assert "because" not in outcome.out
    assert list(database.parent.rglob("*.jsonl")) == []


def test_nothing_is_kept_without_out(run: Run, database: Path) -> None:
    before = sorted(database.parent.rglob("*"))
    run("migrate", "--dry-run")
    assert sorted(database.parent.rglob("*")) == before


def test_out_keeps_files_that_the_manifest_lists(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "batches"
    dry = document(run("migrate", "--dry-run", "--out", out, "--format", "json"))
    manifest = json.loads((out / "manifest.json").read_text())
    assert dry["folder"] == str(out)
    assert "buy them once more" in (out / "README.md").read_text()
    assert [s["file"] for s in manifest["shards"]] == [s["file"] for s in dry["shards"]]
    assert all((out / shard["file"]).is_file() for shard in dry["shards"])
    again = run("migrate", "--dry-run", "--out", out)
    assert again.code == 1
    assert "is not empty" in again.err


def test_a_workload_a_sample_and_a_limit(run: Run) -> None:
    asked = ("migrate", "--dry-run", "--format", "json")
    dry = document(run(*asked, "--workload", "store*"))
    assert (dry["requests"], len(dry["workloads"])) == (720, 1)
    dry = document(run(*asked, "--workload", "storefront-helper", "--workload", "answer-quality"))
    assert dry["requests"] == 1_240
    assert document(run(*asked, "--sample", "50"))["requests"] == 50
    assert document(run(*asked, "--limit", "7"))["requests"] == 7
    # What is not eligible is not sent, whoever asks.
    assert document(run(*asked, "--workload", "support-chat"))["requests"] == 0
    assert "Nothing to send" in run("migrate", "--dry-run", "--workload", "svc-orion").out
    wrong = run(*asked, "--workload", "storefront-help")
    assert wrong.code == 2
    assert "storefront-helper" in wrong.err


def test_a_log_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.migrate.logs import lines, openai_chat

    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.jsonl").write_bytes(lines(openai_chat(n) for n in range(150)))
    assert cli.run(["ingest", "log.jsonl"]) == 0
    (tmp_path / "log.jsonl").unlink()
    capsys.readouterr()
    assert cli.run(["migrate", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "the log file is not there any more" in out
    assert "Nothing to send" in out
