"""The ledger alone: compare-and-set, all or nothing, one buyer of a call, one process at a time."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from llm_audit.errors import MigrationError
from llm_audit.migrate import lock, run
from llm_audit.migrate.ledger import SCHEMA_VERSION, StaleError, open_ledger, statements
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from tests.migrate.engine import book, plan


def test_a_step_that_looked_at_an_older_state_changes_nothing(tmp_path: Path) -> None:
    book(tmp_path, Vendor.OPENAI, (2,))
    with open_ledger(tmp_path) as ledger:
        [old] = ledger.shards()
        new = ledger.move(old, state=ShardState.UPLOADING)
        with pytest.raises(StaleError):
            ledger.move(old, state=ShardState.UPLOADING)
        assert ledger.shards() == [new]


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    book(tmp_path, Vendor.OPENAI, (2,))
    with open_ledger(tmp_path) as ledger:
        [old] = ledger.shards()

        def fail() -> None:
            with ledger.transaction():
                ledger.move(old, state=ShardState.UPLOADING)
                ledger.set_requests(old.shard_id, RequestState.IN_FLIGHT)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert ledger.shards() == [old]
        assert ledger.request_states("run1") == {RequestState.ASSIGNED: 2}


def test_a_call_is_bought_by_one_run_only(tmp_path: Path) -> None:
    book(tmp_path, Vendor.OPENAI, (2,))
    again = replace(plan(tmp_path / "again", Vendor.OPENAI, (2,), "run1"), run_id="run2")
    with open_ledger(tmp_path) as ledger, pytest.raises(MigrationError, match="already"):
        run.begin(ledger, again, [], {}, None)
    with open_ledger(tmp_path) as ledger:
        assert len(ledger.runs()) == 1, "the second run is not there by half"


def test_a_request_stands_in_one_shard_of_a_generation(tmp_path: Path) -> None:
    book(tmp_path, Vendor.OPENAI, (2,))
    with open_ledger(tmp_path) as ledger:
        [row] = ledger.shards()
        pairs = [(r.custom_id, r.request_key) for r in ledger.assigned(row.shard_id)]
        other = replace(row, shard_id=99, intent="other")
        with pytest.raises(sqlite3.IntegrityError):
            ledger.add_shard(other, pairs)
        ledger.void(row.shard_id)
        ledger.add_shard(other, pairs)


def test_money_stays_exact(tmp_path: Path) -> None:
    book(tmp_path, Vendor.OPENAI, (3,), max_cost=Decimal("0.1"))
    with open_ledger(tmp_path) as ledger:
        assert ledger.runs()[0].max_cost == Decimal("0.1")
        assert ledger.shards()[0].ceiling == Decimal("0.000116") * 3


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with open_ledger(tmp_path):
        pass
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(MigrationError, match="version"), open_ledger(tmp_path):
        pass


def test_a_broken_ledger_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(MigrationError) as caught, open_ledger(tmp_path):
        pass
    assert "do not delete" in caught.value.hint


def test_only_one_process_moves_a_ledger(tmp_path: Path) -> None:
    refused = pytest.raises(MigrationError, match="process")
    with lock.held(tmp_path), refused, lock.held(tmp_path):
        pass
    with lock.held(tmp_path):
        pass


def test_the_ledger_is_private_durable_and_survives_its_process(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        assert ledger._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert ledger._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert (tmp_path / "ledger.sqlite").stat().st_mode & 0o077 == 0


def test_every_statement_is_used() -> None:
    source = Path(run.__file__).with_name("ledger.py").read_text(encoding="utf-8")
    assert [name for name in statements() if f'"{name}"' not in source] == []
