"""The `.duckdb` file an audit lives in: where it is, how it is opened, what it may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_audit import schema
from llm_audit.errors import EngineError

if TYPE_CHECKING:
    import duckdb

DEFAULT_PATH = Path(".llm-audit") / "audit.duckdb"


@dataclass(frozen=True)
class Workspace:
    """Where the database is and how much of the machine it may take (None: DuckDB's default)."""

    path: Path
    memory: str | None = None
    threads: int | None = None

    @contextmanager
    def connect(
        self, *, read_only: bool = False, must_exist: bool = False
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the database for the length of a `with` block.

        Errors: `EngineError` when it does not exist (read_only or must_exist), is locked by
        another process, or is not a database.
        """
        import duckdb

        if (read_only or must_exist) and not self.path.exists():
            raise EngineError(
                f"no audit database at {self.path}",
                slug="no-database",
                hint="run `llm-audit ingest PATH` first, or name the file with --db",
            )
        if not read_only:
            self._prepare_folder()
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only, config=self._config())
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise EngineError(
                f"cannot open {self.path}: {str(error).splitlines()[0]}",
                slug="database-unusable",
                hint="close the other llm-audit or DuckDB session that holds it, or choose another "
                "file with --db",
            ) from None
        try:
            connection.execute("SET TimeZone = 'UTC'")
            if not read_only:
                for name in schema.STORED_TABLES:
                    connection.execute(schema.create_table_sql(name))
            yield connection
        finally:
            connection.close()

    def _config(self) -> dict[str, str | bool | int | float | list[str]]:
        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "temp_directory": str(self.path.with_suffix(".spill")),
        }
        if self.memory:
            config["memory_limit"] = self.memory
        if self.threads:
            config["threads"] = self.threads
        return config

    def _prepare_folder(self) -> None:
        """A private folder that git ignores: the database names callers, models and costs."""
        folder = self.path.parent
        created = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if created:
                folder.chmod(0o700)
                (folder / ".gitignore").write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise EngineError(
                f"cannot create {folder}: {error.strerror}",
                slug="database-folder",
                hint="choose a writable place with --db",
            ) from None


def default_path() -> Path:
    """`LLM_AUDIT_DB` if set, else `.llm-audit/audit.duckdb` under the working folder."""
    return Path(os.environ.get("LLM_AUDIT_DB") or DEFAULT_PATH)
