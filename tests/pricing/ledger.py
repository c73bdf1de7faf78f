"""What a call costs, worked out call by call in exact fractions: the accountant beside the SQL.

Written from the price research and from `pricing/README.md`. It shares nothing with the product
but the CSV files, which it reads itself. Slow, and meant to be read: where it and the SQL differ,
one of the two has the rules wrong.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from llm_audit.policy import Measured, PriceMultiplier, UserPrice
from tests.support import ROOT

FOLDER = ROOT / "pricing"
TIERS = ("standard", "batch", "flex", "priority")
SCENARIOS = ("batch_cost_conservative", "batch_cost_expected", "batch_cost_best")
AMOUNTS = ("list_cost", "contracted_cost", "effective_cost", *SCENARIOS, "flex_cost")
MOST = 2**53
"""More tokens than that in one call are a slip of the log, not a bill."""


class Seller(NamedTuple):
    """A model as one seller sells it; `snapshot` is "" where the name carries none."""

    provider: str
    surface: str
    model: str
    snapshot: str


@dataclass(frozen=True)
class Line:
    """One line of `rates/*.csv`, or one rate of the user's own."""

    tier: str
    kind: str
    usd_per_token: Fraction | None
    rule: str
    first: str
    until: str
    over: int
    """The least prompt that the rate is for, in tokens."""

    def holds(self, day: date) -> bool:
        return self.first <= day.isoformat() < self.until


Rates = dict[str, Line]
"""Token kind -> the line in force."""


@dataclass(frozen=True)
class Book:
    """The price data, as plain dictionaries."""

    lines: Mapping[Seller, list[Line]]
    cache_rules: Mapping[tuple[str, str], dict[str, str]]
    fees: Mapping[tuple[str, str], list[dict[str, str]]]
    free: frozenset[tuple[str, str, str]]
    modifiers: tuple[dict[str, str], ...]

    def of(self, seller: Seller) -> list[Line]:
        """The lines of a snapshot; the model's own where it has none."""
        return self.lines.get(seller) or self.lines.get(seller._replace(snapshot=""), [])


@dataclass(frozen=True)
class Terms:
    """What the user's configuration adds."""

    multipliers: tuple[PriceMultiplier, ...] = ()
    user_prices: tuple[UserPrice, ...] = ()
    measured: tuple[Measured, ...] = ()

    def hit_share(self, seller: Seller) -> Fraction | None:
        """What the user's own batches of a model hit, which only its own maker sells them."""
        if seller.surface != "first_party":
            return None
        for entry in self.measured:
            if (entry.provider, entry.model) == (seller.provider, seller.model) and entry.hits:
                return Fraction(entry.hits.share)
        return None

    def factor(self, seller: Seller, tier: str) -> Fraction:
        """The last line of the contract that fits."""
        fits = [
            line.multiplier
            for line in self.multipliers
            if fnmatchcase(seller.provider, line.provider)
            and fnmatchcase(seller.surface, line.surface)
            and fnmatchcase(seller.model, line.model)
            and line.tier in ("", tier)
        ]
        return Fraction(str(fits[-1])) if fits else Fraction(1)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def rate_rows() -> tuple[dict[str, str], ...]:
    """Every line of every seller that is not an announcement nobody has seen in force."""
    rows = [row for path in sorted((FOLDER / "rates").glob("*.csv")) for row in read(path)]
    return tuple(row for row in rows if row["effective_from"] <= row["verified_on"])


def seller_of(row: Mapping[str, str]) -> Seller:
    return Seller(row["provider"], row["surface"], row["model"], row["snapshot"])


