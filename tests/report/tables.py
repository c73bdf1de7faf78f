"""The derived tables that the report reads, with literal rows: no rule or price has a say here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

import duckdb

from llm_audit import pipeline, report

NOW = datetime(2025, 9, 10, 12, 0, tzinfo=UTC)

_MONEY = "DECIMAL(38,12)"
_BATCH = f"""batch_cost_conservative {_MONEY}, batch_cost_expected {_MONEY},
    batch_cost_best {_MONEY}, flex_cost {_MONEY}"""
_TABLES = (
    """CREATE TABLE workloads (workload_id VARCHAR, caller VARCHAR, operation_name VARCHAR,
    provider_name VARCHAR, model VARCHAR, template_hash VARCHAR, calls BIGINT,
    first_call_at TIMESTAMP, last_call_at TIMESTAMP, active_days BIGINT)""",
    """CREATE TABLE reasons (workload_id VARCHAR, label VARCHAR, code VARCHAR, criterion VARCHAR,
    weight DOUBLE, evidence VARCHAR, calls BIGINT)""",
    """CREATE TABLE workload_labels (workload_id VARCHAR, label VARCHAR, calls BIGINT,
    confidence DOUBLE, independence VARCHAR, tolerance VARCHAR, storage VARCHAR,
    deadline_risk BOOLEAN)""",
    f"""CREATE TABLE costs (call_id VARCHAR, list_cost {_MONEY}, contracted_cost {_MONEY},
    effective_cost {_MONEY}, {_BATCH}, price_status VARCHAR)""",
    f"""CREATE TABLE savings (workload_id VARCHAR, label VARCHAR, calls BIGINT,
    priced_calls BIGINT, unpriced_calls BIGINT, unpriced_tokens BIGINT, billed_tokens BIGINT,
    already_batch_calls BIGINT, already_batch_cost {_MONEY}, list_cost {_MONEY},
    contracted_cost {_MONEY}, effective_cost {_MONEY}, {_BATCH},
    saving_conservative {_MONEY}, saving_expected {_MONEY}, saving_best {_MONEY},
    forward_effective_cost {_MONEY}, forward_saving_conservative {_MONEY},
    forward_saving_expected {_MONEY}, forward_saving_best {_MONEY},
    forward_already_batch_cost {_MONEY}, projected_effective_cost {_MONEY},
    projected_already_batch_cost {_MONEY}, projected_unrated_cost {_MONEY},
    projected_saving_conservative {_MONEY},
    projected_saving_expected {_MONEY}, projected_saving_best {_MONEY}, peak_day_calls BIGINT,
    worth_it BOOLEAN, deadline_kept BOOLEAN, advice VARCHAR, note VARCHAR)""",
    """CREATE TABLE measured_batches (model_key VARCHAR, model VARCHAR,
    cache_hit_share DECIMAL(18,9), hits VARCHAR, turnaround_max_s BIGINT, turnaround VARCHAR)""",
    """CREATE TABLE pricing_meta (version VARCHAR, sha256 VARCHAR, as_of DATE,
    oldest_verified_on DATE, rows BIGINT)""",
    f"""CREATE TABLE card_costs (workload_id VARCHAR, label VARCHAR, basis VARCHAR, day DATE,
    card_id BIGINT, price_status VARCHAR, batch_status VARCHAR, calls BIGINT,
    plain_cost {_MONEY}, cache_effect {_MONEY}, list_cost {_MONEY}, effective_cost {_MONEY})""",
    """CREATE TABLE workload_cards (workload_id VARCHAR, label VARCHAR, day DATE, tier VARCHAR,
    price_status VARCHAR, calls BIGINT, fresh_tokens BIGINT, read_tokens BIGINT,
    write_5m_tokens BIGINT, write_1h_tokens BIGINT, output_tokens BIGINT,
    audio_input_tokens BIGINT, audio_output_tokens BIGINT, image_input_tokens BIGINT,
    image_output_tokens BIGINT)""",
    """CREATE TABLE workload_sellers (workload_id VARCHAR, label VARCHAR, provider VARCHAR,
    surface VARCHAR, io_discount DECIMAL(18,9), max_requests BIGINT, max_bytes BIGINT,
    queue_note VARCHAR, window_hours BIGINT, oldest_verified_on DATE)""",
    "CREATE TABLE call_cases (case_no BIGINT, started_us BIGINT, answered_ms BIGINT)",
    "CREATE TABLE case_facts (case_no BIGINT, calls BIGINT, is_streaming BOOLEAN)",
    "CREATE TABLE case_labels (case_no BIGINT, workload_id VARCHAR, label VARCHAR)",
    "CREATE TABLE replayable_workloads (workload_id VARCHAR, label VARCHAR, calls BIGINT)",
    "CREATE TABLE thresholds (supported DOUBLE, hinted DOUBLE, contradicted DOUBLE)",
    "CREATE TABLE policy_meta (sha256 VARCHAR, words BOOLEAN)",
    """CREATE VIEW rule_uses AS SELECT code, min(criterion) AS criterion, min(weight) AS weight,
    'Why ' || code || ' speaks.' AS why, FALSE AS own, CAST(sum(calls) AS BIGINT) AS calls
    FROM reasons WHERE code <> 'OVERRIDE' GROUP BY code""",
    """CREATE TABLE override_uses (position BIGINT, names VARCHAR, label VARCHAR,
    tolerance_s DOUBLE, because VARCHAR, signed_by VARCHAR, until_day DATE, calls BIGINT)""",
    """CREATE TABLE rate_sheets (card_id BIGINT, model_key VARCHAR, tier VARCHAR,
    has_user_rates BOOLEAN)""",
    """CREATE TABLE model_names (provider_name VARCHAR, request_model VARCHAR,
    response_model VARCHAR, inference_region VARCHAR, provider VARCHAR, surface VARCHAR,
    model VARCHAR, snapshot VARCHAR, match_method VARCHAR, hint VARCHAR)""",
)


def create_derived_tables(connection: duckdb.DuckDBPyConnection) -> None:
    for statement in _TABLES:
        connection.execute(statement)
    insert(
        connection,
        "pricing_meta",
        version="2025.09.1",
        sha256="5f" * 32,
        as_of=date(2025, 9, 10),
        oldest_verified_on=date(2025, 8, 1),
        rows=1200,
    )

    insert(connection, "thresholds", supported=4.0, hinted=2.0, contradicted=-4.0)
    insert(connection, "policy_meta", sha256=None, words=True)


def insert(connection: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(row.values()))


def add_workload(
    connection: duckdb.DuckDBPyConnection,
    number: int,
    *,
    label: str = "batch_eligible",
    workload: Mapping[str, Any] | None = None,
    verdicts: tuple[str, str, str] = ("supported", "supported", "supported"),
    confidence: float = 0.95,
    deadline_risk: bool = False,
    **savings: Any,
) -> str:
    """One workload with one label; `savings` overrides its row of the savings table."""
    workload_id = f"w_{number:010x}"
    calls = savings.get("calls", 1000)
    row: dict[str, Any] = {
        "caller": f"job-{number}",
        "operation_name": "chat",
        "provider_name": "openai",
        "model": "gpt-4.1",
        "template_hash": None,
        "calls": calls,
        "first_call_at": datetime(2025, 9, 1, 2),
        "last_call_at": datetime(2025, 9, 8, 4),
        "active_days": 8,
    }
    insert(connection, "workloads", workload_id=workload_id, **row | dict(workload or {}))
    insert(
        connection,
        "workload_labels",
        workload_id=workload_id,
        label=label,
        calls=calls,
        confidence=confidence,
        independence=verdicts[0],
        tolerance=verdicts[1],
        storage=verdicts[2],
        deadline_risk=deadline_risk,
    )
    cost = Decimal(savings.pop("cost", 0))
    saved = [Decimal(amount) for amount in savings.pop("saved", (0, 0, 0))]
    forward = savings.pop("forward", saved)
    saving_row: dict[str, Any] = {
        "workload_id": workload_id,
        "label": label,
        "calls": calls,
        "priced_calls": calls - savings.get("unpriced_calls", 0),
        "unpriced_calls": 0,
        "unpriced_tokens": 0,
        "billed_tokens": calls * 2_500,
        "already_batch_calls": 0,
        "already_batch_cost": Decimal(0),
        "list_cost": cost,
        "contracted_cost": cost,
        "effective_cost": cost,
        "batch_cost_conservative": cost - saved[0],
        "batch_cost_expected": cost - saved[1],
        "batch_cost_best": cost - saved[2],
        "flex_cost": None,
        "saving_conservative": saved[0],
        "saving_expected": saved[1],
        "saving_best": saved[2],
        "forward_effective_cost": cost,
        "forward_saving_conservative": forward[0],
        "forward_saving_expected": forward[1],
        "forward_saving_best": forward[2],
        "peak_day_calls": calls,
        "worth_it": label != "realtime",
        "deadline_kept": False,
        "advice": {"batch_eligible": "batch", "gray_area": "ask_owner"}.get(label, "realtime"),
        "note": "",
    }
    saving_row |= savings
    saving_row["forward_already_batch_cost"] = saving_row["already_batch_cost"]
    for name in (
        "effective_cost", "already_batch_cost", "saving_conservative", "saving_expected",
        "saving_best",
    ):  # fmt: skip
        # Every call has a time, unless a test says otherwise.
        saving_row.setdefault(f"projected_{name}", saving_row[f"forward_{name}"])
    insert(connection, "savings", **saving_row)
    _add_days(connection, saving_row)
    _add_starts(connection, number, saving_row)
    return workload_id


def _add_days(connection: duckdb.DuckDBPyConnection, savings: Mapping[str, Any]) -> None:
    """Its calls and costs, evenly over the days that `calls` has; 2,000 tokens in, 500 out."""
    found = connection.execute(
        "SELECT DISTINCT CAST(coalesce(started_at, ended_at) AS DATE) AS day FROM calls "
        "WHERE coalesce(started_at, ended_at) IS NOT NULL ORDER BY day"
    ).fetchall()
    days = [day for (day,) in found] or [None]
    whole = {"workload_id": savings["workload_id"], "label": savings["label"]}
    batched, unpriced = savings["already_batch_calls"], savings["unpriced_calls"]
    parts = (
        ("published", savings["calls"] - batched - unpriced, "effective_cost", -1),
        ("already_batch", batched, "already_batch_cost", 0),
        (None, unpriced, None, 0),
    )
    for status, calls, name, sign in parts:
        cost = Decimal(savings[name] if name else 0)
        cost += sign * Decimal(savings["already_batch_cost"])
        # A fifth of the list price is saved by caching, and a batch is half of what is left.
        plain = cost * (2 if status == "already_batch" else 1) * Decimal("1.25")
        for place, day in enumerate(days if calls else []):
            row = {
                "day": day,
                "price_status": "priced" if status else "unpriced_model",
                "calls": _part(calls, place, len(days)),
            }
            amounts: dict[str, Decimal] = {
                "effective_cost": cost, "list_cost": cost, "plain_cost": plain,
                "cache_effect": -cost / 4,
            }  # fmt: skip
            insert(
                connection, "card_costs", **whole, **row, basis="observed", batch_status=status,
                **{k: _part(a, place, len(days)) if status else None for k, a in amounts.items()},
            )  # fmt: skip
            tokens = dict.fromkeys(
                (
                    "read_tokens", "write_5m_tokens", "write_1h_tokens", "audio_input_tokens",
                    "audio_output_tokens", "image_input_tokens", "image_output_tokens",
                ), 0,
            )  # fmt: skip
            insert(
                connection, "workload_cards", **whole, **row, **tokens,
                tier="batch" if status == "already_batch" else "standard",
                fresh_tokens=2_000 * row["calls"], output_tokens=500 * row["calls"],
            )  # fmt: skip
    insert(
        connection, "workload_sellers", **whole, provider="openai", surface="first_party",
        io_discount=Decimal("0.5"), max_requests=50_000, max_bytes=200_000_000,
        queue_note="by model and usage tier", window_hours=24,
        oldest_verified_on=date(2025, 8, 1),
    )  # fmt: skip


def _part(whole: Any, place: int, parts: int) -> Any:
    """The share of one of so many parts; the first takes what is left over."""
    if isinstance(whole, int):
        each = whole // parts
    else:
        each = (whole / parts).quantize(Decimal("1e-12"), rounding=ROUND_DOWN)
    return whole - each * (parts - 1) if place == 0 else each


def _add_starts(
    connection: duckdb.DuckDBPyConnection, number: int, savings: Mapping[str, Any]
) -> None:
    """When its calls start: eligible work from 02:00 UTC, one a second; the rest all day long."""
    label, calls = savings["label"], savings["calls"]
    whole = {"workload_id": savings["workload_id"], "label": label}
    insert(connection, "case_labels", case_no=number, **whole)
    insert(connection, "case_facts", case_no=number, calls=calls, is_streaming=label == "realtime")
    connection.execute(
        "INSERT INTO call_cases SELECT $1, epoch_us(days.day) + CASE WHEN $2 THEN 7200 + nth "
        "ELSE nth * 86400 // greatest(1, $3 // total) END * 1000000, 1000 + 10 * (nth % 100) "
        "FROM (SELECT n % total AS place, n // total AS nth, total FROM range($3) AS calls (n), "
        "  (SELECT count(DISTINCT CAST(started_at AS DATE)) AS total FROM calls) WHERE total > 0) "
        "INNER JOIN (SELECT day, row_number() OVER (ORDER BY day) - 1 AS place FROM "
        "  (SELECT DISTINCT CAST(started_at AS DATE) AS day FROM calls "
        "   WHERE started_at IS NOT NULL)"
        ") AS days USING (place)",
        [number, label == "batch_eligible", calls],
    )


def add_reason(
    connection: duckdb.DuckDBPyConnection, workload_id: str, label: str, **row: Any
) -> None:
    insert(connection, "reasons", workload_id=workload_id, label=label, **row)


def add_calls(
    connection: duckdb.DuckDBPyConnection,
    count: int,
    *,
    days: int,
    path: str = "logs/app.jsonl",
    **file_counts: int,
) -> None:
    """`count` priced calls, evenly over `days` days, in one file whose counts close."""
    connection.execute(
        "INSERT INTO calls (call_id, source_file, source_line, started_at, status, tokens_source) "
        "SELECT $1 || '-' || n, $1, n + 1, TIMESTAMP '2025-09-01' "
        "+ INTERVAL (n * $3 // $2) SECOND, 'ok', 'reported' FROM range($2) AS numbers (n)",
        [path, count, days * 86_400],
    )
    connection.execute(
        "INSERT INTO costs (call_id, price_status) SELECT call_id, 'priced' FROM calls "
        "WHERE source_file = ?",
        [path],
    )
    others = {"rejects": 0, "duplicates": 0, "not_calls": 0} | file_counts
    insert(
        connection,
        "ingested_files",
        path=path,
        format="litellm",
        lines=count + sum(others.values()),
        calls=count,
        **others,
    )


def add_reconciliation(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    basis: str,
    *,
    counts: Mapping[str, int] | None = None,
    **amounts: str,
) -> None:
    """An export that was held against the log: a row of reconciliation_summary as sql/79 gives."""
    covered = {
        "log_days": 8, "log_days_compared": 8, "calls_not_compared": 0, "cost_not_compared": 0,
        "lines_rejected": 0, "pages_missing": 0, **(counts or {}),
    }  # fmt: skip
    insert(connection, "usage_buckets", source_file="export.json", provider_name=provider)
    names = (
        "theirs", "ours", "gap", "outside_period", "model_not_in_log", "key_not_in_log",
        "batch_share", "tool_fees", "unpriced", "rounding", "unexplained", "unexplained_size",
    )  # fmt: skip
    connection.execute(
        "CREATE TABLE IF NOT EXISTS reconciliation_summary (provider_name VARCHAR, basis VARCHAR, "
        "first_day DATE, last_day DATE, log_days BIGINT, log_days_compared BIGINT, "
        f"calls_not_compared BIGINT, cost_not_compared {_MONEY}, lines_rejected BIGINT, "
        f"pages_missing BIGINT, {', '.join(f'{name} {_MONEY}' for name in names)})"
    )
    insert(
        connection,
        "reconciliation_summary",
        provider_name=provider,
        basis=basis,
        first_day=date(2025, 9, 1),
        last_day=date(2025, 9, 8),
        **covered,
        **{name: Decimal(amounts.get(name, 0)) for name in names},
    )


def add_migration(connection: duckdb.DuckDBPyConnection, **changes: Any) -> None:
    """What `migrate verify` keeps of a migration of 120 requests; `changes` of its totals."""
    totals: dict[str, Any] = {
        "verified_at": datetime(2025, 9, 9, 8, 30), "tool_version": "0.1.0", "all_runs": True,
        "requests": 120, "priced_requests": 118, "unpriced_requests": 1,
        "sync_cost": Decimal("2.4"), "claimed_cost": Decimal("1.2"),
        "measured_cost": Decimal("1.08"), "other_claimed_cost": Decimal("0.01"),
        "prompts_alike": True,
    }  # fmt: skip
    insert(connection, "verified_totals", **totals | changes)
    for table, columns, found in (
        ("runs", "run_id", [("20250908-020000-a1",), ("20250908-090000-b2",)]),
        (
            "batches",
            "run_id, batch_id, vendor, model, status, requests, seconds",
            [
                ("20250908-020000-a1", "b1", "openai", "gpt-4.1", "completed", 5, 600.0),
                ("20250908-020000-a1", "b2", "openai", "gpt-4.1", "expired", 95, 86400.0),
                ("20250908-090000-b2", "b3", "anthropic", "claude-sonnet-4", "ended", 20, 75.5),
            ],
        ),
        (
            "turnaround",
            "vendor, batches, p50_s, p90_s, max_s",
            [("openai", 2, 600.0, 86400.0, 86400.0), ("anthropic", 1, 75.5, 75.5, 75.5)],
        ),
        (
            "costs",
            "token_kind, claimed_tokens, measured_tokens, claimed_cost, measured_cost",
            [
                ("output", 3000, 3100, Decimal("0.3"), Decimal("0.31")),
                ("input", 240000, 200000, Decimal("0.89"), Decimal("0.75")),
                ("cached_input", 0, 40000, Decimal(0), Decimal("0.02")),
            ],
        ),
        (
            "shares",
            'name, count, "of", similarity',
            [
                ("answered", 119, 120, None), ("one_end", 119, 120, None),
                ("same_model", 118, 119, None), ("expired", 2, 122, None),
                ("failed", 1, 122, None), ("prompt_equal", 118, 119, None),
                ("cached_logged", 0, 240000, None), ("cached_measured", 40000, 240000, None),
                ("same_text", 95, 115, 0.97), ("same_json", 7, 10, None),
                ("same_fields", 38, 40, None), ("noise_logged", 16, 20, 0.95),
                ("noise_batch", 17, 20, 0.96), ("noise_across", 15, 20, 0.94),
            ],
        ),
        (
            "checks",
            'name, "of", logged, batch, same',
            [("json_valid", 10, 10, 9, 9), ("finish", 119, 119, 114, 114)],
        ),
        (
            "counts",
            "dimension, name, number",
            [
                ("states", "succeeded", 119), ("states", "rejected", 1),
                ("failures", "batch_expired", 2), ("failures", "rate.limit 429", 1),
                ("odd_lines", "stranger", 1), ("not_compared", "source_changed", 4),
            ],
        ),
        (
            "workloads",
            "workload_id, requests, answered, sync_cost, claimed_cost, measured_cost, same_text, "
            "compared",
            [
                ("w_gone", 20, 20, Decimal("0.4"), Decimal("0.2"), Decimal("0.2"), 10, 16),
                ("w_0000000001", 100, 99, Decimal(2), Decimal(1), Decimal("0.88"), 85, 99),
            ],
        ),
    ):  # fmt: skip
        for row in found:
            marks = ", ".join("?" for _ in row)
            connection.execute(f"INSERT INTO verified_{table} ({columns}) VALUES ({marks})", row)


def build(connection: duckdb.DuckDBPyConnection, *, project: bool = False) -> report.Result:
    """Run the report's steps and build its result, made at a fixed time."""
    pipeline.run_steps(connection, 80, 99)
    return report.build(connection, now=NOW, project=project, tool_version="0.1.0")


