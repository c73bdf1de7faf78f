"""The money of an explanation as text: how a model's name led to rates, and the sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_audit.explain.layout import count, exact, grid, per_million, usd, wrapped

if TYPE_CHECKING:
    from llm_audit.explain.result import Card, Costs, ModelName, Money

MOST_CARDS = 4
_STATUS = {
    "not_billed": "Nobody bills this: it failed, was cancelled before it cost anything, or was "
    "answered by the gateway's cache.",
    "free": "This endpoint costs nothing.",
    "unpriced_model": "No price: the model is not on the price card.",
    "unpriced_date": "No price: no rate is known for {days}.",
    "unpriced_tier": "No price: no rate is known for that service tier.",
    "unpriced_tokens": "No price: the log lacks token counts, or they contradict each other.",
}
_BATCH = {
    "published": "",
    "already_batch": "It is in a batch already: a batch costs what it costs.",
    "not_offered": "The seller offers no batch for this model.",
    "unknown": "No batch rate is known for this model and tier.",
}
_SCENARIOS = (
    ("conservative", "no cache hits in the batch: the headline"),
    ("expected", "the {basis} share of cache hits"),
    ("best", "cache hits as they were"),
)


def name_lines(names: Sequence[ModelName], width: int) -> list[str]:
    """How each model name of the log was read."""
    lines = []
    for name in names[:MOST_CARDS]:
        asked, answered = name.request_model, name.response_model
        written = answered or asked or "no model"
        said = f"{name.provider_name or 'no provider'}: {written}"
        if asked and answered and asked != answered:
            said += f" (asked for: {asked})"
        led = f"priced as {name.model_key}" if name.model_key else "not priced"
        how = name.match_method + (f"; taken off the name: {name.steps}" if name.steps else "")
        lines += wrapped(f"{said} -> {led} ({how})", width, first="  ", then="      ")
        if name.hint:
            lines += wrapped(name.hint, width, first="      ")
    if len(names) > MOST_CARDS:
        lines.append(f"  and {len(names) - MOST_CARDS:,} more names: --format json")
    return lines


def card_lines(cards: Sequence[Card], width: int) -> list[str]:
    """The sums of each card, the dearest first."""
    lines: list[str] = []
    for card in cards[:MOST_CARDS]:
        lines += ["", *_card(card, width)]
    if len(cards) > MOST_CARDS:
        lines += ["", f"  and {len(cards) - MOST_CARDS:,} more price cards: --format json"]
    return lines


def _card(card: Card, width: int) -> list[str]:
    head = [count(card.calls, "call")]
    if card.tier:
        head.append(f"{card.tier} tier")
    head.append(_days(card))
    if card.below_tokens or card.from_tokens:
        head.append(f"prompts from {card.from_tokens:,} tokens")
        if card.below_tokens:
            head[-1] = f"prompts of {card.from_tokens:,} to {card.below_tokens - 1:,} tokens"
    lines = wrapped(", ".join(head), width, first="  ")
    if card.price_status != "priced":
        status = _STATUS.get(card.price_status, card.price_status)
        days = "calls without a time" if card.first_day is None else _days(card)
        return [*lines, *wrapped(status.replace("{days}", days), width, first="  ")]
    lines += grid(
        ("", "Quantity", "x rate", "= USD", "batch rate", "= USD"),
        [
            *(
                [
                    line.kind,
                    f"{line.quantity:,}",
                    per_million(line.paid_rate),
                    exact(line.paid_cost),
                    per_million(line.batch_conservative_rate),
                    exact(line.batch_conservative_cost),
                ]
                for line in card.lines
            ),
            ["total", "", "", exact(card.effective_cost), "", exact(card.batch_conservative)],
        ],
        right=(1, 2, 3, 4, 5),
        indent="    ",
    )
    lines += wrapped(f"Rates are USD per million, from {_sources(card)}.", width, first="    ")
    for text in _remarks(card):
        lines += wrapped(text, width, first="    ")
    return lines


def _days(card: Card) -> str:
    if card.first_day is None:
        return "no time in the log"
    if card.first_day == card.last_day:
        return card.first_day.isoformat()
    return f"{card.first_day} to {card.last_day}"


def _sources(card: Card) -> str:
    """`openai.csv:198 (input), :199 (cached_input)`: the rows that the rates come from."""
    places = []
    last = ""
    for line in card.lines:
        if line.row is None:
            places.append(f"unit_fees.csv ({line.kind})" if line.kind == "web_search" else "")
            continue
        file, _, number = line.row.where.partition(":")
        instead = f" at the {line.row.token_kind} rate" if line.row.token_kind != line.kind else ""
        place = f":{number}" if number and file == last else line.row.where
        places.append(f"{place} ({line.kind}{instead})")
        last = file
    return ", ".join(filter(None, places)) or "the price data"


def _remarks(card: Card) -> list[str]:
    remarks = []
    if card.region_factor is not None:
        remarks.append(f"The rates hold the region's factor of {exact(card.region_factor)}.")
    if card.contract_factor not in (None, 1):
        remarks.append(
            f"The rates hold your contract's factor of {exact(card.contract_factor)}; at list "
            f"price it would be {exact(card.list_cost)} USD."
        )
    if card.batch_status and _BATCH.get(card.batch_status):
        remarks.append(_BATCH[card.batch_status])
    remarks += _measured(card)
    if card.flex_cost is not None and card.flex_cost != card.effective_cost:
        remarks.append(f"On the flex tier: {exact(card.flex_cost)} USD.")
    return remarks


def _measured(card: Card) -> list[str]:
    """The rate that a measured share of cache hits makes of those in a batch."""
    cached = next((line for line in card.lines if line.kind == "cached_input"), None)
    if cached is None or card.measured_hits is None or card.expected_hit_share is None:
        return []
    said = card.measured_hits[0].upper() + card.measured_hits[1:]
    return [
        f"{said}: expected are {exact(card.expected_hit_share)} x the batch rate of a hit + "
        f"{exact(1 - card.expected_hit_share)} x that of a token written anew = "
        f"{per_million(cached.batch_expected_rate)} for cached_input, and so "
        f"{exact(card.batch_expected)} USD in a batch."
    ]


def scenario_lines(money: Money | Costs, cards: Sequence[Card], width: int) -> list[str]:
    """A batch in its three cache scenarios; one line where they are the same."""
    measured = any(card.measured_hits and card.batch_status == "published" for card in cards)
    basis = "measured" if measured else "documented"
    costs = [getattr(money, f"batch_cost_{name}") for name, _ in _SCENARIOS]
    if costs[0] is None:
        return []
    if len(set(costs)) == 1:
        return wrapped(
            f"In a batch: {exact(costs[0])} USD, whatever the cache does.", width, first="  "
        )
    return [
        "  In a batch:",
        *(
            f"    {name:<13} {exact(cost)} USD, {meaning.format(basis=basis)}"
            for (name, meaning), cost in zip(_SCENARIOS, costs, strict=True)
        ),
    ]


def money_sentence(money: Money) -> str:
    """What a part of a workload costs, would cost in a batch, and what to do."""
    if money.advice == "unpriced":
        return "No price is known for these calls, so no saving either: MONEY below says why."
    if money.effective_cost is None or (money.priced_calls == 0 and money.unpriced_calls):
        return money.note
    said = f"Cost {usd(money.effective_cost)}"
    if money.unpriced_calls:
        said += f" ({money.unpriced_calls:,} calls have no price)"
    if money.batch_cost_conservative is not None and money.advice != "already_batch":
        said += f"; in a batch {usd(money.batch_cost_conservative)}"
    return f"{said}. {money.note}"
