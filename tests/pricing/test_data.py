"""The data itself: every known fact is in it, and its release is what the report will print."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import prices
from llm_audit.errors import PricingError
from llm_audit.policy import PriceMultiplier
from llm_audit.prices import catalogue, checks
from llm_audit.prices.resolve import Resolver
from tests.pricing.helpers import copy_of_pricing
from tests.support import shared

DATA = catalogue.read()
KINDS = {
    "input": "input",
    "cached_input": "cached_input",
    "cache_write_5m": "cache_write_5m",
    "cache_write_1h": "cache_write_1h",
    "output": "output",
}


def facts() -> dict[str, Any]:
    text = shared("facts", "pricing_facts.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return found


def test_every_fact_is_carried() -> None:
    """Each of the 266 rows, resolved by its own model name, leads to its rates on its first day."""
    known = {
        (r.model_key, r.tier, r.from_tokens, r.token_kind, r.effective_from): r for r in DATA.prices
    }
    resolver = Resolver(DATA)
    checked = 0
    for fact in facts()["rows"]:
        key = resolver.resolve(fact["provider"], fact["model"], None).model_key
        limit = (fact.get("context") or {}).get("min_input_tokens_exclusive")
        day = date.fromisoformat(fact["effective_from"])
        for kind in KINDS:
            row = known.get((key or "", fact["tier"], limit + 1 if limit else 0, kind, day))
            if fact[kind] is None:
                assert row is None or row.usd_per_mtok is None, (fact["model"], kind)
                continue
            assert row is not None, (fact["model"], fact["tier"], kind)
            assert row.usd_per_mtok == round(Decimal(fact[kind]), 6), (fact["model"], kind)
            assert str(row.effective_to) == str(fact["effective_to"]), fact["model"]
            checked += 1
    assert len(facts()["rows"]) == 266
    assert checked > 800


def test_a_dash_in_the_batch_table_is_carried_as_none_published() -> None:
    dashes = {r.model for r in DATA.prices if r.tier == "batch" and r.rule == "none_published"}
    assert {"gpt-4.1", "gpt-4.1-mini", "gpt-4o", "o1", "o3", "o3-mini", "o4-mini"} <= dashes


def test_every_alias_of_the_facts_is_priced_like_its_model() -> None:
    resolver = Resolver(DATA)
    for fact in facts()["rows"]:
        for alias in fact.get("aliases", []):
            found = resolver.resolve(fact["provider"], alias, None)
            assert found.model_key, alias


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("gpt-4o", ("2.5", "10", "1.25", "5")),
        ("gpt-4.1", ("2", "8", "1", "4")),
        ("gpt-4.1-mini", ("0.4", "1.6", "0.2", "0.8")),
        ("claude-sonnet-4", ("3", "15", "1.5", "7.5")),
        ("claude-3-5-haiku", ("0.8", "4", "0.4", "2")),
    ],
)
def test_the_five_models_of_the_users_table(name: str, rates: tuple[str, ...]) -> None:
    live = {
        (r.tier, r.token_kind): r.usd_per_mtok
        for r in DATA.prices
        if r.model == name and r.snapshot is None and r.effective_to is None and not r.from_tokens
    }
    slots = [("standard", "input"), ("standard", "output"), ("batch", "input"), ("batch", "output")]
    assert tuple(live[slot] for slot in slots) == tuple(Decimal(rate) for rate in rates)


def test_the_digest_is_that_of_the_last_release() -> None:
    assert DATA.sha256 == DATA.releases[-1].sha256, "add the new digest to pricing/releases.csv"
    assert "+edited" not in DATA.version


def test_an_edited_copy_says_so(tmp_path: Path) -> None:
    place = copy_of_pricing(tmp_path)
    file = place / "rates" / "openai.csv"
    assert catalogue.digest(place) == DATA.sha256
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert catalogue.digest(place) == DATA.sha256, "line ends are not content"
    with file.open("a", encoding="utf-8") as lines:
        lines.write("\n")
    assert catalogue.read(place).version.endswith("+edited")


def test_the_data_agrees_with_itself() -> None:
    assert list(checks.findings(DATA)) == []
    prices.check()


@pytest.mark.parametrize(
    "name", ["lifecycle.csv", "cache_rules.csv", "free_operations.csv", "unit_fees.csv"]
)
def test_a_line_given_twice_would_count_calls_twice(tmp_path: Path, name: str) -> None:
    file = copy_of_pricing(tmp_path) / name
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join([*lines, lines[1]]), encoding="utf-8")
    with pytest.raises(PricingError) as caught:
        prices.check(file.parent)
    assert caught.value.slug == "pricing-repeat"


def spoil(place: Path, **change: str) -> None:
    """Append a rate like the first one of the OpenAI file, changed."""
    file = place / "rates" / "openai.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        first = next(csv.DictReader(lines))
    with file.open("a", encoding="utf-8", newline="") as lines:
        csv.DictWriter(lines, list(first), lineterminator="\n").writerow({**first, **change})


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({}, "pricing-overlap"),
        ({"effective_from": "2030-01-01"}, "pricing-overlap"),
        ({"usd_per_mtok": "0"}, "pricing-zero"),
        ({"usd_per_mtok": "-1"}, "pricing-zero"),
        ({"usd_per_mtok": ""}, "pricing-null"),
        ({"rule": "none_published"}, "pricing-null"),
        ({"usd_per_mtok": "0.0000004"}, "pricing-decimals"),
        ({"usd_per_mtok": "half"}, "pricing-value"),
        ({"effective_from": "soon"}, "pricing-value"),
        ({"provider": ""}, "pricing-value"),
        ({"effective_to": "2023-08-22"}, "pricing-dates"),
        ({"tier": "cheap"}, "pricing-unknown-value"),
        ({"token_kind": "smell"}, "pricing-unknown-value"),
        ({"band_min_tokens": "1000"}, "pricing-band"),
        ({"model": "gpt-next", "source": "a-friend"}, "pricing-source"),
    ],
)
def test_a_contradiction_is_refused_with_its_line(
    tmp_path: Path, change: dict[str, str], slug: str
) -> None:
    place = copy_of_pricing(tmp_path)
    spoil(place, **({"model": "babbage-002"} | change))
    with pytest.raises(PricingError) as caught:
        prices.check(place)
    assert caught.value.slug == slug
    assert "openai.csv:" in caught.value.message
    assert caught.value.hint


def test_orphans_and_missing_files_are_refused(tmp_path: Path) -> None:
    place = copy_of_pricing(tmp_path)
    with (place / "aliases.csv").open("a", encoding="utf-8") as lines:
        lines.write("openai,gpt-next,gpt-99,,,,openai-pricing,\n")
    with pytest.raises(PricingError, match="gpt-99"):
        prices.check(place)
    (place / "aliases.csv").write_text("provider,alias\n", encoding="utf-8")
    with pytest.raises(PricingError, match=r"aliases\.csv"):
        prices.check(place)
    (place / "aliases.csv").unlink()
    with pytest.raises(PricingError, match=r"aliases\.csv"):
        prices.check(place)


def test_an_announced_rate_is_not_live(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Not even after its day, until someone has seen it in force."""
    place = copy_of_pricing(tmp_path)
    new = {"model": "gpt-next", "effective_from": "2027-01-01"}
    spoil(place, **new, verified_on="2026-11-22")
    card = prices.load(connection, date(2027, 2, 1), place=place)
    assert card.pending == 1
    count = "SELECT count(*) FROM price_rows WHERE model = 'gpt-next'"
    assert connection.execute(count).fetchall() == [(0,)]
    spoil(place, **new | {"model": "gpt-seen"}, verified_on="2027-01-02")
    prices.load(connection, date(2027, 2, 1), place=place)
    assert connection.execute(count.replace("next", "seen")).fetchall() == [(1,)]


def test_the_card_is_stamped(connection: duckdb.DuckDBPyConnection) -> None:
    card = prices.load(connection, date(2026, 11, 22))
    stored = connection.execute(
        "SELECT version, sha256, as_of, oldest_verified_on, rows FROM pricing_meta"
    ).fetchall()
    assert stored == [
        (card.version, DATA.sha256, date(2026, 11, 22), card.oldest_verified_on, len(DATA.prices))
    ]
    assert card.oldest_verified_on is not None
    assert card.oldest_verified_on <= date(2026, 11, 22)
    again = prices.load(connection, date(2026, 11, 22))
    assert again == card


def test_an_absurd_contract_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(PricingError, match="multiplier"):
        prices.load(
            connection,
            date(2026, 11, 22),
            multipliers=[PriceMultiplier("openai", "*", "", 0)],
        )
