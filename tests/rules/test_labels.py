"""Golden cases from literal calls to labels, and what must not move a label."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit.policy import Policy
from tests.rules.adversaries import numbered, opened, pool, replayed_dialogues
from tests.rules.labelling import (
    START,
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
    """As cron starts a job: some seconds after the minute."""
    return [
        call
        for night, late in enumerate((2.0, 11.0, 0.5, 34.0, 4.0))
        for call in list_run(
            1000 * night,
            120,
            night * DAY + late,
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
    [row] = fetch(connection, "SELECT deadline_risk, due_in_s FROM workload_labels")
    assert row == {"deadline_risk": risk, "due_in_s": seconds if risk else None}


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


def lists(starts: Sequence[float], count: int = 150, lasts: float = 5.0) -> list[dict[str, Any]]:
    """One list of some minutes per start."""
    return numbered(
        (c for n, at in enumerate(starts) for c in pool(200 + n, count, at, lasts=lasts)), 200
    )


@pytest.mark.parametrize(
    ("off", "lasts", "label"),
    [
        ([0.0, 20.0, 40.0], 5.0, "batch_eligible"),
        ([0.0, 240.0, 480.0], 5.0, "gray_area"),
        ([0.0, 240.0, 480.0], 40.0, "batch_eligible"),
    ],
    ids=["a clock, minutes", "a person, minutes", "a quarter of an hour"],
)
def test_a_short_list_takes_a_clock_to_be_scheduled(
    off: list[float], lasts: float, label: str
) -> None:
    connection = run(lists([day * DAY + off[day % 3] for day in range(9)], lasts=lasts))
    assert only_label(connection) == label
    found = codes(connection)
    assert ("P_SCHEDULE" in found) is (label == "batch_eligible")
    assert ("N_SHORT_RUNS" in found) is (label == "gray_area")


def test_one_list_says_nothing_about_a_schedule() -> None:
    """Its only start is as regular as can be."""
    connection = run(lists([0.0], count=60, lasts=2.0))
    assert "N_SHORT_RUNS" in codes(connection)


@pytest.mark.parametrize(("drained", "seen"), [(1, 0), (2, 2)])
def test_one_run_of_ten_may_look_like_a_list_by_luck(drained: int, seen: int) -> None:
    """Two stand out from open arrivals: one key may serve a button and a backfill."""
    rest = [opened(300 + n, 150, n * DAY, 2000.0) for n in range(drained, 10)]
    driven = [pool(300 + n, 150, n * DAY) for n in range(drained)]
    connection = run(numbered((call for calls in [*driven, *rest] for call in calls), 300))
    [counts] = fetch(
        connection,
        "SELECT count(*) AS runs, CAST(sum(CASE WHEN is_pool THEN 1 ELSE 0 END) AS INT) AS pools "
        "FROM run_signals",
    )
    assert counts == {"runs": 10, "pools": seen}


def test_a_refused_request_long_before_a_list_does_not_hide_it() -> None:
    calls = pool(400, 200, 40.0)
    first = a_call(0, 0.0, status="error", http_status=429)
    first["ended_at"] = first["started_at"] + timedelta(seconds=0.3)
    connection = run(numbered([first, *calls], 400))
    assert fetch(connection, "SELECT is_pool FROM run_signals") == [{"is_pool": True}]


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


# --- signals that are counted, not weighed --------------------------------------------------------


def the_workload(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    [row] = fetch(connection, "SELECT * FROM workloads")
    return row


def asking(number: int, prompt: list[int], **fields: Any) -> dict[str, Any]:
    """A call of its own minute with this prompt."""
    return a_call(number, 60.0 * number, message_hashes=prompt, message_count=len(prompt), **fields)


def test_prompts_that_are_asked_again_are_counted() -> None:
    connection = run([asking(n, [1, 500 + n % 60]) for n in range(100)])
    assert the_workload(connection)["share_duplicate_prompts"] == 0.4
    [reason] = fetch(connection, "SELECT * FROM reasons WHERE code = 'C_DUPLICATE_PROMPTS'")
    assert reason["evidence"].startswith("40 % of the calls repeat another call's whole prompt")
    assert reason["weight"] == 0


@pytest.mark.parametrize(
    ("second", "share"),
    [
        ({"attempt_group": "b"}, 0.5),
        ({"status": "error", "http_status": 500}, 0.0),
        ({"status": "cancelled"}, 0.0),
        ({"gateway_cache_hit": True}, 0.0),
        ({"attempt_group": "a"}, 0.0),
    ],
)
def test_only_a_second_answer_is_a_repetition(second: dict[str, Any], share: float) -> None:
    calls = [asking(0, [1, 7], attempt_group="a"), asking(1, [1, 7], **second)]
    assert the_workload(run(calls))["share_duplicate_prompts"] == share


@pytest.mark.parametrize("other", [[2, 7], [1, 8], [1, 5, 6, 7], [1, 4, 7]])
def test_the_whole_prompt_must_be_the_same(other: list[int]) -> None:
    calls = [asking(0, [1, 7]), asking(1, other)]
    assert the_workload(run(calls))["share_duplicate_prompts"] == 0.0


def test_without_prompts_nothing_is_said_about_repetitions() -> None:
    calls = [{**asking(n, [1, 7]), "message_hashes": None} for n in range(20)]
    assert the_workload(run(calls))["share_duplicate_prompts"] is None


def test_redacted_prompts_are_no_repetitions() -> None:
    connection = run([asking(n, [1, 7]) for n in range(200)])
    assert "C_DUPLICATE_PROMPTS" not in codes(connection)


def test_a_template_is_a_share_of_its_job() -> None:
    calls = [
        *list_run(0, 150, template_hash="a"),
        *list_run(1000, 450, 5 * DAY, template_hash="b"),
    ]
    connection = run(calls)
    rows = fetch(connection, "SELECT template_hash, share_template FROM workloads")
    assert {row["template_hash"]: row["share_template"] for row in rows} == {"a": 0.25, "b": 0.75}
    assert "C_TEMPLATE" in codes(connection)


def test_a_job_of_one_template_or_none_is_not_split() -> None:
    alone = run(list_run(0, 150, template_hash="a"))
    assert the_workload(alone)["share_template"] == 1.0
    silent = run(list_run(0, 150, template_hash=None))
    assert the_workload(silent)["share_template"] is None
    assert "C_TEMPLATE" not in codes(alone) | codes(silent)


@pytest.mark.parametrize(
    ("environments", "found"),
    [(["Eval"], "eval"), ([None], None), (["prod", "eval", "eval"], "eval"), (["a", "b"], None),
     (["eval", None, None], None)],
)  # fmt: skip
def test_the_environment_is_the_one_that_most_calls_name(
    environments: list[str | None], found: str | None
) -> None:
    calls = [
        {**call, "environment": environments[n % len(environments)]}
        for n, call in enumerate(list_run(0, 60))
    ]
    connection = run(calls)
    assert the_workload(connection)["environment"] == found
    assert ("C_ENVIRONMENT" in codes(connection)) is (found == "eval")


def test_an_environment_is_context_and_a_users_rule_may_weigh_it(tmp_path: Path) -> None:
    calls = [*company(), *nightly_job()]
    assert labels(run([{**call, "environment": "eval"} for call in calls])) == labels(run(calls))
    policy = policy_of(
        tmp_path,
        "[[rule]]\ncode = 'OWN_EVAL'\ncriterion = 'tolerance'\nweight = 6.0\n"
        "when = \"environment = 'eval'\"\nevidence = 'an evaluation: {environment}'\n"
        "why = 'ours are read the next day'\n"
        "tests = [{ environment = 'eval', expect = true }, { expect = false }]\n",
    )
    assert only_label(run(list_run(0, 300, environment="eval"), policy)) == "batch_eligible"


# --- what makes a run -----------------------------------------------------------------------------


def test_failed_calls_make_no_runs() -> None:
    failed: dict[str, Any] = {"status": "error", "http_status": 503, "output_tokens": 0}
    assert the_workload(run(list_run(0, 120)))["max_run_calls"] == 120
    mixed = [{**call, **(failed if n % 3 == 0 else {})} for n, call in enumerate(list_run(0, 120))]
    found = the_workload(run(mixed))
    assert (found["run_count"], found["max_run_calls"]) == (1, 80)
    storm = the_workload(run(list_run(0, 120, **failed)))
    assert (storm["run_count"], storm["max_run_calls"]) == (None, None)


def test_failed_calls_do_not_bridge_a_pause() -> None:
    failed = [a_call(900 + n, 300.0 * n, status="error", http_status=503) for n in range(12)]
    connection = run([*list_run(0, 60), *failed[1:], *list_run(100, 60, 3600.0)])
    assert the_workload(connection)["run_count"] == 2


def test_cancelled_calls_and_calls_without_a_status_count_in_their_run() -> None:
    cancelled = [{**call, "status": "cancelled"} for call in list_run(100, 10, 40.0)]
    assert the_workload(run([*list_run(0, 60), *cancelled]))["max_run_calls"] == 70
    assert the_workload(run(list_run(0, 60, status=None)))["max_run_calls"] == 60


@pytest.mark.parametrize(
    ("every_h", "runs", "days", "per_day"),
    [
        (24.0, 6, 6, 1.0),
        (8.0, 18, 7, 18 / 7),
        (23.8, 6, 6, 1.0),
        (24.2, 6, 6, 1.0),
        (168.0, 3, 3, 1.0),
    ],
)
def test_days_are_steps_of_24_hours(every_h: float, runs: int, days: int, per_day: float) -> None:
    calls = [c for n in range(runs) for c in list_run(1000 * n, 60, 3600.0 * every_h * n)]
    for hours in (0.0, 7.5, 13.0):
        found = the_workload(run(shifted(calls, hours)))
        assert (found["bulk_run_days"], found["large_run_days"]) == (days, days)
        assert found["large_runs_per_day"] == per_day


def test_a_job_every_eight_hours_is_not_frequent_and_one_every_hour_is() -> None:
    def every(hours: float, runs: int) -> set[str]:
        return codes(
            run([c for n in range(runs) for c in list_run(1000 * n, 60, 3600.0 * hours * n)])
        )

    assert "N_FREQUENT" not in every(8.0, 15)
    assert "N_FREQUENT" in every(1.0, 30)


# --- people who read and write --------------------------------------------------------------------

PEOPLE = (24.0, 94.0, 326.0, 45.0)
"""Seconds between an answer and the next question."""
TOOLS = (5.0, 8.0, 19.0, 6.0)
"""Seconds that the tools of an agent take."""
HARNESS = (0.3, 1.0, 5.6, 2.0)
"""Seconds between the turns of a test harness."""


def sessions(pauses: Sequence[float], count: int = 10, **fields: Any) -> list[dict[str, Any]]:
    """Conversations of five turns; each prompt holds the one before, its answer and a new turn."""
    calls = []
    for n in range(count):
        at = 3000.0 * n
        turns = dialogue(10 * n, 5, 0.0, seed=n + 1, conversation_id=f"c{n}", caller="desk")
        for turn, call in enumerate(turns):
            start = START + timedelta(seconds=at)
            sizes = {"input_tokens": 500 + 330 * turn, "output_tokens": 300}
            ends = start + timedelta(seconds=2)
            calls.append({**call, **sizes, "started_at": start, "ended_at": ends, **fields})
            at += 2 + pauses[turn % len(pauses)]
    return calls


def bare(calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same without prompts."""
    silent = {"message_hashes": None, "message_count": None, "has_tool_result": None}
    return [{**call, **silent} for call in calls]


