"""`llm-audit init`: a file that changes nothing, and whose examples all work."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from llm_audit import cli
from llm_audit.policy import Policy
from llm_audit.policy.starter import starter_config

TABLES = ["words", "rules", "thresholds", "rule", "override", "aliases", "measured", "prices"]


def examples() -> list[str]:
    """The blocks of the file whose lines start with `#` and no space, without the `#`."""
    blocks = re.split(r"^(?!#\S).*\n", starter_config(), flags=re.MULTILINE)
    return [re.sub(r"^#", "", block, flags=re.MULTILINE) for block in blocks if block]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.run(["init", *arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_as_written_it_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = run(capsys)
    assert code == 0
    assert "wrote llm-audit.toml" in text
    assert Policy.load(tmp_path / "llm-audit.toml") == Policy.load()
    assert max(map(len, starter_config().splitlines())) <= 100


def test_every_table_has_an_example() -> None:
    found = {re.match(r"\W*(\w+)", block)[1] for block in examples()}  # type: ignore[index]
    assert found == set(TABLES)


@pytest.mark.parametrize("block", examples(), ids=lambda block: block.split("\n")[0])
def test_an_example_works_when_it_is_uncommented(block: str) -> None:
    policy = Policy.parse(block.encode(), "llm-audit.toml")
    assert policy.warnings == ()
    defaults = block.startswith("[thresholds]")
    assert (policy == Policy.load()) == defaults, "it would change nothing"


def test_all_examples_work_together() -> None:
    text = re.sub(r"^#(?=\S)", "", starter_config(), flags=re.MULTILINE)
    policy = Policy.parse(text.encode(), "llm-audit.toml")
    assert policy.words == {}
    assert policy.rules[-1].code == "OWN_ETL"
    assert len(policy.rules) == len(Policy.load().rules)  # one off, one of its own
    assert [o.tolerance_s for o in policy.overrides] == [86_400.0, None]
    assert policy.aliases == {"prod-writer-eu": "azure/gpt-4.1"}
    assert len(policy.price_multipliers) == len(policy.user_prices) == 1
    for one, other in combinations(examples(), 2):
        Policy.parse((one + "\n" + other).encode(), "llm-audit.toml")


def test_a_file_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "llm-audit.toml"
    path.write_text("words = false\n")
    code, text = run(capsys)
    assert code == 1
    assert "llm-audit.toml is there already" in text
    assert "--force" in text
    assert path.read_text() == "words = false\n"
    assert run(capsys, "--force")[0] == 0
    assert path.read_text() == starter_config()
    assert [file.name for file in tmp_path.iterdir()] == ["llm-audit.toml"]


def test_another_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "--path", "team.toml")[0] == 0
    assert (tmp_path / "team.toml").read_text() == starter_config()
    code, text = run(capsys, "--path", "none/team.toml")
    assert code == 1
    assert "cannot write none/team.toml: No such file or directory" in text
    code, text = run(capsys, "--path", "pyproject.toml", "--force")
    assert code == 1
    assert "belongs to your project" in text


@pytest.mark.parametrize("target", ["nowhere", "llm-audit.toml"])
def test_a_broken_link_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "llm-audit.toml").symlink_to(target)
    for arguments in ((), ("--force",)):
        code, text = run(capsys, *arguments)
        assert code == 1
        assert "llm-audit.toml is here and is no file" in text
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    code, text = run(capsys, "--path", "loop.toml", "--force")
    assert code == 1
    assert "cannot write loop.toml: " in text
    assert "unexpected" not in text
    assert not (tmp_path / "nowhere").exists()


def test_a_policy_in_pyproject_is_not_put_out_of_force_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.llm-audit]\nwords = false\n")
    code, text = run(capsys)
    assert code == 1
    assert "[tool.llm-audit]" in text
    assert not (tmp_path / "llm-audit.toml").exists()
    code, text = run(capsys, "--force")
    assert code == 0
    assert "is ignored from now on" in text
