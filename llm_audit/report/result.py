"""The result of one audit as frozen dataclasses: the hub that every output is drawn from.

Field names are the keys of the JSON document, in its order; README lists them. Money is USD as
`Decimal`, times are UTC, shares are left to the reader. Nothing here reads a table or draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from llm_audit.report.migrated import Migration

SCHEMA_VERSION = 1
"""Raised when a key changes its meaning or goes; a new key alone does not raise it."""


@dataclass(frozen=True)
class Period:
    """The calendar days (UTC) from the first call to the last, both included.

    `calls` counts also those without a time; data_quality.calls_without_time says how many.
    """

    start: datetime | None
    end: datetime | None
    days: int
    calls: int


@dataclass(frozen=True)
class Projection:
    """Whether the observed days were projected to a month, and why (not)."""

    shown: bool
    reason: str


@dataclass(frozen=True)
class Totals:
    """What the log cost on its own days. The five `*_cost` parts below add up to effective_cost.

    unpriced_tokens are those of billed_tokens that no rate is known for.
    """

    calls: int
    priced_calls: int
    unpriced_calls: int
    unpriced_tokens: int
    billed_tokens: int
    already_batch_calls: int
    worth_moving_calls: int
    list_cost: Decimal
    contracted_cost: Decimal
    effective_cost: Decimal
    worth_moving_cost: Decimal
    other_eligible_cost: Decimal
    gray_area_cost: Decimal
    realtime_cost: Decimal
    already_batch_cost: Decimal


@dataclass(frozen=True)
class LabelTotal:
    """All calls of one label; savings of every workload, worth moving or not.

    For realtime calls they are what a batch would have cost less, not a claim.
    """

    label: str
    calls: int
    already_batch_calls: int
    effective_cost: Decimal
    already_batch_cost: Decimal
    saving_conservative: Decimal
    saving_expected: Decimal
    saving_best: Decimal


@dataclass(frozen=True)
class ModelTotal:
    """All calls to one model of one provider, its cost cut into the five parts of `Totals`."""

    provider_name: str | None
    model: str | None
    calls: int
    priced_calls: int
    unpriced_calls: int
    unpriced_tokens: int
    effective_cost: Decimal
    worth_moving_cost: Decimal
    other_eligible_cost: Decimal
    gray_area_cost: Decimal
    realtime_cost: Decimal
    already_batch_cost: Decimal
    saving_conservative: Decimal


@dataclass(frozen=True)
class Saving:
    """One basis (observed, a month, a year): what is paid, and what the headline workloads save.

    effective_cost is the whole spend and effective_cost_after what stays of it once the
    conservative saving is taken; eligible_cost is the spend of the headline workloads alone.
    gray_area is what owners' consent would add; it is in none of the other figures.
    """

    effective_cost: Decimal
    effective_cost_after: Decimal
    eligible_cost: Decimal
    conservative: Decimal
    expected: Decimal
    best: Decimal
    gray_area: Decimal


@dataclass(frozen=True)
class Savings:
    """observed: the log's own days and prices. monthly, annual: today's prices, if projected.

    Calls without a time are in observed alone.
    """

    observed: Saving
    monthly: Saving | None
    annual: Saving | None


@dataclass(frozen=True)
class Criteria:
    """Verdicts: supported, hinted, unknown, contradicted; None where nothing was judged."""

    independence: str | None
    tolerance: str | None
    storage: str | None


@dataclass(frozen=True)
class Reason:
    """One rule that spoke. Weight is log2 odds, above 0 for batching; None decides alone.

    What decides alone is a veto or the owner's override (code OVERRIDE).
    """

    code: str
    criterion: str | None
    weight: float | None
    evidence: str
    calls: int

    @property
    def side(self) -> str:
        """Who speaks: the 'owner', or evidence 'for', 'against' or, with no weight, 'neither'."""
        if self.code == "OVERRIDE":
            return "owner"
        if self.weight == 0:
            return "neither"
        return "for" if self.weight is not None and self.weight > 0 else "against"


GAPS_S = (0.1, 1.0, 10.0, 60.0, 600.0, 3600.0)
"""Upper ends (included) of the classes of `Activity.gaps`, seconds; one more class is open."""


@dataclass(frozen=True)
class Activity:
    """When the calls of one workload and label start (UTC), and how they run.

    by_day: calls on each day of `Result.period`, its first day first; empty for a log of more than
    400 days or without times. by_hour: 168 counts, Monday 00:00 first. gaps: pauses from one start
    to the next, counted in the classes of `GAPS_S`. duration_*: of answered calls, milliseconds,
    rounded down to three digits. streaming_share: of the calls that tell. Tokens: of the calls
    whose counts are known.
    """

    by_day: tuple[int, ...]
    by_hour: tuple[int, ...]
    gaps: tuple[int, ...]
    duration_p50_ms: int | None
    duration_p95_ms: int | None
    streaming_share: float | None
    input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class BatchFit:
    """The busiest day of a workload (UTC) against the limits of its seller's batch API.

    Of the calls that are billed and not batched yet. max_*: per batch, None where the seller
    publishes none (queued tokens then stand in `queue_note`, as published). batches: how many the
    busiest day needs by requests and by its estimated bytes with a tenth of each limit free, None
    without a limit. input_bytes is an estimate: four bytes a token.
    """

    requests: int
    input_tokens: int
    input_bytes: int
    max_requests: int | None
    max_bytes: int | None
    queue_note: str | None
    window_hours: int | None
    batches: int | None


@dataclass(frozen=True)
class Workload:
    """The calls of one workload that carry one label. Costs are None where none could be priced.

    forward_*: the same calls at the price card of the report's day; projected_*: those of them
    that have a time, which the monthly figures scale.
    deadline_risk: some of its calls must be back before the 24 hours that a batch may take.
    """

    workload_id: str
    label: str
    caller: str | None
    operation_name: str | None
    provider_name: str | None
    model: str | None
    first_call_at: datetime | None
    last_call_at: datetime | None
    active_days: int
    confidence: float | None
    calls: int
    priced_calls: int
    unpriced_calls: int
    unpriced_tokens: int
    already_batch_calls: int
    already_batch_cost: Decimal
    list_cost: Decimal | None
    contracted_cost: Decimal | None
    effective_cost: Decimal | None
    saving_conservative: Decimal
    saving_expected: Decimal
    saving_best: Decimal
    forward_effective_cost: Decimal | None
    forward_saving_conservative: Decimal
    forward_saving_expected: Decimal
    forward_saving_best: Decimal
    projected_saving_conservative: Decimal
    flex_cost: Decimal | None
    peak_day_calls: int
    deadline_risk: bool
    worth_it: bool
    advice: str
    note: str
    criteria: Criteria
    reasons: tuple[Reason, ...]
    activity: Activity
    batch_fit: BatchFit | None

    @property
    def claims(self) -> bool:
        """Whether its savings are a claim: where somebody waits, a cheaper batch saves nothing."""
        return self.label != "realtime"


@dataclass(frozen=True)
class BridgeStep:
    """One step from the list price without any discount to the bill after the move, USD, observed.

    A 'total' is a level; a 'step' changes it: amounts of steps add up from one total to the next.
    """

    name: str
    title: str
    kind: str
    amount: Decimal


@dataclass(frozen=True)
class Day:
    """One calendar day (UTC) of the period, its cost cut into the five parts of `Totals`.

    Calls without a time are in no day: `DataQuality.cost_without_time` is what they cost. A period
    of more than 400 days lists those with calls alone.
    """

    date: date
    calls: int
    effective_cost: Decimal
    worth_moving_cost: Decimal
    other_eligible_cost: Decimal
    gray_area_cost: Decimal
    realtime_cost: Decimal
    already_batch_cost: Decimal


@dataclass(frozen=True)
class WorkloadChange:
    """One workload that differs from the baseline: 'new', 'gone', 'label' or 'saving'.

    Savings are conservative, observed, USD a day; None on the side where the workload is missing.
    """

    workload_id: str
    caller: str | None
    change: str
    label_before: str | None
    label_now: str | None
    saving_before: Decimal | None
    saving_now: Decimal | None


@dataclass(frozen=True)
class Baseline:
    """An earlier result beside this one. basis: 'monthly' where both are projected, else
    'daily': observed figures divided by the days of each log. USD.

    workloads: what changed, the largest change of the saving first.
    """

    generated_at: datetime
    start: datetime | None
    end: datetime | None
    basis: str
    effective_cost_before: Decimal
    effective_cost_now: Decimal
    already_batch_cost_before: Decimal
    already_batch_cost_now: Decimal
    saving_before: Decimal
    saving_now: Decimal
    workloads: tuple[WorkloadChange, ...]


@dataclass(frozen=True)
class RuleUsed:
    """One rule that spoke. weight None decides alone; own: the rule or its weight is the user's."""

    code: str
    criterion: str
    weight: float | None
    why: str
    calls: int
    own: bool


