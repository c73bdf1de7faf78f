"""Savings per workload and label, the advice beside them, and what is left of them tomorrow."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.pricing.helpers import call, rows, save

Connection = duckdb.DuckDBPyConnection
HOUR = timedelta(hours=1)


def many(model: str, number: int = 100, **values: Any) -> list[dict[str, Any]]:
    """A day's worth of equal calls; 10,000 tokens in and 500 out unless told otherwise."""
    return [call(model, **{"input_tokens": 10_000, "output_tokens": 500, **values})] * number


def sonnet_day() -> list[dict[str, Any]]:
    """8 million tokens in, 2 million out, in 100 calls of one day."""
    return many(
        "claude-sonnet-4-20250514",
        input_tokens=80_000,
        output_tokens=20_000,
        started_at=datetime(2025, 9, 10, 2),
    )


def test_the_users_example_on_its_day(connection: Connection) -> None:
    row = save(connection, sonnet_day(), date(2025, 9, 10))
    assert row["effective_cost"] == 54
    assert row["batch_cost_conservative"] == 27
    assert row["saving_conservative"] == row["saving_best"] == 27
    assert row["forward_effective_cost"] == 54
    assert row["forward_saving_conservative"] == 27
    assert (row["advice"], row["worth_it"], row["peak_day_calls"]) == ("batch", True, 100)


def test_the_users_example_after_the_model_is_gone(connection: Connection) -> None:
    row = save(connection, sonnet_day(), date(2026, 11, 22))
    assert row["saving_conservative"] == 27
    assert row["forward_saving_conservative"] == row["forward_saving_best"] == 0
    assert row["advice"] == "retired_model"
    assert "claude-sonnet-4 was retired on 2026-06-15" in row["note"]
    assert "claude-sonnet-5" in row["note"]
    assert row["worth_it"]


@pytest.mark.parametrize(
    ("as_of", "saves"), [(date(2026, 6, 14), True), (date(2026, 6, 15), False)]
)
def test_a_model_saves_until_the_day_it_retires(
    connection: Connection, as_of: date, saves: bool
) -> None:
    row = save(connection, sonnet_day(), as_of)
    assert (row["forward_saving_conservative"] > 0) is saves


