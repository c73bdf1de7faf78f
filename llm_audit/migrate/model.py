"""What crosses the borders of `migrate`: requests, shards and their states. Nothing here does I/O.

The words are those of the vendors' batch APIs; the states are those of the ledger (`ledger.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Vendor(StrEnum):
    """Whose batch API takes a request; each has its own driver."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class ShardState(StrEnum):
    """Where a shard is. Intent is committed before each network call, the reply after it."""

    PLANNED = "planned"
    UPLOADING = "uploading"  # OpenAI alone: the file goes up before the batch is made
    UPLOADED = "uploaded"
    SUBMITTING = "submitting"  # committed before the POST that spends money
    CREATE_UNKNOWN = "create_unknown"  # the POST may have been heard; never sent again unproven
    SUBMITTED = "submitted"
    ENDED = "ended"  # by the vendor: completed, failed, expired or cancelled
    COLLECTING = "collecting"
    COLLECTED = "collected"
    CLEANED = "cleaned"  # uploaded files deleted
    QUEUE_FULL = "queue_full"  # waits for room, the same file is submitted again
    INVALID = "invalid"  # the vendor refused the file; its other requests are planned anew
    BILLING_PAUSED = "billing_paused"
    LOST = "lost"  # lines of its results are wanting: a resume looks for them again
    ABANDONED = "abandoned"


class RequestState(StrEnum):
    """Where one request is, in its latest generation."""

    ASSIGNED = "assigned"
    IN_FLIGHT = "in_flight"
    SUCCEEDED = "succeeded"
    TRUNCATED = "truncated"  # billed, cut by max_tokens
    REFUSED = "refused"  # billed, an answer all the same
    INCOMPLETE = "incomplete"  # billed, e.g. pause_turn
    RETRYABLE = "retryable"  # not billed, may go into the next generation
    REJECTED = "rejected"  # not billed, the same request would fail again
    MISSING = "missing"  # the vendor returned no row for it
    CONFLICT = "conflict"  # two different rows for it, both kept
    LOST = "lost"  # the vendor no longer has the results
    RELEASED = "released"  # never sent, e.g. cancelled before; may be planned again


@dataclass(frozen=True, slots=True)
class Request:
    """One request to buy: a logged call's own body, ready to send.

    request_key: sha256 hex of the call's id, or of its whole record in the log where that gives it
    no id; never of the prompt alone (repeated prompts are legal) and never of the file or line: a
    log that grows, moves or is packed must not make a second request of the same call. body_sha256
    and body_bytes are of the JSON text as it goes into the file, without the denied keys; the text
    itself is only in the request file, which `files.bodies` reads back. Costs are USD: as logged,
    and conservative in a batch.
    *_tokens: as logged. units: what of it counts against the vendor's limit of inputs in a batch
    (embeddings: texts; all else: 1). source_file and source_line: where it stands in the log.
    caches: whether the body asks for prompt caching, so that writes may be billed.
    """

    request_key: str
    call_id: str
    workload_id: str
    vendor: Vendor
    endpoint: str
    model: str
    betas: tuple[str, ...]
    body_sha256: str
    body_bytes: int
    input_tokens: int
    output_tokens: int
    finish_reason: str | None
    sync_cost: Decimal
    batch_cost: Decimal
    units: int = 1
    source_file: str = ""
    source_line: int = 0
    caches: bool = False


@dataclass(frozen=True)
class LeftOut:
    """A call that is not replayed, and why: a code (`replay.toml`), and the sentence for it."""

    call_id: str
    workload_id: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Shard:
    """One batch to be: requests of one vendor, account, endpoint, model and set of betas.

    intent: 8 characters, unique in the ledger; the prefix of every custom_id of the shard, which is
    what an unknown outcome is reconciled by. sha256 and bytes: of the request file at `path`.
    canary: the first, small shard of its group, waited for before the rest goes out.
    """

    shard_id: int
    intent: str
    vendor: Vendor
    endpoint: str
    model: str
    betas: tuple[str, ...]
    generation: int
    canary: bool
    requests: int
    bytes: int
    input_tokens: int
    sha256: str
    path: str
    sync_cost: Decimal
    batch_cost: Decimal


@dataclass(frozen=True)
class Planned:
    """A shard and its requests, in the order of the lines of its file."""

    shard: Shard
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a vendor's results, read: what became of one request. The line stays on disk.

    kind: a final `RequestState`; MISSING for a line that does not say whether there was an answer.
    error: the vendor's type or code. flag: what else is to be said of an answer. *_tokens as the
    vendor counts them: input_tokens includes the cached ones. has_usage: whether it did count.
    """

    custom_id: str
    kind: RequestState
    status_code: int | None = None
    error: str | None = None
    message: str | None = None
    finish_reason: str | None = None
    flag: str | None = None
    model: str | None = None
    has_usage: bool = False
    input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_5m_input_tokens: int = 0
    cache_creation_1h_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0


@dataclass(frozen=True)
class RemoteBatch:
    """A batch as the vendor tells of it. status: the vendor's own word.

    output_file_id: where the results are: OpenAI's file, or Anthropic's URL. counts: as told.
    total: None where they do not tell how many requests there are. metadata: None where it cannot
    be read, so that nobody can say by it whose batch this is.
    has_begun: whether OpenAI tells of a time at which it began. usage: OpenAI's sum of tokens.
    """

    batch_id: str
    status: str
    ended: bool
    created_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime | None
    total: int | None
    counts: dict[str, int]
    metadata: dict[str, str] | None
    input_file_id: str | None
    output_file_id: str | None
    error_file_id: str | None
    errors: tuple[tuple[str, str, int | None], ...]
    """Code, message and line (1-based, of the request file) of what the vendor refused it for."""
    has_begun: bool = False
    usage: dict[str, int] | None = None
