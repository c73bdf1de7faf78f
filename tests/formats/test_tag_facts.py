"""What free labels say about a caller, on literal tag lists."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from llm_audit.formats import shared_sql


def _facts(connection: duckdb.DuckDBPyConnection, tags: list[str]) -> dict[str, Any]:
    connection.execute(shared_sql("_macros.sql"))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE tag_sets AS SELECT ?::VARCHAR[] AS tags", [tags]
    )
    cursor = connection.execute(shared_sql("_tag_facts.sql"))
    names = [column[0] for column in cursor.description]
    row = cursor.fetchone()
    return dict(zip(names, row, strict=True)) if row else {}


@pytest.mark.parametrize(
    ("tags", "seconds"),
    [
        (["max_delay:24h"], 86_400),
        (["max_delay:24h", "sla:30s"], 30),
        (["sla:30s", "max_delay:24h"], 30),
        (["sla_hours:24"], 86_400),
        (["tolerance_minutes:90"], 5_400),
        (["max_latency:120000"], 120),
        (["sla:900"], 900),
        (["due_in:2 days"], 172_800),
    ],
)
def test_the_shortest_tolerance_counts(
    connection: duckdb.DuckDBPyConnection, tags: list[str], seconds: float
) -> None:
    assert _facts(connection, tags)["declared_tolerance_s"] == seconds


@pytest.mark.parametrize("tags", [["max_delay:soon"], ["plain"], ["deadline:08:00"], []])
def test_what_is_no_duration_says_nothing(
    connection: duckdb.DuckDBPyConnection, tags: list[str]
) -> None:
    assert _facts(connection, tags) == {}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["env:prod", "job:nightly"], {"environment": "prod", "service_name": "nightly"}),
        (["dag_id:enrich"], {"job_name": "enrich", "scheduler": "airflow"}),
        (["cron:15 */4 * * *"], {"scheduler": "cron"}),
        (["ci:github_actions"], {"scheduler": "ci"}),
        (["scheduler:Dagster"], {"scheduler": "dagster"}),
        (["gen_ai.agent.name:fixer"], {"agent_name": "fixer"}),
    ],
)
def test_callers_and_schedulers(
    connection: duckdb.DuckDBPyConnection, tags: list[str], expected: dict[str, str]
) -> None:
    facts = _facts(connection, tags)
    assert {name: facts[name] for name in expected} == expected
