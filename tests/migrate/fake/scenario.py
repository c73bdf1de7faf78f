"""What a test asks of the fake: limits, faults, the life of each batch, the outcome of each row.

Read from JSON; a key or a word that is not known is refused, so that a typo is not a passing test.
The package docstring describes every key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")

STRICT_CUSTOM_ID = r"^[a-zA-Z0-9_-]{1,64}$"
"""Anthropic's rule. OpenAI documents none; the fake holds both vendors to it (batch.md 1.1)."""
VENDORS = ("openai", "anthropic")
STATUSES = ("validating", "in_progress", "finalizing", "completed", "expired", "cancelled")
BILLED = frozenset(("ok", "split", "truncated", "refusal", "filtered", "tool_use", "pause_turn"))
"""Outcomes that carry an answer: processed, and paid for."""
TWISTS = (
    "no_usage",
    "float_usage",
    "negative_usage",
    "huge_usage",
    "cached_over_input",
    "status_text",
    "status_float",
    "status_absent",
    "odd_model",
    "deep",
)
"""What can be odd about the line of an answer (twists.py)."""
UNBILLED = frozenset(
    [
        "bad_request",
        "no_status",
        "rate_limited",
        "server_error",
        "overloaded",
        "timeout",
        "expired",
        "canceled",
        "credit",
        "no_model",
        "unwrapped",
    ]
)
REPLIES = ("reset", "close", "cut")
BODIES = ("json", "html", "empty")
STRANGERS = ("surrogate", "control", "long", "empty", "number")


class ScenarioError(ValueError):
    """A scenario that says something the fake does not know."""


@dataclass(frozen=True)
class Clock:
    """start: unix seconds at which the clock stands, else it is the real one. Steps: seconds."""

    start: float | None = None
    per_request: float = 0.0
    per_poll: float = 0.0


@dataclass(frozen=True)
class OpenAILimits:
    """batch.md 1.1. enqueued_tokens: by model, "*" for the others; models: None for any."""

    requests: int = 50_000
    file_bytes: int = 200_000_000
    upload_bytes: int = 512_000_000
    embedding_inputs: int = 50_000
    metadata_pairs: int = 16
    metadata_key: int = 64
    metadata_value: int = 512
    custom_id: str = STRICT_CUSTOM_ID
    enqueued_tokens: dict[str, int] = field(default_factory=dict)
    batches_per_hour: int = 2_000
    requests_per_minute: int | None = None
    models: list[str] | None = None
    window_seconds: float = 86_400
    file_seconds: float = 2_592_000


