"""Reads `report_*`, `reconciliation_summary`, `rule_uses` and `override_uses` into one `Result`.

With `activity` the only module of the report that queries.

Each view's columns are the fields of one dataclass, so a figure of the report is one column of one
view. Order is settled here, not in SQL: the same tables give the same bytes on every engine.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from llm_audit.report import result as r
from llm_audit.report.activity import Key, activities, batch_fits, trend
from llm_audit.report.assumptions import assumptions
from llm_audit.report.figures import percent, share
from llm_audit.report.rows import make, read, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

DAYS_PER_MONTH = 30
MONTHS_PER_YEAR = 12
LEAST_DAYS = 7
LEAST_CALLS = 1000
MOST_UNPRICED = Decimal("0.05")
"""Above this share nothing is projected: a bill with a hole in it has no percentages."""

LISTED = 100
"""The lists of data quality name at most this many; hostile logs can invent endless reasons."""

_PLACES = {"batch_eligible": 0, "gray_area": 1}


def build(
    connection: duckdb.DuckDBPyConnection,
    *,
    now: datetime,
    project: bool,
    tool_version: str,
    policy_warnings: Iterable[str] = (),
) -> r.Result:
    """The result of the audit in `connection`, whose steps up to 93 have run.

    now: when the result is made, UTC. project: project to a month even from a short log
    (fewer than 7 days or 1,000 calls). Too much without a price is never projected.
    policy_warnings: what the user's policy says in vain, to be shown beside the figures.
    """
    [period_row] = rows(connection, "report_period")
    period = r.Period(
        period_row["start_at"], period_row["end_at"], period_row["days"], period_row["calls"]
    )
    totals = read(connection, "report_totals", r.Totals)[0]
    day_rows = rows(connection, "report_days")
    timeless = sum(
        (row["effective_cost"] for row in day_rows if row["day"] is None), Decimal("0.00")
    )
    quality = _data_quality(
        connection, period_row["calls_without_time"], timeless, tuple(policy_warnings)
    )
    pricing = _pricing(connection)
    projection = _unrated(connection, pricing) or _projection(
        period, totals, quality, forced=project
    )
    savings = _savings(connection, period, projection)
    workloads = _workloads(
        connection, activities(connection, day_rows, period), batch_fits(connection)
    )
    return r.Result(
        schema_version=r.SCHEMA_VERSION,
        tool_version=tool_version,
        generated_at=now.astimezone(UTC).replace(microsecond=0),
        period=period,
        projection=projection,
        totals=totals,
        labels=_labels(connection),
        models=_models(connection),
        savings=savings,
        workloads=workloads,
        bridge=_bridge(connection),
        trend=trend(day_rows, period),
        baseline=None,
        policy=_policy(connection),
        pricing=pricing,
        data_quality=quality,
        sensitivity=_sensitivity(connection, savings.observed.conservative),
        assumptions=assumptions(pricing),
    )


def _unrated(connection: duckdb.DuckDBPyConnection, pricing: r.Pricing) -> r.Projection | None:
    """No projection where the day of --as-of has no prices for these models."""
    [row] = rows(connection, "report_forward")
    unrated = share(row["unrated_cost"], row["effective_cost"])
    if unrated <= MOST_UNPRICED:
        return None
    return r.Projection(
        False,
        f"{percent(unrated)} of the bill has no price on {pricing.as_of.isoformat()}, over the "
        f"{MOST_UNPRICED:.0%} up to which a month would be an honest figure, so only the observed "
        "days are shown. Choose another day with --as-of.",
    )


def _projection(
    period: r.Period, totals: r.Totals, quality: r.DataQuality, *, forced: bool
) -> r.Projection:
    """A short log says little about a month: Sunday's calls times 30 are nobody's bill."""
    if period.calls == 0:
        return r.Projection(False, "There are no calls to project from.")
    unpriced = _unpriced_share(totals, quality)
    if unpriced > MOST_UNPRICED:
        return r.Projection(
            False,
            f"{percent(float(unpriced))} of what was used has no known price, over the "
            f"{MOST_UNPRICED:.0%} up to which a month would be an honest figure, so only the "
            "observed days are shown.",
        )
    calls = period.calls - quality.calls_without_time
    if calls == 0:
        return r.Projection(False, "No call has a time, so nothing tells what a month holds.")
    left_out = (
        f" {quality.calls_without_time:,} without a time are left out."
        if quality.calls_without_time
        else ""
    )
    if period.days >= LEAST_DAYS and calls >= LEAST_CALLS:
        reason = f"Projected from {period.days:,} days and {calls:,} calls."
        return r.Projection(True, reason + left_out)
    size = (
        f"The log holds {calls:,} {'call' if calls == 1 else 'calls'} "
        f"over {period.days:,} {'day' if period.days == 1 else 'days'}; "
        f"a projection wants {LEAST_DAYS} days and {LEAST_CALLS:,} calls"
    )
    if forced:
        asked = f"{size}. It was asked for with --project, so read it with care."
        return r.Projection(True, asked + left_out)
    return r.Projection(False, f"{size}, so only the observed days are shown (--project insists).")


def _unpriced_share(totals: r.Totals, quality: r.DataQuality) -> Decimal:
    """Of the tokens, or of the calls where the log does not even count them, whichever is more."""
    uncounted = quality.calls_by_price_status.get("unpriced_tokens", 0)
    billed = totals.calls - quality.calls_by_price_status.get("not_billed", 0)
    return max(
        Decimal(totals.unpriced_tokens) / max(totals.billed_tokens, 1),
        Decimal(uncounted) / max(billed, 1),
    )


def _savings(
    connection: duckdb.DuckDBPyConnection, period: r.Period, projection: r.Projection
) -> r.Savings:
    by_basis = {row.pop("basis"): row for row in rows(connection, "report_savings")}
    observed = _saving(by_basis["observed"])
    if not projection.shown:
        return r.Savings(observed, None, None)
    with localcontext(prec=50):
        monthly = {
            name: (amount * DAYS_PER_MONTH / period.days).quantize(Decimal("1e-12"))
            for name, amount in by_basis["projected"].items()
        }
        annual = {name: amount * MONTHS_PER_YEAR for name, amount in monthly.items()}
    return r.Savings(observed, _saving(monthly), _saving(annual))


def _saving(amounts: Mapping[str, Decimal]) -> r.Saving:
    after = amounts["effective_cost"] - amounts["conservative"]
    return r.Saving(effective_cost_after=after, **amounts)


def _labels(connection: duckdb.DuckDBPyConnection) -> tuple[r.LabelTotal, ...]:
    found = sorted(rows(connection, "report_labels"), key=lambda row: row["position"])
    return tuple(make(r.LabelTotal, row) for row in found)


def _models(connection: duckdb.DuckDBPyConnection) -> tuple[r.ModelTotal, ...]:
    models = read(connection, "report_models", r.ModelTotal)
    models.sort(key=lambda m: (-m.effective_cost, -m.calls, m.provider_name or "", m.model or ""))
    return tuple(models)


def _workloads(
    connection: duckdb.DuckDBPyConnection,
    activity: Mapping[Key, r.Activity],
    fits: Mapping[Key, r.BatchFit],
) -> tuple[r.Workload, ...]:
    """Worth moving first, then worth a question to the owner, then by what they cost."""
    reasons = _reasons(connection)
    workloads = []
    for row in rows(connection, "report_workloads"):
        if row["confidence"] is not None:
            row["confidence"] = round(row["confidence"], 4)
        row["criteria"] = make(r.Criteria, row)
        key = row["workload_id"], row["label"]
        row["reasons"] = tuple(reasons[key])
        row["activity"] = activity[key]
        row["batch_fit"] = fits.get(key)
        workloads.append(make(r.Workload, row))
    return tuple(
        sorted(
            workloads,
            key=lambda w: (
                _PLACES.get(w.label, len(_PLACES)) if w.worth_it else len(_PLACES),
                -w.saving_conservative if w.worth_it else 0,
                -(w.effective_cost or 0),
                -w.calls,
                w.workload_id,
                w.label,
            ),
        )
    )


def _reasons(
    connection: duckdb.DuckDBPyConnection,
) -> defaultdict[tuple[str, str], list[r.Reason]]:
    """By workload and label, the strongest first; a veto (no weight) before all."""
    found: defaultdict[tuple[str, str], list[r.Reason]] = defaultdict(list)
    for row in rows(connection, "report_reasons"):
        if row["weight"] is not None:
            row["weight"] = round(float(row["weight"]), 4)
        found[row["workload_id"], row["label"]].append(make(r.Reason, row))
    for reasons in found.values():
        reasons.sort(
            key=lambda reason: (
                reason.weight is not None,
                -abs(reason.weight or 0.0),
                -reason.calls,
                reason.code,
                reason.evidence,
            )
        )
    return found


def _bridge(connection: duckdb.DuckDBPyConnection) -> tuple[r.BridgeStep, ...]:
    steps = sorted(rows(connection, "report_bridge"), key=lambda row: row["position"])
    return tuple(make(r.BridgeStep, row) for row in steps)


def _policy(connection: duckdb.DuckDBPyConnection) -> r.PolicyUsed:
    """Rules by how many calls they spoke on; overrides in the user's order."""
    [limits] = rows(connection, "thresholds")
    [meta] = rows(connection, "policy_meta")
    rules = read(connection, "rule_uses", r.RuleUsed)
    rules.sort(key=lambda rule: (-rule.calls, rule.code))
    overrides = sorted(rows(connection, "override_uses"), key=lambda row: row["position"])
    return make(
        r.PolicyUsed,
        limits
        | meta
        | {
            "rules": tuple(rules),
            "overrides": tuple(
                make(r.OverrideUsed, row | {"by": row["signed_by"], "until": row["until_day"]})
                for row in overrides
            ),
        },
    )


def _pricing(connection: duckdb.DuckDBPyConnection) -> r.Pricing:
    [row] = rows(connection, "pricing_meta")
    own = sorted(read(connection, "report_own_rates", r.OwnRates), key=lambda o: (o.model, o.tier))
    return make(r.Pricing, {**row, "own_rates": tuple(own)})


def _data_quality(
    connection: duckdb.DuckDBPyConnection,
    calls_without_time: int,
    cost_without_time: Decimal,
    policy_warnings: tuple[str, ...],
) -> r.DataQuality:
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


def _sensitivity(
    connection: duckdb.DuckDBPyConnection, headline: Decimal
) -> tuple[r.Sensitivity, ...]:
    found = sorted(rows(connection, "report_sensitivity"), key=lambda row: row["position"])
    return tuple(
        r.Sensitivity(row["name"], row["title"], row["saving"], row["saving"] - headline)
        for row in found
    )


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
