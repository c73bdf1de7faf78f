"""A small invented log with plain cases of every label, as LiteLLM would write it.

One fortnight's start: jobs that drain lists at night, on a declared deadline, or into an index;
work that nobody can judge; people who chat, click, and give up. Every workload has its own system
prompt (template) and its own key; most share one model, so that keys can be merged.
"""

from __future__ import annotations

import copy
import heapq
import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Line = dict[str, Any]

DAY = 86_400.0
HOUR = 3_600.0
START = datetime(2026, 11, 2, tzinfo=UTC).timestamp()
MODEL = "gpt-4.1"
DAYS = 6

EXPECTED = {
    "recap": "batch_eligible",
    "vectors": "batch_eligible",
    "grader": "batch_eligible",
    "tryout": "gray_area",
    "events": "gray_area",
    "almost": "gray_area",
    "talk": "realtime",
    "router": "realtime",
    "tinker": "realtime",
    "button": "realtime",
}
"""Label by workload, words in names switched off. The key's alias is the workload's name."""

PLAIN = tuple(name for name in EXPECTED if name != "almost")
"""The cases that no version should judge otherwise; the other stands beside a threshold."""

MERGEABLE = tuple(name for name in EXPECTED if name != "vectors")
"""Those that call one model: behind one key, only their templates tell them apart."""


def make_log(seed: int = 1) -> list[Line]:
    """All workloads in order of completion."""
    lines = [line for make in _WORKLOADS for line in make(random.Random(f"{seed}-{make.__name__}"))]
    return sorted(lines, key=lambda line: line["endTime"])