@cache
def book() -> Book:
    lines: dict[Seller, list[Line]] = defaultdict(list)
    for row in rate_rows():
        least = int(row["band_min_tokens"] or 0) + (row["band_operator"] == ">")
        usd = Fraction(row["usd_per_mtok"]) / 10**6 if row["usd_per_mtok"] else None
        lines[seller_of(row)].append(
            Line(
                row["tier"],
                row["token_kind"],
                usd,
                row["rule"],
                row["effective_from"],
                row["effective_to"] or "9999",
                least,
            )
        )
    fees = defaultdict(list)
    for row in read(FOLDER / "unit_fees.csv"):
        fees[row["provider"], row["surface"]].append(row)
    return Book(
        lines,
        {(r["provider"], r["surface"]): r for r in read(FOLDER / "cache_rules.csv")},
        fees,
        frozenset(
            (r["provider"], r["surface"], r["operation_name"])
            for r in read(FOLDER / "free_operations.csv")
        ),
        tuple(read(FOLDER / "modifiers.csv")),
    )


@cache
def sellers_names() -> tuple[dict[tuple[str, str], str], dict[str, str], dict[str, str]]:
    """(provider, surface) -> `provider_name` of a log; surface -> what a gateway writes in front;
    maker -> the vendor in a Bedrock model id.

    A provider of "" is a surface that sells many makers' models.
    """
    names = tomllib.loads((FOLDER / "names.toml").read_text(encoding="utf-8"))
    logged = {
        (entry.get("provider", ""), entry["surface"]): name
        for name, entry in reversed(names["provider_names"].items())
        if "surface" in entry
    }
    prefixes = {
        entry["surface"]: name for name, entry in names["prefixes"].items() if "surface" in entry
    }
    vendors = {maker: word for word, maker in reversed(names["vendors"].items())}
    return logged, prefixes, vendors


def logged_name(seller: Seller) -> dict[str, str | None]:
    """The columns of a call that a log would carry for this model."""
    logged, prefixes, vendors = sellers_names()
    dated = f"{seller.model}-{seller.snapshot}" if seller.snapshot else seller.model
    name = f"{dated}:org::id" if dated.startswith("ft:") else dated
    provider = logged.get((seller.provider, seller.surface)) or logged.get(("", seller.surface))
    if seller.surface == "bedrock":
        return {"provider_name": provider, "response_model": f"{vendors[seller.provider]}.{name}"}
    if provider is None:
        front = prefixes.get(seller.surface, seller.provider)
        return {"provider_name": None, "response_model": f"{front}/{name}"}
    return {"provider_name": provider, "response_model": name}


# --- what was used --------------------------------------------------------------------------------

READ, WRITE, HOUR = (
    "cache_read_input_tokens",
    "cache_creation_5m_input_tokens",
    "cache_creation_1h_input_tokens",
)
OF_INPUT = (READ, WRITE, HOUR, "audio_input_tokens", "image_input_tokens")
OF_OUTPUT = ("audio_output_tokens", "image_output_tokens")


@dataclass(frozen=True)
class Used:
    """The counts of one call; None where the log has none."""

    call: Mapping[str, Any]

    def __getitem__(self, column: str) -> int:
        return int(self.call.get(column) or 0)

    @property
    def prompt(self) -> int:
        return self["input_tokens"]

    @property
    def cached(self) -> int:
        return self[READ] + self[WRITE] + self[HOUR]

    @property
    def is_nothing(self) -> bool:
        return not self.prompt and not self["output_tokens"] and not self["web_search_requests"]

    @property
    def is_sound(self) -> bool:
        """No negative count, no part larger than its whole."""
        columns = ("input_tokens", "output_tokens", "web_search_requests", *OF_INPUT, *OF_OUTPUT)
        return (
            all(0 <= self[column] <= MOST for column in columns)
            and self.cached <= self.prompt
            and self["audio_input_tokens"] + self["image_input_tokens"] <= self.prompt
            and sum(self[column] for column in OF_OUTPUT) <= self["output_tokens"]
        )


