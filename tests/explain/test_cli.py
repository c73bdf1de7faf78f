"""`llm-audit explain` as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from llm_audit import cli
from tests.cli.test_cli import ESCAPE, Outcome
from tests.ingest.helpers import chat, jsonl, write

Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLM_AUDIT_DB", raising=False)

    def run(*arguments: str | Path) -> Outcome:
        code = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        for text in (captured.out, captured.err):
            assert "Traceback" not in text
            assert text.replace("\n", "").isprintable()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def log(tmp_path: Path, run: Run) -> None:
    write(tmp_path / "log.jsonl", jsonl(chat(1), chat(2)))
    assert run("ingest", "log.jsonl").code == 0


def names(run: Run) -> tuple[str, str]:
    """A workload_id and a call_id of the log."""
    out = run("sql", "SELECT workload_id, min(call_id) AS c FROM labels GROUP BY ALL").out
    workload_id, call_id = out.splitlines()[-1].split()
    return workload_id, call_id


def test_a_workload_and_a_call_as_text(run: Run, log: None) -> None:
    assert run("report").code == 0  # fills the tables that `names` asks
    workload_id, call_id = names(run)
    outcome = run("explain", workload_id)
    assert outcome.code == 0
    for title in ("WHY", "WHAT WOULD CHANGE IT", "CALLS TO LOOK AT", "MONEY"):
        assert f"\n{title}" in outcome.out
    assert "\n      log.jsonl:1\n" in outcome.out  # from the working folder
    outcome = run("explain", call_id)
    assert outcome.code == 0
    assert outcome.out.startswith(f"Call {call_id}\n  log.jsonl:1 (")
    assert "\nTHE ROW" in outcome.out
    assert "This call costs" in outcome.out


def test_json_and_files(run: Run, log: None, tmp_path: Path) -> None:
    run("report")
    workload_id, call_id = names(run)
    document = json.loads(run("explain", workload_id, "--format", "json").out)
    assert document["who"]["workload_id"] == workload_id
    assert document["call"] is None
    outcome = run("explain", call_id, "--out", "call.json")
    assert (outcome.code, outcome.out) == (0, "")
    assert json.loads((tmp_path / "call.json").read_text())["call"]["call_id"] == call_id
    assert run("explain", call_id, "--out", "call.txt").code == 0
    assert (tmp_path / "call.txt").read_text().startswith(f"Call {call_id}\n")
    assert run("explain", call_id, "--out", "no/such/folder.txt").code == 1


def test_it_changes_no_call(run: Run, log: None) -> None:
    everything = ("sql", "SELECT * FROM calls ORDER BY call_id")
    before = run(*everything).out
    assert run("explain", "unknown*").code == 0
    assert run(*everything).out == before


def test_an_unknown_name(run: Run, log: None) -> None:
    outcome = run("explain", ESCAPE)
    assert (outcome.code, outcome.out) == (1, "")
    assert "no workload, caller or call" in outcome.err
    assert "hint: " in outcome.err


def test_an_ambiguous_name_lists_the_candidates(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "log.jsonl", jsonl(chat(1), chat(2, model="gpt-4.1")))
    run("ingest", "log.jsonl")
    outcome = run("explain", "*", "--format", "json")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("w_") == 2
    assert "names 2 workloads" in outcome.err


def test_no_database_and_no_calls(run: Run, tmp_path: Path) -> None:
    outcome = run("explain", "x")
    assert outcome.code == 1
    assert "no audit database" in outcome.err
    write(tmp_path / "broken.jsonl", b"{broken\n" + jsonl({"input_tokens": 3}))
    run("ingest", "broken.jsonl", "--format", "openai_chat")
    outcome = run("explain", "x")
    assert outcome.code == 1
    assert "no calls" in outcome.err
    assert run("explain").code == 2


@pytest.mark.parametrize("name", ["", "   ", "\t\n"])
def test_a_blank_name_is_a_usage_error(run: Run, log: None, name: str) -> None:
    outcome = run("explain", name)
    assert (outcome.code, outcome.out) == (2, "")
    assert "is empty" in outcome.err
    assert "hint: see them all: " in outcome.err


def test_a_very_long_name_is_cut_in_the_message(run: Run, log: None) -> None:
    outcome = run("explain", "a" * 20_000)
    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.err) < 400


def test_a_call_id_that_stands_in_two_files_is_one_call(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", jsonl(chat(1)))
    write(tmp_path / "b.jsonl", jsonl(chat(1), chat(2)))
    assert run("ingest", "a.jsonl", "b.jsonl").code == 0
    outcome = run("explain", "chatcmpl-1")
    assert outcome.code == 0
    assert outcome.out.startswith("Call chatcmpl-1\n  a.jsonl:1 (openai_chat)\n")


OVERRIDE = """
[[override]]
caller = "unknown*"
label = "batch_eligible"
because = "the import runs the next evening"
by = "ana"
until = {until}
"""


def test_an_owners_word_and_one_that_has_ended(run: Run, log: None, tmp_path: Path) -> None:
    config = tmp_path / "llm-audit.toml"
    write(config, OVERRIDE.format(until="2000-01-31").encode())
    outcome = run("explain", "unknown*")
    assert outcome.code == 0
    text = " ".join(outcome.out.split())
    assert (
        "ENDED, so ignored: the owner's word (llm-audit.toml, caller = 'unknown*'): label "
        "batch-eligible; because: the import runs the next evening; by: ana; until 2000-01-31"
    ) in text
    assert "BATCH-ELIGIBLE" not in text
    assert "[[override]]" in text  # the owner may say it anew
    document = json.loads(run("explain", "unknown*", "--format", "json").out)
    assert [word["in_force"] for word in document["owner"]] == [False]

    write(
        config, (OVERRIDE.format(until="2999-01-31") + OVERRIDE.format(until="2000-01-31")).encode()
    )
    text = " ".join(run("explain", "chatcmpl-1").out.split())
    assert "The owner's word (llm-audit.toml, caller = 'unknown*'): label batch-eligible; " in text
    assert "by: ana; until 2999-01-31" in text
    assert "ENDED, so ignored: " in text
    assert "BATCH-ELIGIBLE" in text
    assert "The owner has decided" in text
    write(config, OVERRIDE.replace("unknown", "other").format(until="2000-01-31").encode())
    assert "owner's word (" not in run("explain", "chatcmpl-1").out
