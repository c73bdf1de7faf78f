"""A crash in the middle leaves nothing half-read, and the next ingest completes the work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from llm_audit.ingest import ingest
from llm_audit.ingest.batch import Batch
from llm_audit.ingest.loading import Loader
from llm_audit.sources.local import find
from llm_audit.workspace import Workspace
from tests.ingest.helpers import Audit, audit, chat, embedding, jsonl, message, write


def logs(folder: Path) -> Path:
    write(folder / "a.jsonl", jsonl(chat(1), b"{broken", embedding(), message(1)))
    write(folder / "b.jsonl", jsonl(*[message(number) for number in range(2, 50)]))
    return folder


def assert_complete(book: Audit) -> None:
    assert book.rows("SELECT count(*), min(source_line) FROM calls") == [(51, 1)]
    assert book.rows("SELECT count(*) FROM rejects") == [(1,)]
    assert book.rows("SELECT count(*) FROM ingested_files") == [(2,)]
    book.check_books()


@pytest.mark.parametrize("step", ["_write", "_reopen_last_lines"])
def test_a_failure_while_booking_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder = logs(tmp_path / "logs")
    with audit() as book:
        with monkeypatch.context() as patch:
            patch.setattr(Batch, step, _interrupt)
            with pytest.raises(KeyboardInterrupt):
                ingest(book.connection, find([str(folder)]))
        for table in ("rejects", "ingested_files"):
            assert book.rows(f"SELECT count(*) FROM {table}") == [(0,)]
        book.ingest(folder)
        assert_complete(book)


@pytest.mark.parametrize("step", ["_locate", "_find_duplicates", "_count"])
def test_a_failure_while_loading_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder = logs(tmp_path / "logs")
    with audit() as book:
        with monkeypatch.context() as patch:
            patch.setattr(Loader, step, _interrupt)
            with pytest.raises(KeyboardInterrupt):
                ingest(book.connection, find([str(folder)]))
        book.ingest(folder)
        assert_complete(book)


def _interrupt(*arguments: object) -> None:
    raise KeyboardInterrupt


KILLED = """
import os, sys
from llm_audit.cli import run
from llm_audit.ingest.{module} import {owner}
{owner}.{step} = lambda *arguments: os._exit(9)
run(["ingest", sys.argv[1], "--db", sys.argv[2]])
"""


@pytest.mark.parametrize(
    ("module", "owner", "step"),
    [("batch", "Batch", "_write"), ("loading", "Loader", "_count")],
)
def test_a_killed_process_leaves_nothing(
    tmp_path: Path, module: str, owner: str, step: str
) -> None:
    folder, database = logs(tmp_path / "logs"), tmp_path / "db" / "audit.duckdb"
    script = KILLED.format(module=module, owner=owner, step=step)
    killed = subprocess.run([sys.executable, "-c", script, str(folder), str(database)], check=False)
    assert killed.returncode == 9
    with duckdb.connect(database) as connection:
        visible = "SELECT count(*) FROM calls WHERE source_line > 0"
        assert Audit(connection).rows(visible) == [(0,)]
        assert Audit(connection).rows("SELECT count(*) FROM ingested_files") == [(0,)]
    with Workspace(database).connect() as connection:
        book = Audit(connection)
        book.ingest(folder)
        assert_complete(book)
