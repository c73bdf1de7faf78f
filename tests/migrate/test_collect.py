"""Bringing results home: an answer that is here stays, nothing is thought unbilled without proof,
and what is bought again is bought once for each time that somebody asks for it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from llm_audit.migrate import collect, gates, results, run, status
from llm_audit.migrate.context import Policy
from llm_audit.migrate.ledger import Download, ShardRow, open_ledger
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from llm_audit.migrate.vendor import Driver, Reply, Unknown
from tests.migrate.engine import RATE, book, drive, drivers, opened, plan, request, scenario, states
from tests.migrate.fake.process import FakeProcess

Made = Mapping[Vendor, Driver]
Edit = Callable[[bytes], bytes]
S = RequestState
BOTH = pytest.mark.parametrize("vendor", Vendor)


class Odd:
    """A driver of which some calls are replaced."""

    def __init__(self, driver: Driver, **calls: Any) -> None:
        self._driver, self._calls = driver, calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name) or getattr(self._driver, name)


def odd(made: Made, **calls: Any) -> Any:
    return {vendor: Odd(driver, **calls) for vendor, driver in made.items()}


def downloads(made: Made, vendor: Vendor, edit: Edit) -> Any:
    """Its downloads are not what the vendor sent."""

    def download(source: str, part: Path) -> Any:
        outcome = made[vendor].download(source, part)
        if isinstance(outcome, Reply):
            part.write_bytes(edit(part.read_bytes()))
        return outcome

    return odd(made, download=download)


def batches(made: Made, vendor: Vendor, edit: Callable[[dict[str, Any]], object]) -> Any:
    """Its batches are not what the vendor tells."""

    def retrieve(batch_id: str) -> Any:
        outcome = made[vendor].retrieve(batch_id)
        if not isinstance(outcome, Reply):
            return outcome
        data = json.loads(outcome.body)
        edit(data)
        return replace(outcome, body=json.dumps(data).encode())

    return odd(made, retrieve=retrieve)


def resume(
    folder: Path, made: Made, vendors: FakeProcess, *, resend_lost: bool = False
) -> dict[RequestState, int]:
    with opened(folder, made, vendors, Policy(resend_lost=resend_lost), vendors.control()) as own:
        run.reopen(own)
        run.drive(own)
    return states(folder)


def shards(folder: Path) -> list[ShardRow]:
    with open_ledger(folder) as ledger:
        return ledger.shards()


def told(folder: Path, vendors: FakeProcess) -> str:
    with opened(folder, {}, None, None, vendors.control()) as context:
        return status.text(status.build(context))


def times(vendors: FakeProcess) -> dict[int, int]:
    """How many requests were bought how often."""
    return dict(Counter(vendors.journal.bought().values()))


# --- bought again: only when asked, once for each time (A5) ---------------------------------------


@BOTH
def test_what_is_always_missing_is_bought_once_for_each_command(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"missing": [1]}]))
    book(tmp_path, vendor, (3,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 2, S.MISSING: 1}
    assert resume(tmp_path, made, vendors) == {S.SUCCEEDED: 2, S.MISSING: 1}
    assert times(vendors) == {1: 3}
    for command in (1, 2):
        # The batch of the one has no line at all, which is as good as no file.
        assert resume(tmp_path, made, vendors, resend_lost=True) == {S.SUCCEEDED: 2, S.LOST: 1}
        assert times(vendors) == {1: 2, 1 + command: 1}
    assert "--resend-lost" in told(tmp_path, vendors)


def test_what_failed_and_what_is_missing_go_on_one_after_the_other(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """Two later generations of one batch are two batches."""
    expired = {"outcome": "expired", "lines": [2], "batch": 1}
    vendors.play(scenario(rows=[expired], batches=[{"nth": 1, "missing": [1]}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 2, S.MISSING: 1}
    assert resume(tmp_path, made, vendors, resend_lost=True) == {S.SUCCEEDED: 3}
    assert [shard.parent_id for shard in shards(tmp_path)] == [None, 1, 1]
    assert times(vendors) == {1: 2, 2: 1}


def test_what_a_second_look_finds_is_not_bought_again(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))

    def cut(body: bytes) -> bytes:
        return b"".join(body.splitlines(keepends=True)[1:])

    drive(tmp_path, downloads(made, Vendor.OPENAI, cut), vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 2, S.MISSING: 1}
    assert resume(tmp_path, made, vendors, resend_lost=True) == {S.SUCCEEDED: 3}
    assert times(vendors) == {1: 3}
    assert [shard.state for shard in shards(tmp_path)] == [ShardState.CLEANED]


def test_leave_to_buy_again_is_not_kept_for_the_next_command(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """What goes missing while a command runs is for the next one to decide."""
    vendors.play(scenario(batches=[{"nth": 2, "missing": [1]}]))
    book(tmp_path, Vendor.OPENAI, (3, 4))
    drive(tmp_path, made, vendors, Policy(resend_lost=True))
    assert states(tmp_path) == {S.SUCCEEDED: 6, S.MISSING: 1}
    assert times(vendors) == {1: 7}


# --- answers at home stay (A6) --------------------------------------------------------------------

GONE = {
    "rows": [{"outcome": "bad_request", "lines": 2}],
    "batches": [{"nth": 1, "gone": ["error"]}],
}


def test_another_key_takes_no_answer_away(
    vendors: FakeProcess, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.play(scenario(**GONE))
    book(tmp_path, Vendor.OPENAI, (5,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 4, S.LOST: 1}
    for name, value in (vendors.environment() | {"OPENAI_API_KEY": "sk-other-key"}).items():
        monkeypatch.setenv(name, value)
    other = drivers({})
    for resend_lost in (False, False, True):
        found = resume(tmp_path, other, vendors, resend_lost=resend_lost)
        assert found == {S.SUCCEEDED: 4, S.LOST: 1}
    for driver in other.values():
        driver.close()
    assert len(vendors.journal.batches()) == 1
    assert "with another key" in told(tmp_path, vendors)


def test_results_that_expired_take_no_answer_away(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(**GONE))
    book(tmp_path, Vendor.OPENAI, (5,))
    drive(tmp_path, made, vendors)
    vendors.control(advance=8 * 86_400)
    for _ in range(3):
        assert resume(tmp_path, made, vendors) == {S.SUCCEEDED: 4, S.LOST: 1}
    with open_ledger(tmp_path) as ledger:
        assert ledger.rows_counted() == 4
    for _ in range(2):
        assert resume(tmp_path, made, vendors, resend_lost=True) == {S.SUCCEEDED: 5}
    assert times(vendors) == {1: 5}


def test_files_that_somebody_deletes_take_no_answer_away(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"missing": [1], "gone": []}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    drive(tmp_path, made, vendors)
    for path in (tmp_path / "run1" / "results").iterdir():
        path.unlink()
    vendors.control(advance=40 * 86_400)
    resume(tmp_path, made, vendors)
    found = states(tmp_path)
    assert found[S.SUCCEEDED] == 2
    with open_ledger(tmp_path) as ledger:
        assert ledger.rows_counted() == 2


def test_a_file_deleted_before_it_was_read_is_downloaded_again(
    vendors: FakeProcess, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    settle = collect.settle
    deleted: list[str] = []

    def spoiled(context: Any, shard: ShardRow) -> None:
        if not deleted:
            [download] = context.ledger.downloads(shard.shard_id)
            deleted.append(download.path)
            Path(download.path).unlink()
        settle(context, shard)

    monkeypatch.setattr(collect, "settle", spoiled)
    drive(tmp_path, made, vendors)
    assert deleted
    assert states(tmp_path) == {S.SUCCEEDED: 3}


# --- what comes instead of the results (A7) -------------------------------------------------------


@BOTH
@pytest.mark.parametrize("page", [b"<html>\n<body>log in</body>\n</html>\n", b"", b"{}\n"])
def test_what_a_portal_says_is_no_download(
    vendor: Vendor, page: bytes, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    drive(tmp_path, downloads(made, vendor, lambda _: page), vendors)
    assert states(tmp_path) == {S.LOST: 3}
    [shard] = shards(tmp_path)
    assert (shard.state, shard.cost) == (ShardState.LOST, shard.ceiling)
    assert "could not be downloaded" in told(tmp_path, vendors)
    assert resume(tmp_path, made, vendors) == {S.SUCCEEDED: 3}
    assert times(vendors) == {1: 3}


def test_a_portal_that_goes_away_is_waited_for(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    pages = [b"<html>"] * 3

    def edit(body: bytes) -> bytes:
        return pages.pop() if pages else body

    drive(tmp_path, downloads(made, Vendor.OPENAI, edit), vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 3}


def test_a_missing_line_is_looked_for_over_a_quarter_of_an_hour(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"missing": [1]}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    looks = [each.at for each in vendors.journal.requests("openai.files.content")]
    assert len(looks) == 3
    assert looks[-1] - looks[0] >= 900
    assert {purpose for _, purpose, _ in vendors.journal.files()} == {"batch", "batch_output"}


def test_a_line_more_than_ours_is_not_waited_for(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"stranger": 2}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert len(vendors.journal.requests("openai.files.content")) == 1
    with open_ledger(tmp_path) as ledger:
        assert ledger.quarantined("run1") == {"stranger": 2}


# --- "not bought" needs proof (A8) ----------------------------------------------------------------


def test_files_that_come_late_are_still_results(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    life = {"nth": 1, "polls": ["in_progress", "expired"], "done": 0.4, "output_late": 40}
    vendors.play(scenario(batches=[life]))
    book(tmp_path, Vendor.OPENAI, (5,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {S.LOST: 5}
    for _ in range(40):
        if resume(tmp_path, made, vendors) != {S.LOST: 5}:
            break
    assert states(tmp_path) == {S.SUCCEEDED: 5}
    assert times(vendors) == {1: 5}  # two in the first batch, three that expired in the second


@pytest.mark.parametrize(
    "facts",
    [
        {"in_progress_at": 1, "request_counts": {"total": 3, "completed": 3, "failed": 0}},
        {"in_progress_at": 1, "request_counts": {"total": 3, "completed": 0, "failed": 0}},
        {"in_progress_at": None, "request_counts": {"total": 3, "completed": 1, "failed": 2}},
    ],
)
def test_a_batch_that_failed_half_way_is_not_bought_again(
    facts: dict[str, Any], vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    failed = {"status": "failed", "output_file_id": None, "error_file_id": None}
    failed |= {"errors": {"data": [{"code": "internal", "message": "x", "line": 1}]}} | facts
    drive(tmp_path, batches(made, Vendor.OPENAI, lambda b: b.update(failed)), vendors)
    assert states(tmp_path) == {S.LOST: 3}
    assert times(vendors) == {1: 3}
    assert resume(tmp_path, made, vendors) == {S.SUCCEEDED: 3}
    assert times(vendors) == {1: 3}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"total": 3, "completed": 0, "failed": 0}, S.RETRYABLE),
        ({"total": 3, "completed": 1, "failed": 0}, S.LOST),
        ({}, S.LOST),
        (None, S.LOST),
    ],
    ids=str,
)
def test_a_batch_that_ended_without_files_was_not_bought_if_it_says_so(
    counts: Any, expected: RequestState, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    gone = {"status": "cancelled", "output_file_id": None, "error_file_id": None}
    gone |= {"request_counts": counts, "in_progress_at": None}
    with opened(tmp_path, batches(made, Vendor.OPENAI, lambda b: b.update(gone)), vendors) as own:
        while own.ledger.shards()[0].state is not ShardState.SUBMITTED:
            shard = own.ledger.shards()[0]
            run.STEPS[shard.state](own, shard)
        run.cancel(own, ["run1"])
        run.drive(own)
        [shard] = own.ledger.shards()
        assert own.ledger.request_states("run1") == {expected: 3}
        assert shard.cost == (0 if expected is S.RETRYABLE else shard.ceiling)
        assert own.ledger.failed_rows() == ({"batch_cancelled": 3} if shard.cost == 0 else {})


def test_an_odd_status_beside_an_answer_buys_nothing_again(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))

    def edit(body: bytes) -> bytes:
        return body.replace(b'"status_code": 200', b'"status_code": "200"')

    drive(tmp_path, downloads(made, Vendor.OPENAI, edit), vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 3}
    assert len(vendors.journal.batches()) == 1


def test_an_answer_beside_a_failure_is_the_answer(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))

    def edit(body: bytes) -> bytes:
        data = json.loads(body.splitlines()[0])
        data |= {"response": None, "error": {"code": "batch_expired", "message": "x"}}
        return json.dumps(data).encode() + b"\n" + body

    drive(tmp_path, downloads(made, Vendor.OPENAI, edit), vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 3}
    with open_ledger(tmp_path) as ledger:
        assert ledger.quarantined("run1") == {"conflict": 1}


# --- a later generation is given up (B2) ----------------------------------------------------------


def test_a_second_generation_that_is_cancelled_blocks_no_later_plan(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(rows=[{"outcome": "expired", "lines": 2, "attempt": 1}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    with opened(tmp_path, made, vendors) as context:
        while len(context.ledger.shards()) < 2:
            shard = context.ledger.shards()[0]
            context.clock.sleep(max(0.0, shard.next_at - context.now()))
            run.STEPS[shard.state](context, shard)
        run.cancel(context, ["run1"])
        assert context.ledger.request_states("run1") == {S.SUCCEEDED: 2, S.RETRYABLE: 1}
        later = plan(tmp_path / "later", Vendor.OPENAI, (3,), "run1")
        keys = {r.request_key for planned in later.shards for r in planned.requests}
        assert keys <= context.ledger.known_keys()


@pytest.mark.parametrize("refuse", [True, False])
def test_paid_answers_are_fetched_though_a_second_purchase_came_to_nothing(
    vendors: FakeProcess, made: Made, tmp_path: Path, *, refuse: bool
) -> None:
    """A portal hid the answers, so they were to be bought again: that was refused, or cancelled."""
    faults = (
        [{"op": "*.batches.create", "nth": 2, "reply": 400, "code": "bad", "message": "no"}]
        if refuse
        else []
    )
    vendors.play(scenario(faults=faults))
    book(tmp_path, Vendor.OPENAI, (3,))
    portal = downloads(made, Vendor.OPENAI, lambda _: b"<html>\n</html>\n")
    drive(tmp_path, portal, vendors)
    assert states(tmp_path) == {S.LOST: 3}
    if refuse:
        assert resume(tmp_path, portal, vendors, resend_lost=True) == {S.MISSING: 3}
    else:
        _die_in_the_upload(tmp_path, portal, vendors)
        with opened(tmp_path, made, vendors, at=vendors.control()) as context:
            run.cancel(context, ["run1"])
        assert states(tmp_path) == {S.MISSING: 3}
    assert resume(tmp_path, made, vendors) == {S.SUCCEEDED: 3}
    assert times(vendors) == {1: 3}


def _die_in_the_upload(folder: Path, portal: Any, vendors: FakeProcess) -> None:
    class DiedError(BaseException):
        pass

    def upload(shard: ShardRow) -> Any:
        raise DiedError

    dying = odd(portal, upload=upload)
    with pytest.raises(DiedError):
        resume(folder, dying, vendors, resend_lost=True)


def test_a_second_purchase_that_was_refused_may_be_made_once_more(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    refusal = {"op": "*.batches.create", "nth": 2, "reply": 400, "code": "bad", "message": "no"}
    vendors.play(scenario(faults=[refusal], batches=[{"nth": 1, "missing": [1]}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert resume(tmp_path, made, vendors, resend_lost=True) == {S.SUCCEEDED: 2, S.MISSING: 1}
    assert resume(tmp_path, made, vendors, resend_lost=True) == {S.SUCCEEDED: 3}
    assert times(vendors) == {1: 2, 2: 1}
    assert [shard.parent_id for shard in shards(tmp_path)] == [None, 1, 1]
    assert "!" not in told(tmp_path, vendors)


def test_what_could_not_be_downloaded_is_not_called_gone(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, odd(made, download=lambda *_: Unknown("down")), vendors)
    assert states(tmp_path) == {S.LOST: 3}
    assert "gone at the vendor" not in told(tmp_path, vendors)
    assert "looks again and is free" in told(tmp_path, vendors)
    assert resume(tmp_path, made, vendors) == {S.SUCCEEDED: 3}


def test_responses_that_failed_are_no_answers(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    def fail(content: bytes) -> bytes:
        lines = [json.loads(line) for line in content.splitlines()]
        error = {"code": "server_error", "message": "x"}
        for line in lines:
            body = {"object": "response", "status": "failed", "output": [], "error": error}
            line["response"]["body"] = body
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, downloads(made, Vendor.OPENAI, fail), vendors)
    assert states(tmp_path) == {S.MISSING: 3}
    assert "0 of 3 requests answered" in told(tmp_path, vendors)
    assert "server_error" in told(tmp_path, vendors)
    assert "--resend-lost" in told(tmp_path, vendors)


def test_a_failure_that_nobody_knows_is_no_proof_that_nothing_was_done(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    life = {
        "fail": [{"code": "mystery", "line": None, "message": "odd"}],
        "fail_done": 0.5,
        "files_after": 2_000,
        "counts": None,
        "drop": ["in_progress_at"],
    }
    vendors.play(scenario(batches=[{"nth": 1, **life}]))
    book(tmp_path, Vendor.OPENAI, (4,))
    drive(tmp_path, made, vendors)
    assert set(vendors.journal.bought().values()) == {1}
    assert S.RELEASED not in states(tmp_path)
    assert states(tmp_path)[S.SUCCEEDED] >= 2


def test_a_second_generation_of_what_may_be_paid_goes_back_to_missing(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"missing": [1]}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    policy = Policy(resend_lost=True)
    with opened(tmp_path, made, vendors, policy, vendors.control()) as context:
        run.reopen(context)
        while len(context.ledger.shards()) < 2:
            shard = context.ledger.shards()[0]
            context.clock.sleep(max(0.0, shard.next_at - context.now()))
            run.STEPS[shard.state](context, shard)
        run.cancel(context, ["run1"])
        assert context.ledger.request_states("run1") == {S.SUCCEEDED: 2, S.MISSING: 1}


# --- money (B5) -----------------------------------------------------------------------------------


def test_answers_without_usage_count_at_their_dearest(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    ceiling = Decimal("0.000116")  # of one request: its batch cost, its answer a fifth longer
    book(tmp_path, Vendor.OPENAI, (3, 3, 3, 3), max_cost=ceiling * 6)

    def edit(body: bytes) -> bytes:
        return body.replace(b'"usage": {', b'"usagex": {')

    drive(tmp_path, downloads(made, Vendor.OPENAI, edit), vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 6, S.ASSIGNED: 6}
    with open_ledger(tmp_path) as ledger:
        assert gates.spent("run1", ledger.shards()) == ceiling * 6
        assert {outcome.cost for outcome in ledger.outcomes()} == {None}


@BOTH
def test_the_ceiling_holds_all_writes_to_the_cache_that_may_be(vendor: Vendor) -> None:
    asked, _ = request(vendor, "x")
    cost = 100_000 * RATE.input + 10 * RATE.output
    asked = replace(asked, input_tokens=100_000, output_tokens=10, batch_cost=cost, caches=True)
    usage: dict[str, Any] = {"input_tokens": 0, "output_tokens": 10}
    usage["cache_creation"] = {"ephemeral_1h_input_tokens": 100_000}
    message = {"content": [{}], "stop_reason": "end_turn", "usage": usage}
    line = {"custom_id": "c", "result": {"type": "succeeded", "message": message}}
    billed = results.cost(results.read(Vendor.ANTHROPIC, json.dumps(line).encode()), [RATE])
    assert billed is not None
    assert run.ceiling(asked, [RATE]) >= billed
    assert run.ceiling(replace(asked, caches=False), [RATE]) < billed


# --- lines of any kind (B6) -----------------------------------------------------------------------

HOSTILE = (
    b'{"custom_id":"\\ud800x","response":null,"error":null}',
    b'{"custom_id":"q","response":{"status_code":200,"body":"' + b"[" * 200_000 + b'"}}',
    b'{"custom_id":"\\u001b]0;x\\u0007","response":null}',
    b'{"custom_id":"la-zzzzzzzz-x-g1","result":{"type":{}}}',
    b"\xff\xfe{}",
    b"[" * 200_000,
)


@BOTH
@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_one_hostile_line_spoils_no_other(
    vendor: Vendor, line: bytes, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    drive(tmp_path, downloads(made, vendor, lambda body: body + line + b"\n"), vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 3}
    with open_ledger(tmp_path) as ledger:
        assert sum(ledger.quarantined("run1").values()) == 1


def test_a_number_that_no_ledger_holds_is_no_usage(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))

    def edit(body: bytes) -> bytes:
        huge = b'"prompt_tokens": 9223372036854775808'
        return re.sub(rb'"prompt_tokens": \d+', huge, body, count=1)

    drive(tmp_path, downloads(made, Vendor.OPENAI, edit), vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 3}
    with open_ledger(tmp_path) as ledger:
        assert sum(outcome.cost is None for outcome in ledger.outcomes()) == 1


# --- the rest -------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://other.example/{id}", "http://127.0.0.1:x/{id}"])
def test_results_on_another_host_leave_nobody_in_flight(
    url: str, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"results_url": url}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {S.LOST: 3}
    assert "another host" in told(tmp_path, vendors)


def test_a_full_queue_is_tried_more_and_more_seldom(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    full = [{"code": "token_limit_exceeded", "line": None, "message": "full"}]
    vendors.play(scenario(batches=[{"nth": "1-6", "fail": full}]))
    book(tmp_path, Vendor.OPENAI, (1,))
    drive(tmp_path, made, vendors)
    at = [heard.at for heard in vendors.journal.requests("openai.batches.create")]
    waits = [round((later - one) / 60) for one, later in pairwise(at)]
    for wait, minutes in zip(waits, (5, 10, 20, 40, 60, 60), strict=True):
        assert minutes * 0.85 <= wait <= minutes * 1.2 + 1
    assert states(tmp_path) == {S.SUCCEEDED: 1}


def test_a_line_number_that_the_file_does_not_have_rejects_nobody(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fail = [{"code": "invalid_json_line", "line": 99, "message": "bad"}]
    vendors.play(scenario(batches=[{"nth": 1, "fail": fail}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {S.RELEASED: 3}
    assert len(vendors.journal.batches()) == 1


def test_an_answer_that_asks_for_a_tool_is_told(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(rows=[{"outcome": "tool_use", "lines": [1]}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    drive(tmp_path, made, vendors)
    assert states(tmp_path) == {S.SUCCEEDED: 3}
    assert "succeeded: tool_use" in told(tmp_path, vendors)


def test_tokens_that_the_vendor_counts_and_no_line_shows_are_told(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (2, 3))

    def edit(batch: dict[str, Any]) -> None:
        if batch["usage"] and batch["id"].endswith("2"):
            batch["usage"]["output_tokens"] += 7

    drive(tmp_path, batches(made, Vendor.OPENAI, edit), vendors)
    with open_ledger(tmp_path) as ledger:
        [gap] = ledger.usage_gaps("run1")
        assert gap.told_output == gap.counted_output + 7
        assert gap.told_input == gap.counted_input
    assert "the vendor counted" in told(tmp_path, vendors)


def test_results_are_read_line_by_line(vendors: FakeProcess, made: Made, tmp_path: Path) -> None:
    """What is kept of a line is its row, not its text: 45,000 answers are not memory's to hold."""
    import tracemalloc

    names = [f"la-x-{n}" for n in range(2_000)]
    path = tmp_path / "r.jsonl"
    with path.open("w") as out:
        for name in names:
            choice = {"finish_reason": "stop", "message": {"content": "x" * 16_000}}
            body = {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
            line = {"custom_id": name, "response": {"status_code": 200, "body": body}}
            out.write(json.dumps(line) + "\n")
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (1,))
    [shard] = shards(tmp_path)
    download = Download("output", "x", str(path), path.stat().st_size, "a", 0)
    tracemalloc.start()
    found = collect.read(shard, [download], frozenset(names))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.rows) == 2_000
    assert peak < 4_000_000  # the file is 32 MB
