# ruff: noqa: S608 - these queries are printed and run by hand; their values go through _literal.
"""Which SQL computes a figure: from its JSON key to one query that `llm-audit sql` runs.

Every number of a report can be asked for again. A key names a place ('workloads.3.calls'); the
query names what stands there (the workload's id and label), so it reads the same row tomorrow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from llm_audit.report.verified import COST_RATES, DIMENSIONS, RATES

if TYPE_CHECKING:
    from llm_audit.report.result import Result


@dataclass(frozen=True)
class Source:
    """Keys of one shape and their query. In `pattern`, * is a place in a list.

    In `query`, {field} is the last name of the key ({key} the same as a text), {n} its last place
    and {nth} the one after it, {day} that day of the period, and {other} the value that the entry
    at a * has for `other`.
    """

    pattern: str
    query: str

    @property
    def shown(self) -> str:
        """The query as a reader adapts it: FIELD is any of the fields, :label is a value."""
        return re.sub(r"\{(\w+)\}", lambda name: _placeholder(name[1]), self.query)


_OF_WORKLOAD = "WHERE workload_id = {workload_id} AND label = {label}"
_OF_FILE = (
    "FROM report_files WHERE path = {path} OR ends_with(replace(path, '\\', '/'), '/' || {path}) "
    "ORDER BY length(path) LIMIT 1"
)
_OF_SUM = "SELECT coalesce(sum({field}), 0) FROM report_files"
_MONTH = "FROM report_savings CROSS JOIN report_period WHERE basis = 'projected'"
_OF_EXPORT = "FROM reconciliation_summary WHERE provider_name = {provider_name} AND basis = "
_OF_RATE = "FROM verified_shares WHERE name ="

SOURCES = tuple(
    Source(pattern, query)
    for pattern, query in (
        ("period.{field}", "SELECT {field} FROM report_period"),
        ("totals.{field}", "SELECT {field} FROM report_totals"),
        ("labels.*.{field}", "SELECT {field} FROM report_labels WHERE label = {label}"),
        (
            "models.*.{field}",
            "SELECT {field} FROM report_models WHERE provider_name IS NOT DISTINCT FROM "
            "{provider_name} AND model IS NOT DISTINCT FROM {model}",
        ),
        (
            "savings.observed.effective_cost_after",
            "SELECT effective_cost - conservative FROM report_savings WHERE basis = 'observed'",
        ),
        (
            "savings.observed.{field}",
            "SELECT {field} FROM report_savings WHERE basis = 'observed'",
        ),
        (
            "savings.monthly.effective_cost_after",
            f"SELECT (effective_cost - conservative) * 30 / days {_MONTH}",
        ),
        ("savings.monthly.{field}", f"SELECT {{field}} * 30 / days {_MONTH}"),
        (
            "savings.annual.effective_cost_after",
            f"SELECT (effective_cost - conservative) * 30 * 12 / days {_MONTH}",
        ),
        ("savings.annual.{field}", f"SELECT {{field}} * 30 * 12 / days {_MONTH}"),
        (
            "workloads.*.confidence",
            f"SELECT round(confidence, 4) FROM report_workloads {_OF_WORKLOAD}",
        ),
        (
            "workloads.*.reasons.*.weight",
            f"SELECT round(weight, 4) FROM report_reasons {_OF_WORKLOAD} AND code = {{code}} "
            "AND evidence = {evidence}",
        ),
        (
            "workloads.*.reasons.*.{field}",
            f"SELECT {{field}} FROM report_reasons {_OF_WORKLOAD} AND code = {{code}} "
            "AND evidence = {evidence}",
        ),
        (
            "workloads.*.activity.by_day.*",
            f"SELECT coalesce(sum(calls), 0) FROM report_days {_OF_WORKLOAD} AND day = {{day}}",
        ),
        (
            "workloads.*.activity.by_hour.*",
            f"SELECT coalesce(sum(calls), 0) FROM report_hours {_OF_WORKLOAD} "
            "AND hour_of_week = {n}",
        ),
        (
            "workloads.*.activity.gaps.*",
            f"SELECT gaps_{{nth}} FROM report_pace {_OF_WORKLOAD}",
        ),
        (
            "workloads.*.activity.streaming_share",
            "SELECT round(streaming_calls / nullif(streaming_known_calls, 0), 4) FROM report_pace "
            + _OF_WORKLOAD,
        ),
        ("workloads.*.activity.{field}", f"SELECT {{field}} FROM report_pace {_OF_WORKLOAD}"),
        ("workloads.*.batch_fit.{field}", f"SELECT {{field}} FROM report_batch_fit {_OF_WORKLOAD}"),
        ("workloads.*.{field}", f"SELECT {{field}} FROM report_workloads {_OF_WORKLOAD}"),
        ("bridge.*.amount", "SELECT amount FROM report_bridge WHERE name = {name}"),
        (
            "trend.*.{field}",
            "SELECT coalesce(sum({field}), 0) FROM report_days WHERE day = {date}",
        ),
        ("policy.rules.*.weight", "SELECT weight FROM rule_uses WHERE code = {code}"),
        ("policy.rules.*.calls", "SELECT calls FROM rule_uses WHERE code = {code}"),
        (
            "policy.overrides.*.{field}",
            "SELECT {field} FROM override_uses WHERE position = "
            "(SELECT position FROM override_uses ORDER BY position LIMIT 1 OFFSET {n})",
        ),
        ("policy.{field}", "SELECT {field} FROM thresholds"),
        (
            "pricing.own_rates.*.{field}",
            "SELECT {field} FROM report_own_rates WHERE model = {model} AND tier = {tier}",
        ),
        ("data_quality.files", "SELECT count(*) FROM report_files"),
        ("data_quality.calls_without_time", "SELECT calls_without_time FROM report_period"),
        (
            "data_quality.cost_without_time",
            "SELECT coalesce(sum(effective_cost), 0) FROM report_days WHERE day IS NULL",
        ),
        *(
            (
                f"data_quality.calls_by_{dimension}.{{field}}",
                "SELECT calls FROM report_call_counts WHERE "
                f"dimension = '{dimension}' AND value = {{key}}",
            )
            for dimension in ("status", "tokens_source", "price_status")
        ),
        (
            "data_quality.unpriced.*.{field}",
            "SELECT {field} FROM report_unpriced WHERE provider_name IS NOT DISTINCT FROM "
            "{provider_name} AND model IS NOT DISTINCT FROM {model} AND price_status = "
            "{price_status} AND hint IS NOT DISTINCT FROM {hint}",
        ),
        (
            "data_quality.rejects_by_reason.*.{field}",
            "SELECT {field} FROM report_rejects WHERE reason = {reason}",
        ),
        ("data_quality.worst_files.*.{field}", f"SELECT {{field}} {_OF_FILE}"),
        ("data_quality.reconciliation.usd.*.{field}", f"SELECT {{field}} {_OF_EXPORT}'usd'"),
        ("data_quality.reconciliation.tokens.*.{field}", f"SELECT {{field}} {_OF_EXPORT}'tokens'"),
        ("data_quality.{field}", _OF_SUM),
        (
            "sensitivity.*.change",
            "SELECT one.saving - headline.saving FROM report_sensitivity AS one "
            "CROSS JOIN report_sensitivity AS headline "
            "WHERE one.name = {name} AND headline.name = 'conservative'",
        ),
        ("sensitivity.*.saving", "SELECT saving FROM report_sensitivity WHERE name = {name}"),
        ("migration.batches", "SELECT count(*) FROM verified_batches"),
        *(
            (f"migration.{place}.{{field}}", f"SELECT {{field}} {_OF_RATE} '{name}'")
            for place, name in (
                *((name, name) for name in RATES),
                *((f"cost.{name}", name) for name in COST_RATES),
                *((f"noise.{name}", f"noise_{name}") for name in ("logged", "batch", "across")),
            )
        ),
        *(
            (
                f"migration.{dimension}.*.number",
                f"SELECT number FROM verified_counts WHERE dimension = '{dimension}' "
                "AND name = {name}",
            )
            for dimension in DIMENSIONS
        ),
        (
            "migration.turnaround.*.{field}",
            "SELECT {field} FROM verified_turnaround WHERE vendor = {vendor}",
        ),
        (
            "migration.cost.claimed_saving",
            "SELECT sync_cost - claimed_cost FROM verified_totals",
        ),
        (
            "migration.cost.measured_saving",
            "SELECT CASE WHEN prompts_alike THEN sync_cost - measured_cost END "
            "FROM verified_totals",
        ),
        (
            "migration.cost.tokens.*.{field}",
            "SELECT {field} FROM verified_costs WHERE token_kind = {token_kind}",
        ),
        ("migration.cost.{field}", "SELECT {field} FROM verified_totals"),
        ("migration.checks.*.{field}", "SELECT {field} FROM verified_checks WHERE name = {name}"),
        (
            "migration.workloads.*.{field}",
            "SELECT {field} FROM verified_workloads WHERE workload_id = {workload_id}",
        ),
        ("migration.{field}", "SELECT {field} FROM verified_totals"),
    )
)
"""The first that fits a key is its source. What is not here comes from no table: the version of
the document, and `baseline`, which is another run's JSON."""


