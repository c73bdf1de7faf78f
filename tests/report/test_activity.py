"""When calls start and how they run: each view over literal rows, then what is drawn of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from llm_audit import pipeline
from llm_audit.report import Result
from llm_audit.report.activity import MOST_DAYS, days_of, trend
from llm_audit.report.result import Activity, Period
from tests.report import tables

WORKLOAD = {"workload_id": "w_1", "label": "gray_area"}
PARTS = ("worth_moving", "other_eligible", "gray_area", "realtime", "already_batch")


def _us(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc, arg-type]


def _rows(connection: duckdb.DuckDBPyConnection, view: str) -> list[dict[str, Any]]:
    pipeline.run_steps(connection, 80, 99)
    relation = connection.table(view)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def _add_case(connection: duckdb.DuckDBPyConnection, number: int, *calls: tuple[Any, Any]) -> None:
    """A case of the workload with the starts (microseconds) and durations (ms) of its calls."""
    tables.insert(connection, "case_labels", case_no=number, **WORKLOAD)
    for started_us, answered_ms in calls:
        tables.insert(
            connection, "call_cases", case_no=number, started_us=started_us, answered_ms=answered_ms
        )


@pytest.fixture
def audit(audit: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    tables.insert(audit, "workload_labels", calls=1, **WORKLOAD)
    return audit


def test_the_week_begins_on_monday_at_midnight(audit: duckdb.DuckDBPyConnection) -> None:
    starts = [
        _us(2025, 9, 1, 0, 0, 0), _us(2025, 9, 1, 0, 59, 59), _us(2025, 9, 4, 13, 30, 0),
        _us(2025, 9, 7, 23, 59, 59), _us(1969, 12, 31, 23, 0, 0),
    ]  # fmt: skip
    _add_case(audit, 1, *((start, None) for start in starts), (None, None))
    found = {row["hour_of_week"]: row["calls"] for row in _rows(audit, "report_hours")}
    assert found == {0: 2, 3 * 24 + 13: 1, 167: 1, 2 * 24 + 23: 1}


def test_cases_of_a_label_share_their_hours(audit: duckdb.DuckDBPyConnection) -> None:
    start = _us(2025, 9, 2, 5, 0, 0)
    _add_case(audit, 1, (start, None))
    _add_case(audit, 2, (start, None), (start, None))
    assert [row["calls"] for row in _rows(audit, "report_hours")] == [3]


def test_pauses_end_in_their_class(audit: duckdb.DuckDBPyConnection) -> None:
    """Each class holds its upper end; the first start has no pause; order of rows is no matter."""
    pauses = [0, 100_000, 100_001, 1_000_000, 10_000_000, 10_000_001, 60_000_000, 600_000_000,
              3_600_000_000, 3_600_000_001]  # fmt: skip
    starts = [_us(2025, 9, 1)]
    for pause in pauses:
        starts.append(starts[-1] + pause)
    _add_case(audit, 1, *((start, None) for start in reversed(starts[:5])))
    _add_case(audit, 2, *((start, None) for start in starts[5:]), (None, None))
    [row] = _rows(audit, "report_pace")
    assert [row[f"gaps_{n}"] for n in range(1, 8)] == [2, 2, 1, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("durations", "p50", "p95"),
    [
        ([], None, None),
        ([7], 7, 7),
        ([1, 2], 1, 2),
        (list(range(1, 101)), 50, 95),
        ([1] * 19 + [999], 1, 1),
        ([1] * 18 + [998, 999], 1, 998),
        ([1234, 98_765, 987_654, 12_345_678], 98_700, 12_340_000),
    ],
)
def test_durations_by_nearest_rank_to_three_digits(
    audit: duckdb.DuckDBPyConnection, durations: list[int], p50: int | None, p95: int | None
) -> None:
    middle = len(durations) // 2
    _add_case(audit, 1, *((None, ms) for ms in durations[middle:]), (None, None))
    _add_case(audit, 2, *((None, ms) for ms in durations[:middle]))
    [row] = _rows(audit, "report_pace")
    assert (row["duration_p50_ms"], row["duration_p95_ms"]) == (p50, p95)


def test_streams_are_a_share_of_the_calls_that_tell(audit: duckdb.DuckDBPyConnection) -> None:
    for number, (calls, streams) in enumerate([(2, True), (1, False), (5, None)]):
        tables.insert(audit, "case_labels", case_no=number, **WORKLOAD)
        tables.insert(audit, "case_facts", case_no=number, calls=calls, is_streaming=streams)
    [row] = _rows(audit, "report_pace")
    assert (row["streaming_calls"], row["streaming_known_calls"]) == (2, 3)


@pytest.mark.parametrize(
    ("calls", "tokens", "max_requests", "max_bytes", "batches"),
    [
        (45_000, 1, 50_000, None, 1),
        (45_001, 1, 50_000, None, 2),
        (1, 45_000_000, 50_000, 200_000_000, 1),
        (1, 45_000_001, 50_000, 200_000_000, 2),
        (90_001, 45_000_000, 50_000, 200_000_000, 3),
        (90_001, 45_000_000, None, 200_000_000, 1),
        (90_001, 45_000_000, None, None, None),
    ],
)
def test_batches_keep_a_tenth_of_each_limit_free(
    audit: duckdb.DuckDBPyConnection, calls: int, tokens: int, max_requests: int | None,
    max_bytes: int | None, batches: int | None,
) -> None:  # fmt: skip
    _add_day(audit, date(2025, 9, 1), calls, tokens)
    _add_day(audit, date(2025, 9, 2), calls - 1, 10**12)
    _add_day(audit, None, calls + 1, 10**12)
    _add_day(audit, date(2025, 9, 3), calls + 1, 10**12, tier="batch")
    _add_seller(audit, max_requests=max_requests, max_bytes=max_bytes)
    [row] = _rows(audit, "report_batch_fit")
    assert (row["requests"], row["input_tokens"]) == (calls, tokens)
    assert row["input_bytes"] == 4 * tokens
    assert row["batches"] == batches


def test_who_sells_no_batches_has_no_limits(audit: duckdb.DuckDBPyConnection) -> None:
    _add_day(audit, date(2025, 9, 1), 5, 5)
    _add_seller(audit, io_discount=None)
    assert _rows(audit, "report_batch_fit") == []


def _add_day(
    connection: duckdb.DuckDBPyConnection, day: date | None, calls: int, tokens: int, **row: Any
) -> None:
    names = (
        "read_tokens", "write_5m_tokens", "write_1h_tokens", "output_tokens", "audio_input_tokens",
        "audio_output_tokens", "image_input_tokens", "image_output_tokens",
    )  # fmt: skip
    standard = {"tier": "standard", "price_status": "priced"}
    tables.insert(
        connection, "workload_cards", **WORKLOAD, day=day, calls=calls, fresh_tokens=tokens,
        **dict.fromkeys(names, 0), **standard | row,
    )  # fmt: skip


def _add_seller(connection: duckdb.DuckDBPyConnection, **row: Any) -> None:
    tables.insert(
        connection, "workload_sellers", **WORKLOAD, **{"io_discount": Decimal("0.5")} | row
    )


# --- what is drawn -------------------------------------------------------------------------------


def test_days_add_up_to_the_totals_exactly(mixed: Result) -> None:
    assert len(mixed.trend) == mixed.period.days
    names = ("calls", "effective_cost", *(f"{part}_cost" for part in PARTS))
    for name in names:
        assert sum(getattr(day, name) for day in mixed.trend) == getattr(mixed.totals, name), name
    for workload in mixed.workloads:
        assert sum(workload.activity.by_day) == workload.calls
        assert sum(workload.activity.by_hour) == workload.calls


def test_calls_without_a_time_are_in_no_day(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 1000, days=10)
    tables.add_workload(audit, 1, cost=10, saved=(5, 5, 5))
    audit.execute("UPDATE card_costs SET day = NULL WHERE day = '2025-09-03'")
    result = tables.build(audit)
    assert result.data_quality.cost_without_time == 1
    in_days = sum(day.effective_cost for day in result.trend)
    assert in_days + result.data_quality.cost_without_time == result.totals.effective_cost == 10
    assert result.trend[2].calls == 0
    [workload] = result.workloads
    assert workload.activity.by_day == (100, 100, 0, *[100] * 7)


def test_a_day_without_calls_is_a_zero(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 2, days=2)
    tables.add_workload(audit, 1, calls=200, cost=8)
    audit.execute("UPDATE calls SET started_at = '2025-09-05' WHERE source_line = 2")
    audit.execute("UPDATE card_costs SET day = '2025-09-05' WHERE day > '2025-09-01'")
    days = tables.build(audit).trend
    assert [day.date.day for day in days] == [1, 2, 3, 4, 5]
    assert [day.calls for day in days] == [100, 0, 0, 0, 100]


def test_one_wrong_clock_does_not_fill_the_page() -> None:
    """A log from 1970 to now has days enough for a book; those with calls are listed alone."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for days, listed in ((MOST_DAYS, MOST_DAYS), (MOST_DAYS + 1, 2)):
        period = Period(start, start + timedelta(days=days - 1), days, 2)
        first, last = start.date(), start.date() + timedelta(days=days - 1)
        amounts = dict.fromkeys(["effective_cost", *(f"{part}_cost" for part in PARTS)], Decimal(1))
        rows = [{"day": day, "calls": 1, **amounts} for day in (first, last, None)]
        assert len(trend(rows, period)) == listed
        assert len(days_of(period)) == (listed if days == MOST_DAYS else 0)


def test_a_log_without_times_has_no_days(audit: duckdb.DuckDBPyConnection) -> None:
    tables.add_calls(audit, 100, days=1)
    audit.execute("UPDATE calls SET started_at = NULL")
    tables.add_workload(audit, 1, calls=100, cost=8)
    result = tables.build(audit)
    assert result.trend == ()
    assert result.data_quality.cost_without_time == 8
    [workload] = result.workloads
    assert workload.activity == Activity(
        by_day=(), by_hour=(0,) * 168, gaps=(0,) * 7, duration_p50_ms=None, duration_p95_ms=None,
        streaming_share=0.0, input_tokens=200_000, cache_read_input_tokens=0, output_tokens=50_000,
    )  # fmt: skip
