"""The parts of a policy, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from llm_audit.policy.places import Place, Source

PACKAGED = "rules.toml"
"""The file with the rules that come with the program."""

OVERRIDE_CODE = "OVERRIDE"
"""The code under which an owner's override stands among the reasons (`sql/36_reasons.sql`)."""

KINDS = ("declared", "veto", "evidence", "words", "note")
"""What a rule is, strongest first. A note weighs nothing: it says what the log does not tell."""


@dataclass(frozen=True)
class Rule:
    """One rule: when it fires, what it says about one criterion, and how strongly (log2 odds)."""

    code: str
    criterion: str
    kind: str
    when: str
    weight: float
    evidence: str
    why: str
    tests: tuple[Mapping[str, Any], ...] = ()
    place: Place = field(default=Place(Source(PACKAGED)), compare=False)

    @property
    def is_packaged(self) -> bool:
        """Whether it comes with the program."""
        return self.place.source.name == PACKAGED


LONGEST_SIGNED = {"because": 250, "by": 60}
"""Most characters of an override's reason and signature: what a report shows without cutting."""


@dataclass(frozen=True)
class Override:
    """What an owner says about workloads: a label, or how long a result may take (seconds).

    `caller`, `workload`, `model` and `operation` are globs (see `policy.globs`); all must match.
    `place` is where it was read, None for one that was not.
    """

    caller: str
    workload: str
    model: str
    operation: str
    label: str | None
    tolerance_s: float | None
    because: str
    by: str
    until: date | None
    place: Place | None = field(default=None, compare=False)

    @property
    def names(self) -> str:
        """Whom it is about, as the user wrote it: `caller = 'etl-*'`."""
        globs = {
            "caller": self.caller,
            "workload": self.workload,
            "model": self.model,
            "operation": self.operation,
        }
        named = [f"{key} = {glob!r}" for key, glob in globs.items() if glob != "*"]
        return ", ".join(named) or "caller = '*'"

    @property
    def where(self) -> str:
        """The same with its line, for a warning: `llm-audit.toml, line 9, the override of ...`."""
        what = f"the override of {self.names}"
        return f"{replace(self.place, words='')}, {what}" if self.place else what

    @property
    def sentence(self) -> str:
        """The override as one sentence for the report."""
        return f"{self.decision}: {self.because} {self.signature}"

    @property
    def decision(self) -> str:
        """What the owner says, without why."""
        if self.label:
            return f"the owner labels this {self.label}"
        return f"the owner allows {duration_text(self.tolerance_s or 0.0)} for a result"

    @property
    def signature(self) -> str:
        """Who says so, and until when."""
        limit = f", until {self.until.isoformat()}" if self.until else ""
        return f"({self.by}{limit})"


@dataclass(frozen=True)
class PriceMultiplier:
    """A negotiated price: the published rate times `multiplier`. Globs; an empty tier means any.

    A contract is with a seller: `surface` is who sells, the model's own maker unless said.
    """

    provider: str
    model: str
    tier: str
    multiplier: float
    surface: str = "first_party"


PRICE_KINDS = (
    "input",
    "cached_input",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "audio_input",
    "audio_output",
    "image_input",
    "image_output",
)
"""The token kinds that a rate may be given for: those of the price data."""


@dataclass(frozen=True)
class UserPrice:
    """The user's own rates of one model and tier: USD per million tokens, by token kind.

    `provider`, `surface` and `model` are exact names as in the price data. The rates hold from
    `effective_from` (None: always did) until, not including, `effective_to` (None: still do).
    """

    provider: str
    surface: str
    model: str
    tier: str
    effective_from: date | None
    effective_to: date | None
    rates: Mapping[str, Decimal]
    because: str

    @property
    def names(self) -> str:
        """Which model and tier it prices, as the price data writes them."""
        return f"{self.provider}/{self.surface}/{self.model} ({self.tier})"


LEAST_BATCHES = 20
"""Batches that a turnaround is taken from: were all alike, the next one would take longer than the
longest of 20 once in 21 times."""

LEAST_REQUESTS = 1_000
"""Requests with cached tokens that a share of cache hits is taken from."""

MEASURED_HOLDS = timedelta(days=180)
"""After this time a measurement should be taken again: vendors change their queues and caches."""


@dataclass(frozen=True)
class CacheHits:
    """Of the tokens that logged calls read from the cache, the share that a batch of the same
    requests read from it too (0 to 1, two decimals); and of how many such requests.
    """

    share: Decimal
    requests: int


@dataclass(frozen=True)
class Turnaround:
    """Seconds within which 9 of 10 batches came back, those of the longest, and of how many."""

    p90_s: float
    max_s: float
    batches: int


@dataclass(frozen=True)
class Measured:
    """What the user's own batches of a model showed; of the two, what was not measured is None.

    `provider` and `model` are names of the price data; batches are bought of the model's own maker.
    measured_on: the day on which the last of the batches came back.
    """

    provider: str
    model: str
    hits: CacheHits | None
    turnaround: Turnaround | None
    measured_on: date
    place: Place | None = field(default=None, compare=False)

    @property
    def names(self) -> tuple[str, str]:
        """Which model it is about."""
        return self.provider, self.model

    @property
    def where(self) -> str:
        """`llm-audit.toml, line 9, the measurement of openai gpt-4.1`, for a warning."""
        what = f"the measurement of {self.provider} {self.model}"
        return f"{replace(self.place, words='')}, {what}" if self.place else what

    @property
    def hits_sentence(self) -> str | None:
        """The cache hits, for the report."""
        if self.hits is None:
            return None
        return (
            f"your own batches read {self.hits.share:.0%} of the tokens from the cache that "
            f"{self.hits.requests:,} logged calls had read from it (measured {self.measured_on})"
        )

    @property
    def turnaround_sentence(self) -> str | None:
        """The turnaround, for the report."""
        if self.turnaround is None:
            return None
        found = self.turnaround
        return (
            f"9 of 10 of your own batches came back within {duration_text(found.p90_s)}, the "
            f"longest took {duration_text(found.max_s)} ({found.batches:,} batches, measured "
            f"{self.measured_on})"
        )


@dataclass(frozen=True)
class Thresholds:
    """Scores (log2 odds) at which a criterion is supported, hinted or contradicted."""

    supported: float
    hinted: float
    contradicted: float


def duration_text(seconds: float) -> str:
    """Seconds as a person says them: `90 s`, `15 min`, `24 h`."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size or seconds == size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.1f}".removesuffix(".0") + " s"
