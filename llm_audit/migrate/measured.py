"""Layers 0 and 2 from the ledger's figures: delivery, failures, turnaround, cost per token kind."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache

from llm_audit.migrate.ledger import Ledger, Outcome, Rate, ShardRow
from llm_audit.migrate.model import RequestState
from llm_audit.migrate.pairs import Claim
from llm_audit.migrate.results import ANSWERED
from llm_audit.migrate.verification import (
    Batch,
    Cost,
    Delivery,
    Drift,
    Failures,
    Share,
    TokenLine,
    Turnaround,
    spread,
)
from llm_audit.prices import catalogue, names
from llm_audit.text import printable

_ENDED = ANSWERED | {
    RequestState.REJECTED,
    RequestState.RETRYABLE,
    RequestState.MISSING,
    RequestState.LOST,
}
"""States with one end; a conflict has two, and what is on its way has none yet."""

_EXPIRED = frozenset({"expired", "batch_expired"})


def is_answered(outcome: Outcome) -> bool:
    """Whether it has one answer, and is paid for."""
    return outcome.state in ANSWERED and outcome.kind in ANSWERED


def delivery(
    outcomes: Sequence[Outcome], claims: Mapping[str, Claim], odd_lines: Mapping[str, int]
) -> Delivery:
    """Layer 0."""
    answered = [outcome for outcome in outcomes if is_answered(outcome)]
    named = [outcome for outcome in answered if outcome.new_model]
    drift: Counter[tuple[str, str]] = Counter()
    for outcome in named:
        logged = claims[outcome.call_id].response_model if outcome.call_id in claims else None
        if logged and outcome.new_model and logged != outcome.new_model:
            drift[printable(logged, 80), printable(outcome.new_model, 80)] += 1
    states = Counter(outcome.state.value for outcome in outcomes)
    ended = sum(
        outcome.state in _ENDED and (outcome.state not in ANSWERED or is_answered(outcome))
        for outcome in outcomes
    )
    same = sum(family(outcome.model) == family(outcome.new_model or "") for outcome in named)
    return Delivery(
        requests=len(outcomes),
        answered=Share(len(answered), len(outcomes)),
        one_end=Share(ended, len(outcomes)),
        states=dict(sorted(states.items())),
        odd_lines=dict(sorted(odd_lines.items())),
        model_family=Share(same, len(named)),
        drift=tuple(Drift(*pair, requests) for pair, requests in drift.most_common()),
    )


@cache
def family(model: str) -> str:
    """A model's name without the snapshot, as the price tables read it."""
    return names.parse(model, _words()).model or model


@cache
def _words() -> dict[str, object]:
    return tomllib.loads((catalogue.folder() / "names.toml").read_text("utf-8"))


def failures(rows: int, codes: Mapping[str, int]) -> Failures:
    """Expiry and error rates. rows: of all generations, the answered ones included."""
    expired = sum(count for code, count in codes.items() if code in _EXPIRED)
    return Failures(
        expired=Share(expired, rows),
        errors=Share(sum(codes.values()) - expired, rows),
        codes={printable(code, 80): count for code, count in codes.items()},
    )


def batches(shards: Sequence[ShardRow]) -> tuple[Batch, ...]:
    """Those that the vendor has ended, in the order of submission."""
    return tuple(
        Batch(
            run_id=shard.run_id,
            batch_id=printable(shard.batch_id, 120),
            vendor=shard.vendor.value,
            model=printable(shard.model, 80),
            status=shard.provider_status and printable(shard.provider_status, 40),
            requests=shard.requests,
            seconds=round(shard.ended_at_remote - shard.created_at_remote, 3),
        )
        for shard in shards
        if shard.batch_id
        and shard.created_at_remote is not None
        and shard.ended_at_remote is not None
    )


def turnaround(ended: Sequence[Batch]) -> tuple[Turnaround, ...]:
    """By vendor."""
    found = []
    for vendor in sorted({batch.vendor for batch in ended}):
        times = spread([batch.seconds for batch in ended if batch.vendor == vendor])
        if times is not None:
            found.append(Turnaround(vendor, times))
    return tuple(found)


# --- layer 2 --------------------------------------------------------------------------------------


