"""What no vendor should do and some have done: foreign replies, late commits, odd rows, lists."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.migrate.fake.process import FAKE_ANTHROPIC_KEY, FAKE_OPENAI_KEY, FakeProcess
from tests.migrate.fake.test_fake_faults import BOTH, buy

KEYS = {"openai": FAKE_OPENAI_KEY, "anthropic": FAKE_ANTHROPIC_KEY}
LISTS = {"openai": "/v1/batches", "anthropic": "/v1/messages/batches"}


@dataclass(frozen=True)
class Answer:
    """As it came off the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


def get(fake: FakeProcess, vendor: str, path: str = "", key: str | None = None) -> Answer:
    """GET below the vendor's batches."""
    headers = {"authorization": f"Bearer {key or KEYS[vendor]}", "anthropic-version": "2023-06-01"}
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=30)
    try:
        connection.request(
            "GET", path if path.startswith("/v1") else LISTS[vendor] + path, None, headers
        )
        reply = connection.getresponse()
        return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def results(fake: FakeProcess, vendor: str, batch_id: str) -> list[Any]:
    """Its lines, when it has ended."""
    for _ in range(2):
        batch = get(fake, vendor, f"/{batch_id}").data
    path = f"/v1/files/{batch['output_file_id']}/content" if vendor == "openai" else (
        f"/{batch_id}/results"
    )  # fmt: skip
    return [json.loads(line) for line in get(fake, vendor, path).body.splitlines()]


def answer_of(line: Any) -> Any:
    return line["response"]["body"] if "response" in line else line["result"]["message"]


@BOTH
@pytest.mark.parametrize("body", ["html", "empty", {}, {"status": "ok"}], ids=str)
def test_a_reply_of_somebody_else_so_many_times(fake: FakeProcess, vendor: str, body: Any) -> None:
    made = buy(fake, vendor)
    faults = [
        {"op": f"*.batches.{op}", "nth": "1-2", "reply": 200, "body": body}
        for op in ("list", "retrieve")
    ]
    fake.control(scenario={"faults": faults})
    for path in ("", f"/{made.id}"):
        wrong = [get(fake, vendor, path) for _ in range(2)]
        assert [each.status for each in wrong] == [200, 200]
        assert all(made.id.encode() not in each.body for each in wrong)
        assert made.id.encode() in get(fake, vendor, path).body


@BOTH
def test_a_list_that_lacks_has_more_and_one_that_knows_no_cursor(
    fake: FakeProcess, vendor: str
) -> None:
    ids = [buy(fake, vendor).id for _ in range(3)]
    dumb = {"op": "*.batches.list", "nth": "2-3", "query": {}, "put": {"has_more": True}}
    lacking = {"op": "*.batches.list", "nth": 1, "drop": ["has_more"]}
    fake.control(scenario={"faults": [lacking, dumb]})
    assert "has_more" not in get(fake, vendor).data
    cursor = "?after=" if vendor == "openai" else "?after_id="
    for _ in range(2):
        page = get(fake, vendor, cursor + ids[0]).data
        assert [each["id"] for each in page["data"]] == ids[::-1]
        assert page["has_more"] is True
    assert get(fake, vendor, cursor + ids[0]).data["data"] == []


@BOTH
def test_ten_thousand_batches_of_others(fake: FakeProcess, vendor: str) -> None:
    many = {"nth": 1, "when": "before", "count": 10_000, "age": 90_000}
    fake.play({"foreign": [many, {"nth": 1, "count": 3, "life": {"drop": ["id"]}}]})
    mine = buy(fake, vendor).id
    page = get(fake, vendor, "?limit=100").data
    assert [each.get("id") for each in page["data"][:4]] == [None, None, None, mine]
    assert (len(page["data"]), page["has_more"]) == (100, True)
    assert [each.id for each in fake.journal.batches()] == [mine]
    assert len(fake.journal.purchases()) == 1


def test_a_twin_of_the_same_size_and_moment_whose_results_can_be_read(fake: FakeProcess) -> None:
    fake.play({"clock": {"start": 1_800_000_000}, "foreign": [{"nth": 1}]})
    buy(fake, "anthropic", 1, 2, 3)
    other, mine = get(fake, "anthropic").data["data"]
    assert (other["created_at"], sum(other["request_counts"].values())) == (mine["created_at"], 3)
    ids = {row["custom_id"] for row in results(fake, "anthropic", other["id"])}
    assert ids == {"other-1-1", "other-1-2", "other-1-3"}


