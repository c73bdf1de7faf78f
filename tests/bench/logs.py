"""Large synthetic LiteLLM logs, made quickly: line templates with varying ids, times and counts.

Set A: lines of about 950 bytes whose prompts are redacted, as gateways with privacy settings write
them. Set B: lines with about 8 KB of request and response text. Both are sorted by time, the same
for the same number of lines, and about 30 days long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

START = 1_790_000_000.0  # September 2026
SECONDS = 30 * 86_400
CHUNK = 2_000
BODY_BYTES = 8_000


@dataclass(frozen=True)
class Role:
    """A kind of caller; every shop of the invented company has one of each."""

    name: str
    provider: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cached_share: float = 0.0
    stream: bool = False
    nightly: bool = False
    tier: str | None = None
    tags: tuple[str, ...] = ()
    max_delay: str | None = None


ROLES = (
    Role("chat", "anthropic", "claude-sonnet-4-6", 9_000, 250, 0.8, stream=True),
    Role("search", "openai", "gpt-4o-mini", 1_200, 60),
    Role("risk", "openai", "gpt-4.1-mini", 1_800, 30, tier="priority"),
    Role("agent", "anthropic", "claude-opus-4-8", 42_000, 600, 0.9, stream=True),
    Role("catalogue", "anthropic", "claude-sonnet-4-6", 30_000, 1_800, nightly=True,
         tags=("job:catalogue", "scheduler:airflow", "dag_id:catalogue"), max_delay="24h"),
    Role("reviews", "openai", "gpt-4.1", 12_000, 700, nightly=True,
         tags=("job:reviews", "scheduler:cron"), max_delay="24h"),
    Role("tagging", "openai", "gpt-5.4-mini", 6_000, 90, nightly=True, tier="flex",
         tags=("job:tagging", "scheduler:celery")),
    Role("policy", "openai", "gpt-4.1", 10_000, 500, 0.9, nightly=True, max_delay="24h"),
    Role("eval", "openai", "gpt-5.4", 18_000, 900, tags=("env:ci", "ci:github-actions")),
    Role("helper", "openai", "gpt-4.1", 24_000, 900, nightly=True),
    Role("orion", "openai", "gpt-4o", 14_000, 700),
    Role("writer", "hosted_vllm", "writer-7b", 2_400, 120, nightly=True),
)  # fmt: skip
SHOPS = ("north", "south", "east", "west")

_FAILURE = {"error_code": "429", "error_class": "RateLimitError"}
_TEXT = (
    "The depot reports that the parcel left on time and that the customer asked for a new date. "
    "Please answer in two sentences and name the article, the fault and the next step. "
)


def make_log(path: Path, lines: int, *, bodies: bool) -> Path:
    """Write the log unless a finished one is there already; returns `path`."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            for chunk in _chunks(lines, bodies=bodies):
                file.write("".join(chunk).encode("ascii"))
        unfinished.rename(path)
    return path


