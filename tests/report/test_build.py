from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from llm_audit import report
from llm_audit.report import Result, to_json
from llm_audit.report.headline import headline, plain
from llm_audit.report.result import ModelTotal, Totals
from tests.report import tables

Golden = Callable[[str, Result], None]


def test_golden_mixed_audit(mixed: Result, golden: Golden) -> None:
    golden("mixed", mixed)


def test_golden_one_day_on_sonnet_4(one_day: Result, golden: Golden) -> None:
    golden("one_day", one_day)


def test_users_example(one_day: Result) -> None:
    savings = json.loads(to_json(one_day))["savings"]
    spend = {
        basis: (s["effective_cost"], s["effective_cost_after"]) for basis, s in savings.items()
    }
    assert spend["observed"] == ("54.00", "27.00")
    assert spend["monthly"] == ("1620.00", "810.00")
    assert savings["monthly"]["conservative"] == "810.00"
    assert savings["annual"]["conservative"] == "9720.00"


def test_promised_keys(mixed: Result) -> None:
    document: dict[str, Any] = json.loads(to_json(mixed))
    promised = {
        "period": ("start", "end", "days", "calls"),
        "totals": (
            "list_cost",
            "effective_cost",
            "already_batch_cost",
            "unpriced_calls",
            "unpriced_tokens",
        ),
        "pricing": ("version", "sha256", "as_of", "oldest_verified_on"),
        "data_quality": ("files", "lines", "calls", "rejects", "duplicates", "not_calls"),
    }
    for name, keys in promised.items():
        assert set(keys) <= document[name].keys()
    for basis in ("observed", "monthly", "annual"):
        assert {"conservative", "expected", "best", "gray_area"} <= document["savings"][
            basis
        ].keys()
    for label in document["labels"]:
        assert {"label", "calls", "effective_cost", "saving_conservative", "saving_best"} <= set(
            label
        )
    workload = document["workloads"][0]
    assert {"workload_id", "caller", "operation_name", "model", "label", "confidence"} <= set(
        workload
    )
    assert workload["criteria"].keys() == {"independence", "tolerance", "storage"}
    assert {"code", "criterion", "weight", "evidence"} <= workload["reasons"][0].keys()
    assert document["sensitivity"]
    assert document["assumptions"]


def test_same_tables_give_the_same_bytes(audit: duckdb.DuckDBPyConnection, mixed: Result) -> None:
    assert to_json(tables.build(audit)) == to_json(mixed)
    later = report.build(
        audit, now=datetime(2030, 1, 1, tzinfo=UTC), project=False, tool_version="0.1.0"
    )
    assert replace(later, generated_at=mixed.generated_at) == mixed


def test_headline_counts_eligible_workloads_worth_it_alone(mixed: Result) -> None:
    observed = mixed.savings.observed
    assert observed.conservative == Decimal("40.25")
    assert observed.gray_area == Decimal("30.333333333333")
    assert observed.eligible_cost == Decimal("120.50")
    by_label = {label.label: label.saving_conservative for label in mixed.labels}
    assert by_label["batch_eligible"] == Decimal("41.00")


def test_the_parts_add_up(mixed: Result) -> None:
    names = ("worth_moving", "other_eligible", "gray_area", "realtime", "already_batch")
    every: list[Totals | ModelTotal] = [mixed.totals, *mixed.models]
    for costs in every:
        assert sum(getattr(costs, f"{name}_cost") for name in names) == costs.effective_cost
    assert sum(model.effective_cost for model in mixed.models) == mixed.totals.effective_cost
    assert sum(label.calls for label in mixed.labels) == mixed.totals.calls == mixed.period.calls


@pytest.mark.parametrize(
    ("calls", "days", "project", "shown"),
    [
        (1000, 7, False, True),
        (999, 7, False, False),
        (1000, 6, False, False),
        (10, 1, True, True),
    ],
)
def test_projection_wants_a_week_and_a_thousand_calls(
    audit: duckdb.DuckDBPyConnection, calls: int, days: int, project: bool, shown: bool
) -> None:
    tables.add_calls(audit, calls, days=days)
    tables.add_workload(audit, 1, cost=70, saved=(7, 7, 7))
    result = tables.build(audit, project=project)
    assert (result.period.calls, result.period.days) == (calls, days)
    assert result.projection.shown is shown
    if not shown:
        assert result.savings.monthly is None
        assert result.savings.annual is None
        return
    assert result.savings.monthly is not None
    assert result.savings.annual is not None
    assert result.savings.monthly.conservative == Decimal(7 * 30) / days
    assert result.savings.annual.conservative == result.savings.monthly.conservative * 12