def one_day_on_sonnet_4(connection: duckdb.DuckDBPyConnection) -> None:
    """The user's example: 8 M input and 2 M output tokens in a day, all of it can wait."""
    add_calls(connection, 1000, days=1)
    add_workload(
        connection,
        1,
        workload={"provider_name": "anthropic", "model": "claude-sonnet-4-20250514"},
        cost=54,
        saved=(27, 27, 27),
        note="Results may wait: a batch costs half.",
    )


def mixed_audit(connection: duckdb.DuckDBPyConnection) -> None:
    """Eight days with every kind of row that the report shows."""
    add_calls(connection, 1500, days=8, path="logs/a/app.jsonl", rejects=30, not_calls=3)
    add_calls(connection, 20, days=8, path="logs/b/batch.jsonl", duplicates=2)
    nightly = add_workload(
        connection,
        1,
        workload={"caller": "nightly-enrichment", "model": "gpt-4.1"},
        calls=600,
        cost="120.50",
        saved=("40.25", "50.1", "60.25"),
        flex_cost=Decimal("60.25"),
        note="Runs at night in bursts.",
    )
    for code, criterion, weight, evidence in (
        ("NIGHT_BURST", "tolerance", 3.0, "98% of 600 calls start between 02:00 and 02:20 UTC"),
        ("NO_STREAM", "tolerance", 1.0, "none of 600 calls streams"),
        ("SHORT_TIMEOUT", "tolerance", -1.5, "the client gives up after 30 s in 12 calls"),
    ):
        add_reason(
            connection, nightly, "batch_eligible", code=code, criterion=criterion, weight=weight,
            evidence=evidence, calls=600,
        )  # fmt: skip
    triage = add_workload(
        connection,
        2,
        label="gray_area",
        workload={"caller": "webhook-triage", "model": "gpt-4o"},
        verdicts=("supported", "unknown", "supported"),
        confidence=0.62,
        calls=300,
        cost="80",
        saved=("30.333333333333", "35", "40"),
        note="Does anyone wait for the triage within an hour?",
    )
    add_reason(
        connection, triage, "gray_area", code="WEBHOOK", criterion="tolerance", weight=-0.5,
        evidence="300 calls are started by a webhook", calls=300,
    )  # fmt: skip
    chat = add_workload(
        connection,
        3,
        label="realtime",
        workload={"caller": "chat-frontend", "model": "gpt-4o"},
        verdicts=("hinted", "contradicted", "supported"),
        calls=400,
        cost="210.123456789012",
        note="Streams to a person.",
    )
    add_reason(
        connection, chat, "realtime", code="STREAMING", criterion="tolerance", weight=None,
        evidence="400 of 400 calls stream", calls=400,
    )  # fmt: skip
    add_workload(
        connection,
        4,
        workload={"caller": "weekly-digest", "model": "gpt-4.1"},
        calls=20,
        cost="1.5",
        saved=("0.75", "0.75", "0.75"),
        worth_it=False,
        advice="below_floor",
        note="20 calls on its busiest day: too few to be worth the work.",
    )
    add_workload(
        connection,
        5,
        workload={"caller": "embeddings-backfill", "model": "text-embedding-3-small"},
        calls=150,
        already_batch_calls=150,
        already_batch_cost=Decimal("9"),
        cost="9",
        worth_it=False,
        advice="already_batch",
        note="Runs at the batch price.",
    )
    add_workload(
        connection,
        6,
        label="gray_area",
        workload={"caller": None, "model": "claude-haiku-4", "provider_name": "anthropic"},
        calls=50,
        unpriced_calls=50,
        unpriced_tokens=123456,
        worth_it=False,
        advice="unpriced",
        note="No known price.",
    )
    _unpriced_calls(connection, 50)
    insert(
        connection,
        "rejects",
        source_file="logs/a/app.jsonl",
        line_number=7,
        reason="not JSON",
        excerpt="{broken",
    )
    for line in range(10, 39):
        insert(
            connection,
            "rejects",
            source_file="logs/a/app.jsonl",
            line_number=line,
            reason="truncated line",
            excerpt='{"id": "chatcmpl',
        )


def _unpriced_calls(connection: duckdb.DuckDBPyConnection, count: int) -> None:
    connection.execute(
        "UPDATE calls SET provider_name = 'anthropic', request_model = 'claude-haiku-4', "
        "input_tokens = 2000, output_tokens = 400 WHERE call_id IN "
        "(SELECT call_id FROM calls ORDER BY call_id LIMIT ?)",
        [count],
    )
    connection.execute(
        "UPDATE costs SET price_status = 'unpriced_model' WHERE call_id IN "
        "(SELECT call_id FROM calls WHERE request_model = 'claude-haiku-4')"
    )
    insert(
        connection,
        "model_names",
        provider_name="anthropic",
        request_model="claude-haiku-4",
        response_model=None,
        match_method="refused",
        hint="There is no Claude Haiku 4: Haiku 3.5 or Haiku 4.5 may be meant.",
    )
