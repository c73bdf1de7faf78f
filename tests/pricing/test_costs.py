"""Worked cases, to the last decimal: what a call cost, and what it would have cost in a batch.

The figures are those of the house's price research, worked by hand from the vendors' rates.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from llm_audit import pipeline
from llm_audit.policy import PriceMultiplier
from tests.pricing.helpers import call, price

Connection = duckdb.DuckDBPyConnection


def tokens(
    input_: int,
    output: int,
    *,
    read: int = 0,
    write_5m: int = 0,
    write_1h: int = 0,
    searches: int = 0,
) -> dict[str, int]:
    return {
        "input_tokens": input_,
        "output_tokens": output,
        "cache_read_input_tokens": read,
        "cache_creation_5m_input_tokens": write_5m,
        "cache_creation_1h_input_tokens": write_1h,
        "web_search_requests": searches,
    }


HAIKU = "claude-haiku-4-5"
SONNET = "claude-sonnet-4-5"

WORKED = [
    # what a call costs synchronously; in a batch, conservative and best
    ("gpt-4.1", tokens(10_000, 500), ("0.0240", "0.0120", "0.0120")),
    ("gpt-4.1", tokens(10_000, 500, read=5_000), ("0.0165", "0.0120", "0.0120")),
    ("gpt-4.1", tokens(10_000, 500, read=9_000), ("0.0105", "0.0120", "0.0120")),
    ("gpt-4.1-mini", tokens(10_000, 500, read=9_000), ("0.0021", "0.0024", "0.0024")),
    ("gpt-4o", tokens(10_000, 500, read=9_000), ("0.01875", "0.0150", "0.0150")),
    ("gpt-5", tokens(10_000, 500, read=9_000), ("0.007375", "0.00875", "0.0036875")),
    (SONNET, tokens(11_000, 500, read=10_000), ("0.0135", "0.02025", "0.00675")),
    (SONNET, tokens(20_000, 1_000, searches=2), ("0.0950", "0.0575", "0.0575")),
    ("ft:gpt-4o-2024-08-06:acme::x", tokens(2_000, 500), ("0.0150", "0.0107", "0.0107")),
    ("gpt-3.5-turbo-1106", tokens(10_000, 500), ("0.0110", "0.0110", "0.0110")),
    ("text-embedding-3-small", tokens(1_000_000, 0), ("0.02", "0.01", "0.01")),
    # writes: GPT-5.6 and later write unasked, also in a batch; Claude only with cache_control
    ("gpt-6-sol", tokens(10_000, 0, read=4_000, write_5m=5_000), ("0.0153", "0.01225", "0.00765")),
    (HAIKU, tokens(9_000, 0, write_5m=6_000, write_1h=3_000), ("0.0135", "0.0045", "0.00675")),
]  # fmt: skip


@pytest.mark.parametrize(("model", "used", "worked"), WORKED)
def test_worked_case(
    connection: Connection, model: str, used: dict[str, int], worked: tuple[str, str, str]
) -> None:
    sync, conservative, best = worked
    (cost,) = price(connection, [call(model, **used)])
    assert cost["price_status"] == "priced"
    assert cost["list_cost"] == cost["effective_cost"] == Decimal(sync)
    assert cost["batch_cost_conservative"] == Decimal(conservative)
    assert cost["batch_cost_best"] == Decimal(best)
    assert cost["batch_cost_expected"] >= cost["batch_cost_best"]


@pytest.mark.parametrize(
    ("share", "expected"), [("0.98", "0.007095"), ("0.64", "0.012960"), ("0.30", "0.018825")]
)
def test_the_expected_scenario_follows_the_documented_hit_share(
    connection: Connection, share: str, expected: str
) -> None:
    """Sonnet 4.5, 1k fresh and 10k read; misses are written anew for five minutes.

    That is the price of `cache_control` in a batch: with 30 % of hits it is dearer than none.
    """
    price(connection, [call("claude-sonnet-4-5", **tokens(11_000, 500, read=10_000))])
    connection.execute("UPDATE cache_rules SET expected_hit_share = ?", [Decimal(share)])
    pipeline.run_steps(connection, 40, 59)
    (cost,) = connection.execute("SELECT batch_cost_expected FROM costs").fetchall()
    assert cost == (Decimal(expected),)


def test_tiers_bands_and_days(connection: Connection) -> None:
    used = tokens(1_000, 100)
    long = tokens(272_001, 1_000)
    edge = tokens(272_000, 1_000)
    calls = [
        call("gpt-5", service_tier="flex", **used),
        call("gpt-5", service_tier="batch", **used),
        call("gpt-5", service_tier="priority", **used),
        call("gpt-5.4", **edge),
        call("gpt-5.4", **long),
        call("o3", started_at=datetime(2025, 6, 9, 23, 59, 59), **used),
        call("o3", started_at=datetime(2025, 6, 10), **used),
        call("o3", service_tier="flex", **tokens(10_000, 500, read=9_000)),
        call("gpt-4o", started_at=datetime(2024, 10, 1), **used),
        call("gpt-4o", started_at=datetime(2024, 10, 2), **used),
        call("gpt-5.4", service_tier="priority", **long),
        call("claude-sonnet-4-20250514", started_at=datetime(2025, 9, 10), **tokens(200_001, 0)),
    ]
    costs = [row["list_cost"] for row in price(connection, calls)]
    assert costs == [
        Decimal("0.001125"),  # flex: half of standard
        Decimal("0.001125"),  # batch
        Decimal("0.0045"),  # priority
        Decimal("0.695"),  # 272,000 tokens are still the short band
        Decimal("1.382505"),  # one more: the whole request at 2x input and 1.5x output
        Decimal("0.014"),  # o3 on the eve of its cut
        Decimal("0.0028"),
        Decimal("0.00525"),
        Decimal("0.0065"),  # gpt-4o pointed to the snapshot of May
        Decimal("0.0035"),
        Decimal("1.382505"),  # a long priority request bills as standard
        Decimal("1.200006"),
    ]


def test_a_call_in_a_batch_saves_nothing_more(connection: Connection) -> None:
    (cost,) = price(
        connection, [call("gpt-4.1", service_tier="batch", **tokens(10_000, 500, read=9_000))]
    )
    assert cost["batch_status"] == "already_batch"
    assert cost["effective_cost"] == cost["batch_cost_best"] == Decimal("0.012")
    assert cost["batch_cost_conservative"] == cost["batch_cost_expected"] == Decimal("0.012")


OLD = {"started_at": datetime(2024, 11, 10)}  # no 1-hour cache was sold then
FAST = {"service_tier": "priority", "inference_speed": "fast"}

STATUSES: list[tuple[str, dict[str, Any]]] = [
    ("priced", call("gpt-4.1", **tokens(10, 1))),
    ("unpriced_model", call("gpt-99", **tokens(10, 1))),
    ("unpriced_model", call("prod-eu-1", **tokens(10, 1)) | {"provider_name": "azure.ai.openai"}),
    ("unpriced_model", call("claude-haiku-4", **tokens(10, 1))),
    ("unpriced_date", call("gpt-4.1", **tokens(10, 1)) | {"started_at": datetime(2025, 4, 13)}),
    ("unpriced_tier", call("gpt-4.1", service_tier="flex", **tokens(10, 1))),
    ("unpriced_tier", call("gpt-4.1", service_tier="scale", **tokens(10, 1))),
    ("unpriced_tokens", call("gpt-4.1", tokens_source="missing")),
    ("unpriced_tokens", call("gpt-4.1", input_tokens=10)),
    ("unpriced_tokens", call("gpt-4.1", audio_input_tokens=5, **tokens(10, 1))),
    ("unpriced_tokens", call("gpt-4.1", **tokens(10, 1, read=11))),
    ("unpriced_tokens", call("gpt-4.1", **tokens(-1, 1))),
    ("unpriced_tokens", call("gpt-4.1", **tokens(2**63 - 1, 2**63 - 1, read=2**63 - 1))),
    ("unpriced_tokens", call("claude-3-5-haiku", **tokens(10, 1, write_1h=5)) | OLD),
    ("priced", call("claude-3-5-haiku", **tokens(10, 1, write_5m=5)) | OLD),
    ("priced", call("claude-opus-5", **FAST, **tokens(10, 1))),
    # Anthropic's Priority Tier is a commitment, not the fast mode: no rate is published
    ("unpriced_tier", call("claude-opus-5", service_tier="priority", **tokens(10, 1))),
    ("unpriced_tier", call("claude-haiku-4-5", service_tier="priority", **tokens(10, 1))),
    ("unpriced_tokens", call("gpt-4.1", status="cancelled", tokens_source="missing")),
    ("unpriced_tokens", call("gpt-4.1", operation_name="image", **tokens(0, 0))),
    ("unpriced_tokens", call("gpt-4.1", logged_cost=0.04, **tokens(0, 0))),
    ("not_billed", call("gpt-4.1", **tokens(0, 0))),
    ("priced", call("text-embedding-3-small", input_tokens=10)),
    ("not_billed", call("gpt-4.1", status="error", tokens_source="missing")),
    ("not_billed", call("gpt-4.1", status="error", **tokens(10, 1))),
    ("not_billed", call("gpt-4.1", status="cancelled", **tokens(0, 0))),
    ("not_billed", call("gpt-4.1", status="cancelled", service_tier="batch")),
    ("priced", call("gpt-4.1", status="cancelled", **tokens(10, 0))),
    ("not_billed", call("gpt-4.1", gateway_cache_hit=True, **tokens(10, 1))),
    ("free", call("omni-moderation-latest", operation_name="moderation", **tokens(10, 0))),
]


def test_why_a_call_has_no_price(connection: Connection) -> None:
    costs = price(connection, [row for _, row in STATUSES])
    assert [cost["price_status"] for cost in costs] == [status for status, _ in STATUSES]
    for cost in costs:
        if cost["price_status"].startswith("unpriced"):
            assert cost["list_cost"] is None
            assert cost["batch_cost_conservative"] is None
        elif cost["price_status"] != "priced":
            assert cost["list_cost"] == 0


WITHOUT_A_TIME: list[tuple[str, dict[str, Any]]] = [
    ("priced", call("gpt-4.1", **tokens(10, 1))),
    ("priced", call("claude-haiku-4-5", service_tier="batch", **tokens(10, 1))),
    ("priced", call("gpt-4o-2024-08-06", **tokens(10, 1))),
    ("priced", call("claude-sonnet-4", **tokens(200_000, 1))),
    ("priced", call("gpt-4.5-preview", **tokens(10, 1))),
    # the price has changed; of the name, or of the band alone
    ("unpriced_date", call("o3", **tokens(10, 1))),
    ("unpriced_date", call("gpt-5.6-sol", **tokens(10, 1))),
    ("unpriced_date", call("gpt-4o", **tokens(10, 1))),
    ("unpriced_date", call("claude-sonnet-4", **tokens(200_001, 1))),
    # one rate is known, but not for the whole life of the model
    ("unpriced_date", call("o3", service_tier="batch", **tokens(10, 1))),
    ("unpriced_date", call("text-embedding-3-small", service_tier="batch", input_tokens=10)),
    ("unpriced_date", call("gpt-4.1", service_tier="flex", **tokens(10, 1))),
    ("unpriced_model", call("gpt-99", **tokens(10, 1))),
]


def test_a_call_without_a_time_has_the_rate_that_never_changed(connection: Connection) -> None:
    costs = price(connection, [row | {"started_at": None} for _, row in WITHOUT_A_TIME])
    assert [cost["price_status"] for cost in costs] == [status for status, _ in WITHOUT_A_TIME]
    assert all(c["list_cost"] is None for c in costs if c["price_status"] != "priced")


def test_what_a_call_without_a_time_costs(connection: Connection) -> None:
    anytime = [
        call("claude-haiku-4-5-20251001", service_tier="batch", **tokens(10_000, 500)),
        call("claude-sonnet-4-5", **tokens(20_000, 1_000, searches=2)),
        call("text-embedding-3-small", **tokens(1_000_000, 0)),
        call("gpt-4.1", ended_at=datetime(2026, 11, 10), **tokens(10_000, 500)),
    ]
    costs = price(connection, [row | {"started_at": None} for row in anytime])
    assert [c["list_cost"] for c in costs] == [
        Decimal("0.00625"), Decimal("0.095"), Decimal("0.02"), Decimal("0.024"),
    ]  # fmt: skip
    # the batch rate of the embedding came after the model: for an unknown day it is unknown
    assert [c["batch_cost_conservative"] for c in costs] == [
        Decimal("0.00625"), Decimal("0.0575"), None, Decimal("0.012"),
    ]  # fmt: skip


def test_a_fee_that_nobody_knows_is_not_nothing(connection: Connection) -> None:
    calls = [call("gpt-4.1", **tokens(10, 1, searches=1)), call("gpt-4.1", **tokens(10, 1))]
    price(connection, calls)
    connection.execute("DELETE FROM unit_fees")
    pipeline.run_steps(connection, 40, 59)
    statuses = connection.execute("SELECT price_status FROM costs ORDER BY call_id").fetchall()
    assert statuses == [("unpriced_tokens",), ("priced",)]


def test_models_without_a_batch_rate(connection: Connection) -> None:
    costs = price(
        connection,
        [
            call("chatgpt-4o-latest", started_at=datetime(2025, 5, 1), **tokens(1_000, 100)),
            call("ft:gpt-4.1-mini-2025-04-14:acme::x", **tokens(1_000, 100)),
        ],
    )
    assert [cost["batch_status"] for cost in costs] == ["not_offered", "unknown"]
    assert [cost["list_cost"] for cost in costs] == [Decimal("0.0065"), Decimal("0.00112")]
    assert all(cost["batch_cost_best"] is None for cost in costs)


def test_a_contract_changes_what_was_paid_not_the_list(connection: Connection) -> None:
    contract = [
        PriceMultiplier("openai", "*", "", 0.9),
        PriceMultiplier("openai", "gpt-4.1*", "", 0.8),
        PriceMultiplier("openai", "gpt-4.1", "batch", 1),
    ]
    costs = price(
        connection,
        [call("gpt-4.1", **tokens(10_000, 500)), call("gpt-4o", **tokens(10_000, 500))],
        multipliers=contract,
    )
    assert [c["list_cost"] for c in costs] == [Decimal("0.024"), Decimal("0.03")]
    assert [c["effective_cost"] for c in costs] == [Decimal("0.0192"), Decimal("0.027")]
    assert [c["batch_cost_best"] for c in costs] == [Decimal("0.012"), Decimal("0.0135")]
