"""The real anthropic SDK against the fake: the happy path, every refusal, the life of a batch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anthropic
import pytest
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from tests.migrate.fake.conftest import params
from tests.migrate.fake.process import FAKE_ANTHROPIC_KEY, FakeProcess
from tests.migrate.fake.scenario import Json


def client(fake: FakeProcess, key: str = FAKE_ANTHROPIC_KEY, **more: Any) -> anthropic.Anthropic:
    more = {"max_retries": 0, "timeout": 5} | more
    return anthropic.Anthropic(base_url=fake.url, api_key=key, **more)


def item(n: int, **more: object) -> Json:
    return {"custom_id": f"la-{n}", "params": params(f"p{n}", **more)}


def create(fake: FakeProcess, *requests: Any, **more: Any) -> MessageBatch:
    with client(fake, **more) as sdk:
        return sdk.messages.batches.create(requests=requests)


def poll(fake: FakeProcess, batch: MessageBatch, times: int = 2) -> MessageBatch:
    with client(fake) as sdk:
        for _ in range(times):
            batch = sdk.messages.batches.retrieve(batch.id)
    return batch


def read(fake: FakeProcess, batch: MessageBatch) -> dict[str, MessageBatchIndividualResponse]:
    with client(fake) as sdk:
        return {row.custom_id: row for row in sdk.messages.batches.results(batch.id)}


def errors(fake: FakeProcess, batch: MessageBatch) -> dict[str, tuple[str, str]]:
    """Type and message of the rows that are errors."""
    found: dict[str, tuple[str, str]] = {}
    for custom_id, row in read(fake, batch).items():
        if row.result.type == "errored":
            error = row.result.error.error
            found[custom_id] = (error.type, error.message)
    return found


def test_what_is_asked_is_answered(fake: FakeProcess) -> None:
    with client(fake) as sdk:
        made = sdk.messages.batches.create(requests=[item(n) for n in range(9)])  # type: ignore[misc]
        seen = [made, *(sdk.messages.batches.retrieve(made.id) for _ in range(2))]
        assert [each.processing_status for each in seen] == ["in_progress", "in_progress", "ended"]
        for each in seen:
            MessageBatch.model_validate(each.to_dict())
            each.model_dump(warnings="error")
            counts = each.request_counts
            assert counts.processing + counts.succeeded == 9
            assert counts.succeeded == (0 if each.ended_at is None else 9)
        assert made.expires_at - made.created_at == timedelta(hours=24)
        assert (seen[-1].results_url or "").startswith(fake.url)
        results = list(sdk.messages.batches.results(made.id))
        assert [row.custom_id for row in results] != [f"la-{n}" for n in range(9)], "shuffled"
        for row in results:
            MessageBatchIndividualResponse.model_validate(row.to_dict())
            row.model_dump(warnings="error")
            assert row.result.type == "succeeded"
            [block] = row.result.message.content
            assert block.type == "text"
            assert block.text == row.custom_id.replace("la-", "echo p")
            assert row.result.message.usage.service_tier == "batch"
        assert sdk.messages.batches.delete(made.id).type == "message_batch_deleted"
        with pytest.raises(anthropic.NotFoundError):
            sdk.messages.batches.retrieve(made.id)
    assert fake.journal.bought() == {f"p{n}": 1 for n in range(9)}


def test_every_outcome_parses_and_is_counted(fake: FakeProcess) -> None:
    outcomes = [
        "ok",
        "split",
        "truncated",
        "refusal",
        "filtered",
        "tool_use",
        "pause_turn",
        "bad_request",
        "no_status",
        "rate_limited",
        "server_error",
        "overloaded",
        "timeout",
        "credit",
        "no_model",
        "expired",
        "canceled",
    ]
    rules = [{"lines": n, "outcome": outcome} for n, outcome in enumerate(outcomes, 1)]
    fake.play({"rows": rules, "batches": [{"cache_read": 0.5, "cache_write": 0.25}]})
    batch = poll(fake, create(fake, *(item(n) for n in range(1, len(outcomes) + 1))))
    counts = batch.request_counts
    assert (counts.succeeded, counts.errored, counts.expired, counts.canceled) == (7, 8, 1, 1)
    found = read(fake, batch)
    assert len(found) == len(outcomes)
    stops = []
    for row in found.values():
        MessageBatchIndividualResponse.model_validate(row.to_dict())
        if row.result.type == "succeeded":
            usage = row.result.message.usage
            assert usage.input_tokens + (usage.cache_read_input_tokens or 0) > 0
            stops.append(str(row.result.message.stop_reason))
    assert sorted(stops) == sorted(
        ["end_turn", "end_turn", "max_tokens", "refusal", "refusal", "tool_use", "pause_turn"]
    )
    credit = errors(fake, batch)[f"la-{outcomes.index('credit') + 1}"]
    assert credit[0] == "invalid_request_error"
    assert "credit balance is too low" in credit[1]
    assert sum(fake.journal.bought().values()) == 7


def test_an_error_may_lack_its_wrapper(fake: FakeProcess) -> None:
    fake.play({"rows": [{"outcome": "unwrapped"}]})
    [row] = read(fake, poll(fake, create(fake, item(1)))).values()
    assert row.result.type == "errored"
    assert getattr(row.result.error, "error", None) is None


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [item(1), item(1)],
        [item(1) | {"custom_id": "a b"}],
        [item(1) | {"custom_id": "a" * 65}],
        [item(1) | {"custom_id": ""}],
        [{"custom_id": "a"}],
        [item(1) | {"extra": 1}],
        [item(1) | {"params": 1}],
    ],
)
def test_the_outer_shape_is_refused_at_once(fake: FakeProcess, requests: list[Json]) -> None:
    with pytest.raises(anthropic.BadRequestError) as refusal:
        create(fake, *requests)
    assert refusal.value.request_id
    assert fake.journal.batches() == []


def test_sizes_are_refused_with_413_and_the_queue_with_429(fake: FakeProcess) -> None:
    fake.play({"anthropic": {"requests": 2, "body_bytes": 900, "queued_requests": 3}})
    for requests in ([item(n) for n in range(3)], [item(1, system="x" * 900)]):
        with pytest.raises(anthropic.ContentTooLargeError):
            create(fake, *requests)
    first = create(fake, item(1), item(2))
    with pytest.raises(anthropic.RateLimitError):
        create(fake, item(3), item(4))
    poll(fake, first)
    create(fake, item(3), item(4))


@pytest.mark.parametrize(
    "change",
    [
        {"max_tokens": 0},
        {"max_tokens": None},
        {"stream": True},
        {"speed": "fast"},
        {"store": True},
        {"cache_hint": {}},
        {"context_hint": {}},
        {"previous_thread_event_id": "x"},
        {"messages": []},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user", "content": ""}]},
        {"model": None},
    ],
)
def test_one_bad_request_does_not_kill_the_batch(fake: FakeProcess, change: Json) -> None:
    batch = poll(fake, create(fake, item(1, **change), item(2)))
    assert errors(fake, batch).keys() == {"la-1"}
    assert fake.journal.bought()["p2"] == 1


def test_the_newest_api_version_takes_no_sampling_parameters(fake: FakeProcess) -> None:
    """What anthropic 2.x sends by default refuses what most logged calls hold."""
    cited = [{"type": "text", "text": "x", "citations": [{}]}]
    document: list[Json] = [{"type": "document", "source": {}}]
    requests = [
        item(1, temperature=1.0),
        item(2, top_p=0.5),
        item(3, messages=[{"role": "user", "content": cited}]),
        item(4, messages=[{"role": "assistant", "content": document}]),
        item(5),
    ]
    assert errors(fake, poll(fake, create(fake, *requests))).keys() == {
        f"la-{n}" for n in range(1, 5)
    }
    older = {"default_headers": {"anthropic-version": "2023-06-01"}}
    assert errors(fake, poll(fake, create(fake, *requests, **older))) == {}
    with pytest.raises(anthropic.BadRequestError):
        create(fake, item(1), default_headers={"anthropic-version": "2022-01-01"})


def test_lists_page_both_ways(fake: FakeProcess) -> None:
    ids = [create(fake, item(1)).id for _ in range(5)]
    with client(fake) as sdk:
        batches = sdk.messages.batches
        assert [each.id for each in batches.list(limit=2)] == ids[::-1]
        assert [each.id for each in batches.list(limit=2, after_id=ids[3])] == ids[2::-1]
        assert batches.list(limit=2, before_id=ids[0]).data[-1].id == ids[1]
        assert {each.id for each in batches.list(limit=2, before_id=ids[0])} == set(ids[1:])
        for bad in ({"limit": 0}, {"limit": 1001}, {"after_id": "none"}):
            with pytest.raises(anthropic.BadRequestError):
                batches.list(**bad)


def test_keys_are_checked_told_apart_and_not_kept(fake: FakeProcess) -> None:
    batch = create(fake, item(1))
    with client(fake, "sk-ant-another") as sdk:
        with pytest.raises(anthropic.NotFoundError):
            sdk.messages.batches.retrieve(batch.id)
        assert list(sdk.messages.batches.list()) == []
    with client(fake, "sk-ant-another", default_headers={"x-api-key": FAKE_ANTHROPIC_KEY}) as sdk:
        assert sdk.messages.batches.retrieve(batch.id).id == batch.id
    fake.control(scenario={"accounts": ["00000000"]})
    with client(fake) as sdk, pytest.raises(anthropic.AuthenticationError):
        sdk.messages.batches.list()
    for path in fake.state.iterdir():
        assert FAKE_ANTHROPIC_KEY.encode() not in path.read_bytes()


def test_cancel_delete_expiry_and_archive(fake: FakeProcess) -> None:
    plans: list[Json] = [{"nth": 1}, {"nth": 2, "polls": ["in_progress", "expired"]}]
    fake.play({"clock": {"start": 1_700_000_000}, "batches": plans})
    batch = create(fake, item(1), item(2))
    with client(fake) as sdk:
        with pytest.raises(anthropic.BadRequestError):
            sdk.messages.batches.delete(batch.id)
        with pytest.raises(anthropic.AnthropicError):
            sdk.messages.batches.results(batch.id)
        assert sdk.messages.batches.cancel(batch.id).processing_status == "canceling"
        batch = poll(fake, batch)
        assert batch.processing_status == "ended"
        assert batch.cancel_initiated_at is not None
        assert {row.result.type for row in read(fake, batch).values()} == {"succeeded", "canceled"}
        batch = poll(fake, create(fake, item(3), item(4)))
        assert (batch.request_counts.succeeded, batch.request_counts.expired) == (1, 1)
        fake.control(advance=29 * 86_400)
        batch = sdk.messages.batches.retrieve(batch.id)
        assert batch.archived_at is not None
        assert batch.results_url is None
        with pytest.raises(anthropic.AnthropicError):
            sdk.messages.batches.results(batch.id)
    assert fake.journal.bought() == {"p1": 1, "p2": 0, "p3": 1, "p4": 0}


def test_betas_belong_to_the_batch(fake: FakeProcess) -> None:
    create(fake, item(1), default_headers={"anthropic-beta": "one-2026-01-01, two-2026-01-01"})
    [batch] = fake.journal.batches()
    assert batch.betas == ["one-2026-01-01", "two-2026-01-01"]