def test_cached_prompts_are_kept_synchronous(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1", cache_read_input_tokens=9_000))
    assert row["effective_cost"] == Decimal("1.05")
    assert row["batch_cost_conservative"] == Decimal("1.20")
    assert row["saving_conservative"] == row["saving_best"] == 0
    assert row["advice"] == "keep_sync_cache_cheaper"
    assert not row["worth_it"]
    assert "$1.0500" in row["note"]
    assert "$1.2000" in row["note"]


def test_the_same_without_cache_saves_half(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1"))
    assert row["saving_conservative"] * 2 == row["effective_cost"]
    assert row["advice"] == "batch"


def test_dear_and_cheap_calls_of_one_workload_are_weighed_together(connection: Connection) -> None:
    """0.0105 -> 0.0120 and 0.0240 -> 0.0120: the workload moves as a whole."""
    calls = many("gpt-4.1", 50, cache_read_input_tokens=9_000) + many("gpt-4.1", 50)
    row = save(connection, calls)
    assert row["saving_conservative"] == 50 * (
        Decimal("0.0105") + Decimal("0.0240") - Decimal("0.024")
    )


def test_the_scenarios_are_ordered(connection: Connection) -> None:
    """Only writes: the batch without cache_control is the cheapest, so it bounds the others."""
    row = save(connection, many("claude-haiku-4-5", cache_creation_5m_input_tokens=10_000))
    assert row["saving_conservative"] == row["saving_expected"] == row["saving_best"] > 0


def test_too_few_calls(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1", 99))
    assert (row["advice"], row["worth_it"]) == ("below_floor", False)
    assert row["saving_conservative"] > 0


def test_the_floor_is_24_hours_not_the_sum(connection: Connection) -> None:
    calls = many("gpt-4.1", 99) + many("gpt-4.1", 99, started_at=datetime(2026, 11, 11, 9, 30))
    assert save(connection, calls)["peak_day_calls"] == 99


def test_midnight_does_not_cut_a_night(connection: Connection) -> None:
    night = many("gpt-4.1", 60, started_at=datetime(2026, 11, 10, 23, 10))
    night += many("gpt-4.1", 60, started_at=datetime(2026, 11, 11, 0, 40))
    row = save(connection, night)
    assert (row["peak_day_calls"], row["advice"], row["worth_it"]) == (120, "batch", True)


@pytest.mark.parametrize(("later", "peak"), [(timedelta(hours=23, minutes=50), 120),
                                             (timedelta(hours=24), 60)])  # fmt: skip
def test_twenty_four_hours_are_twenty_four_hours(
    connection: Connection, later: timedelta, peak: int
) -> None:
    first = datetime(2026, 11, 10, 15, 3)
    calls = many("gpt-4.1", 60, started_at=first) + many("gpt-4.1", 60, started_at=first + later)
    assert save(connection, calls)["peak_day_calls"] == peak


def test_small_runs_of_a_day_are_pooled(connection: Connection) -> None:
    runs = [
        call
        for hour in range(6)
        for call in many("gpt-4.1", 20, started_at=datetime(2026, 11, 10, 20) + hour * HOUR)
    ]
    assert save(connection, runs)["peak_day_calls"] == 120


def test_failed_and_cached_calls_are_not_pooled(connection: Connection) -> None:
    calls = many("gpt-4.1", 60) + many("gpt-4.1", 30, status="error")
    calls += many("gpt-4.1", 30, gateway_cache_hit=True)
    assert save(connection, calls)["peak_day_calls"] == 60


def test_errors_that_are_mended_at_once_are_tried_in_ten_calls(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1"), needs_error_feedback=True)
    assert (row["advice"], row["worth_it"]) == ("needs_error_feedback", True)
    assert row["note"].startswith("Try ten calls synchronously first")
    assert row["saving_conservative"] * 2 == row["effective_cost"]


@pytest.mark.parametrize(
    ("label", "number", "advice"),
    [("gray_area", 100, "ask_owner"), ("realtime", 100, "realtime"),
     ("batch_eligible", 99, "below_floor")],
)  # fmt: skip
def test_errors_matter_only_where_a_batch_is_the_advice(
    connection: Connection, label: str, number: int, advice: str
) -> None:
    row = save(connection, many("gpt-4.1", number), label=label, needs_error_feedback=True)
    assert row["advice"] == advice


def test_gray_work_asks_its_owner(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1"), label="gray_area")
    assert (row["advice"], row["worth_it"]) == ("ask_owner", True)


def test_realtime_work_is_not_claimed(connection: Connection) -> None:
    row = save(connection, many("gpt-5"), label="realtime")
    assert (row["advice"], row["worth_it"]) == ("realtime", False)
    assert row["saving_conservative"] > 0


def test_dependent_unattended_work_goes_to_flex(connection: Connection) -> None:
    verdicts = ("contradicted", "supported", "unknown")
    row = save(connection, many("gpt-5"), label="realtime", verdicts=verdicts)
    assert (row["advice"], row["worth_it"]) == ("flex", False)
    assert row["flex_cost"] * 2 == row["effective_cost"]


def test_a_short_deadline_stays_out_of_the_headline(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1"), deadline_risk=True)
    assert not row["worth_it"]
    assert "24 hours" in row["note"]


def test_what_is_batched_already(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1", service_tier="batch"))
    assert row["advice"] == "already_batch"
    assert row["already_batch_calls"] == 100
    assert row["already_batch_cost"] == row["effective_cost"] == Decimal("1.2")
    assert row["saving_best"] == row["forward_saving_best"] == 0


def test_flex_calls_save_nothing_in_a_batch(connection: Connection) -> None:
    row = save(connection, many("gpt-5", service_tier="flex"))
    assert (row["advice"], row["saving_best"]) == ("flex", 0)
    cached = [
        {**c, "call_id": f"b{n}"}
        for n, c in enumerate(many("gpt-5", service_tier="flex", cache_read_input_tokens=9_000))
    ]
    connection.execute("DELETE FROM calls")
    row = save(connection, cached)
    assert row["batch_cost_conservative"] > row["effective_cost"]
    assert (row["advice"], row["saving_conservative"]) == ("flex", 0)


def test_no_batch_rate(connection: Connection) -> None:
    row = save(connection, many("ft:gpt-4.1-mini-2025-04-14:acme::x"))
    assert (row["advice"], row["saving_best"]) == ("no_batch_rate", 0)
    assert row["batch_cost_conservative"] is None


def test_speech_is_never_sold_as_a_batch_that_its_vendor_does_not_offer(
    connection: Connection,
) -> None:
    row = save(connection, many("gpt-4o-mini-transcribe", operation_name="audio"))
    assert (row["advice"], row["saving_best"], row["worth_it"]) == ("no_batch_rate", 0, False)


def test_a_batch_at_the_standard_rate(connection: Connection) -> None:
    before_it_was_retired = date(2026, 9, 1)
    row = save(connection, many("gpt-3.5-turbo-1106"), before_it_was_retired)
    assert (row["advice"], row["saving_best"]) == ("no_batch_rate", 0)


def test_unpriced_calls_stay_in_the_totals(connection: Connection) -> None:
    row = save(connection, many("gpt-99"))
    assert (row["advice"], row["unpriced_calls"], row["priced_calls"]) == ("unpriced", 100, 0)
    assert row["unpriced_tokens"] == 1_050_000
    assert row["list_cost"] is None
    assert row["saving_best"] == 0


def test_work_that_is_due_in_minutes_can_run_on_the_flex_tier(connection: Connection) -> None:
    row = save(connection, many("gpt-5"), label="gray_area", due_in_minutes=True)
    assert row["advice"] == "flex"
    assert row["note"].startswith("Due within the hour, too soon for a batch: on the flex tier")
    assert not row["worth_it"]
    connection.execute("DELETE FROM calls")
    without_flex = save(connection, many("gpt-4.1"), label="gray_area", due_in_minutes=True)
    assert without_flex["advice"] == "ask_owner"


def test_failed_calls_cost_nothing_and_count_for_nothing(connection: Connection) -> None:
    failed = many("gpt-4.1", status="error", input_tokens=None, output_tokens=None)
    row = save(connection, failed)
    assert (row["calls"], row["unpriced_calls"], row["peak_day_calls"]) == (100, 0, 0)
    assert row["effective_cost"] == 0
    assert not row["worth_it"]


@pytest.mark.parametrize("tier", ["standard", "flex", "priority"])
def test_forward_on_the_calls_own_day_is_what_was_observed(
    connection: Connection, tier: str
) -> None:
    used = {"cache_read_input_tokens": 3_000, "web_search_requests": 1, "service_tier": tier}
    row = save(connection, many("gpt-6-sol", 7, **used), date(2026, 11, 10))
    for name in ("effective_cost", "saving_conservative", "saving_expected", "saving_best"):
        assert row[f"forward_{name}"] == row[name]


def test_forward_uses_the_rates_of_its_day(connection: Connection) -> None:
    row = save(connection, many("gpt-5.6-luna", started_at=datetime(2026, 7, 20)))
    assert row["effective_cost"] == Decimal("1.30")
    assert row["forward_effective_cost"] == Decimal("0.26")
    assert row["forward_saving_conservative"] == Decimal("0.13")


def test_what_is_batched_already_has_a_forward_price_too(connection: Connection) -> None:
    day = datetime(2026, 7, 20)
    batched = many("gpt-5.6-luna", started_at=day, service_tier="batch")
    row = save(connection, batched + many("gpt-5.6-luna", started_at=day))
    assert row["already_batch_cost"] == Decimal("0.65")
    assert row["forward_already_batch_cost"] == Decimal("0.13")
    assert row["forward_effective_cost"] == Decimal("0.39")
    assert row["forward_saving_conservative"] == Decimal("0.13")


def test_calls_without_a_time_are_in_no_projection(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1", 120) + many("gpt-4.1", 30, started_at=None))
    assert row["priced_calls"] == 150
    assert row["saving_conservative"] == row["forward_saving_conservative"] == Decimal("1.80")
    assert row["forward_effective_cost"] == Decimal("3.60")
    assert row["projected_effective_cost"] == Decimal("2.88")
    assert row["projected_saving_conservative"] == Decimal("1.44")
    assert row["projected_saving_best"] == row["projected_saving_expected"] == Decimal("1.44")


def test_the_busiest_day_is_one_that_is_known(connection: Connection) -> None:
    calls = many("gpt-4.1", 60) + many("gpt-4.1", 500, started_at=None)
    assert save(connection, calls)["advice"] == "below_floor"


def test_a_log_without_any_time_counts_as_one_day(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1", 100, started_at=None))
    assert (row["advice"], row["worth_it"], row["peak_day_calls"]) == ("batch", True, 100)
    assert row["projected_effective_cost"] is None
    assert row["projected_saving_best"] == 0


def test_calls_without_a_rate_today_keep_what_they_cost(connection: Connection) -> None:
    row = save(connection, many("gpt-4.1"), date(2025, 1, 1))
    assert row["forward_effective_cost"] == row["effective_cost"] == Decimal("2.40")
    assert row["forward_saving_best"] == 0


def test_a_model_that_is_off_the_card_is_retired_as_well(connection: Connection) -> None:
    row = save(connection, many("gpt-4.5-preview", started_at=datetime(2025, 5, 1)))
    assert row["forward_effective_cost"] == row["effective_cost"] > 0
    assert (row["advice"], row["forward_saving_best"]) == ("retired_model", 0)


def test_every_cost_leads_to_its_rates(connection: Connection) -> None:
    save(connection, many("gpt-4.1", 3))
    sheets = rows(
        connection,
        "SELECT DISTINCT model_key, day, tier, list_input, batch_input "
        "FROM costs JOIN rate_sheets USING (card_id)",
    )
    assert sheets == [
        {
            "model_key": "openai/first_party/gpt-4.1",
            "day": date(2026, 11, 10),
            "tier": "standard",
            "list_input": Decimal("0.000002"),
            "batch_input": Decimal("0.000001"),
        }
    ]


def test_nobody_is_asked_about_a_retired_model(connection: Connection) -> None:
    row = save(connection, sonnet_day(), date(2026, 11, 22), label="gray_area")
    assert (row["advice"], row["worth_it"]) == ("retired_model", False)
