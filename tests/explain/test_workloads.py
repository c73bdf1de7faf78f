"""Literal workloads: what is said of them is so, and follows from no list of rules or signals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import explain
from llm_audit.errors import InputError
from llm_audit.explain.result import Judgement
from llm_audit.policy import Policy, Rule
from tests.explain.helpers import assert_equals_tables, call, codes, explained, run, workload
from tests.rules.labelling import a_call, dialogue, fetch, list_run

ESCAPE = "\x1b[31mred\x07\u202e\u200bname"
SILENT: dict[str, Any] = {"message_hashes": None, "message_count": None, "has_tool_result": None}
"""What a log without bodies does not tell."""


def policy_of(folder: Path, text: str) -> Policy:
    path = folder / "llm-audit.toml"
    path.write_text(text, encoding="utf-8")
    return Policy.load(path)


def only(connection: duckdb.DuckDBPyConnection, name: str = "svc") -> Judgement:
    [part] = workload(connection, name).parts
    return part.judgement


def rule(code: str, criterion: str, weight: float, when: str, **fields: Any) -> Rule:
    """A rule beside which there are few others, so that a test says all that counts."""
    kind = {"kind": "evidence", "evidence": f"{code} holds", "why": "Ours."} | fields
    return Rule(code=code, criterion=criterion, weight=weight, when=when, **kind)


def policy_with(*rules: Rule) -> Policy:
    return replace(Policy.load(), rules=rules)


TWO_GAPS = policy_with(
    rule("P_PROMPTS", "independence", 5.0, "share_prompts_known >= 0.9 and distinct_prompts >= 10"),
    rule("P_DEADLINE", "tolerance", 2.5, "declared_tolerance_s >= 86400"),
    rule("P_STORED", "storage", 5.0, "calls > 0"),
    rule("P_NEVER", "tolerance", 9.0, "model = 'other'"),
)
"""Two criteria that a log without prompts and deadlines leaves open, and a rule out of reach."""


def test_a_gray_run_says_what_would_settle_it(connection: duckdb.DuckDBPyConnection) -> None:
    """No prompts and no deadline: both are asked for, and both together make it eligible."""
    run(connection, list_run(0, 30, **SILENT), TWO_GAPS)
    [part] = workload(connection, "svc", TWO_GAPS).parts
    judgement = part.judgement
    assert (judgement.label, judgement.weakest) == ("gray_area", ("independence", "tolerance"))
    assert_equals_tables(connection, judgement)
    told = {
        (change.code, change.kind, change.verdict, change.label) for change in judgement.changes
    }
    assert told == {
        ("P_PROMPTS", "log", "supported", "gray_area"),
        ("P_DEADLINE", "log", "hinted", "gray_area"),
    }
    assert judgement.together is not None
    assert set(judgement.together.codes) == {"P_PROMPTS", "P_DEADLINE"}
    assert judgement.together.label == "batch_eligible"
    text = explain.text(explained(connection, "svc", TWO_GAPS))
    assert "1 and 2 together: batch-eligible." in text


def test_an_eligible_workload_says_what_could_turn_it(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    policy = policy_with(
        *(rule(f"P_{c}", c, 5.0, "calls > 0") for c in ("independence", "tolerance", "storage")),
        rule("N_TIMEOUT", "tolerance", -9.0, "share_short_timeout >= 0.5"),
        rule("N_STREAM", "storage", -9.0, "is_streaming"),
        rule("N_LIGHT", "storage", -0.5, "share_end_user >= 0.5"),
    )
    run(connection, list_run(0, 30, client_timeout_s=None), policy)
    [part] = workload(connection, "svc", policy).parts
    assert part.label == "batch_eligible"
    # Streaming is known not to be so, and the end users would not suffice.
    assert [(c.code, c.verdict, c.label) for c in part.judgement.changes] == [
        ("N_TIMEOUT", "contradicted", "realtime")
    ]
    assert "[[override]]" not in explain.text(explained(connection, "svc", policy))


def test_what_is_said_to_change_the_label_does_so(connection: duckdb.DuckDBPyConnection) -> None:
    """The deadline that the explanation asks for, given as calls, brings the promised verdict."""
    run(connection, list_run(0, 300, **SILENT))
    promised = [c for c in only(connection).changes if "max_delay" in c.action]
    assert promised
    connection.execute("DELETE FROM calls")
    run(connection, list_run(0, 300, **SILENT, declared_tolerance_s=86400.0))
    judgement = only(connection)
    [tolerance] = [c for c in judgement.criteria if c.criterion == "tolerance"]
    assert tolerance.verdict == promised[0].verdict
    assert judgement.label == promised[0].label
    assert promised[0].code in codes(tolerance)
    assert tolerance.settled_by == "declared"


def test_a_dialogue_shows_its_veto_and_no_way_out(connection: duckdb.DuckDBPyConnection) -> None:
    calls = [c for n in range(10) for c in dialogue(n * 10, 6, n * 1000.0, seed=n + 1)]
    run(connection, calls)
    found = workload(connection, "svc")
    for part in found.parts:
        assert part.label == "realtime"
        assert_equals_tables(connection, part.judgement)
        [independence] = [c for c in part.judgement.criteria if c.criterion == "independence"]
        assert independence.settled_by == "veto"
        assert any(reason.kind == "veto" for reason in independence.against)
        assert not any(change.label == "batch_eligible" for change in part.judgement.changes)
        assert part.judgement.together is None
    text = explain.text(explained(connection, "svc"))
    assert "REALTIME" in text
    assert "veto" in text


def test_several_labels_are_shown_as_parts_that_add_up(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    patient = list_run(0, 200, declared_tolerance_s=86400.0, template_hash="t")
    paid_for = [
        a_call(1000 + n, 90_000 + n * 900, service_tier="priority", template_hash="t")
        for n in range(40)
    ]
    run(connection, [*patient, *paid_for])
    found = workload(connection, "svc")
    assert [(p.label, p.calls) for p in found.parts] == [("batch_eligible", 200), ("realtime", 40)]
    assert sum(part.share for part in found.parts) == pytest.approx(1)
    for part in found.parts:
        assert_equals_tables(connection, part.judgement)
    assert len(found.samples) == 3
    assert {sample.label for sample in found.samples} == {"batch_eligible", "realtime"}
    text = explain.text(explained(connection, "svc"))
    assert "200 of 240 calls (83.3 %)" in text


def test_reasons_are_those_of_the_table(connection: duckdb.DuckDBPyConnection) -> None:
    mixed = [a_call(n, n * 30.0, is_streaming=n % 3 == 0) for n in range(120)]
    run(connection, mixed)
    found = workload(connection, "svc")
    told = {
        (part.label, reason.code, reason.evidence, reason.calls)
        for part in found.parts
        for reason in (
            *part.other_reasons,
            *(
                reason
                for criterion in part.judgement.criteria
                for reason in (*criterion.for_batch, *criterion.against, *criterion.notes)
            ),
        )
    }
    rows = fetch(connection, "SELECT label, code, evidence, calls FROM reasons")
    assert {(label, code, calls) for label, code, _, calls in told} == {
        (row["label"], row["code"], row["calls"]) for row in rows
    }
    assert len(found.parts) > 1 or found.parts[0].other_reasons
    # The table fills a sentence from the largest case on which the rule fired.
    evidence = {(row["label"], row["code"]): row["evidence"] for row in rows}
    for part in found.parts:
        for criterion in part.judgement.criteria:
            for reason in (*criterion.for_batch, *criterion.against):
                assert evidence[part.label, reason.code] == reason.evidence


def test_a_value_that_just_misses_is_named_with_the_value_it_needs(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A rule of the user's own: nothing in the code can know it."""
    policy = policy_of(
        tmp_path,
        """
        words = false
        [[rule]]
        code = "P_OURS"
        criterion = "tolerance"
        weight = 6.0
        when = "calls >= 100 and (model = 'gpt-4.1' or provider_name = 'mistral')"
        evidence = "there are {calls} calls"
        why = "Ours."
        """,
    )
    run(connection, [a_call(n, n * 700.0) for n in range(80)], policy)
    [part] = workload(connection, "svc", policy).parts
    [change] = [c for c in part.judgement.changes if c.code == "P_OURS"]
    assert change.kind == "near"
    assert change.action == ""  # nothing is left to find out
    assert change.condition == "there are 100 or more calls of the workload (80 now)"
    assert change.verdict == "supported"


