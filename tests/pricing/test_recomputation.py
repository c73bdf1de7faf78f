"""The SQL against the accountant of `ledger`: the same costs, to the last decimal.

A sweep touches every line of the price data on its first and last days and on the days beside
them; hypothesis draws thousands of calls of every other kind; the sample logs go through the real
ingest.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from llm_audit import pipeline, schema
from llm_audit.ingest import ingest
from llm_audit.policy import Measured, Policy, PriceMultiplier, UserPrice
from llm_audit.policy.parts import CacheHits
from llm_audit.sources.local import find
from tests.ingest.helpers import Audit, audit
from tests.pricing import ledger
from tests.pricing.helpers import AS_OF, rows
from tests.pricing.ledger import TIERS, Seller, Terms
from tests.pricing.many import price_many
from tests.support import ROOT, create_stored_tables, shared

Call = dict[str, Any]
Connection = duckdb.DuckDBPyConnection

SELLERS = sorted(ledger.book().lines)
PRIMES = (1_009, 2_003, 3_001, 4_001, 5_003, 6_007, 7_001, 8_009, 9_001)


# --- pricing literal calls ------------------------------------------------------------------------


def priced(calls: Sequence[Call], terms: Terms) -> list[dict[str, Any]]:
    """The rows of `costs`, in the order of the calls, with what their names were read as."""
    with duckdb.connect() as connection:
        create_stored_tables(connection)
        price_many(connection, calls, **vars(terms))
        return rows(connection, NAMED_COSTS)


NAMED_COSTS = """
SELECT costs.*, names.provider, names.surface, names.model, names.snapshot, calls.source_line
FROM costs
JOIN calls USING (call_id)
LEFT JOIN model_names AS names
  ON names.provider_name IS NOT DISTINCT FROM calls.provider_name
  AND names.request_model IS NOT DISTINCT FROM calls.request_model
  AND names.response_model IS NOT DISTINCT FROM calls.response_model
  AND names.inference_region IS NOT DISTINCT FROM calls.inference_region
ORDER BY source_line
"""


def agree(call: Mapping[str, Any], found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Every column that the accountant names is what the SQL says, exactly."""
    for column, value in wanted.items():
        sql = found[column]
        said = Fraction(sql) if isinstance(sql, Decimal) else sql
        assert said == value, f"{column}: SQL {sql}, accountant {value}, for {dict(call)}"


def seller_read(cost: Mapping[str, Any]) -> Seller | None:
    """What the product read the name of a call as; None where that has no price at all."""
    if cost["model"] is None:
        return None
    return Seller(cost["provider"], cost["surface"], cost["model"], cost["snapshot"] or "")


def check(calls: Sequence[tuple[Seller, Call]], terms: Terms) -> None:
    found = priced([call for _, call in calls], terms)
    for (seller, call), cost in zip(calls, found, strict=True):
        read = seller_read(cost)
        # a name that points to a snapshot is read as that snapshot
        assert read, call["response_model"]
        assert read[:3] == seller[:3], call["response_model"]
        assert read.snapshot == seller.snapshot or not seller.snapshot
        agree(call, cost, ledger.expected(call, read, terms))


# --- the sweep ------------------------------------------------------------------------------------


def noon(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour)


def base_call(seller: Seller, day: date, **values: Any) -> Call:
    return {
        **ledger.logged_name(seller),
        "started_at": noon(day),
        "status": "ok",
        "tokens_source": "reported",
        "output_tokens": 0,
        **values,
    }


SPEED: dict[str, dict[str, str]] = {tier: {} for tier in TIERS}
SPEED["priority"] = {"inference_speed": "fast"}  # of Anthropic; others do not look at it


def of_kind(kind: str, filler: int, count: int) -> dict[str, int]:
    """A call with `count` tokens of one kind in a prompt of at least `filler` tokens."""
    within = {
        "cached_input": ledger.READ,
        "cache_write_5m": ledger.WRITE,
        "cache_write_1h": ledger.HOUR,
        "audio_input": "audio_input_tokens",
        "image_input": "image_input_tokens",
    }
    outputs = {"audio_output": "audio_output_tokens", "image_output": "image_output_tokens"}
    if kind in within:
        return {"input_tokens": filler + count, within[kind]: count}
    if kind in outputs:
        return {"input_tokens": filler, "output_tokens": count, outputs[kind]: count}
    if kind == "output":
        return {"input_tokens": filler, "output_tokens": count}
    return {"input_tokens": filler + count}