@dataclass(frozen=True)
class AnthropicLimits:
    """batch.md 1.2."""

    requests: int = 100_000
    body_bytes: int = 256_000_000
    custom_id: str = STRICT_CUSTOM_ID
    queued_requests: int = 500_000
    requests_per_minute: int | None = None
    models: list[str] | None = None
    window_seconds: float = 86_400
    results_seconds: float = 29 * 86_400


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with some calls of an operation."""

    op: str
    nth: int | str | list[int] | None = None
    per: str = "op"
    batch: int | None = None
    when: str = "before"
    reply: int | str | None = None
    delay: float = 0.0
    retry_after: float | str | None = None
    type: str | None = None
    code: str | None = None
    message: str | None = None
    body: Any = "json"
    at: float = 0.5
    at_line: int | None = None
    length: bool = True
    late: float = 0.0
    query: dict[str, str] | None = None
    drop: list[str] = field(default_factory=list)
    put: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        is_nth(self.nth, 1)
        known(self.when, ("before", "after", "late"), "when")
        known(self.per, ("op", "object"), "per")
        if isinstance(self.body, str):
            known(self.body, BODIES, "body")
        if isinstance(self.reply, str):
            known(self.reply, REPLIES, "reply")
        if self.reply == "cut" and self.when != "after":
            raise ScenarioError('"cut" cuts a real reply: it needs "when": "after"')
        if self.when == "late" and (self.reply is None or self.late <= 0):
            raise ScenarioError('"when": "late" needs "late": seconds, and a "reply"')

    def strikes(self, op: str, nth_op: int, nth_object: int, batch: int | None) -> bool:
        """Whether this call is meant: by operation, by ordinal, by which batch it is about."""
        nth = nth_op if self.per == "op" else nth_object
        meant = fnmatchcase(op, self.op) and (self.batch is None or self.batch == batch)
        return meant and is_nth(self.nth, nth)


@dataclass(frozen=True)
class BatchPlan:
    """How a batch lives; chosen when it is created, the first plan whose selectors fit it."""

    vendor: str | None = None
    nth: int | str | list[int] | None = None
    model: str | None = None
    custom_id: str | None = None
    polls: list[str] = field(default_factory=lambda: ["in_progress", "completed"])
    ends_after: float = 0.0
    done: float = 0.5
    cancel_polls: int = 1
    not_found: int = 0
    unlisted: int = 0
    results_not_found: int = 0
    output_late: int = 0
    files_after: float = 0.0
    fail: list[Json] = field(default_factory=list)
    fail_done: float = 0.0
    shuffle: bool = True
    duplicate: list[int] = field(default_factory=list)
    conflict: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    bad_json: list[int] = field(default_factory=list)
    stranger: int = 0
    stranger_ids: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    no_errors: str = "null"
    counts: Json | str | None = "right"
    usage: bool = True
    results_url: str | None = None
    cache_read: float = 0.0
    cache_write: float = 0.0
    answered_model: str | None = None
    drop: list[str] = field(default_factory=list)
    put: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        is_nth(self.nth, 1)
        for kind in self.stranger_ids:
            known(kind, STRANGERS, "stranger_ids")
        for status in self.polls:
            known(status, STATUSES, "polls")
        for which in self.gone:
            known(which, ("output", "error", "results"), "gone")
        known(self.no_errors, ("null", "blank_id", "empty_file"), "no_errors")
        if isinstance(self.counts, str):
            known(self.counts, ("right", "all_completed"), "counts")

    def fits(self, vendor: str, nth: int, model: str | None, first_id: str) -> bool:
        """Whether a new batch is one this plan is for."""
        return (
            self.vendor in (None, vendor)
            and is_nth(self.nth, nth)
            and (self.model is None or fnmatchcase(model or "", self.model))
            and (self.custom_id is None or fnmatchcase(first_id, self.custom_id))
        )


@dataclass(frozen=True)
class RowRule:
    """The outcome of some rows, and the form of their line: the first rule that fits, else `ok`."""

    outcome: str = "ok"
    twist: list[str] = field(default_factory=list)
    message: str | None = None
    vendor: str | None = None
    batch: int | str | list[int] | None = None
    lines: int | str | list[int] | None = None
    custom_id: str | None = None
    marker: str | None = None
    share: float = 1.0
    seed: str = ""
    attempt: int | str | list[int] | None = None

    def __post_init__(self) -> None:
        for ordinals in (self.batch, self.lines, self.attempt):
            is_nth(ordinals, 1)
        known(self.outcome, sorted(BILLED | UNBILLED), "outcome")
        for word in self.twist:
            known(word, TWISTS, "twist")

    def fits(
        self, vendor: str, batch: int, line: int, custom_id: str, marker: str, attempt: int
    ) -> bool:
        """Whether a row is meant. share: of markers, the same ones whatever the batch."""
        return (
            self.vendor in (None, vendor)
            and is_nth(self.batch, batch)
            and is_nth(self.lines, line)
            and (self.custom_id is None or fnmatchcase(custom_id, self.custom_id))
            and (self.marker is None or fnmatchcase(marker, self.marker))
            and is_nth(self.attempt, attempt)
            and (self.share >= 1.0 or lot(self.seed + self.outcome + marker) < self.share)
        )


@dataclass(frozen=True)
class Foreign:
    """Batches of somebody else in the account, that come with a create."""

    vendor: str | None = None
    nth: int | str | list[int] | None = 1
    when: str = "after"
    count: int = 1
    age: float = 0.0
    requests: int | None = None
    ended: bool = True
    life: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        is_nth(self.nth, 1)
        known(self.when, ("before", "after"), "when")
        build(BatchPlan, self.life)

    def comes(self, vendor: str, nth: int, when: str) -> bool:
        """Whether these come with the nth create of a vendor, before or behind it."""
        return self.vendor in (None, vendor) and self.when == when and is_nth(self.nth, nth)


@dataclass(frozen=True)
class Scenario:
    """All of it. accounts: fingerprints of the keys that are let in; None for any key."""

    clock: Clock = Clock()
    openai: OpenAILimits = OpenAILimits()
    anthropic: AnthropicLimits = AnthropicLimits()
    faults: tuple[Fault, ...] = ()
    batches: tuple[BatchPlan, ...] = ()
    rows: tuple[RowRule, ...] = ()
    foreign: tuple[Foreign, ...] = ()
    accounts: list[str] | None = None

    @classmethod
    def read(cls, data: Json) -> Scenario:
        """From its JSON form; ScenarioError names what is not known."""
        known_keys(cls, data)
        return cls(
            clock=build(Clock, data.get("clock", {})),
            openai=build(OpenAILimits, data.get("openai", {})),
            anthropic=build(AnthropicLimits, data.get("anthropic", {})),
            faults=tuple(build(Fault, item) for item in data.get("faults", ())),
            batches=tuple(build(BatchPlan, item) for item in data.get("batches", ())),
            rows=tuple(build(RowRule, item) for item in data.get("rows", ())),
            foreign=tuple(build(Foreign, item) for item in data.get("foreign", ())),
            accounts=data.get("accounts"),
        )

    def plan(self, vendor: str, nth: int, model: str | None, first_id: str) -> BatchPlan:
        """The plan of the nth batch of a vendor."""
        fitting = (plan for plan in self.batches if plan.fits(vendor, nth, model, first_id))
        return next(fitting, BatchPlan())

    def outcome(
        self, vendor: str, batch: int, line: int, custom_id: str, marker: str, attempt: int
    ) -> RowRule:
        """What becomes of a row: the first rule that fits."""
        for rule in self.rows:
            if rule.fits(vendor, batch, line, custom_id, marker, attempt):
                return rule
        return RowRule()


def build(kind: type[T], data: Json) -> T:
    """A dataclass from its JSON object."""
    known_keys(kind, data)
    try:
        return kind(**data)
    except TypeError as error:
        raise ScenarioError(f"{kind.__name__}: {error}") from error


def known_keys(kind: type, data: Json) -> None:
    """Refuse keys the dataclass has not."""
    unknown = set(data) - {each.name for each in fields(kind)}
    if unknown:
        raise ScenarioError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")


def known(word: str, words: tuple[str, ...] | list[str], what: str) -> None:
    """Refuse a word outside its list."""
    if word not in words:
        raise ScenarioError(f"{what}: {word!r} is none of {', '.join(words)}")


def is_nth(wanted: int | str | list[int] | None, nth: int) -> bool:
    """Ordinals from 1: a number, a list, "2-4", "3-" (from the third on); None for every one."""
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return nth == wanted
    if isinstance(wanted, list):
        return nth in wanted
    bounds = re.fullmatch(r"(\d+)-(\d*)", wanted)
    if not bounds:
        raise ScenarioError(f"{wanted!r} is no ordinal")
    return int(bounds[1]) <= nth <= int(bounds[2] or nth)


def lot(text: str) -> float:
    """A number in [0, 1) that is always the same for a text."""
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / 2**48
