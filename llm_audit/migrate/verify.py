"""Claimed against measured, in layers (batch.md 4.1): what `migrate verify` shows.

L0 delivery, L1 structure, L2 cost, L3 text, L4 the noise floor. No vendor promises equal texts, so
every finding is a rate with its counts, and the floor says how far two logged answers to one and
the same request are apart already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.errors import UsageError
from llm_audit.migrate import candidates, measured, pairs, structure
from llm_audit.migrate.ledger import Ledger, Outcome
from llm_audit.migrate.measured import is_answered
from llm_audit.migrate.pairs import Claim
from llm_audit.migrate.tally import Tally
from llm_audit.migrate.verification import (
    SCHEMA_VERSION,
    Share,
    Unread,
    Verification,
    WorkloadLine,
)
from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb


def verify(
    connection: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    run_id: str | None = None,
    samples: int = 0,
) -> Verification:
    """Compare a run, or all of them, with the priced tables and the logs.

    samples: so many pairs of answers to show to a person, the least alike. Errors: `UsageError`
    for a run that is not in the ledger.
    """
    known = [run.run_id for run in ledger.runs()]
    if run_id is not None and run_id not in known:
        raise UsageError(
            f"there is no run {printable(run_id, 60)!r} in the ledger",
            slug="migrate-run",
            hint="see them with `llm-audit migrate status`",
        )
    runs = known if run_id is None else [run_id]
    outcomes = ledger.outcomes(run_id)
    claims = _claims(connection, outcomes)
    answered = [outcome for outcome in outcomes if is_answered(outcome)]
    tally = Tally(_repeated(answered), samples)
    for outcome in answered:
        if finding := structure.finish(outcome.finish_reason, outcome.new_finish_reason):
            tally.add_finding(finding)
    unread = pairs.count(answered, claims, tally)
    odd = sum((Counter(ledger.quarantined(run)) for run in runs), Counter[str]())
    ended = measured.batches(ledger.shards(run_id))
    return Verification(
        schema_version=SCHEMA_VERSION,
        runs=tuple(runs),
        delivery=measured.delivery(outcomes, claims, odd),
        batches=ended,
        turnaround=measured.turnaround(ended),
        failures=measured.failures(ledger.rows_counted(run_id), ledger.failed_rows(run_id)),
        usage_gaps=tuple(ledger.usage_gaps(run_id)),
        structure=tally.structure(),
        cost=measured.cost(ledger, outcomes, claims),
        text=tally.text(),
        noise=tally.noise(),
        unread=tuple(Unread(r, pairs.detail(r), n) for r, n in unread.most_common()),
        workloads=_workloads(outcomes, tally),
        samples=tally.samples(),
    )


def _claims(connection: duckdb.DuckDBPyConnection, outcomes: Sequence[Outcome]) -> dict[str, Claim]:
    calls = [outcome.call_id for outcome in outcomes]
    rows = candidates.rows(connection, "claims", {"calls": calls}) if calls else []
    return {claim.call_id: claim for claim in (Claim(*row) for row in rows)}


def _repeated(answered: Sequence[Outcome]) -> frozenset[str]:
    """Bodies that were sent more than once: repeated prompts are calls of their own."""
    digests = Counter(outcome.body_sha256 for outcome in answered)
    return frozenset(digest for digest, count in digests.items() if count > 1)


def _workloads(outcomes: Sequence[Outcome], tally: Tally) -> tuple[WorkloadLine, ...]:
    by_workload: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_workload.setdefault(outcome.workload_id, []).append(outcome)
    return tuple(_workload(name, members, tally) for name, members in sorted(by_workload.items()))


def _workload(name: str, members: Sequence[Outcome], tally: Tally) -> WorkloadLine:
    answered = [outcome for outcome in members if is_answered(outcome)]
    priced = [outcome for outcome in answered if outcome.cost is not None]
    return WorkloadLine(
        workload_id=name,
        requests=len(members),
        answered=len(answered),
        sync_cost=sum((outcome.sync_cost for outcome in priced), Decimal(0)),
        claimed_cost=sum((outcome.batch_cost for outcome in priced), Decimal(0)),
        measured_cost=sum((outcome.cost or Decimal(0) for outcome in priced), Decimal(0)),
        exact=Share(tally.exact[name], tally.compared[name]),
    )
