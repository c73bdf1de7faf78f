"""Golden cases from literal calls to labels, and what must not move a label."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit.policy import Policy
from tests.rules.labelling import (
    a_call,
    codes,
    dialogue,
    fetch,
    insert_many,
    label_calls,
    labels,
    list_run,
    shifted,
)
from tests.support import create_stored_tables, insert_calls

POLICY = Policy.load()
DAY = 86400.0


def run(calls: Sequence[dict[str, Any]], policy: Policy = POLICY) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    create_stored_tables(connection)
    insert_many(connection, calls)
    label_calls(connection, policy)
    return connection


def only_label(connection: duckdb.DuckDBPyConnection) -> str:
    [label] = set(labels(connection).values())
    return label


def nightly_job() -> list[dict[str, Any]]:
    return [
        call
        for night in range(5)
        for call in list_run(
            1000 * night,
            120,
            night * DAY,
            caller="nightly-summaries",
            scheduler="airflow",
            tags=["job:nightly-summaries"],
        )
    ]


def growing_chats(count: int = 15, **fields: Any) -> list[dict[str, Any]]:
    return [
        call
        for n in range(count)
        for call in dialogue(100 * n, 5, 900.0 * n, seed=n + 5, caller="desk", **fields)
    ]


# --- golden cases ---------------------------------------------------------------------------------


def test_a_growing_chat_is_realtime() -> None:
    connection = run(growing_chats())
    assert only_label(connection) == "realtime"
    assert "V_CHAIN" in codes(connection)


def test_a_chat_without_prompts_is_realtime_by_its_sizes() -> None:
    calls = [
        a_call(
            10 * n + turn,
            900.0 * n + 40 * turn,
            conversation_id=f"c{n}",
            message_hashes=None,
            message_count=None,
            input_tokens=500 + 330 * turn,
            output_tokens=300,
        )
        for n in range(10)
        for turn in range(5)
    ]
    connection = run(calls)
    assert only_label(connection) == "realtime"
    assert {"N_TOKEN_GROWTH", "U_NO_PROMPTS"} <= codes(connection)


def test_an_agent_loop_is_realtime() -> None:
    calls = [a_call(n, 9.0 * n, has_tool_result=n % 6 > 0) for n in range(120)]
    connection = run(calls)
    assert only_label(connection) == "realtime"
    assert "V_TOOL_RESULT" in codes(connection)


def test_server_side_history_is_realtime() -> None:
    calls = [
        a_call(n, 30.0 * n, previous_response_id=f"r{n}" if n % 3 else None) for n in range(60)
    ]
    assert only_label(run(calls)) == "realtime"


def test_a_declared_nightly_job_is_eligible() -> None:
    calls = list_run(
        0,
        300,
        caller="nightly-etl",
        scheduler="airflow",
        declared_tolerance_s=DAY,
        tags=["job:nightly-etl"],
    )
    connection = run(calls)
    assert only_label(connection) == "batch_eligible"
    [row] = fetch(connection, "SELECT * FROM workload_labels")
    assert row["calls"] == 300
    assert row["deadline_risk"] is False
    assert (row["independence"], row["tolerance"], row["storage"]) == (
        "supported",
        "supported",
        "hinted",
    )
    [evidence] = fetch(connection, "SELECT evidence FROM reasons WHERE code = 'D_DEADLINE_DAY'")
    assert evidence["evidence"] == "the result may take 24 h, as declared"


@pytest.mark.parametrize(
    ("seconds", "label", "risk"),
    [
        (5.0, "realtime", True),
        (900.0, "gray_area", True),
        (7200.0, "batch_eligible", True),
        (2 * DAY, "batch_eligible", False),
    ],
)
def test_declared_tolerance(seconds: float, label: str, risk: bool) -> None:
    connection = run(list_run(0, 200, declared_tolerance_s=seconds))
    assert only_label(connection) == label
    [row] = fetch(connection, "SELECT deadline_risk FROM workload_labels")
    assert row["deadline_risk"] is risk


@pytest.mark.parametrize(
    ("tag", "label"),
    [
        ("due:week-end", "batch_eligible"),
        ("deadline:08:00 Europe/Berlin", "gray_area"),
        ("required_check:true", "realtime"),
    ],
)
def test_tags_declare(tag: str, label: str) -> None:
    assert only_label(run(list_run(0, 200, tags=["team:x", tag]))) == label


def test_a_scheduled_job_is_eligible_when_several_signs_agree() -> None:
    connection = run(nightly_job())
    assert only_label(connection) == "batch_eligible"
    assert {"P_SCHEDULE", "P_SCHEDULER", "P_POOL", "W_OFFLINE"} <= codes(connection)


@pytest.mark.parametrize("tier", ["flex", "batch"])
def test_flex_and_batch_tiers_are_eligible(tier: str) -> None:
    assert only_label(run(list_run(0, 150, service_tier=tier))) == "batch_eligible"


def test_bulk_embeddings_are_eligible_and_search_queries_are_not() -> None:
    corpus = list_run(
        0, 300, caller="index", operation_name="embeddings", input_tokens=450, message_count=None
    )
    queries = list_run(
        1000, 300, caller="box", operation_name="embeddings", input_tokens=8, message_count=None
    )
    found = labels(run([*corpus, *queries]))
    assert {found[call["call_id"]] for call in corpus} == {"batch_eligible"}
    assert {found[call["call_id"]] for call in queries} == {"realtime"}


def test_a_lying_name_is_realtime() -> None:
    calls = [
        a_call(
            n,
            47.0 * n,
            caller="nightly-batch-summaries",
            is_streaming=True,
            end_user_hash=f"u{n % 30}",
            status="cancelled" if n % 25 == 3 else "ok",
        )
        for n in range(400)
    ]
    connection = run(calls)
    assert only_label(connection) == "realtime"
    assert {"V_CANCEL", "N_STREAMING", "W_OFFLINE"} <= codes(connection)


def test_a_bare_run_is_gray_and_says_what_is_missing() -> None:
    connection = run(list_run(0, 500))
    assert only_label(connection) == "gray_area"
    [row] = fetch(connection, "SELECT tolerance FROM workload_labels")
    assert row["tolerance"] == "unknown"
    assert "U_NO_DEADLINE" in codes(connection)


def test_prompts_that_are_not_logged_are_named() -> None:
    connection = run(list_run(0, 100, message_hashes=None, message_count=None))
    assert only_label(connection) == "gray_area"
    assert "U_NO_PROMPTS" in codes(connection)


def test_a_run_that_an_operator_stopped_is_not_a_cancelling_user() -> None:
    calls = list_run(0, 300, declared_tolerance_s=None)
    for call in calls[-3:]:
        call["status"] = "cancelled"
        call["ended_at"] = calls[-1]["ended_at"]
    assert "V_CANCEL" not in codes(run(calls))


# --- grains and call-level flags ------------------------------------------------------------------


def test_one_odd_call_is_not_eligible_although_its_workload_is() -> None:
    calls = list_run(0, 300, declared_tolerance_s=None, scheduler="airflow", caller="nightly-x")
    calls = [*calls, *shifted(calls, 24), *shifted(calls, 48), *shifted(calls, 72)]
    for number, call in enumerate(calls):
        call.update(call_id=f"c{number}", message_hashes=[1, 5000 + number])
    calls[7]["is_streaming"] = True
    calls[8]["has_tool_result"] = True
    calls[9]["service_tier"] = "priority"
    found = labels(run(calls))
    assert {found[f"c{n}"] for n in (7, 8, 9)}.isdisjoint({"batch_eligible"})
    assert [found[f"c{n}"] for n in range(10, 1200)] == ["batch_eligible"] * 1190


def test_a_template_with_enough_calls_is_judged_apart_and_small_ones_are_pooled() -> None:
    chat = growing_chats(30, template_hash="chat")
    job = list_run(50_000, 200, 10 * DAY, caller="desk", template_hash="job", service_tier="flex")
    crumbs = [
        {**call, "template_hash": f"t{n}"}
        for n, call in enumerate(list_run(90_000, 40, 20 * DAY, caller="desk", service_tier="flex"))
    ]
    connection = run([*chat, *job, *crumbs])
    rows = fetch(connection, "SELECT template_hash, calls FROM workloads ORDER BY calls")
    assert rows == [
        {"template_hash": None, "calls": 40},
        {"template_hash": "chat", "calls": 150},
        {"template_hash": "job", "calls": 200},
    ]
    found = labels(connection)
    assert found["call-50000"] == "batch_eligible"
    assert found["call-0"] == "realtime"


def test_ownerless_calls_get_a_readable_caller() -> None:
    connection = run(list_run(0, 30, caller=None, source_format="openai_chat"))
    [row] = fetch(connection, "SELECT caller, workload_id FROM workloads")
    assert row["caller"] == "unknown caller (openai_chat)"
    assert row["workload_id"].startswith("w_")
    assert len(row["workload_id"]) == 12


def test_no_calls_no_labels(connection: duckdb.DuckDBPyConnection) -> None:
    label_calls(connection, POLICY)
    for table in ("workloads", "labels", "reasons", "workload_labels"):
        assert fetch(connection, f"SELECT * FROM {table}") == []


def test_calls_that_know_almost_nothing_are_gray(connection: duckdb.DuckDBPyConnection) -> None:
    insert_calls(connection, [{}, {}, {}])
    label_calls(connection, POLICY)
    assert only_label(connection) == "gray_area"


def test_every_call_has_one_label_and_the_counts_close() -> None:
    connection = run([*growing_chats(), *list_run(70_000, 150, 30 * DAY)])
    [row] = fetch(
        connection,
        "SELECT (SELECT count(*) FROM calls) AS calls, count(*) AS rows, "
        "count(DISTINCT call_id) AS labelled, "
        "(SELECT sum(calls) FROM workload_labels) AS in_workloads FROM labels",
    )
    assert row["calls"] == row["rows"] == row["labelled"] == row["in_workloads"]
    over = "SELECT * FROM reasons JOIN workload_labels USING (workload_id, label)"
    assert fetch(connection, f"{over} WHERE reasons.calls > workload_labels.calls") == []
    assert fetch(connection, "SELECT * FROM reasons WHERE evidence IS NULL OR code IS NULL") == []
    assert fetch(connection, "SELECT * FROM reasons WHERE evidence LIKE '%unknown%'") == []


# --- the owner's word -----------------------------------------------------------------------------


def policy_of(folder: Path, text: str) -> Policy:
    path = folder / "llm-audit.toml"
    path.write_text(text, encoding="utf-8")
    return Policy.load(path)


def test_an_override_beats_everything_and_is_shown(tmp_path: Path) -> None:
    policy = policy_of(
        tmp_path,
        "[[override]]\ncaller = 'de?k*'\nlabel = 'batch_eligible'\n"
        "because = 'replayed recordings'\nby = 'ana'\nuntil = 2999-01-31\n",
    )
    connection = run(growing_chats(), policy)
    assert only_label(connection) == "batch_eligible"
    [reason] = fetch(connection, "SELECT * FROM reasons WHERE code = 'OVERRIDE'")
    assert reason["calls"] == 75
    assert reason["evidence"] == (
        "the owner labels this batch_eligible: replayed recordings (ana, until 2999-01-31)"
    )


def test_an_owners_tolerance_opens_gray_but_not_a_chain(tmp_path: Path) -> None:
    policy = policy_of(
        tmp_path,
        "[[override]]\noperation = 'chat'\ntolerance = '24 h'\nbecause = 'b'\nby = 'ana'\n",
    )
    connection = run([*list_run(0, 500, caller="bare"), *growing_chats(60)], policy)
    found = fetch(
        connection, "SELECT caller, label FROM workload_labels JOIN workloads USING (workload_id)"
    )
    assert {row["caller"]: row["label"] for row in found} == {
        "bare": "batch_eligible",
        "desk": "realtime",
    }


def test_the_first_override_wins_and_globs_are_literal(tmp_path: Path) -> None:
    entry = "[[override]]\ncaller = '{}'\nlabel = '{}'\nbecause = 'b'\nby = 'c'\n"
    policy = policy_of(
        tmp_path,
        entry.format("s_c", "realtime")
        + entry.format("%", "realtime")
        + entry.format("svc", "batch_eligible")
        + entry.format("*", "realtime"),
    )
    assert only_label(run(list_run(0, 20), policy)) == "batch_eligible"


# --- what must not move a label -------------------------------------------------------------------


def company() -> list[dict[str, Any]]:
    return [
        *growing_chats(),
        *list_run(20_000, 150, 5 * DAY, caller="themes", service_tier="flex"),
        *(
            call
            for night in range(5)
            for call in list_run(30_000 + 500 * night, 110, night * DAY, caller="memo")
        ),
        *list_run(40_000, 300, 6 * DAY, caller="bare"),
    ]


@pytest.mark.parametrize("hours", [1.0, 7.5, 24.0 * 30])
def test_a_time_shift_moves_no_label(hours: float) -> None:
    assert labels(run(shifted(company(), hours))) == labels(run(company()))


def test_new_names_move_no_label_when_words_are_off(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, "words = false\n")
    renamed = [{**call, "caller": f"nightly-batch-{call['caller']}"} for call in company()]
    assert labels(run(renamed, policy)) == labels(run(company(), policy))


def test_the_order_of_the_log_moves_no_label() -> None:
    mixed = company()
    random.Random(7).shuffle(mixed)
    assert labels(run(mixed)) == labels(run(company()))


def test_adding_a_chain_raises_no_label() -> None:
    rank = {"realtime": 0, "gray_area": 1, "batch_eligible": 2}
    before = labels(run(company()))
    for caller in ("memo", "themes", "bare"):
        chain = dialogue(80_000, 6, 2 * DAY, seed=77, caller=caller)
        after = labels(run([*company(), *chain]))
        assert all(rank[after[call]] <= rank[label] for call, label in before.items())
        assert after["call-80003"] == "realtime"


# --- hostile text ---------------------------------------------------------------------------------


def test_names_are_only_text() -> None:
    hostile = "'; DROP TABLE calls; -- <script>%_\\ \x1b[31m"
    calls = list_run(
        0,
        30,
        caller=hostile,
        request_model=hostile,
        tags=[hostile, ":", "deadline:", "sla_hours:x"],
    )
    connection = run(calls)
    [row] = fetch(connection, "SELECT caller, model FROM workloads")
    assert row == {"caller": hostile, "model": hostile}