def edges(row: Mapping[str, str]) -> list[date]:
    """The first day, the last, and the days beside them."""
    first = date.fromisoformat(row["effective_from"])
    days = [first - timedelta(days=1), first]
    if row["effective_to"]:
        until = date.fromisoformat(row["effective_to"])
        days += [until - timedelta(days=1), until]
    return days


def sweep() -> Iterator[tuple[Seller, Call]]:
    """Every line on its own: each kind, band, tier and day of change of every model."""
    for number, row in enumerate(ledger.rate_rows()):
        seller, tier, kind = ledger.seller_of(row), row["tier"], row["token_kind"]
        for day in edges(row):
            for prompt in prompts(row):
                count = PRIMES[number % len(PRIMES)]
                used = of_kind(kind, max(prompt - count, 1), count)
                yield seller, base_call(seller, day, service_tier=tier, **used, **SPEED[tier])


def prompts(row: Mapping[str, str]) -> list[int]:
    limit = int(row["band_min_tokens"] or 0)
    return [limit, limit + 10_000] if limit else [20_000]


def test_every_line_of_the_price_data() -> None:
    calls = list(sweep())
    check(calls, Terms())
    carried = {
        (ledger.seller_of(row), row["tier"], row["token_kind"])
        for row in ledger.rate_rows()
        if row["usd_per_mtok"]
    }
    assert exercised(calls) == carried


def exercised(calls: Sequence[tuple[Seller, Call]]) -> set[tuple[Seller, str, str]]:
    """(model, tier, kind) of all rates that really had tokens to multiply."""
    seen = set()
    for seller, call in calls:
        lines, day = ledger.book().of(seller), call["started_at"].date()
        tier, used = call["service_tier"], ledger.Used(call)
        rates = ledger.in_force(seller, tier, day, used.prompt, lines, Terms())
        if ledger.expected(call, seller, Terms())["price_status"] != "priced":
            continue
        counts = ledger.quantities(used, rates) or {}
        seen |= {
            (seller, tier, kind)
            for kind, line in rates.items()
            if counts.get(kind) and line.usd_per_token is not None
        }
    return seen


def regional() -> Iterator[tuple[Seller, Call]]:
    """Every model of every modifier, in each of its regions and in one that it does not name."""
    for row in ledger.book().modifiers:
        for seller in SELLERS:
            if (row["provider"], row["surface"]) == seller[:2] and seller.model in row[
                "models"
            ].split():
                for region in (*row["regions"].split(), "global", "moon"):
                    first = max(line.first for line in ledger.book().of(seller))
                    used = {
                        "input_tokens": 20_011, ledger.READ: 1_009, ledger.WRITE: 503,
                        "output_tokens": 307, "web_search_requests": 3,
                    }  # fmt: skip
                    for tier in ("standard", "batch"):
                        call = base_call(seller, date.fromisoformat(first), service_tier=tier)
                        yield seller, call | used | {"inference_region": region}


def test_every_region() -> None:
    calls = list(regional())
    assert len(calls) > 100
    check(calls, Terms())


def test_regions_in_front_of_a_bedrock_id() -> None:
    """ "us.anthropic.claude-…" says the region as well as a column of its own does."""
    named = [
        (call["inference_region"], call)
        for seller, call in regional()
        if seller.surface == "bedrock" and call["inference_region"] != "moon"
    ]
    calls = [
        call | {"response_model": f"{region}.{call['response_model']}", "inference_region": None}
        for region, call in named
    ]
    assert len(calls) > 10
    for (_, call), cost in zip(named, priced(calls, Terms()), strict=True):
        agree(call, cost, ledger.expected(call, seller_read(cost), Terms()))


# --- random calls ---------------------------------------------------------------------------------


CHANGES = sorted(
    {row[end] for row in ledger.rate_rows() for end in ("effective_from", "effective_to")} - {""}
)
REGIONS = sorted({name for row in ledger.book().modifiers for name in row["regions"].split()})
CONTRACT = (
    PriceMultiplier("*", "*", "", 0.937, surface="*"),
    PriceMultiplier("openai", "gpt-4*", "", 0.8333),
    PriceMultiplier("anthropic", "*", "batch", 1),
    PriceMultiplier("openai", "gpt-5*", "standard", 1.0625),
)


