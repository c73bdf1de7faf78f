"""The table of worked cases of the price research, every row, exact; and where a batch breaks even.

A saving is printed there as a percentage: it must be that of the exact amounts. Scenarios that no
column carries are worked out from the rates of the call's own card (`rate_sheets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from llm_audit import pipeline
from tests.pricing.helpers import DAY, price, rows
from tests.pricing.many import price_many
from tests.support import create_stored_tables

Connection = duckdb.DuckDBPyConnection


def tokens(input_: int, output: int, read: int = 0, searches: int = 0) -> dict[str, int]:
    return {
        "input_tokens": input_,
        "output_tokens": output,
        "cache_read_input_tokens": read,
        "web_search_requests": searches,
    }


def logged(model: str, used: Mapping[str, Any]) -> dict[str, Any]:
    """A call of a model, named as its seller names it: "provider_name/model"."""
    provider, _, name = model.rpartition("/")
    maker = "anthropic" if "claude" in model else "openai"
    return {
        "provider_name": provider or maker,
        "response_model": name,
        "started_at": DAY,
        **used,
    }


def priced(connection: Connection, model: str, used: Mapping[str, Any]) -> dict[str, Any]:
    """The costs of one call, with the rates of its card beside them."""
    price(connection, [logged(model, used)])
    (found,) = rows(connection, "SELECT * FROM costs JOIN rate_sheets USING (card_id)")
    assert found["price_status"] == "priced"
    return found


@dataclass(frozen=True)
class Case:
    """One row: the call, the exact amounts, and the figures as the table prints them."""

    what: str
    model: str
    used: Mapping[str, Any]
    sync: str
    batch: str
    printed: tuple[str, str, str]
    column: str = "batch_cost_conservative"
    hit_share: str | None = field(default=None)


SONNET = "claude-sonnet-4-5"
PREFIX = tokens(11_000, 500, read=10_000)
CACHED = tokens(10_000, 500, read=9_000)
PLAIN = tokens(2_000, 500)
BEST, EXPECTED = "batch_cost_best", "batch_cost_expected"
CASES = [
    Case("nothing cached", "gpt-4.1", tokens(10_000, 500),
         "0.0240", "0.0120", ("0.0240", "0.0120", "50%")),
    Case("half cached", "gpt-4.1", tokens(10_000, 500, read=5_000),
         "0.0165", "0.0120", ("0.0165", "0.0120", "27.3%")),
    Case("mostly cached", "gpt-4.1", CACHED,
         "0.0105", "0.0120", ("0.0105", "0.0120", "-14.3%")),
    Case("also mini", "gpt-4.1-mini", CACHED,
         "0.0021", "0.0024", ("0.0021", "0.0024", "-14.3%")),
    Case("also o4-mini", "o4-mini", CACHED,
         "0.005775", "0.0066", ("0.005775", "0.0066", "-14.3%")),
    Case("batch input = cached rate", "gpt-4o", CACHED,
         "0.01875", "0.0150", ("0.01875", "0.0150", "20.0%")),
    Case("same hits in the batch", "gpt-5", CACHED,
         "0.007375", "0.0036875", ("0.007375", "0.003688", "50%"), BEST),
    Case("no hits in the batch", "gpt-5", CACHED,
         "0.007375", "0.00875", ("0.007375", "0.00875", "-18.6%")),
    Case("98 % hits", SONNET, PREFIX,
         "0.0135", "0.007095", ("0.0135", "0.0071", "47.4%"), EXPECTED, "0.98"),
    Case("30 % hits, misses written for 5 minutes", SONNET, PREFIX,
         "0.0135", "0.018825", ("0.0135", "0.0188", "-39%"), EXPECTED, "0.30"),
    Case("no cache_control in the batch", SONNET, PREFIX,
         "0.0135", "0.02025", ("0.0135", "0.02025", "-50%")),
    Case("no stacking: the standard cached rate", "gcp.gemini/gemini-2.5-flash", CACHED,
         "0.00182", "0.001045", ("0.00182", "0.001045", "42.6%"), BEST),
    Case("no stacking: the halved input rate", "groq/gpt-oss-120b", CACHED,
         "0.001125", "0.00090", ("0.001125", "0.00090", "20%")),
    Case("fees in full", SONNET, tokens(20_000, 1_000, searches=2),
         "0.0950", "0.0575", ("0.0950", "0.0575", "39.5%")),
    Case("fine-tuned: not half", "ft:gpt-4o-2024-08-06:acme::x", PLAIN,
         "0.0150", "0.0107", ("0.0150", "0.0107", "28.7%")),
    Case("20 % off", "x_ai/grok-4.3", tokens(10_000, 500),
         "0.01375", "0.0110", ("0.01375", "0.0110", "20%")),
    Case("20 % off", "gcp.vertex_ai/gemini-embedding-001", tokens(10_000, 0),
         "0.0015", "0.0012", ("0.0015", "0.0012", "20%")),
    Case("no discount", "gpt-3.5-turbo-1106", tokens(10_000, 500),
         "0.0110", "0.0110", ("0.0110", "0.0110", "0%")),
    Case("already at batch rates", "gpt-5", {**PLAIN, "service_tier": "flex"},
         "0.00375", "0.00375", ("0.00375", "0.00375", "0%")),
    Case("flex keeps the cache, the batch does not", "o3", {**CACHED, "service_tier": "flex"},
         "0.00525", "0.0120", ("0.00525", "0.0120", "-129%")),
    Case("priority", "gpt-4o", {**PLAIN, "service_tier": "priority"},
         "0.0170", "0.0050", ("0.0170", "0.0050", "70.6%")),
]  # fmt: skip


def as_printed(amount: Decimal, like: str) -> str:
    """Rounded to as many places as the table prints."""
    places = Decimal(like.removesuffix("%")).as_tuple().exponent
    assert isinstance(places, int)
    return str(amount.quantize(Decimal(1).scaleb(places), ROUND_HALF_UP))


def saving(sync: Decimal, batch: Decimal) -> Decimal:
    """In percent of what is paid today."""
    return (sync - batch) / sync * 100


def assert_printed(sync: Decimal, batch: Decimal, printed: tuple[str, str, str]) -> None:
    percent = printed[2].removesuffix("%")
    assert as_printed(sync, printed[0]) == printed[0]
    assert as_printed(batch, printed[1]) == printed[1]
    assert as_printed(saving(sync, batch), percent).replace("-0", "0", 1) in (
        percent,
        f"-{percent}"[1:],
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model} {case.what}")
def test_a_row_of_the_table(connection: Connection, case: Case) -> None:
    cost = priced(connection, case.model, case.used)
    if case.hit_share is not None:
        connection.execute("UPDATE cache_rules SET expected_hit_share = ?", [case.hit_share])
        pipeline.run_steps(connection, 40, 59)
        (cost,) = rows(connection, "SELECT * FROM costs")
    assert cost["list_cost"] == cost["effective_cost"] == Decimal(case.sync)
    assert cost[case.column] == Decimal(case.batch)
    assert_printed(cost["effective_cost"], cost[case.column], case.printed)


# --- scenarios that no column carries -------------------------------------------------------------


def test_if_the_batch_kept_the_standard_cached_rate(connection: Connection) -> None:
    """GPT-4.1 as one public package reads it: -14.3 % would be 28.6 %."""
    card = priced(connection, "gpt-4.1", CACHED)
    batch = 1_000 * card["batch_input"] + 9_000 * card["list_cached"] + 500 * card["batch_output"]
    assert batch == Decimal("0.0075")
    assert_printed(card["effective_cost"], batch, ("0.0105", "0.0075", "28.6%"))


def in_batch(card: Mapping[str, Any], hit_share: str, write: str) -> Decimal:
    """The Sonnet prefix case, misses written anew at the rate of the column `write`."""
    hits = Decimal(hit_share)
    prefix = hits * card["batch_cached"] + (1 - hits) * card[write]
    total = 1_000 * card["batch_input"] + 10_000 * prefix + 500 * card["batch_output"]
    assert isinstance(total, Decimal)
    return total


def test_misses_written_for_an_hour(connection: Connection) -> None:
    card = priced(connection, SONNET, PREFIX)
    batch = in_batch(card, "0.30", "batch_write_1h")
    assert batch == Decimal("0.0267")
    assert_printed(card["effective_cost"], batch, ("0.0135", "0.0267", "-98%"))
    assert in_batch(card, "0.30", "batch_write_5m") == Decimal("0.018825")


def test_an_uncached_prompt_gains_most_with_an_hour_of_cache(connection: Connection) -> None:
    card = priced(connection, SONNET, tokens(11_000, 500))
    batch = in_batch(card, "0.98", "batch_write_1h")
    assert card["effective_cost"] == Decimal("0.0405")
    assert batch == Decimal("0.00732")
    assert_printed(card["effective_cost"], batch, ("0.0405", "0.0073", "81.9%"))


# --- break-even -----------------------------------------------------------------------------------

SAME_RATIOS = ("gpt-4.1", "o3", "o4-mini")
"""Cached at a quarter of input, output at four times, batch at half, no cached rate in a batch."""
GRID = 1_200
PROMPT = 120_000


def first_losing_step(connection: Connection, model: str, output_share: Fraction) -> int | None:
    """The least cached share, in steps of 1/1200, at which the SQL says a batch costs no less.

    Found by pricing a call at every step; None where the batch is cheaper at all of them.
    """
    output = PROMPT * output_share
    assert output.denominator == 1
    price_many(
        connection,
        [
            logged(model, tokens(PROMPT, int(output), read=step * PROMPT // GRID))
            for step in range(GRID + 1)
        ],
    )
    gains = [
        effective - batch
        for effective, batch in connection.execute(
            "SELECT effective_cost, batch_cost_conservative FROM costs "
            "JOIN calls USING (call_id) ORDER BY source_line"
        ).fetchall()
    ]
    assert gains == sorted(gains, reverse=True)
    losing = next((step for step, gain in enumerate(gains) if gain <= 0), None)
    assert losing is None or gains[losing] == 0  # the grid holds the very point
    return losing


@pytest.mark.parametrize("model", SAME_RATIOS)
@pytest.mark.parametrize(
    ("output_share", "cached_share"),
    [
        (Fraction(0), Fraction(2, 3)),
        (Fraction(1, 20), Fraction(4, 5)),
        (Fraction(1, 8), Fraction(1)),  # the last tie: everything cached
        (Fraction(13, 100), None),
    ],
)
def test_the_cached_share_at_which_a_batch_breaks_even(
    connection: Connection, model: str, output_share: Fraction, cached_share: Fraction | None
) -> None:
    step = first_losing_step(connection, model, output_share)
    assert (None if step is None else Fraction(step, GRID)) == cached_share


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(SAME_RATIOS),
            st.integers(1, 190_000),
            st.fractions(0, 1, max_denominator=60),
            st.fractions(0, Fraction(1, 4), max_denominator=60),
        ),
        min_size=100,
        max_size=100,
    )
)
def test_beyond_an_eighth_of_output_a_batch_always_wins(
    drawn: list[tuple[str, int, Fraction, Fraction]],
) -> None:
    """And below two thirds of cached tokens too, whatever the output."""
    calls = [
        logged(model, tokens(prompt, -int(-prompt * output), read=int(prompt * cached)))
        for model, prompt, cached, output in drawn
    ]
    with duckdb.connect() as connection:
        create_stored_tables(connection)
        price_many(connection, calls)
        costs = rows(
            connection, "SELECT costs.* FROM costs JOIN calls USING (call_id) ORDER BY source_line"
        )
    for call, cost in zip(calls, costs, strict=True):
        gain = cost["effective_cost"] - cost["batch_cost_conservative"]
        prompt, read = call["input_tokens"], call["cache_read_input_tokens"]
        if 8 * call["output_tokens"] > prompt or 3 * read < 2 * prompt:
            assert gain > 0, call
        if read == prompt and 8 * call["output_tokens"] <= prompt:
            assert gain <= 0, call


def least_share(connection: Connection) -> int:
    """By halving: the least percentage of hits at which the expected batch beats the warm cache."""

    def gain(percent: int) -> Decimal:
        connection.execute(
            "UPDATE cache_rules SET expected_hit_share = ?", [Decimal(percent) / 100]
        )
        pipeline.run_steps(connection, 40, 59)
        (row,) = connection.execute(
            "SELECT effective_cost - batch_cost_expected FROM costs"
        ).fetchall()
        assert isinstance(row[0], Decimal)
        return row[0]

    loses, wins = 0, 100
    assert gain(loses) < 0 < gain(wins)
    while wins - loses > 1:
        middle = (loses + wins) // 2
        loses, wins = (loses, middle) if gain(middle) > 0 else (middle, wins)
    return wins


def test_the_hit_share_that_beats_a_warm_cache(connection: Connection) -> None:
    """Sonnet 4.5: more than 60 % where misses are written for 5 minutes, more than 76 % for 1 h."""
    card = priced(connection, SONNET, PREFIX)
    hour = [
        percent
        for percent in range(101)
        if in_batch(card, f"{percent / 100:.2f}", "batch_write_1h") < card["effective_cost"]
    ]
    assert (least_share(connection), hour[0]) == (61, 77)
