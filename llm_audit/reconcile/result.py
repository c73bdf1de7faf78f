"""One reconciliation as frozen dataclasses, whose field names are the keys of its JSON.

Amounts of the basis `tokens` are whole numbers, those of the basis `usd` are `Decimal` dollars; the
two never meet. A gap is theirs minus ours: above 0, the provider counts more than our log does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

SCHEMA_VERSION = 1
"""Raised when a key changes its meaning or goes; a new key alone does not raise it."""

Amount = Decimal | int

ELSEWHERE = ("outside_period", "model_not_in_log", "key_not_in_log")
"""What is in the export and not in this log, and so tells nothing about our figures."""


@dataclass(frozen=True)
class Part:
    """What one cause adds to the gap.

    estimate_usd is what tokens would cost at our rates: no part of any amount, and None where a
    rate is missing or the basis is usd.
    """

    cause: str
    amount: Amount
    estimate_usd: Decimal | None


@dataclass(frozen=True)
class Comparison:
    """One provider on one basis ('tokens' or 'usd'). The parts add up to the gap.

    Days are those that the export covers (UTC); the log's period is from the provider's first call
    to its last, on log_days days, of which log_days_compared are covered by the export, at least
    for one endpoint; calls_not_compared and cost_not_compared (USD) are ours on other days and
    endpoints. by_model and by_kind: whether every day could be compared per model and per kind.
    lines are the export's lines compared; lines_set_aside are of exports that repeat a day,
    lines_left_out have no day, no kind or an impossible amount, lines_rejected could not be read.
    pages_missing: exports that say that more follow. unexplained_size adds up the unexplained of
    every row without regard to its sign.
    """

    provider_name: str
    basis: str
    first_day: date
    last_day: date
    first_call_at: datetime | None
    last_call_at: datetime | None
    calls_without_time: int
    log_days: int
    log_days_compared: int
    calls_not_compared: int
    cost_not_compared: Decimal
    by_model: bool
    by_kind: bool
    lines: int
    lines_set_aside: int
    lines_left_out: int
    lines_rejected: int
    pages_missing: int
    ours: Amount
    theirs: Amount
    gap: Amount
    parts: tuple[Part, ...]
    unexplained_size: Amount
    verdict: str


@dataclass(frozen=True)
class Row:
    """One day, model and token kind whose gap has a part; `cause` is the largest one.

    model None stands for all models, token_kind 'cost' for all kinds.
    """

    provider_name: str
    basis: str
    day: date
    model: str | None
    token_kind: str
    ours: Amount
    theirs: Amount
    gap: Amount
    cause: str
    parts: dict[str, Amount]


@dataclass(frozen=True)
class Reconciliation:
    """All comparisons, and their rows, the largest first within each comparison."""

    schema_version: int
    tool_version: str
    generated_at: datetime
    pricing_version: str
    comparisons: tuple[Comparison, ...]
    rows: tuple[Row, ...]
