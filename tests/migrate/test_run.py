"""The loop and what a person wants of it: cancelling, patience, and one batch's own trouble."""

from __future__ import annotations

import errno
import json
import math
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from llm_audit.errors import ExitCode, MigrationError
from llm_audit.migrate import run, status
from llm_audit.migrate.context import LONGEST, Context, Policy
from llm_audit.migrate.ledger import ShardRow, open_ledger
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from llm_audit.migrate.vendor import Driver, Kind, Rejected, Reply, Unknown, uploader
from tests.migrate.engine import (
    START,
    SharedClock,
    book,
    book_released,
    drive,
    opened,
    scenario,
    states,
)
from tests.migrate.fake.process import FakeProcess

Made = Mapping[Vendor, Driver]
CANCELS = {Vendor.OPENAI: "openai.batches.cancel", Vendor.ANTHROPIC: "anthropic.batches.cancel"}
LOST = {"op": "*.batches.create", "nth": 1, "when": "after", "reply": "close"}
RESEND_UNKNOWN, RESEND_LOST = Policy(resend_unknown=True), Policy(resend_lost=True)


class PatientClock(SharedClock):
    """One that is slept on for days, a few minutes at a time."""

    def sleep(self, seconds: float) -> None:
        assert seconds <= run.NAP
        super().sleep(seconds)
        if len(self.slept) > 400:
            self.slept = [sum(self.slept)]
        assert sum(self.slept) < 10 * 86_400, "it waits for ever"


@dataclass
class Stopped(BaseException):
    """The process is gone."""


@dataclass
class Altered:
    """A driver of which some calls do something else."""

    driver: Driver
    other: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return self.other.get(name) or getattr(self.driver, name)


def stop(*_: object) -> Any:
    raise Stopped


def altered(made: Made, vendor: Vendor, **other: Any) -> Made:
    return {**made, vendor: Altered(made[vendor], other)}


def shards(folder: Path) -> list[ShardRow]:
    with open_ledger(folder) as ledger:
        return ledger.shards()


def attention(folder: Path, vendors: FakeProcess) -> str:
    """What a person is asked to do; "" where nothing."""
    with opened(folder, {}, None, at=vendors.control()) as context:
        return "\n".join(line for one in status.build(context).runs for line in one.attention)


def until(folder: Path, made: Made, vendors: FakeProcess) -> None:
    """Drive until the process is gone."""
    with pytest.raises(Stopped):
        drive(folder, made, vendors, at=vendors.control())


def cancel(folder: Path, made: Made, vendors: FakeProcess) -> status.Cancellation:
    with opened(folder, made, vendors, at=vendors.control()) as context:
        run.cancel(context, ["run1"])
        return status.cancellation(context, "run1")


def resume(folder: Path, made: Made, vendors: FakeProcess, policy: Policy | None = None) -> None:
    with opened(folder, made, vendors, policy, vendors.control()) as context:
        run.reopen(context)
        run.drive(context)


