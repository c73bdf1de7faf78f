"""A POST of unknown outcome is found again, or not sent again: the scenarios of a stranger.

Each of them once bought something twice, or looked for ever, or stayed silent about it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_audit.errors import MigrationError
from llm_audit.migrate import collect, reconcile, run, status
from llm_audit.migrate.context import Policy
from llm_audit.migrate.ledger import ShardRow, open_ledger
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from llm_audit.migrate.vendor import Driver, Kind, Outcome, Rejected, Reply, Unknown, uploader
from tests.migrate.engine import SharedClock, book, drivers, opened, scenario, states
from tests.migrate.fake.process import FakeProcess

Made = Mapping[Vendor, Driver]
Json = dict[str, Any]
Change = Callable[..., Any]

YES = Policy(resend_unknown=True)
LOST_REPLY: Json = {"op": "*.batches.create", "nth": 1, "when": "after", "reply": "close"}
COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
NEVER_HEARD: Json = {"op": "*.batches.create", "nth": 1, "when": "before", "reply": "close"}


class Died(BaseException):
    """The process is gone."""


class Changed:
    """A driver of which some calls are other ones."""

    def __init__(self, driver: Driver, **calls: Change) -> None:
        self._driver = driver
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return self._calls[name] if name in self._calls else getattr(self._driver, name)


class WrongClock(SharedClock):
    """The fake's clock, and ours so many seconds off."""

    off = 0.0

    def now(self) -> float:
        return super().now() + self.off


def changed(made: Made, vendor: Vendor, **calls: Change) -> Made:
    """The drivers, of which one is `Changed`."""
    return {**made, vendor: Changed(made[vendor], **calls)}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is asked after ten failures, not a hundred."""
    monkeypatch.setattr(run, "MOST_FAILURES", 10)


def refusal(status_code: int, kind: Kind) -> Outcome:
    """The vendor refuses."""
    return Rejected(status_code, kind, "x", "not now", None, b"", None, None)


def once(made: Made, vendor: Vendor, call: str, outcome: Outcome) -> Change:
    """A call that ends so the first time."""
    told: list[int] = []

    def first(*arguments: Any) -> Outcome:
        told.append(1)
        real: Change = getattr(made[vendor], call)
        return outcome if len(told) == 1 else real(*arguments)

    return first


def die(*_: object) -> Outcome:
    raise Died


def go(
    folder: Path,
    made: Made,
    fake: FakeProcess,
    policy: Policy = YES,
    clock: SharedClock | None = None,
    said: list[str] | None = None,
) -> None:
    """`resume`, in a process of its own."""
    with opened(folder, made, fake, policy, fake.control()) as context:
        context.clock = clock or context.clock
        context.say = (said if said is not None else []).append
        run.reopen(context)
        run.drive(context)


def until_post(folder: Path, made: Made, fake: FakeProcess, vendor: Vendor) -> None:
    """Send it, and die before the first look for it."""

    def create(shard: ShardRow) -> Outcome:
        made[vendor].create(shard)
        raise Died

    with pytest.raises(Died):
        go(folder, changed(made, vendor, create=create), fake)


def shard_of(folder: Path) -> ShardRow:
    with open_ledger(folder) as ledger:
        [shard] = ledger.shards()
    return shard


def told(folder: Path, fake: FakeProcess) -> status.Status:
    with opened(folder, {}, None, None, fake.control()) as context:
        return status.build(context)


def bought_once(fake: FakeProcess, requests: int = 3) -> bool:
    """Whether the vendor has sold each of them once."""
    bought = fake.journal.bought()
    return len(bought) == requests and set(bought.values()) == {1}


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[Made]:
    """Other drivers, by another environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        clients = drivers({})
        yield clients
        for client in clients.values():
            client.close()


@contextmanager
def foreign(fake: FakeProcess) -> Iterator[Made]:
    """Drivers with other keys."""
    keys = {"OPENAI_API_KEY": "sk-other", "ANTHROPIC_API_KEY": "sk-ant-other"}
    with environment(fake.environment() | keys) as clients:
        yield clients


