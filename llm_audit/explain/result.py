"""One explanation as frozen dataclasses, whose field names are the keys of its JSON.

Money is `Decimal` USD, rates are USD per token (or per request), both exact. None is unknown, never
zero. Texts from a log are as the log has them: whoever prints them makes them printable.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

SCHEMA_VERSION = 2
"""Raised when a key changes its meaning or goes; a new key alone does not raise it."""


@dataclass(frozen=True)
class Reason:
    """A rule that fired. weight: log2 odds, + towards batch; kind as in `policy.KINDS`.

    calls: on how many calls of this workload and label it fired.
    """

    code: str
    kind: str
    weight: float
    evidence: str
    why: str
    calls: int


@dataclass(frozen=True)
class Criterion:
    """One of the three criteria. settled_by: owner, declared, veto, evidence, or nothing.

    `for_batch`, `against` and `notes` are the rules that fired, the strongest first.
    """

    criterion: str
    verdict: str
    score: float
    settled_by: str
    for_batch: tuple[Reason, ...]
    against: tuple[Reason, ...]
    notes: tuple[Reason, ...]


@dataclass(frozen=True)
class Change:
    """Something that is not known, or just not so, and what it would do to the verdict.

    kind: log (the log does not tell) or near (a value just misses). condition: what would have to
    be so, in words; code: the rule that would then fire. action: how to find out, empty where it is
    known already. verdict and label: what would come of it.
    """

    code: str
    criterion: str
    kind: str
    condition: str
    action: str
    verdict: str
    label: str


@dataclass(frozen=True)
class Together:
    """Several changes at once (codes of their rules), where one alone does not change the label."""

    codes: tuple[str, ...]
    label: str


@dataclass(frozen=True)
class Judgement:
    """The label of one case: calls of a workload that are alike in all that rules may ask.

    confidence 0 to 1, None: unproven. weakest: the criteria that hold the label down.
    in_batch: these calls are in a batch already. label_with_a_day: what the label would be if the
    owner allowed 24 hours.
    """

    case_no: int
    case_calls: int
    label: str
    score: float
    confidence: float | None
    deadline_risk: bool
    in_batch: bool
    label_with_a_day: str
    weakest: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    changes: tuple[Change, ...]
    together: Together | None


@dataclass(frozen=True)
class HowTo:
    """How to log a fact in a source format; `calls` of that format do not carry it."""

    source_format: str
    calls: int
    add: str


@dataclass(frozen=True)
class Gap:
    """What the log does not tell of most of these calls (`calls_with` carry it), and how to log it.

    calls: those of the workload that are not in a batch already. criteria: those whose rules would
    read it. how: one entry per source format, that of most calls first.
    """

    columns: tuple[str, ...]
    calls_with: int
    calls: int
    missing: str
    how: tuple[HowTo, ...]
    criteria: tuple[str, ...]


@dataclass(frozen=True)
class OwnersWord:
    """An override of llm-audit.toml that names the workload: a label, or seconds for a result.

    in_force: false where it has ended. until: its last day. names: whom it is about, as written.
    """

    in_force: bool
    label: str | None
    tolerance_s: float | None
    because: str
    by: str
    until: date | None
    names: str


@dataclass(frozen=True)
class Attempt:
    """Another call of the same request: a retry, or what it was a retry of."""

    call_id: str
    source_file: str | None
    source_line: int | None
    started_at: datetime | None
    status: str | None
    http_status: int | None


@dataclass(frozen=True)
class RateRow:
    """The row of the price data that a rate comes from; `where` is its file and line."""

    token_kind: str
    usd_per_mtok: Decimal | None
    rule: str
    where: str
    source: str
    effective_from: date
    effective_to: date | None
    verified_on: date


@dataclass(frozen=True)
class CostLine:
    """One kind of token (or `web_search`): quantity x rate = cost, as paid and in each scenario."""

    kind: str
    quantity: int
    list_rate: Decimal | None
    list_cost: Decimal | None
    paid_rate: Decimal | None
    paid_cost: Decimal | None
    batch_conservative_rate: Decimal | None
    batch_conservative_cost: Decimal | None
    batch_expected_rate: Decimal | None
    batch_expected_cost: Decimal | None
    batch_best_rate: Decimal | None
    batch_best_cost: Decimal | None
    flex_rate: Decimal | None
    flex_cost: Decimal | None
    row: RateRow | None
    batch_row: RateRow | None


@dataclass(frozen=True)
class Card:
    """Calls that were priced alike: the rates in force, and the sums of their costs.

    Days are UTC; None where the log has no times. Prompts have from_tokens up to, not including,
    below_tokens (None: no limit). paid rates are list x region and contract factor; list rates hold
    the region factor already. expected_hit_share: of the cached tokens, in the expected scenario;
    measured_hits: where the user measured it, in a sentence; None: it is documented. A batch or
    flex cost is None where no such rate is known.
    """

    price_status: str
    batch_status: str | None
    model_key: str | None
    tier: str | None
    first_day: date | None
    last_day: date | None
    from_tokens: int
    below_tokens: int | None
    region_factor: Decimal | None
    contract_factor: Decimal | None
    expected_hit_share: Decimal | None
    measured_hits: str | None
    calls: int
    lines: tuple[CostLine, ...]
    list_cost: Decimal | None
    effective_cost: Decimal | None
    batch_conservative: Decimal | None
    batch_expected: Decimal | None
    batch_best: Decimal | None
    flex_cost: Decimal | None


@dataclass(frozen=True)
class ModelName:
    """How the names in the log led to price rows, or why they did not (model_key None)."""

    provider_name: str | None
    request_model: str | None
    response_model: str | None
    region: str | None
    match_method: str
    steps: str
    hint: str
    price_key: str | None
    model_key: str | None
    calls: int


@dataclass(frozen=True)
class Money:
    """The row of `savings`: USD as observed; batch costs None where no rate is published."""

    priced_calls: int
    unpriced_calls: int
    peak_day_calls: int
    list_cost: Decimal | None
    effective_cost: Decimal | None
    batch_cost_conservative: Decimal | None
    batch_cost_expected: Decimal | None
    batch_cost_best: Decimal | None
    flex_cost: Decimal | None
    saving_conservative: Decimal
    saving_expected: Decimal
    saving_best: Decimal
    forward_saving_conservative: Decimal
    worth_it: bool
    advice: str
    note: str


@dataclass(frozen=True)
class Part:
    """The calls of a workload that have one label. `judgement` is that of its largest case;
    `other_reasons` fired on its other cases only.
    """

    label: str
    calls: int
    share: float
    cases: int
    judgement: Judgement
    other_reasons: tuple[Reason, ...]
    money: Money | None
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Sample:
    """A call to look at, judged by itself: `case_no` says as which case."""

    call_id: str
    source_file: str | None
    source_line: int | None
    started_at: datetime | None
    duration_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    case_no: int
    label: str
    effective_cost: Decimal | None


@dataclass(frozen=True)
class Who:
    """The workload: whose calls, and from when to when."""

    workload_id: str
    caller: str
    operation_name: str
    provider_name: str
    model: str
    template_hash: str | None
    calls: int
    active_days: int
    first_call_at: datetime | None
    last_call_at: datetime | None


@dataclass(frozen=True)
class Workload:
    """Everything about a workload, its most frequent label first."""

    parts: tuple[Part, ...]
    gaps: tuple[Gap, ...]
    samples: tuple[Sample, ...]
    names: tuple[ModelName, ...]


@dataclass(frozen=True)
class Fact:
    """A column of the call's row that is not NULL, and its value as text."""

    column: str
    value: str
    meaning: str


