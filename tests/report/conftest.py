"""The audits that the report tests share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from llm_audit.report import Result, to_json
from tests.report import tables

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def audit(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """An audit database with every table the report reads, and no rows but the price card."""
    tables.create_derived_tables(connection)
    return connection


@pytest.fixture
def mixed(audit: duckdb.DuckDBPyConnection) -> Result:
    tables.mixed_audit(audit)
    return tables.build(audit)


@pytest.fixture
def one_day(audit: duckdb.DuckDBPyConnection) -> Result:
    tables.one_day_on_sonnet_4(audit)
    return tables.build(audit, project=True)


@pytest.fixture
def empty(audit: duckdb.DuckDBPyConnection) -> Result:
    return tables.build(audit)


@pytest.fixture
def golden() -> Callable[[str, Result], None]:
    """Compare a result with its stored JSON; ACCEPT_GOLDEN=1 stores it instead."""

    def compare(name: str, result: Result) -> None:
        file = GOLDEN / f"{name}.json"
        if os.environ.get("ACCEPT_GOLDEN") == "1":
            file.write_text(to_json(result), encoding="utf-8")
        assert json.loads(to_json(result)) == json.loads(file.read_text(encoding="utf-8"))

    return compare
