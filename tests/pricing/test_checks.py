"""Every finding about the price data: where it is, how grave, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from llm_audit.errors import PricingError
from llm_audit.policy import UserPrice
from llm_audit.policy.contract import read_prices
from llm_audit.policy.places import Place, Source
from llm_audit.prices import catalogue, checks
from llm_audit.prices.findings import ERROR, WARNING, Finding
from llm_audit.prices.overview import overview
from llm_audit.prices.own import Own, own_doubts
from tests.pricing.small import CACHE_RULE, RATE, add, add_rate, change, small_pricing

DAY = date(2026, 11, 22)
RATES = "rates/demo.csv"
MODIFIER = {
    "provider": "openai",
    "surface": "first_party",
    "regions": "eu us",
    "models": "demo-1",
    "factor": "1.1",
    "source": "page",
    "retrieved_on": "2026-11-01",
    "verified_on": "2026-11-01",
}
FEE = {
    "provider": "openai",
    "surface": "first_party",
    "fee": "web_search",
    "unit": "request",
    "usd_per_unit": "0.01",
    "batch_factor": "1",
    "source": "page",
    "retrieved_on": "2026-11-01",
    "verified_on": "2026-11-01",
}
LIFECYCLE = {
    "provider": "openai",
    "surface": "first_party",
    "retired_on": "2027-01-01",
    "status": "announced",
    "source": "page",
}
FREE = {"provider": "nobody", "surface": "first_party", "operation_name": "m", "source": "page"}
NEXT = {"token_kind": "input", "usd_per_mtok": "3"}

Spoil = Callable[[Path], object]


def found(place: Path, day: date = DAY) -> list[Finding]:
    return checks.every(catalogue.read(place), day)


def test_the_small_card_is_sound(tmp_path: Path) -> None:
    assert found(small_pricing(tmp_path)) == []


def close(place: Path, day: str) -> Path:
    """The input rate of line 2 ends."""
    return change(place, RATES, 2, effective_to=day)


def closed_and_next(end: str, start: str) -> Spoil:
    def spoil(place: Path) -> None:
        close(place, end)
        add_rate(place, **NEXT, effective_from=start)

    return spoil


ERRORS: dict[str, tuple[Spoil, str, str, str]] = {
    "tier": (lambda p: change(p, RATES, 2, tier="cheap"), "pricing-unknown-value",
             "demo.csv:2: tier 'cheap'", "standard, batch, flex, priority"),
    "user rule": (lambda p: change(p, RATES, 2, rule="user"), "pricing-unknown-value",
                  "demo.csv:2: rule 'user'", "published"),
    "half a band": (lambda p: change(p, RATES, 2, band_min_tokens="5"), "pricing-band",
                    "demo.csv:2", "leave both empty"),
    "a region": (lambda p: change(p, RATES, 2, region_scope="eu"), "pricing-region",
                 "demo.csv:2: a rate for the region eu", "modifiers.csv"),
    "dates": (lambda p: close(p, "2026-01-01"), "pricing-dates", "demo.csv:2", "first day"),
    "null": (lambda p: change(p, RATES, 4, usd_per_mtok=""), "pricing-null", "demo.csv:4",
             "none_published"),
    "zero": (lambda p: change(p, RATES, 4, usd_per_mtok="0"), "pricing-zero", "demo.csv:4",
             "free_operations.csv"),
    "negative": (lambda p: change(p, RATES, 4, usd_per_mtok="-8"), "pricing-zero", "-8",
                 "leave an unknown rate empty"),
    "decimals": (lambda p: change(p, RATES, 3, usd_per_mtok="0.0000005"), "pricing-decimals",
                 "demo.csv:3", "per million tokens"),
    "overlap": (lambda p: add_rate(p, **NEXT, effective_from="2026-03-01"), "pricing-overlap",
                "demo.csv:2 and demo.csv:7: two rates for input of openai/first_party/demo-1 "
                "(standard) on 2026-03-01", "close the earlier row: effective_to 2026-03-01"),
    "gap": (closed_and_next("2026-03-01", "2026-03-05"), "pricing-gap",
            "demo.csv:2 and demo.csv:7: no rate for input of openai/first_party/demo-1 (standard) "
            "from 2026-03-01 until 2026-03-05 (4 days)", "set effective_to 2026-03-05"),
    "gap of a day": (closed_and_next("2026-03-01", "2026-03-02"), "pricing-gap", "(1 day)",
                     "effective_from 2026-03-01 on the later one"),
    "alias": (lambda p: add(p, "aliases.csv", provider="openai", alias="d", model="demo-2",
                            source="page"),
              "pricing-orphan-alias", "aliases.csv:2: d points to demo-2", "drop the alias"),
    "lifecycle": (lambda p: add(p, "lifecycle.csv", **LIFECYCLE, model="demo-2"),
                  "pricing-orphan-lifecycle", "lifecycle.csv:2: demo-2", "mend the name"),
    "modifier": (lambda p: add(p, "modifiers.csv", **MODIFIER | {"models": "demo-1 demo-2"}),
                 "pricing-orphan-modifier", "modifiers.csv:2: demo-2 has no price rows of openai",
                 "mend the name"),
    "modifier of another seller": (
        lambda p: add(p, "modifiers.csv", **MODIFIER | {"surface": "azure"}),
        "pricing-orphan-modifier", "openai/azure", "mend the name"),
    "modifier zero": (lambda p: add(p, "modifiers.csv", **MODIFIER | {"factor": "0"}),
                      "pricing-zero", "modifiers.csv:2: a factor of 0", "1.1"),
    "modifier dates": (
        lambda p: add(p, "modifiers.csv", **MODIFIER, effective_from="2026-02-01",
                      effective_to="2026-02-01"),
        "pricing-dates", "modifiers.csv:2", "first day"),
    "too fine a product": (
        lambda p: (change(p, RATES, 3, usd_per_mtok="0.500001"),
                   add(p, "modifiers.csv", **MODIFIER)),
        "pricing-decimals", "modifiers.csv:2 and demo.csv:3: 0.500001 x 1.1 = 0.5500011",
        "give demo-1 a line of its own"),
    "two modifiers": (
        lambda p: (add(p, "modifiers.csv", **MODIFIER),
                   add(p, "modifiers.csv", **MODIFIER | {"regions": "us jp"})),
        "pricing-repeat", "modifiers.csv:2 and modifiers.csv:3: two factors for demo-1 in us",
        "close the earlier one"),
    "two cache rules": (lambda p: add(p, "cache_rules.csv", **CACHE_RULE), "pricing-repeat",
                        "cache_rules.csv:2 and cache_rules.csv:3", "keep the line that holds"),
    "two fees": (lambda p: (add(p, "unit_fees.csv", **FEE), add(p, "unit_fees.csv", **FEE)),
                 "pricing-repeat", "unit_fees.csv:2 and unit_fees.csv:3", "effective_to"),
    "source": (lambda p: change(p, RATES, 5, source="page hearsay"), "pricing-source",
               "demo.csv:5: the source hearsay", "sources.toml"),
    "verified before read": (
        lambda p: change(p, RATES, 5, verified_on="2026-10-31"), "pricing-verified",
        "demo.csv:5: verified_on 2026-10-31 is before retrieved_on 2026-11-01",
        "set verified_on to at least that day"),
    "verified ahead": (
        lambda p: change(p, RATES, 5, verified_on="2026-11-23"), "pricing-future",
        "demo.csv:5 of page: read or verified on 2026-11-23, after 2026-11-22", "the clock"),
}  # fmt: skip
"""How to spoil the card, the slug, what the message says, what the hint says."""

WARNINGS: dict[str, tuple[Spoil, str, str, str]] = {
    "no cache rule": (
        lambda p: (p / "cache_rules.csv").write_text(
            ",".join(CACHE_RULE) + ",note\n", encoding="utf-8"),
        "pricing-orphan-cache", "demo.csv:3: openai/first_party has cached rates",
        "add openai,first_party"),
    "free of nobody": (lambda p: add(p, "free_operations.csv", **FREE), "pricing-orphan-seller",
                       "free_operations.csv:2: nobody/first_party", "drop the line"),
    "batch dearer": (lambda p: change(p, RATES, 5, usd_per_mtok="2.5"), "pricing-batch-ratio",
                     "demo.csv:5 and demo.csv:2: batch input of openai/first_party/demo-1 (2.5) is "
                     "1.25 times standard input (2)", "half price"),
    "batch too cheap": (lambda p: change(p, RATES, 5, usd_per_mtok="0.3"), "pricing-batch-ratio",
                        "demo.csv:5 and demo.csv:2: batch input", "half price"),
    "flex dearer": (
        lambda p: add_rate(p, tier="flex", token_kind="output", usd_per_mtok="9"),
        "pricing-flex-ratio", "demo.csv:7 and demo.csv:4", "flex"),
    "priority cheaper": (
        lambda p: add_rate(p, tier="priority", token_kind="output", usd_per_mtok="4"),
        "pricing-priority-ratio", "demo.csv:7 and demo.csv:4", "priority"),
    "cached dearer": (lambda p: change(p, RATES, 3, usd_per_mtok="2.5"), "pricing-cache-ratio",
                      "demo.csv:3 and demo.csv:2: standard cached_input", "at most"),
    "write cheaper": (
        lambda p: add_rate(p, token_kind="cache_write_5m", usd_per_mtok="1"),
        "pricing-cache-ratio", "demo.csv:7 and demo.csv:2", "1 to 2 times"),
    "output cheap": (lambda p: (change(p, RATES, 4, usd_per_mtok="0.8"),
                                change(p, RATES, 6, usd_per_mtok="0.5")), "pricing-output-ratio",
                     "demo.csv:4 and demo.csv:2: standard output", "a digit"),
    "per thousand": (
        lambda p: add_rate(p, model="demo-2", token_kind="input", usd_per_mtok="0.0002"),
        "pricing-unit", "demo.csv:7: 0.0002 USD", "per thousand tokens (times 1,000)"),
    "far too dear": (
        lambda p: add_rate(p, model="demo-2", token_kind="input", usd_per_mtok="2500"),
        "pricing-unit", "above 2000", "another currency"),
    "currency": (lambda p: change(p, RATES, 2, note="the page says 15 CNY"), "pricing-currency",
                 "demo.csv:2: the note speaks of CNY", "converted from"),
    "jump": (
        lambda p: (change(p, RATES, 4, effective_to="2026-05-01"),
                   change(p, RATES, 6, effective_to="2026-05-01"),
                   change(p, RATES, 2, usd_per_mtok="7"),
                   change(p, RATES, 5, usd_per_mtok="3.5"),
                   add_rate(p, token_kind="output", usd_per_mtok="90",
                            effective_from="2026-05-01")),
        "pricing-jump", "demo.csv:4 and demo.csv:7: output of openai/first_party/demo-1 (standard) "
        "goes from 8 to 90", "a digit"),
    "factor": (lambda p: add(p, "modifiers.csv", **MODIFIER | {"factor": "11"}), "pricing-factor",
               "modifiers.csv:2: a regional factor of 11", "1.1"),
    "announced": (
        lambda p: add_rate(p, model="demo-2", token_kind="input", usd_per_mtok="2",
                           effective_from="2026-12-01"),
        "pricing-pending", "demo.csv:7 of page: announced for 2026-12-01 and not used",
        "on or after 2026-12-01"),
    "announced and due": (
        lambda p: add_rate(p, model="demo-2", token_kind="input", usd_per_mtok="2",
                           effective_from="2026-11-21"),
        "pricing-pending", "which has come", "set verified_on to that day, 2026-11-21 or later"),
    "stale": (
        lambda p: [change(p, RATES, line, retrieved_on="2026-08-01", verified_on="2026-08-23")
                   for line in (2, 3, 4)],
        "pricing-stale", "demo.csv:2 and 2 more lines of page: in force and last verified on "
        "2026-08-23, 91 days before 2026-11-22", "a new copy of page"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_names_its_lines_and_its_repair(tmp_path: Path, name: str) -> None:
    spoil, slug, message, hint = ERRORS[name]
    place = small_pricing(tmp_path)
    spoil(place)
    first = next(finding for finding in found(place) if finding.slug == slug)
    assert first.severity == ERROR
    assert message in first.message
    assert hint in first.hint
    if slug != "pricing-future":
        with pytest.raises(PricingError):
            checks.check(catalogue.read(place))


@pytest.mark.parametrize("name", WARNINGS)
def test_a_doubt_is_a_warning_and_keeps_nobody_from_a_report(tmp_path: Path, name: str) -> None:
    spoil, slug, message, hint = WARNINGS[name]
    place = small_pricing(tmp_path)
    spoil(place)
    [finding] = found(place)
    assert (finding.slug, finding.severity) == (slug, WARNING)
    assert message in finding.message
    assert hint in finding.hint
    checks.check(catalogue.read(place))


def test_every_finding_is_told_and_loading_stops_at_the_first(tmp_path: Path) -> None:
    place = small_pricing(tmp_path)
    change(place, RATES, 2, tier="cheap", usd_per_mtok="0")
    change(place, RATES, 6, source="hearsay")
    slugs = [finding.slug for finding in found(place)]
    assert slugs == ["pricing-unknown-value", "pricing-zero", "pricing-source"]
    with pytest.raises(PricingError) as caught:
        checks.check(catalogue.read(place))
    assert caught.value.slug == slugs[0]


def test_rows_that_follow_each_other_are_no_finding(tmp_path: Path) -> None:
    place = small_pricing(tmp_path)
    closed_and_next("2026-03-01", "2026-03-01")(place)
    assert found(place) == []
    change(place, RATES, 3, note="converted from 3.6 CNY")
    add(place, "modifiers.csv", **MODIFIER, effective_to="2026-05-01")
    add(place, "modifiers.csv", **MODIFIER | {"factor": "1.2"}, effective_from="2026-05-01")
    assert found(place) == []


def test_days_without_an_offer_are_said_with_a_row(tmp_path: Path) -> None:
    place = small_pricing(tmp_path)
    closed_and_next("2026-03-01", "2026-03-05")(place)
    add_rate(
        place, token_kind="input", rule="not_offered", effective_from="2026-03-01",
        effective_to="2026-03-05",
    )  # fmt: skip
    assert found(place) == []


def test_history_does_not_grow_old(tmp_path: Path) -> None:
    place = small_pricing(tmp_path)
    old = {"retrieved_on": "2026-02-01", "verified_on": "2026-02-01"}
    change(place, RATES, 2, effective_to="2026-03-01", **old)
    add_rate(place, **NEXT, effective_from="2026-03-01")
    assert found(place) == []
    assert [f.slug for f in found(place, date(2026, 2, 25))] != []


def test_age_is_counted_from_the_given_day(tmp_path: Path) -> None:
    place = small_pricing(tmp_path)
    assert found(place, date(2027, 2, 18)) == []
    [stale] = found(place, date(2027, 2, 19))
    assert stale.slug == "pricing-stale"
    assert "demo.csv:2 and 4 more lines" in stale.message


def test_the_overview_counts(tmp_path: Path) -> None:
    place = small_pricing(tmp_path)
    change(place, RATES, 3, retrieved_on="2026-10-01", verified_on="2026-10-02")
    close(place, "2026-03-01")
    add_rate(place, **NEXT, effective_from="2026-12-01")
    seen = overview(catalogue.read(place), DAY)
    [seller] = seen.sellers
    assert (seen.rows, seen.pending, seen.oldest_verified_on) == (6, 1, date(2026, 10, 2))
    assert (seller.provider, seller.models, seller.rows, seller.in_force) == ("openai", 1, 6, 4)
    assert seen.version == "unreleased"


def own_prices(**entry: object) -> tuple[UserPrice, ...]:
    defaults = {"provider": "openai", "model": "demo-1", "input": 1}
    return read_prices([defaults | entry], Place(Source("llm-audit.toml")))[1]


def test_the_users_own_lines_are_doubted(tmp_path: Path) -> None:
    data = catalogue.read(small_pricing(tmp_path))
    fine = Own({"mine": "openai/demo-1"}, (), own_prices())
    assert list(own_doubts(data, fine, DAY)) == []
    [lost] = own_doubts(data, Own({"mine": "openai/demo-9"}), DAY)
    assert "mine = openai/demo-9 leads to no price" in lost.message
    assert "similar names on it: demo-1" in lost.hint
    [misspelt] = own_doubts(data, Own({}, (), own_prices(model="demo-11")), DAY)
    assert "openai/first_party/demo-11" in misspelt.message
    assert "similar: openai/first_party/demo-1" in misspelt.hint
    [ended] = own_doubts(data, Own({}, (), own_prices(to=date(2026, 11, 22))), DAY)
    assert "ended on 2026-11-22" in ended.message
    assert {f.severity for f in (lost, misspelt, ended)} == {WARNING}


def test_an_alias_may_lead_to_a_model_of_the_users_own(tmp_path: Path) -> None:
    data = catalogue.read(small_pricing(tmp_path))
    own = Own({"mine": "openai/house-model"}, (), own_prices(model="house-model"))
    assert [finding.slug for finding in own_doubts(data, own, DAY)] == ["own-price"]


def test_the_rate_columns_are_ours() -> None:
    """The small card spoils what the real one has."""
    assert set(RATE) < set(catalogue.read().prices[0].__dict__)
