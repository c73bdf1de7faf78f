"""`migrate verify`: claimed against measured, end to end against the fake, and layer by layer."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest

from llm_audit import cli
from llm_audit.errors import UsageError
from llm_audit.migrate import rates, run
from llm_audit.migrate.agreement import fields, kappa, normal, similarity
from llm_audit.migrate.answers import Answer, bought, logged
from llm_audit.migrate.json_schema import fits
from llm_audit.migrate.ledger import Outcome, open_ledger
from llm_audit.migrate.model import RequestState, Vendor
from llm_audit.migrate.structure import findings, finish
from llm_audit.migrate.tally import Pair, Tally
from llm_audit.migrate.vendor import Driver
from llm_audit.migrate.verification import Share, Verification, spread
from llm_audit.migrate.verify import verify
from llm_audit.migrate.verify_text import duration, share, text
from llm_audit.report.codec import to_json
from tests.migrate import logs
from tests.migrate.engine import book, drive, scenario
from tests.migrate.fake.process import FakeProcess
from tests.support import create_stored_tables

CALLS, REPEATED = 120, 20
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "parameters": {"type": "object", "required": ["echo"], "properties": {}},
    },
}


def _call(number: int) -> logs.Record:
    """120 calls; the last 20 send the first 20 prompts again; one in ten was answered otherwise."""
    place = number % (CALLS - REPEATED)
    record = logs.openai_chat(
        number,
        messages=[{"role": "user", "content": f"SECRET prompt. Say [[m{place:03}]]"}],
        max_tokens=50,
        temperature=0,
    )
    said = "SECRET something else" if number % 10 == 0 else f"echo  m{place:03}\n"
    record["response"]["choices"][0]["message"] = {"role": "assistant", "content": said}
    record["response"]["usage"] = {
        "prompt_tokens": 2_000,
        "completion_tokens": 25,
        "prompt_tokens_details": {"cached_tokens": 1_024},
    }
    return record


OUTCOME = Outcome(
    run_id="run1",
    request_key="k",
    call_id="c",
    workload_id="w1",
    body_sha256="s",
    input_tokens=1,
    output_tokens=1,
    finish_reason="stop",
    sync_cost=Decimal(2),
    batch_cost=Decimal(1),
    state=RequestState.SUCCEEDED,
    vendor=Vendor.OPENAI,
    endpoint="/v1/chat/completions",
    model="gpt-4.1",
    kind=RequestState.SUCCEEDED,
    new_finish_reason="stop",
    new_model="gpt-4.1",
    new_input_tokens=1,
    cache_read_input_tokens=0,
    cache_creation_5m_input_tokens=0,
    cache_creation_1h_input_tokens=0,
    new_output_tokens=1,
    cost=Decimal(1),
    raw_path=None,
    raw_offset=None,
)


@dataclass
class Bought:
    """A finished migration: the audit's tables, the log, the folder of the ledger."""

    connection: duckdb.DuckDBPyConnection
    log: Path
    folder: Path

    def verify(self, **options: Any) -> Verification:
        with open_ledger(self.folder) as ledger:
            return verify(self.connection, ledger, **options)


