"""The price data's record types: one dataclass per CSV file of `pricing/`, its fields the columns.

`pricing/README.md` says what each column means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from llm_audit.policy.parts import PRICE_KINDS

TOKEN_KINDS = PRICE_KINDS
RULES = ("published", "derived", "none_published", "not_offered")
USER_RULE = "user"
"""The rule of rates from the user's own llm-audit.toml; no file of `pricing/` has it."""


@dataclass(frozen=True)
class Row:
    """A line of a CSV file; `where` is its file and line, for messages."""

    where: str = field(kw_only=True, default="", compare=False)


@dataclass(frozen=True)
class PriceRow(Row):
    """One rate: USD per million tokens of one kind, from a day until (not including) another.

    `snapshot` None is the base row of a model, valid for every snapshot without rows of its own.
    `usd_per_mtok` None means that no rate is known; `rule` says why. It is never zero.
    """

    provider: str
    surface: str
    model: str
    snapshot: str | None
    tier: str
    region_scope: str
    band_min_tokens: int | None
    band_operator: str | None
    token_kind: str
    usd_per_mtok: Decimal | None
    effective_from: date
    effective_to: date | None
    from_basis: str
    rule: str
    source: str
    retrieved_on: date
    verified_on: date
    note: str | None

    @property
    def model_key(self) -> str:
        """What calls and rates are joined on."""
        return model_key(self.provider, self.surface, self.model, self.snapshot)

    @property
    def from_tokens(self) -> int:
        """The smallest prompt, in tokens, that falls into this row's band."""
        if self.band_min_tokens is None:
            return 0
        return self.band_min_tokens + (1 if self.band_operator == ">" else 0)

    @property
    def usd_per_token(self) -> Decimal | None:
        """The rate that quantities are multiplied with: a column of `price_rows`."""
        return None if self.usd_per_mtok is None else self.usd_per_mtok.scaleb(-6)

    @property
    def is_live(self) -> bool:
        """A rate announced ahead counts only once someone has looked again on or after its day."""
        return self.effective_from <= self.verified_on


@dataclass(frozen=True)
class Alias(Row):
    """Another name of a model or of one of its snapshots."""

    provider: str
    alias: str
    model: str
    snapshot: str | None
    valid_from: date | None
    valid_to: date | None
    source: str
    note: str | None


@dataclass(frozen=True)
class Lifecycle(Row):
    """The day a model leaves a surface, and what to look at instead (our suggestion)."""

    provider: str
    surface: str
    model: str
    snapshot: str | None
    retired_on: date
    status: str
    look_at: str | None
    source: str
    note: str | None

    @property
    def model_key(self) -> str:
        """The price rows that this retirement speaks of."""
        return model_key(self.provider, self.surface, self.model, self.snapshot)


@dataclass(frozen=True)
class UnitFee(Row):
    """A fee per use, not per token; `batch_factor` 1 means a batch pays it in full."""

    provider: str
    surface: str
    fee: str
    unit: str
    usd_per_unit: Decimal
    batch_factor: Decimal
    effective_from: date | None
    effective_to: date | None
    source: str
    retrieved_on: date
    verified_on: date
    note: str | None


@dataclass(frozen=True)
class CacheRule(Row):
    """How a provider bills cached tokens where the price rows alone do not say."""

    provider: str
    surface: str
    caching: str
    unpublished_rate: str
    expected_hit_share: Decimal
    source: str
    note: str | None


@dataclass(frozen=True)
class FreeOperation(Row):
    """An endpoint that costs nothing."""

    provider: str
    surface: str
    operation_name: str
    source: str
    note: str | None


@dataclass(frozen=True)
class Modifier(Row):
    """A factor on every token rate of some models where they run in some regions.

    `regions` and `models` are names with spaces between them. Fees per use are not scaled.
    """

    provider: str
    surface: str
    regions: str
    models: str
    factor: Decimal
    effective_from: date | None
    effective_to: date | None
    source: str
    retrieved_on: date
    verified_on: date
    note: str | None


@dataclass(frozen=True)
class BatchTerms(Row):
    """What a provider promises about its batch endpoint: in words, and the limits in numbers.

    `window_hours` is when a batch ends at the latest, `max_requests` and `max_bytes` are the limits
    of one batch; None is unknown. The limit on queued tokens depends on the account, hence words.
    """

    provider: str
    surface: str
    io_discount: Decimal | None
    window: str | None
    window_hours: int | None
    max_requests: int | None
    max_bytes: int | None
    max_queued_tokens: str | None
    cached_tokens: str | None
    exceptions: str | None
    already_batch_marker: str | None
    source: str


@dataclass(frozen=True)
class Release(Row):
    """A version of this data and the digest of its files."""

    version: str
    sha256: str
    released_on: date
    note: str | None


def model_key(provider: str, surface: str, model: str, snapshot: str | None) -> str:
    """`openai/first_party/gpt-4o@2024-08-06`; without a snapshot the base rows."""
    return f"{provider}/{surface}/{model}" + (f"@{snapshot}" if snapshot else "")