def quantities(used: Used, rates: Rates) -> dict[str, int] | None:
    """Token kind -> count, as a card with these kinds splits them; None where none can tell.

    Images in a prompt without a rate of their own are text. Which of the cached tokens were audio,
    or images that cost otherwise than text, no log says.
    """
    image_in = used["image_input_tokens"] if "image_input" in rates else 0
    image_out = used["image_output_tokens"]
    special = used["audio_input_tokens"] + image_in
    if special and used.cached:
        return None
    return {
        "input": used.prompt - used.cached - special,
        "cached_input": used[READ],
        "cache_write_5m": used[WRITE],
        "cache_write_1h": used[HOUR],
        "audio_input": used["audio_input_tokens"],
        "image_input": image_in,
        "output": used["output_tokens"] - used["audio_output_tokens"] - image_out,
        "audio_output": used["audio_output_tokens"],
        "image_output": image_out,
    }


# --- what it costs --------------------------------------------------------------------------------


def in_force(
    seller: Seller, tier: str, day: date | None, prompt: int, lines: list[Line], terms: Terms
) -> Rates:
    """The card of a tier on a day: the highest band that the prompt reaches, user's rates first.

    Without a day: the card that holds on every day of the model's life, if there is one.
    """
    if day is None:
        return _always_in_force(seller, tier, prompt, lines, terms)
    found: Rates = {}
    for line in lines:
        if line.tier == tier and line.holds(day) and prompt >= line.over:
            before = found.get(line.kind)
            if before is None or line.over > before.over:
                found[line.kind] = line
    for price in terms.user_prices:
        sold = (price.provider, price.surface, price.tier) == (
            seller.provider,
            seller.surface,
            tier,
        )
        named = price.model in (seller.model, f"{seller.model}-{seller.snapshot}")
        first, until = price.effective_from or date.min, price.effective_to or date.max
        if sold and named and first <= day < until:
            for kind, usd in price.rates.items():
                rate = Fraction(usd) / 10**6
                found[kind] = Line(tier, kind, rate, "user", str(first), str(until), 0)
    return found


def _always_in_force(
    seller: Seller, tier: str, prompt: int, lines: list[Line], terms: Terms
) -> Rates:
    changes = {day for line in lines for day in (line.first, line.until)} - {"9999"}
    days = [date.fromisoformat(day) for day in sorted(changes)]
    cards = [
        in_force(seller, tier, day, prompt, lines, terms)
        for day in days
        if any(line.holds(day) for line in lines)
    ]
    amounts = [{kind: line.usd_per_token for kind, line in card.items()} for card in cards]
    return cards[0] if cards and all(one == amounts[0] for one in amounts) else {}


def twelve_decimals(usd_per_token: Fraction) -> Fraction:
    """Rounded half up: no rate is finer."""
    return Fraction(math.floor(usd_per_token * 10**12 + Fraction(1, 2)), 10**12)


@dataclass(frozen=True)
class Card:
    """The rates of one tier for one call, ready to multiply."""

    rates: Rates
    automatic: bool
    """Caching happens unasked."""
    plain_without: bool
    """Cached tokens without a rate of their own cost plain input."""
    factor: Fraction
    """Of the region and of the contract, on our rates: one of the user's own is what they pay."""

    def rate(self, kind: str) -> Fraction | None:
        """USD per token after the factor, at twelve decimals; None where nobody says."""
        line = self.rates.get(kind)
        return None if line is None or line.usd_per_token is None else self._scaled(line)

    def _scaled(self, line: Line) -> Fraction:
        assert line.usd_per_token is not None
        factor = Fraction(1) if line.rule == "user" else self.factor
        return twelve_decimals(line.usd_per_token * factor)

    def paid(self, kind: str) -> Fraction | None:
        """What a token costs where the card is really paid: a dash is plain input, or unknown."""
        rate = self.rate(kind)
        if rate is not None or not self.plain_without:
            return rate
        if kind == "cache_write_1h":
            return self.paid("cache_write_5m")
        return self.rate("input") if kind in ("cached_input", "cache_write_5m") else None

    def sells_all_of(self, paid: Card) -> bool:
        """Input at all, and output where the model has any."""
        has_output = paid.rate("output") is None or self.rate("output") is not None
        return self.rate("input") is not None and has_output

    def total(self, counts: Mapping[str, int] | None) -> Fraction | None:
        if counts is None:
            return None
        parts = [(count, self.paid(kind)) for kind, count in counts.items() if count]
        if any(rate is None for _, rate in parts):
            return None
        return sum((count * rate for count, rate in parts if rate), Fraction(0))


