"""When the calls of each workload start and how they run: sql/95 to 97 and 99 laid out to be drawn.

Views have rows only where something happened; here the empty days and hours get their zeros.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report import result as r
from llm_audit.report.rows import Row, make, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

MOST_DAYS = 400
"""Of a longer log only the days with calls are listed: one wrong clock must not fill a page."""

HOURS = 168
NO_DAY: Row = {
    "calls": 0,
    **dict.fromkeys(
        (
            "effective_cost", "worth_moving_cost", "other_eligible_cost", "gray_area_cost",
            "realtime_cost", "already_batch_cost",
        ),
        Decimal("0.00"),
    ),
}  # fmt: skip
Key = tuple[str, str]
"""A workload's id and one of its labels."""


def days_of(period: r.Period) -> tuple[date, ...]:
    """The calendar days (UTC) of the period; none of a log without times or of over 400 days."""
    if period.start is None or period.days > MOST_DAYS:
        return ()
    first = period.start.date()
    return tuple(first + timedelta(days=number) for number in range(period.days))


def trend(day_rows: Iterable[Row], period: r.Period) -> tuple[r.Day, ...]:
    """The days of the whole log, first to last, those without calls as zeros (up to 400 days)."""
    sums: dict[date, Row] = {day: dict(NO_DAY) for day in days_of(period)}
    for row in day_rows:
        if row["day"] is not None:
            into = sums.setdefault(row["day"], dict(NO_DAY))
            for name in NO_DAY:
                into[name] += row[name]
    return tuple(make(r.Day, {"date": day, **sums[day]}) for day in sorted(sums))


def activities(
    connection: duckdb.DuckDBPyConnection, day_rows: Iterable[Row], period: r.Period
) -> dict[Key, r.Activity]:
    """The activity of every workload and label that sql/97 tells of."""
    days = {day: place for place, day in enumerate(days_of(period))}
    by_day: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * len(days))
    for row in day_rows:
        if row["day"] in days:
            by_day[_key(row)][days[row["day"]]] += row["calls"]
    by_hour: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * HOURS)
    for row in rows(connection, "report_hours"):
        by_hour[_key(row)][row["hour_of_week"]] += row["calls"]
    return {
        _key(row): _activity(row, by_day[_key(row)], by_hour[_key(row)])
        for row in rows(connection, "report_pace")
    }


def batch_fits(connection: duckdb.DuckDBPyConnection) -> dict[Key, r.BatchFit]:
    """The busiest day beside the limits of one batch, of every workload that has a batch API."""
    return {_key(row): make(r.BatchFit, row) for row in rows(connection, "report_batch_fit")}


def _activity(row: Row, by_day: list[int], by_hour: list[int]) -> r.Activity:
    told = row["streaming_known_calls"]
    return make(
        r.Activity,
        row
        | {
            "by_day": tuple(by_day),
            "by_hour": tuple(by_hour),
            "gaps": tuple(row[f"gaps_{place}"] for place in range(1, len(r.GAPS_S) + 2)),
            "streaming_share": round(row["streaming_calls"] / told, 4) if told else None,
        },
    )


def _key(row: Row) -> Key:
    return row["workload_id"], row["label"]