def _chunks(lines: int, *, bodies: bool) -> Iterator[list[str]]:
    rng = Random(f"bench/{lines}/{bodies}")
    templates = [
        (_template(role, shop, bodies=bodies, failed=failed), role)
        for failed in (False, True)
        for shop in SHOPS
        for role in ROLES
    ]
    by_hour = [_schedule(rng, templates, hour) for hour in range(24)]
    pool = _text_pool(rng)
    moment, step = START, SECONDS / lines
    for first in range(0, lines, CHUNK):
        chunk = []
        for _ in range(min(CHUNK, lines - first)):
            moment += step
            template, role = rng.choice(by_hour[int(moment % 86_400 // 3600)])
            values = _values(rng, role, moment)
            if bodies:
                values |= _bodies(rng, pool)
            chunk.append(template % values)
        yield chunk


def _schedule(rng: Random, templates: list[tuple[str, Role]], hour: int) -> list[tuple[str, Role]]:
    """The mix of one hour: jobs at night, people by day, one call in two hundred fails."""
    weights = []
    for number, (_, role) in enumerate(templates):
        awake = 12 if role.nightly == (hour < 5) else 1
        weights.append(awake * (1 if number >= len(templates) // 2 else 199))
    return rng.choices(templates, weights, k=4096)


def _values(rng: Random, role: Role, moment: float) -> dict[str, Any]:
    """What differs from line to line."""
    chance = rng.random()
    prompt = int(role.prompt_tokens * (0.7 + 0.6 * chance))
    completion = int(role.completion_tokens * (1.3 - 0.6 * chance))
    seconds = 0.4 + completion * (0.008 + 0.01 * chance)
    bits = f"{rng.getrandbits(112):028x}"
    return {
        "id": bits,
        "trace": bits[:16],
        "start": moment,
        "end": moment + seconds,
        "first": moment + (0.6 if role.stream else seconds),
        "prompt": prompt,
        "completion": completion,
        "total": prompt + completion,
        "cached": int(prompt * role.cached_share),
        "cost": prompt * 2e-6 + completion * 8e-6,
        "user": f"visitor-{bits[:6]}",
    }


def _text_pool(rng: Random) -> str:
    words = _TEXT.split()
    return " ".join(rng.choices(words, k=40_000))


def _bodies(rng: Random, pool: str) -> dict[str, str]:
    """A question of 5 KB and an answer of 1 KB; 2 KB of system prompt are the role's own."""
    start = rng.randrange(len(pool) - BODY_BYTES)
    return {"question": pool[start : start + 5_000], "answer": pool[start + 5_000 : start + 6_000]}


def _template(role: Role, shop: str, *, bodies: bool, failed: bool) -> str:
    """One line with %-placeholders for what varies; numbers lose the quotes of their marks."""
    record = _record(role, shop, bodies=bodies, failed=failed)
    line = json.dumps(record, separators=(",", ":")) + "\n"
    for name, form in _NUMBERS.items():
        line = line.replace(f'"@{name}@"', f"%({name}){form}")
    return line


_NUMBERS = {"start": ".6f", "end": ".6f", "first": ".6f", "prompt": "d", "completion": "d",
            "total": "d", "cached": "d", "cost": ".8f"}  # fmt: skip


def _record(role: Role, shop: str, *, bodies: bool, failed: bool) -> dict[str, Any]:
    """A StandardLoggingPayload with the keys that matter; "@name@" marks a number to fill in."""
    error = _FAILURE if failed else {"error_code": "", "error_class": ""}
    counts = {"prompt": 0, "completion": 0, "total": 0} if failed else _COUNTS
    return {
        "id": "chatcmpl-%(id)s",
        "trace_id": "%(trace)s",
        "call_type": "acompletion",
        "cache_hit": None,
        "stream": True if role.stream else None,
        "status": "failure" if failed else "success",
        "custom_llm_provider": role.provider,
        "startTime": "@start@",
        "endTime": "@end@",
        "completionStartTime": "@first@",
        "model": role.model,
        "metadata": _metadata(role, shop, failed=failed),
        "response_cost": 0.0 if failed else "@cost@",
        "total_tokens": counts["total"],
        "prompt_tokens": counts["prompt"],
        "completion_tokens": counts["completion"],
        "request_tags": [f"env:{shop}", *role.tags],
        "end_user": "%(user)s" if role.stream else None,
        "model_group": role.model,
        "messages": _messages(role, bodies=bodies),
        "response": {} if failed else _response(role, bodies=bodies),
        "model_parameters": {"service_tier": role.tier} if role.tier else {},
        "error_information": error,
    }


_COUNTS = {"prompt": "@prompt@", "completion": "@completion@", "total": "@total@"}


def _metadata(role: Role, shop: str, *, failed: bool) -> dict[str, Any]:
    details: dict[str, Any] = {"cached_tokens": "@cached@"}
    if role.provider == "anthropic":
        details["cache_creation_tokens"] = 0
    usage = {
        "prompt_tokens": "@prompt@",
        "completion_tokens": "@completion@",
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    return {
        "user_api_key_alias": f"{shop}-{role.name}",
        "user_api_key_team_alias": shop,
        "requester_metadata": {"max_delay": role.max_delay} if role.max_delay else None,
        "usage_object": {} if failed else usage,
    }


def _messages(role: Role, *, bodies: bool) -> list[dict[str, str]]:
    if not bodies:
        return [{"role": "user", "content": "redacted-by-litellm"}]
    system = f"You work for {role.name}. " + (_TEXT * 12)[:1_970]
    return [{"role": "system", "content": system}, {"role": "user", "content": "%(question)s"}]


def _response(role: Role, *, bodies: bool) -> dict[str, Any]:
    choice: dict[str, Any] = {"finish_reason": "stop"}
    if bodies:
        choice["message"] = {"role": "assistant", "content": "%(answer)s"}
    tier = {"service_tier": role.tier or "default"} if role.provider == "openai" else {}
    return {"model": role.model, "choices": [choice], **tier}
