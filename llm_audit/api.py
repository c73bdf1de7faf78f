"""The audit from Python: results as dataclasses, tables as pandas DataFrames, for notebooks.

    import llm_audit

    audit = llm_audit.open()                    # .llm-audit/audit.duckdb
    audit.savings()
    audit.calls(label="gray_area")[["source_file", "source_line", "effective_cost"]]

Money is exact: `decimal.Decimal`, USD, None where no price is known. Times are UTC. Nothing is held
open between two calls, so the command line can go on working with the same database.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from llm_audit import __version__, pipeline
from llm_audit import report as reporting
from llm_audit.errors import InputError
from llm_audit.policy import Policy, find_config
from llm_audit.schema import LABELS
from llm_audit.text import printable
from llm_audit.workspace import Workspace, default_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    import pandas as pd

    from llm_audit.report import Result

_CALLS = """
SELECT l.workload_id, l.label, l.confidence, c.*, k.* EXCLUDE (call_id, card_id)
FROM calls AS c
JOIN labels AS l ON l.call_id = c.call_id
JOIN costs AS k ON k.call_id = c.call_id
WHERE l.label = coalesce($label, l.label) AND l.workload_id = coalesce($workload, l.workload_id)
ORDER BY c.started_at, c.source_file, c.source_line
"""

_WORKLOADS = """
SELECT *
FROM report_workloads
ORDER BY
    CASE WHEN label <> 'realtime' THEN saving_conservative END DESC NULLS LAST,
    effective_cost DESC NULLS LAST,
    workload_id,
    label
"""


class Audit:
    """One audit database, labelled and priced. Made by `llm_audit.open`."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        self._workspace = workspace
        self._policy = policy

    def __enter__(self) -> Self:
        """For those who write `with`: there is nothing to close."""
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is open."""

    def refresh(self, as_of: date | None = None) -> None:
        """Label and price every call anew, as `llm-audit report` does.

        as_of: the day whose price card the forward saving uses; today if not given.
        Errors: `InputError` where nothing was read, `EngineError` while another one writes.
        """
        with self._workspace.connect(must_exist=True) as connection:
            pipeline.run(connection, self._policy, as_of or date.today(), empty=True)

    def result(self, as_of: date | None = None, *, project: bool = False) -> Result:
        """All figures of the report, in the dataclasses of `llm_audit.report.result`.

        as_of: as if reported on that day; the database keeps its own, `result.pricing.as_of`.
        project: project to a month even from a short log.
        """
        build = partial(
            reporting.build, now=datetime.now(UTC), project=project, tool_version=__version__
        )
        with self._workspace.connect(read_only=as_of is None, must_exist=True) as connection:
            if as_of is None:
                return build(connection)
            connection.execute("BEGIN TRANSACTION")
            try:
                pipeline.run(connection, self._policy, as_of, empty=True)
                return build(connection)
            finally:
                connection.execute("ROLLBACK")

    def workloads(self) -> pd.DataFrame:
        """One row per workload and label, observed; the largest saving first.

        Savings of realtime rows are None: nothing is claimed of calls that someone waits for. The
        headline is the sum of saving_conservative where `worth_it` and label 'batch_eligible'.
        """
        frame = self.sql(_WORKLOADS)
        claims = [name for name in frame if "saving_" in name]
        frame.loc[frame["label"] == "realtime", claims] = None
        return frame

    def calls(self, label: str | None = None, workload: str | None = None) -> pd.DataFrame:
        """One row per call in order of time: label, costs, and all columns of `calls`.

        source_file and source_line lead to the log: the database has no prompt or answer. A large
        log makes a large frame; name a label or a workload_id.
        Errors: `InputError` for an unknown label.
        """
        if label not in (None, *LABELS):
            raise InputError(
                f"no such label: {label!r}", slug="label", hint="one of " + ", ".join(LABELS)
            )
        return self.sql(_CALLS, {"label": label, "workload": workload})

    def savings(self, *, project: bool = False) -> pd.DataFrame:
        """One row per basis, USD: observed, and if projected monthly and annual."""
        import pandas as pd

        savings = asdict(self.result(project=project).savings)
        bases = {name: saving for name, saving in savings.items() if saving is not None}
        return pd.DataFrame.from_dict(bases, orient="index").rename_axis("basis")

    def sql(
        self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> pd.DataFrame:
        """The rows of one read-only query over the audit's tables.

        parameters: for ? or $name in the query. Errors: `InputError` with DuckDB's own words.
        """
        import duckdb

        with self._workspace.connect(read_only=True) as connection:
            connection.execute("SET enable_external_access = false")
            try:
                rows = connection.sql(query, params=parameters)
                if rows is not None:
                    return _frame(rows)
                reason = "that statement has no rows"
            except duckdb.Error as error:
                reason = printable(str(error).splitlines()[0], 400)
        raise InputError(reason, slug="sql", hint="the tables: audit.sql('SHOW TABLES')")


def open_audit(
    path: str | Path | None = None, *, config: str | Path | None = None, refresh: bool = False
) -> Audit:
    """See `llm_audit.open`."""
    for name, value in (("path", path), ("config", config)):
        if value is not None and not isinstance(value, (str, Path)):
            raise InputError(
                f"{name} is {value!r}: it has to be the path of a file, as str or Path",
                slug="api-path",
                hint="llm_audit.open('.llm-audit/audit.duckdb')",
            )
    found = Path(config) if config else find_config(Path.cwd())
    policy = Policy.load(found)
    for warning in policy.warnings:
        warnings.warn(printable(warning, 400), stacklevel=3)
    audit = Audit(Workspace(Path(path) if path else default_path()), policy)
    if refresh or not _labelled(audit, policy if config else None):
        audit.refresh()
    return audit


def _labelled(audit: Audit, policy: Policy | None) -> bool:
    """Whether this version's tables are there, with a label for every call, by this very policy."""
    tables = set(audit.sql("SELECT table_name FROM information_schema.tables")["table_name"])
    if not {step.name for step in pipeline.steps()} <= tables:
        return False
    counts = audit.sql("SELECT (SELECT count(*) FROM calls) - (SELECT count(*) FROM labels) AS new")
    if policy is None:
        return not counts["new"][0]
    used = audit.sql("SELECT coalesce(sha256, '') AS sha256 FROM policy_meta")
    return not counts["new"][0] and used["sha256"][0] == (policy.sha256 or "")


def _frame(rows: duckdb.DuckDBPyRelation) -> pd.DataFrame:
    """A relation as a frame. DuckDB makes floats of decimals, so those travel as text."""
    import pandas as pd

    kinds = zip(rows.columns, rows.types, strict=True)
    exact = [name for name, kind in kinds if kind.id == "decimal"]
    if not exact:
        return rows.df()
    quoted = ['"' + name.replace('"', '""') + '"' for name in exact]
    texts = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in quoted)
    frame = rows.project(f"* REPLACE ({texts})").df()
    for name in exact:
        values = [Decimal(text) if isinstance(text, str) else None for text in frame[name]]
        frame[name] = pd.Series(values, dtype=object, index=frame.index)
    return frame
