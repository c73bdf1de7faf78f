"""What changes a published rate: a region, the user's contract, the user's own rates."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from llm_audit import prices
from llm_audit.policy import PriceMultiplier, UserPrice
from tests.pricing.helpers import call, price

Connection = duckdb.DuckDBPyConnection

USED = {"input_tokens": 10_000, "output_tokens": 500}


def own(model: str, rates: dict[str, str], **values: Any) -> UserPrice:
    defaults: dict[str, Any] = {
        "provider": "openai",
        "surface": "first_party",
        "tier": "standard",
        "effective_from": None,
        "effective_to": None,
        "because": "",
    }
    exact = {kind: Decimal(rate) for kind, rate in rates.items()}
    return UserPrice(model=model, rates=exact, **{**defaults, **values})


def listed(costs: list[dict[str, Any]]) -> list[str | None]:
    """List costs as plain decimals."""
    return [
        None if c["list_cost"] is None else format(c["list_cost"].normalize(), "f") for c in costs
    ]


def test_a_region_makes_every_token_dearer_but_no_fee(connection: Connection) -> None:
    """`inference_geo: us` is 1.1 on Claude 4.6 and later, in a batch too; searches stay."""
    searched = {**USED, "web_search_requests": 2}
    calls = [
        call("claude-sonnet-4-6", inference_region="us", **searched),
        call("claude-sonnet-4-6", inference_region="global", **searched),
        call("claude-sonnet-4-6", **searched),
        call("claude-sonnet-4-5", inference_region="us", **searched),
        call("claude-sonnet-4-6", inference_region="mars", **searched),
    ]
    costs = price(connection, calls)
    assert listed(costs) == ["0.06125", "0.0575", "0.0575", "0.0575", "0.0575"]
    assert costs[0]["batch_cost_best"] == Decimal("0.040625")


def test_openai_residency_makes_new_models_dearer(connection: Connection) -> None:
    calls = [
        call("gpt-5.4", inference_region="eu", **USED),
        call("gpt-5.4", **USED),
        call("gpt-4.1", inference_region="eu", **USED),
    ]
    assert listed(price(connection, calls)) == ["0.03575", "0.0325", "0.024"]


def test_a_contract_changes_tokens_not_fees(connection: Connection) -> None:
    calls = [call("gpt-4.1", web_search_requests=3, **USED)]
    (cost,) = price(connection, calls, multipliers=[PriceMultiplier("openai", "*", "", 0.5)])
    assert cost["list_cost"] == Decimal("0.054")
    assert cost["contracted_cost"] == cost["effective_cost"] == Decimal("0.042")
    assert cost["batch_cost_best"] == Decimal("0.036")


def test_a_contracted_rate_is_rounded_at_the_twelfth_decimal_of_a_dollar_per_token(
    connection: Connection,
) -> None:
    """gpt-4.1-nano: 0.025 USD/M cached x 0.333333 = 8.333325e-9, in twelve decimals 8333e-12."""
    calls = [
        call("gpt-4.1-nano", input_tokens=1_000, cache_read_input_tokens=1_000, output_tokens=0)
    ]
    (cost,) = price(connection, calls, multipliers=[PriceMultiplier("*", "*", "", 0.333333)])
    assert cost["contracted_cost"] == Decimal("0.000008333000")


def test_own_rates_go_before_ours_kind_by_kind_and_day_by_day(connection: Connection) -> None:
    mine = [
        own("gpt-4.1", {"input": "1.5"}, effective_from=date(2026, 11, 1), because="offer 7"),
        own("gpt-4.1", {"input": "0.5"}, effective_from=date(2026, 10, 1),
            effective_to=date(2026, 11, 1)),
        own("gpt-4.1", {"input": "0.7", "output": "2"}, tier="batch"),
    ]  # fmt: skip
    calls = [
        call("gpt-4.1", **USED),
        call("gpt-4.1-2025-04-14", **USED),
        call("gpt-4.1", started_at=datetime(2026, 10, 31, 23), **USED),
        call("gpt-4.1", started_at=datetime(2026, 9, 30), **USED),
        call("gpt-4.1-mini", **USED),
    ]
    for one in mine:
        assert one.effective_to is None or one.effective_from
    costs = price(connection, calls, user_prices=mine)
    assert listed(costs) == ["0.019", "0.019", "0.009", "0.024", "0.0048"]
    assert costs[0]["batch_cost_best"] == Decimal("0.008")


def test_own_rates_hold_for_every_snapshot_unless_one_is_named(connection: Connection) -> None:
    calls = [call("gpt-4o-2024-08-06", **USED), call("gpt-4o-2024-11-20", **USED)]
    whole = price(connection, calls, user_prices=[own("gpt-4o", {"input": "1", "output": "1"})])
    assert listed(whole) == ["0.0105", "0.0105"]
    connection.execute("DELETE FROM calls")
    named = own("gpt-4o-2024-08-06", {"input": "1", "output": "1"})
    assert listed(price(connection, calls, user_prices=[named])) == ["0.0105", "0.03"]


def test_own_rates_price_a_model_that_we_do_not_carry(connection: Connection) -> None:
    rates = {"input": "0.3", "output": "0.9"}
    mine = [own("llama-house", rates, provider="basement")]
    calls = [{**call("llama-house", **USED), "provider_name": "Basement"}]
    (cost,) = price(connection, calls, user_prices=mine)
    assert (cost["price_status"], listed([cost])) == ("priced", ["0.00345"])
    assert cost["batch_status"] == "unknown"
    undated = [{**calls[0], "call_id": "undated", "started_at": None}]
    connection.execute("DELETE FROM calls")
    assert listed(price(connection, undated, user_prices=mine)) == ["0.00345"]


def test_the_price_card_says_how_many_rates_are_the_users(connection: Connection) -> None:
    price(connection, [call("gpt-4.1", **USED)], user_prices=[own("gpt-4.1", {"input": "1"})])
    assert connection.execute("SELECT user_rows FROM pricing_meta").fetchone() == (1,)
    flags = connection.execute(
        "SELECT DISTINCT has_user_rates FROM costs JOIN rate_sheets USING (card_id)"
    ).fetchall()
    assert flags == [(True,)]


def test_an_alias_names_the_model_of_a_deployment(connection: Connection) -> None:
    calls = [call("our-deployment", **USED) | {"provider_name": "openai"}]
    (cost,) = price(connection, calls, aliases={"our-deployment": "gpt-4.1"})
    assert listed([cost]) == ["0.024"]
    methods = connection.execute("SELECT match_method FROM model_names").fetchall()
    assert methods == [("user",)]


AUDIO = [own("gpt-4.1", {"audio_input": "40", "audio_output": "80"})]
IMAGES = [own("gpt-4.1", {"image_input": "10", "image_output": "40"})]


def test_audio_and_images_have_rates_of_their_own(connection: Connection) -> None:
    """One million tokens: text 2 in and 8 out; audio 40 and 80; images 10 and 40."""
    heard = call("gpt-4.1", audio_input_tokens=4_000, audio_output_tokens=100, **USED)
    seen = call("gpt-4.1", image_input_tokens=4_000, image_output_tokens=100, **USED)
    (audio,) = price(connection, [heard], user_prices=AUDIO)
    assert listed([audio]) == ["0.1832"]
    assert audio["batch_status"] == "unknown"  # no batch rate for audio: never half by guess
    assert audio["batch_cost_best"] is None
    connection.execute("DELETE FROM calls")
    (image,) = price(connection, [seen], user_prices=IMAGES)
    assert listed([image]) == ["0.0592"]


def test_images_without_a_rate_are_billed_as_text_and_audio_is_not(connection: Connection) -> None:
    seen = call("gpt-4.1", image_input_tokens=4_000, **USED)
    heard = call("gpt-4.1", audio_input_tokens=4_000, **USED)
    drawn = call("gpt-4.1", image_output_tokens=400, **USED)
    costs = price(connection, [seen, heard, drawn])
    assert listed(costs) == ["0.024", None, None]
    assert costs[0]["batch_cost_best"] == Decimal("0.012")


def test_cached_audio_cannot_be_told_from_cached_text(connection: Connection) -> None:
    heard = call("gpt-4.1", audio_input_tokens=4_000, cache_read_input_tokens=1_000, **USED)
    seen = call("gpt-4.1", image_input_tokens=4_000, cache_read_input_tokens=1_000, **USED)
    (cost,) = price(connection, [heard], user_prices=AUDIO)
    assert cost["price_status"] == "unpriced_tokens"
    connection.execute("DELETE FROM calls")
    statuses = [c["price_status"] for c in price(connection, [seen])]
    assert statuses == ["priced"]  # images at the text rate: no matter which of them were cached


def test_a_contract_is_with_one_seller(connection: Connection) -> None:
    bought_at = [
        call("gpt-4.1", **USED),
        call("gpt-4.1", **USED) | {"provider_name": "azure.ai.openai"},
    ]
    with_openai = [PriceMultiplier("openai", "*", "", 0.5)]
    paid = [c["effective_cost"] for c in price(connection, bought_at, multipliers=with_openai)]
    assert paid == [Decimal("0.012"), Decimal("0.024")]
    connection.execute("DELETE FROM calls")
    with_azure = [PriceMultiplier("openai", "*", "", 0.5, surface="azure")]
    paid = [c["effective_cost"] for c in price(connection, bought_at, multipliers=with_azure)]
    assert paid == [Decimal("0.024"), Decimal("0.012")]


def test_no_multiplier_comes_on_top_of_own_rates_but_on_the_others(connection: Connection) -> None:
    mine = [own("gpt-4.1", {"input": "1.7"})]
    (cost,) = price(
        connection,
        [call("gpt-4.1", **USED)],
        user_prices=mine,
        multipliers=[PriceMultiplier("openai", "*", "", 0.5)],
    )
    assert cost["effective_cost"] == Decimal("0.019")  # 0.017 of their own + half of 0.004


def test_an_own_rate_may_name_the_seller_as_logs_do(connection: Connection) -> None:
    model = "us.anthropic.claude-sonnet-4-6"
    mine = [own(model, {"input": "1", "output": "1"}, provider="AWS.Bedrock")]
    calls = [call(model, **USED) | {"provider_name": "aws.bedrock"}]
    assert listed(price(connection, calls, user_prices=mine)) == ["0.0105"]
    assert prices.idle_user_prices(connection, mine) == []
    elsewhere = [own("gpt-4.1", {"input": "1"})]
    assert prices.idle_user_prices(connection, elsewhere) == elsewhere


def test_an_alias_of_the_asked_for_name_counts_too(connection: Connection) -> None:
    asked = call("gpt-4.1-2025-04-14", request_model="Prod-EU", **USED)
    price(connection, [asked], aliases={"prod-eu": "azure/gpt-4.1-mini"})
    keys = connection.execute("SELECT price_key FROM model_names").fetchall()
    assert keys == [("openai/azure/gpt-4.1-mini",)]


def test_a_fast_call_in_a_batch_is_a_batch_call(connection: Connection) -> None:
    fast = call("claude-opus-5", inference_speed="fast", service_tier="batch", **USED)
    (cost,) = price(connection, [fast])
    assert cost["batch_status"] == "already_batch"
    assert listed([cost]) == ["0.03125"]


def test_a_free_variant_of_a_router_has_no_price(connection: Connection) -> None:
    (cost,) = price(connection, [call("openai/gpt-4o:free", **USED)])
    assert cost["price_status"] == "unpriced_model"
