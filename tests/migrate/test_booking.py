"""What `migrate verify` found is in the audit's tables, survives it all, and is in the report."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import cli, schema
from llm_audit.migrate import booking, rates, run
from llm_audit.migrate.ledger import open_ledger
from llm_audit.migrate.model import Vendor
from llm_audit.migrate.vendor import Driver
from llm_audit.migrate.verification import Share, Verification
from llm_audit.migrate.verify import verify
from llm_audit.report import measured
from llm_audit.workspace import Workspace
from tests.migrate import logs
from tests.migrate.engine import book, drive, scenario
from tests.migrate.fake.process import FakeProcess
from tests.migrate.test_verify import CALLS, _call

VERIFIED = [name for name in schema.STORED_TABLES if name.startswith("verified_")]
AT = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def bought(
    vendors: FakeProcess, made: Mapping[Vendor, Driver], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The database beside a ledger of two runs: the log's own, and a small one without an audit."""
    place = tmp_path_factory.mktemp("booking") / ".llm-audit"
    vendors.play(
        scenario(
            rows=[
                {"outcome": "bad_request", "marker": "m062"},
                {"outcome": "expired", "marker": "m07[12]", "attempt": 1},
            ],
            batches=[{"ends_after": 600, "cache_read": 0.5}],
        )
    )
    database = place / "audit.duckdb"
    with Workspace(database).connect() as connection:
        log = place.parent / "log.jsonl"
        log.write_bytes(logs.lines(_call(number) for number in range(CALLS)))
        logs.audit(connection, log)
        plan = logs.make(connection, place / "migrate" / "run-1")
        with open_ledger(place / "migrate") as ledger:
            run.begin(ledger, plan, rates.of_plan(connection, plan), {}, None)
    book(place / "migrate", Vendor.OPENAI, (3,), run_id="run-2")
    drive(place / "migrate", made, vendors)
    return database