def source_of(key: str) -> Source | None:
    """The source of a key such as 'workloads.3.calls'; None where no table holds it."""
    return next((source for source in SOURCES if _matches(source.pattern, key)), None)


def query_of(result: Result, key: str) -> str | None:
    """The query of a figure of this result, ready to run; None where no table holds it."""
    source = source_of(key)
    if source is None:
        return None
    return source.query.format_map(_values(result, key.split(".")))


def _matches(pattern: str, key: str) -> bool:
    wanted, found = pattern.split("."), key.split(".")
    return len(wanted) == len(found) and all(map(_fits, wanted, found))


def _fits(wanted: str, found: str) -> bool:
    if wanted == "*":
        return found.isdigit()
    return wanted in ("{field}", found) and not (wanted == "{field}" and found.isdigit())


def _values(result: Result, names: list[str]) -> dict[str, str]:
    """What the braces of a query stand for: of all entries on the way, the innermost last."""
    values = {"field": names[-1], "key": _literal(names[-1])}
    at: Any = result
    for name in names:
        if not isinstance(at, tuple):
            at = at[name] if isinstance(at, dict) else getattr(at, name)
            continue
        values |= {"n": name, "nth": str(int(name) + 1)}
        if result.period.start:
            values["day"] = _literal(result.period.start.date() + timedelta(days=int(name)))
        at = at[int(name)]
        if is_dataclass(at):
            values |= {field.name: _literal(getattr(at, field.name)) for field in fields(at)}
    return values


def _literal(value: object) -> str:
    """A value as SQL writes it. Texts come from logs: a quote in one must not end it."""
    if value is None:
        return "NULL"
    if isinstance(value, date):
        return f"DATE '{value:%Y-%m-%d}'"
    return "'" + str(value).replace("'", "''") + "'"


def _placeholder(name: str) -> str:
    return {"field": "FIELD", "nth": "N"}.get(name, f":{name}")
