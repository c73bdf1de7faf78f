"""`llm-audit review` for scripts: answers on the command line, and the report after them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from llm_audit.policy import Policy
from tests.ingest.helpers import jsonl, write
from tests.review.helpers import (
    Run,
    asked,
    blind_run,
    gray_run,
    labels_of,
    question_of,
    write_audit,
)

SIGNED = ("--by", "ana", "--because", "read the next day")


def answer(run: Run, caller: str, value: str, *more: str) -> None:
    outcome = run("review", "--answer", f"{caller}={value}", *SIGNED, *more)
    assert outcome.code == 0, outcome.err


def test_from_a_log_to_an_answer_to_the_next_report(run: Run, tmp_path: Path) -> None:
    """Gray in the first report; after one yes eligible, and the report shows who said so."""
    fields = ("call_id", "provider_name", "operation_name", "caller", "started_at", "ended_at",
              "is_streaming", "service_tier", "input_tokens", "output_tokens")  # fmt: skip
    records = [
        {"model": call["request_model"]}
        | {f: v.isoformat() + "Z" if f.endswith("_at") else v for f in fields for v in [call[f]]}
        for call in gray_run(0, "index")
    ]
    write(tmp_path / "log.jsonl", jsonl(*records))
    assert run("ingest", "log.jsonl").code == 0
    assert labels_of(run) == {"index": {"gray_area"}}
    question = question_of(run, "index")
    assert question["yes_is_enough"], question["remarks"]
    answer(run, "index", "24h", "--until", "2999-06-30")
    assert asked(run)["questions"] == []
    assert labels_of(run) == {"index": {"batch_eligible"}}
    report = json.loads(run("report", "--format", "json").out)
    [workload] = report["workloads"]
    [reason] = [r for r in workload["reasons"] if r["code"] == "OVERRIDE"]
    assert reason["evidence"] == (
        "the owner allows 24 h for a result: read the next day (ana, until 2999-06-30)"
    )
    assert workload["saving_conservative"] == question["saving_if_yes"]


@pytest.mark.parametrize(
    ("value", "label", "key", "written"),
    [
        ("24h", "batch_eligible", "tolerance", "24 h"),
        ("yes", "batch_eligible", "tolerance", "24 h"),
        ("8h", "batch_eligible", "tolerance", "8 h"),
        ("2d", "batch_eligible", "tolerance", "48 h"),
        ("30 min", "gray_area", "tolerance", "30 min"),
        ("no", "realtime", "label", "realtime"),
    ],
)
def test_each_answer_is_honoured(
    run: Run, tmp_path: Path, value: str, label: str, key: str, written: str
) -> None:
    write_audit(tmp_path, [*gray_run(0, "bare"), *gray_run(1000, "other")])
    answer(run, "bare", value)
    [entry] = tomllib.loads((tmp_path / "llm-audit.toml").read_text())["override"]
    assert entry == {
        "caller": "bare", "model": "gpt-4.1", "operation": "chat", key: written,
        "because": "read the next day", "by": "ana",
    }  # fmt: skip
    assert labels_of(run) == {"bare": {label}, "other": {"gray_area"}}


def criteria_of(run: Run) -> dict[str, str]:
    [workload] = json.loads(run("report", "--format", "json").out)["workloads"]
    return dict(workload["criteria"])


def test_a_no_contradicts_tolerance_and_nothing_else(run: Run, tmp_path: Path) -> None:
    """That somebody waits says nothing of the other two, and is not shown as if it did."""
    write_audit(tmp_path, gray_run(0, "bare"))
    before = criteria_of(run)
    assert "contradicted" not in before.values()
    answer(run, "bare", "no")
    assert criteria_of(run) == {**before, "tolerance": "contradicted"}
    [workload] = json.loads(run("report", "--format", "json").out)["workloads"]
    assert workload["label"] == "realtime"
    [reason] = [r for r in workload["reasons"] if r["code"] == "OVERRIDE"]
    assert reason["criterion"] == "tolerance"
    told = run("explain", "bare").out
    verdicts = re.findall(r"^  (INDEPENDENCE|TOLERANCE|STORAGE) (\w+)", told, flags=re.MULTILINE)
    assert [name for name, verdict in verdicts if verdict == "contradicted"] == ["TOLERANCE"]
    assert len(verdicts) == 3
    assert told.count("The owner's word settles it") == 1


def test_the_owners_other_labels_settle_all_three(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare", has_tool_result=True))
    entry = "[[override]]\ncaller = 'bare'\nlabel = '{}'\nbecause = 'b'\nby = 'c'\n"
    for label, verdict in (("batch_eligible", "supported"), ("gray_area", "unknown")):
        (tmp_path / "llm-audit.toml").write_text(entry.format(label))
        assert labels_of(run) == {"bare": {label}}
        assert set(criteria_of(run).values()) == {verdict}


def test_a_short_tolerance_is_called_a_risk(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    outcome = run("review", "--answer", "bare=8h", *SIGNED)
    assert "the owner allows 8 h" in outcome.out
    assert "kept out of the headline" in outcome.out
    assert "wrote 1 answer to llm-audit.toml" in outcome.err


def test_several_answers_are_written_together_or_not_at_all(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, [*gray_run(0, "one"), *gray_run(1000, "two"), *blind_run(2000, "three")])
    outcome = run("review", "--answer", "one=24h", "--answer", "nobody=no", *SIGNED)
    assert outcome.code == 2
    assert "there is no workload 'nobody'" in outcome.err
    assert not (tmp_path / "llm-audit.toml").exists()
    outcome = run("review", "--answer", "one=24h", "--answer", "two=no", *SIGNED)
    assert outcome.code == 0
    assert labels_of(run) == {
        "one": {"batch_eligible"}, "two": {"realtime"}, "three": {"gray_area"},
    }  # fmt: skip


def test_answering_twice(run: Run, tmp_path: Path) -> None:
    """The same again is fine in a script; another answer must not be written behind the first."""
    write_audit(tmp_path, [*gray_run(0, "bare"), *blind_run(1000, "blind")])
    for caller in ("bare", "blind"):
        name = question_of(run, caller)["workload_id"]
        arguments = ("review", "--answer", f"{name}=24h", *SIGNED)
        assert run(*arguments).code == 0
        text = (tmp_path / "llm-audit.toml").read_text()
        again = run(*arguments)
        assert (again.code, again.out) == (0, f"{name}: answered so already\n")
        other = run("review", "--answer", f"{name}=no", *SIGNED)
        assert other.code == 2
        assert "has an answer already" in other.err
        assert (tmp_path / "llm-audit.toml").read_text() == text


def test_a_script_may_run_again_on_another_day(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the caller's name, and without a reason: the reason written has the day in it."""
    write_audit(tmp_path, [*gray_run(0, "bare"), *gray_run(1000, "other")])
    assert run("review", "--answer", "bare=24h", "--by", "ana").code == 0
    path = tmp_path / "llm-audit.toml"
    text = re.sub(r"20\d\d-\d\d-\d\d", "2026-01-31", path.read_text())
    path.write_text(text)
    again = run("review", "--answer", "bare=yes", "--by", "ana")
    assert (again.code, again.out) == (0, "bare: answered so already\n")
    for differently in (
        ("bare=no", "--by", "ana"),
        ("bare=24h", "--by", "eve"),
        ("bare=24h", "--by", "ana", "--until", "2999-01-31"),
        ("bare=24h", "--by", "ana", "--because", "another reason"),
    ):
        outcome = run("review", "--answer", *differently)
        assert outcome.code == 2
        assert "bare has an answer already" in outcome.err
    assert path.read_text() == text
    both = run("review", "--answer", "bare=24h", "--answer", "other=no", "--by", "ana")
    assert both.code == 0
    assert path.read_text().count("[[override]]") == 2