def user_price(model: str, tier: str, days: tuple[date | None, date | None], **rates: str) -> Any:
    provider = "anthropic" if "claude" in model else "openai"
    usd = {kind: Decimal(rate) for kind, rate in rates.items()}
    return UserPrice(provider, "first_party", model, tier, *days, usd, "contract 12")


OWN = (
    user_price("gpt-4.1", "standard", (date(2025, 1, 1), None), input="1.9", output="7.777777"),
    user_price("gpt-5", "batch", (date(2026, 1, 1), date(2026, 7, 1)), cached_input="0.010001"),
    user_price("gpt-5.4", "standard", (date(2026, 6, 1), None), input="2.25"),
    user_price("o3", "flex", (date(2025, 9, 1), date(2026, 2, 1)), input="0.9", output="3.9"),
    user_price(
        "claude-sonnet-4-5", "standard", (date(2025, 9, 29), date(2026, 3, 1)), cache_write_1h="5.5"
    ),
    user_price("gpt-4o", "batch", (date(2025, 1, 1), None), cached_input="0.6", audio_input="20"),
)
MEASURED = tuple(
    Measured(maker, model, CacheHits(Decimal(share), 1_000), None, AS_OF)
    for maker, model, share in (
        ("openai", "gpt-5", "0.07"),
        ("openai", "gpt-5.4", "0.93"),
        ("anthropic", "claude-sonnet-4-5", "0.31"),
        ("anthropic", "claude-haiku-4-5", "0"),
        ("google", "gemini-2.5-pro", "1"),
    )
)
TERMS = (
    Terms(),
    Terms(CONTRACT, measured=MEASURED),
    Terms((), OWN, MEASURED),
    Terms(CONTRACT, OWN),
)


def random_day(seller: Seller, dice: random.Random) -> date:
    """Mostly in the life of the model; often a day of change or the one before."""
    first = date.fromisoformat(min(line.first for line in ledger.book().of(seller)))
    if dice.random() < 0.4:
        own = [day for line in ledger.book().of(seller) for day in (line.first, line.until)]
        edge = date.fromisoformat(dice.choice([day for day in own if day != "9999"] or CHANGES))
        return edge - timedelta(days=dice.randrange(2))
    early = first - timedelta(days=30)
    return early + timedelta(days=dice.randrange(max((AS_OF - early).days, 1) + 1))


def random_count(dice: random.Random) -> int:
    return dice.choice((0, 1, dice.randrange(5_000), dice.randrange(90_000), 1_000))


def random_tokens(seller: Seller, dice: random.Random) -> dict[str, Any]:
    kinds = {line.kind for line in ledger.book().of(seller)}
    parts = {column: random_count(dice) for column in ledger.OF_INPUT[:3] if dice.random() < 0.4}
    for column, odds in (("audio_input_tokens", 0.1), ("image_input_tokens", 0.15)):
        if dice.random() < odds + 0.4 * (column.removesuffix("_tokens") in kinds):
            parts[column] = random_count(dice)
    prompt = sum(parts.values()) + random_count(dice)
    sizes = {line.over for line in ledger.book().of(seller) if line.over}
    if sizes and dice.random() < 0.6:
        edge = dice.choice(sorted(sizes)) + dice.choice((-1, 0, 1, 50_000))
        prompt = max(prompt, edge) if dice.random() < 0.2 else edge
    out = {
        column: random_count(dice)
        for column in ledger.OF_OUTPUT
        if dice.random() < 0.05 + 0.4 * (column.removesuffix("_tokens") in kinds)
    }
    output = sum(out.values()) + random_count(dice) if kinds & {"output"} or out else 0
    found: dict[str, Any] = {"input_tokens": prompt, "output_tokens": output, **parts, **out}
    if dice.random() < 0.03:
        found[dice.choice(sorted(found))] = dice.choice((None, 0, -1, prompt + 1))
    return found