def scenarios(
    card: Card, counts: Mapping[str, int], share: Fraction | None
) -> list[Fraction | None]:
    """Tokens in a batch without hits, with the expected share of them, with all of today's.

    Without `cache_control` nothing is cached and nothing written; a provider that caches unasked
    also writes unasked. A cached token without a batch rate of its own is plain batch input. Where
    the seller's caching in a batch is not documented, such tokens have no expected cost.
    """
    full = card.rate("input")
    rest = {kind: counts[kind] for kind in counts if not kind.startswith("cache")}
    plain = card.total(rest)
    if full is None or plain is None:
        return [None, None, None]
    hit = card.rate("cached_input") or full
    again = card.rate("cache_write_5m") or full
    hour = card.rate("cache_write_1h") or again
    cached = [counts[kind] for kind in ("cached_input", "cache_write_5m", "cache_write_1h")]
    reads, writes, hours = cached
    written = writes * again + hours * hour
    miss = again if card.automatic else full
    mixed = None if share is None else twelve_decimals(share * hit + (1 - share) * again)
    return [
        plain + sum(cached) * miss,
        plain + written + reads * (mixed or 0) if mixed is not None or not sum(cached) else None,
        plain + written + reads * hit,
    ]


def fees(seller: Seller, day: date | None, searches: int, *, batch: bool) -> Fraction | None:
    """Web searches in USD; None where a search happened and its fee is not known."""
    if not searches:
        return Fraction(0)
    for row in book().fees.get((seller.provider, seller.surface), []):
        live = _holds(row, day)
        if row["fee"] == "web_search" and live:
            each = Fraction(row["usd_per_unit"])
            return searches * each * (Fraction(row["batch_factor"]) if batch else 1)
    return None


def _holds(row: Mapping[str, str], day: date | None) -> bool:
    """Whether a line is in force; without a day only one without dates is for certain."""
    if day is None:
        return not row["effective_from"] and not row["effective_to"]
    return row["effective_from"] <= day.isoformat() < (row["effective_to"] or "9999")


def region_factor(seller: Seller, day: date | None, region: str | None) -> Fraction:
    for row in book().modifiers:
        if (
            (row["provider"], row["surface"]) == (seller.provider, seller.surface)
            and region in row["regions"].split()
            and seller.model in row["models"].split()
            and _holds(row, day)
        ):
            return Fraction(row["factor"])
    return Fraction(1)


NOTHING: dict[str, Any] = dict.fromkeys(AMOUNTS)


def expected(call: Mapping[str, Any], seller: Seller | None, terms: Terms) -> dict[str, Any]:
    """The columns of `costs` for one call with a day; `seller` None is a name nobody knows."""
    used = Used(call)
    tier = call.get("service_tier") or "standard"
    if (
        seller
        and seller.provider == "anthropic"
        and call.get("inference_speed") == "fast"
        and tier != "batch"
    ):
        tier = "priority"  # where the fast mode is listed, whatever the log says of the tier
    operation = call.get("operation_name")
    free = dict.fromkeys(AMOUNTS, Fraction(0))
    if call.get("gateway_cache_hit") or call["status"] == "error":
        return free | {"price_status": "not_billed"}
    if call["status"] == "cancelled" and tier == "batch":
        return free | {"price_status": "not_billed"}
    if seller and (seller.provider, seller.surface, operation) in book().free:
        return free | {"price_status": "free"}
    counted = call["tokens_source"] != "missing" and call.get("input_tokens") is not None
    silent = counted and call.get("output_tokens") is not None and used.is_nothing and used.is_sound
    paid_otherwise = operation in ("image", "audio", "rerank") or (call.get("logged_cost") or 0) > 0
    if silent and not paid_otherwise:
        return free | {"price_status": "not_billed"}
    if not counted or silent or not used.is_sound:
        return NOTHING | {"price_status": "unpriced_tokens"}
    if seller is None:
        return NOTHING | {"price_status": "unpriced_model"}
    return _priced(call, seller, terms, tier)


