"""The command line in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_audit import cli
from tests.review.helpers import Outcome, Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line there; whatever it does, no traceback and nothing unprintable is shown."""
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