def test_a_misspelt_caller_gets_the_nearest(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "search-index"))
    outcome = run("review", "--answer", "serch-index=no", *SIGNED)
    assert "did you mean search-index?" in outcome.err


def test_what_is_not_gray_is_not_asked(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare", service_tier="batch"))
    name = run("sql", "SELECT DISTINCT caller FROM calls").out.split()[-1]
    assert name == "bare"
    run("report")
    name = run("sql", "SELECT workload_id FROM workloads").out.split()[-1]
    outcome = run("review", "--answer", f"{name}=no", *SIGNED)
    assert outcome.code == 2
    assert f"{name} is batch_eligible: there is nothing to ask" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--answer", "bare=24h"), "needs --by"),
        (("--answer", "bare=24h", "--by", "  "), "needs --by"),
        (("--answer", "bare", "--by", "ana"), "is not WORKLOAD=ANSWER"),
        (("--answer", "=24h", "--by", "ana"), "is not WORKLOAD=ANSWER"),
        (("--answer", "bare=soon", "--by", "ana"), "'soon' is no answer"),
        (("--answer", "bare=0h", "--by", "ana"), "'0h' is no answer"),
        (("--answer", "bare=99999999999d", "--by", "ana"), "at most 365 d"),
        (("--answer", f"bare={'9' * 400}h", "--by", "ana"), "at most 365 d"),
        (("--answer", "bare=8", "--by", "ana"), "'8' is no answer"),
        (("--answer", "bare=no", "--answer", "bare=24h", "--by", "ana"), "answered twice"),
        (("--answer", "bare=no", "--by", "ana", "--until", "2020-01-01"), "2020-01-01 is over"),
        (("--answer", "bare=no", "--by", "ana", "--until", "soon"), "write YYYY-MM-DD"),
        (("--answer", "bare=no", "--by", "ana", "--format", "json"), "choose one"),
        (("--answer", "bare=no", "--by", "a" * 61), "more than 60 characters"),
        (("--answer", "bare=no", "--by", "ana", "--because", "b" * 251), "more than 250"),
    ],
)
def test_answers_that_cannot_be_meant_are_usage_errors(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    outcome = run("review", *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert not (tmp_path / "llm-audit.toml").exists()


def test_one_workload_answered_by_id_and_by_caller(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    name = question_of(run, "bare")["workload_id"]
    outcome = run("review", "--answer", f"{name}=no", "--answer", "bare=24h", *SIGNED)
    assert outcome.code == 2
    assert "answered twice" in outcome.err
    assert not (tmp_path / "llm-audit.toml").exists()


def test_a_caller_with_two_workloads_is_not_guessed(run: Run, tmp_path: Path) -> None:
    write_audit(
        tmp_path, [*gray_run(0, "two"), *gray_run(1000, "two", request_model="gpt-4.1-mini")]
    )
    ids = [q["workload_id"] for q in asked(run)["questions"]]
    outcome = run("review", "--answer", "two=no", *SIGNED)
    assert outcome.code == 2
    assert all(name in outcome.err for name in ids)
    assert run("review", "--answer", f"{ids[0]}=no", *SIGNED).code == 0
    assert sorted(labels_of(run)["two"]) == ["gray_area", "realtime"]


def test_of_twins_only_the_one_that_was_meant_is_answered(run: Run, tmp_path: Path) -> None:
    write_audit(
        tmp_path,
        [
            *gray_run(0, "two", template_hash="aaaa"),
            *gray_run(1000, "two", template_hash="bbbb"),
        ],
    )
    first, second = asked(run)["questions"]
    assert run("review", "--answer", f"{first['workload_id']}=no", *SIGNED).code == 0
    [left] = asked(run)["questions"]
    assert left["workload_id"] == second["workload_id"]


def test_hostile_callers_are_answered_alone(run: Run, tmp_path: Path) -> None:
    hostile = ['a"b\nc', "all*", "x[?]\\", "\x1b[31mred\u202e", "é\U0001f469"]
    others = ['a"b c', "allx", "x?\\", "red", "é"]
    names = [*hostile, *others]
    write_audit(tmp_path, [c for n, name in enumerate(names) for c in gray_run(1000 * n, name)])
    ids = {q["caller"]: q["workload_id"] for q in asked(run)["questions"]}
    given = [part for name in hostile for part in ("--answer", f"{ids[name]}=24h")]
    assert run("review", *given, *SIGNED).code == 0
    labels = labels_of(run)
    assert {name for name in names if labels[name] == {"batch_eligible"}} == set(hostile)
    assert {name for name in names if labels[name] == {"gray_area"}} == set(others)


def test_the_line_to_paste_is_the_answer(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, [*gray_run(0, "a*"), *gray_run(1000, "ab")])
    outcome = run("review", "--format", "json", "--by", "ana", "--because", 'she said "yes"')
    [question] = [q for q in json.loads(outcome.out)["questions"] if q["caller"] == "a*"]
    (tmp_path / "llm-audit.toml").write_text(question["toml"], encoding="utf-8")
    [override] = Policy.load(tmp_path / "llm-audit.toml").overrides
    assert (override.by, override.because, override.tolerance_s) == ("ana", 'she said "yes"', 86400)
    assert labels_of(run) == {"a*": {"batch_eligible"}, "ab": {"gray_area"}}


# --- which config ---------------------------------------------------------------------------------


def test_the_config_in_force_is_the_one_that_is_written(run: Run, tmp_path: Path) -> None:
    """A second config would put the first one out of force without a word."""
    write_audit(tmp_path, gray_run(0, "bare"))
    project = tmp_path / "pyproject.toml"
    old = "[project]\nname = 'x'\n[tool.llm-audit]\nwords = false  # ours\n"
    project.write_text(old)
    document = asked(run)
    assert document["file"] == "pyproject.toml"
    assert document["questions"][0]["toml"].startswith("[[tool.llm-audit.override]]\n")
    answer(run, "bare", "24h")
    assert project.read_text().startswith(old)
    assert not (tmp_path / "llm-audit.toml").exists()
    assert labels_of(run) == {"bare": {"batch_eligible"}}


def test_a_pyproject_without_our_table_is_not_touched(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    answer(run, "bare", "24h")
    assert (tmp_path / "pyproject.toml").read_text() == "[project]\nname = 'x'\n"
    assert "bare" in (tmp_path / "llm-audit.toml").read_text()


def test_two_configs_are_warned_of(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    (tmp_path / "pyproject.toml").write_text("[tool.llm-audit]\nwords = false\n")
    (tmp_path / "llm-audit.toml").write_text("# ours\n")
    for command in ("review", "report"):
        outcome = run(command)
        assert outcome.code == 0
        assert "warning: [tool.llm-audit] in pyproject.toml is ignored" in outcome.err
    answer(run, "bare", "24h")
    assert (tmp_path / "llm-audit.toml").read_text().startswith("# ours\n\n# llm-audit review, ")


def test_a_config_of_another_name(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    (tmp_path / "team.toml").write_text("words = true\n")
    answer(run, "bare", "24h", "--config", "team.toml")
    assert "bare" in (tmp_path / "team.toml").read_text()
    assert not (tmp_path / "llm-audit.toml").exists()


def test_a_folder_that_may_not_be_written_to(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    outcome = run("review", "--answer", "bare=24h", *SIGNED)
    assert outcome.code == 1
    assert "cannot write llm-audit.toml: No space left on device" in outcome.err


def test_an_answer_after_init(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    assert run("init").code == 0
    text = (tmp_path / "llm-audit.toml").read_text()
    answer(run, "bare", "24h")
    assert (tmp_path / "llm-audit.toml").read_text().startswith(text)
    assert labels_of(run) == {"bare": {"batch_eligible"}}
