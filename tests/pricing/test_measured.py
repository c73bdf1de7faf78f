"""What the user's own batches showed, in the costs and in the advice: literal rows, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from llm_audit import pipeline, prices
from llm_audit.policy import Measured
from llm_audit.policy.parts import CacheHits, Turnaround
from tests.pricing.helpers import call, price, rows, save

Connection = duckdb.DuckDBPyConnection

DAY = date(2026, 11, 20)
SONNET = Measured(
    "anthropic",
    "claude-sonnet-4-5",
    CacheHits(Decimal("0.62"), 48_210),
    Turnaround(2_400, 10_800, 22),
    DAY,
)
SAID = (
    "9 of 10 of your own batches came back within 40 min, the longest took 3 h (22 batches, "
    "measured 2026-11-20)"
)
CALL: dict[str, int] = {
    "input_tokens": 11_000,
    "cache_read_input_tokens": 2_000,
    "output_tokens": 500,
}


def day(model: str = "claude-sonnet-4-5", **values: Any) -> list[dict[str, Any]]:
    return [call(model, **{**CALL, **values})] * 100


def test_only_the_expected_scenario_counts_on_the_share(connection: Connection) -> None:
    """Sonnet 4.5 in a batch: 1.5 USD a million in, 0.15 a hit, 1.875 written anew, 7.5 out."""
    row = save(connection, day(), measured=[SONNET])
    # 100 x (9,000 x 3 + 2,000 x 0.3 + 500 x 15) millionths
    assert row["effective_cost"] == Decimal("3.51")
    # 100 x (11,000 x 1.5 + 500 x 7.5): no hit
    assert row["batch_cost_conservative"] == Decimal("2.025")
    # 100 x (9,000 x 1.5 + 2,000 x (0.62 x 0.15 + 0.38 x 1.875 = 0.8055) + 500 x 7.5)
    assert row["batch_cost_expected"] == Decimal("1.8861")
    # 100 x (9,000 x 1.5 + 2,000 x 0.15 + 500 x 7.5)
    assert row["batch_cost_best"] == Decimal("1.755")
    assert row["saving_conservative"] == row["forward_saving_conservative"] == Decimal("1.485")
    assert row["saving_expected"] == row["forward_saving_expected"] == Decimal("1.6239")
    [sheet] = rows(
        connection,
        "SELECT DISTINCT expected_hit_share, measured_hits FROM rate_sheets "
        "WHERE card_id IN (SELECT card_id FROM costs)",
    )
    assert sheet["expected_hit_share"] == Decimal("0.62")
    assert sheet["measured_hits"] == SONNET.hits_sentence


def test_without_it_the_documented_middle_is_expected(connection: Connection) -> None:
    others = [
        replace(SONNET, model="claude-sonnet-4-6"),
        replace(SONNET, provider="openai"),
        replace(SONNET, hits=None),
    ]
    row = save(connection, day(), measured=others)
    # 0.64 x 0.15 + 0.36 x 1.875 = 0.771
    assert row["batch_cost_expected"] == Decimal("1.8792")
    assert row["batch_cost_conservative"] == Decimal("2.025")
    assert not rows(connection, "SELECT * FROM rate_sheets WHERE measured_hits IS NOT NULL")


@pytest.mark.parametrize(
    ("name", "provider_name", "measured"),
    [
        ("claude-sonnet-4-5-20250929", "anthropic", True),
        ("anthropic/claude-sonnet-4.5", "anthropic", True),
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock", False),
        ("claude-sonnet-4-5", "gcp.vertex_ai", False),
    ],
)
def test_it_holds_for_every_snapshot_at_the_makers_own(
    connection: Connection, name: str, provider_name: str, *, measured: bool
) -> None:
    price(connection, [call(name, provider_name=provider_name, **CALL)], measured=[SONNET])
    [found] = rows(connection, "SELECT measured_hits FROM rate_sheets JOIN costs USING (card_id)")
    assert (found["measured_hits"] is not None) is measured
    idle = prices.idle_measured(connection, [SONNET, replace(SONNET, model="gone")])
    assert [entry.model for entry in idle] == ["gone"] if measured else len(idle) == 2


# --- turnaround -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due_in_s", "kept", "said"),
    [
        (10_799.0, False, f"{SAID}: some calls here are due sooner."),
        (10_800.0, True, f"{SAID}: no call here is due sooner."),
    ],
)
def test_a_deadline_that_was_kept_is_told_and_not_counted(
    connection: Connection, due_in_s: float, kept: bool, said: str
) -> None:
    row = save(connection, day(), measured=[SONNET], deadline_risk=True, due_in_s=due_in_s)
    assert not row["worth_it"]
    assert row["deadline_kept"] is kept
    assert row["note"] == (
        "A batch may take 24 hours and some of these calls are due earlier: not in the headline. "
        + said
    )


def test_without_a_deadline_nothing_is_told(connection: Connection) -> None:
    row = save(connection, day(), measured=[SONNET])
    assert row["worth_it"]
    assert not row["deadline_kept"]
    assert "9 of 10" not in row["note"]


@pytest.mark.parametrize("measured", [[], [replace(SONNET, turnaround=None)]])
def test_without_a_turnaround_nothing_is_told(
    connection: Connection, measured: list[Measured]
) -> None:
    row = save(connection, day(), measured=measured, deadline_risk=True, due_in_s=86_000.0)
    assert not row["deadline_kept"]
    assert row["note"].endswith("not in the headline.")


def test_of_several_models_the_slowest_counts(connection: Connection) -> None:
    slow = replace(
        SONNET, model="claude-haiku-4-5", turnaround=Turnaround(7_200, 36_000, 40), hits=None
    )
    calls = [*day(), *day("claude-haiku-4-5")]
    row = save(connection, calls, measured=[SONNET, slow], deadline_risk=True, due_in_s=14_400.0)
    assert not row["deadline_kept"]
    assert "within 2 h, the longest took 10 h (40 batches" in row["note"]


def test_one_model_that_was_not_measured_leaves_all_untold(connection: Connection) -> None:
    calls = [*day(), *day("claude-haiku-4-5")]
    row = save(connection, calls, measured=[SONNET], deadline_risk=True, due_in_s=80_000.0)
    assert not row["deadline_kept"]
    assert row["note"].endswith("not in the headline.")


def sensitivity(connection: Connection) -> list[dict[str, Any]]:
    """The report's rows; how sure the labels are plays no part here."""
    connection.execute("ALTER TABLE workload_labels ADD COLUMN confidence DOUBLE")
    pipeline.run_steps(connection, 87, 87)
    return rows(connection, "SELECT * FROM report_sensitivity")


@pytest.mark.parametrize(("due_in_s", "saving"), [(10_799.0, None), (10_800.0, Decimal("1.485"))])
def test_what_the_deadline_is_worth_is_a_row_of_its_own(
    connection: Connection, due_in_s: float, saving: Decimal | None
) -> None:
    save(connection, day(), measured=[SONNET], deadline_risk=True, due_in_s=due_in_s)
    found = {row["name"]: row["saving"] for row in sensitivity(connection)}
    assert found["conservative"] == found["expected"] == found["best"] == 0
    assert found["deadline_risk_included"] == Decimal("1.485")
    assert found.get("deadline_kept_included") == saving


def test_a_measured_share_is_named_in_the_sensitivity(connection: Connection) -> None:
    for measured, said in (([SONNET], "as in your own"), ([], "as the vendor's rules make")):
        connection.execute("DELETE FROM calls")
        save(connection, day(), measured=measured)
        [title] = [row["title"] for row in sensitivity(connection) if row["name"] == "expected"]
        assert said in title
