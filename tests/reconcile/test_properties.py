"""Random logs, and exports made from them by known changes: the split finds exactly those.

The prices are written out here, so that nothing of the tables decides what is expected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reconcile.helpers import Bucket, bucket, call, compare, split
from tests.support import create_stored_tables

USD_PER_MILLION = {
    ("claude-haiku-4-5", "input"): Decimal(1),
    ("claude-haiku-4-5", "output"): Decimal(5),
    ("claude-sonnet-4-5", "input"): Decimal(3),
    ("claude-sonnet-4-5", "output"): Decimal(15),
    ("claude-opus-4-5", "input"): Decimal(5),
    ("claude-opus-4-5", "output"): Decimal(25),
}
LOGGED = ("claude-haiku-4-5", "claude-sonnet-4-5")
KINDS = ("input", "output")
FIRST, LAST = 3, 12
"""The log's first and last day, on whose noon it holds a call that costs nothing: half of either
day lies outside of the log."""

days = st.integers(FIRST, LAST)
# Large enough that a surplus is more than any rounding to cents.
tokens = st.integers(50_000, 9_000_000)
lines = st.tuples(days, st.sampled_from(LOGGED), st.sampled_from(KINDS), tokens)


@dataclass
class Change:
    """What was done to a faithful export."""

    outside: list[tuple[int, str, str, int]] = field(default_factory=list)
    models: list[tuple[int, str, str, int]] = field(default_factory=list)
    keys: list[tuple[int, str, str, int]] = field(default_factory=list)
    batch: list[tuple[int, str, str, int]] = field(default_factory=list)
    surplus: list[tuple[int, str, str, int]] = field(default_factory=list)
    fees: list[tuple[int, int]] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)
    cents: bool = False


def several(source: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(source, max_size=3)


changes = st.builds(
    Change,
    outside=several(
        st.tuples(
            st.sampled_from([FIRST - 1, LAST + 1, LAST + 3]),
            st.sampled_from(LOGGED),
            st.sampled_from(KINDS),
            tokens,
        )
    ),
    models=several(st.tuples(days, st.just("claude-opus-4-5"), st.sampled_from(KINDS), tokens)),
    keys=several(lines),
    batch=several(lines),
    surplus=several(lines),
    fees=several(st.tuples(days, st.integers(1, 500))),
    dropped=st.sets(days, max_size=2),
    cents=st.booleans(),
)


def usd(model: str, kind: str, quantity: int, *, batch: bool = False) -> Decimal:
    return quantity * USD_PER_MILLION[model, kind] / Decimal(1_000_000) / (2 if batch else 1)


@dataclass
class Export:
    """Export lines, and what each cause should come to in tokens and in USD."""

    cents: bool
    lines: list[Bucket] = field(default_factory=list)
    expected: Mapping[str, defaultdict[str, Decimal]] = field(
        default_factory=lambda: {basis: defaultdict(Decimal) for basis in ("usd", "tokens")}
    )

    def amount(self, exact: Decimal) -> Decimal:
        return exact.quantize(Decimal("0.01"), ROUND_HALF_UP) if self.cents else exact

    def add(self, day: int, kind: str, quantity: int | None, exact: Decimal, **values: Any) -> None:
        source = "anthropic_console_cost" if self.cents else "anthropic_cost_report"
        amount = str(self.amount(exact))
        self.lines.append(bucket(day, kind, quantity, amount, source_format=source, **values))

    def compare(self, day: int, basis: str, theirs: Decimal, ours: Decimal) -> None:
        """What a cell must come to by the definitions: half of an outer day may explain a gap."""
        rest, bound = theirs - ours, Decimal("0.005") if self.cents else Decimal("0.00000005")
        late = Decimal(0)
        if basis == "tokens":
            bound = Decimal(0)
        if day in (FIRST, LAST) and rest > bound:
            half = theirs / 2
            late = min(rest, half.to_integral_value(ROUND_FLOOR) if basis == "tokens" else half)
        left = rest - late
        self.expected[basis]["outside_period"] += late
        self.expected[basis]["rounding" if abs(left) <= bound else "unexplained"] += left

    def expect(self, cause: str, quantity: int, amount: Decimal) -> None:
        self.expected["tokens"][cause] += quantity
        self.expected["usd"][cause] += amount


def export_of(log: list[tuple[int, str, str, int]], change: Change) -> Export:
    export = Export(change.cents)
    whole: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    for day, model, kind, quantity in log:
        whole[day, model, kind] += quantity
    kept = {day for day, _, _ in whole} - change.dropped
    kept |= {row[0] for rows in (change.outside, change.models, change.keys, change.batch,
                                 change.surplus) for row in rows}  # fmt: skip
    usd_days = kept | {day for day, _ in change.fees}
    more: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    for day, model, kind, quantity in change.surplus:
        more[day, model, kind] += quantity
    for day, model, kind in whole.keys() | more.keys():
        logged, extra = whole[day, model, kind], more[day, model, kind]
        ours = usd(model, kind, logged)
        if day in change.dropped:
            theirs_tokens, theirs = extra, usd(model, kind, extra)
        else:
            theirs_tokens, theirs = logged + extra, usd(model, kind, logged + extra)
        if theirs_tokens:
            export.add(day, kind, theirs_tokens, theirs, model=model, service_tier="standard",
                       api_key="web")  # fmt: skip
        if min(kept, default=99) <= day <= max(kept, default=0):
            export.compare(day, "tokens", Decimal(theirs_tokens), Decimal(logged))
        if min(usd_days, default=99) <= day <= max(usd_days, default=0):
            export.compare(day, "usd", export.amount(theirs), ours)
    for cause, rows in (
        ("outside_period", change.outside),
        ("model_not_in_log", change.models),
        ("key_not_in_log", change.keys),
        ("batch_share", change.batch),
    ):
        batch = cause == "batch_share"
        for day, model, kind, quantity in rows:
            exact = usd(model, kind, quantity, batch=batch)
            export.add(day, kind, quantity, exact, model=model,
                       service_tier="batch" if batch else "standard",
                       api_key="lab" if cause == "key_not_in_log" else "web")  # fmt: skip
            export.expect(cause, quantity, export.amount(exact))
    for day, cents in change.fees:
        fee = Decimal(cents) / 100
        export.add(day, "code_execution", None, fee, model=None)
        export.expected["usd"]["tool_fees"] += fee
    return export


def fresh() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        create_stored_tables(connection)
        yield connection


@settings(max_examples=25, deadline=None)
@given(log=st.lists(lines, min_size=1, max_size=12), change=changes)
def test_the_split_finds_exactly_what_was_changed(
    log: list[tuple[int, str, str, int]], change: Change
) -> None:
    calls = [
        call(FIRST, input_tokens=0),
        call(LAST, "claude-sonnet-4-5", input_tokens=0),
        *(
            call(day, model, api_key_alias="web",
                 **{"input_tokens": 0, f"{kind}_tokens": quantity})
            for day, model, kind, quantity in log
        ),
    ]  # fmt: skip
    export = export_of(log, change)
    if not export.lines:
        return
    for connection in fresh():
        result = compare(connection, calls, export.lines)
        for whole in result.comparisons:
            wanted = {c: v for c, v in export.expected[whole.basis].items() if v}
            assert split(whole) == wanted, whole.basis


odd_lines = st.fixed_dictionaries(
    {
        "day": st.integers(1, 14),
        "kind": st.sampled_from(
            [*KINDS, "cached_input", "cost", "web_search", "requests", "x", "nothing"]
        ),
        "value": st.none() | st.integers(0, 10**9),
        "usd": st.none() | st.decimals(-10, 10**6, places=6).map(str),
        "model": st.sampled_from([None, *LOGGED, "claude-opus-4-5", "Claude Haiku 4.5", "odd"]),
        "service_tier": st.sampled_from([None, "standard", "batch", "flex"]),
        "api_key": st.sampled_from([None, "web", "lab"]),
        "source_file": st.sampled_from(["a.csv", "b.csv"]),
        "source_format": st.sampled_from(["anthropic_console_cost", "anthropic_cost_report"]),
        "hours": st.sampled_from([0, 1, 24]),
    }
)
odd_calls = st.fixed_dictionaries(
    {
        "day": st.integers(1, 14),
        "model": st.sampled_from([*LOGGED, "unheard-of"]),
        "input_tokens": st.none() | st.integers(0, 10**9),
        "output_tokens": st.none() | st.integers(0, 10**9),
        "service_tier": st.sampled_from([None, "standard", "batch", "priority"]),
        "status": st.sampled_from(["ok", "ok", "error"]),
        "tokens_source": st.sampled_from(["reported", "reported", "missing"]),
        "api_key_alias": st.sampled_from([None, "web"]),
        "web_search_requests": st.sampled_from([None, 3]),
        "started_at": st.just(datetime(2026, 11, 6)) | st.none(),
    }
)


def _odd_bucket(line: dict[str, Any]) -> Bucket:
    values = dict(line)
    hours = values.pop("hours")
    start = datetime(2026, 11, values["day"])
    if hours == 1:
        start += timedelta(hours=7)
    values["bucket_start"] = start
    values["bucket_end"] = start + timedelta(hours=hours) if hours else None
    return bucket(values.pop("day"), values.pop("kind"), values.pop("value"), values.pop("usd"),
                  **values, provider_name="anthropic")  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(calls=st.lists(odd_calls, max_size=8), buckets=st.lists(odd_lines, min_size=1, max_size=12))
def test_any_split_closes(calls: list[dict[str, Any]], buckets: list[dict[str, Any]]) -> None:
    """`compare` checks the sums; and each line of an export is compared, set aside or left out."""
    made = []
    for values in calls:
        row = call(values["day"], **{k: v for k, v in values.items() if k != "day"})
        made.append(row | {"provider_name": "anthropic"})
    anchor = bucket(5, "input", 1, "1", provider_name="anthropic", source_file="c.csv")
    lines = [anchor, *map(_odd_bucket, buckets)]
    counted = {
        "usd": sum(
            line["amount_usd"] is not None and line["token_kind"] != "nothing" for line in lines
        ),
        "tokens": sum(
            line["quantity"] is not None and line["token_kind"] in (*KINDS, "cached_input")
            for line in lines
        ),
    }
    for connection in fresh():
        result = compare(connection, made, lines)
        for whole in result.comparisons:
            assert (
                whole.lines + whole.lines_set_aside + whole.lines_left_out == counted[whole.basis]
            )