@dataclass(frozen=True)
class OverrideUsed:
    """One override of llm-audit.toml: what it names and says, who signed it, how many calls."""

    names: str
    label: str | None
    tolerance_s: float | None
    because: str | None
    by: str | None
    until: date | None
    calls: int


@dataclass(frozen=True)
class PolicyUsed:
    """What labels were decided with. sha256: of the user's policy file, None without one."""

    supported: float
    hinted: float
    contradicted: float
    words: bool
    sha256: str | None
    rules: tuple[RuleUsed, ...]
    overrides: tuple[OverrideUsed, ...]


@dataclass(frozen=True)
class OwnRates:
    """Calls of one model and tier that rates of the user's own llm-audit.toml priced."""

    model: str
    tier: str
    calls: int
    effective_cost: Decimal


@dataclass(frozen=True)
class Pricing:
    """The price card: its release, digest, the day it was read for, and its oldest checked row.

    `own_rates`: what the user's own rates priced, which go before the card.
    """

    version: str
    sha256: str
    as_of: date
    oldest_verified_on: date | None
    own_rates: tuple[OwnRates, ...]


@dataclass(frozen=True)
class LogFile:
    """One log file and where its lines went. `path` is relative to the files' common folder."""

    path: str
    format: str | None
    lines: int
    calls: int
    rejects: int
    duplicates: int
    not_calls: int