def test_the_month_takes_the_forward_price(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=10)
    tables.add_workload(
        audit, 1, cost=100, saved=(50, 50, 50), forward=(20, 25, 30), forward_effective_cost=40
    )
    savings = tables.build(audit).savings
    assert savings.observed.conservative == 50
    assert savings.monthly is not None
    assert savings.monthly.effective_cost == 120
    assert savings.monthly.effective_cost_after == 60
    assert savings.monthly.conservative == 60
    assert savings.monthly.best == 90


def test_a_period_counts_calendar_days(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 2, days=1)
    audit.execute("UPDATE calls SET started_at = '2025-09-02 23:59:59' WHERE source_line = 1")
    audit.execute("UPDATE calls SET started_at = '2025-09-03 00:00:01' WHERE source_line = 2")
    assert tables.build(audit).period.days == 2


def test_unpriced_is_unknown_and_not_nothing(mixed: Result) -> None:
    [workload] = [w for w in mixed.workloads if w.advice == "unpriced"]
    assert workload.effective_cost is None
    [unpriced] = mixed.data_quality.unpriced
    assert (unpriced.calls, unpriced.tokens) == (50, 50 * 2400)
    assert unpriced.hint is not None
    assert "Haiku 3.5" in unpriced.hint


def test_every_line_is_accounted_for(audit: duckdb.DuckDBPyConnection, mixed: Result) -> None:
    assert mixed.data_quality.closes
    assert [r.first_line for r in mixed.data_quality.rejects_by_reason] == [10, 7]
    audit.execute("UPDATE ingested_files SET lines = lines + 1 WHERE path = 'logs/a/app.jsonl'")
    assert not tables.build(audit).data_quality.closes


def test_files_are_named_below_their_common_folder(audit: duckdb.DuckDBPyConnection) -> None:
    for path in ("/home/ana/logs/x/1.jsonl", "/home/ana/logs/y/1.jsonl"):
        tables.add_calls(audit, 1, days=1, path=path)
    names = {file.path for file in tables.build(audit).data_quality.worst_files}
    assert names == {"x/1.jsonl", "y/1.jsonl"}


def test_deadline_risk_shows_in_the_sensitivity(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=7)
    tables.add_workload(audit, 1, cost=20, saved=(10, 10, 10))
    tables.add_workload(
        audit, 2, cost=8, saved=(4, 4, 4), deadline_risk=True, worth_it=False, advice="batch"
    )
    changes = {row.name: row.change for row in tables.build(audit).sensitivity}
    assert changes["deadline_risk_included"] == 4


def test_sensitivity(mixed: Result) -> None:
    saving = {row.name: row.saving for row in mixed.sensitivity}
    assert saving["conservative"] == Decimal("40.25")
    assert saving["best"] == Decimal("60.25")
    assert saving["gray_area_converted"] == Decimal("70.583333333333")
    assert saving["small_workloads_included"] == Decimal("41.00")
    assert saving["flex_instead_of_batch"] == Decimal("60.25")


def test_an_empty_audit_has_a_report(empty: Result, golden: Golden) -> None:
    golden("empty", empty)
    assert empty.period.calls == 0
    assert empty.savings.monthly is None


def test_a_retired_model_saved_once_and_never_again(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=10)
    tables.add_workload(
        audit, 1, cost=54, saved=(27, 27, 27), forward=(0, 0, 0), advice="retired_model"
    )
    savings = tables.build(audit).savings
    assert savings.observed.conservative == 27
    assert savings.monthly is not None
    assert savings.monthly.effective_cost == 162
    assert savings.monthly.conservative == 0


