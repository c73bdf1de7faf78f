"""What an owner has said, and what of it does nothing, stands in every form of the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.review.helpers import Run, gray_run, write_audit

POLICY = """
[[override]]
caller = "*"
tolerance = "24 h"
because = "told so"
by = "old <b>owner</b>"
until = 2020-01-31

[[override]]
caller = "bare"
tolerance = "24 h"
because = "read on <i>Mondays</i>"
by = "ana"
until = 2999-01-31

[[override]]
model = "gpt*"
label = "realtime"
because = "b"
by = "ana"

[[override]]
caller = "baer"
label = "realtime"
because = "b"
by = "ana"

[[prices]]
provider = "nobody"
multiplier = 0.9

[[prices]]
provider = "openai"
model = "gpt-4o"
input = 1.5
"""
WARNINGS = [
    "llm-audit.toml, line 2, the override of caller = '*' ended on 2020-01-31; it is ignored",
    "llm-audit.toml, line 16, the override of model = 'gpt*' is never in force: earlier ones name "
    "its workloads",
    "llm-audit.toml, line 22, the override of caller = 'baer' names no workload of this log",
    "the price of nobody * names no priced model of this log",
    "the rates of openai gpt-4o price no call of this log",
]


@pytest.fixture
def audited(run: Run, tmp_path: Path) -> Run:
    write_audit(tmp_path, gray_run(0, "bare"))
    (tmp_path / "llm-audit.toml").write_text(POLICY)
    return run


def test_what_does_nothing_is_in_the_json_and_on_standard_error(audited: Run) -> None:
    outcome = audited("report", "--format", "json")
    assert json.loads(outcome.out)["data_quality"]["policy_warnings"] == WARNINGS
    assert [line.removeprefix("warning: ") for line in outcome.err.splitlines()] == WARNINGS


def test_it_is_in_the_table(audited: Run) -> None:
    text = " ".join(audited("report").out.split())
    for warning in WARNINGS:
        assert f"! {warning}" in text


def test_it_is_on_the_page_as_text(audited: Run, tmp_path: Path) -> None:
    assert audited("report", "--out", "savings.html").code == 0
    page = (tmp_path / "savings.html").read_text()
    for warning in WARNINGS:
        assert f"<li>{warning.replace(chr(39), '&#39;')}</li>" in page


def test_an_override_in_force_is_shown_with_who_why_and_until(audited: Run, tmp_path: Path) -> None:
    [workload] = json.loads(audited("report", "--format", "json").out)["workloads"]
    [reason] = [r for r in workload["reasons"] if r["code"] == "OVERRIDE"]
    assert reason["evidence"] == (
        "the owner allows 24 h for a result: read on <i>Mondays</i> (ana, until 2999-01-31)"
    )
    audited("report", "--out", "savings.html")
    page = (tmp_path / "savings.html").read_text()
    assert (
        "the owner allows 24 h for a result: read on &lt;i&gt;Mondays&lt;/i&gt; "
        "(ana, until 2999-01-31)" in page
    )
    assert "OVERRIDE" in page


def test_without_a_policy_nothing_is_said(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    document = json.loads(run("report", "--format", "json").out)
    assert document["data_quality"]["policy_warnings"] == []
    run("report", "--out", "savings.html")
    assert 'id="policy-warnings"' not in (tmp_path / "savings.html").read_text()