@BOTH
def test_a_create_is_obeyed_long_after_its_answer(fake: FakeProcess, vendor: str) -> None:
    late = {"op": "*.batches.create", "nth": 1, "when": "late", "late": 200, "reply": 504}
    fake.play({"clock": {"start": 1_800_000_000}, "faults": [late]})
    with pytest.raises(Exception, match="504"):
        buy(fake, vendor)
    fake.control(advance=199)
    assert get(fake, vendor).data["data"] == []
    assert not fake.journal.bought()
    fake.control(advance=801)
    [batch] = fake.journal.batches()
    assert (batch.created_at, batch.late) == (1_800_000_200, 200)
    assert set(fake.journal.bought().values()) == {1}
    assert fake.journal.requests("*.batches.create")[0].committed == 1
    assert KEYS[vendor].encode() not in b"".join(
        path.read_bytes() for path in fake.state.iterdir() if path.is_file()
    )


@BOTH
def test_rows_of_answers_with_a_twist(fake: FakeProcess, vendor: str) -> None:
    twists = (
        *("no_usage", "float_usage", "negative_usage", "huge_usage", "cached_over_input"),
        *("status_text", "status_float", "status_absent", "odd_model"),
    )
    rules = [{"lines": n, "twist": [word]} for n, word in enumerate(twists, 1)]
    fake.play({"batches": [{"shuffle": False}], "rows": rules})
    made = buy(fake, vendor, *range(1, 10))
    found = dict(zip(twists, results(fake, vendor, made.id), strict=True))
    read = "prompt_tokens" if vendor == "openai" else "input_tokens"
    assert "usage" not in answer_of(found["no_usage"])
    assert answer_of(found["float_usage"])["usage"][read] % 1 == 0.5
    assert answer_of(found["negative_usage"])["usage"][read] < 0
    assert answer_of(found["huge_usage"])["usage"][read] > 2**63
    assert "\ud800" in answer_of(found["odd_model"])["model"]
    outer, name = ("response", "status_code") if vendor == "openai" else ("result", "type")
    assert found["status_text"][outer][name] in ("200", "SUCCEEDED")
    assert found["status_float"][outer][name] == 200.0
    assert name not in found["status_absent"][outer]
    assert all(answer_of(line) for line in found.values())
    assert len(fake.journal.purchases(billed=True)) == 9


@BOTH
def test_what_no_parser_goes_into(fake: FakeProcess, vendor: str) -> None:
    fake.play({"rows": [{"twist": ["deep"]}]})
    made = buy(fake, vendor)

    def read() -> None:
        [line] = results(fake, vendor, made.id)
        json.loads(line["response"]["body"])

    with pytest.raises(RecursionError):
        read()


@BOTH
def test_strangers_with_hostile_names(fake: FakeProcess, vendor: str) -> None:
    kinds = ["surrogate", "control", "long", "empty", "number"]
    fake.play({"batches": [{"stranger_ids": kinds, "shuffle": False}]})
    found = [line["custom_id"] for line in results(fake, vendor, buy(fake, vendor).id)]
    assert found[0] == "la-1"
    assert "\ud800" in found[1]
    assert "\x1b" in found[2]
    assert len(found[3]) > 10_000
    assert found[4:] == ["", 7]


@BOTH
@pytest.mark.parametrize("shape", [None, [], "many"], ids=str)
def test_counts_of_another_shape(fake: FakeProcess, vendor: str, shape: Any) -> None:
    fake.play({"batches": [{"put": {"request_counts": shape, "status": "paused"}}]})
    made = buy(fake, vendor)
    for seen in (get(fake, vendor).data["data"][0], get(fake, vendor, f"/{made.id}").data):
        assert (seen["request_counts"], seen["status"]) == (shape, "paused")
    fake.play({"batches": [{"put": {"request_counts.queued": 7}, "drop": ["expires_at"]}]})
    made = buy(fake, vendor)
    seen = get(fake, vendor, f"/{made.id}").data
    assert seen["request_counts"]["queued"] == 7
    assert len(seen["request_counts"]) > 3
    assert "expires_at" not in seen


