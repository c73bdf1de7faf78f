"""An independent recomputation: the same costs, worked out in exact fractions without any SQL.

Written from the rules (README of `pricing/`, the vendors' pages it names), sharing nothing with
the product but the CSV files and the model names.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pricing.helpers import price
from tests.support import ROOT, create_stored_tables

Rates = dict[str, Fraction | None]


def read(name: str) -> list[dict[str, str]]:
    with (ROOT / "pricing" / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


ROWS = read("rates/openai.csv") + read("rates/anthropic.csv")
BY_MODEL: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
for _row in ROWS:
    BY_MODEL[_row["model"], _row["snapshot"]].append(_row)
MODELS = sorted(BY_MODEL)
HIT_SHARE = {"anthropic": Fraction(64, 100), "openai": Fraction(1, 2)}


def rates(rows: list[dict[str, str]], tier: str, day: date, prompt: int) -> Rates:
    """Token kind -> USD per token; the highest band that the prompt exceeds wins."""
    found: dict[str, tuple[int, Fraction | None]] = {}
    for row in rows:
        limit = int(row["band_min_tokens"] or -1)
        if (
            row["tier"] == tier
            and row["effective_from"] <= day.isoformat() < (row["effective_to"] or "9999")
            and prompt > limit >= found.get(row["token_kind"], (-2, None))[0]
        ):
            usd = Fraction(row["usd_per_mtok"]) / 10**6 if row["usd_per_mtok"] else None
            found[row["token_kind"]] = (limit, usd)
    return {kind: usd for kind, (_, usd) in found.items()}


def first(*options: Fraction | None) -> Fraction:
    return next(option for option in options if option is not None)


def expected(used: dict[str, Any], provider: str, rows: list[dict[str, str]]) -> dict[str, Any]:
    """What `costs` should say of one call, as fractions."""
    day, tier = used["started_at"].date(), used["service_tier"]
    read_, write, hour = (used[k] for k in TOKENS[1:4])
    out, searches = used["output_tokens"], used["web_search_requests"]
    prompt = used["input_tokens"]
    fresh = prompt - read_ - write - hour
    paid = rates(rows, tier, day, prompt)
    batch = rates(rows, "batch", day, prompt)
    if paid.get("input") is None:
        live = [
            r for r in rows if r["effective_from"] <= day.isoformat() < (r["effective_to"] or "9")
        ]
        return {"price_status": "unpriced_tier" if live else "unpriced_date"}
    full = paid["input"]
    missing = full if provider == "openai" else None
    cached = paid.get("cached_input") or missing
    five = paid.get("cache_write_5m") or missing
    one = paid.get("cache_write_1h") or (five if provider == "openai" else None)
    parts = [(fresh, full), (read_, cached), (write, five), (hour, one), (out, paid.get("output"))]
    if any(count and rate is None for count, rate in parts):
        return {"price_status": "unpriced_tokens"}
    fees = Fraction(searches, 100)
    listed = fees + sum(count * (rate or 0) for count, rate in parts)
    answer: dict[str, Any] = {"price_status": "priced", "list_cost": listed}
    if tier == "batch":
        return answer | dict.fromkeys(SCENARIOS, listed)
    half = batch.get("input")
    if half is None:
        return answer | dict.fromkeys(SCENARIOS)
    miss = first(batch.get("cache_write_5m") if provider == "openai" else None, half)
    hit = first(batch.get("cached_input"), half)
    share = HIT_SHARE[provider]
    plain = fees + fresh * half + out * (batch.get("output") or 0)
    again = first(batch.get("cache_write_5m"), half)
    writes = write * again + hour * first(batch.get("cache_write_1h"), again)
    return answer | {
        "batch_cost_conservative": plain + (read_ + write + hour) * miss,
        "batch_cost_expected": plain + writes + read_ * (share * hit + (1 - share) * again),
        "batch_cost_best": plain + writes + read_ * hit,
    }


TOKENS = (
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
)
SCENARIOS = ("batch_cost_conservative", "batch_cost_expected", "batch_cost_best")

counts = st.one_of(st.just(0), st.integers(0, 5_000), st.integers(0, 400_000))


@st.composite
def priced_calls(draw: st.DrawFn) -> dict[str, Any]:
    model, snapshot = draw(st.sampled_from(MODELS))
    provider = BY_MODEL[model, snapshot][0]["provider"]
    name = f"{model}-{snapshot}" if snapshot else model
    day = date(2024, 1, 1) + timedelta(days=draw(st.integers(0, 1055)))
    parts = [draw(counts) for _ in range(4)]
    has_output = any(row["token_kind"] == "output" for row in BY_MODEL[model, snapshot])
    return {
        "key": (model, snapshot),
        "provider_name": provider,
        "response_model": f"{name}:org::id" if model.startswith("ft:") else name,
        "started_at": datetime(day.year, day.month, day.day, draw(st.integers(0, 23))),
        "service_tier": draw(st.sampled_from(["standard", "batch", "flex", "priority"])),
        **dict(zip(TOKENS, [sum(parts) + 1, *parts[1:]], strict=True)),
        "output_tokens": draw(counts) if has_output else 0,
        "web_search_requests": draw(st.sampled_from([0, 0, 1, 7])),
    }


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(priced_calls(), min_size=60, max_size=120))
def test_sql_and_fractions_agree(calls: list[dict[str, Any]]) -> None:
    with duckdb.connect() as connection:
        create_stored_tables(connection)
        inserted = [{k: v for k, v in one.items() if k != "key"} for one in calls]
        costs = price(connection, inserted)
    for one, cost in zip(calls, costs, strict=True):
        wanted = expected(one, one["provider_name"], BY_MODEL[one["key"]])
        assert cost["price_status"] == wanted.pop("price_status"), one
        for column, amount in wanted.items():
            found = cost[column]
            assert (None if found is None else Fraction(found)) == amount, (column, one)


def rate_without_a_day(rows: list[dict[str, str]], tier: str, prompt: int) -> Fraction | None:
    """The input rate of a tier, if all its rates were the same on every day of the model's life."""
    changes = {row[end] for row in rows for end in ("effective_from", "effective_to")} - {""}
    days = [date.fromisoformat(day) for day in sorted(changes)]
    alive = [day for day in days if any(rates(rows, other, day, prompt) for other in TIERS)]
    first_card, *cards = [rates(rows, tier, day, prompt) for day in alive]
    return first_card.get("input") if all(card == first_card for card in cards) else None


