"""Fixtures for every test folder."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import settings

from tests.support import create_stored_tables

# A busy machine makes no test fail: what is fast is measured by `make bench`.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty in-memory audit database with the stored tables."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        create_stored_tables(connection)
        yield connection
