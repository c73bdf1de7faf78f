"""`llm-audit report` and `schema`: which options go together, what is written, how it exits."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from llm_audit import cli
from llm_audit.cli import report as report_command
from llm_audit.errors import ExitCode
from llm_audit.report import from_json, table, to_csv, to_focus, to_json, to_markdown, write_html
from tests.ingest.helpers import chat, jsonl, write
from tests.report.everywhere import TEXTS, everywhere, golden
from tests.support import ROOT

WORKFLOW = ROOT / "examples" / "github-actions.yml"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


class _Fixed(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Fixed:
        return cls(2026, 11, 22, 12, 0, tzinfo=tz)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in a folder with run.json, the result of the mixed audit."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LLM_AUDIT_DB", raising=False)
    monkeypatch.setattr(report_command, "datetime", _Fixed)
    (tmp_path / "run.json").write_text(to_json(golden("mixed")), encoding="utf-8")

    def run(*arguments: str) -> Outcome:
        code = cli.run(list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def database(tmp_path: Path) -> None:
    """An audit of two calls, one reject and one duplicate."""
    write(tmp_path / "log.jsonl", jsonl(chat(1), chat(2), chat(2), b"{broken"))


DRAWN: dict[str, Callable[[Any], str]] = {
    "x.html": write_html,
    "x.HTM": write_html,
    "x.json": to_json,
    "x.md": to_markdown,
    "x.csv": to_csv,
    "x.focus.csv": to_focus,
    "x.txt": table,
    "x": table,
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_ending_chooses_the_format(run: Run, tmp_path: Path, name: str) -> None:
    outcome = run("report", "--from", "run.json", "--out", name)
    assert outcome.code == 0
    assert outcome.out.startswith("Move 1 workload to the batch API and save $150.94 to $225.94")
    assert outcome.err == f"wrote {name}\n"
    assert (tmp_path / name).read_bytes().decode() == DRAWN[name](golden("mixed"))


def test_a_file_does_not_depend_on_the_terminal(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    run("report", "--from", "run.json", "--out", "x.txt")
    text = (tmp_path / "x.txt").read_text(encoding="utf-8")
    assert text == table(golden("mixed"), width=100, encoding="utf-8")
    assert "●" in text


@pytest.mark.parametrize("format_name", ["html", "json", "markdown", "csv", "focus", "table"])
def test_standard_output_holds_the_report_alone(run: Run, format_name: str) -> None:
    outcome = run("report", "--from", "run.json", "--format", format_name, "--out", "-")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("\n")
    assert not outcome.out.endswith("\n\n")
    if format_name == "json":
        assert from_json(outcome.out) == golden("mixed")


@pytest.mark.usefixtures("database")
def test_a_redrawn_report_is_the_same_to_the_byte(run: Run, tmp_path: Path) -> None:
    assert run("ingest", "log.jsonl").code == 0
    options = ["--as-of", "2025-08-01", "--project"]
    for name in ("mine.json", *DRAWN):
        assert run("report", *options, "--out", name).code == 0
    drawn = {name: (tmp_path / name).read_bytes() for name in DRAWN}
    shutil.rmtree(tmp_path / ".llm-audit")
    for name, content in drawn.items():
        (tmp_path / name).unlink()
        assert run("report", "--from", "mine.json", "--out", name).code == 0
        assert (tmp_path / name).read_bytes() == content, name


def test_redrawing_touches_no_database(run: Run, tmp_path: Path) -> None:
    assert run("report", "--from", "run.json").code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json"]


@pytest.mark.parametrize(
    "options",
    [
        ["--as-of", "2025-09-10"],
        ["--project"],
        ["--config", "llm-audit.toml"],
        ["--db", "x.duckdb"],
    ],
)
def test_from_refuses_what_needs_the_database(run: Run, tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "llm-audit.toml").write_text("", encoding="utf-8")
    outcome = run("report", "--from", "run.json", *options)
    assert outcome.code == ExitCode.USAGE
    assert options[0] in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "missing.json"],
        ["--baseline", "missing.json"],
        ["--from", "run.json", "--static", "--format", "json"],
        ["--from", "run.json", "--static"],
        ["--from", "run.json", "--out", "x.pdf"],
        ["--from", "run.json", "--format", "pdf"],
        ["--from", "run.json", "--fail-on", "savings=5"],
        ["--from", "run.json", "--fail-on", "rejects>5"],
        ["--from", "run.json", "--max-rejects", "many"],
        ["--from", "run.json", "--max-rejects", "nan"],
    ],
)
def test_wrong_usage_writes_nothing(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    outcome = run("report", *arguments)
    assert outcome.code == ExitCode.USAGE
    assert outcome.out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json"]


BROKEN = {
    "no json": b"hello",
    "no text": b"\xff\xfe\x00",
    "empty": b"",
    "a list": b"[]",
    "another version": b'{"schema_version": 99}',
    "half": b'{"schema_version": 1, "period"',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("option", ["--from", "--baseline"])
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_is_no_result_is_refused(
    run: Run, tmp_path: Path, option: str, content: bytes
) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    source = [] if option == "--from" else ["--from", "run.json"]
    outcome = run("report", *source, option, "bad.json", "--out", "x.html")
    assert outcome.code == ExitCode.ERROR
    assert outcome.err.startswith(f"error: {option} bad.json: ")
    assert "hint: " in outcome.err
    assert not (tmp_path / "x.html").exists()


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e999999", "5", 5, "5.0", "\u0665.00"])
def test_a_doctored_amount_is_refused(run: Run, tmp_path: Path, amount: object) -> None:
    document = json.loads((tmp_path / "run.json").read_text())
    document["totals"]["list_cost"] = amount
    (tmp_path / "run.json").write_text(json.dumps(document))
    assert run("report", "--from", "run.json").code == ExitCode.ERROR


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"confidence": 0.95', '"confidence": NaN'),
        ('"confidence": 0.95', '"confidence": 1e999'),
        ('"confidence": 0.95', '"confidence": true'),
        ('"generated_at": "2025-09-10T12:00:00Z"', '"generated_at": "2025-09-10T12:00:00"'),
    ],
)
def test_a_doctored_value_is_refused(run: Run, tmp_path: Path, old: str, new: str) -> None:
    text = (tmp_path / "run.json").read_text()
    assert old in text
    (tmp_path / "run.json").write_text(text.replace(old, new))
    assert run("report", "--from", "run.json").code == ExitCode.ERROR


@pytest.mark.parametrize("text", TEXTS, ids=[ascii(text[:24]) for text in TEXTS])
def test_a_doctored_result_is_shown_as_text(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(to_json(everywhere(golden("mixed"), text)))
    for format_name in ("table", "markdown", "html", "csv", "focus"):
        options = ["--static"] if format_name == "html" else []
        outcome = run("report", "--from", "run.json", "--format", format_name, *options)
        assert outcome.code == 0
        assert re.sub(r"[\r\n]", "", outcome.out).isprintable()


def test_the_baseline_is_shown_and_kept(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(to_json(golden("one_day")))
    arguments = ["report", "--from", "run.json", "--baseline", "old.json"]
    assert "Since the report of 2025-09-10" in run(*arguments).out
    assert run(*arguments, "--out", "new.json").code == 0
    kept = from_json((tmp_path / "new.json").read_text())
    assert kept.baseline is not None
    assert "Since the report of 2025-09-10" in run("report", "--from", "new.json").out


@pytest.mark.usefixtures("database")
def test_the_baseline_beside_a_database(run: Run) -> None:
    assert run("ingest", "log.jsonl").code == 0
    outcome = run("report", "--baseline", "run.json")
    assert outcome.code == 0
    assert "Since the report of 2025-09-10 (a day, observed)" in outcome.out


def test_a_static_page_has_no_script(run: Run, tmp_path: Path) -> None:
    assert run("report", "--from", "run.json", "--static", "--out", "x.html").code == 0
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page == write_html(golden("mixed"), static=True)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 0, ""),
        (["--fail-on", "savings>=1000"], 0, ""),
        (["--fail-on", "savings>=100"], 3, "savings>=100 (it is $150.94 a month)"),
        (
            ["--fail-on", "savings>=100", "--fail-on", "spend<1", "--fail-on", "unpriced>1%"],
            3,
            "savings>=100 (it is $150.94 a month); unpriced>1% (it is 3.3%)",
        ),
        (["--strict"], 5, "30 of 1,555 lines were rejected"),
        (["--max-rejects", "1%"], 5, "30 of 1,555 lines were rejected"),
        (["--max-rejects", "2%"], 0, ""),
        (["--max-rejects", "0.02", "--strict"], 0, ""),
        (
            ["--strict", "--fail-on", "savings>=100"],
            5,
            "30 of 1,555 lines were rejected; --fail-on holds: savings>=100",
        ),
    ],
)
def test_exit_codes_come_after_the_report(
    run: Run, tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    outcome = run("report", "--from", "run.json", "--out", "x.md", *options)
    assert outcome.code == code
    assert message in outcome.err
    assert (tmp_path / "x.md").read_bytes().decode() == to_markdown(golden("mixed"))


@pytest.mark.usefixtures("database")
def test_gates_over_a_database(run: Run) -> None:
    assert run("ingest", "log.jsonl").code == 0
    strict = run("report", "--strict")
    assert strict.code == ExitCode.DATA_QUALITY
    assert "1 of 4 lines were rejected" in strict.err
    assert run("report", "--fail-on", "rejects>=25%").code == ExitCode.GATE
    assert run("report", "--fail-on", "rejects>25%").code == ExitCode.OK


def test_the_schema_is_printed_and_fits(run: Run) -> None:
    outcome = run("schema")
    assert (outcome.code, outcome.err) == (0, "")
    jsonschema.validate(
        json.loads(run("report", "--from", "run.json", "--format", "json").out),
        json.loads(outcome.out),
    )


def _steps() -> list[str]:
    """The scripts of the workflow: what stands under `run:`, by its indent."""
    scripts: list[str] = []
    indent = None
    for line in WORKFLOW.read_text(encoding="utf-8").splitlines():
        depth = len(line) - len(line.lstrip())
        if indent is not None and (depth > indent or not line):
            scripts[-1] += f"\n{line}"
            continue
        indent = None
        found = re.fullmatch(r"(\s+)(?:- )?run: (.*)", line)
        if found:
            scripts.append("" if found[2] == "|" else found[2])
            indent = depth if found[2] == "|" else None
    return scripts


def test_the_commands_of_the_workflow_run(run: Run, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sample_logs", tmp_path / "sample_logs")
    (tmp_path / "run.json").unlink()
    lines = "\n".join(_steps()).replace("\\\n", " ").splitlines()
    commands = [line.strip() for line in lines if line.strip().startswith("llm-audit ")]
    assert len(commands) == 5
    for command in commands:
        arguments = shlex.split(command.replace("$LOGS", "sample_logs"))[1:]
        outcome = run(*arguments)
        assert outcome.code == 0, f"{command}\n{outcome.err}"
    for name in ("comment.md", "savings.html", "run.json"):
        assert (tmp_path / name).stat().st_size > 1000


def test_the_workflow_is_safe() -> None:
    """Major versions are pinned, no secret is used, and no event text enters a script."""
    text = WORKFLOW.read_text(encoding="utf-8")
    uses = re.findall(r"uses: (\S+)", text)
    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in uses)
    assert "secrets." not in text
    assert not any("${{" in script for script in _steps())
    marker = re.search(r'startswith\("([^"]+)"\)', text)
    assert marker
    assert to_markdown(golden("mixed")).startswith(f"{marker[1]}\n")


def test_the_workflow_is_yaml() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    scripts = [step["run"] for step in workflow["jobs"]["audit"]["steps"] if "run" in step]
    assert [script.split() for script in scripts] == [script.split() for script in _steps()]


def test_a_log_without_a_readable_call_is_reported(run: Run, tmp_path: Path) -> None:
    lines = (
        "call_id,started_at,duration_ms,provider_name,operation_name,request_model,status,is_streaming,input_tokens,output_tokens,service_name,declared_tolerance_s,scheduler",
        "rej-0,zzz,3000,openai,chat,gpt-4.1,ok,false,abc,800,rej,172800,",
        "rej-1,zzz,3000,openai,chat,gpt-4.1,ok,false,abc,800,rej,172800,",
    )
    (tmp_path / "bad.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run("--db", "bad.duckdb", "ingest", "bad.csv")
    found = run("--db", "bad.duckdb", "report", "--strict", "--out", "bad.json")
    assert found.code == ExitCode.DATA_QUALITY
    assert from_json((tmp_path / "bad.json").read_text("utf-8")).data_quality.rejects > 0
    assert "There is no call to audit in the 2 lines" in found.out
    assert run("--db", "bad.duckdb", "report", "--out", "bad.md").code == 0
    assert run("--db", "none.duckdb", "report").code != 0


def test_a_day_is_asked_for_in_plain_words(run: Run) -> None:
    err = run("report", "--as-of", "foo").err
    assert "YYYY-MM-DD" in err
    assert "%Y" not in err