@dataclass(frozen=True)
class Costs:
    """The call's row of `costs`; USD."""

    list_cost: Decimal | None
    contracted_cost: Decimal | None
    effective_cost: Decimal | None
    batch_cost_conservative: Decimal | None
    batch_cost_expected: Decimal | None
    batch_cost_best: Decimal | None
    flex_cost: Decimal | None
    price_status: str
    batch_status: str | None


@dataclass(frozen=True)
class Call:
    """Everything about one call. `gaps` are those of its workload; `attempts` the other ones of the
    same request, the first first.
    """

    call_id: str
    source_file: str | None
    source_line: int | None
    source_format: str | None
    row: tuple[Fact, ...]
    judgement: Judgement
    gaps: tuple[Gap, ...]
    attempts: tuple[Attempt, ...]
    name: ModelName
    card: Card
    costs: Costs


@dataclass(frozen=True)
class Limits:
    """Scores (log2 odds) at which a criterion is supported, hinted or contradicted."""

    supported: float
    hinted: float
    contradicted: float


@dataclass(frozen=True)
class Explanation:
    """A workload explained, or one of its calls: just one of `workload` and `call` is set.

    owner: what llm-audit.toml says of the workload, the word in force first.
    """

    schema_version: int
    tool_version: str
    generated_at: datetime
    pricing_version: str
    as_of: date
    thresholds: Limits
    who: Who
    owner: tuple[OwnersWord, ...]
    workload: Workload | None
    call: Call | None