@pytest.fixture(scope="module")
def done(
    vendors: FakeProcess, made: Mapping[Vendor, Driver], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bought]:
    """Five rows are cut, one refused, one rejected, and two expire before they are bought."""
    place = tmp_path_factory.mktemp("verify")
    log = place / "log.jsonl"
    log.write_bytes(logs.lines(_call(number) for number in range(CALLS)))
    vendors.play(
        scenario(
            rows=[
                {"outcome": "truncated", "marker": "m05[1-5]"},
                {"outcome": "refusal", "marker": "m061"},
                {"outcome": "bad_request", "marker": "m062"},
                {"outcome": "expired", "marker": "m07[12]", "attempt": 1},
            ],
            batches=[
                {"ends_after": 600, "cache_read": 0.5, "answered_model": "gpt-4.1-2026-01-01"}
            ],
        )
    )
    with duckdb.connect(str(place / "audit.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        create_stored_tables(connection)
        logs.audit(connection, log)
        folder = place / "migrate"
        plan = logs.make(connection, folder / "run-1")
        assert plan.requests == CALLS
        with open_ledger(folder) as ledger:
            run.begin(ledger, plan, rates.of_plan(connection, plan), {}, None)
        drive(folder, made, vendors)
        yield Bought(connection, log, folder)


# --- end to end -----------------------------------------------------------------------------------


def test_delivery_counts_every_request_once(done: Bought) -> None:
    found = done.verify().delivery
    assert (found.requests, found.answered) == (CALLS, Share(CALLS - 1, CALLS))
    assert found.one_end == Share(CALLS, CALLS)
    assert found.states == {"refused": 1, "rejected": 1, "succeeded": 113, "truncated": 5}
    assert found.model_family == Share(CALLS - 1, CALLS - 1)
    [drift] = found.drift
    assert (drift.logged, drift.answered) == ("gpt-4.1-2025-04-14", "gpt-4.1-2026-01-01")


def test_failed_rows_are_told_by_the_vendors_code(done: Bought) -> None:
    found = done.verify().failures
    assert found.expired.count == 2
    assert found.errors.count == 1
    assert found.expired.of == CALLS + 2, "two rows of a first generation besides"
    assert found.codes["batch_expired"] == 2


def test_structure_counts_both_sides(done: Bought) -> None:
    checks = {check.name: check for check in done.verify().structure}
    assert (checks["finish"].of, checks["finish"].logged) == (CALLS - 1, CALLS - 1)
    assert checks["finish"].batch == CALLS - 1 - 5
    assert checks["not_refused"].batch == checks["not_refused"].of - 1
    assert checks["non_empty"].logged == checks["non_empty"].of == CALLS - 1


def test_costs_add_up_to_the_ledger_and_to_the_report(done: Bought) -> None:
    found = done.verify().cost
    lines = {line.kind: line for line in found.lines}
    assert found.requests == CALLS - 1
    assert found.other_claimed == 0
    assert sum(line.claimed_cost for line in found.lines) == found.claimed_cost
    assert sum(line.measured_cost for line in found.lines) == found.measured_cost
    with open_ledger(done.folder) as ledger:
        assert sum(shard.cost or 0 for shard in ledger.shards()) == found.measured_cost
    [(claimed,)] = done.connection.execute(
        "SELECT sum(batch_cost_conservative) FROM costs WHERE call_id NOT LIKE '%-62'"
    ).fetchall()
    assert found.claimed_cost == claimed
    assert lines["cached_input"].claimed_tokens == 1_024 * (CALLS - 1)
    # gpt-4.1 in a batch: 1 USD a million input tokens, 4 of output.
    assert lines["input"].claimed_cost == Decimal("0.000001") * 976 * (CALLS - 1)
    assert lines["output"].claimed_cost == Decimal("0.000004") * 25 * (CALLS - 1)
    assert found.cached_logged == Share(1_024 * (CALLS - 1), 2_000 * (CALLS - 1))
    assert found.cached_measured.part == pytest.approx(0.5, abs=0.1)
    assert found.prompt_equal == Share(0, CALLS - 1), "the fake counts its own tokens"


def test_turnaround_is_of_the_vendors_clock(done: Bought) -> None:
    result = done.verify()
    [times] = result.turnaround
    assert (times.vendor, times.seconds.of) == ("openai", len(result.batches))
    assert 600 <= times.seconds.p50 <= times.seconds.p90 <= times.seconds.max < 7200
    assert {batch.status for batch in result.batches} <= {"completed", "expired"}


def test_texts_agree_but_for_white_space(done: Bought) -> None:
    found = done.verify().text
    # Of 119 compared 12 were logged otherwise, 5 are cut and 1 is refused and so empty.
    assert found.exact == Share(CALLS - 1 - 12 - 6, CALLS - 1)
    assert found.similarity is not None
    assert found.similarity.p50 == 1.0
    assert found.json_documents == Share(0, 0)


def test_the_noise_floor_is_of_requests_sent_twice(done: Bought) -> None:
    found = done.verify().noise
    assert found is not None
    assert found.batch == Share(REPEATED, REPEATED), "the fake answers one body one way"
    assert found.logged == Share(REPEATED, REPEATED)
    assert found.across == Share(REPEATED - 2, REPEATED)


def test_no_text_is_in_any_output_unless_asked_for(done: Bought) -> None:
    result = done.verify()
    assert "SECRET" not in text(result) + to_json(result)
    assert "echo" not in text(result) + to_json(result)
    few = done.verify(samples=3).samples
    assert len(few) == 3
    assert few[0].similarity <= few[2].similarity < 1
    assert "SECRET something else" in text(done.verify(samples=20))
    for path in done.folder.glob("ledger.sqlite*"):
        assert b"SECRET" not in path.read_bytes()


def test_the_text_says_every_layer(done: Bought) -> None:
    shown = text(done.verify())
    for words in (
        "answered                     99.2 % (119 of 120)",
        "expired, of all rows         1.6 % (2 of 122)",
        "Noise floor, of 20 requests",
        "logged with gpt-4.1-2025-04-14: now gpt-4.1-2026-01-01",
        "cached input, in the batch",
        "claimed is the report's conservative figure",
    ):
        assert words in shown
    assert json.loads(to_json(done.verify()))["delivery"]["answered"] == {"count": 119, "of": 120}


def test_prompts_that_were_counted_otherwise_compare_nothing(done: Bought) -> None:
    found = done.verify()
    shown = text(found)
    assert found.cost.prompt_equal == Share(0, 119)
    assert found.cost.measured_saving is None
    assert "! the prompts were not counted alike" in shown
    assert "would have saved" not in shown
    alike = replace(found, cost=replace(found.cost, prompt_equal=Share(118, 119)))
    shown = text(alike)
    assert "would have saved" in shown
    assert "not counted alike" not in shown


def test_a_replay_is_no_saving(done: Bought) -> None:
    shown = " ".join(text(done.verify()).split())
    assert re.search(r"\$\S+ was paid when they were logged, and \$\S+ again for this proof", shown)
    assert " saved " not in shown.replace("have saved", "")


def test_of_few_batches_nine_tenths_mean_nothing(done: Bought) -> None:
    found = done.verify()
    count = sum(each.seconds.of for each in found.turnaround)
    assert count < 10
    slowest = max(each.seconds.max for each in found.turnaround)
    assert f"Measured here: {count} batches back within {duration(slowest)}" in text(found)
    many = tuple(replace(t, seconds=replace(t.seconds, of=10)) for t in found.turnaround)
    assert "Measured here: 9 of 10 batches back within" in text(replace(found, turnaround=many))


@pytest.mark.parametrize("width", [60, 80, 100])
def test_it_fits_the_terminal(done: Bought, width: int) -> None:
    assert max(map(len, text(done.verify(samples=3), width).splitlines())) <= width


def test_a_log_that_changed_is_not_compared(done: Bought, tmp_path: Path) -> None:
    kept = shutil.copy(done.log, tmp_path)
    try:
        done.log.write_bytes(done.log.read_bytes().replace(b"something else", b"something  new"))
        result = done.verify()
        assert [(u.reason, u.requests) for u in result.unread] == [("source_changed", CALLS - 1)]
        assert result.text.exact == Share(0, 0)
        assert result.noise is None
        assert "No noise floor measured" in text(result)
        done.log.unlink()
        assert done.verify().unread[0].reason == "source_gone"
        assert done.verify().cost == result.cost, "costs need no log"
    finally:
        shutil.copy(kept, done.log)


def test_the_command_prints_both_forms(
    done: Bought, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done.connection.execute("CHECKPOINT")
    shutil.copytree(done.folder.parent, tmp_path / "audit")
    command = ["migrate", "verify", "--db", str(tmp_path / "audit" / "audit.duckdb")]
    assert cli.run(command) == 0
    assert capsys.readouterr().out.startswith("Verified 120 requests of 1 run.")
    assert cli.run([*command, "--format", "json", "--run", "run-1"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["runs"], shown["samples"]) == (["run-1"], [])
    assert cli.run([*command, "--show-samples", "1"]) == 0
    assert "SECRET something else" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "audit" / "migrate")
    assert cli.run(command) == 1
    assert "no migration has been started" in capsys.readouterr().err


def test_a_run_that_is_not_there(done: Bought) -> None:
    assert done.verify(run_id="run-1").runs == ("run-1",)
    with pytest.raises(UsageError, match="no run 'other'"):
        done.verify(run_id="other")


def test_nothing_bought_nothing_verified(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with open_ledger(tmp_path) as ledger:
        assert "Nothing to verify" in text(verify(connection, ledger))


def test_anthropic_with_written_and_read_caches(
    vendors: FakeProcess,
    made: Mapping[Vendor, Driver],
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
) -> None:
    vendors.play(scenario(batches=[{"cache_read": 0.25, "cache_write": 0.5}]))
    log = tmp_path / "log.jsonl"
    log.write_bytes(logs.lines(logs.anthropic(number) for number in range(CALLS)))
    logs.audit(connection, log)
    plan = logs.make(connection, tmp_path / "migrate" / "run-1")
    card = rates.of_plan(connection, plan)
    bands = [(rate.from_tokens, rate.below_tokens) for _, _, rate in card]
    assert [bands[0][0], *(end for _, end in bands)] == [*(start for start, _ in bands), 2**63 - 1]
    vendor, model, rate = card[0]
    assert (vendor, model) == (Vendor.ANTHROPIC, "claude-sonnet-4-6")
    # Sonnet 4.6 at 3 and 15 USD a million, halved; writes at 1.25 and 2 times, reads at a tenth.
    million = 10**6
    assert [rate.input * million, rate.output * million] == [Decimal("1.5"), Decimal("7.5")]
    assert [rate.write_5m * million, rate.write_1h * million] == [Decimal("1.875"), 3]
    assert rate.cached * million == Decimal("0.15")
    with open_ledger(tmp_path / "migrate") as ledger:
        run.begin(ledger, plan, card, {}, None)
    drive(tmp_path / "migrate", made, vendors)
    with open_ledger(tmp_path / "migrate") as ledger:
        found = verify(connection, ledger)
    lines = {line.kind: line for line in found.cost.lines}
    assert lines.keys() == {"input", "cached_input", "cache_write_5m", "output"}
    assert sum(line.measured_cost for line in lines.values()) == found.cost.measured_cost
    assert found.cost.requests == CALLS
    assert found.delivery.drift == ()
    # These logged responses hold no content: that is said, not counted as a difference.
    assert [(line.reason, line.requests) for line in found.unread] == [("no_logged_answer", CALLS)]


def test_requests_that_the_vendor_never_took_are_counted(
    vendors: FakeProcess, made: Mapping[Vendor, Driver], tmp_path: Path
) -> None:
    refused = {"nth": 1, "fail": [{"code": "invalid_json_line", "line": 1, "message": "no"}]}
    vendors.play(scenario(batches=[refused]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    with open_ledger(tmp_path) as ledger:
        found = [outcome.state.value for outcome in ledger.outcomes("run1")]
        assert sorted(found) == ["rejected", "succeeded", "succeeded"]
        assert ledger.outcomes("other") == []


# --- answers --------------------------------------------------------------------------------------


def _record(response: Any) -> bytes:
    return json.dumps({"request": {}, "response": response}).encode()


def _sse(*events: dict[str, Any]) -> str:
    return (
        "".join(f"event: x\ndata: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n"
    )


CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"


def test_an_answer_may_stand_in_several_messages() -> None:
    parts = [
        {"type": "message", "content": [{"type": "output_text", "text": t}]} for t in ("a", "b")
    ]
    output = [{"type": "reasoning", "summary": []}, *parts]
    assert logged(_record({"output": output}), RESPONSES) == Answer("ab")
    line = json.dumps({"response": {"status_code": 200, "body": {"output": output}}}).encode()
    assert bought(line, Vendor.OPENAI, RESPONSES) == Answer("ab")


def test_streams_are_put_together() -> None:
    def delta(**parts: Any) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": parts}]}

    part = {"index": 0, "function": {"name": "f", "arguments": '{"a":'}}
    rest = {"index": 0, "function": {"arguments": " 1}"}}
    stream = _sse(
        delta(content="Hel"),
        delta(content="lo"),
        delta(tool_calls=[part]),
        delta(tool_calls=[rest]),
    )
    assert logged(_record(stream), CHAT) == Answer("Hello", (("f", '{"a": 1}'),))
    stream = _sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"text": "Hi"}},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "name": "f", "input": {}},
        },
        {"type": "content_block_delta", "index": 1, "delta": {"partial_json": '{"a": 1}'}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
    )
    assert logged(_record(stream), MESSAGES) == Answer("Hi", (("f", '{"a": 1}'),))
    whole = {"output": [{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]}
    stream = _sse({"type": "response.completed", "response": whole})
    assert logged(_record(stream), RESPONSES) == Answer("", refused=True)


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"null", b'{"result": {"type": "expired"}}', b'{"result": 1}', b"\xff"],
)
def test_what_is_no_answer_is_none(line: bytes) -> None:
    assert bought(line, Vendor.ANTHROPIC, MESSAGES) is None
    assert bought(line, Vendor.OPENAI, CHAT) is None
    assert logged(line, MESSAGES) is None


# --- structure ------------------------------------------------------------------------------------


def test_finish_reasons_of_one_class_are_alike() -> None:
    found = finish("stop", "tool_calls")
    assert found is not None
    assert (found.logged, found.batch, found.same) == (True, True, False)
    assert finish("end_turn", "stop_sequence").same  # type: ignore[union-attr]
    assert not finish("max_tokens", "stop").logged  # type: ignore[union-attr]
    assert finish(None, "stop") is None


def test_tools_are_held_against_their_schemas() -> None:
    good, bad = (("lookup", '{"echo": 1}'),), (("lookup", '{"else": 1}'),)
    found = {f.name: f for f in findings({"tools": [TOOL]}, Answer("", good), Answer("", bad))}
    assert found["tool_names"].same
    assert (found["tool_arguments"].logged, found["tool_arguments"].batch) == (True, False)
    none = {f.name: f for f in findings({"tools": [TOOL]}, Answer("", good), Answer("text"))}
    assert not none["tool_names"].same
    stranger = Answer("", (("nobody", "{}"),))
    assert not {f.name: f for f in findings({}, stranger, stranger)}["tool_arguments"].batch


@pytest.mark.parametrize(
    "request_",
    [
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"schema": {"required": ["a"]}},
            }
        },
        {"text": {"format": {"type": "json_schema", "schema": {"required": ["a"]}}}},
        {"output_config": {"format": {"type": "json_schema", "schema": {"required": ["a"]}}}},
    ],
)
def test_json_is_held_against_its_schema(request_: dict[str, Any]) -> None:
    found = {f.name: f for f in findings(request_, Answer('{"a": 1}'), Answer('{"b": 1}'))}
    assert found["json_valid"].same
    schema = found["json_schema"]
    assert (schema.logged, schema.batch, schema.same) == (True, False, False)
    cut = {f.name: f for f in findings(request_, Answer('{"a": 1}'), Answer('{"a": '))}
    assert (cut["json_valid"].logged, cut["json_valid"].batch) == (True, False)


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["kind"],
    "additionalProperties": False,
    "properties": {
        "kind": {"enum": ["a", "b"]},
        "size": {"type": ["integer", "null"], "minimum": 0, "maximum": 9},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}, "maxItems": 2},
        "any": {"anyOf": [{"type": "string", "minLength": 2}, {"const": 1}]},
    },
    "$defs": {"part": {"type": "object", "properties": {"parts": {"$ref": "#"}}}},
}


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "a"},
        {"kind": "c"},
        {"size": 1},
        {"kind": "a", "size": 10},
        {"kind": "a", "size": True},
        {"kind": "a", "size": 2.0},
        {"kind": "a", "size": None},
        {"kind": "a", "other": 1},
        {"kind": "a", "parts": [{}, {}, {}]},
        {"kind": "a", "parts": [1]},
        {"kind": "a", "parts": [{"parts": {"kind": "a"}}]},
        {"kind": "a", "parts": [{"parts": {"kind": "z"}}]},
        {"kind": "a", "any": "x"},
        {"kind": "a", "any": "xx"},
        {"kind": "a", "any": 1},
        [],
        "a",
    ],
)
def test_schemas_as_the_reference_reads_them(value: Any) -> None:
    assert fits(value, SCHEMA) == jsonschema.Draft202012Validator(SCHEMA).is_valid(value)


