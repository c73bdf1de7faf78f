"""A plan and its tables -> what a dry run shows, as plain values; `--format json` prints them.

Every amount can be checked against the report: the saving of the planned requests and of what is
left out of the headline's workloads add up to the report's conservative saving, to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.migrate import candidates, rates, run, shards
from llm_audit.migrate.candidates import Choice
from llm_audit.migrate.ledger import Rate
from llm_audit.migrate.model import Planned, Vendor
from llm_audit.migrate.plan import Plan, Settings

if TYPE_CHECKING:
    import duckdb

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ShardLine:
    """One batch. file: its name in the folder; intent: its name in `migrate status`.

    Costs are USD: as logged, in a batch, and at most (`run.ceiling`).
    """

    file: str
    intent: str
    vendor: str
    endpoint: str
    model: str
    betas: tuple[str, ...]
    canary: bool
    requests: int
    bytes: int
    input_tokens: int
    sync_cost: Decimal
    batch_cost: Decimal
    ceiling: Decimal
    sha256: str


@dataclass(frozen=True)
class WorkloadLine:
    """A workload of which calls are planned, that the headline counts, or that was named.

    headline_saving: what the report's headline counts for it; main_reason: why most of the calls
    that are left out are, None where all are planned.
    """

    workload_id: str
    caller: str
    operation_name: str
    provider_name: str
    model: str
    calls: int
    requests: int
    sync_cost: Decimal
    batch_cost: Decimal
    headline_saving: Decimal
    main_reason: str | None


@dataclass(frozen=True)
class LeftOutLine:
    """Calls left out for one reason; headline_saving: what the headline counts for them."""

    reason: str
    detail: str
    calls: int
    sync_cost: Decimal
    headline_saving: Decimal


@dataclass(frozen=True)
class DryRun:
    """What would be sent, what it costs, by when it is done, and what is left out.

    calls = requests + the calls of `left_out`; headline_saving = saving + the headline_saving of
    `left_out`. saving: what a batch would have saved in the days of the log; sending these requests
    costs batch_cost again, and at most ceiling, as --max-cost counts. headline_monthly: None where
    the report projects nothing. done_by: a canary's window, and that of the rest behind it, if all
    fits the vendor's queue; done_by_with_retry: one window more. choice, settings: what the user
    asked for. narrowed: calls were left out on the user's word. queue_tokens: the least
    --queue-tokens at which none is too large, None where none was. folder: where the files are,
    None where they were not kept.
    """

    schema_version: int
    run_id: str
    created_at: datetime
    folder: str | None
    calls: int
    requests: int
    batches: int
    canaries: int
    sync_cost: Decimal
    batch_cost: Decimal
    ceiling: Decimal
    saving: Decimal
    days: int
    headline_saving: Decimal
    headline_monthly: Decimal | None
    choice: Choice
    settings: Settings
    narrowed: bool
    queue_tokens: int | None
    window_hours: int
    done_by: datetime
    done_by_with_retry: datetime
    shards: tuple[ShardLine, ...]
    workloads: tuple[WorkloadLine, ...]
    left_out: tuple[LeftOutLine, ...]


NARROWING = frozenset({"not_chosen", "not_sampled", "over_limit", "over_queue"})
"""Reasons that are the user's own options."""

_ALL, _USUAL = Choice(), Settings()


def build(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    *,
    kept: bool,
    choice: Choice = _ALL,
    settings: Settings = _USUAL,
    monthly: Decimal | None = None,
) -> DryRun:
    """What the plan and `migration_calls` tell.

    kept: the files stay where they are. choice, settings: what the plan was made with. monthly: the
    report's saving of a month, USD.
    """
    window = timedelta(hours=plan.window_hours)
    lines = _shard_lines(connection, plan)
    left_out = tuple(LeftOutLine(*row) for row in candidates.rows(connection, "left_out"))
    waves = 1 + any(line.canary for line in lines) * any(not line.canary for line in lines)
    return DryRun(
        schema_version=SCHEMA_VERSION,
        run_id=plan.run_id,
        created_at=plan.created_at,
        folder=str(plan.folder) if kept else None,
        calls=_one(connection, "SELECT count(*) FROM migration_calls"),
        requests=plan.requests,
        batches=len(plan.shards),
        canaries=sum(planned.shard.canary for planned in plan.shards),
        sync_cost=plan.sync_cost,
        batch_cost=plan.batch_cost,
        ceiling=sum((line.ceiling for line in lines), Decimal(0)),
        saving=plan.sync_cost - plan.batch_cost,
        days=_one(connection, "SELECT days FROM report_period"),
        headline_saving=_one(
            connection, "SELECT conservative FROM report_savings WHERE basis = 'observed'"
        ),
        headline_monthly=monthly,
        choice=choice,
        settings=settings,
        narrowed=any(line.reason in NARROWING for line in left_out),
        queue_tokens=_queue_tokens(connection),
        window_hours=plan.window_hours,
        done_by=plan.created_at + waves * window,
        done_by_with_retry=plan.created_at + (waves + 1) * window,
        shards=lines,
        workloads=tuple(WorkloadLine(*row) for row in candidates.rows(connection, "workloads")),
        left_out=left_out,
    )


def _shard_lines(connection: duckdb.DuckDBPyConnection, plan: Plan) -> tuple[ShardLine, ...]:
    card: dict[tuple[Vendor, str], list[Rate]] = {}
    for vendor, model, rate in rates.of_plan(connection, plan):
        card.setdefault((vendor, model), []).append(rate)
    return tuple(
        ShardLine(
            file=Path(shard.path).name,
            intent=shard.intent,
            vendor=shard.vendor.value,
            endpoint=shard.endpoint,
            model=shard.model,
            betas=shard.betas,
            canary=shard.canary,
            requests=shard.requests,
            bytes=shard.bytes,
            input_tokens=shard.input_tokens,
            sync_cost=shard.sync_cost,
            batch_cost=shard.batch_cost,
            ceiling=_ceiling(planned, card.get((shard.vendor, shard.model), [])),
            sha256=shard.sha256,
        )
        for planned in plan.shards
        for shard in [planned.shard]
    )


def _ceiling(planned: Planned, known: list[Rate]) -> Decimal:
    """As `run.begin` books it: what --max-cost counts."""
    return sum((run.ceiling(request, known) for request in planned.requests), Decimal(0))


def _queue_tokens(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The least --queue-tokens at which no request is too large for its share of the queue."""
    most = _one(
        connection,
        "SELECT max(input_tokens) FROM calls JOIN migration_calls USING (call_id) "
        "WHERE reason = 'over_queue'",
    )
    if most is None:
        return None
    least = int(most / shards.QUEUE_MARGIN)
    return least if int(least * shards.QUEUE_MARGIN) >= most else least + 1


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