def _priced(call: Mapping[str, Any], seller: Seller, terms: Terms, tier: str) -> dict[str, Any]:
    used = Used(call)
    moment = call.get("started_at") or call.get("ended_at")
    day = moment.date() if moment else None
    lines = book().of(seller)
    region = region_factor(seller, day, call.get("inference_region"))

    def card(of_tier: str, factor: Fraction) -> Card:
        rates = in_force(seller, of_tier, day, used.prompt, lines, terms)
        rule = book().cache_rules.get((seller.provider, seller.surface), {})
        # what a call was paid at may not be guessed; what it would be at may be set too high
        plain_without = rule.get("unpublished_rate") == "input" or of_tier != tier
        return Card(rates, rule.get("caching") == "automatic", plain_without, region * factor)

    alive = any(card(other, Fraction(1)).rates for other in TIERS)
    listed = card(tier, Fraction(1))
    committed = (
        seller.provider == "anthropic"
        and tier == "priority"
        and call.get("inference_speed") != "fast"
    )
    if not alive and tier in TIERS and not committed:
        return NOTHING | {"price_status": "unpriced_date"}
    if listed.rate("input") is None or committed:
        known = day is not None or tier not in TIERS or committed
        return NOTHING | {"price_status": "unpriced_tier" if known else "unpriced_date"}
    no_output = call.get("output_tokens") is None and listed.rate("output") is not None
    counts = quantities(used, listed.rates)
    fee = fees(seller, day, used["web_search_requests"], batch=tier == "batch")
    list_tokens = listed.total(counts)
    if list_tokens is None or fee is None or no_output or counts is None:
        return NOTHING | {"price_status": "unpriced_tokens"}
    own = card(tier, terms.factor(seller, tier)).total(counts)
    assert own is not None
    answer: dict[str, Any] = {
        "price_status": "priced",
        "list_cost": list_tokens + fee,
        "contracted_cost": own + fee,
        "effective_cost": own + fee,
    }
    flex = card("flex", terms.factor(seller, "flex"))
    flex_tokens = flex.total(quantities(used, listed.rates | flex.rates))
    if not flex.sells_all_of(listed):
        flex_tokens = None
    answer["flex_cost"] = None if flex_tokens is None else flex_tokens + fee
    if tier == "batch":
        return answer | dict.fromkeys(SCENARIOS, own + fee) | {"batch_status": "already_batch"}
    batch = card("batch", terms.factor(seller, "batch"))
    # a kind that is special where it was paid stays special: it may not turn into cheap text
    counts = quantities(used, listed.rates | batch.rates) if batch.sells_all_of(listed) else None
    return answer | _in_a_batch(seller, used, day, batch, counts, terms.hit_share(seller))


def _in_a_batch(
    seller: Seller,
    used: Used,
    day: date | None,
    batch: Card,
    counts: Mapping[str, int] | None,
    measured: Fraction | None,
) -> dict[str, Any]:
    rule = book().cache_rules.get((seller.provider, seller.surface), {})
    documented = Fraction(rule["expected_hit_share"]) if rule.get("expected_hit_share") else None
    share = documented if measured is None else measured
    fee = fees(seller, day, used["web_search_requests"], batch=True)
    tokens = scenarios(batch, counts, share) if counts is not None else [None] * 3
    line = batch.rates.get("input")
    if tokens[0] is None or fee is None:
        refused = line is not None and line.rule == "not_offered"
        return dict.fromkeys(SCENARIOS) | {"batch_status": "not_offered" if refused else "unknown"}
    amounts = [None if amount is None else amount + fee for amount in tokens]
    return dict(zip(SCENARIOS, amounts, strict=True)) | {"batch_status": "published"}
