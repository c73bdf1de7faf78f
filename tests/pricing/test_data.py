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
    """Each of the 266 rows, resolved by its own model name, leads to its rates on its first day.

    Where the facts have no rate, a rate of ours must come from another source than theirs.
    """
    known = {
        (r.model_key, r.tier, r.from_tokens, r.token_kind, r.effective_from): r for r in DATA.prices
    }
    resolver = Resolver(DATA)
    checked = 0
    for fact in facts()["rows"]:
        key = resolver.resolve(fact["provider"], fact["model"], None).price_key
        limit = (fact.get("context") or {}).get("min_input_tokens_exclusive")
        day = date.fromisoformat(fact["effective_from"])
        for kind in KINDS:
            row = known.get((key or "", fact["tier"], limit + 1 if limit else 0, kind, day))
            if fact[kind] is None:
                if row is not None and row.usd_per_mtok is not None:
                    assert (row.tier, row.source) == ("priority", "genai-prices"), row.where
                    assert row.note, row.where
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
            assert found.price_key, alias


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
        if (r.surface, r.model, r.snapshot) == ("first_party", name, None)
        and r.effective_to is None
        and not r.from_tokens
    }
    slots = [("standard", "input"), ("standard", "output"), ("batch", "input"), ("batch", "output")]
    assert tuple(live[slot] for slot in slots) == tuple(Decimal(rate) for rate in rates)


def rate(key: str, tier: str, kind: str, prompt: int = 0) -> Decimal:
    """The rate in force on 2026-11-22 for a prompt of that size, in USD per million tokens."""
    rows = [
        r
        for r in DATA.prices
        if (r.model_key, r.tier, r.token_kind) == (key, tier, kind)
        and r.from_tokens <= prompt
        and r.effective_from <= date(2026, 11, 22) < (r.effective_to or date.max)
    ]
    found = max(rows, key=lambda r: r.from_tokens).usd_per_mtok
    assert found is not None, (key, tier, kind)
    return found


@pytest.mark.parametrize(
    ("key", "sync", "batch"),
    [
        ("google/first_party/gemini-2.5-flash", "0.00182", "0.001045"),
        ("openai/groq/gpt-oss-120b", "0.001125", "0.0009"),
        ("openai/first_party/gpt-5", "0.007375", "0.0036875"),
    ],
)
def test_the_worked_cases_with_cached_tokens(key: str, sync: str, batch: str) -> None:
    """10,000 tokens in, 9,000 of them cached, 500 out: the table in the price research."""
    tokens = {"input": 1000, "cached_input": 9000, "output": 500}
    for tier, expected in (("standard", sync), ("batch", batch)):
        cost = sum(n * rate(key, tier, kind) for kind, n in tokens.items()) / 1_000_000
        assert cost == Decimal(expected), tier


def test_xai_and_vertex_embeddings_are_a_fifth_off() -> None:
    for prompt in (0, 199_999, 200_000):
        for kind in ("input", "cached_input", "output"):
            half = rate("xai/first_party/grok-4.3", "batch", kind, prompt)
            assert half == rate("xai/first_party/grok-4.3", "standard", kind, prompt) * 4 / 5
    embedding = "google/vertex/gemini-embedding-001"
    assert rate(embedding, "batch", "input") == rate(embedding, "standard", "input") * 4 / 5


def test_the_limits_of_prompt_sizes_and_their_operators() -> None:
    grok, gemini = "xai/first_party/grok-4.3", "google/first_party/gemini-2.5-pro"
    assert rate(grok, "standard", "input", 199_999) == Decimal("1.25")
    assert rate(grok, "standard", "input", 200_000) == Decimal("2.5")
    assert rate(gemini, "standard", "input", 200_000) == Decimal("1.25")
    assert rate(gemini, "standard", "input", 200_001) == Decimal("2.5")


def test_batches_at_other_sellers_are_never_half_by_guess() -> None:
    """The known traps: cached tokens that do not stack, and a stale half in a public file."""
    assert rate("google/first_party/gemini-2.5-pro", "batch", "cached_input") == Decimal("0.125")
    assert rate("google/first_party/gemini-3.8-flash", "batch", "cached_input") == Decimal("0.0375")
    assert rate("google/vertex/gemini-3.8-flash", "batch", "cached_input") == Decimal("0.075")
    assert rate("anthropic/vertex/claude-opus-5-5", "batch", "input") == 2
    unknown = {
        (r.provider, r.surface, r.model)
        for r in DATA.prices
        if (r.tier, r.token_kind, r.rule) == ("batch", "cached_input", "none_published")
    }
    assert ("openai", "azure", "gpt-4.1") in unknown
    assert ("anthropic", "bedrock", "claude-haiku-4-5") in unknown
    batched = {
        r.model
        for r in DATA.prices
        if (r.surface, r.tier) == ("groq", "batch") and r.usd_per_mtok is not None
    }
    assert batched == {"gpt-oss-120b", "gpt-oss-20b"}


def test_every_seller_with_rates_has_a_cache_rule() -> None:
    sellers = {(r.provider, r.surface) for r in DATA.prices}
    assert sellers == {(rule.provider, rule.surface) for rule in DATA.cache_rules}
    assert all(0 <= rule.expected_hit_share <= 1 for rule in DATA.cache_rules)


def test_every_model_says_whether_it_can_be_batched() -> None:
    """A rate, or the reason why there is none; two previews left before anyone asked."""
    named = {(r.model_key, r.tier) for r in DATA.prices if r.token_kind == "input"}
    silent = {key for key, tier in named if tier == "standard"} - {
        key for key, tier in named if tier == "batch"
    }
    assert {key.rsplit("/", 1)[1] for key in silent} == {"gpt-4.5-preview", "o1-preview"}


def test_modifiers_name_models_on_the_card_and_stay_exact() -> None:
    for modifier in DATA.modifiers:
        models = set(modifier.models.split())
        rates = [
            r
            for r in DATA.prices
            if (r.provider, r.surface) == (modifier.provider, modifier.surface)
            and r.model in models
        ]
        assert {r.model for r in rates} == models
        assert "global" not in modifier.regions.split()
        for row in rates:
            if row.usd_per_mtok is not None:
                product = row.usd_per_mtok * modifier.factor
                assert product == round(product, 6), row.where


def test_the_terms_that_a_migration_needs() -> None:
    terms = {(t.provider, t.surface): t for t in DATA.batch_terms}
    openai, anthropic = terms["openai", "first_party"], terms["anthropic", "first_party"]
    assert (openai.window_hours, openai.max_requests, openai.max_bytes) == (24, 50_000, 200_000_000)
    assert (anthropic.window_hours, anthropic.max_requests, anthropic.max_bytes) == (
        24, 100_000, 256_000_000,
    )  # fmt: skip
    assert openai.max_queued_tokens


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
        ({"effective_to": "2022-09-01"}, "pricing-dates"),
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
