"""The README cannot drift: its commands run, its tables and its sample output are what we print.

`ACCEPT_GOLDEN=1 pytest tests/test_readme.py` writes the made parts anew.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from llm_audit import cli, schema
from llm_audit.errors import ExitCode
from llm_audit.formats import formats
from llm_audit.policy import Policy
from tests.support import ROOT

README = ROOT / "README.md"
ACCEPT = os.environ.get("ACCEPT_GOLDEN") == "1"


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a newcomer has it: the samples, and nothing else."""
    folder = tmp_path_factory.mktemp("newcomer")
    for name in ("sample_logs", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def _made_part(name: str) -> re.Pattern[str]:
    start, end = f"<!-- made by tests/test_readme.py: {name} -->\n", "<!-- end -->"
    return re.compile(f"({re.escape(start)})(.*?)({re.escape(end)})", re.DOTALL)


def _check_made_part(name: str, text: str) -> None:
    readme = README.read_text(encoding="utf-8")
    found = _made_part(name).search(readme)
    assert found, f"README.md has no part {name}"
    if ACCEPT:
        README.write_text(
            readme[: found.start(2)] + text + readme[found.end(2) :], encoding="utf-8"
        )
        return
    assert found[2] == text


def _commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_every_command_runs(
    newcomer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(newcomer)
    commands = _commands()
    assert len(commands) >= 8
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "llm-audit"
        assert cli.run(arguments) == ExitCode.OK, f"{command}\n{capsys.readouterr().err}"


def test_the_sample_output_is_ours(
    newcomer: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(newcomer)
    assert cli.run(["--db", "sample.duckdb", "ingest", "sample_logs"]) == 0
    capsys.readouterr()
    assert cli.run(["--db", "sample.duckdb", "report", "--as-of", "2026-11-22"]) == 0
    _check_made_part("sample", f"```text\n{capsys.readouterr().out}```\n")


def test_the_columns_are_ours() -> None:
    rows = [f"| `{c.name}` | {c.sql_type} | {c.meaning} |" for c in schema.CALLS]
    _check_made_part(
        "columns", "\n".join(["| column | type | meaning |", "|---|---|---|", *rows, ""])
    )


def test_the_policy_example_is_accepted(tmp_path: Path) -> None:
    block = re.search(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    config = tmp_path / "llm-audit.toml"
    config.write_text(block[1], encoding="utf-8")
    policy = Policy.load(config, today=date(2026, 11, 22))
    assert [override.by for override in policy.overrides] == ["ana@example.com"]
    assert [price.provider for price in policy.price_multipliers] == ["openai"]


def test_every_format_and_exit_code_is_documented() -> None:
    readme = README.read_text(encoding="utf-8")
    assert [name for name in formats() if f"`{name}`" not in readme] == []
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", readme, re.MULTILINE)}
    assert documented == {int(code) for code in ExitCode}


def test_every_command_is_documented() -> None:
    readme = README.read_text(encoding="utf-8")
    assert [name for name in cli.cli.commands if f"`llm-audit {name}" not in readme] == []


@pytest.mark.parametrize(
    "target", re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M)
)
def test_every_target_of_the_makefile_does_something(target: str) -> None:
    asked = subprocess.run(
        ["make", "-n", target, "VERSION=1", "NOTE=x"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert asked.stdout.strip()
    assert "Nothing to be done" not in asked.stdout