def by_id(calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same where the provider keeps the history: one message, and the id of the last answer."""
    return [
        {**call, "message_hashes": [n], "message_count": 1, "conversation_id": None,
         "input_tokens": 300, "previous_response_id": calls[n - 1]["call_id"] if n % 5 else None}
        for n, call in enumerate(calls)
    ]  # fmt: skip


def unnamed(calls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same without session ids: only the prompts tell."""
    return [{**call, "conversation_id": None} for call in calls]


@pytest.mark.parametrize("log", [list, bare, by_id, unnamed])
@pytest.mark.parametrize(
    ("pauses", "share"), [(PEOPLE, 1.0), (TOOLS, 0.5), (HARNESS, 0.0)], ids=["us", "tools", "tests"]
)
def test_people_think_and_programs_do_not(log: Any, pauses: Sequence[float], share: float) -> None:
    connection = run(log(sessions(pauses)))
    row = the_workload(connection)
    assert (row["think_time_pairs"], row["share_think_time"]) == (40 * share, share)
    assert ("V_THINK_TIME" in codes(connection)) is (share == 1.0)
    if share == 1.0:
        [verdict] = fetch(connection, "SELECT DISTINCT tolerance FROM workload_labels")
        assert verdict["tolerance"] == "contradicted"
        [reason] = fetch(connection, "SELECT evidence FROM reasons WHERE code = 'V_THINK_TIME'")
        assert reason["evidence"].startswith("40 calls (100 % of those that build on an answer)")


@pytest.mark.parametrize(
    ("pauses", "pairs"), [((7.9,), 0), ((8.0,), 40), ((1800.0,), 40), ((1800.1,), 0)]
)
def test_think_time_is_8_s_to_30_min(pauses: Sequence[float], pairs: int) -> None:
    calls = [
        {**call, name: call[name] + timedelta(days=n // 5)}
        for n, call in enumerate(sessions(pauses))
        for name in ("started_at",)
    ]
    calls = [{**call, "ended_at": call["started_at"] + timedelta(seconds=2)} for call in calls]
    assert the_workload(run(calls))["think_time_pairs"] == pairs


def test_nineteen_pairs_are_too_few() -> None:
    calls = sessions(PEOPLE, 5)
    assert "V_THINK_TIME" in codes(run(calls))
    assert "V_THINK_TIME" not in codes(run(calls[:-1]))


@pytest.mark.parametrize(
    "change",
    [{"ended_at": None}, {"has_tool_result": True}, {"status": "error", "conversation_id": None}],
    ids=["no latency", "tools", "failed"],
)
def test_a_pause_is_measured_from_an_answer_and_before_a_question(change: dict[str, Any]) -> None:
    row = the_workload(run(sessions(PEOPLE, **change)))
    assert (row["think_time_pairs"], row["share_think_time"]) == (0, None)


def test_sessions_whose_calls_build_on_nothing_are_no_dialogues() -> None:
    """One id for a whole job: every third input happens to have the size of a continued prompt."""
    sizes = (900, 1400, 300, 800, 200)
    calls = [
        {**call, "input_tokens": sizes[n % 5]} for n, call in enumerate(bare(sessions(PEOPLE, 30)))
    ]
    connection = run(calls)
    row = the_workload(connection)
    assert row["share_token_growth"] >= 0.2
    assert (row["think_time_pairs"], row["share_think_time"]) == (0, None)


def nightly_agents(pauses: Sequence[float], **fields: Any) -> list[dict[str, Any]]:
    """Each night at one: thirty tasks, one after the other, whose steps build on each other."""
    calls = []
    for night in range(6):
        at = night * DAY + 3.0 * (night % 3)
        for task in range(30):
            steps = dialogue(0, 5, 0.0, seed=1 + 30 * night + task, caller="mender", **fields)
            for step, call in enumerate(steps):
                start = START + timedelta(seconds=at)
                ends = start + timedelta(seconds=2)
                calls.append({**call, "started_at": start, "ended_at": ends})
                at += 2 + pauses[step % len(pauses)]
    return [{**call, "call_id": f"night-{n}"} for n, call in enumerate(calls)]


@pytest.mark.parametrize("fields", [{}, {"scheduler": "airflow"}])
@pytest.mark.parametrize("pauses", [HARNESS, TOOLS, (60.0,)], ids=["harness", "tools", "slow"])
def test_nightly_agents_wait_for_nobody(pauses: Sequence[float], fields: dict[str, Any]) -> None:
    connection = run(nightly_agents(pauses, **fields))
    assert {"V_CHAIN"} <= codes(connection)
    assert "V_THINK_TIME" not in codes(connection)
    verdicts = fetch(connection, "SELECT DISTINCT tolerance FROM workload_labels")
    assert {"tolerance": "contradicted"} not in verdicts


# --- requests that are refused and mended ---------------------------------------------------------


def mended(count: int = 100, every: int = 20, **error: Any) -> list[dict[str, Any]]:
    """Traces of one request each; every so many is refused, and sent again with another prompt."""
    calls = []
    for n in range(count):
        call = a_call(10 * n, 120.0 * n, trace_id=f"t{n}")
        calls.append(call)
        if n % every == 0:
            refused = {"status": "error", "http_status": 400, **error}
            second = a_call(10 * n + 1, 120.0 * n + 12, trace_id=f"t{n}")
            calls.append({**second, **refused.pop("second", {})})
            call.update(refused)
    return calls


def test_errors_that_are_mended_are_counted() -> None:
    connection = run(mended())
    row = the_workload(connection)
    assert (row["corrected_calls"], row["calls"]) == (5, 105)
    assert row["share_corrected"] == row["share_refused"] == 5 / 105
    [reason] = fetch(connection, "SELECT * FROM reasons WHERE code = 'N_CORRECTED'")
    assert reason["evidence"].startswith("5 requests (4.8 %) were refused, and another prompt")
    [verdict] = fetch(connection, "SELECT needs_error_feedback FROM workload_labels")
    assert verdict["needs_error_feedback"]


@pytest.mark.parametrize(
    "error",
    [
        {"http_status": 429},
        {"http_status": 503},
        {"http_status": 401},
        {"http_status": None, "error_type": "overloaded_error"},
        {"status": "ok", "http_status": 200},
    ],
)
def test_what_a_change_of_the_prompt_cannot_mend_is_no_such_error(error: dict[str, Any]) -> None:
    connection = run(mended(**error))
    row = the_workload(connection)
    assert (row["corrected_calls"], row["share_refused"]) == (0, 0.0)
    [verdict] = fetch(connection, "SELECT DISTINCT needs_error_feedback FROM workload_labels")
    assert not verdict["needs_error_feedback"]


@pytest.mark.parametrize(
    ("error", "corrected"),
    [
        ({"http_status": None, "error_type": "invalid_request_error"}, 5),
        ({"http_status": 422}, 5),
        ({"second": {"trace_id": None}}, 0),
        ({"second": {"message_hashes": None}}, 0),
        ({"second": {"trace_id": "another"}}, 0),
        ({"second": {"started_at": START + timedelta(days=3)}}, 0),
    ],
)
def test_a_correction_is_another_prompt_of_the_same_thread_within_a_minute(
    error: dict[str, Any], corrected: int
) -> None:
    row = the_workload(run(mended(**error)))
    assert row["corrected_calls"] == corrected
    assert row["share_refused"] > 0


def test_the_same_prompt_again_is_a_retry() -> None:
    prompt = [1, 7]
    row = the_workload(run(mended(message_hashes=prompt, second={"message_hashes": prompt})))
    assert (row["corrected_calls"], row["share_refused"]) == (0, 5 / 105)


def test_the_next_item_of_a_job_is_no_correction() -> None:
    calls = [a_call(n, 5.0 * n, trace_id="one-run") for n in range(200)]
    for call in calls[::20]:
        call.update(status="error", http_status=400)
    row = the_workload(run(calls))
    assert (row["corrected_calls"], row["share_refused"]) == (0, 0.05)


def test_many_refused_requests_need_feedback_without_any_thread() -> None:
    calls = list_run(0, 200)
    for call in calls[::8]:
        call.update(status="error", http_status=413)
    connection = run(calls)
    assert "C_REFUSED" in codes(connection)
    [verdict] = fetch(connection, "SELECT DISTINCT needs_error_feedback FROM workload_labels")
    assert verdict["needs_error_feedback"]


# --- what the provider's export says about the key ------------------------------------------------


def export(connection: duckdb.DuckDBPyConnection, *rows: tuple[Any, ...]) -> None:
    """Lines of a usage export: key, model, tier, tokens."""
    connection.executemany(
        "INSERT INTO usage_buckets (provider_name, token_kind, api_key, model, service_tier, "
        "quantity) VALUES ('openai', 'input', ?, ?, ?, ?)",
        rows,
    )


def with_export(*rows: tuple[Any, ...]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    create_stored_tables(connection)
    insert_many(connection, list_run(0, 300, api_key_alias="catalogue"))
    export(connection, *rows)
    label_calls(connection, POLICY)
    return connection


def test_a_key_that_sends_batches_is_a_weak_hint() -> None:
    connection = with_export(
        ("catalogue", "gpt-4.1", "batch", 300),
        ("catalogue", "gpt-4.1", "standard", 100),
        ("catalogue", "gpt-4o", "standard", 9_000),
        ("desk", "gpt-4.1", "standard", 9_000),
    )
    assert the_workload(connection)["share_key_batch"] == 0.75
    assert "P_KEY_BATCHES" in codes(connection)
    assert only_label(connection) == "gray_area"


@pytest.mark.parametrize(
    ("line", "share"),
    [
        (("catalogue", "gpt-4.1", "standard", 100), 0.0),
        (("catalogue", "gpt-4.1", None, 100), None),
        (("desk", "gpt-4.1", "batch", 100), None),
        (("catalogue", "gpt-4o", "batch", 100), None),
        ((None, "gpt-4.1", "batch", 100), None),
    ],
)
def test_another_key_or_model_and_unknown_tiers_say_nothing(
    line: tuple[Any, ...], share: float | None
) -> None:
    connection = with_export(line)
    assert the_workload(connection)["share_key_batch"] == share
    assert "P_KEY_BATCHES" not in codes(connection)


# --- chains that ids tell ------------------------------------------------------------------------


def in_chains(seed: int, **fields: Any) -> list[dict[str, Any]]:
    """A pool of 8 tasks at a time, 24 in all: each sends 10 calls, one after the other."""
    rng = random.Random(seed)
    free = [0.0] * 8
    calls = []
    for task in range(24):
        slot = free.index(min(free))
        for step in range(10):
            lasts = rng.uniform(2, 6)
            at = free[slot] + rng.uniform(0.005, 0.05)
            call = a_call(seed * 10_000 + task * 10 + step, at, trace_id=f"{seed}-{task}", **fields)
            calls.append({**call, "ended_at": call["started_at"] + timedelta(seconds=lasts)})
            free[slot] = at + lasts
    return calls


def test_serial_traces_are_at_least_doubtful() -> None:
    """Prompts that are written anew from the last answer repeat nothing."""
    chained = run(in_chains(1))
    assert "N_SERIAL_TRACE" in codes(chained)
    assert the_workload(chained)["share_serial_trace"] == 0.9
    assert only_label(chained) == "gray_area"


@pytest.mark.parametrize(
    "trace",
    [
        lambda number: f"call {number}",
        lambda number: f"run {number // 180}",
        lambda number: f"item {number // 12}",
    ],
    ids=["one per call", "one per run", "in flight together"],
)
def test_other_traces_say_nothing(trace: Callable[[int], str]) -> None:
    calls = [c for day in range(5) for c in list_run(1000 * day, 180, DAY * day)]
    traced = [{**call, "trace_id": trace(n)} for n, call in enumerate(calls)]
    before, after = run(calls), run(traced)
    assert "N_SERIAL_TRACE" not in codes(after)
    assert labels(after) == labels(before)


def test_a_loop_with_one_trace_per_run_says_nothing() -> None:
    calls = [
        a_call(100 * day + n, DAY * day + 2.1 * n, trace_id=f"night {day}")
        for day in range(6)
        for n in range(100)
    ]
    assert "N_SERIAL_TRACE" not in codes(run(calls))


def test_traces_without_latencies_or_answers_say_nothing() -> None:
    silent = [{**call, "ended_at": None} for call in in_chains(2)]
    assert "N_SERIAL_TRACE" not in codes(run(silent))
    refused = [{**call, "status": "error", "http_status": 429} for call in in_chains(3)]
    assert "N_SERIAL_TRACE" not in codes(run(refused))


def test_a_parent_that_is_an_answered_call_makes_a_chain() -> None:
    calls = in_chains(4)
    named = [
        {**call, "parent_id": calls[n - 1]["call_id"]} if n % 10 else call
        for n, call in enumerate(calls)
    ]
    connection = run(named)
    assert "V_CHILD_CALL" in codes(connection)
    assert only_label(connection) == "realtime"
    spans = [{**call, "parent_id": f"span {n // 10}"} for n, call in enumerate(calls)]
    assert "V_CHILD_CALL" not in codes(run(spans))


# --- prompts that only look continued -------------------------------------------------------------


def test_prompts_that_end_alike_continue_nothing() -> None:
    """Few-shot prompts of several lengths, the same instruction at the end of every example."""
    calls = [
        {**call, "message_hashes": prompt, "message_count": len(prompt)}
        for call in list_run(0, 200)
        for n in [int(call["call_id"].split("-")[1])]
        for prompt in [[1, *(h for e in range(n % 3) for h in (10 + e + n % 5, 7)), 5000 + n, 7]]
    ]
    connection = run(calls)
    assert the_workload(connection)["share_continues_prompt"] == 0
    assert "V_CHAIN" not in codes(connection)


def test_a_prompt_of_one_message_is_continued_at_the_beginning_only() -> None:
    first = [asking(n, [100 + n]) for n in range(10)]
    follows = [asking(20 + n, [100 + n, 3, 200 + n]) for n in range(10)]
    quotes = [asking(40 + n, [1, 100 + n, 300 + n]) for n in range(10)]
    connection = run([*first, *follows, *quotes])
    continuing = fetch(connection, "SELECT call_id FROM call_cases WHERE continues_prompt")
    assert {row["call_id"] for row in continuing} == {c["call_id"] for c in follows}


def test_recorded_tool_calls_that_a_pool_grades_are_no_chain() -> None:
    recorded = replayed_dialogues(79)
    tools = [
        {**call, "has_tool_result": len(call["message_hashes"]) > 2, "caller": "grader"}
        for call in recorded
    ]
    connection = run(tools)
    assert not {"V_TOOL_RESULT", "V_CHAIN"} & codes(connection)
    assert "P_REPLAY" in codes(connection)


# --- live connections -----------------------------------------------------------------------------


def test_the_realtime_endpoint_is_realtime() -> None:
    calls = [
        {**call, "operation_name": "realtime"}
        for day in range(5)
        for call in list_run(1000 * day, 120, DAY * day)
    ]
    connection = run(calls)
    assert only_label(connection) == "realtime"
    assert "V_LIVE_ENDPOINT" in codes(connection)


# --- sentences that say no more than the rule -----------------------------------------------------


def test_an_exception_stands_in_the_sentence() -> None:
    """Six chains and a minute of cancels are too few for a veto, and too many for "none"."""
    calls = [c for day in range(5) for c in list_run(1000 * day, 200, DAY * day + 7 * day)]
    calls[250:256] = [{**call, "status": "cancelled"} for call in calls[250:256]]
    calls[300:306] = [{**call, "is_streaming": True} for call in calls[300:306]]
    other = [a_call(9000 + n, 600.0 * n, status="cancelled", caller="desk") for n in range(3)]
    connection = run([*calls, *other])
    said = {
        row["code"]: row["evidence"]
        for row in fetch(connection, "SELECT DISTINCT code, evidence FROM reasons")
    }
    assert "outside one minute" in said["P_NEVER_CANCELLED"]
    assert said["P_NOT_STREAMED"].startswith("under 1 %")
    assert said["P_NO_CHAIN"].startswith("under 1 %")
    assert said["P_POOL"] == "100 % of the calls lie in runs that a program drives"


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
