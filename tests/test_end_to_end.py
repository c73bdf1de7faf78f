"""The main job on whole logs: what goes in, what the labels say, what the money comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import cli, schema
from tests.support import ROOT

TRUTH: dict[str, Any] = json.loads((ROOT / "tests/golden/sample_logs_truth.json").read_text())


@contextmanager
def _opened(db: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(db), read_only=True) as connection:
        yield connection


def _run(*arguments: object) -> None:
    assert cli.run([str(argument) for argument in arguments]) == 0


def _report(db: Path, *arguments: str) -> dict[str, Any]:
    out = db.with_suffix(".json")
    _run("--db", db, "report", "--out", out, *arguments)
    result: dict[str, Any] = json.loads(out.read_text())
    return result


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """sample_logs/, ingested, labelled and priced."""
    db = tmp_path_factory.mktemp("sample") / "audit.duckdb"
    _run("--db", db, "ingest", ROOT / "sample_logs")
    _report(db, "--as-of", "2026-11-22")
    return db


def test_every_line_of_every_sample_file_is_booked(sample: Path) -> None:
    with _opened(sample) as connection:
        rows = connection.execute(
            "SELECT path, lines, calls, rejects, duplicates, not_calls FROM ingested_files"
        ).fetchall()
    found = {str(Path(row[0]).relative_to(ROOT / "sample_logs")): row[1:] for row in rows}
    keys = ("lines", "calls", "rejects", "duplicates", "not_calls")
    assert found == {path: tuple(f[k] for k in keys) for path, f in TRUTH["files"].items()}


@pytest.mark.parametrize("name", TRUTH["workloads"])
def test_a_sample_workload(sample: Path, name: str) -> None:
    """Its calls and tokens are all there, and no call has a label that the truth forbids."""
    truth = TRUTH["workloads"][name]
    key, value = next(iter(truth["select"].items()))
    where = (
        "api_key_alias = ?"
        if key == "api_key_alias"
        else "starts_with(source_file, ?) AND call_id IS NOT NULL"
    )
    value = value if key == "api_key_alias" else str(ROOT / "sample_logs" / value)
    with _opened(sample) as connection:
        rows = connection.execute(
            "SELECT label, count(*), COALESCE(sum(input_tokens), 0), "
            "COALESCE(sum(cache_read_input_tokens), 0), COALESCE(sum(output_tokens), 0) "
            f"FROM calls JOIN labels USING (call_id) WHERE {where} "
            "AND (service_tier IS DISTINCT FROM 'batch' OR status = 'ok') GROUP BY label",
            [value],
        ).fetchall()
    assert {row[0] for row in rows} <= set(truth["acceptable"])
    assert sum(row[1] for row in rows) == truth["calls"]
    assert sum(row[2] for row in rows) == truth["input_tokens"]
    assert sum(row[3] for row in rows) == truth["cache_read_input_tokens"]
    assert sum(row[4] for row in rows) == truth["output_tokens"]


def test_one_day_on_sonnet_4(tmp_path: Path) -> None:
    """8 M input + 2 M output tokens a day, all eligible: $54 -> $27 a day, $810 a month saved."""
    db = tmp_path / "audit.duckdb"
    _run("--db", db, "ingest", ROOT / "examples/one-day-on-sonnet-4.csv")
    with _opened(db) as connection:
        total = connection.execute("SELECT sum(input_tokens), sum(output_tokens) FROM calls")
        assert total.fetchone() == (8_000_000, 2_000_000)

    result = _report(db, "--project", "--as-of", "2025-09-10")
    assert [(row["label"], row["calls"]) for row in result["labels"] if row["calls"]] == [
        ("batch_eligible", 200)
    ]
    observed, monthly, annual = (
        result["savings"][basis] for basis in ("observed", "monthly", "annual")
    )
    assert Decimal(observed["effective_cost"]) == 54
    assert Decimal(observed["effective_cost_after"]) == 27
    assert Decimal(monthly["effective_cost"]) == 1620
    assert Decimal(monthly["effective_cost_after"]) == 810
    assert Decimal(monthly["conservative"]) == 810
    assert Decimal(annual["conservative"]) == 9720


def test_a_retired_model_saves_nothing_forward(tmp_path: Path) -> None:
    db = tmp_path / "audit.duckdb"
    _run("--db", db, "ingest", ROOT / "examples/one-day-on-sonnet-4.csv")
    result = _report(db, "--project", "--as-of", "2026-11-22")
    assert Decimal(result["savings"]["observed"]["conservative"]) == 27
    assert Decimal(result["savings"]["monthly"]["conservative"]) == 0
    (workload,) = result["workloads"]
    assert workload["advice"] == "retired_model"
    assert "claude-sonnet" in workload["note"], "it names what to look at instead"


def test_one_day_is_not_projected_unasked(tmp_path: Path) -> None:
    db = tmp_path / "audit.duckdb"
    _run("--db", db, "ingest", ROOT / "examples/one-day-on-sonnet-4.csv")
    result = _report(db, "--as-of", "2025-09-10")
    assert result["savings"]["monthly"] is None
    assert Decimal(result["savings"]["observed"]["conservative"]) == 27


def test_cached_prompts_stay_synchronous(sample: Path) -> None:
    """policy-check: 10 k in, 9 k of them cached, on GPT-4.1: a batch would cost more."""
    result = json.loads(sample.with_suffix(".json").read_text())
    (workload,) = [w for w in result["workloads"] if w["caller"] == "policy-check"]
    assert workload["advice"] == "keep_sync_cache_cheaper"
    assert Decimal(workload["saving_conservative"]) == 0
    with _opened(sample) as connection:
        dearer = connection.execute(
            "SELECT batch_cost_conservative > effective_cost FROM savings WHERE workload_id = ?",
            [workload["workload_id"]],
        ).fetchone()
    assert dearer == (True,)


def test_no_prompt_text_is_kept(sample: Path) -> None:
    """A sentence that every catalogue prompt holds is nowhere in the database file."""
    assert b"You write" not in sample.read_bytes()


def test_the_database_holds_no_view_of_the_logs(tmp_path: Path) -> None:
    db = tmp_path / "audit.duckdb"
    _run("--db", db, "ingest", ROOT / "examples/one-day-on-sonnet-4.csv")
    with _opened(db) as connection:
        tables = connection.execute("SHOW TABLES").fetchall()
    assert {name for (name,) in tables} == set(schema.STORED_TABLES)


@pytest.mark.parametrize("gate", ["savings>=1", "rejects>0", "unpriced>1%"])
def test_a_gate_trips_after_the_report_is_written(sample: Path, tmp_path: Path, gate: str) -> None:
    out = tmp_path / "report.json"
    arguments = ["--db", str(sample), "report", "--out", str(out), "--as-of", "2026-11-22"]
    assert cli.run([*arguments, "--fail-on", gate]) == 3
    assert json.loads(out.read_text())["period"]["days"] == 14
