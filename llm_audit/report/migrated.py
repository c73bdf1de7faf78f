"""What a migration has shown, as frozen dataclasses: `Result.migration`, the part of the hub.

It is what `llm-audit migrate verify` found and kept (verified_* tables): claimed beside measured.
Money is USD, times are seconds, rates are counts. No text of a request or an answer is in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Rate:
    """So many of so many."""

    count: int
    of: int


@dataclass(frozen=True)
class Agreement:
    """So many of so many pairs of answers have equal texts.

    similarity: the median of the pairs, 0 to 1; None where nothing was compared.
    """

    count: int
    of: int
    similarity: float | None


@dataclass(frozen=True)
class NoiseFloor:
    """Requests that were sent twice, word for word, and so answered twice each way.

    logged: one logged answer beside the other; batch: likewise; across: logged beside batch.
    """

    logged: Agreement
    batch: Agreement
    across: Agreement


@dataclass(frozen=True)
class Turnaround:
    """Seconds from a batch's creation to its end, by the vendor's clock, by nearest rank."""

    vendor: str
    batches: int
    p50_s: float
    p90_s: float
    max_s: float


@dataclass(frozen=True)
class TokenCost:
    """One kind of token: as logged and priced by the audit, and as the vendor reported it."""

    token_kind: str
    claimed_tokens: int
    measured_tokens: int
    claimed_cost: Decimal
    measured_cost: Decimal


@dataclass(frozen=True)
class MigratedCost:
    """Of the answered requests that have a batch rate; the other answered ones are unpriced.

    sync_cost: as logged. claimed_cost: as this report counts, conservative: no cache hits.
    measured_cost: the tokens that the vendor reports, at its batch rates. The savings are
    sync_cost less the one and less the other. prompts_alike: they were counted as logged
    (prompt_equal); where they were not, measured_saving cannot be told and is None.
    other_claimed_cost: of claimed_cost, what `tokens` does not list.
    """

    priced_requests: int
    unpriced_requests: int
    sync_cost: Decimal
    claimed_cost: Decimal
    measured_cost: Decimal
    claimed_saving: Decimal
    measured_saving: Decimal | None
    prompts_alike: bool
    other_claimed_cost: Decimal
    tokens: tuple[TokenCost, ...]
    prompt_equal: Rate
    cached_logged: Rate
    cached_measured: Rate


@dataclass(frozen=True)
class Check:
    """One check of structure: of so many pairs, how many answers pass it, and how many are alike.

    finish: ended by itself / for the same reason. json_schema: fits / has the same keys.
    tool_names: calls a tool / the same ones.
    """

    name: str
    of: int
    logged: int
    batch: int
    same: int


@dataclass(frozen=True)
class Counted:
    """How often something occurred, by its name."""

    name: str
    number: int


@dataclass(frozen=True)
class MigratedWorkload:
    """A workload of the plan; costs of its answered requests that have a price, USD."""

    workload_id: str
    requests: int
    answered: int
    sync_cost: Decimal
    claimed_cost: Decimal
    measured_cost: Decimal
    same_text: int
    compared: int


@dataclass(frozen=True)
class Migration:
    """Claimed against measured, as `migrate verify` found it at verified_at in these runs.

    all_runs: they were all there were. batches: those that have ended. expired, failed: of rows
    that came back, those of a second try included. same_model: the model asked for, whatever its
    snapshot. failures: rows by the vendor's code. odd_lines: lines of no request. not_compared:
    answered requests whose texts could not be compared, by why. noise: None where no request was
    sent twice.
    """

    verified_at: datetime
    tool_version: str
    all_runs: bool
    runs: tuple[str, ...]
    requests: int
    batches: int
    answered: Rate
    one_end: Rate
    same_model: Rate
    expired: Rate
    failed: Rate
    states: tuple[Counted, ...]
    failures: tuple[Counted, ...]
    odd_lines: tuple[Counted, ...]
    turnaround: tuple[Turnaround, ...]
    cost: MigratedCost
    checks: tuple[Check, ...]
    same_text: Agreement
    same_json: Rate
    same_fields: Rate
    noise: NoiseFloor | None
    not_compared: tuple[Counted, ...]
    workloads: tuple[MigratedWorkload, ...]
