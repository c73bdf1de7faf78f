"""The questions on a terminal: a real pseudo-terminal, answered key by key."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.review.helpers import Run, gray_run, labels_of, write_audit

TIMEOUT_S = 60.0


def talk(folder: Path, lines: list[str], *arguments: str) -> tuple[int, str]:
    """Run `review` on a terminal, type a line at each prompt; exit code and what was shown."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "dumb", "USER": "ana", "LOGNAME": "ana"}
    environment.pop("LLM_AUDIT_DB", None)
    command = [sys.executable, "-m", "llm_audit", "review", *arguments]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment
    ) as process:
        os.close(theirs)
        shown, seen, waiting = "", 0, list(lines)
        until = time.monotonic() + TIMEOUT_S
        while time.monotonic() < until:
            ready, _, _ = select.select([ours], [], [], 0.05)
            if ready:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:  # the terminal is gone with the program
                    break
                if not chunk:
                    break
                shown += chunk.decode()
            elif waiting and re.search(r": $", shown[seen:]):
                seen = len(shown)
                os.write(ours, (waiting.pop(0) + "\n").encode())
            elif process.poll() is not None:
                break
        else:
            process.kill()
        os.close(ours)
        return process.wait(), shown.replace("\r\n", "\n")


def overrides(folder: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = tomllib.loads((folder / "llm-audit.toml").read_text())[
        "override"
    ]
    return entries


def test_a_session(run: Run, tmp_path: Path) -> None:
    names = ["first", "second", "third", "fourth", "fifth"]
    calls = [c for n, name in enumerate(names) for c in gray_run(1000 * n, name, 300 - 40 * n)]
    write_audit(tmp_path, calls)
    code, shown = talk(
        tmp_path,
        ["maybe", "y", "", "the index is read on Mondays", "soon", "2020-01-01", "2999-01-31",
         "h", "many", "8", "d", "n", "q"],
    )  # fmt: skip
    assert code == 0, shown
    assert "1 of 5: first | chat | openai gpt-4.1 | w_" in shown
    assert "please answer y, h, n, d or q" in shown
    assert "that is no day" in shown
    assert "2020-01-01 is over" in shown
    assert "that is no number of hours" in shown
    assert "deadline risk" in shown
    assert "wrote 3 answers to llm-audit.toml" in shown
    signed = {"by": "ana", "because": "the index is read on Mondays"}
    written = overrides(tmp_path)
    for entry in written:
        assert str(entry.pop("until")) == "2999-01-31"
        assert entry.pop("model") == "gpt-4.1"
        assert entry.pop("operation") == "chat"
    assert written == [
        {"caller": "first", "tolerance": "24 h", **signed},
        {"caller": "second", "tolerance": "8 h", **signed},
        {"caller": "fourth", "label": "realtime", **signed},
    ]
    assert labels_of(run) == {
        "first": {"batch_eligible"}, "second": {"batch_eligible"}, "third": {"gray_area"},
        "fourth": {"realtime"}, "fifth": {"gray_area"},
    }  # fmt: skip


def test_options_are_not_asked_for_again(tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    code, shown = talk(tmp_path, ["y"], "--by", "eve", "--because", "b", "--until", "2999-01-31")
    assert code == 0, shown
    assert "your name" not in shown
    assert "until which day" not in shown
    [entry] = overrides(tmp_path)
    assert (entry["by"], entry["because"], str(entry["until"])) == ("eve", "b", "2999-01-31")


def test_an_interrupted_session_keeps_what_was_answered(tmp_path: Path) -> None:
    write_audit(tmp_path, [*gray_run(0, "one", 300), *gray_run(1000, "two")])
    code, shown = talk(tmp_path, ["n", "", "", "", "\x04"])
    assert code == 130, shown
    assert "error: interrupted" in shown
    [entry] = overrides(tmp_path)
    assert (entry["caller"], entry["by"]) == ("one", "ana")
    assert entry["because"].startswith("answered in llm-audit review on 20")
    assert "until" not in entry


def test_without_an_answer_nothing_is_written(tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    code, shown = talk(tmp_path, ["d"])
    assert code == 0
    assert "no answer, nothing written" in shown
    assert not (tmp_path / "llm-audit.toml").exists()


def test_a_hostile_name_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "\x1b]0;owned\x07\x1b[2Jbare\u202e\n7 of 7: fake"))
    code, shown = talk(tmp_path, ["q"])
    assert code == 0
    assert shown.replace("\n", "").isprintable()
    assert "bare 7 of 7: fake | chat" in shown


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_list_is_never_a_session(tmp_path: Path, form: str) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    code, shown = talk(tmp_path, [], "--format", form)
    assert code == 0
    assert "May the results of bare come" in shown
    assert "[q]uit" not in shown