# --- the account ----------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize("is_heard", [True, False])
def test_the_list_of_another_account_proves_nothing(
    vendor: Vendor, is_heard: bool, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    if is_heard:
        until_post(tmp_path, made, vendors, vendor)
    else:
        with pytest.raises(Died):
            go(tmp_path, changed(made, vendor, create=die), vendors)
    with foreign(vendors) as others:
        for _ in range(2):
            go(tmp_path, others, vendors)
    assert len(vendors.journal.batches()) == int(is_heard)
    shard = shard_of(tmp_path)
    assert shard.state is ShardState.LOST
    assert made[vendor].account in (shard.message or "")
    assert status.needs_attention(told(tmp_path, vendors))
    go(tmp_path, made, vendors)  # with what it was sent with
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


def test_a_person_may_vouch_for_a_key_that_replaced_another(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    with pytest.raises(Died):
        go(tmp_path, changed(made, Vendor.OPENAI, create=die), vendors)
    with foreign(vendors) as others:
        for policy in (YES, Policy(resend_lost=True)):
            go(tmp_path, others, vendors, policy)
            assert not vendors.journal.batches()
        shard = shard_of(tmp_path)
        assert f"--same-account {shard.intent}" in (shard.message or "")
        with opened(tmp_path, others, vendors) as context:
            with pytest.raises(MigrationError, match="no batch nobody"):
                reconcile.vouch(context, "nobody")
            reconcile.vouch(context, shard.intent)
        go(tmp_path, others, vendors)
    looks = [call.op for call in vendors.journal.requests()].count("openai.batches.list")
    assert looks >= 1 + 2 + 3, "the fence, one look each by the new key, and three that count"
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"]
)
def test_an_account_is_key_address_organisation_and_project(
    name: str, vendors: FakeProcess, made: Made
) -> None:
    value = "http://localhost:1/v1" if name.endswith("URL") else "other"
    with environment({name: value}) as others:
        assert others[Vendor.OPENAI].account != made[Vendor.OPENAI].account
        assert others[Vendor.ANTHROPIC].account == made[Vendor.ANTHROPIC].account
    with environment({}) as same:
        assert same[Vendor.OPENAI].account == made[Vendor.OPENAI].account


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANTHROPIC_API_KEY", "other"),
        ("ANTHROPIC_BASE_URL", "http://localhost:1"),
        ("ANTHROPIC_CUSTOM_HEADERS", "anthropic-workspace-id: other"),
        ("ANTHROPIC_CUSTOM_HEADERS", "Anthropic-Workspace-Id: other"),
        ("ANTHROPIC_CUSTOM_HEADERS", "X-Api-Key: other"),
        ("OPENAI_CUSTOM_HEADERS", "OpenAI-Project: other"),
        ("OPENAI_CUSTOM_HEADERS", "openai-organization: other"),
        ("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer other"),
    ],
)
def test_an_account_is_what_its_headers_say(
    name: str, value: str, vendors: FakeProcess, made: Made
) -> None:
    theirs = Vendor(name.partition("_")[0].lower())
    with environment({name: value}) as others:
        for vendor in Vendor:
            assert (others[vendor].account == made[vendor].account) is (vendor is not theirs)


