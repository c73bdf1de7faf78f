"""What is asked, in which order, and what a yes would do: looked up, never guessed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import pipeline, review
from llm_audit.policy import Override, Policy
from tests.pricing.helpers import AS_OF
from tests.review.helpers import Run, asked, blind_run, gray_run, question_of, write_audit
from tests.rules.labelling import dialogue, fetch, insert_many

TABLES = (
    "workload_overrides", "signals", "rule_scores", "case_labels", "labels", "workload_labels",
    "reasons", "savings", "workload_costs", "overrides",
)  # fmt: skip


def company() -> list[dict[str, Any]]:
    """Two that a yes settles, one that it does not, a chat, and one too small to move."""
    chats = [c for n in range(12) for c in dialogue(9000 + 10 * n, 5, 9e6 + 9e4 * n, seed=n)]
    return [
        *gray_run(0, "cheap"),
        *gray_run(1000, "dear", 300),
        *blind_run(2000, "blind"),
        *gray_run(3000, "small", 60),
        *({**call, "caller": "desk"} for call in chats),
    ]


def tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    return {name: fetch(connection, f"SELECT * FROM {name} ORDER BY ALL") for name in TABLES}


def test_the_dearest_yes_is_asked_first(run: Run, tmp_path: Path) -> None:
    """Not the dearest hope: a yes for "blind" saves nothing, however much it costs."""
    blind = [*blind_run(5000, "tiny", 150), *blind_run(6000, "vast", 400)]
    write_audit(tmp_path, [*blind, *company()])
    questions = asked(run)["questions"]
    assert [q["caller"] for q in questions] == ["dear", "cheap", "vast", "blind", "tiny"]
    savings = [Decimal(q["saving_if_yes"]) for q in questions]
    assert savings == sorted(savings, reverse=True)
    assert savings[1] > savings[2] == savings[4] == 0
    possible = [Decimal(q["saving_possible"]) for q in questions]
    assert possible[2] > possible[0], "by what is possible the order would be another"
    assert possible[2:] == sorted(possible[2:], reverse=True), (
        "and of those that save alike the dearer hope"
    )
    assert questions[0]["question"] == "May the results of dear come up to 24 hours later?"


def test_a_yes_is_enough_where_only_tolerance_is_missing(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, company())
    question = question_of(run, "dear")
    assert question["yes_is_enough"]
    assert question["remarks"] == []
    assert question["calls"] == 300
    # 300 calls of 800 + 200 tokens at 2 and 8 USD a million; a batch costs half.
    assert Decimal(question["effective_cost"]) == Decimal("0.96")
    assert Decimal(question["saving_if_yes"]) == Decimal("0.48")
    evidence = {e["criterion"]: e for e in question["evidence"]}
    assert list(evidence) == ["independence", "tolerance", "storage"]
    assert evidence["independence"]["verdict"] in ("supported", "hinted")
    assert evidence["independence"]["supports"]
    assert evidence["tolerance"]["verdict"] == "unknown"
    assert evidence["tolerance"]["notes"]


def test_a_yes_alone_that_will_not_do_is_said(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, company())
    question = question_of(run, "blind")
    assert not question["yes_is_enough"]
    assert Decimal(question["saving_possible"]) > 0
    assert Decimal(question["saving_if_yes"]) == 0
    remark, way = question["remarks"]
    assert remark.startswith("a yes alone will not do: the log does not show that no call needs")
    assert "the results may come a day later" not in remark
    assert 'write label = "batch_eligible" in place of tolerance' in way


def test_a_saving_that_is_too_small_to_migrate_for_is_said(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(3000, "small", 60))
    question = question_of(run, "small")
    assert question["yes_is_enough"]
    assert question["remarks"] == [
        "even with a yes: Too few calls to be worth a migration: 60 within 24 hours at most."
    ]


def test_what_a_yes_cannot_move_is_not_asked_beside_what_it_can(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, company())
    assert "small" not in {q["caller"] for q in asked(run)["questions"]}
    assert "small" not in run("review").out


def test_calls_that_a_yes_would_also_move_are_said(run: Run, tmp_path: Path) -> None:
    """An override holds for the whole workload, also for its calls that look like realtime."""
    hasty = gray_run(5000, "mixed", 150, declared_tolerance_s=20.0)
    write_audit(tmp_path, [*gray_run(0, "mixed", 300), *hasty])
    question = question_of(run, "mixed")
    outcome = run("sql", "SELECT label, calls FROM workload_labels ORDER BY label")
    today = dict(line.split() for line in outcome.out.splitlines()[2:])
    assert int(today["realtime"]) > 0
    assert f"a yes also holds for {today['realtime']} calls" in " ".join(question["remarks"])


@pytest.fixture
def labelled() -> duckdb.DuckDBPyConnection:
    from tests.support import create_stored_tables

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    create_stored_tables(connection)
    insert_many(connection, company())
    pipeline.run(connection, Policy.load(), AS_OF)
    return connection


def yes(caller: str) -> Override:
    return Override(caller, "*", "*", "*", None, 86_400.0, "b", "me", None)


def test_supposing_is_what_a_run_with_these_overrides_gives(
    labelled: duckdb.DuckDBPyConnection,
) -> None:
    before = tables(labelled)
    overrides = (yes("dear"), yes("de?k"), yes("nobody"))
    with pipeline.supposing(labelled, Policy.load(), overrides):
        supposed = tables(labelled)
    assert tables(labelled) == before
    import dataclasses

    pipeline.run(labelled, dataclasses.replace(Policy.load(), overrides=overrides), AS_OF)
    assert tables(labelled) == supposed
    assert supposed["savings"] != before["savings"]


def test_supposing_leaves_no_trace_when_it_fails(labelled: duckdb.DuckDBPyConnection) -> None:
    before = tables(labelled)
    with (
        pytest.raises(RuntimeError, match="stop"),
        pipeline.supposing(labelled, Policy.load(), [yes("dear")]),
    ):
        raise RuntimeError("stop")
    assert tables(labelled) == before


def test_what_the_owner_has_answered_is_not_asked_again(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, company())
    (tmp_path / "llm-audit.toml").write_text(
        "[[override]]\ncaller = 'blin?'\ntolerance = '24 h'\nbecause = 'told so'\nby = 'ana'\n"
    )
    document = asked(run)
    assert "blind" not in {q["caller"] for q in document["questions"]}
    [answered] = document["answered"]
    assert answered["caller"] == "blind"
    assert "told so (ana)" in answered["answer"]
    assert "not asked again: blind" in run("review").out


def test_an_answer_that_ended_is_asked_again(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare"))
    (tmp_path / "llm-audit.toml").write_text(
        "[[override]]\ncaller='bare'\ntolerance='24 h'\nbecause='b'\nby='me'\nuntil=2020-01-31\n"
    )
    outcome = run("review")
    assert "May the results of bare come" in outcome.out
    assert "ended on 2020-01-31" in outcome.err


def test_nothing_to_ask(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, gray_run(0, "bare", service_tier="batch"))
    outcome = run("review")
    assert outcome.code == 0
    assert outcome.out == "nothing to ask: no gray workload is without an answer\n"
    assert asked(run)["questions"] == []


def test_an_empty_audit_is_an_error(run: Run) -> None:
    assert run("review").code == 1


def test_twins_that_only_the_id_tells_apart_are_named_by_it(run: Run, tmp_path: Path) -> None:
    write_audit(
        tmp_path,
        [
            *gray_run(0, "two", template_hash="aaaa"),
            *gray_run(1000, "two", template_hash="bbbb"),
            *gray_run(2000, "one"),
        ],
    )
    questions = asked(run)["questions"]
    assert [set(q["names"]) for q in questions if q["caller"] == "one"] == [
        {"caller", "model", "operation"}
    ]
    twins = [q for q in questions if q["caller"] == "two"]
    assert [q["names"]["workload"] for q in twins] == [q["workload_id"] for q in twins]
    assert len(twins) == 2


def test_the_listing_says_everything_and_how_to_answer(run: Run, tmp_path: Path) -> None:
    write_audit(tmp_path, company())
    outcome = run("review")
    assert outcome.code == 0
    for question in asked(run)["questions"]:
        assert question["question"] in outcome.out
        assert f"--answer {question['workload_id']}=24h" in outcome.out
        for remark in question["remarks"]:
            assert remark in outcome.out
    assert "300 gray calls, $0.96 spent; a yes saves $0.48 in this log" in outcome.out
    assert "a yes saves $0.00 of $0.32 in this log" in outcome.out
    assert not (tmp_path / "llm-audit.toml").exists()


def test_text_of_a_question_is_short_of_nothing() -> None:
    question = review.Question(
        workload_id="w_1", caller="c\x1b[31m", operation_name="chat", provider_name="p",
        model="m", question="May it?", calls=1, effective_cost=None,
        saving_possible=Decimal("0.00004"), saving_if_yes=Decimal("0.0023"), yes_is_enough=True,
        remarks=(), evidence=(), names={},
    )  # fmt: skip
    lines = list(review.question_lines(question))
    assert lines == [
        "c | chat | p m | w_1",
        "  1 gray calls, cost unknown; a yes saves $0.0023 in this log",
        "  May it?",
    ]
