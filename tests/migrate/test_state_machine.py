"""Single stories: what each state means, what it says, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate import gates, run, status
from llm_audit.migrate.context import Policy
from llm_audit.migrate.ledger import ShardRow, open_ledger
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from llm_audit.migrate.vendor import Driver
from tests.migrate.engine import START, book, drive, opened, plan, scenario, states
from tests.migrate.fake.process import FakeProcess

Made = Mapping[Vendor, Driver]


def shards(folder: Path) -> list[ShardRow]:
    with open_ledger(folder) as ledger:
        return ledger.shards()


def told(folder: Path, vendors: FakeProcess, policy: Policy | None = None) -> str:
    """What `status` says."""
    with opened(folder, {}, None, policy, vendors.control()) as context:
        return status.text(status.build(context))


def test_the_rest_waits_for_its_canary(vendors: FakeProcess, made: Made, tmp_path: Path) -> None:
    vendors.play(scenario(batches=[{"nth": 1, "ends_after": 1_000}]))
    book(tmp_path, Vendor.OPENAI, (2, 3, 4))
    drive(tmp_path, made, vendors)
    heard = vendors.journal.requests("openai.batches.create")
    assert [each.nth for each in heard] == [1, 2, 3]
    assert heard[1].at >= START + 1_000


def test_a_canary_that_fails_holds_back_the_rest_until_a_person_says_so(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(rows=[{"outcome": "bad_request", "batch": 1}]))
    book(tmp_path, Vendor.ANTHROPIC, (2, 3))
    drive(tmp_path, made, vendors)
    assert len(vendors.journal.batches()) == 1
    assert "0 of 2 requests of its canary were answered" in told(tmp_path, vendors)
    drive(tmp_path, made, vendors, Policy(despite_canary=True), vendors.control())
    assert states(tmp_path) == {RequestState.REJECTED: 2, RequestState.SUCCEEDED: 3}


def test_max_cost_stops_before_the_dollar_and_resume_goes_on(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    ceiling = Decimal("0.000116")  # of one request: its batch cost, its answer a fifth longer
    book(tmp_path, Vendor.OPENAI, (2, 3, 4), max_cost=ceiling * 6)
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 5, RequestState.ASSIGNED: 4}
    with open_ledger(tmp_path) as ledger:
        assert gates.spent("run1", ledger.shards()) <= ceiling * 6
    assert "--max-cost" in told(tmp_path, vendors)
    with opened(tmp_path, made, vendors, at=vendors.control()) as context:
        run.reopen(context, Decimal(1))
        run.drive(context)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 9}


def test_what_the_list_does_not_show_is_not_sent_again_without_leave(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fault = {"op": "openai.batches.create", "nth": 1, "when": "before", "reply": "reset"}
    vendors.play(scenario(faults=[fault]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    [shard] = shards(tmp_path)
    assert shard.state is ShardState.CREATE_UNKNOWN
    looks = [each.at for each in vendors.journal.requests("openai.batches.list")]
    assert len(looks) >= 4, "one before it was sent, and three after it"
    assert looks[-1] - looks[1] >= 600
    assert "resume --resend-unknown" in told(tmp_path, vendors)
    policy = Policy(resend_unknown=True)
    with opened(tmp_path, made, vendors, policy, vendors.control()) as context:
        run.reopen(context)
        run.drive(context)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert set(vendors.journal.bought().values()) == {1}


@pytest.mark.parametrize("vendor", Vendor)
def test_a_lost_confirmation_is_found_again_though_clocks_differ(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """The vendor's clock is two hours ahead of ours; its Date header tells."""
    fault = {"op": "*.batches.create", "nth": 1, "when": "after", "reply": "close"}
    vendors.play({"clock": {"start": START + 7_200}, "faults": [fault]})
    book(tmp_path, vendor, (3, 4))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 7}
    assert set(vendors.journal.bought().values()) == {1}


@pytest.mark.parametrize("step", [-7_200, 7_200])
@pytest.mark.parametrize("vendor", Vendor)
def test_a_lost_confirmation_is_found_again_though_our_clock_was_set(
    vendor: Vendor, step: int, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """Right when it was sent, two hours off when it is looked for: a sleep, a change by hand."""
    fault = {"op": "*.batches.create", "nth": 1, "when": "after", "reply": "close"}
    vendors.play(scenario(faults=[fault]))
    book(tmp_path, vendor, (3,))
    with opened(tmp_path, made, vendors) as context:
        while (shard := context.ledger.shards()[0]).state is not ShardState.CREATE_UNKNOWN:
            run.STEPS[shard.state](context, shard)
    policy = Policy(resend_unknown=True)
    with opened(tmp_path, made, vendors, policy, START + step) as context:
        run.reopen(context)
        run.drive(context)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert set(vendors.journal.bought().values()) == {1}


def test_money_pauses_the_vendor_and_resume_lifts_it(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(rows=[{"outcome": "credit", "batch": 1, "lines": 1}]))
    book(tmp_path, Vendor.ANTHROPIC, (3, 4))
    drive(tmp_path, made, vendors)
    assert len(vendors.journal.batches()) == 1
    assert "wants money" in told(tmp_path, vendors)
    with opened(tmp_path, made, vendors, at=vendors.control()) as context:
        run.reopen(context)
        run.drive(context)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 7}