# --- text -----------------------------------------------------------------------------------------


def test_normal_texts() -> None:
    assert normal(" a\n\tb ") == normal("a b")
    assert normal("e\u0301") == normal("\u00e9")
    assert normal("A") != normal("a")


def test_similarity_is_from_nothing_to_the_same() -> None:
    assert similarity("abc", "abc") == 1.0
    assert similarity("", "") == 1.0
    assert similarity("abcdef", "uvwxyz") < 0.2
    near, far = similarity("the red fox", "the red fix"), similarity("the red fox", "a blue dog")
    assert 1 > near > far


def test_json_is_compared_field_by_field() -> None:
    assert fields('{"a": 1, "b": [1, 2]}', '{"b": [1, 3], "a": 1}') == (2, 3)
    assert fields('{"a": " x "}', '{"a": "x", "b": {}}') == (1, 2)
    assert fields('{"a": 1}', '{"a": true}') == (0, 1)
    assert fields("text", "{}") is None


def test_kappa_is_agreement_beyond_chance() -> None:
    # Cohen's own kind of example: 0.7 agreed, 0.5 by chance.
    table = {("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15}
    assert kappa(table) == pytest.approx(0.4)
    assert kappa({("y", "y"): 9}) is None


def test_spreads_are_by_nearest_rank() -> None:
    found = spread([float(value) for value in range(1, 101)])
    assert found is not None
    assert (found.p10, found.p50, found.p90, found.max) == (10, 50, 90, 100)
    assert spread([]) is None


def test_a_rate_that_is_not_whole_does_not_look_it() -> None:
    assert share(Share(9_999, 10_000)) == ">99.9 % (9,999 of 10,000)"
    assert share(Share(1, 10_000)) == "<0.1 % (1 of 10,000)"
    assert share(Share(3, 3)) == "100.0 % (3 of 3)"
    assert share(Share(0, 0)) == "-"
    assert [duration(s) for s in (8, 300, 7200)] == ["8 s", "5.0 min", "2.0 h"]


# --- labels ---------------------------------------------------------------------------------------


def _labelled(pairs: list[tuple[str, str]]) -> Tally:
    tally = Tally(frozenset())
    for one, other in pairs:
        tally.add(Pair(OUTCOME, {}, Answer(one), Answer(other)))
    return tally


def test_labels_are_few_short_answers_that_come_again() -> None:
    [found] = _labelled([("yes", "yes")] * 8 + [("no", "no")] * 3 + [("no", "yes")]).text().labels
    assert (found.workload_id, found.same) == ("w1", Share(11, 12))
    assert found.kappa == pytest.approx(0.8, abs=0.03)
    assert not _labelled([("yes", "yes")] * 9).text().labels, "too few"
    assert not _labelled([(f"a{n}", f"a{n}") for n in range(20)]).text().labels, "all different"
    assert not _labelled([("a long sentence " * 5, "yes")] + [("no", "no")] * 20).text().labels


def test_tallies_add_up() -> None:
    one, other = [("yes", "yes")] * 9 + [("no", "yes")], [("no", "no"), ("long " * 20, "x")]
    whole, added = _labelled(one + other), _labelled(one)
    added.merge(_labelled(other))
    assert added.text() == whole.text()
    assert added.structure() == whole.structure()
