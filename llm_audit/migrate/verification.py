"""What `migrate verify` says: claimed beside measured, as plain values, rates with their counts.

Money is USD, times are seconds. No text of a prompt or an answer is in here but in `samples`, which
are there on request only.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from llm_audit.migrate.ledger import UsageGap

SCHEMA_VERSION = 1

_ALIKE = 0.95
"""Of prompts counted as they were logged; with fewer, the tokens of the two sides are not the same
thing, and neither is their price."""


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def part(self) -> float | None:
        """From 0 to 1; None of nothing."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True)
class Spread:
    """How a figure is spread over `of` things, by nearest rank."""

    of: int
    p10: float
    p50: float
    p90: float
    max: float


@dataclass(frozen=True)
class Drift:
    """Requests that were answered by another snapshot than the logged calls."""

    logged: str
    answered: str
    requests: int


@dataclass(frozen=True)
class Delivery:
    """Layer 0. one_end: requests with exactly one end, a row for each that was answered.

    states: requests by their state. odd_lines: result lines that belong to no request, by why.
    model_family: answers of the model that was asked for, whatever its snapshot.
    """

    requests: int
    answered: Share
    one_end: Share
    states: dict[str, int]
    odd_lines: dict[str, int]
    model_family: Share
    drift: tuple[Drift, ...]


@dataclass(frozen=True)
class Batch:
    """A batch that has ended. seconds: from its creation to its end, by the vendor's clock."""

    run_id: str
    batch_id: str
    vendor: str
    model: str
    status: str | None
    requests: int
    seconds: float


@dataclass(frozen=True)
class Turnaround:
    """Seconds that a vendor's batches took."""

    vendor: str
    seconds: Spread


@dataclass(frozen=True)
class Failures:
    """Rows without an answer, over all generations; a request tried twice has two rows.

    codes: the vendor's own words, with how often each came.
    """

    expired: Share
    errors: Share
    codes: dict[str, int]


@dataclass(frozen=True)
class Check:
    """Layer 1, one check: of so many pairs, how many answers pass it, how many pairs are alike.

    finish: ended by itself / for the same reason. json_schema: fits / has the same keys.
    tool_names: calls a tool / the same ones.
    """

    name: str
    of: int
    logged: int
    batch: int
    same: int


@dataclass(frozen=True)
class TokenLine:
    """Layer 2, one kind of token: as logged and priced by the audit, and as bought."""

    kind: str
    claimed_tokens: int
    measured_tokens: int
    claimed_cost: Decimal
    measured_cost: Decimal


@dataclass(frozen=True)
class Cost:
    """Layer 2, of the requests that were answered and have a price.

    sync_cost: as logged. claimed_cost: the plan's, conservative: no cache hits. measured_cost: from
    the tokens that the vendor reports, at batch rates. other_claimed: of claimed_cost, what no kind
    of token has (images, audio, or prices that changed since the plan).
    """

    requests: int
    unpriced: int
    sync_cost: Decimal
    claimed_cost: Decimal
    measured_cost: Decimal
    lines: tuple[TokenLine, ...]
    other_claimed: Decimal
    prompt_equal: Share
    output_ratio: Spread | None
    cached_logged: Share
    cached_measured: Share

    @property
    def prompts_alike(self) -> bool:
        """Whether the prompts were counted as they were logged, so that the two prices compare."""
        return self.prompt_equal.part is None or self.prompt_equal.part >= _ALIKE

    @property
    def claimed_saving(self) -> Decimal:
        """USD."""
        return self.sync_cost - self.claimed_cost

    @property
    def measured_saving(self) -> Decimal | None:
        """USD; None where the prompts were not counted alike."""
        return self.sync_cost - self.measured_cost if self.prompts_alike else None


@dataclass(frozen=True)
class Labels:
    """Agreement of a workload whose answers are labels; kappa: beyond chance, None if undefined."""

    workload_id: str
    same: Share
    kappa: float | None


@dataclass(frozen=True)
class Text:
    """Layer 3. exact: equal but for white space. json_*: of pairs that are both documents."""

    exact: Share
    json_documents: Share
    json_fields: Share
    labels: tuple[Labels, ...]
    similarity: Spread | None


@dataclass(frozen=True)
class Noise:
    """Layer 4: requests that were sent twice, word for word, and so answered twice each way.

    logged: one logged answer beside the other; batch: likewise; across: logged beside batch, of
    the same requests. *_similarity: the medians.
    """

    logged: Share
    batch: Share
    across: Share
    logged_similarity: float
    batch_similarity: float
    across_similarity: float


@dataclass(frozen=True)
class Unread:
    """Pairs whose answers could not be compared, and why."""

    reason: str
    detail: str
    requests: int


@dataclass(frozen=True)
class WorkloadLine:
    """A workload: cost of what was answered, and how many texts are equal."""

    workload_id: str
    requests: int
    answered: int
    sync_cost: Decimal
    claimed_cost: Decimal
    measured_cost: Decimal
    exact: Share


@dataclass(frozen=True)
class Sample:
    """Two answers side by side, for a person; printable, shortened."""

    call_id: str
    similarity: float
    logged: str
    batch: str


@dataclass(frozen=True)
class Verification:
    """Claimed against measured. noise: None where no request was sent twice.

    usage_gaps: batches of which the vendor's own sum of tokens is not that of their lines.
    """

    schema_version: int
    runs: tuple[str, ...]
    delivery: Delivery
    batches: tuple[Batch, ...]
    turnaround: tuple[Turnaround, ...]
    failures: Failures
    usage_gaps: tuple[UsageGap, ...]
    structure: tuple[Check, ...]
    cost: Cost
    text: Text
    noise: Noise | None
    unread: tuple[Unread, ...]
    workloads: tuple[WorkloadLine, ...]
    samples: tuple[Sample, ...]


def spread(values: list[float]) -> Spread | None:
    """Nearest-rank percentiles; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)

    def at(percent: int) -> float:
        return round(ordered[max(0, -(-percent * len(ordered) // 100) - 1)], 4)

    return Spread(len(ordered), at(10), at(50), at(90), at(100))