TIERS = ("standard", "batch", "flex", "priority")


def test_without_a_day_only_a_rate_that_never_changed_is_used() -> None:
    """Every model, tier and size of prompt."""
    slots = [(key, tier, size) for key in MODELS for tier in TIERS for size in (1_000, 300_000)]
    calls = [
        {
            "provider_name": BY_MODEL[model, snapshot][0]["provider"],
            "response_model": (f"{model}-{snapshot}" if snapshot else model)
            + (":org::id" if model.startswith("ft:") else ""),
            "service_tier": tier,
            "input_tokens": size,
            "output_tokens": 0,
        }
        for (model, snapshot), tier, size in slots
    ]
    with duckdb.connect() as connection:
        create_stored_tables(connection)
        costs = price(connection, calls)
    for (key, tier, size), cost in zip(slots, costs, strict=True):
        rate = rate_without_a_day(BY_MODEL[key], tier, size)
        found = cost["list_cost"]
        assert (None if found is None else Fraction(found)) == (rate and rate * size), (key, tier)
    assert {cost["price_status"] for cost in costs} == {"priced", "unpriced_date"}


def test_every_carried_rate_is_used_once() -> None:
    """A million fresh tokens of every model and tier on its first day cost just its rate."""
    slots = sorted(
        {
            (r["provider"], r["model"], r["snapshot"], r["tier"], r["effective_from"])
            for r in ROWS
            if r["token_kind"] == "input" and r["usd_per_mtok"]
        }
    )
    calls = [
        {
            "provider_name": provider,
            "response_model": (f"{model}-{snapshot}" if snapshot else model)
            + (":org::id" if model.startswith("ft:") else ""),
            "started_at": datetime.fromisoformat(day),
            "service_tier": tier,
            "input_tokens": 1_000,
            "output_tokens": 0,
        }
        for provider, model, snapshot, tier, day in slots
    ]
    with duckdb.connect() as connection:
        create_stored_tables(connection)
        costs = price(connection, calls)
    for (_, model, snapshot, tier, day), cost in zip(slots, costs, strict=True):
        rate = rates(BY_MODEL[model, snapshot], tier, date.fromisoformat(day), 1_000)["input"]
        assert rate is not None
        assert Fraction(cost["list_cost"]) == rate * 1_000, (model, snapshot, tier, day)
    assert len(slots) > 180