# --- cancelling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reply", [500, 403, "reset"])
@pytest.mark.parametrize("vendor", Vendor)
def test_a_cancellation_that_is_not_heard_is_said_and_tried_again(
    vendor: Vendor, reply: int | str, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fault = {"op": "*.batches.cancel", "nth": 1, "when": "before", "reply": reply}
    vendors.play(scenario(faults=[fault], batches=[{"ends_after": 50_000, "done": 0}]))
    book(tmp_path, vendor, (3,))
    until(tmp_path, altered(made, vendor, retrieve=stop), vendors)
    first = cancel(tmp_path, made, vendors)
    assert (first.not_heard, first.ending) == (1, 0)
    assert "has not heard that it should end" in attention(tmp_path, vendors)
    second = cancel(tmp_path, made, vendors)
    assert (second.not_heard, second.ending) == (0, 1)
    assert attention(tmp_path, vendors) == ""
    resume(tmp_path, made, vendors)
    assert len(vendors.journal.requests(CANCELS[vendor])) == 2
    assert vendors.control() < START + 50_000
    assert states(tmp_path) == {RequestState.RETRYABLE: 3}


def test_resume_goes_on_asking_a_batch_to_end(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fault = {"op": "*.batches.cancel", "nth": "1-4", "when": "before", "reply": 500}
    vendors.play(scenario(faults=[fault], batches=[{"ends_after": 50_000}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    until(tmp_path, altered(made, Vendor.OPENAI, retrieve=stop), vendors)
    assert cancel(tmp_path, made, vendors).not_heard == 1
    resume(tmp_path, made, vendors)
    assert len(vendors.journal.requests(CANCELS[Vendor.OPENAI])) == 5
    assert vendors.control() < START + 50_000


@pytest.mark.parametrize("vendor", Vendor)
def test_a_batch_that_is_found_after_the_cancel_is_cancelled_too(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(faults=[LOST], batches=[{"ends_after": 2_000, "done": 0.5}]))
    book(tmp_path, vendor, (4,))
    with opened(tmp_path, made, vendors) as context:
        while context.ledger.shards()[0].state is not ShardState.CREATE_UNKNOWN:
            shard = context.ledger.shards()[0]
            run.STEPS[shard.state](context, shard)
    end = cancel(tmp_path, made, vendors)
    assert end.looked_for == 1
    assert "cancels what it finds" in attention(tmp_path, vendors)
    resume(tmp_path, made, vendors)
    assert max(vendors.journal.bought().values()) == 1
    assert RequestState.IN_FLIGHT not in states(tmp_path)
    if vendor is Vendor.OPENAI:  # the other is known for ours only when it has ended
        assert len(vendors.journal.requests(CANCELS[vendor])) == 1
        assert vendors.control() < START + 2_000


def test_a_batch_that_was_most_likely_never_made_is_left_at_that_with_leave_alone(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """In a cancelled run nothing is sent again, and no later plan may hold what may be bought."""
    vendors.play(scenario(faults=[LOST | {"when": "before"}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert cancel(tmp_path, made, vendors).looked_for == 1
    resume(tmp_path, made, vendors)
    assert "--resend-unknown" in attention(tmp_path, vendors)
    resume(tmp_path, made, vendors, RESEND_UNKNOWN)
    assert states(tmp_path) == {RequestState.LOST: 3}
    assert attention(tmp_path, vendors) == ""
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.LOST: 3}
    assert attention(tmp_path, vendors) == ""
    assert vendors.journal.batches() == []


@pytest.mark.parametrize("vendor", Vendor)
def test_a_cancelled_batch_that_turns_up_after_all_is_not_bought_by_a_later_plan(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(faults=[LOST], batches=[{"nth": 1, "unlisted": 5, "done": 1.0}]))
    book(tmp_path, vendor, (3,))
    drive(tmp_path, made, vendors)
    cancel(tmp_path, made, vendors)
    resume(tmp_path, made, vendors, RESEND_UNKNOWN)
    assert book_released(tmp_path, vendor, "run2") is None
    for _ in range(3):
        vendors.control(advance=4_000)
        resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert set(vendors.journal.bought().values()) == {1}


@pytest.mark.parametrize("vendor", Vendor)
def test_what_was_sent_twice_and_refused_then_may_still_be_bought(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    refusal = {"op": "*.batches.create", "nth": 2, "reply": 400, "code": "bad", "message": "no"}
    vendors.play(scenario(faults=[LOST, refusal], batches=[{"nth": 1, "unlisted": 6}]))
    book(tmp_path, vendor, (3,))
    drive(tmp_path, made, vendors)
    resume(tmp_path, made, vendors, RESEND_UNKNOWN)
    assert states(tmp_path) == {RequestState.LOST: 3}
    assert "resume` first" in attention(tmp_path, vendors)
    assert "gone at the vendor" not in attention(tmp_path, vendors)
    assert book_released(tmp_path, vendor, "run2") is None
    vendors.control(advance=4_000)
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert set(vendors.journal.bought().values()) == {1}


def test_what_was_sent_twice_and_failed_validation_may_still_be_bought(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fail = [{"code": "mystery", "line": None, "message": "odd"}]
    vendors.play(
        scenario(faults=[LOST], batches=[{"nth": 1, "unlisted": 6}, {"nth": 2, "fail": fail}])
    )
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    resume(tmp_path, made, vendors, RESEND_UNKNOWN)
    assert states(tmp_path) == {RequestState.LOST: 3}
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert set(vendors.journal.bought().values()) == {1}


def test_an_upload_that_the_process_died_in_is_deleted_with_the_cancel(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))

    def upload(shard: ShardRow) -> Any:
        uploader(made[Vendor.OPENAI]).upload(shard)
        raise Stopped

    until(tmp_path, altered(made, Vendor.OPENAI, upload=upload), vendors)
    assert len(vendors.journal.requests("openai.files.create")) == 1
    cancel(tmp_path, made, vendors)
    assert len(vendors.journal.requests("openai.files.delete")) == 1
    assert states(tmp_path) == {RequestState.RELEASED: 3}


@pytest.mark.parametrize("spoiled", ["conflict", "missing"])
def test_what_a_cancelled_run_ends_with_wants_nobody(
    spoiled: str, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"nth": 1, spoiled: [2]}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert attention(tmp_path, vendors) != ""
    cancel(tmp_path, made, vendors)
    assert attention(tmp_path, vendors) == ""


# --- how a run ends -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("bad_request", "were refused"), ("server_error", "got no answer in two batches")],
)
def test_a_run_that_ends_without_answers_wants_a_person(
    outcome: str, words: str, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(rows=[{"outcome": outcome, "marker": "*-m1"}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert f"1 requests {words}" in attention(tmp_path, vendors)
    cancel(tmp_path, made, vendors)  # by which a person says that it is all right
    assert attention(tmp_path, vendors) == ""


def test_answers_that_failed_half_way_are_no_success(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(rows=[{"outcome": "pause_turn", "marker": "*-m1"}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 2, RequestState.INCOMPLETE: 1}
    assert "1 answers are not whole" in attention(tmp_path, vendors)
    with opened(tmp_path, {}, None, at=vendors.control()) as context:
        assert "2 of 3 requests answered" in status.text(status.build(context))
    cancel(tmp_path, made, vendors)
    assert attention(tmp_path, vendors) == ""


def test_a_run_that_is_answered_wants_nobody(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(rows=[{"outcome": "refusal", "marker": "*-m1"}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert attention(tmp_path, vendors) == ""


# --- one batch's trouble --------------------------------------------------------------------------


def test_a_request_file_that_changed_does_not_stop_the_others(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"nth": 1, "ends_after": 4_000}]))
    book(tmp_path, Vendor.OPENAI, (3, 4), canary=False)
    path = Path(shards(tmp_path)[1].path)
    whole = path.read_bytes()
    path.write_bytes(b"x")
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3, RequestState.ASSIGNED: 4}
    assert "not the file that was planned" in attention(tmp_path, vendors)
    path.write_bytes(whole)
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 7}


def test_a_request_file_that_is_gone_costs_the_second_try_alone(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(
        scenario(
            rows=[{"outcome": "expired", "lines": 2, "attempt": 1, "batch": 1}],
            batches=[{"nth": 2, "ends_after": 4_000}],
        )
    )
    book(tmp_path, Vendor.OPENAI, (3, 4), canary=False)
    path = Path(shards(tmp_path)[0].path)

    def retrieve(batch_id: str) -> Any:
        path.unlink(missing_ok=True)
        return made[Vendor.OPENAI].retrieve(batch_id)

    drive(tmp_path, altered(made, Vendor.OPENAI, retrieve=retrieve), vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 6, RequestState.RETRYABLE: 1}
    assert "stopped" in attention(tmp_path, vendors)
    assert path.name in attention(tmp_path, vendors)


def test_a_run_folder_that_was_deleted_is_made_again(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    until(tmp_path, altered(made, Vendor.OPENAI, retrieve=stop), vendors)
    shutil.rmtree(tmp_path / "run1")
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert (tmp_path / "run1").stat().st_mode & 0o777 == 0o700


def test_a_disk_that_was_full_at_the_create_buys_once(
    vendors: FakeProcess, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    keep = Context._keep

    def full(self: Context, call: Any, *rest: Any) -> str:
        if call.op == "create":
            raise OSError(errno.ENOSPC, "No space left on device", "replies.jsonl")
        return keep(self, call, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Context, "_keep", full)
        drive(tmp_path, made, vendors)
    assert "No space left on device: replies.jsonl" in attention(tmp_path, vendors)
    resume(tmp_path, made, vendors)
    assert set(vendors.journal.bought().values()) == {1}
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}


def test_a_fault_of_our_own_stops_one_batch_and_tells_no_text(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3, 4), canary=False)
    real = made[Vendor.OPENAI].read_batch
    bad = "batch_fake000001"

    def read_batch(body: bytes) -> Any:
        batch = real(body)
        if batch.batch_id == bad and batch.status != "validating":
            raise KeyError("the text of a prompt")
        return batch

    drive(tmp_path, altered(made, Vendor.OPENAI, read_batch=read_batch), vendors)
    assert states(tmp_path) == {RequestState.IN_FLIGHT: 3, RequestState.SUCCEEDED: 4}
    assert "unexpected KeyError at test_run.py" in attention(tmp_path, vendors)
    assert "prompt" not in attention(tmp_path, vendors)
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 7}


def test_a_refused_key_stops_its_own_vendor_only(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(faults=[{"op": "openai.*", "reply": 401, "message": "bad key"}]))
    book(tmp_path, Vendor.OPENAI, (3,), run_id="run1")
    book(tmp_path, Vendor.ANTHROPIC, (3,), run_id="run2")
    with pytest.raises(MigrationError) as caught:
        drive(tmp_path, made, vendors)
    assert caught.value.exit_code is ExitCode.KEY
    assert states(tmp_path, "run1") == {RequestState.ASSIGNED: 3}
    assert states(tmp_path, "run2") == {RequestState.SUCCEEDED: 3}


def test_a_key_that_may_not_send_may_still_look(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    refusal = {"op": "openai.batches.create", "nth": "2-", "reply": 403, "message": "no such right"}
    vendors.play(scenario(faults=[refusal], batches=[{"nth": 1, "ends_after": 4_000}]))
    book(tmp_path, Vendor.OPENAI, (3, 4), canary=False)
    with pytest.raises(MigrationError) as caught:
        drive(tmp_path, made, vendors)
    assert caught.value.exit_code is ExitCode.KEY
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3, RequestState.ASSIGNED: 4}


def test_what_is_out_of_scope_is_left_alone(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,), run_id="run1")
    book(tmp_path, Vendor.OPENAI, (4,), run_id="run2")
    with opened(tmp_path, made, vendors) as context:
        context.scope = frozenset({"run2"})
        run.reopen(context)
        run.drive(context)
        assert [row.run_id for row in status.unfinished(context)] == ["run1"]
        assert [one.run_id for one in status.build(context).runs] == ["run2"]
    assert states(tmp_path, "run1") == {RequestState.ASSIGNED: 3}
    assert states(tmp_path, "run2") == {RequestState.SUCCEEDED: 4}


# --- time and patience ----------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["inf", "nan", "864000000", "1e400", "-5"])
def test_no_vendor_is_waited_for_longer_than_an_hour(
    asked: str, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fault = {"op": "openai.files.create", "nth": 1, "reply": 429, "retry_after": asked}
    vendors.play(scenario(faults=[fault]))
    book(tmp_path, Vendor.OPENAI, (3,))
    with opened(tmp_path, made, vendors) as context:
        context.clock = PatientClock(vendors)
        run.drive(context)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert vendors.control() < START + 2 * LONGEST


@pytest.mark.parametrize("fast", [3_600.0, 30 * 3_600.0, 365 * 86_400.0])
def test_a_clock_that_was_fast_and_was_set_right_delays_nothing(
    fast: float, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"ends_after": 4_000}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    looks = iter(range(3))

    def retrieve(batch_id: str) -> Any:
        return made[Vendor.OPENAI].retrieve(batch_id) if next(looks, None) is not None else stop()

    with opened(tmp_path, altered(made, Vendor.OPENAI, retrieve=retrieve), vendors) as context:
        context.clock = SharedClock(vendors, START + fast)
        with suppress(Stopped):  # a year later it is overdue, and nobody waits for it
            run.drive(context)
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert vendors.control() < START + 6_000


def test_a_clock_that_is_set_back_while_the_loop_runs_delays_nothing(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"ends_after": 1_000}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    with opened(tmp_path, made, vendors) as context:
        clock = PatientClock(vendors, START + 30 * 3_600)
        context.clock = clock

        def retrieve(batch_id: str) -> Any:
            clock.at = vendors.control()
            return made[Vendor.OPENAI].retrieve(batch_id)

        context.driver_of = lambda _: altered(made, Vendor.OPENAI, retrieve=retrieve)[Vendor.OPENAI]
        run.drive(context)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert vendors.control() < START + 3_000


def test_a_status_that_nobody_knows_is_not_waited_for_without_end(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    real = made[Vendor.OPENAI]

    def shaped(outcome: Any) -> Any:
        told = json.loads(outcome.body) | {"status": "paused", "expires_at": None}
        told |= {"output_file_id": None, "error_file_id": None}
        return replace(outcome, body=json.dumps(told).encode())

    other = altered(
        made,
        Vendor.OPENAI,
        create=lambda shard: shaped(real.create(shard)),
        retrieve=lambda batch_id: shaped(real.retrieve(batch_id)),
    )
    with opened(tmp_path, other, vendors) as context:
        context.clock = PatientClock(vendors)
        run.drive(context)
    assert START + 2 * 86_400 < vendors.control() < START + 3 * 86_400
    assert "should have ended a day ago" in attention(tmp_path, vendors)


def test_a_look_that_never_succeeds_is_given_up_in_the_end(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    portal = altered(
        made, Vendor.OPENAI, retrieve=lambda _: Reply(200, b"<html>log in</html>", None, None)
    )
    with opened(tmp_path, portal, vendors) as context:
        context.clock = PatientClock(vendors)
        run.drive(context)
    assert f"given up after {run.MOST_FAILURES} tries" in attention(tmp_path, vendors)
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}


def test_a_look_back_that_was_given_up_is_taken_up_again(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(faults=[LOST | {"when": "before"}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    real, sent = made[Vendor.OPENAI], []

    def create(shard: ShardRow) -> Any:
        sent.append(shard)
        return real.create(shard)

    def batches(after: str | None) -> Any:
        return Unknown("down") if sent else real.batches(after)

    deaf = altered(made, Vendor.OPENAI, create=create, batches=batches)
    with opened(tmp_path, deaf, vendors, RESEND_UNKNOWN, vendors.control()) as context:
        context.clock = PatientClock(vendors, vendors.control())
        run.reopen(context)
        run.drive(context)
    assert "given up after" in attention(tmp_path, vendors)
    resume(tmp_path, made, vendors)
    assert attention(tmp_path, vendors) == ""
    assert [shard.state for shard in shards(tmp_path)] == [ShardState.CLEANED]


def test_a_request_larger_than_the_queue_is_not_tried_for_ever(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(openai={"enqueued_tokens": {"*": 1}}))
    book(tmp_path, Vendor.OPENAI, (2,))
    with opened(tmp_path, made, vendors) as context:
        context.clock = PatientClock(vendors)
        run.drive(context)
    assert len(vendors.journal.batches()) < 20
    assert "limit raised" in attention(tmp_path, vendors)


def test_a_queue_that_stays_full_wants_a_person_after_some_hours(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    full = [{"code": "token_limit_exceeded", "line": None, "message": "full"}]
    vendors.play(scenario(batches=[{"nth": "1-12", "fail": full}]))
    book(tmp_path, Vendor.OPENAI, (1,))
    with opened(tmp_path, made, vendors) as context:
        context.clock = PatientClock(vendors)
        run.drive(context)
    assert len(vendors.journal.batches()) == 12
    assert "was full 12 times" in attention(tmp_path, vendors)
    resume(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 1}


def test_no_wait_of_any_step_is_longer_than_the_loop_believes(tmp_path: Path) -> None:
    book(tmp_path, Vendor.OPENAI, (1,))
    with opened(tmp_path, {}, None) as context:
        [shard] = context.ledger.shards()
        for asked in (math.inf, math.nan, 1e300, 3_600.0, 0.0, None):
            outcome = Rejected(429, Kind.RATE, "rate", "slow down", asked, b"", None, None)
            wait = context.again(shard, outcome, 30.0, 3_600.0)["next_at"] - context.now()
            assert 0 < wait <= LONGEST
