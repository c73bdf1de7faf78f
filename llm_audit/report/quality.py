"""What became of every line of the logs, and what could not be used: the data quality section."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report import result as r
from llm_audit.report.rows import make, read, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

LISTED = 100
"""The lists of data quality name at most this many; hostile logs can invent endless reasons."""


def data_quality(
    connection: duckdb.DuckDBPyConnection,
    calls_without_time: int,
    cost_without_time: Decimal,
    policy_warnings: tuple[str, ...],
) -> r.DataQuality:
    """Lines, rejects, unpriced models and reconciliation, from the tables of ingest and pricing.

    calls_without_time, cost_without_time (USD): what no day of the report can hold.
    """
    files = read(connection, "report_files", r.LogFile)
    rejects = read(connection, "report_rejects", r.RejectReason)
    shorten = _below_common_folder([file.path for file in files])
    counts = {
        name: sum(getattr(file, name) for file in files)
        for name in ("lines", "calls", "rejects", "duplicates", "not_calls")
    }
    accounted = sum(counts.values()) - counts["lines"]
    by_dimension: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows(connection, "report_call_counts"):
        by_dimension[row["dimension"]][row["value"]] = row["calls"]
    return r.DataQuality(
        files=len(files),
        **counts,
        closes=accounted == counts["lines"],
        calls_without_time=calls_without_time,
        cost_without_time=cost_without_time,
        calls_by_status=_sorted(by_dimension["status"]),
        calls_by_tokens_source=_sorted(by_dimension["tokens_source"]),
        calls_by_price_status=_sorted(by_dimension["price_status"]),
        unpriced=_unpriced(connection) if _any_unpriced(by_dimension["price_status"]) else (),
        rejects_by_reason=_worst_rejects(rejects, shorten),
        worst_files=_worst_files(files, shorten),
        reconciliation=_reconciliation(connection),
        policy_warnings=policy_warnings,
    )


def _reconciliation(connection: duckdb.DuckDBPyConnection) -> r.Reconciliation | None:
    """What `llm-audit reconcile` tells at length (sql/79); None without an export."""
    read = "SELECT 1 FROM usage_buckets UNION ALL SELECT 1 FROM export_files LIMIT 1"
    if not connection.execute(read).fetchall():
        return None
    found = sorted(rows(connection, "reconciliation_summary"), key=lambda row: row["provider_name"])
    amounts = {f.name for f in fields(r.ReconciledTokens)} - {
        "provider_name", "first_day", "last_day", "cost_not_compared",
    }  # fmt: skip
    return r.Reconciliation(
        usd=tuple(make(r.ReconciledUsd, row) for row in found if row["basis"] == "usd"),
        tokens=tuple(
            make(r.ReconciledTokens, row | {name: int(row[name]) for name in amounts})
            for row in found
            if row["basis"] == "tokens"
        ),
    )


def _any_unpriced(calls: Mapping[str, int]) -> bool:
    """Of a log that is priced whole, no call has to be looked at again."""
    return any(status.startswith("unpriced") for status in calls)


def _unpriced(connection: duckdb.DuckDBPyConnection) -> tuple[r.Unpriced, ...]:
    found = read(connection, "report_unpriced", r.Unpriced)
    found.sort(
        key=lambda u: (-u.calls, u.provider_name or "", u.model or "", u.price_status, u.hint or "")
    )
    return tuple(found[:LISTED])


def _worst_rejects(
    rejects: list[r.RejectReason], shorten: Mapping[str, str]
) -> tuple[r.RejectReason, ...]:
    worst = sorted(rejects, key=lambda reject: (-reject.lines, reject.reason))[:LISTED]
    return tuple(
        r.RejectReason(
            reject.reason,
            reject.lines,
            shorten.get(reject.first_file, reject.first_file),
            reject.first_line,
            reject.excerpt,
        )
        for reject in worst
    )


def _worst_files(files: list[r.LogFile], shorten: Mapping[str, str]) -> tuple[r.LogFile, ...]:
    worst = sorted(files, key=lambda file: (-file.rejects, -file.lines, file.path))[:LISTED]
    return tuple(
        r.LogFile(
            shorten[file.path],
            file.format,
            file.lines,
            file.calls,
            file.rejects,
            file.duplicates,
            file.not_calls,
        )
        for file in worst
    )


def _below_common_folder(paths: Iterable[str]) -> dict[str, str]:
    """Each path without the folders that all share.

    A report is forwarded: the reader needs to tell the files apart, not to learn the home
    folder of whoever ran it. And the same logs give the same report on two machines.
    """
    parts = {path: path.replace("\\", "/").split("/") for path in paths}
    if not parts:
        return {}
    folders = [split[:-1] for split in parts.values()]
    shared = 0
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        shared += 1
    return {path: "/".join(split[shared:]) for path, split in parts.items()}


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