def test_an_upload_of_another_account_is_made_anew(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    with pytest.raises(Died):
        go(tmp_path, changed(made, Vendor.OPENAI, batches=die), vendors)
    assert shard_of(tmp_path).state is ShardState.UPLOADED
    with foreign(vendors) as others:
        go(tmp_path, others, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


# --- the fence ------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize("off", [-7_200.0, 7_200.0])
def test_a_clock_that_was_wrong_and_is_right_again_hides_nothing(
    vendor: Vendor, off: float, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    clock = WrongClock(vendors, vendors.control())
    clock.off = off

    def create(shard: ShardRow) -> Outcome:
        made[vendor].create(shard)
        raise Died

    with pytest.raises(Died):
        go(tmp_path, changed(made, vendor, create=create), vendors, clock=clock)
    vendors.control(advance=abs(off) + 10)
    go(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


@pytest.mark.parametrize("vendor", Vendor)
def test_a_post_that_took_long_and_was_killed_is_found(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    clock = SharedClock(vendors, vendors.control())

    def create(shard: ShardRow) -> Outcome:
        clock.sleep(5_000)
        made[vendor].create(shard)
        raise Died

    with pytest.raises(Died):
        go(tmp_path, changed(made, vendor, create=create), vendors, clock=clock)
    go(tmp_path, made, vendors)
    assert bought_once(vendors)


@pytest.mark.parametrize("vendor", Vendor)
def test_a_commit_after_the_answer_is_found(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """504 after a minute, committed nine minutes later: between the second and the third look."""
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    sent: list[ShardRow] = []
    looks: list[int] = []

    def create(shard: ShardRow) -> Outcome:
        if sent:
            return made[vendor].create(shard)
        sent.append(shard)
        return Unknown("status 504", 504)

    def batches(after: str | None) -> Outcome:
        looks.append(1)
        if len(looks) == 4:  # the fence, two looks, and now
            made[vendor].create(sent[0])
        return made[vendor].batches(after)

    go(tmp_path, changed(made, vendor, create=create, batches=batches), vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


def other_batches(
    made: Made, vendor: Vendor, folder: Path, count: int, fake: FakeProcess | None = None
) -> list[str]:
    """Batches that somebody else of the account makes: at once, or one a minute by the fake."""
    ids = []
    driver = made[vendor]
    for number in range(count):
        name = f"other{number}"
        book(folder / name, vendor, (3,), run_id=name)
        with open_ledger(folder / name) as ledger:
            [shard] = ledger.shards()
        if driver.uploads:
            uploaded = uploader(driver).upload(shard)
            shard = replace(shard, file_id=uploader(driver).read_upload(uploaded.body))
        reply = driver.create(shard)
        assert isinstance(reply, Reply)
        ids.append(driver.read_batch(reply.body).batch_id)
        if fake is not None:
            fake.control(advance=60)
    return ids


@pytest.mark.parametrize("vendor", Vendor)
def test_what_was_there_before_is_not_looked_at_and_ends_the_look(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(type(made[vendor]), "page", 2)
    vendors.play(scenario(faults=[LOST_REPLY | {"nth": 10}]))
    older = other_batches(made, vendor, tmp_path, 5, vendors)
    vendors.control(advance=3_600)
    other_batches(made, vendor, tmp_path / "again", 4, vendors)
    book(tmp_path, vendor, (3,))
    go(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    heard = [call.target for call in vendors.journal.requests(f"{vendor}.batches.retrieve")]
    assert not set(older) & set(heard)
    # The fence reaches back five minutes, on three pages; a look ends on the fourth of five.
    assert len(vendors.journal.requests(f"{vendor}.batches.list")) in (3 + 4, 3 + 2 * 4)


def test_a_fence_that_is_deleted_hides_nothing(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendor = Vendor.ANTHROPIC  # OpenAI's batches cannot be deleted
    vendors.play(scenario())
    [other] = other_batches(made, vendor, tmp_path, 1)
    while not made[vendor].read_batch(made[vendor].retrieve(other).body).ended:
        pass
    book(tmp_path, vendor, (3,))
    until_post(tmp_path, made, vendors, vendor)
    made[vendor]._client.messages.batches.delete(other)  # type: ignore[attr-defined]
    go(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}


@pytest.mark.parametrize("vendor", Vendor)
def test_a_batch_from_the_future_hides_nothing(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """A foreign one, the newest by a stamp that makes no sense, among older ones."""
    vendors.play(scenario())
    other_batches(made, vendor, tmp_path, 2)
    vendors.control(advance=3_600)
    other_batches(made, vendor, tmp_path / "again", 1)
    book(tmp_path, vendor, (3,))

    def make_odd(page: Json) -> None:
        for batch in page["data"]:
            if batch["id"].endswith("000003"):
                text = isinstance(batch["created_at"], str)
                batch["created_at"] = "2199-01-01T00:00:00Z" if text else 7_000_000_000

    batches = listed(made, vendor, make_odd)
    until_post(tmp_path, changed(made, vendor, batches=batches), vendors, vendor)
    go(tmp_path, changed(made, vendor, batches=batches), vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert len(vendors.journal.batches()) == 4


def test_nothing_is_sent_before_the_list_was_read(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(faults=[{"op": "*.batches.list", "nth": [1, 2], "reply": 500}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    go(tmp_path, made, vendors)
    calls = [call.op.split(".", 1)[1] for call in vendors.journal.requests()]
    assert calls[:4] == ["batches.list"] * 3 + ["batches.create"]
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}


def test_a_ledger_from_a_backup_finds_what_it_sent(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))
    old = (tmp_path / "ledger.sqlite").read_bytes()
    go(tmp_path, made, vendors)
    (tmp_path / "ledger.sqlite").write_bytes(old)
    go(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


# --- lists that prove nothing ---------------------------------------------------------------------


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"ok"}',
        b"{}",
        b"[]",
        b'{"data":[]}',
        b'{"data":null,"has_more":false}',
        b'{"data":[],"has_more":true}',
        b'{"data":{},"has_more":false}',
        b'{"data":[{"id":"x"}],"has_more":"false"}',
        b"<html></html>",
    ],
)
def test_what_is_no_list_is_no_look(
    body: bytes, vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    until_post(tmp_path, made, vendors, vendor)

    def batches(_: str | None) -> Outcome:
        return Reply(200, body, None, None)

    go(tmp_path, changed(made, vendor, batches=batches), vendors)
    shard = shard_of(tmp_path)
    assert (shard.state, shard.looks) == (ShardState.CREATE_UNKNOWN, 0)
    assert len(vendors.journal.batches()) == 1
    go(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


def listed(made: Made, vendor: Vendor, change: Callable[[Json], object]) -> Callable[..., Outcome]:
    """The list, with something done to it."""

    def batches(after: str | None) -> Outcome:
        outcome = made[vendor].batches(after)
        page = json.loads(outcome.body)
        change(page)
        return Reply(200, json.dumps(page).encode(), None, None)

    return batches


@pytest.mark.parametrize("vendor", Vendor)
def test_ours_is_found_behind_a_batch_that_makes_no_sense(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    until_post(tmp_path, made, vendors, vendor)
    odd = {"id": "batch_z", "status": None, "processing_status": None}
    batches = listed(made, vendor, lambda page: page["data"].insert(0, odd))
    go(tmp_path, changed(made, vendor, batches=batches), vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize("odd", [{"id": "batch_z", "status": None}, {"id": "a b"}, "x", None])
def test_a_batch_that_makes_no_sense_may_be_ours_unless_it_was_there_before(
    odd: object, vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(faults=[NEVER_HEARD]))
    book(tmp_path / "a", vendor, (3,))
    before = [False]

    def insert(page: Json) -> None:
        if before[0]:
            page["data"].append(odd)
        before[0] = True

    go(tmp_path / "a", changed(made, vendor, batches=listed(made, vendor, insert)), vendors)
    shard = shard_of(tmp_path / "a")
    assert shard.state is ShardState.LOST
    assert "may be this batch" in (shard.message or "")
    assert not vendors.journal.batches()
    vendors.play(scenario(faults=[NEVER_HEARD]))
    book(tmp_path / "b", vendor, (3,))
    for _ in range(2):
        go(tmp_path / "b", changed(made, vendor, batches=listed(made, vendor, insert)), vendors)
    assert states(tmp_path / "b") == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


@pytest.mark.parametrize("vendor", Vendor)
def test_a_list_without_end_ends_the_look_and_proves_nothing(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    until_post(tmp_path, made, vendors, vendor)
    entry = {"id": "batch_q", "status": "completed", "processing_status": "ended"}
    page = json.dumps({"data": [entry | {"input_file_id": "f"}], "has_more": True}).encode()
    asked: list[int] = []

    def batches(_: str | None) -> Outcome:
        asked.append(1)
        return Reply(200, page, None, None)

    go(tmp_path, changed(made, vendor, batches=batches), vendors)
    shard = shard_of(tmp_path)
    assert (shard.state, shard.looks) == (ShardState.CREATE_UNKNOWN, 0)
    assert len(asked) <= 2 * run.MOST_FAILURES
    assert len(vendors.journal.batches()) == 1


@pytest.mark.parametrize("counts", [{"total": 3}, {}, {"processing": 0}, None, [1]])
def test_counts_that_are_not_understood_exclude_nothing(
    counts: Any, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(batches=[{"ends_after": 4_000}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    until_post(tmp_path, made, vendors, Vendor.ANTHROPIC)
    driver = made[Vendor.ANTHROPIC]

    def patched(outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Reply):
            return outcome
        data = json.loads(outcome.body)
        for batch in data.get("data", [data]):
            known = batch["request_counts"]
            more = isinstance(counts, dict) and "total" in counts
            batch["request_counts"] = known | counts if more else counts
        return replace(outcome, body=json.dumps(data).encode())

    go(
        tmp_path,
        changed(
            made,
            Vendor.ANTHROPIC,
            batches=lambda after: patched(driver.batches(after)),
            retrieve=lambda name: patched(driver.retrieve(name)),
        ),
        vendors,
    )
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


def test_what_may_have_been_ours_and_is_gone_is_not_sent_again(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """LOST for its results, then deleted at the vendor: an empty list is no proof any more."""
    vendors.play(scenario(faults=[LOST_REPLY], batches=[{"nth": 1, "gone": ["results"]}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    go(tmp_path, made, vendors)
    shard = shard_of(tmp_path)
    assert (shard.state, len(shard.suspects)) == (ShardState.LOST, 1)
    made[Vendor.ANTHROPIC]._client.messages.batches.delete(shard.suspects[0])  # type: ignore[attr-defined]
    for _ in range(2):
        go(tmp_path, made, vendors)
    assert states(tmp_path) == {RequestState.LOST: 3}
    assert len(vendors.journal.batches()) == 1
    go(tmp_path, made, vendors, Policy(resend_lost=True))
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}


def test_a_stranger_that_runs_is_waited_for_and_then_let_go(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """Of the same size, made meanwhile: its results tell that it is not ours."""
    vendors.play(scenario(faults=[NEVER_HEARD], batches=[{"nth": 1, "ends_after": 4_000}]))
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    driver = made[Vendor.ANTHROPIC]

    def create(shard: ShardRow) -> Outcome:
        outcome = driver.create(shard)
        if not vendors.journal.batches():
            other_batches(made, Vendor.ANTHROPIC, tmp_path, 1)
        return outcome

    for _ in range(2):
        go(tmp_path, changed(made, Vendor.ANTHROPIC, create=create), vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors, 6)


@pytest.mark.parametrize("vendor", Vendor)
def test_a_reply_about_another_batch_is_not_believed(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """As a cache on the way would give it: that of the canary once more."""
    vendors.play(scenario())
    book(tmp_path, vendor, (2, 3))
    replies: list[Outcome] = []

    def create(shard: ShardRow) -> Outcome:
        replies.append(made[vendor].create(shard))
        return replies[0]

    go(tmp_path, changed(made, vendor, create=create), vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 5}
    assert bought_once(vendors, 5)


# --- reads that say nothing -----------------------------------------------------------------------


def unconfirmed(folder: Path, made: Made, fake: FakeProcess) -> None:
    """Sent and heard, then looked for with another key: LOST, of which nobody can tell."""
    fake.play(scenario())
    book(folder, Vendor.ANTHROPIC, (3,))
    until_post(folder, made, fake, Vendor.ANTHROPIC)
    with foreign(fake) as others:
        go(folder, others, fake, Policy())
    fake.control(advance=4_000)
    assert shard_of(folder).state is ShardState.LOST


@pytest.mark.parametrize("call", ["download", "retrieve"])
@pytest.mark.parametrize(
    "ends",
    [Unknown("the connection failed"), refusal(429, Kind.RATE), refusal(404, Kind.NOT_FOUND)],
    ids=["unknown", "rate", "not_found"],
)
def test_a_read_that_fails_once_loses_nothing(
    ends: Outcome, call: str, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    unconfirmed(tmp_path, made, vendors)
    odd = changed(made, Vendor.ANTHROPIC, **{call: once(made, Vendor.ANTHROPIC, call, ends)})
    go(tmp_path, odd, vendors, Policy(resend_lost=True))
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


def test_a_read_that_always_fails_is_no_proof(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    unconfirmed(tmp_path, made, vendors)
    odd = changed(made, Vendor.ANTHROPIC, download=lambda *_: Unknown("down"))
    go(tmp_path, odd, vendors, Policy(resend_unknown=True, resend_lost=True))
    assert shard_of(tmp_path).failures == run.MOST_FAILURES
    assert bought_once(vendors)
    go(tmp_path, made, vendors, Policy())
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


@pytest.mark.parametrize("vendor", Vendor)
@pytest.mark.parametrize("call", ["retrieve", "download"])
def test_what_could_not_be_downloaded_is_not_gone_for_one_404(
    call: str, vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(collect, "MOST_FAILURES", 3)
    vendors.play(scenario())
    book(tmp_path, vendor, (3,))
    go(tmp_path, changed(made, vendor, download=lambda *_: Unknown("down")), vendors)
    assert states(tmp_path) == {RequestState.LOST: 3}
    with open_ledger(tmp_path) as ledger:
        [(_, reason, _)] = ledger.request_reasons("run1")
    assert reason == "not_downloaded"
    odd = changed(made, vendor, **{call: once(made, vendor, call, refusal(404, Kind.NOT_FOUND))})
    go(tmp_path, odd, vendors, Policy(resend_lost=True))
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


@pytest.mark.parametrize("vendor", Vendor)
def test_a_batch_that_made_no_sense_once_is_another_s_in_the_end(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """One look shows an entry without a status and one without an id, the next ones that they are
    somebody else's."""
    vendors.play(scenario(faults=[NEVER_HEARD]))
    book(tmp_path, vendor, (3,))
    seen: list[int] = []

    def insert(page: Json) -> None:
        seen.append(1)
        entry: Json = {"id": "batch_z", "metadata": {"llm_audit_intent": "other"}}
        entry |= {"request_counts": dict.fromkeys(COUNTS, 0) | {"processing": 9}}
        if len(seen) == 2:
            page["data"] += [entry, None]
        elif len(seen) > 2:
            page["data"].append(entry | {"status": "ended", "processing_status": "in_progress"})

    odd = changed(made, vendor, batches=listed(made, vendor, insert))
    for _ in range(2):
        go(tmp_path, odd, vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


# --- leave to send again --------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", Vendor)
def test_leave_to_send_again_is_for_once(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """No POST is confirmed, and no batch is listed: one more for each time that somebody says so,
    none for what was not yet unknown when it was said."""
    every = {"op": "*.batches.create", "when": "after", "reply": "close"}
    hidden = {"unlisted": 9_999, "ends_after": 400_000}
    vendors.play(scenario(faults=[every], batches=[hidden]))
    book(tmp_path, vendor, (3,))
    for posts in (1, 2, 3):
        go(tmp_path, made, vendors)
        assert len(vendors.journal.batches()) == posts
        assert shard_of(tmp_path).state is ShardState.CREATE_UNKNOWN
        assert "--resend-unknown" in told(tmp_path, vendors).runs[0].attention[0]
    go(tmp_path, made, vendors, Policy())
    assert len(vendors.journal.batches()) == 3


def killed_between(folder: Path, made: Made, fake: FakeProcess, vendor: Vendor) -> None:
    """Not listed for a while; leave is given to send it again, and llm-audit dies before that."""
    fake.play(scenario(faults=[LOST_REPLY], batches=[{"nth": 1, "unlisted": 4}]))
    book(folder, vendor, (3,))
    go(folder, made, fake)
    with opened(folder, made, fake, YES, fake.control()) as context:
        run.reopen(context)
        while not (shard := context.ledger.shards()[0]).resent:
            context.clock.sleep(60)
            reconcile.look(context, shard)


@pytest.mark.parametrize("vendor", Vendor)
def test_what_shows_before_it_is_sent_again_is_not_sent_again(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    killed_between(tmp_path, made, vendors, vendor)
    vendors.control(advance=86_400)
    other_batches(made, vendor, tmp_path, 8, vendors)  # the newest page is of another hour
    go(tmp_path, made, vendors, Policy())
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors, 3 + 8 * 3)


@pytest.mark.parametrize("vendor", Vendor)
def test_it_is_not_sent_again_under_a_key_that_cannot_see_it(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    killed_between(tmp_path, made, vendors, vendor)
    with foreign(vendors) as others:
        go(tmp_path, others, vendors, Policy())
    assert shard_of(tmp_path).state is ShardState.LOST
    assert made[vendor].account in (shard_of(tmp_path).message or "")
    go(tmp_path, made, vendors, Policy())
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert bought_once(vendors)


# --- doubles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", Vendor)
def test_a_double_is_booked_told_and_ended_on_demand(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    """Three empty looks, leave, one more and the one before it is sent again; then it shows."""
    late = {"nth": 1, "unlisted": 5, "ends_after": 1_500}
    vendors.play(scenario(faults=[LOST_REPLY], batches=[late]))
    book(tmp_path, vendor, (3,))
    said: list[str] = []
    for _ in range(2):
        go(tmp_path, made, vendors, said=said)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    with opened(tmp_path, made, vendors, at=vendors.control()) as context:
        [(_, double)] = context.ledger.doubles()
        assert double != shard_of(tmp_path).batch_id
        assert any(double in line and "cancel --doubles" in line for line in said)
        assert status.needs_attention(status.build(context))
        assert reconcile.cancel_doubles(context) == 0
        assert context.ledger.doubles() == []
    assert vendors.journal.requests(f"{vendor}.batches.cancel")


@pytest.mark.parametrize("vendor", Vendor)
def test_a_double_that_is_deleted_has_ended(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario(faults=[LOST_REPLY], batches=[{"nth": 1, "unlisted": 5}]))
    book(tmp_path, vendor, (3,))
    for _ in range(2):
        go(tmp_path, made, vendors)
    odd = changed(made, vendor, cancel=lambda _: refusal(404, Kind.NOT_FOUND))
    with opened(tmp_path, odd, vendors, at=vendors.control()) as context:
        assert reconcile.cancel_doubles(context) == 0
        assert context.ledger.doubles() == []
    with foreign(vendors) as others, opened(tmp_path, others, vendors) as context:
        shard = shard_of(tmp_path)
        context.ledger.add_attempt(shard, "batch_z", "double")
        assert reconcile.cancel_doubles(context) == 1


@pytest.mark.parametrize("vendor", Vendor)
def test_another_key_does_not_end_the_search_for_a_double(
    vendor: Vendor, vendors: FakeProcess, made: Made, tmp_path: Path, monkeypatch: Any
) -> None:
    vendors.play(scenario(faults=[LOST_REPLY], batches=[{"nth": 1, "unlisted": 5}]))
    book(tmp_path, vendor, (3,))
    go(tmp_path, made, vendors)
    with monkeypatch.context() as patch:
        patch.setattr(reconcile, "look_back", die)
        with pytest.raises(Died):
            go(tmp_path, made, vendors)
    with foreign(vendors) as others:
        go(tmp_path, others, vendors)
    assert shard_of(tmp_path).resent
    assert made[vendor].account in told(tmp_path, vendors).runs[0].attention[0]
    go(tmp_path, made, vendors)
    with open_ledger(tmp_path) as ledger:
        assert len(ledger.doubles()) == 1
    assert shard_of(tmp_path).state is ShardState.CLEANED


def test_two_batches_of_one_file_in_one_look_are_a_double(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.OPENAI, (3,))

    def create(shard: ShardRow) -> Outcome:
        made[Vendor.OPENAI].create(shard)
        made[Vendor.OPENAI].create(shard)
        return Unknown("reset")

    go(tmp_path, changed(made, Vendor.OPENAI, create=create), vendors)
    with open_ledger(tmp_path) as ledger:
        assert len(ledger.doubles()) == 1
    assert status.needs_attention(told(tmp_path, vendors))


# --- uploads --------------------------------------------------------------------------------------


def inputs(fake: FakeProcess) -> list[object]:
    """Request files that are at the vendor."""
    return [file for file in fake.journal.files() if file[1] == "batch"]


def test_an_upload_of_which_the_answer_was_lost_does_not_stay(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fault = {"op": "openai.files.create", "nth": 1, "when": "after", "reply": "close"}
    vendors.play(scenario(faults=[fault]))
    book(tmp_path, Vendor.OPENAI, (3,))
    hidden: list[int] = []

    def uploaded(after: str | None) -> Outcome:
        if hidden:
            return uploader(made[Vendor.OPENAI]).uploaded(after)
        hidden.append(1)
        return Reply(200, b'{"data":[],"has_more":false}', None, None)

    go(tmp_path, changed(made, Vendor.OPENAI, uploaded=uploaded), vendors)
    assert states(tmp_path) == {RequestState.SUCCEEDED: 3}
    assert len(vendors.journal.requests("openai.files.create")) == 2
    assert inputs(vendors) == []


def test_uploads_of_a_file_that_was_refused_do_not_stay(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fail = [{"code": "invalid_json_line", "line": 2}]
    vendors.play(scenario(batches=[{"nth": 1, "fail": fail}]))
    book(tmp_path, Vendor.OPENAI, (3,))
    go(tmp_path, made, vendors)
    assert inputs(vendors) == []


def test_what_cannot_be_deleted_is_left_to_its_expiry(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    fail = [{"code": "mystery", "line": None}]
    faults = [{"op": "openai.files.delete", "nth": None, "reply": 500}]
    vendors.play(scenario(batches=[{"nth": 1, "fail": fail}], faults=faults))
    book(tmp_path, Vendor.OPENAI, (3,))
    go(tmp_path, made, vendors)
    assert len(vendors.journal.requests("openai.files.delete")) == 3


# --- keys -----------------------------------------------------------------------------------------


def test_a_key_that_is_echoed_is_kept_nowhere(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    for vendor, key in zip(Vendor, ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"), strict=True):
        folder, secret = tmp_path / vendor, vendors.environment()[key]
        fault = {"op": "*.batches.create", "reply": 401, "message": f"bad key {secret} given"}
        vendors.play(scenario(faults=[fault]))
        book(folder, vendor, (3,))
        with pytest.raises(MigrationError) as caught:
            go(folder, made, vendors)
        assert secret not in str(caught.value)
        for path in folder.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_an_empty_account_has_an_empty_fence(
    vendors: FakeProcess, made: Made, tmp_path: Path
) -> None:
    vendors.play(scenario())
    book(tmp_path, Vendor.ANTHROPIC, (3,))
    until_post(tmp_path, made, vendors, Vendor.ANTHROPIC)
    assert shard_of(tmp_path).fence == '{"ids": [], "since": null}'
