"""The real openai SDK against the fake: the happy path, every refusal, the life of a batch."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai.types import Batch, CreateEmbeddingResponse, FileObject
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from tests.migrate.fake.conftest import jsonl, request
from tests.migrate.fake.process import FAKE_OPENAI_KEY, FakeProcess
from tests.migrate.fake.scenario import Json

CHAT = "/v1/chat/completions"


def client(fake: FakeProcess, key: str = FAKE_OPENAI_KEY) -> openai.OpenAI:
    return openai.OpenAI(base_url=fake.openai_url, api_key=key, max_retries=0, timeout=5)


def upload(fake: FakeProcess, content: bytes, name: str = "la-1.jsonl") -> str:
    with client(fake) as sdk:
        return sdk.files.create(file=(name, content), purpose="batch").id


def create(fake: FakeProcess, *lines: object, endpoint: Any = CHAT, **more: Any) -> Batch:
    file_id = upload(fake, jsonl(*lines))
    asked: Any = {"completion_window": "24h", "endpoint": endpoint, "input_file_id": file_id}
    with client(fake) as sdk:
        return sdk.batches.create(**asked | more)


def poll(fake: FakeProcess, batch: Batch, times: int = 2) -> Batch:
    with client(fake) as sdk:
        for _ in range(times):
            batch = sdk.batches.retrieve(batch.id)
    return batch


def read(fake: FakeProcess, file_id: str | None) -> list[Json]:
    with client(fake) as sdk:
        return [json.loads(line) for line in sdk.files.content(file_id or "").text.splitlines()]


def rows(fake: FakeProcess, batch: Batch) -> dict[str, Json]:
    """Both files, by custom_id."""
    ids = [each for each in (batch.output_file_id, batch.error_file_id) if each]
    return {row["custom_id"]: row for file_id in ids for row in read(fake, file_id)}


def run(fake: FakeProcess, *lines: object, **more: Any) -> dict[str, Json]:
    return rows(fake, poll(fake, create(fake, *lines, **more)))


def test_what_is_asked_is_answered(fake: FakeProcess) -> None:
    with client(fake) as sdk:
        expiry: Any = {"anchor": "created_at", "seconds": 3600}
        lines = jsonl(*(request(n) for n in range(9)))
        file = sdk.files.create(file=("a.jsonl", lines), purpose="batch", expires_after=expiry)
        assert file.status == "processed"
        assert file.expires_at is None
        assert sdk.files.retrieve(file.id).expires_at == file.created_at + 3600
        assert sdk.files.content(file.id).content == lines
        batch = sdk.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={"llm_audit_intent": "abcdefgh"},
            output_expires_after=expiry,
        )
        seen = [batch, *(sdk.batches.retrieve(batch.id) for _ in range(2))]
        assert [each.status for each in seen] == ["validating", "in_progress", "completed"]
        for each in seen:
            Batch.model_validate(each.to_dict())
            each.model_dump(warnings="error")
        batch = seen[-1]
        assert batch.metadata == {"llm_audit_intent": "abcdefgh"}
        assert batch.request_counts is not None
        assert batch.request_counts.to_dict() == {"total": 9, "completed": 9, "failed": 0}
        answers = read(fake, batch.output_file_id)
        assert [row["custom_id"] for row in answers] != [f"la-{n}" for n in range(9)], "shuffled"
        for row in answers:
            answer = ChatCompletion.model_validate(row["response"]["body"])
            assert answer.choices[0].message.content == row["custom_id"].replace("la-", "echo q")
        total = sum(row["response"]["body"]["usage"]["total_tokens"] for row in answers)
        assert batch.usage is not None
        assert batch.usage.total_tokens == total
        files = list(sdk.files.list())
        assert [each.purpose for each in files] == ["batch_output", "batch"]
        assert files[0].expires_at == files[0].created_at + 3600
        assert [FileObject.model_validate(each.to_dict()) for each in files] == files
        assert sdk.files.delete(file.id).deleted
        with pytest.raises(openai.NotFoundError):
            sdk.files.retrieve(file.id)
    assert fake.journal.bought() == {f"q{n}": 1 for n in range(9)}


def test_answers_of_other_endpoints_and_outcomes_parse(fake: FakeProcess) -> None:
    outcomes = ["ok", "split", "truncated", "refusal", "filtered", "tool_use", "pause_turn"]
    rules = [{"lines": n, "outcome": outcome} for n, outcome in enumerate(outcomes, 1)]
    fake.play({"rows": rules})
    for url in ("/v1/responses", CHAT):
        lines = [request(n, url, input=f"[[q{n}]]") for n in range(1, 8)]
        found = run(fake, *lines, endpoint=url)
        assert len(found) == 7
        kind: Any = Response if url == "/v1/responses" else ChatCompletion
        bodies = [kind.model_validate(found[f"la-{n}"]["response"]["body"]) for n in range(1, 8)]
        if kind is ChatCompletion:
            reasons = [body.choices[0].finish_reason for body in bodies]
            assert reasons == [
                "stop",
                "stop",
                "length",
                "stop",
                "content_filter",
                "tool_calls",
                "stop",
            ]
        else:
            assert [body.output_text for body in bodies[:2]] == ["echo q1", "echo q2"]
            assert bodies[2].status == "incomplete"
    assert set(fake.journal.bought().values()) == {2}
    found = run(fake, request(1, "/v1/embeddings", input=["a", "b"]), endpoint="/v1/embeddings")
    body = CreateEmbeddingResponse.model_validate(found["la-1"]["response"]["body"])
    assert [each.index for each in body.data] == [0, 1]


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ([request(1), "{not json"], "invalid_json_line", 2),
        ([request(1), ""], "invalid_json_line", 2),
        ([request(1), "[]"], "invalid_json_line", 2),
        (['{"custom_id": NaN}'], "invalid_json_line", 1),
        ([""], "invalid_json_line", 1),
        ([request(1), request(1)], "duplicate_custom_id", 2),
        ([request(1) | {"custom_id": "a b"}], "invalid_custom_id", 1),
        ([request(1) | {"custom_id": "a" * 65}], "invalid_custom_id", 1),
        ([request(1) | {"custom_id": "abc\n"}], "invalid_custom_id", 1),
        ([request(1) | {"custom_id": 1}], "invalid_custom_id", 1),
        ([request(1) | {"url": "/v1/responses"}], "url_mismatch", 1),
        ([request(1) | {"method": "GET"}], "invalid_method", 1),
        ([request(1) | {"extra": 1}], "unknown_parameter", 1),
        ([request(1) | {"body": 1}], "invalid_type", 1),
        ([{"custom_id": "a", "method": "POST", "url": CHAT}], "missing_required_parameter", 1),
        ([request(1, model="")], "missing_required_parameter", 1),
        ([request(1), request(2, model="gpt-4o")], "model_mismatch", 2),
        ([request(1, stream=True)], "streaming_unsupported", 1),
        ([request(1, stream_options={})], "unsupported_parameter", 1),
        ([request(1, service_tier="flex")], "unsupported_parameter", 1),
        ([request(1, background=True)], "unsupported_parameter", 1),
        ([request(1, previous_response_id="x")], "unsupported_parameter", 1),
        ([request(n) for n in range(4)], "too_many_tasks", None),
        ([request(1, pad="x" * 900)], "file_too_large", None),
    ],
)
def test_a_bad_line_fails_the_whole_file(
    fake: FakeProcess, lines: list[object], code: str, line: int | None
) -> None:
    fake.play({"openai": {"requests": 3, "file_bytes": 900}})
    batch = create(fake, *lines)
    assert batch.status == "validating", "the call itself succeeds"
    batch = poll(fake, batch, 1)
    assert batch.status == "failed"
    assert batch.output_file_id is batch.error_file_id is None
    assert batch.errors is not None
    errors = batch.errors.data or []
    assert [(error.code, error.line) for error in errors] == [(code, line)]
    assert fake.journal.bought() == {}


@pytest.mark.parametrize(
    "more",
    [
        {"completion_window": "1h"},
        {"endpoint": "/v1/other"},
        {"metadata": {str(n): "" for n in range(17)}},
        {"metadata": {"k" * 65: ""}},
        {"metadata": {"k": "v" * 513}},
        {"metadata": {"k": 1}},
        {"output_expires_after": {"anchor": "created_at", "seconds": 3599}},
        {"output_expires_after": {"anchor": "later", "seconds": 3600}},
        {"extra_body": {"unheard_of": 1}},
        {"extra_body": {"input_file_id": "file-none"}},
    ],
)
def test_a_bad_create_is_refused_at_once(fake: FakeProcess, more: Json) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        create(fake, request(1), **more)
    assert refusal.value.request_id
    assert fake.journal.batches() == []


@pytest.mark.parametrize(
    ("name", "content", "more", "status"),
    [
        ("a.jsonl", b"", {}, 400),
        ("a.txt", b"{}\n", {}, 400),
        ("a.jsonl", b"{}\n", {"purpose": "vision"}, 400),
        ("a.jsonl", b"{}\n", {"expires_after": {"anchor": "created_at", "seconds": 1}}, 400),
        ("a.jsonl", b"x" * 101, {}, 413),
    ],
)
def test_a_bad_upload_is_refused(
    fake: FakeProcess, name: str, content: bytes, more: Any, status: int
) -> None:
    fake.play({"openai": {"upload_bytes": 100}})
    with client(fake) as sdk, pytest.raises(openai.APIStatusError) as refusal:
        sdk.files.create(**({"file": (name, content), "purpose": "batch"} | more))
    assert refusal.value.status_code == status


def test_embedding_inputs_are_counted_over_the_file(fake: FakeProcess) -> None:
    fake.play({"openai": {"embedding_inputs": 3}})
    url = "/v1/embeddings"
    batch = create(fake, *(request(n, url, input=["a", "b"]) for n in (1, 2)), endpoint=url)
    errors = poll(fake, batch, 1).errors
    assert errors is not None
    assert [error.code for error in errors.data or []] == ["too_many_inputs"]


def test_the_queue_is_by_model_and_empties_when_batches_end(fake: FakeProcess) -> None:
    fake.play({"openai": {"enqueued_tokens": {"gpt-4o-mini": 20}}})
    first, second = create(fake, request(1)), create(fake, request(2))
    other = poll(fake, create(fake, request(3, model="gpt-4o")))
    failed = poll(fake, second, 1)
    assert (failed.status, other.status) == ("failed", "completed")
    assert failed.errors is not None
    [error] = failed.errors.data or []
    assert error.code == "token_limit_exceeded"
    assert error.line is None
    poll(fake, first)
    assert poll(fake, create(fake, request(2))).status == "completed"
    assert fake.journal.bought() == {"q1": 1, "q2": 1, "q3": 1}


def test_rows_that_the_endpoint_objects_to(fake: FakeProcess) -> None:
    fake.play({"openai": {"models": ["gpt-4o-mini"]}})
    tools = [{"type": "web_search"}]
    found = run(
        fake, request(1, max_tokens=0), request(2, messages=[]), request(3, tools=tools), request(4)
    )
    assert [found[f"la-{n}"]["response"]["status_code"] for n in (1, 2, 3, 4)] == [400] * 3 + [200]
    found = run(fake, request(1, model="gpt-none"))
    assert found["la-1"]["response"]["status_code"] == 404
    assert found["la-1"]["error"] is None, "an HTTP error stands in the response alone"


def test_lists_page_backwards_in_time(fake: FakeProcess) -> None:
    ids = [create(fake, request(1)).id for _ in range(5)]
    with client(fake) as sdk:
        assert [each.id for each in sdk.batches.list(limit=2)] == ids[::-1]
        assert [each.id for each in sdk.batches.list(after=ids[2])] == [ids[1], ids[0]]
        assert len(list(sdk.files.list(limit=2, purpose="batch", order="asc"))) == 5
        for limit in (0, 101):
            with pytest.raises(openai.BadRequestError):
                sdk.batches.list(limit=limit)


def test_keys_are_checked_told_apart_and_not_kept(fake: FakeProcess) -> None:
    batch = create(fake, request(1))
    with client(fake, "sk-another-project") as sdk:
        with pytest.raises(openai.NotFoundError):
            sdk.batches.retrieve(batch.id)
        assert list(sdk.batches.list()) == []
        assert list(sdk.files.list()) == []
    fake.control(scenario={"accounts": ["00000000"]})
    with client(fake) as sdk, pytest.raises(openai.AuthenticationError):
        sdk.batches.list()
    for path in fake.state.iterdir():
        assert FAKE_OPENAI_KEY.encode() not in path.read_bytes()


def test_a_cancelled_batch_keeps_what_was_done(fake: FakeProcess) -> None:
    fake.play({"batches": [{"done": 0.25, "cancel_polls": 1}]})
    batch = create(fake, *(request(n) for n in range(4)))
    with client(fake) as sdk:
        assert sdk.batches.cancel(batch.id).status == "cancelling"
        assert sdk.batches.retrieve(batch.id).status == "cancelling"
        with pytest.raises(openai.ConflictError):
            sdk.files.delete(batch.input_file_id)
        batch = sdk.batches.retrieve(batch.id)
        assert batch.status == "cancelled"
        with pytest.raises(openai.ConflictError):
            sdk.batches.cancel(batch.id)
    found = rows(fake, batch)
    assert found["la-0"]["response"]["status_code"] == 200
    assert found["la-3"]["error"]["code"] == "batch_cancelled"
    assert fake.journal.bought() == {"q0": 1, "q1": 0, "q2": 0, "q3": 0}


def test_it_expires_by_its_plan_or_by_the_clock(fake: FakeProcess) -> None:
    plans = [{"nth": 1, "polls": ["in_progress", "expired"]}, {"polls": ["in_progress"]}]
    fake.play({"clock": {"start": 1_700_000_000}, "batches": plans})
    for n, polls in ((1, 2), (2, 1)):
        batch = create(fake, request(n), request(n + 10))
        if n == 2:
            assert poll(fake, batch, 9).status == "in_progress"
            fake.control(advance=86_400)
        batch = poll(fake, batch, polls)
        assert batch.status == "expired"
        found = rows(fake, batch)
        assert found[f"la-{n}"]["response"]["status_code"] == 200
        assert found[f"la-{n + 10}"]["response"] is None
        assert found[f"la-{n + 10}"]["error"]["code"] == "batch_expired"
    assert fake.journal.bought() == {"q1": 1, "q11": 0, "q2": 1, "q12": 0}
    fake.control(advance=31 * 86_400)
    with client(fake) as sdk, pytest.raises(openai.NotFoundError):
        sdk.files.content(batch.output_file_id or "")