def test_a_batch_that_fails_after_some_of_it_was_done(fake: FakeProcess) -> None:
    fail = [{"code": "internal", "line": None}]
    fake.play({"batches": [{"fail": fail, "fail_done": 0.5}]})
    made = buy(fake, "openai", 1, 2, 3, 4)
    assert len(results(fake, "openai", made.id)) == 2
    seen = get(fake, "openai", f"/{made.id}").data
    assert (seen["status"], seen["request_counts"]["completed"]) == ("failed", 2)
    assert sum(fake.journal.bought().values()) == 2


@BOTH
def test_files_that_are_told_of_half_an_hour_later(fake: FakeProcess, vendor: str) -> None:
    life = {"polls": ["expired"], "files_after": 1_800}
    fake.play({"clock": {"start": 1_800_000_000}, "batches": [life]})
    made = buy(fake, vendor, 1, 2)
    name = "output_file_id" if vendor == "openai" else "results_url"
    assert get(fake, vendor, f"/{made.id}").data[name] is None
    fake.control(advance=1_801)
    assert get(fake, vendor, f"/{made.id}").data[name]


def test_where_results_are_said_to_be(fake: FakeProcess) -> None:
    urls = {
        "/v1/messages/batches/{id}/results": "/v1/messages/batches/ID/results",
        "HTTP://{host}/x/{id}": f"HTTP://127.0.0.1:{fake.port}/x/ID",
        "https://evil.example/{id}": "https://evil.example/ID",
        "http://h:x/": "http://h:x/",
    }
    for url, told in urls.items():
        fake.play({"batches": [{"results_url": url, "polls": ["completed"]}]})
        made = buy(fake, "anthropic")
        seen = get(fake, "anthropic", f"/{made.id}").data
        assert seen["results_url"] == told.replace("ID", made.id)


@BOTH
def test_a_refusal_that_quotes_the_key(fake: FakeProcess, vendor: str) -> None:
    fault = {"op": "*", "reply": 401, "message": "Incorrect API key provided: {key}."}
    fake.play({"faults": [fault]})
    assert KEYS[vendor].encode() in get(fake, vendor).body


@BOTH
def test_waits_of_every_form(fake: FakeProcess, vendor: str) -> None:
    forms = ["inf", 864_000_000, "+90", "-5", "soon"]
    faults = [
        {"op": "*.list", "nth": n, "reply": 429, "retry_after": form}
        for n, form in enumerate(forms, 1)
    ]
    fake.play({"clock": {"start": 1_800_000_000}, "faults": faults})
    told = [get(fake, vendor).headers["retry-after"] for _ in forms]
    assert told[:2] + told[3:] == ["inf", "864000000", "-5", "soon"]
    assert parsedate_to_datetime(told[2]).timestamp() == 1_800_000_090


def test_the_ordinary_429_of_openai_speaks_of_payment(fake: FakeProcess) -> None:
    fake.play({"faults": [{"op": "*.list", "reply": 429, "retry_after": 20}]})
    refused = get(fake, "openai")
    error = refused.data["error"]
    assert "adding a payment method" in error["message"]
    assert (error["code"], refused.headers["retry-after"]) == ("rate_limit_exceeded", "20")


@BOTH
def test_another_key_sees_none_of_it(fake: FakeProcess, vendor: str) -> None:
    made = buy(fake, vendor)
    assert get(fake, vendor, "", "sk-other").data["data"] == []
    assert get(fake, vendor, f"/{made.id}", "sk-other").status == 404
    assert get(fake, vendor, f"/{made.id}/results", "sk-other").status == 404


def test_usage_of_the_batch_is_the_sum_of_what_was_billed(fake: FakeProcess) -> None:
    """Whatever the rows say of themselves: it is what they are checked against (rule 9)."""
    fake.play({"rows": [{"lines": 1, "twist": ["no_usage"]}, {"lines": 3, "outcome": "expired"}]})
    made = buy(fake, "openai", 1, 2, 3)
    lines = results(fake, "openai", made.id)
    told = get(fake, "openai", f"/{made.id}").data["usage"]
    rows = [line["response"]["body"].get("usage") for line in lines]
    known = sum(usage["prompt_tokens"] for usage in rows if usage)
    assert len(rows) == 2
    assert told["input_tokens"] > known
    fake.play({"batches": [{"put": {"usage": {"input_tokens": 9}}}]})
    assert buy(fake, "openai").usage.input_tokens == 9
