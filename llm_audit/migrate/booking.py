"""What `migrate verify` found, as the verified_* tables of the audit: for the report and for SQL.

The ledger holds what was bought; these tables hold what a look at it said, and when. The next look
replaces them whole. Columns are described in `llm_audit.schema`; no text of a request is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_audit import schema
from llm_audit.migrate.pairs import GONE
from llm_audit.migrate.verification import Share, Spread, Verification

if TYPE_CHECKING:
    import duckdb

Row = tuple[Any, ...]


def book(
    connection: duckdb.DuckDBPyConnection,
    found: Verification,
    *,
    all_runs: bool,
    at: datetime,
    tool_version: str,
) -> None:
    """Replace the verified_* tables, in one transaction: the earlier ones or these, never a mix.

    all_runs: whether `found` is of every run of the ledger. at: when it was found.
    """
    tables = _tables(found, (at.astimezone(UTC).replace(tzinfo=None), tool_version, all_runs))
    connection.execute("BEGIN TRANSACTION")
    try:
        for name, rows in tables.items():
            connection.execute(schema.create_table_sql(name, anew=True))
            table = connection.table(name)
            for row in rows:
                table.insert(row)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def shows_less(connection: duckdb.DuckDBPyConnection, found: Verification) -> bool:
    """Whether results were deleted, so that `found` compares fewer answers than what is kept."""
    if all(unread.reason != GONE for unread in found.unread):
        return False
    [(before,)] = connection.execute(
        "SELECT coalesce((SELECT \"count\" FROM verified_shares WHERE name = 'answered'), 0) - "
        "coalesce((SELECT sum(number) FROM verified_counts WHERE dimension = 'not_compared'), 0)"
    ).fetchall()
    compared = found.delivery.answered.count - sum(unread.requests for unread in found.unread)
    return compared < int(before)


def _tables(found: Verification, made: Row) -> Mapping[str, Sequence[Row]]:
    """Rows by table, their values in the order of the columns."""
    cost = found.cost
    amounts = (cost.sync_cost, cost.claimed_cost, cost.measured_cost, cost.other_claimed)
    return {
        "verified_totals": [
            (
                *made, found.delivery.requests, cost.requests, cost.unpriced, *amounts,
                cost.prompts_alike,
            )
        ],
        "verified_runs": [(run_id,) for run_id in found.runs],
        "verified_batches": [
            (b.run_id, b.batch_id, b.vendor, b.model, b.status, b.requests, b.seconds)
            for b in found.batches
        ],
        "verified_turnaround": [
            (t.vendor, t.seconds.of, t.seconds.p50, t.seconds.p90, t.seconds.max)
            for t in found.turnaround
        ],
        "verified_costs": [
            (c.kind, c.claimed_tokens, c.measured_tokens, c.claimed_cost, c.measured_cost)
            for c in cost.lines
        ],
        "verified_shares": [
            (name, share.count, share.of, similarity) for name, share, similarity in _shares(found)
        ],
        "verified_checks": [(c.name, c.of, c.logged, c.batch, c.same) for c in found.structure],
        "verified_counts": [
            (dimension, name, number)
            for dimension, numbers in _counts(found)
            for name, number in numbers.items()
        ],
        "verified_workloads": [
            (
                w.workload_id, w.requests, w.answered, w.sync_cost, w.claimed_cost,
                w.measured_cost, w.exact.count, w.exact.of,
            )
            for w in found.workloads
        ],
    }  # fmt: skip


def _shares(found: Verification) -> Iterator[tuple[str, Share, float | None]]:
    delivery, cost, text, noise = found.delivery, found.cost, found.text, found.noise
    yield "answered", delivery.answered, None
    yield "one_end", delivery.one_end, None
    yield "same_model", delivery.model_family, None
    yield "expired", found.failures.expired, None
    yield "failed", found.failures.errors, None
    yield "prompt_equal", cost.prompt_equal, None
    yield "cached_logged", cost.cached_logged, None
    yield "cached_measured", cost.cached_measured, None
    yield "same_text", text.exact, _median(text.similarity)
    yield "same_json", text.json_documents, None
    yield "same_fields", text.json_fields, None
    if noise is not None:
        yield "noise_logged", noise.logged, noise.logged_similarity
        yield "noise_batch", noise.batch, noise.batch_similarity
        yield "noise_across", noise.across, noise.across_similarity


def _median(spread: Spread | None) -> float | None:
    return None if spread is None else spread.p50


def _counts(found: Verification) -> Iterator[tuple[str, Mapping[str, int]]]:
    yield "states", found.delivery.states
    yield "failures", found.failures.codes
    yield "odd_lines", found.delivery.odd_lines
    yield "not_compared", {unread.reason: unread.requests for unread in found.unread}
