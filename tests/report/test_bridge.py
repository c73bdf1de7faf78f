"""From the list price to the bill after the move, and what the labels were decided with: over
calls that the whole pipeline has labelled and priced."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from llm_audit import pipeline, report
from llm_audit.policy import Policy
from llm_audit.report import Result
from llm_audit.report.result import BridgeStep
from tests.report import tables

AS_OF = date(2026, 11, 22)
CONFIG = """
[[prices]]
provider = "openai"
model = "*"
multiplier = 0.9

[rules]
P_NO_CHAIN = 2.5

[[override]]
caller = "nightly"
label = "batch_eligible"
because = "stored for the morning"
by = "ana"
until = 2099-01-31

[[override]]
caller = "nobody"
tolerance = "6h"
because = "a report"
by = "ben"
"""


def _add_calls(
    connection: duckdb.DuckDBPyConnection, caller: str, count: int, *, at: datetime, **row: object
) -> None:
    for number in range(count):
        started = at + timedelta(seconds=number)
        call = {
            "source_format": "test", "status": "ok", "tokens_source": "reported",
            "provider_name": "openai", "request_model": "gpt-4.1", "response_model": "gpt-4.1",
            "operation_name": "chat", "input_tokens": 1000, "output_tokens": 100,
            "caller": caller, "started_at": started, "ended_at": started + timedelta(seconds=2),
        }  # fmt: skip
        tables.insert(connection, "calls", call_id=f"{caller}-{number}", **call | row)


@pytest.fixture
def result(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Result:
    day = datetime(2026, 11, 2, 2)
    _add_calls(connection, "nightly", 150, at=day)
    _add_calls(connection, "cached", 10, at=day, cache_read_input_tokens=500, is_streaming=True)
    _add_calls(connection, "batched", 4, at=day, service_tier="batch")
    _add_calls(connection, "urgent", 2, at=day, service_tier="priority", is_streaming=True)
    _add_calls(connection, "failed", 1, at=day, status="error")
    _add_calls(connection, "strange", 1, at=day, request_model="x-1", response_model="x-1")
    _add_calls(connection, "timeless", 1, at=day, started_at=None, ended_at=None)
    config = tmp_path / "llm-audit.toml"
    config.write_text(CONFIG, encoding="utf-8")
    pipeline.run(connection, Policy.load(config), AS_OF)
    return report.build(
        connection, now=datetime(2026, 11, 22, tzinfo=UTC), project=False, tool_version="0"
    )


def _check_sums(bridge: tuple[BridgeStep, ...]) -> None:
    """From each total the steps lead to the next one, to the last decimal."""
    assert bridge[0].kind == bridge[-1].kind == "total"
    level = bridge[0].amount
    for step in bridge[1:]:
        if step.kind == "total":
            assert step.amount == level, step.name
        else:
            level += step.amount


def test_the_bridge_by_hand(result: Result) -> None:
    """gpt-4.1 per million: 2 in, 0.5 cached, 8 out; half in a batch; priority 1.75 times."""
    amount = {step.name: step.amount for step in result.bridge}
    call = Decimal("0.0028")
    assert amount["list_price"] == call * (150 + 10 + 4 + 2 + 1)
    assert amount["cache"] == -10 * 500 * Decimal("1.5") / 1_000_000
    assert amount["tiers"] == -4 * call / 2 + 2 * call * Decimal("0.75")
    list_cost = amount["list_price"] + amount["cache"] + amount["tiers"]
    assert amount["negotiated"] == -list_cost / 10
    assert amount["bill"] == result.totals.effective_cost == list_cost * Decimal("0.9")
    assert amount["batch_rate"] == -150 * call * Decimal("0.9") / 2
    assert amount["cache_lost"] == amount["expired"] == 0
    assert amount["bill_after"] == result.savings.observed.effective_cost_after
    _check_sums(result.bridge)


def test_literal_bridges_add_up(mixed: Result, empty: Result) -> None:
    for audited in (mixed, empty):
        _check_sums(audited.bridge)
    amount = {step.name: step.amount for step in mixed.bridge}
    assert amount["cache_lost"] == Decimal("20.00")


def test_days_of_real_calls_add_up(result: Result) -> None:
    [day] = result.trend
    timeless = result.data_quality.cost_without_time
    assert timeless == Decimal("0.0028") * Decimal("0.9")
    assert day.effective_cost + timeless == result.totals.effective_cost
    assert day.calls + 1 == result.totals.calls == 169


def test_how_real_calls_run(result: Result) -> None:
    [nightly] = [w for w in result.workloads if w.caller == "nightly"]
    assert nightly.activity.gaps == (0, 149, 0, 0, 0, 0, 0)
    assert nightly.activity.by_hour[2] == nightly.activity.by_day[0] == 150
    assert nightly.activity.duration_p95_ms == 2000
    assert nightly.activity.input_tokens == 150_000
    assert nightly.batch_fit is not None
    assert nightly.batch_fit.max_requests == 50_000
    assert (nightly.batch_fit.requests, nightly.batch_fit.batches) == (150, 1)
    by_caller = {w.caller: w.batch_fit for w in result.workloads}
    assert by_caller["batched"] is by_caller["strange"] is None


def test_the_policy_that_was_used(result: Result) -> None:
    policy = result.policy
    assert (policy.supported, policy.hinted, policy.contradicted) == (4.0, 2.0, -4.0)
    assert policy.words
    assert policy.sha256 == hashlib.sha256(CONFIG.encode()).hexdigest()
    rules = {rule.code: rule for rule in policy.rules}
    assert rules["D_BATCH_TIER"].calls == 4
    assert {rule.code for rule in policy.rules if rule.own} <= {"P_NO_CHAIN"}
    assert [(o.names, o.label, o.by, o.until, o.calls) for o in policy.overrides] == [
        ("caller = 'nightly'", "batch_eligible", "ana", date(2099, 1, 31), 150),
        ("caller = 'nobody'", None, "ben", None, 0),
    ]
    assert policy.overrides[1].tolerance_s == 6 * 3600


def test_what_another_assumption_would_do(result: Result) -> None:
    saving = {row.name: row.saving for row in result.sensitivity}
    headline = saving["conservative"]
    assert headline == result.savings.observed.conservative > 0
    assert saving["expired_2_percent"] == headline * Decimal("0.98")
    assert saving["due_in_6_hours"] == saving["due_in_1_hour"] == 0
    assert saving["confident_only"] in (0, headline)


def test_less_sure_and_older_and_quicker(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=7)
    for number, confidence in ((1, 0.95), (2, 0.9), (3, 0.89)):
        tables.add_workload(
            audit, number, cost=20, saved=(10 ** (number - 1),) * 3, confidence=confidence
        )
    audit.execute("UPDATE workload_sellers SET oldest_verified_on = '2025-06-11'")
    audit.execute(
        "UPDATE workload_sellers SET oldest_verified_on = '2025-06-12', window_hours = 6 "
        "WHERE workload_id = 'w_0000000001'"
    )
    saving = {row.name: row.saving for row in tables.build(audit).sensitivity}
    assert saving["confident_only"] == 11
    assert saving["old_prices_lower"] == 111 - 11
    assert saving["due_in_6_hours"] == 1
    assert saving["due_in_1_hour"] == 0