def line(name: str, number: object, at: float, lasts: float, question: str, **changes: Any) -> Line:
    """One successful, plain call of workload `name`."""
    rest = {key: value for key, value in changes.items() if key != "history"}
    history = changes.get("history") or [{"role": "user", "content": question}]
    messages = [{"role": "system", "content": f"You do the {name} work of this firm."}, *history]
    tokens_in = 40 + sum(len(message["content"]) // 4 for message in messages)
    return {
        "id": f"{name}-{number}",
        "trace_id": f"trace-{name}-{number}",
        "session_id": "",
        "call_type": "acompletion",
        "cache_hit": None,
        "stream": None,
        "status": "success",
        "custom_llm_provider": "openai",
        "startTime": round(START + at, 6),
        "endTime": round(START + at + lasts, 6),
        "completionStartTime": round(START + at + lasts, 6),
        "model": MODEL,
        "model_group": MODEL,
        "response_cost": 0.002,
        "prompt_tokens": tokens_in,
        "completion_tokens": 120,
        "request_tags": [],
        "end_user": "",
        "messages": messages,
        "metadata": {
            "user_api_key_alias": name,
            "user_api_key_team_alias": f"team of {name}",
            "usage_object": {"prompt_tokens": tokens_in, "completion_tokens": 120},
            "requester_metadata": {"service.name": name},
            "requester_custom_headers": {"x-litellm-timeout": "600"},
        },
        **rest,
    }


def write(lines: Sequence[Line], path: Path) -> Path:
    """One JSON object per line."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def copied(lines: Sequence[Line]) -> list[Line]:
    """Lines that may be changed freely."""
    return copy.deepcopy(list(lines))


def moved(call: Line, seconds: float) -> Line:
    """The same call some seconds later (in place)."""
    for key in ("startTime", "endTime", "completionStartTime"):
        call[key] = round(call[key] + seconds, 6)
    return call


def continued(call: Line, number: int, delay: float) -> Line:
    """A call that repeats the prompt of `call`, adds its answer, and asks on."""
    follow = copy.deepcopy(call)
    follow["id"] = f"{call['id']}-follow-{number}"
    follow["trace_id"] = f"trace-{follow['id']}"
    follow["messages"] += [
        {"role": "assistant", "content": f"The answer to {call['id']}."},
        {"role": "user", "content": f"And then? ({number})"},
    ]
    return moved(follow, call["endTime"] - call["startTime"] + delay)


def cancelled(call: Line) -> Line:
    """The same call, given up by its client."""
    given_up = copy.deepcopy(call)
    given_up["status"] = "failure"
    given_up["error_information"] = {"error_code": "499", "error_class": "ClientDisconnected"}
    return given_up


def _drained(
    name: str, rng: random.Random, first: int, count: int, at: float, slots: int = 6, **changes: Any
) -> Iterator[Line]:
    """A program that drains a list: as one call ends, its slot takes the next item."""
    free = [at + 0.05 * slot for slot in range(slots)]
    heapq.heapify(free)
    for number in range(first, first + count):
        begin = heapq.heappop(free) + rng.uniform(0.005, 0.03)
        lasts = rng.uniform(1.5, 6.0)
        yield line(
            name, number, begin, lasts, f"Item {rng.getrandbits(60):x}: {number}.", **changes
        )
        heapq.heappush(free, begin + lasts)


def _singles(name: str, rng: random.Random, count: int, **changes: Any) -> Iterator[Line]:
    """One call at a time, at any waking hour of any day."""
    for number in range(count):
        at = rng.randrange(DAYS) * DAY + rng.uniform(7 * HOUR, 21 * HOUR)
        yield line(
            name, number, at, rng.uniform(0.8, 5.0), f"Case {rng.getrandbits(60):x}.", **changes
        )


def _recap(rng: random.Random) -> Iterator[Line]:
    for day in range(DAYS):
        at = day * DAY + 2.5 * HOUR + rng.uniform(0, 60)
        yield from _drained("recap", rng, day * 1000, 240, at)


def _grader(rng: random.Random) -> Iterator[Line]:
    yield from _drained("grader", rng, 0, 300, 1.4 * DAY, request_tags=["tolerance:48h"])


def _vectors(rng: random.Random) -> Iterator[Line]:
    usage = {"prompt_tokens": 700, "completion_tokens": 0}
    for call in _drained("vectors", rng, 0, 600, 2.6 * DAY, slots=12):
        call["metadata"]["usage_object"] = usage
        yield {
            **call,
            "call_type": "aembedding",
            "model": "text-embedding-3-small",
            "model_group": "text-embedding-3-small",
            "prompt_tokens": 700,
            "completion_tokens": 0,
        }


def _tryout(rng: random.Random) -> Iterator[Line]:
    yield from _drained("tryout", rng, 0, 150, 1.45 * DAY)
    yield from _drained("tryout", rng, 1000, 160, 3.62 * DAY)


def _events(rng: random.Random) -> Iterator[Line]:
    yield from _singles("events", rng, 240)


def _almost(rng: random.Random) -> Iterator[Line]:
    """A clock starts 99 calls a night at random distances: one short of what counts as a run."""
    for day in range(DAYS):
        for number in range(99):
            at = day * DAY + 4 * HOUR + number * 9 + rng.uniform(0, 6)
            question = f"Entry {rng.getrandbits(60):x}."
            yield line("almost", day * 1000 + number, at, rng.uniform(0.5, 4.0), question)


def _talk(rng: random.Random) -> Iterator[Line]:
    for dialogue in range(50):
        at = rng.randrange(DAYS) * DAY + rng.uniform(7 * HOUR, 21 * HOUR)
        history: list[dict[str, str]] = []
        for turn in range(5):
            history = [*history, {"role": "user", "content": f"Question {rng.getrandbits(60):x}?"}]
            lasts = rng.uniform(2, 7)
            call = line(
                "talk", f"{dialogue}-{turn}", at, lasts, "", history=history,
                stream=True, session_id=f"dialogue-{dialogue}", end_user=f"person-{dialogue % 20}",
            )  # fmt: skip
            call["completionStartTime"] = round(START + at + 0.6, 6)
            yield call
            history = [*history, {"role": "assistant", "content": f"Answer {dialogue}-{turn}."}]
            at += lasts + rng.uniform(12, 90)


def _router(rng: random.Random) -> Iterator[Line]:
    for call in _singles("router", rng, 240):
        call["metadata"]["requester_custom_headers"] = {"x-litellm-timeout": "8"}
        yield call


def _tinker(rng: random.Random) -> Iterator[Line]:
    for task in range(40):
        at = rng.randrange(DAYS) * DAY + rng.uniform(8 * HOUR, 18 * HOUR)
        history = [{"role": "user", "content": f"Mend {rng.getrandbits(60):x}."}]
        for step in range(6):
            lasts = rng.uniform(2, 9)
            yield line("tinker", f"{task}-{step}", at, lasts, "", history=history)
            history = [
                *history,
                {"role": "assistant", "content": f"Calling tool {task}-{step}."},
                {"role": "tool", "content": f"Result {rng.getrandbits(60):x}."},
            ]
            at += lasts + rng.uniform(3, 20)


def _button(rng: random.Random) -> Iterator[Line]:
    for number, call in enumerate(_singles("button", rng, 260)):
        yield cancelled(call) if number % 13 == 0 else call


_WORKLOADS: tuple[Callable[[random.Random], Iterator[Line]], ...] = (
    _recap, _grader, _vectors, _tryout, _events, _almost, _talk, _router, _tinker, _button,
)  # fmt: skip
