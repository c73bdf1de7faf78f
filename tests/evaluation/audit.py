"""One audit through the real command line, and what its database says afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Audit:
    """An audit in `folder`: its database and its llm-audit.toml are there, as a user's would be."""

    folder: Path

    @property
    def database(self) -> Path:
        """Where the command line puts it by itself."""
        return self.folder / ".llm-audit" / "audit.duckdb"

    def ingest(self, *paths: Path) -> str:
        """`llm-audit ingest PATH...`; its summary line."""
        return self._run("ingest", *map(str, paths))

    def report(self, *, words: bool = True) -> dict[str, Any]:
        """`llm-audit report --format json`: labels, prices, and the report as a dictionary."""
        config = self.folder / "llm-audit.toml"
        config.write_text(f"words = {str(words).lower()}\n", encoding="utf-8")
        answer: dict[str, Any] = json.loads(
            self._run("report", "--format", "json"), parse_float=Decimal
        )
        return answer

    def query(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a read-only query."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def _run(self, *arguments: str) -> str:
        """The command line of this checkout, in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "llm_audit", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LLM_AUDIT_DB": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"llm-audit {arguments[0]} exited {done.returncode}: {done.stderr}")
        return done.stdout