def test_calls_without_a_time_are_observed_and_not_projected(
    audit: duckdb.DuckDBPyConnection,
) -> None:
    tables.add_calls(audit, 1200, days=10)
    audit.execute("UPDATE calls SET started_at = NULL WHERE source_line <= 200")
    audit.execute("UPDATE calls SET started_at = '2025-09-01' WHERE source_line = 201")
    tables.add_workload(
        audit, 1, cost=120, saved=(60, 60, 60),
        projected_effective_cost=100, projected_saving_conservative=50,
    )  # fmt: skip
    tables.add_workload(
        audit, 2, cost=9, saved=(4, 4, 4),
        projected_effective_cost=None, projected_saving_conservative=0,
    )  # fmt: skip
    result = tables.build(audit)
    assert result.data_quality.calls_without_time == 200
    assert result.savings.observed.conservative == 64
    assert result.savings.monthly is not None
    assert result.savings.monthly.effective_cost == 300
    assert result.savings.monthly.eligible_cost == 300
    assert result.savings.monthly.conservative == 150
    assert result.projection.reason == (
        "Projected from 10 days and 1,000 calls. 200 without a time are left out."
    )
    assert plain(headline(result).sentence).startswith("Move 1 workload to the batch API")


def test_a_log_without_times_is_never_projected(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=10)
    audit.execute("UPDATE calls SET started_at = NULL")
    tables.add_workload(audit, 1, cost=10, saved=(5, 5, 5))
    result = tables.build(audit, project=True)
    assert (result.period.days, result.savings.monthly) == (0, None)
    assert "No call has a time" in result.projection.reason
    assert plain(headline(result).sentence).endswith("have saved $5 in the calls of this log.")


def test_the_time_of_a_call_may_be_its_end(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=10)
    audit.execute("UPDATE calls SET ended_at = started_at, started_at = NULL")
    result = tables.build(audit)
    assert (result.period.days, result.data_quality.calls_without_time) == (10, 0)


@pytest.mark.parametrize(
    ("unpriced_tokens", "uncounted", "shown"),
    [(50_000, 0, True), (50_001, 0, False), (0, 50, True), (0, 51, False)],
)
def test_too_much_without_a_price_is_not_projected(
    audit: duckdb.DuckDBPyConnection, unpriced_tokens: int, uncounted: int, shown: bool
) -> None:
    """Above 5 % of the tokens, or of the calls whose tokens nobody counted; --project or not."""
    tables.add_calls(audit, 1000, days=10)
    tables.add_workload(
        audit, 1, cost=10, saved=(5, 5, 5), billed_tokens=1_000_000,
        unpriced_tokens=unpriced_tokens, unpriced_calls=max(uncounted, 1),
    )  # fmt: skip
    if uncounted:
        audit.execute(
            "UPDATE workload_cards SET price_status = 'unpriced_tokens' "
            "WHERE price_status = 'unpriced_model'"
        )
    result = tables.build(audit, project=True)
    assert result.projection.shown is shown
    assert (result.savings.monthly is not None) is shown
    assert result.savings.observed.conservative == 5
    titles = [banner.title for banner in headline(result).banners]
    assert titles == (["Unpriced calls"] if shown else ["Not projected", "Unpriced calls"])
    assert "50% of the priced bill of $" in plain(headline(result).detail)


def test_the_month_moves_what_is_not_batched_yet(audit: duckdb.DuckDBPyConnection) -> None:
    """At today's prices on both sides: the batched part has become cheaper as well."""
    tables.add_calls(audit, 1000, days=10)
    tables.add_workload(
        audit, 1, cost=100, saved=(10, 10, 10), already_batch_cost=50, already_batch_calls=500,
        projected_effective_cost=30, projected_already_batch_cost=10,
    )  # fmt: skip
    savings = tables.build(audit).savings
    assert savings.observed.eligible_cost == 50
    assert savings.monthly is not None
    assert savings.monthly.eligible_cost == 60


def test_workloads_worth_moving_come_first(mixed: Result) -> None:
    order = [(w.worth_it, w.label) for w in mixed.workloads]
    assert order[:2] == [(True, "batch_eligible"), (True, "gray_area")]
    costs = [w.effective_cost or 0 for w in mixed.workloads[2:]]
    assert costs == sorted(costs, reverse=True)
