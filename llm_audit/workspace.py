"""The `.duckdb` file an audit lives in: where it is, how it is opened, what it may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

        self._check_file(must_exist=read_only or must_exist)
        if read_only:
            self._heal()
        else:
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
                self._make_private()
                create_stored_tables(connection)
                discard_unbooked(connection)
            yield connection
        except duckdb.OutOfMemoryException as error:
            raise EngineError(
                f"not enough memory: {str(error).splitlines()[0]}",
                slug="out-of-memory",
                hint="allow more with --memory, or use fewer --threads",
            ) from None
        except duckdb.TransactionException as error:
            raise EngineError(
                f"cannot write {self.path}: {str(error).splitlines()[0]}",
                slug="database-unwritable",
                hint="check the file's folder and the free space, or choose another with --db",
            ) from None
        finally:
            connection.close()

    def _make_private(self) -> None:
        """Only the owner may read it, also where the folder is not ours."""
        with suppress(OSError):
            self.path.chmod(0o600)

    def _heal(self) -> None:
        """Let a writing connection discard what a crashed ingest left, if nobody else reads."""
        with suppress(EngineError), self.connect():
            pass

    def _check_file(self, *, must_exist: bool) -> None:
        try:
            if must_exist and not self.path.exists():
                raise EngineError(
                    f"no audit database at {self.path}",
                    slug="no-database",
                    hint="run `llm-audit ingest PATH` first, or name the file with --db",
                )
            self._check_kind()
        except OSError as error:
            raise EngineError(
                f"cannot read {self.path}: {error.strerror}",
                slug="database-unreadable",
                hint="choose another file with --db",
            ) from None

    def _check_kind(self) -> None:
        """Refuse a file that is no database: DuckDB opens a JSON file too, and keeps nothing.

        A DuckDB file has `DUCK` behind its checksum (duckdb.org, "Storage versions and format").
        """
        if not self.path.is_file() or self.path.stat().st_size == 0:
            return
        with self.path.open("rb") as file:
            if file.read(12)[8:] == b"DUCK":
                return
        raise EngineError(
            f"{self.path} is not a DuckDB database",
            slug="not-a-database",
            hint="name another file with --db; it is made if it does not exist",
        )

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


def create_stored_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing: whole tables, or columns that an older version did not have.

    Rows of that version have NULL there: unknown, as in a log that does not say.
    """
    for name, columns in schema.STORED_TABLES.items():
        connection.execute(schema.create_table_sql(name))
        there = {row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
        for column in columns:
            if column.name not in there:
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {column.name} {column.sql_type}")


def discard_unbooked(connection: duckdb.DuckDBPyConnection) -> None:
    """Remove the calls of an ingest that did not come to its end (see `ingest.loading`)."""
    connection.execute("DELETE FROM calls WHERE source_line IS NULL OR source_line < 0")


def default_path() -> Path:
    """`LLM_AUDIT_DB` if set, else `.llm-audit/audit.duckdb` under the working folder."""
    return Path(os.environ.get("LLM_AUDIT_DB") or DEFAULT_PATH)
