"""The Python API: what a notebook gets is what the report says, and nothing stays locked."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

import llm_audit
from llm_audit import cli
from llm_audit.api import Audit
from llm_audit.errors import EngineError, InputError, LlmAuditError, PolicyError
from llm_audit.report import from_json
from llm_audit.report.result import Workload
from tests.support import ROOT


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("ingested") / "audit.duckdb"
    assert cli.run(["--db", str(database), "ingest", str(ROOT / "sample_logs")]) == 0
    return database


@pytest.fixture
def unlabelled(ingested: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(ingested, tmp_path / "audit.duckdb"))


@pytest.fixture(scope="module")
def audit(ingested: Path, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    database = tmp_path_factory.mktemp("labelled") / "audit.duckdb"
    shutil.copy(ingested, database)
    return llm_audit.open(database)


def _tables(database: Path) -> set[str]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return {name for (name,) in connection.execute("SHOW TABLES").fetchall()}


def test_opening_labels_what_has_no_label(unlabelled: Path) -> None:
    assert "labels" not in _tables(unlabelled)
    llm_audit.open(unlabelled)
    assert {"labels", "costs", "savings"} <= _tables(unlabelled)


def test_opening_takes_the_report_as_it_stands(unlabelled: Path) -> None:
    assert cli.run(["--db", str(unlabelled), "report", "--as-of", "2026-01-02"]) == 0
    assert llm_audit.open(unlabelled).result().pricing.as_of == date(2026, 1, 2)
    assert llm_audit.open(unlabelled, refresh=True).result().pricing.as_of == date.today()


def test_a_named_policy_decides(unlabelled: Path, tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text(
        '[[override]]\ncaller = "*"\nlabel = "realtime"\nbecause = "all wait"\nby = "ana"\n',
        encoding="utf-8",
    )
    llm_audit.open(unlabelled)
    for _ in range(2):
        labels = llm_audit.open(unlabelled, config=config).workloads()["label"]
        assert set(labels) == {"realtime"}


def test_the_result_is_the_report(audit: Audit, tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    as_of = date(2026, 11, 22)
    database = audit._workspace.path
    mine = audit.result(as_of=as_of)
    assert cli.run(["--db", str(database), "report", "--as-of", str(as_of), "--out", str(out)]) == 0
    theirs = from_json(out.read_text(encoding="utf-8"))
    for name in ("totals", "savings", "labels", "workloads", "pricing", "trend"):
        assert getattr(mine, name) == getattr(theirs, name), name


def test_another_day_leaves_the_database_as_it_was(unlabelled: Path) -> None:
    audit = llm_audit.open(unlabelled)
    before = audit.result().pricing
    assert audit.result(as_of=date(2026, 1, 2)).pricing.as_of == date(2026, 1, 2)
    assert audit.result().pricing == before


def test_workloads_are_those_of_the_result(audit: Audit) -> None:
    frame = audit.workloads()
    result = {(w.workload_id, w.label): w for w in audit.result().workloads}
    assert len(frame) == len(result)
    shared = {field.name for field in fields(Workload)} & set(frame.columns)
    assert {"caller", "calls", "effective_cost", "saving_best", "worth_it"} <= shared
    for row in frame.to_dict("records"):
        workload = result[row["workload_id"], row["label"]]
        for name in ("calls", "effective_cost", "worth_it"):
            assert row[name] == getattr(workload, name)
        claimed = None if workload.label == "realtime" else workload.saving_conservative
        assert row["saving_conservative"] == claimed  # of realtime work nothing is claimed
    saving = [amount for amount in frame["saving_conservative"] if amount is not None]
    assert saving == sorted(saving, reverse=True)


def test_money_is_exact_and_unknown_is_none(audit: Audit) -> None:
    calls = audit.calls()
    costs = list(calls["effective_cost"])
    assert {type(cost) for cost in costs} == {Decimal, type(None)}
    known = [cost for cost in costs if cost is not None]
    assert sum(known) == audit.result().totals.effective_cost


def test_calls_by_label_and_workload(audit: Audit) -> None:
    calls = audit.calls()
    assert len(calls) == audit.result().totals.calls
    gray = audit.calls(label="gray_area")
    assert set(gray["label"]) == {"gray_area"}
    assert 0 < len(gray) < len(calls)
    one = audit.calls(workload=gray["workload_id"][0])
    assert set(one["workload_id"]) == {gray["workload_id"][0]}
    assert one["started_at"].is_monotonic_increasing
    file, line = one["source_file"][0], one["source_line"][0]
    assert Path(file).name
    assert line >= 1
    assert list(audit.calls(workload="no such").columns) == list(calls.columns)


def test_savings_by_basis(audit: Audit) -> None:
    savings = audit.savings()
    assert list(savings.index) == ["observed", "monthly", "annual"]
    assert savings.loc["observed", "conservative"] == audit.result().savings.observed.conservative


def test_sql_takes_parameters(audit: Audit) -> None:
    [count] = audit.sql("SELECT count(*) AS n FROM calls WHERE status = ?", ["ok"])["n"]
    [named] = audit.sql("SELECT count(*) AS n FROM calls WHERE status = $s", {"s": "ok"})["n"]
    assert count == named > 0
    assert "calls" in set(audit.sql("SHOW TABLES")["name"])
    [odd] = audit.sql('SELECT 0.1 AS "a ""b"" c"').to_dict("records")
    assert odd == {'a "b" c': Decimal("0.1")}


@pytest.mark.parametrize(
    "query",
    ["SELEC 1", "DROP TABLE calls", "CREATE TABLE mine (x INT)",
     "SELECT * FROM '/etc/passwd'", "COPY calls TO 'calls.csv'"],
)  # fmt: skip
def test_sql_only_reads(audit: Audit, query: str) -> None:
    with pytest.raises(InputError) as caught:
        audit.sql(query)
    assert caught.value.hint


def test_what_goes_wrong_says_what_to_do(tmp_path: Path, audit: Audit) -> None:
    with pytest.raises(EngineError, match="no audit database"):
        llm_audit.open(tmp_path / "none.duckdb")
    (tmp_path / "log.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(EngineError, match="not a DuckDB database"):
        llm_audit.open(tmp_path / "log.jsonl")
    with pytest.raises(InputError) as caught:
        audit.calls(label="batch")
    assert "batch_eligible" in caught.value.hint
    (tmp_path / "own.toml").write_text("[[override]]\n", encoding="utf-8")
    with pytest.raises(PolicyError):
        llm_audit.open(tmp_path / "none.duckdb", config=tmp_path / "own.toml")
    assert issubclass(PolicyError, LlmAuditError)


def test_an_audit_without_calls_says_so(tmp_path: Path) -> None:
    empty = tmp_path / "audit.duckdb"
    with duckdb.connect(str(empty)) as connection:
        connection.execute("CREATE TABLE nothing (x INT)")
    with pytest.raises(InputError, match="no calls") as caught:
        llm_audit.open(empty)
    assert "llm-audit ingest" in caught.value.hint


def test_nothing_stays_locked(unlabelled: Path) -> None:
    with llm_audit.open(unlabelled) as audit:
        audit.savings()
        done = subprocess.run(
            [sys.executable, "-m", "llm_audit", "--db", str(unlabelled), "ingest",
             str(ROOT / "sample_logs")],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert len(audit.calls(label="gray_area")) > 0


def test_the_readme_example_runs(
    unlabelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(import llm_audit\n.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".llm-audit").mkdir()
    unlabelled.rename(tmp_path / ".llm-audit" / "audit.duckdb")
    names: dict[str, object] = {}
    for line in example.splitlines():
        exec(line, names)
    assert isinstance(names["audit"], Audit)


def test_importing_is_quick() -> None:
    """`llm-audit --help` imports the package: nothing heavy may come along."""
    heavy = "import sys, llm_audit; print([m for m in ('duckdb', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_path_has_to_be_one() -> None:
    with pytest.raises(InputError, match="path is 123"):
        llm_audit.open(123)  # type: ignore[arg-type]
