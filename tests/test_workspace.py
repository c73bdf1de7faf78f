"""An older version's database: missing columns are added, steps may have changed their kind."""

from __future__ import annotations

from pathlib import Path

from llm_audit import pipeline
from llm_audit.workspace import Workspace


def test_columns_that_an_older_version_did_not_have_are_added(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "audit.duckdb")
    with space.connect() as connection:
        connection.execute("ALTER TABLE calls DROP COLUMN inference_region")
        connection.execute("INSERT INTO calls (call_id, source_line) VALUES ('old', 1)")
    with space.connect() as connection:
        rows = connection.execute("SELECT call_id, inference_region FROM calls").fetchall()
    assert rows == [("old", None)]


def test_a_step_replaces_what_had_its_name_whatever_it_was(tmp_path: Path) -> None:
    first = pipeline.steps()[0]
    other = "view" if first.kind == "table" else "table"
    with Workspace(tmp_path / "audit.duckdb").connect() as connection:
        connection.execute(f"CREATE {other} {first.name} AS SELECT 1 AS one")
        pipeline.run_steps(connection, first.number, first.number)
        columns = [row[0] for row in connection.execute(f"DESCRIBE {first.name}").fetchall()]
    assert "one" not in columns
