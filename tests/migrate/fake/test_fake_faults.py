"""Each fault of a scenario, felt through the real SDKs, and what the journal says of it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import anthropic
import openai
import pytest

from tests.migrate.fake import test_fake_anthropic as claude
from tests.migrate.fake import test_fake_openai as gpt
from tests.migrate.fake.conftest import request
from tests.migrate.fake.process import FakeProcess
from tests.migrate.fake.scenario import Json

BOTH = pytest.mark.parametrize("vendor", ["openai", "anthropic"])
UNHEARD = (openai.APIConnectionError, anthropic.APIConnectionError)
STATUS = (openai.APIStatusError, anthropic.APIStatusError)


def buy(fake: FakeProcess, vendor: str, *ns: int, **more: Any) -> Any:
    """A batch of these requests."""
    if vendor == "openai":
        return gpt.create(fake, *(request(n) for n in ns or (1,)), **more)
    return claude.create(fake, *(claude.item(n) for n in ns or (1,)), **more)


def look(fake: FakeProcess, vendor: str, batch: Any, times: int = 2) -> Any:
    """Poll it so often."""
    side: Any = gpt if vendor == "openai" else claude
    return side.poll(fake, batch, times)


def lines(fake: FakeProcess, vendor: str, batch: Any) -> list[Any]:
    """The lines of its results, as the SDK hands them on."""
    if vendor == "openai":
        return gpt.read(fake, batch.output_file_id)
    with claude.client(fake) as sdk:
        return list(sdk.messages.batches.results(batch.id))


def ids(found: list[Any]) -> Counter[str]:
    """How often each custom_id has a line."""
    return Counter(
        each["custom_id"] if isinstance(each, dict) else each.custom_id for each in found
    )


@BOTH
@pytest.mark.parametrize(
    ("when", "reply"),
    [(when, reply) for when in ("before", "after") for reply in ("reset", "close", 500, 502, 529)]
    + [("after", "cut")],
)
def test_a_create_without_an_answer(
    fake: FakeProcess, vendor: str, when: str, reply: str | int
) -> None:
    """Before the commit nothing was bought; after it, all of it: the client cannot tell."""
    fake.play({"faults": [{"op": "*.batches.create", "nth": 1, "when": when, "reply": reply}]})
    with pytest.raises(UNHEARD + STATUS) as failure:
        buy(fake, vendor)
    assert isinstance(failure.value, STATUS) == isinstance(reply, int)
    sent = fake.journal.requests("*.batches.create")
    assert [each.committed for each in sent] == [when == "after"]
    assert sum(fake.journal.bought().values()) == (1 if when == "after" else 0)
    buy(fake, vendor)
    assert sum(fake.journal.bought().values()) == (2 if when == "after" else 1)


def test_the_sdks_buy_twice_if_they_may_retry(fake: FakeProcess) -> None:
    """Fact 1 of batch.md, and the reason why there is a journal."""
    fake.play({"faults": [{"op": "*.batches.create", "nth": 1, "when": "after", "reply": "reset"}]})
    claude.create(fake, claude.item(1), max_retries=2)
    assert fake.journal.bought() == {"p1": 2}


def test_an_upload_without_an_answer_leaves_its_file(fake: FakeProcess) -> None:
    lost: Json = {"op": "openai.files.create", "nth": 1, "when": "after", "reply": "reset"}
    fake.play({"faults": [lost, lost | {"nth": 2, "when": "before"}]})
    for _ in range(2):
        with pytest.raises(openai.APIConnectionError):
            gpt.upload(fake, b"{}\n", "la-1.jsonl")
    assert [name for _, _, name in fake.journal.files()] == ["la-1.jsonl"]


@BOTH
def test_a_refusal_tells_how_long_to_wait_or_not(fake: FakeProcess, vendor: str) -> None:
    faults: list[Json] = [
        {"op": "*.batches.create", "nth": 1, "reply": 429, "retry_after": 7},
        {"op": "*.batches.create", "nth": 2, "reply": 429},
        {"op": "*.batches.create", "nth": 3, "reply": 409},
        {"op": "*.batches.create", "nth": 4, "reply": 502, "body": "html"},
        {"op": "*.batches.create", "nth": 5, "reply": 400, "code": "billing_hard_limit_reached"},
        {"op": "*.batches.create", "nth": 6, "reply": 503, "body": "empty"},
    ]
    fake.play({"faults": faults})
    seen = []
    for _ in faults:
        with pytest.raises(STATUS) as failure:
            buy(fake, vendor)
        refused: Any = failure.value
        response = refused.response
        seen.append((response.status_code, response.headers.get("retry-after")))
    assert seen == [(429, "7"), (429, None), (409, None), (502, None), (400, None), (503, None)]
    assert fake.journal.bought() == {}


@BOTH
def test_a_reply_may_be_late(fake: FakeProcess, vendor: str) -> None:
    slow = {"op": "*.batches.create", "nth": 1, "delay": 30}
    hung = {"op": "*.batches.create", "nth": 2, "delay": 30, "when": "after", "reply": "close"}
    fake.play({"faults": [slow, hung]})
    for _ in (slow, hung):
        with pytest.raises((openai.APITimeoutError, anthropic.APITimeoutError)):
            buy(fake, vendor, timeout=0.3)
    assert sum(fake.journal.bought().values()) == 2


@BOTH
def test_a_new_batch_is_not_seen_for_a_while(fake: FakeProcess, vendor: str) -> None:
    plan = {"not_found": 2, "unlisted": 3, "results_not_found": 1}
    fake.play({"batches": [plan]})
    batch = buy(fake, vendor)
    for _ in range(2):
        with pytest.raises((openai.NotFoundError, anthropic.NotFoundError)):
            look(fake, vendor, batch, 1)
    with gpt.client(fake) as plain, claude.client(fake) as sdk:
        listing: Any = plain.batches if vendor == "openai" else sdk.messages.batches
        assert [len(listing.list().data) for _ in range(5)] == [0, 0, 0, 1, 1]
    batch = look(fake, vendor, batch)
    if vendor == "anthropic":
        with pytest.raises(anthropic.NotFoundError):
            lines(fake, vendor, batch)
    assert len(lines(fake, vendor, batch)) == 1


@BOTH
def test_a_download_is_cut(fake: FakeProcess, vendor: str) -> None:
    """With its length told the SDK notices; without, only the last line or the count shows it."""
    ops = "openai.files.content" if vendor == "openai" else "anthropic.batches.results"
    cut = {"op": ops, "when": "after", "reply": "cut"}
    faults = [
        cut | {"nth": 1},
        cut | {"nth": 2, "length": False},
        cut | {"nth": 3, "length": False, "at_line": 2},
        cut | {"nth": 4, "length": False, "at": 1.0},
    ]
    fake.play({"faults": faults})
    batch = look(fake, vendor, buy(fake, vendor, 1, 2, 3))
    with pytest.raises(Exception, match=r"incomplete|peer closed|onnection"):
        lines(fake, vendor, batch)
    with pytest.raises(json.JSONDecodeError):
        lines(fake, vendor, batch)
    assert [len(lines(fake, vendor, batch)) for _ in range(3)] == [2, 3, 3]


@BOTH
def test_lines_come_twice_or_never_or_for_others(fake: FakeProcess, vendor: str) -> None:
    plan = {"duplicate": [1], "conflict": [2], "missing": [3], "stranger": 2}
    fake.play({"batches": [plan, {}]})
    found = lines(fake, vendor, look(fake, vendor, buy(fake, vendor, 1, 2, 3, 4)))
    assert ids(found) == {
        "la-1": 2, "la-2": 2, "la-4": 1, "stranger-1-0": 1, "stranger-1-1": 1,
    }  # fmt: skip
    first, second = (str(each) for each in found if ids([each]) == {"la-2": 1})
    assert first != second
    first, second = (str(each) for each in found if ids([each]) == {"la-1": 1})
    assert first == second


@BOTH
def test_a_line_is_no_json(fake: FakeProcess, vendor: str) -> None:
    fake.play({"batches": [{"bad_json": [2]}]})
    with pytest.raises(json.JSONDecodeError):
        lines(fake, vendor, look(fake, vendor, buy(fake, vendor, 1, 2, 3)))


@BOTH
def test_results_are_gone(fake: FakeProcess, vendor: str) -> None:
    fake.play({"batches": [{"gone": ["output", "results"]}]})
    batch = look(fake, vendor, buy(fake, vendor))
    with pytest.raises((openai.NotFoundError, anthropic.NotFoundError)):
        lines(fake, vendor, batch)
    assert sum(fake.journal.bought().values()) == 1, "paid for all the same"


@BOTH
def test_counts_may_lie(fake: FakeProcess, vendor: str) -> None:
    rows = [{"outcome": "no_status", "lines": [1]}]
    fake.play({"rows": rows, "batches": [{"counts": "all_completed"}]})
    counts = look(fake, vendor, buy(fake, vendor, 1, 2)).request_counts
    assert (counts.completed if vendor == "openai" else counts.succeeded) == 2
    assert sum(fake.journal.bought().values()) == 1


def test_openai_rows_that_failed_are_in_the_error_file(fake: FakeProcess) -> None:
    outcomes = "bad_request no_status rate_limited server_error timeout expired credit no_model"
    names = outcomes.split()
    fake.play({"rows": [{"outcome": name, "lines": n} for n, name in enumerate(names, 1)]})
    batch = look(fake, "openai", buy(fake, "openai", *range(1, 9)))
    assert batch.status == "completed"
    assert batch.output_file_id is None
    found = gpt.rows(fake, batch)
    status = [(found[f"la-{n}"]["response"] or {}).get("status_code") for n in range(1, 9)]
    assert status == [400, 0, 429, 500, None, None, 429, 404]
    assert found["la-2"]["response"]["body"] == {}
    assert sum(fake.journal.bought().values()) == 0


def test_openai_quirks_of_files_and_statuses(fake: FakeProcess) -> None:
    plans: list[Json] = [
        {"nth": 1, "no_errors": "blank_id", "polls": ["completed"], "usage": False},
        {"nth": 2, "no_errors": "empty_file", "counts": None},
        {"nth": 3, "output_late": 2, "polls": ["validating", "finalizing", "completed"]},
        {"nth": 4, "ends_after": 60},
    ]
    fake.play({"clock": {"start": 1_700_000_000, "per_poll": 10}, "batches": plans})
    batch = look(fake, "openai", buy(fake, "openai"), 1)
    assert (batch.status, batch.error_file_id, batch.usage) == ("completed", "", None)
    assert batch.in_progress_at is not None, "it was, though nobody saw it"
    batch = look(fake, "openai", buy(fake, "openai"))
    assert gpt.read(fake, batch.error_file_id) == []
    assert batch.request_counts is None
    batch = buy(fake, "openai")
    seen = [look(fake, "openai", batch, 1) for _ in range(5)]
    words = ["validating", "finalizing", "completed", "completed", "completed"]
    assert [each.status for each in seen] == words
    assert [bool(each.output_file_id) for each in seen] == [False] * 4 + [True]
    batch = buy(fake, "openai")
    statuses = [look(fake, "openai", batch, 1).status for _ in range(7)]
    assert statuses == ["in_progress"] * 5 + ["completed"] * 2


@pytest.mark.parametrize(
    ("code", "line"),
    [("token_limit_exceeded", None), ("billing_hard_limit_reached", None), ("invalid_url", 2)],
)
def test_openai_fails_a_file_on_demand(fake: FakeProcess, code: str, line: int | None) -> None:
    fake.play({"batches": [{"nth": 1, "fail": [{"code": code, "line": line}]}]})
    batch = look(fake, "openai", buy(fake, "openai", 1, 2), 1)
    assert batch.status == "failed"
    assert [(each.code, each.line) for each in batch.errors.data] == [(code, line)]
    assert fake.journal.bought() == {}
    assert look(fake, "openai", buy(fake, "openai", 1, 2)).status == "completed"


def test_anthropic_may_point_to_another_host(fake: FakeProcess) -> None:
    fake.play({"batches": [{"results_url": "http://127.0.0.2:1/{id}"}]})
    batch = look(fake, "anthropic", buy(fake, "anthropic"))
    assert batch.results_url == f"http://127.0.0.2:1/{batch.id}"


def test_rules_by_attempt_share_marker_and_batch(fake: FakeProcess) -> None:
    rules: list[Json] = [
        {"outcome": "rate_limited", "marker": "q1", "attempt": 1},
        {"outcome": "refusal", "custom_id": "la-2", "batch": "2-"},
        {"outcome": "no_status", "share": 0.5, "vendor": "openai", "lines": "3-"},
    ]
    fake.play({"rows": rules})
    for _ in range(2):
        buy(fake, "openai", *range(1, 41))
    rows = fake.journal.purchases()
    outcomes = [[row.outcome for row in rows if row.marker == f"q{n}"] for n in range(1, 41)]
    assert outcomes[:2] == [["rate_limited", "ok"], ["ok", "refusal"]]
    assert all(first == second for first, second in outcomes[2:])
    assert 8 < sum(first == "no_status" for first, _ in outcomes[2:]) < 30


def test_faults_by_object_and_by_batch(fake: FakeProcess) -> None:
    missing: Json = {"op": "openai.batches.retrieve", "per": "object", "nth": 1, "reply": 404}
    lost: Json = {"op": "openai.batches.create", "batch": 3, "reply": "reset"}
    gone: Json = {"op": "openai.files.content", "batch": 2, "reply": 404}
    fake.play({"faults": [missing, lost, gone]})
    batches = [buy(fake, "openai") for _ in range(2)]
    for batch in batches:
        with pytest.raises(openai.NotFoundError):
            look(fake, "openai", batch, 1)
    with pytest.raises(openai.APIConnectionError):
        buy(fake, "openai")
    ended = [look(fake, "openai", batch) for batch in batches]
    assert len(lines(fake, "openai", ended[0])) == 1
    with pytest.raises(openai.NotFoundError):
        lines(fake, "openai", ended[1])


def test_a_rate_by_the_minute_of_the_fakes_clock(fake: FakeProcess) -> None:
    fake.play({"clock": {"start": 1_700_000_000}, "openai": {"requests_per_minute": 3}})
    with gpt.client(fake) as sdk:
        for _ in range(3):
            sdk.batches.list()
        with pytest.raises(openai.RateLimitError):
            sdk.batches.list()
        fake.control(advance=61)
        raw = sdk.batches.with_raw_response.list()
    assert raw.headers["date"] == "Tue, 14 Nov 2023 22:14:21 GMT"