def test_what_fails_twice_is_not_tried_a_third_time(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(rows=[{"outcome": "server_error", "marker": "*-m1"}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 2, RequestState.RETRYABLE: 1}
    assert len(vendors.journal.batches()) == 2


def test_bad_lines_are_left_out_and_the_others_sent(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fail = [{"code": "invalid_json_line", "line": 2, "message": "bad"}]
    vendors.play(scenario(batches=[{"nth": 1, "fail": fail}]))
    book(tmp_path, Vendor.OPENAI, (4,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3, RequestState.REJECTED: 1}
    assert [shard.state for shard in shards(tmp_path)] == [ShardState.INVALID, ShardState.CLEANED]


def test_a_full_queue_is_waited_for_with_the_same_file(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(
        scenario(
            openai={"enqueued_tokens": {"*": 60}},
            batches=[{"nth": [1, 2], "ends_after": 400}],
        )
    )
    book(tmp_path, Vendor.OPENAI, (3, 4), canary=False)
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 7}
    assert set(vendors.journal.bought().values()) == {1}


def test_a_batch_larger_than_the_queue_goes_out_in_halves(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fail = [
        {
            "code": "token_limit_exceeded",
            "line": None,
            "message": "Enqueued token limit reached. Limit: 100 enqueued tokens.",
        }
    ]
    vendors.play(scenario(batches=[{"nth": 1, "fail": fail}]))
    book(tmp_path, Vendor.OPENAI, (8,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 8}
    assert [shard.requests for shard in shards(tmp_path)] == [8, 4, 4]


def test_a_refused_key_ends_with_its_exit_code_and_keeps_the_run(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(accounts=["00000000"]))
    book(tmp_path, Vendor.OPENAI, (3,))
    with pytest.raises(MigrationError) as caught:
        drive(tmp_path, made, vendors)
    assert caught.value.exit_code is ExitCode.KEY
    assert states(tmp_path) == {RequestState.ASSIGNED: 3}
    vendors.play(scenario())
    drive(tmp_path, made, vendors, at=START + 60)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}


def test_lost_results_are_bought_again_only_when_asked_for(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"nth": 1, "gone": ["results"]}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.LOST: 3}
    assert "--resend-lost" in told(tmp_path, vendors)
    with opened(tmp_path, made, vendors, Policy(resend_lost=True), vendors.control()) as context:
        run.reopen(context)
        run.drive(context)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}


@pytest.mark.parametrize("vendor", Vendor)
def test_cancel_keeps_what_is_done_and_releases_what_was_never_sent(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"ends_after": 50_000, "done": 0.5}]))
    book(tmp_path, vendor, (4, 3))
    with opened(tmp_path, made, vendors) as context:
        while not any(s.state is ShardState.SUBMITTED for s in context.ledger.shards()):
            shard = context.ledger.shards()[0]
            run.STEPS[shard.state](context, shard)
        run.cancel(context, ["run1"])
        run.drive(context)
    assert states(tmp_path) == {
        RequestState.SUCCEEDED: 2,
        RequestState.RETRYABLE: 2,
        RequestState.RELEASED: 3,
    }
    again = plan(tmp_path / "again", vendor, (4, 3), "run1")  # the same calls in another run
    with open_ledger(tmp_path) as ledger:
        assert len(ledger.known_keys()) == 4
        assert sum(r.request_key in ledger.known_keys() for p in again.shards for r in p.requests)


def test_a_foreign_results_url_is_not_followed(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"results_url": "https://elsewhere.example/{id}"}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    drive(tmp_path, made, vendors)
    [shard] = shards(tmp_path)
    assert shard.state is ShardState.LOST
    assert "another host" in (shard.message or "")


def test_a_request_file_that_changed_is_not_sent(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    [shard] = shards(tmp_path)
    with Path(shard.path).open("ab") as file:
        file.write(b" ")
    drive(tmp_path, made, vendors)
    assert "not the file that was planned" in told(tmp_path, vendors)
    assert vendors.journal.batches() == []


def test_usage_is_priced_once_at_the_batch_rate(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"cache_read": 0.5, "cache_write": 0.25}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    drive(tmp_path, made, vendors)
    [shard] = shards(tmp_path)
    with open_ledger(tmp_path) as ledger:
        rows = ledger._db.execute(
            "SELECT input_tokens, cache_read_input_tokens, cache_creation_5m_input_tokens,"
            " output_tokens, cost FROM results"
        ).fetchall()
    total = Decimal(0)
    for read, cached, written, out, cost in rows:
        assert cached == int(read * 0.5)
        expected = (
            (read - cached - written) * Decimal("0.000001")
            + cached * Decimal("0.0000005")
            + written * Decimal("0.00000125")
            + out * Decimal("0.000004")
        )
        assert Decimal(cost) == expected
        total += expected
    assert shard.cost == total


def test_uploads_are_deleted_when_their_results_are_here(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3, 2))
    drive(tmp_path, made, vendors)
    assert {purpose for _, purpose, _ in vendors.journal.files()} == {"batch_output"}
