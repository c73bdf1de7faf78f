"""Reads `report_*`, `reconciliation_summary`, `rule_uses` and `override_uses` into one `Result`.

With `activity`, `quality` and `verified` the only modules of the report that query.

Each view's columns are the fields of one dataclass, so a figure of the report is one column of one
view. Order is settled here, not in SQL: the same tables give the same bytes on every engine.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from llm_audit.report import result as r
from llm_audit.report.activity import Key, activities, batch_fits, trend
from llm_audit.report.assumptions import Measurement, assumptions
from llm_audit.report.figures import percent, share
from llm_audit.report.quality import data_quality
from llm_audit.report.rows import make, read, rows
from llm_audit.report.verified import migration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

DAYS_PER_MONTH = 30
MONTHS_PER_YEAR = 12
LEAST_DAYS = 7
LEAST_CALLS = 1000
MOST_UNPRICED = Decimal("0.05")
"""Above this share nothing is projected: a bill with a hole in it has no percentages."""

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
    quality = data_quality(
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
        assumptions=assumptions(pricing, _measured(connection)),
        migration=migration(connection),
        replayable=_replayable(connection),
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


def _replayable(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Of the workloads that could be moved alone: of others nobody is told to."""
    found = rows(connection, "replayable_workloads")
    return tuple(sorted(row["workload_id"] for row in found if row["label"] == "batch_eligible"))


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


def _measured(connection: duckdb.DuckDBPyConnection) -> list[Measurement]:
    """One per model, which may have several keys."""
    found = {make(Measurement, row) for row in rows(connection, "measured_batches")}
    return sorted(found, key=lambda one: one.model)


def _sensitivity(
    connection: duckdb.DuckDBPyConnection, headline: Decimal
) -> tuple[r.Sensitivity, ...]:
    found = sorted(rows(connection, "report_sensitivity"), key=lambda row: row["position"])
    return tuple(
        r.Sensitivity(row["name"], row["title"], row["saving"], row["saving"] - headline)
        for row in found
    )