def test_the_owners_word_settles_everything(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    policy = policy_of(
        tmp_path,
        '[[override]]\ncaller = "svc"\nlabel = "realtime"\nbecause = "a demo"\nby = "ana"\n',
    )
    run(connection, list_run(0, 120, declared_tolerance_s=86400.0), policy)
    [part] = workload(connection, "svc", policy).parts
    assert part.judgement.label == "realtime"
    [word] = explained(connection, "svc", policy).owner
    assert (word.in_force, word.label, word.because, word.by) == (True, "realtime", "a demo", "ana")
    # Who says realtime says that somebody waits, and nothing of the other two criteria.
    settled = {c.criterion: c.settled_by for c in part.judgement.criteria}
    assert settled["tolerance"] == "owner"
    assert "owner" not in (settled["independence"], settled["storage"])
    assert not part.judgement.changes
    text = explain.text(explained(connection, "svc", policy))
    assert "(llm-audit.toml, caller = 'svc'): label realtime; because: a demo; by: ana" in text
    assert "The owner has decided" in text
    assert "[[override]]" not in text


def test_an_owners_deadline_that_is_not_enough_says_so(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Nothing but a label helps where the prompts are missing; and only one entry counts."""
    run(connection, list_run(0, 30, **SILENT), TWO_GAPS)
    [part] = workload(connection, "svc", TWO_GAPS).parts
    assert part.judgement.label_with_a_day == "gray_area"
    text = " ".join(explain.text(explained(connection, "svc", TWO_GAPS)).split())
    assert 'with tolerance = "24 h" alone the label would be gray area' in text
    assert 'label = "realtime"' in text
    policy = policy_of(
        tmp_path,
        '[[override]]\ncaller = "svc"\ntolerance = "24 h"\nbecause = "night"\nby = "ana"\n',
    )
    policy = replace(TWO_GAPS, overrides=policy.overrides)
    connection.execute("DELETE FROM calls")
    run(connection, list_run(0, 30, **SILENT), policy)
    text = " ".join(explain.text(explained(connection, "svc", policy)).split())
    assert "a result may take 24 h; because: night; by: ana" in text
    assert "change that one" in text
    assert "[[override]]" not in text
    # The owner's word stands before any tag: no deadline is asked for any more.
    assert "a deadline of" not in text


def test_what_is_imagined_is_said_by_its_bounds(connection: duckdb.DuckDBPyConnection) -> None:
    """No value of the unchanged or of the made-up row stands in a hypothetical sentence."""
    policy = policy_with(
        *(rule(f"P_{c}", c, 5.0, "calls > 0") for c in ("independence", "tolerance", "storage")),
        *(r for r in Policy.load().rules if r.code in ("V_SHORT_TIMEOUT", "D_DEADLINE_SECONDS")),
    )
    run(connection, list_run(0, 30, client_timeout_s=None), policy)
    found = only_with(connection, policy)
    assert {change.code: (change.condition, change.label) for change in found.changes} == {
        "V_SHORT_TIMEOUT": (
            "50 % or more of the calls whose timeout is known give up after a minute or sooner",
            "realtime",
        ),
        "D_DEADLINE_SECONDS": ("a deadline of less than 1 min is declared", "realtime"),
    }
    text = " ".join(explain.text(explained(connection, "svc", policy)).split())
    assert "unknown" not in text
    assert " 0 s" not in text


def only_with(connection: duckdb.DuckDBPyConnection, policy: Policy) -> Judgement:
    [part] = workload(connection, "svc", policy).parts
    return part.judgement


def test_what_a_silent_log_leaves_at_zero_is_part_of_the_condition(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Prompts that are logged may turn out to be chains: that they are not is a condition, too."""
    run(connection, list_run(0, 30, **SILENT))
    [change] = [c for c in only(connection).changes if c.code == "P_NO_CHAIN"]
    assert "the prompts of 90 % or more of the calls are logged" in change.condition
    assert "less than 1 % of the calls continue an earlier call's prompt" in change.condition


def test_what_a_case_tells_is_not_asked_of_it(connection: duckdb.DuckDBPyConnection) -> None:
    """Most of the workload declares no deadline; these few calls do."""
    run(
        connection,
        [
            *list_run(0, 200, **SILENT),
            *list_run(500, 20, 9e4, **SILENT, declared_tolerance_s=7200.0),
        ],
    )
    judgement = call(connection, "call-505").judgement
    assert judgement.deadline_risk
    assert not any("deadline" in change.condition for change in judgement.changes)


def test_everything_is_not_nearly_half(connection: duckdb.DuckDBPyConnection) -> None:
    policy = policy_with(
        rule("P_NO_CI", "tolerance", 9.0, "share_ci < 0.5"),
        rule("P_SHORT", "storage", 9.0, "share_short_timeout < 0.4"),
    )
    run(connection, [a_call(n, n * 700.0, scheduler="ci") for n in range(30)], policy)
    assert not only_with(connection, policy).changes


def test_calls_in_a_batch_need_no_change(connection: duckdb.DuckDBPyConnection) -> None:
    run(connection, list_run(0, 30, service_tier="batch", **SILENT))
    assert only(connection).in_batch
    assert not only(connection).changes
    for name in ("svc", "call-1"):
        text = explain.text(explained(connection, name))
        assert "these calls are in a batch already" in text
        assert "NOT IN THE LOG" not in text


def test_a_retry_leads_to_its_other_attempts(connection: duckdb.DuckDBPyConnection) -> None:
    refused = {"status": "error", "http_status": 429, "attempt_group": "g"}
    run(
        connection,
        [
            a_call(1, 0, **refused),
            a_call(2, 5, **refused),
            a_call(3, 30, attempt_group="g"),
            a_call(4, 60, attempt_group="other"),
            a_call(5, 90),
        ],
    )
    found = call(connection, "call-3").attempts
    assert [(a.call_id, a.status, a.http_status, a.source_line) for a in found] == [
        ("call-1", "error", 429, 1),
        ("call-2", "error", 429, 2),
    ]
    text = explain.text(explained(connection, "call-3"))
    assert "SENT 2 TIMES MORE: other attempts of the same request\n  call-1\n" in text
    assert "/logs/a.jsonl:1  2026-11-02 01:00:00  error (429)" in text
    for alone in ("call-4", "call-5"):
        assert call(connection, alone).attempts == ()


def test_a_call_says_what_its_log_leaves_out(connection: duckdb.DuckDBPyConnection) -> None:
    run(connection, list_run(0, 30, **SILENT, source_format="litellm_slp"))
    text = explain.text(explained(connection, "call-3"))
    assert 'litellm_slp: put "max_delay:24h" into `request_tags`' in text


def test_a_call_without_a_time_says_why_it_has_no_price(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    timeless = {"started_at": None, "ended_at": None}
    old = [a_call(9, 0) | {"started_at": datetime(2019, 5, 1), "ended_at": datetime(2019, 5, 1)}]
    run(connection, [a_call(1, 0, **timeless), *old])
    assert "at unknown times" not in explain.text(explained(connection, "call-1"))
    assert "no time in the log" in explain.text(explained(connection, "call-1"))
    text = explain.text(explained(connection, "call-9"))
    assert "No price: no rate is known for 2019-05-01." in text


def test_places_and_ids_stay_whole_to_be_copied(connection: duckdb.DuckDBPyConnection) -> None:
    file = f"/logs/{'a-very-long-folder/' * 8}2026-10-05.jsonl"
    run(connection, [a_call(1, 0, source_file=file, call_id="id-" * 50)])
    assert f"      {file}:1\n" in explain.text(explained(connection, "svc"))
    text = explain.text(explained(connection, "id-" * 50))
    assert text.startswith(f"Call {'id-' * 50}\n  {file}:1 (test)\n")


def test_what_the_log_leaves_out(connection: duckdb.DuckDBPyConnection) -> None:
    calls = list_run(0, 120, **SILENT)
    for one in calls[:30]:
        one["end_user_hash"] = "u"
    run(connection, calls)
    gaps = {gap.columns[0]: gap for gap in workload(connection, "svc").gaps}
    assert gaps["message_hashes"].calls_with == 0
    assert gaps["end_user_hash"].calls_with == 30
    assert gaps["end_user_hash"].calls == 120
    assert not {"started_at", "is_streaming", "client_timeout_s", "input_tokens"} & set(gaps)
    assert "independence" in gaps["message_hashes"].criteria
    [how] = gaps["end_user_hash"].how
    assert (how.source_format, how.calls) == ("test", 90)


def test_calls_without_times_or_models(connection: duckdb.DuckDBPyConnection) -> None:
    bare = {"started_at": None, "ended_at": None, "request_model": None, "caller": None}
    run(connection, [a_call(n, 0.0, **bare, message_hashes=None) for n in range(5)])
    found = explained(connection, "unknown caller*")
    assert found.workload is not None
    [part] = found.workload.parts
    assert part.cards[0].price_status == "unpriced_model"
    assert "at unknown times" in explain.text(found)
    assert "the log names no model" in explain.text(found)


# --- names ----------------------------------------------------------------------------------------


@pytest.fixture
def shop(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    run(
        connection,
        [
            a_call(1, 0, caller="nightly-import"),
            a_call(2, 0, caller="nightly-import", request_model="gpt-4.1-mini"),
            a_call(3, 0, caller="chat.web"),
            a_call(4, 0, caller="50% off_[x]*"),
        ],
    )
    return connection


def test_a_caller_a_glob_an_id_and_a_call(shop: duckdb.DuckDBPyConnection) -> None:
    target = explain.find(shop, "chat.web")
    assert explain.find(shop, "chat*") == explain.find(shop, "ch?t.web") == target
    assert explain.find(shop, target.workload_id) == target
    assert explain.find(shop, "call-3") == explain.Target(target.workload_id, "call-3")
    # Only * and ? are special; a name that holds them is still a name.
    assert explain.find(shop, "50% off_[x]*") == explain.find(shop, "50% off*")


def test_a_name_of_several_workloads_lists_them(shop: duckdb.DuckDBPyConnection) -> None:
    for name in ("nightly-import", "nightly-*"):
        with pytest.raises(explain.AmbiguousError, match="names 2 workloads") as error:
            explain.find(shop, name)
        assert {c.model for c in error.value.candidates} == {"gpt-4.1", "gpt-4.1-mini"}
    with pytest.raises(explain.AmbiguousError) as error:
        explain.find(shop, "*")
    listing = explain.candidates_text(error.value.candidates)
    assert "template" in listing.splitlines()[0]
    assert listing.count("\n") == 4
    assert all(c.workload_id in listing for c in error.value.candidates)


@pytest.mark.parametrize(
    ("name", "near"),
    [("nightly-inport", "'nightly-import'"), ("WEB", "'chat.web'"), ("call-", "'call-1'")],
)
def test_an_unknown_name_gets_the_nearest(
    shop: duckdb.DuckDBPyConnection, name: str, near: str
) -> None:
    with pytest.raises(InputError, match="no workload, caller or call") as error:
        explain.find(shop, name)
    assert near in error.value.hint


def test_a_call_cannot_hide_a_workload(connection: duckdb.DuckDBPyConnection) -> None:
    """Whoever writes the log chooses call ids; the names of workloads go first."""
    run(connection, [a_call(1, 0, caller="victim")])
    target = explain.find(connection, "victim")
    connection.execute("DELETE FROM calls")
    forged = a_call(2, 0, caller="other", call_id=target.workload_id)
    run(connection, [a_call(1, 0, caller="victim"), forged])
    assert explain.find(connection, target.workload_id) == target


@pytest.mark.parametrize("width", [80, 100])
def test_hostile_texts_are_shown_printable_and_within_the_width(
    connection: duckdb.DuckDBPyConnection, width: int
) -> None:
    hostile = {
        "caller": f"svc {ESCAPE}",
        "request_model": ESCAPE * 40,
        "response_model": ESCAPE,
        "source_file": f"/logs/{ESCAPE}.jsonl",
        "tags": [ESCAPE, "max_delay:24h"],
        "call_id": f"id {ESCAPE}",
        "provider_name": ESCAPE,
        "operation_name": ESCAPE,
    }
    run(connection, [a_call(1, 0, **hostile)])
    for name in ("svc*", f"id {ESCAPE}"):
        text = explain.text(explained(connection, name), width=width)
        assert text.replace("\n", "").isprintable()
        assert "\u202e" not in text
        assert max(len(line) for line in text.splitlines()) <= width
    with pytest.raises(InputError):
        explain.find(connection, ESCAPE)


def test_signals_that_nobody_described_take_part(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal without an entry in fields.toml that is NULL is asked for by its meaning."""
    run(connection, list_run(0, 120))
    policy = Policy.load()
    rule = replace(
        policy.rules[0],
        code="P_NEW",
        criterion="tolerance",
        kind="evidence",
        weight=9.0,
        when="later_deadline = 'due:month'",
        evidence="tagged {later_deadline}",
    )
    policy = replace(policy, rules=(*policy.rules, rule))
    [part] = workload(connection, "svc", policy).parts
    [change] = [c for c in part.judgement.changes if c.code == "P_NEW"]
    assert change.action == "find out: a deadline tag that names a week, month or quarter"
    assert change.condition == "the calls are tagged due:month"
