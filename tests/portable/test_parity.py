"""The comparison with Spark compares; the whole of it, over every step, is `make parity`."""

from __future__ import annotations

import duckdb
import pytest

from tests.portable import parity
from tests.portable.spark import Query


def test_a_difference_is_found() -> None:
    """The comparison itself, without Spark: it is what `make parity` rests on."""
    row = ("a", 1, 0.5)
    assert parity.differing([row], [("a", 1, 0.5 + 1e-12)], ["name", "n", "share"]) == ""
    for other in ([("a", 1, 0.5001)], [("a", 2, 0.5)], [row, row], [("a", 1, None)], []):
        assert "of 1 and" in parity.differing([row], other, ["name", "n", "share"])


@pytest.mark.filterwarnings("ignore")
def test_spark_does_as_duckdb_does() -> None:
    pytest.importorskip("pyspark", reason="pyspark is not installed: `make parity` brings it")
    with duckdb.connect() as connection:
        spark = parity.session()
        try:
            for name, select, alike in (
                ("halves", "SELECT CAST(1 AS DOUBLE) / 2 AS half, 7 // 2 AS whole", True),
                ("decimals", "SELECT 7 / 2.0 AS half", False),
            ):
                connection.execute(f"CREATE TABLE {name} AS {select}")
                outcome = parity.compare(connection, spark, Query(name, select))
                assert (outcome.difference == "") is alike, outcome
        finally:
            spark.stop()