@dataclass(frozen=True)
class RejectReason:
    """One reason why lines could not be read, with the first such line."""

    reason: str
    lines: int
    first_file: str
    first_line: int | None
    excerpt: str | None


@dataclass(frozen=True)
class Unpriced:
    """Calls without a known price: which model, why, and what to do."""

    provider_name: str | None
    model: str | None
    price_status: str
    hint: str | None
    calls: int
    tokens: int


@dataclass(frozen=True)
class ReconciledUsd:
    """One provider's export of amounts beside our costs, USD, over the days that it covers (UTC).

    gap is theirs minus ours, and the eight parts after it add up to it exactly. unexplained_size
    adds up the unexplained of every day, model and token kind without regard to its sign. Of
    log_days, the days of our calls to the provider, log_days_compared are covered; calls and cost
    (USD) not compared are ours on other days and endpoints. lines_rejected of the export could not
    be read, and pages_missing of its series of pages say that more follow.
    """

    provider_name: str
    first_day: date
    last_day: date
    theirs: Decimal
    ours: Decimal
    gap: Decimal
    outside_period: Decimal
    model_not_in_log: Decimal
    key_not_in_log: Decimal
    batch_share: Decimal
    tool_fees: Decimal
    unpriced: Decimal
    rounding: Decimal
    unexplained: Decimal
    unexplained_size: Decimal
    log_days: int
    log_days_compared: int
    calls_not_compared: int
    cost_not_compared: Decimal
    lines_rejected: int
    pages_missing: int


@dataclass(frozen=True)
class ReconciledTokens:
    """The same as `ReconciledUsd` for an export of quantities, in tokens."""

    provider_name: str
    first_day: date
    last_day: date
    theirs: int
    ours: int
    gap: int
    outside_period: int
    model_not_in_log: int
    key_not_in_log: int
    batch_share: int
    tool_fees: int
    unpriced: int
    rounding: int
    unexplained: int
    unexplained_size: int
    log_days: int
    log_days_compared: int
    calls_not_compared: int
    cost_not_compared: Decimal
    lines_rejected: int
    pages_missing: int


@dataclass(frozen=True)
class Reconciliation:
    """Our totals beside the providers' own exports; amounts and quantities never meet."""

    usd: tuple[ReconciledUsd, ...]
    tokens: tuple[ReconciledTokens, ...]


@dataclass(frozen=True)
class DataQuality:
    """Where every line went and what could not be used.

    `closes` is true when lines = calls + rejects + duplicates + not_calls. The two lists are cut
    at `quality.LISTED`, worst first; the counts above them are always complete. cost_without_time
    (effective, USD) is what the days of `Result.trend` lack of the totals. reconciliation is None
    where no provider's export is in the database. policy_warnings: what of the user's
    llm-audit.toml has ended or names nothing in this log.
    """

    files: int
    lines: int
    calls: int
    rejects: int
    duplicates: int
    not_calls: int
    closes: bool
    calls_without_time: int
    cost_without_time: Decimal
    calls_by_status: dict[str, int]
    calls_by_tokens_source: dict[str, int]
    calls_by_price_status: dict[str, int]
    unpriced: tuple[Unpriced, ...]
    rejects_by_reason: tuple[RejectReason, ...]
    worst_files: tuple[LogFile, ...]
    reconciliation: Reconciliation | None
    policy_warnings: tuple[str, ...]


@dataclass(frozen=True)
class Sensitivity:
    """The observed saving if one assumption were different; change is against the headline."""

    name: str
    title: str
    saving: Decimal
    change: Decimal


@dataclass(frozen=True)
class Result:
    """One audit, whole.

    migration: None where no migration was ever verified. replayable: ids of the workloads with
    requests that stand whole in the log, so that `llm-audit migrate` can plan them. What has a
    default here came after the first version of this document, and an older one lacks it.
    """

    schema_version: int
    tool_version: str
    generated_at: datetime
    period: Period
    projection: Projection
    totals: Totals
    labels: tuple[LabelTotal, ...]
    models: tuple[ModelTotal, ...]
    savings: Savings
    workloads: tuple[Workload, ...]
    bridge: tuple[BridgeStep, ...]
    trend: tuple[Day, ...]
    baseline: Baseline | None
    policy: PolicyUsed
    pricing: Pricing
    data_quality: DataQuality
    sensitivity: tuple[Sensitivity, ...]
    assumptions: tuple[str, ...]
    migration: Migration | None = None
    replayable: tuple[str, ...] = ()