def random_call(seed: int) -> tuple[Seller, Call]:
    """One call of any model, all of whose other columns follow from the seed."""
    dice = random.Random(seed)
    seller = SELLERS[seed % len(SELLERS)]
    tier = dice.choice((*TIERS, "standard", "standard", "batch", None, "scale"))
    call = base_call(
        seller,
        random_day(seller, dice),
        service_tier=tier,
        inference_speed=dice.choice(("fast", "fast", "standard", None)),
        inference_region=dice.choice((None, None, "global", dice.choice(REGIONS))),
        web_search_requests=dice.choice((None, 0, 0, 1, 7)),
        operation_name=dice.choice(("chat", "chat", "responses", "embeddings", None)),
    )
    call["started_at"] += timedelta(seconds=dice.choice((-43_200, 43_199, 0)))
    odd: dict[str, Any] = dice.choices(
        (
            {},
            {"status": "error"},
            {"status": "cancelled"},
            {"gateway_cache_hit": True},
            {"tokens_source": "missing"},
            {"tokens_source": "estimated", "gateway_cache_hit": False},
        ),
        weights=(90, 2, 3, 2, 2, 5),
    )[0]
    return seller, call | random_tokens(seller, dice) | odd


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # the message names the one call; nothing to shrink
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=700, max_size=700, unique=True),
    st.integers(0, len(TERMS) - 1),
)
def test_random_calls(seeds: list[int], number: int) -> None:
    """15 databases of 700 calls; what the message says of a call is all there is to know of it."""
    check([random_call(seed) for seed in seeds], TERMS[number])


def test_a_measured_share_of_cache_hits() -> None:
    """Every model and tier, at its maker and elsewhere: only the expected scenario knows of it."""
    used = {"input_tokens": 20_011, ledger.READ: 9_001, ledger.WRITE: 503, "output_tokens": 307}
    calls = [
        (seller, base_call(seller, AS_OF, service_tier=tier, **used, **SPEED[tier]))
        for seller in SELLERS
        for tier in TIERS
    ]
    terms = Terms(measured=MEASURED)
    check(calls, terms)
    moved = set()
    for seller, call in calls:
        without, then = (ledger.expected(call, seller, each) for each in (Terms(), terms))
        changed = {column for column, value in then.items() if without[column] != value}
        assert changed <= {"batch_cost_expected"}
        moved |= {seller.model for _ in changed}
    assert moved == {entry.model for entry in MEASURED}


def test_a_price_without_dates_always_held() -> None:
    """Also before the first day of our own data, which may be no more than the day we first saw."""
    own = user_price("gpt-4.1", "standard", (None, None), input="1.9", output="7.777777")
    seller = Seller("openai", "first_party", "gpt-4.1", "")
    days = (date(2025, 4, 13), date(2025, 4, 14), date(2026, 11, 1))
    check(
        [(seller, base_call(seller, day, input_tokens=1_009, output_tokens=7)) for day in days],
        Terms((), (own,)),
    )


def test_a_price_of_one_snapshot_leaves_its_other_rates() -> None:
    """Token kinds and tiers that the user did not name keep the model's own rates."""
    own = user_price("gpt-4.1-2025-04-14", "standard", (date(2025, 4, 14), None), input="1.9")
    seller = Seller("openai", "first_party", "gpt-4.1", "2025-04-14")
    other = seller._replace(snapshot="")
    used = {"input_tokens": 1_009, "output_tokens": 7, ledger.READ: 5}
    check(
        [
            (one, base_call(one, date(2026, 5, 1), service_tier=tier, **used))
            for one in (seller, other)
            for tier in TIERS
        ],
        Terms((), (own,)),
    )


# --- calls without a time -------------------------------------------------------------------------


def test_without_a_day_only_a_card_that_never_changed_is_used() -> None:
    """Every model, tier and size of prompt."""
    calls = [
        (seller, call | {"started_at": None})
        for seller in SELLERS
        for tier in TIERS
        for size in (1_000, 300_000)
        for call in [base_call(seller, AS_OF, service_tier=tier, input_tokens=size, **SPEED[tier])]
    ]
    check(calls, Terms())


# --- whole logs -----------------------------------------------------------------------------------


ALL_COLUMNS = ", ".join(f"calls.{column.name}" for column in schema.CALLS)
LABELLED = f"""
SELECT {ALL_COLUMNS}, labels.workload_id, labels.label, costs.* EXCLUDE (call_id),
  names.provider, names.surface, names.model, names.snapshot
FROM calls
JOIN costs USING (call_id)
JOIN labels USING (call_id)
LEFT JOIN model_names AS names
  ON names.provider_name IS NOT DISTINCT FROM calls.provider_name
  AND names.request_model IS NOT DISTINCT FROM calls.request_model
  AND names.response_model IS NOT DISTINCT FROM calls.response_model
  AND names.inference_region IS NOT DISTINCT FROM calls.inference_region
"""