def _fresh(outcome: Outcome) -> int:
    return (
        outcome.new_input_tokens
        - outcome.cache_read_input_tokens
        - outcome.cache_creation_5m_input_tokens
        - outcome.cache_creation_1h_input_tokens
    )


_Kind = tuple[str, str, Callable[[Outcome], int], Callable[[Rate], Decimal]]

_KINDS: tuple[_Kind, ...] = (
    ("input", "fresh", _fresh, lambda rate: rate.input),
    ("cached_input", "read", lambda o: o.cache_read_input_tokens, lambda rate: rate.cached),
    (
        "cache_write_5m",
        "write_5m",
        lambda o: o.cache_creation_5m_input_tokens,
        lambda rate: rate.write_5m,
    ),
    (
        "cache_write_1h",
        "write_1h",
        lambda o: o.cache_creation_1h_input_tokens,
        lambda rate: rate.write_1h,
    ),
    ("output", "output", lambda o: o.new_output_tokens, lambda rate: rate.output),
)
"""Kind, its columns in a `Claim`, and what it is in a row and in a rate."""


def cost(ledger: Ledger, outcomes: Sequence[Outcome], claims: Mapping[str, Claim]) -> Cost:
    """Layer 2, of the answered ones among `outcomes`."""
    answered = [outcome for outcome in outcomes if is_answered(outcome)]
    priced = [outcome for outcome in answered if outcome.cost is not None]
    rates = _Rates(ledger)
    lines = tuple(line for kind in _KINDS if (line := _line(kind, priced, claims, rates)))
    claimed = sum((outcome.batch_cost for outcome in priced), Decimal(0))
    told = [outcome for outcome in answered if outcome.new_input_tokens]  # else: no usage came
    counted = [outcome for outcome in told if outcome.input_tokens]
    ratios = [o.new_output_tokens / o.output_tokens for o in told if o.output_tokens]
    known = [claims[o.call_id] for o in answered if o.call_id in claims]
    return Cost(
        requests=len(priced),
        unpriced=len(answered) - len(priced),
        sync_cost=sum((outcome.sync_cost for outcome in priced), Decimal(0)),
        claimed_cost=claimed,
        measured_cost=sum((outcome.cost or Decimal(0) for outcome in priced), Decimal(0)),
        lines=lines,
        other_claimed=claimed - sum((line.claimed_cost for line in lines), Decimal(0)),
        prompt_equal=Share(
            sum(o.input_tokens == o.new_input_tokens for o in counted), len(counted)
        ),
        output_ratio=spread(ratios),
        cached_logged=Share(
            sum(claim.read_tokens for claim in known),
            sum(o.input_tokens for o in answered if o.call_id in claims),
        ),
        cached_measured=Share(
            sum(o.cache_read_input_tokens for o in answered),
            sum(o.new_input_tokens for o in answered),
        ),
    )


class _Rates:
    """The rate of each row; looked up once per run and model."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[tuple[str, str, str], list[Rate]] = {}

    def of(self, outcome: Outcome) -> Rate:
        key = (outcome.run_id, outcome.vendor.value, outcome.model)
        if key not in self._known:
            run_id, vendor, model = outcome.run_id, outcome.vendor, outcome.model
            self._known[key] = self._ledger.rates(run_id, vendor, model)
        tokens = outcome.new_input_tokens
        return next(r for r in self._known[key] if r.from_tokens <= tokens < r.below_tokens)


def _line(
    kind: _Kind, priced: Sequence[Outcome], claims: Mapping[str, Claim], rates: _Rates
) -> TokenLine | None:
    name, column, tokens_of, rate_of = kind
    claimed_tokens, claimed_cost = 0, Decimal(0)
    measured_tokens, measured_cost = 0, Decimal(0)
    for outcome in priced:
        claim = claims.get(outcome.call_id)
        if claim is not None:
            claimed_tokens += getattr(claim, f"{column}_tokens")
            claimed_cost += getattr(claim, f"{column}_cost")
        tokens = tokens_of(outcome)
        measured_tokens += tokens
        measured_cost += tokens * rate_of(rates.of(outcome))
    if not claimed_tokens and not measured_tokens:
        return None
    return TokenLine(name, claimed_tokens, measured_tokens, claimed_cost, measured_cost)