def _booked(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    with Workspace(database).connect() as connection:
        return {name: connection.table(name).fetchall() for name in VERIFIED}


def _verify(database: Path, run_id: str | None = None) -> Verification:
    """What the command has just kept, looked at once more."""
    options = [] if run_id is None else ["--run", run_id]
    assert cli.run(["migrate", "verify", "--db", str(database), *options]) == 0
    with (
        Workspace(database).connect() as connection,
        open_ledger(database.parent / "migrate") as ledger,
    ):
        return verify(connection, ledger, run_id)


def _report(database: Path, tmp_path: Path) -> dict[str, Any]:
    out = tmp_path / "run.json"
    assert cli.run(["report", "--db", str(database), "--out", str(out), "--project"]) == 0
    document: dict[str, Any] = json.loads(out.read_text())
    return document


def _result(database: Path, tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = _report(database, tmp_path)["migration"]
    return found


def test_tables_and_report_say_what_verify_found(bought: Path, tmp_path: Path) -> None:
    found = _verify(bought)
    tables = _booked(bought)
    [totals] = tables["verified_totals"]
    assert abs((datetime.now(UTC).replace(tzinfo=None) - totals[0]).total_seconds()) < 60
    assert totals[2] is True
    assert {name for (name,) in tables["verified_runs"]} == {"run-1", "run-2"}
    assert len(tables["verified_batches"]) == len(found.batches)
    shares = {name: Share(count, of) for name, count, of, _ in tables["verified_shares"]}
    assert shares["answered"] == found.delivery.answered
    assert shares["expired"] == found.failures.expired
    assert found.noise is not None
    assert shares["noise_across"] == found.noise.across
    shown = _result(bought, tmp_path)
    assert shown["requests"] == CALLS + 3
    assert Decimal(shown["cost"]["measured_cost"]) == found.cost.measured_cost
    assert Decimal(shown["cost"]["claimed_cost"]) == found.cost.claimed_cost
    assert shown["cost"]["prompts_alike"] is False, "the fake counts in its own way"
    assert shown["cost"]["measured_saving"] is found.cost.measured_saving is None
    assert {c["name"] for c in shown["checks"]} == {check.name for check in found.structure}
    assert shown["turnaround"][0]["p90_s"] == found.turnaround[0].seconds.p90
    assert shown["expired"] == {"count": 2, "of": found.failures.expired.of}


def test_it_survives_reports_and_later_logs(bought: Path, tmp_path: Path) -> None:
    _verify(bought)
    before = _booked(bought)
    more = tmp_path / "more.jsonl"
    more.write_bytes(logs.lines(logs.openai_chat(number) for number in range(900, 910)))
    _result(bought, tmp_path)
    assert cli.run(["ingest", "--db", str(bought), str(more)]) == 0
    shown = _result(bought, tmp_path)
    assert _booked(bought) == before
    assert shown["requests"] == CALLS + 3


def test_a_look_at_one_run_takes_the_place_of_all(bought: Path, tmp_path: Path) -> None:
    _verify(bought)
    _verify(bought, "run-2")
    tables = _booked(bought)
    assert tables["verified_runs"] == [("run-2",)]
    assert len(tables["verified_totals"]) == 1
    shown = _result(bought, tmp_path)
    assert (shown["all_runs"], shown["runs"], shown["requests"]) == (False, ["run-2"], 3)
    _verify(bought)
    assert _result(bought, tmp_path)["all_runs"] is True


def test_results_that_were_deleted_do_not_empty_the_section(
    bought: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """README: a finished run's folder may be deleted. What was verified before stays."""
    assert cli.run(["migrate", "verify", "--db", str(bought)]) == 0
    before = _booked(bought)
    results = bought.parent / "migrate" / "run-1"
    results.rename(tmp_path / "away")
    try:
        capsys.readouterr()
        assert cli.run(["migrate", "verify", "--db", str(bought)]) == 0
        out, err = capsys.readouterr()
        assert "warning: results were deleted since the last verify" in err
        assert "the line of the results cannot be read any more" in " ".join(out.split())
        assert _booked(bought) == before
        assert cli.run(["migrate", "verify", "--db", str(bought), "--run", "run-2"]) == 0
        assert "warning" not in capsys.readouterr().err
        assert _booked(bought)["verified_runs"] == [("run-2",)], "that run has all it had"
    finally:
        (tmp_path / "away").rename(results)


def test_no_text_of_a_request_is_kept(bought: Path) -> None:
    assert cli.run(["migrate", "verify", "--db", str(bought), "--show-samples", "20"]) == 0
    kept = repr(_booked(bought))
    assert "SECRET" not in kept
    assert "echo" not in kept


def test_a_ledger_without_requests_keeps_what_is_known(bought: Path, tmp_path: Path) -> None:
    _verify(bought)
    before = _booked(bought)
    ledger = bought.parent / "migrate"
    ledger.rename(tmp_path / "away")
    try:
        with open_ledger(ledger):
            pass
        assert cli.run(["migrate", "verify", "--db", str(bought)]) == 0
        assert _booked(bought) == before
    finally:
        for file in ledger.iterdir():
            file.unlink()
        ledger.rmdir()
        (tmp_path / "away").rename(ledger)


def test_all_of_it_or_nothing(bought: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _verify(bought)
    before = _booked(bought)
    written = booking._tables(found, (AT.replace(tzinfo=None), "9", True))
    broken = {**written, "verified_workloads": [("w", "not a number", *[0] * 6)]}
    monkeypatch.setattr(booking, "_tables", lambda *_: broken)
    with Workspace(bought).connect() as connection, pytest.raises(duckdb.Error):
        booking.book(connection, found, all_runs=True, at=AT, tool_version="9")
    assert _booked(bought) == before


def test_rows_have_the_columns_that_are_described(bought: Path) -> None:
    found = _verify(bought)
    tables = booking._tables(found, (AT.replace(tzinfo=None), "9", True))
    assert set(tables) == set(VERIFIED)
    for name, rows in tables.items():
        assert all(len(row) == len(schema.STORED_TABLES[name]) for row in rows), name


def test_what_was_planned_is_called_replayable(bought: Path, tmp_path: Path) -> None:
    with open_ledger(bought.parent / "migrate") as ledger:
        planned = {outcome.workload_id for outcome in ledger.outcomes("run-1")}
    assert planned <= set(_report(bought, tmp_path)["replayable"])


def test_the_page_of_a_real_migration(bought: Path, tmp_path: Path) -> None:
    """Verified, reported, drawn: what a team that moved sees."""
    _verify(bought)
    out = tmp_path / "savings.html"
    assert cli.run(["report", "--db", str(bought), "--out", str(out)]) == 0
    page = out.read_text()
    assert measured.TITLE in page
    assert re.search(r'data-key="migration.cost.measured_cost"', page)
    assert "! the prompts were not counted alike" in page
    assert "_saving" not in "".join(re.findall(r'data-key="(migration[^"]*)"', page))
    assert "SECRET" not in page