def audited(book: Audit, folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A folder through the whole pipeline: (its calls with labels and costs, its savings)."""
    ingest(book.connection, find([str(folder)]), None)
    pipeline.run(book.connection, Policy.load(), AS_OF)
    return rows(book.connection, LABELLED), rows(book.connection, "SELECT * FROM savings")


@pytest.mark.parametrize("folder", ["sample_logs", "shared"])
def test_whole_logs(folder: str) -> None:
    """Call by call, then summed per workload and label as `savings` has it."""
    path = ROOT / "sample_logs" if folder == "sample_logs" else shared("logs")
    with audit() as book:
        calls, savings = audited(book, path)
    assert len(calls) > 1_000
    worked = [ledger.expected(call, seller_read(call), Terms()) for call in calls]
    for call, wanted in zip(calls, worked, strict=True):
        agree({column: call[column] for column in IN_MESSAGES}, call, wanted)
    sums_agree(calls, worked, savings)


@pytest.mark.parametrize("number", [0, 1])
def test_savings_are_sums_of_costs(connection: Connection, number: int) -> None:
    """Thousands of calls of every kind, without order, in workloads of many models each."""
    dice, terms = random.Random(number), TERMS[number]
    calls = [random_call(dice.randrange(2**32))[1] for _ in range(3_000)]
    price_many(connection, calls, **vars(terms))
    connection.execute(
        "CREATE TABLE labels AS SELECT call_id, 'w_' || source_line % 40 AS workload_id, "
        "CASE source_line % 3 WHEN 0 THEN 'realtime' ELSE 'batch_eligible' END AS label FROM calls"
    )
    connection.execute(
        "CREATE TABLE workload_labels AS SELECT DISTINCT workload_id, label, 'supported' AS "
        "independence, 'supported' AS tolerance, 'supported' AS storage, FALSE AS deadline_risk, "
        "CAST(NULL AS DOUBLE) AS due_in_s, FALSE AS due_in_minutes, FALSE AS needs_error_feedback "
        "FROM labels"
    )
    pipeline.run_steps(connection, 60, 69)
    found = rows(connection, LABELLED)
    worked = [ledger.expected(call, seller_read(call), terms) for call in found]
    sums_agree(found, worked, rows(connection, "SELECT * FROM savings"))


IN_MESSAGES = ("call_id", "source_file", "source_line", "response_model", "started_at")


def sums_agree(
    calls: Sequence[Mapping[str, Any]],
    worked: Sequence[Mapping[str, Any]],
    savings: Sequence[Mapping[str, Any]],
) -> None:
    """Costs and savings per workload and label are sums of the accountant's calls, exactly.

    A call that no batch takes, or of which that is not known, stays where it is at what it costs.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for call, amounts in zip(calls, worked, strict=True):
        groups[call["workload_id"], call["label"]].append(amounts)
    assert {(row["workload_id"], row["label"]) for row in savings} == set(groups)
    for row in savings:
        group = groups[row["workload_id"], row["label"]]
        priced = [amounts for amounts in group if amounts["effective_cost"] is not None]
        assert row["calls"] == len(group)
        if not priced:
            assert row["effective_cost"] is None
            continue
        moved = {
            name: sum(
                amounts["effective_cost"] if amounts[name] is None else amounts[name]
                for amounts in priced
            )
            for name in ledger.SCENARIOS
        }
        paid = sum(amounts["effective_cost"] for amounts in priced)
        assert Fraction(row["effective_cost"]) == paid
        assert Fraction(row["list_cost"]) == sum(amounts["list_cost"] for amounts in priced)
        flexed = sum(
            amounts["effective_cost"]
            if amounts["flex_cost"] is None or amounts.get("batch_status") == "already_batch"
            else amounts["flex_cost"]
            for amounts in priced
        )
        assert row["flex_cost"] is None or Fraction(row["flex_cost"]) == flexed
        dearest = moved["batch_cost_conservative"]
        for scenario in ("conservative", "expected", "best"):
            cost = min(moved[f"batch_cost_{scenario}"], dearest)
            assert Fraction(row[f"saving_{scenario}"]) == max(paid - cost, Fraction(0)), row
            stored = row[f"batch_cost_{scenario}"]
            assert stored is None or Fraction(stored) == cost
