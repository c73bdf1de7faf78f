"""The workloads of Thistledown, an invented home and garden shop, over 14 days of October 2026.

One function per workload makes its calls from its own random generator, so a change to one leaves
the others as they are. `Workload.intended` is the label a careful person would give, `why` is the
reason; neither is known to the code under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from random import Random
from typing import Any
from uuid import UUID

from tests.tools import sample_texts as texts
from tests.tools.sample_shapes import Call, Caller, Json

SEED = "thistledown-2026"
FIRST_DAY = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
DAYS = range(14)
WORKDAYS = (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)
HOUR = 3600.0

_HEX = "0123456789abcdef"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Workload:
    """One workload with the truth about it.

    `source` is the folder or file it is logged to, `acceptable` lists labels that a cautious
    reader may give instead of the intended one.
    """

    name: str
    caller: Caller
    source: str
    intended: str
    why: str
    calls: tuple[Call, ...]
    acceptable: tuple[str, ...] = ()


class Recorder:
    """Makes the calls of one workload: its random generator, its ids and its usual settings."""

    def __init__(
        self, name: str, provider: str, model: str, served: str = "", **usual: Any
    ) -> None:
        self.rng = Random(f"{SEED}/{name}")
        self.usual = {
            "provider": provider,
            "request_model": model,
            "response_model": served or model,
            **usual,
        }

    def call(self, started_at: float, duration_s: float, **settings: Any) -> Call:
        """One call; ids that are not given are made up."""
        given = {**self.usual, **settings}
        given.setdefault("response_id", f"chatcmpl-{self.token(29)}")
        given.setdefault("request_id", self.uuid())
        given.setdefault("trace_id", self.uuid())
        return Call(round(started_at, 6), round(duration_s, 6), **given)

    def uuid(self) -> str:
        """A random version 4 UUID."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def token(self, length: int, alphabet: str = _BASE62) -> str:
        """A random id of `length` characters."""
        return "".join(self.rng.choices(alphabet, k=length))

    def about(self, middle: int, spread: float = 0.15) -> int:
        """A whole number near `middle`: a token count."""
        return max(1, round(middle * self.rng.uniform(1 - spread, 1 + spread)))


# --- rhythms -------------------------------------------------------------------------------------


def at(day: int, hour: float) -> float:
    """Epoch seconds of an hour of day `day` of the log."""
    return FIRST_DAY.timestamp() + day * 24 * HOUR + hour * HOUR


def pool_run(
    rng: Random, start: float, count: int, workers: int, mean_s: float
) -> Iterator[tuple[float, float]]:
    """(start, duration) of a list drained by a worker pool: each start follows a completion."""
    free = [start + worker * 0.02 for worker in range(workers)]
    heapify(free)
    for _ in range(count):
        begin = heappop(free)
        duration = mean_s * rng.lognormvariate(-0.05, 0.32)
        heappush(free, begin + duration + rng.uniform(0.004, 0.04))
        yield begin, duration


def arrivals(rng: Random, day: int, count: int, first: float, last: float) -> list[float]:
    """Independent arrival times between two hours of a day, busiest in the middle."""
    return sorted(at(day, rng.triangular(first, last)) for _ in range(count))


def conversation(system: str, pairs: list[tuple[str, str]]) -> list[tuple[tuple[Json, ...], str]]:
    """(messages, reply) of each turn; every turn repeats the whole conversation before it."""
    messages: list[Json] = [{"role": "system", "content": system}]
    turns = []
    for question, answer in pairs:
        messages.append({"role": "user", "content": question})
        turns.append((tuple(messages), answer))
        messages.append({"role": "assistant", "content": answer})
    return turns


def prompt(system: str, user: str) -> tuple[Json, ...]:
    """A single-turn request."""
    return {"role": "system", "content": system}, {"role": "user", "content": user}


# --- jobs that could wait ------------------------------------------------------------------------

_SHEET_SYSTEM = "You write catalogue entries for a garden shop from the supplier's dossier below."


def catalogue_enrichment() -> Workload:
    """305 products each night before a working day, with rate-limit retries."""
    tags = ("job:catalogue-enrichment", "env:prod", "scheduler:airflow", "dag_id:catalogue")
    made = Recorder(
        "catalogue-enrichment", "anthropic", "claude-sonnet-4-6",
        tags=tags, promise={"max_delay": "24h"}, parameters={"max_tokens": 4096},
    )  # fmt: skip
    calls: list[Call] = []
    for day in WORKDAYS:
        start = at(day, 1) + made.rng.uniform(2, 40)
        for begin, duration in pool_run(made.rng, start, count=305, workers=6, mean_s=14):
            calls += _with_retries(made, _enrichment_call(made, begin, duration))
    why = "an Airflow job of single prompts that declares it can wait 24 hours"
    caller = Caller("catalogue-enrichment", "catalogue", "AsyncOpenAI/Python 2.8.0")
    return Workload("catalogue-enrichment", caller, "litellm/", "batch_eligible", why, tuple(calls))


def _enrichment_call(made: Recorder, begin: float, duration: float) -> Call:
    return made.call(
        begin,
        duration,
        messages=prompt(_SHEET_SYSTEM, texts.product_sheet(made.rng)),
        reply=texts.product_entry(made.rng),
        input_tokens=made.about(75_000),
        output_tokens=made.about(2_000, 0.1),
        response_id=f"chatcmpl-{made.uuid()}",
    )


def _with_retries(made: Recorder, call: Call) -> list[Call]:
    """Mostly the call alone; now and then one or two refusals first, under the same trace id."""
    refusals = made.rng.choice((1, 1, 2)) if made.rng.random() < 0.012 else 0
    failed = [
        replace(
            call,
            started_at=round(call.started_at + attempt * 1.5, 6),
            duration_s=0.35,
            request_id=made.uuid(),
            status="error",
            http_status=429,
            error_class="RateLimitError",
            error_message="litellm.RateLimitError: rate limit reached for this organisation",
        )
        for attempt in range(refusals)
    ]
    later = round(call.started_at + refusals * 1.5, 6)
    return [*failed, replace(call, started_at=later)]


def weekly_eval() -> Workload:
    """A graded question set each Sunday, started by CI; a few repeats hit the gateway's cache."""
    tags = ("job:answer-quality", "env:ci", "ci:github-actions", "event:schedule")
    made = Recorder(
        "weekly-eval", "openai", "gpt-5.4", tags=tags,
        promise={"max_delay": "36h"}, parameters={"temperature": 0},
    )  # fmt: skip
    system = "You grade the shop assistant's answer against the reference answer. Reply in JSON."
    calls = []
    for day in (6, 13):
        for number, (begin, duration) in enumerate(pool_run(made.rng, at(day, 18), 260, 8, 7)):
            call = made.call(
                begin,
                duration,
                messages=prompt(system, texts.review(made.rng)),
                reply=texts.verdict(made.rng),
                input_tokens=made.about(18_000),
                output_tokens=made.about(900),
                reasoning_tokens=made.about(500, 0.1),
            )
            calls.append(call)
            if number % 50 == 49:
                calls.append(_cache_hit(made, call))
    why = "a scheduled evaluation whose declared deadline is the next working day"
    caller = Caller("answer-quality-eval", "search", "AsyncOpenAI/Python 2.8.0")
    return Workload("weekly-eval", caller, "litellm/", "batch_eligible", why, tuple(calls))


def _cache_hit(made: Recorder, call: Call) -> Call:
    """The same request asked again and answered by the gateway's own cache: nothing was paid."""
    return replace(
        call,
        started_at=round(call.ended_at + 0.2, 6),
        duration_s=0.012,
        request_id=made.uuid(),
        trace_id=made.uuid(),
        gateway_cache_hit=True,
    )


def storefront_helper() -> Workload:
    """A bulk job under an innocent name: no schedule, no telling words, but it drains lists."""
    made = Recorder(
        "storefront-helper", "openai", "gpt-4.1", "gpt-4.1-2025-04-14",
        tags=("env:prod",), promise={"max_delay": "48h"}, parameters={"temperature": 0.2},
    )  # fmt: skip
    system = "Compare the two product pages below and list every difference a customer would see."
    calls = []
    for day, hour in ((1, 11.3), (4, 15.1), (8, 9.7), (11, 13.4)):
        for begin, duration in pool_run(made.rng, at(day, hour), count=180, workers=5, mean_s=9):
            calls.append(
                made.call(
                    begin,
                    duration,
                    messages=prompt(system, texts.product_sheet(made.rng)),
                    reply=texts.summary(made.rng),
                    input_tokens=made.about(24_000),
                    output_tokens=made.about(1_000),
                )
            )
    why = "an innocent name, but 180 independent prompts at a time that may take two days"
    caller = Caller("storefront-helper", "web")
    return Workload("storefront-helper", caller, "litellm/", "batch_eligible", why, tuple(calls))


def policy_check() -> Workload:
    """Long cached prompts on gpt-4.1: it could wait, but without cache hits a batch costs more."""
    tags = ("job:policy-check", "env:prod", "scheduler:airflow", "dag_id:policy_check")
    made = Recorder(
        "policy-check", "openai", "gpt-4.1", "gpt-4.1-2025-04-14", tags=tags,
        promise={"max_delay": "24h"}, parameters={"temperature": 0},
    )  # fmt: skip
    system = "Here are the shop's listing rules. Say whether the listing keeps them. Reply in JSON."
    calls = []
    for day in (0, 2, 4, 8, 10):
        for begin, duration in pool_run(made.rng, at(day, 3.25), count=120, workers=4, mean_s=5):
            calls.append(
                made.call(
                    begin,
                    duration,
                    messages=prompt(system, texts.policy_case(made.rng)),
                    reply=texts.verdict(made.rng),
                    input_tokens=10_000,
                    cached_tokens=9_000,
                    output_tokens=500,
                )
            )
    why = "independent and patient, yet 90 % of the prompt is cached: synchronous stays cheaper"
    caller = Caller("policy-check", "catalogue")
    return Workload("policy-check", caller, "litellm/", "batch_eligible", why, tuple(calls))


def review_insights() -> Workload:
    """A job that already runs at batch price on the flex tier."""
    tags = ("job:review-insights", "env:prod", "scheduler:airflow", "dag_id:review_insights")
    made = Recorder(
        "review-insights", "openai", "gpt-5.4-mini", tags=tags, tier="flex",
        promise={"max_delay": "24h"},
    )  # fmt: skip
    system = "Extract the product, the complaint and the wish from this review."
    calls = []
    for day in (1, 6, 12):
        for begin, duration in pool_run(made.rng, at(day, 4.5), count=100, workers=4, mean_s=20):
            calls.append(
                made.call(
                    begin,
                    duration,
                    messages=prompt(system, texts.review(made.rng)),
                    reply=texts.summary(made.rng),
                    input_tokens=made.about(9_000),
                    output_tokens=made.about(600),
                    reasoning_tokens=made.about(250),
                )
            )
    why = "a patient job that already uses the flex tier: nothing left to save"
    caller = Caller("review-insights", "catalogue")
    return Workload("review-insights", caller, "litellm/", "batch_eligible", why, tuple(calls))


def press_digest() -> Workload:
    """Three calls each morning: patient, but far below 100 calls a day."""
    tags = ("job:press-digest", "env:prod", "scheduler:cron")
    made = Recorder(
        "press-digest", "openai", "gpt-4.1", "gpt-4.1-2025-04-14", tags=tags,
        promise={"max_delay": "24h"},
    )  # fmt: skip
    system = "Summarise this morning's press mentions in two sentences."
    calls = [
        made.call(
            at(day, 6) + 11 * number + made.rng.uniform(1, 4),
            made.rng.uniform(4, 9),
            messages=prompt(system, texts.review(made.rng)),
            reply=texts.summary(made.rng),
            input_tokens=made.about(16_000),
            output_tokens=made.about(300),
        )
        for day in DAYS
        for number in range(3)
    ]
    why = "patient, but three calls a day are not worth a batch"
    caller = Caller("press-digest", "marketing")
    return Workload("press-digest", caller, "litellm_objects/", "batch_eligible", why, tuple(calls))


def sku_copy() -> Workload:
    """A nightly job on an in-house model that no price list knows."""
    tags = ("job:sku-copy", "env:prod", "scheduler:cron")
    made = Recorder(
        "sku-copy", "hosted_vllm", "thistle-writer-7b", tags=tags, promise={"max_delay": "24h"}
    )
    system = "Write a shelf label of at most eight words for this product."
    calls = []
    for day in (8, 10):
        for begin, duration in pool_run(made.rng, at(day, 2), count=80, workers=2, mean_s=1.5):
            calls.append(
                made.call(
                    begin,
                    duration,
                    messages=prompt(system, texts.product_sheet(made.rng)),
                    reply=texts.thing(made.rng),
                    input_tokens=made.about(2_400),
                    output_tokens=made.about(20),
                )
            )
    why = "a patient nightly job on an in-house model: eligible by shape, but it has no price"
    caller = Caller("sku-copy", "catalogue")
    return Workload(
        "sku-copy", caller, "litellm_export/", "batch_eligible", why, tuple(calls), ("gray_area",)
    )


def contract_review() -> Workload:
    """110 supplier contracts every working night, logged by a home-grown proxy as CSV."""
    made = Recorder("contract-review", "anthropic", "claude-opus-4-8")
    system = "Answer from the contract below and quote the clause."
    calls = []
    for day in WORKDAYS:
        for begin, duration in pool_run(made.rng, at(day, 22), count=110, workers=3, mean_s=26):
            calls.append(
                made.call(
                    begin,
                    duration,
                    messages=prompt(system, texts.contract_question(made.rng)),
                    reply=texts.summary(made.rng),
                    input_tokens=made.about(60_000),
                    output_tokens=made.about(1_500),
                    response_id=f"msg_01{made.token(22)}",
                )
            )
    why = "a nightly cron job with a declared tolerance of a day"
    caller = Caller("contract-review", "procurement")
    source = "proxy_csv/"
    return Workload(
        "contract-review", caller, source, "batch_eligible", why, tuple(calls), ("gray_area",)
    )


def manual_embeddings() -> Workload:
    """All product manuals embedded in one Saturday run; the log has no caller and no schedule."""
    made = Recorder("manual-embeddings", "openai", "text-embedding-3-large", operation="embeddings")
    calls = []
    for begin, duration in pool_run(made.rng, at(5, 10.2), count=250, workers=4, mean_s=2.2):
        pages = texts.manual_pages(made.rng, pages=6)
        calls.append(
            made.call(
                begin,
                duration,
                messages=tuple({"role": "user", "content": page} for page in pages),
                reply="",
                input_tokens=made.about(180_000),
                output_tokens=0,
                response_id="",
            )
        )
    why = "long documents in one run; nothing says how soon the vectors are needed"
    caller = Caller("", "", "OpenAI/Python 2.8.0")
    return Workload(
        "manual-embeddings", caller, "openai_embeddings/", "gray_area", why, tuple(calls),
        ("batch_eligible",),
    )  # fmt: skip


# --- already batched -----------------------------------------------------------------------------


def colour_tagging() -> Workload:
    """OpenAI batch output: two files of 150 lines whose times look like a burst."""
    made = Recorder("colour-tagging", "openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    calls = []
    for day in (3, 10):
        for number in range(150):
            calls.append(
                made.call(
                    at(day, 5) + made.rng.uniform(0, 280),
                    3.0,
                    messages=(),
                    reply=texts.verdict(made.rng),
                    input_tokens=made.about(5_200),
                    output_tokens=made.about(40),
                    request_id=made.token(32, _HEX),
                    session_id=f"item-{day}-{number}",
                )
            )
    why = "the envelope of an OpenAI batch output file: already at half price"
    return Workload(
        "colour-tagging", Caller("", ""), "openai_batch/", "batch_eligible", why, tuple(calls)
    )


def size_extraction() -> Workload:
    """Anthropic batch results: 180 that succeeded."""
    made = Recorder("size-extraction", "anthropic", "claude-haiku-4-5-20251001")
    calls = [
        made.call(
            at(9, 7),
            3.0,
            messages=(),
            reply=texts.verdict(made.rng),
            input_tokens=made.about(6_500),
            output_tokens=made.about(90),
            response_id=f"msg_01{made.token(22)}",
            session_id=f"sheet-{number}",
        )
        for number in range(180)
    ]
    why = "Anthropic batch results: already at half price"
    return Workload(
        "size-extraction", Caller("", ""), "anthropic_batch/", "batch_eligible", why, tuple(calls)
    )


# --- somebody waits ------------------------------------------------------------------------------


def support_chat() -> Workload:
    """Customer chat: streams, growing conversations, think time, customers who leave mid-answer."""
    made = Recorder(
        "support-chat", "anthropic", "claude-sonnet-4-5-20250929",
        tags=("service:support-chat", "env:prod"), parameters={"max_tokens": 1024},
    )  # fmt: skip
    calls: list[Call] = []
    for day in DAYS:
        for begin in arrivals(made.rng, day, count=22, first=6, last=22):
            calls += _chat_session(made, begin)
    why = "customers read the stream, and some close the window"
    caller = Caller("support-chat", "service", "OpenAI/JS 6.9.0")
    return Workload("support-chat", caller, "litellm/", "realtime", why, tuple(calls))


def _chat_session(made: Recorder, begin: float) -> list[Call]:
    """One customer's conversation; the knowledge base in front is cached after the first turn."""
    rng = made.rng
    system = "You are the support assistant of Thistledown. Be kind, be brief, use the articles."
    visitor, session = f"visitor-{rng.randrange(10**6)}", made.uuid()
    calls: list[Call] = []
    known = 9_200
    for messages, answer in conversation(system, texts.dialogue(rng, rng.choice((1, 2, 3, 4, 6)))):
        fresh = made.about(140, 0.5)
        call = made.call(
            begin,
            rng.uniform(3, 9),
            messages=messages,
            reply=answer,
            input_tokens=known + fresh,
            cached_tokens=known if calls else 0,
            written_tokens=fresh if calls else known,
            output_tokens=made.about(210, 0.4),
            first_token_s=round(rng.uniform(0.4, 1.4), 6),
            end_user=visitor,
            session_id=session,
            response_id=f"chatcmpl-{made.uuid()}",
        )
        calls.append(_cancelled(call) if rng.random() < 0.025 else call)
        known += fresh + call.output_tokens
        begin += call.duration_s + rng.uniform(15, 120)
    return calls


def _cancelled(call: Call) -> Call:
    """The client went away: the gateway logs 499 and no usage."""
    return replace(
        call,
        duration_s=round(call.duration_s / 2, 6),
        status="cancelled",
        http_status=499,
        error_class="ClientDisconnect",
        error_message="client closed the connection",
    )


def nightly_batch_summaries() -> Workload:
    """A lying name: born as a nightly job, today a button that streams to people at work."""
    made = Recorder(
        "nightly-batch-summaries", "anthropic", "claude-haiku-4-5-20251001",
        tags=("env:prod",), headers={"x-litellm-timeout": "20"}, parameters={"max_tokens": 800},
    )  # fmt: skip
    system = "Summarise the depot's reports for the person who asked."
    calls = []
    for day in WORKDAYS:
        for begin in arrivals(made.rng, day, count=28, first=7, last=18):
            call = made.call(
                begin,
                made.rng.uniform(2, 6),
                messages=prompt(system, texts.day_digest(made.rng)),
                reply=texts.summary(made.rng),
                input_tokens=made.about(22_000),
                output_tokens=made.about(350),
                first_token_s=round(made.rng.uniform(0.3, 0.9), 6),
                end_user=f"staff-{made.rng.randrange(60)}",
                response_id=f"chatcmpl-{made.uuid()}",
            )
            calls.append(_cancelled(call) if made.rng.random() < 0.02 else call)
    why = "the name says batch; the streams, the users and the 20 second timeout say otherwise"
    caller = Caller("nightly-batch-summaries", "logistics", "OpenAI/JS 6.9.0")
    return Workload("nightly-batch-summaries", caller, "litellm/", "realtime", why, tuple(calls))


def checkout_risk() -> Workload:
    """A classifier inside the checkout: priority tier, five second timeout."""
    made = Recorder(
        "checkout-risk", "openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", tier="priority",
        tags=("service:checkout", "env:prod"), headers={"x-litellm-timeout": "5"},
    )  # fmt: skip
    system = "Rate the risk of this payment from 1 to 10. Reply in JSON."
    calls = [
        made.call(
            begin,
            made.rng.uniform(0.4, 1.1),
            messages=prompt(system, texts.payment_note(made.rng)),
            reply=texts.verdict(made.rng),
            input_tokens=made.about(1_800),
            output_tokens=made.about(30),
        )
        for day in DAYS
        for begin in arrivals(made.rng, day, count=25, first=5, last=23)
    ]
    why = "priority tier and a five second timeout in the checkout"
    caller = Caller("checkout-risk", "payments")
    return Workload("checkout-risk", caller, "litellm/", "realtime", why, tuple(calls))


def search_embeddings() -> Workload:
    """Search queries of a few words, embedded while the visitor waits for results."""
    made = Recorder(
        "search-embeddings", "openai", "text-embedding-3-small", operation="embeddings",
        tags=("service:search", "env:prod"),
    )  # fmt: skip
    calls = [
        made.call(
            begin,
            made.rng.uniform(0.08, 0.3),
            messages=({"role": "user", "content": texts.search_query(made.rng)},),
            reply="",
            input_tokens=made.rng.randrange(3, 13),
            output_tokens=0,
            response_id="",
        )
        for day in DAYS
        for begin in arrivals(made.rng, day, count=30, first=6, last=23)
    ]
    why = "queries of a few words: a search box"
    return Workload(
        "search-embeddings", Caller("search-embeddings", "search"), "litellm/", "realtime", why,
        tuple(calls),
    )  # fmt: skip


def coding_agent() -> Workload:
    """Developers' coding agent: every step answers a tool call of the step before."""
    made = Recorder("coding-agent", "anthropic", "claude-opus-4-8")
    calls: list[Call] = []
    for day in WORKDAYS:
        for begin in arrivals(made.rng, day, count=3, first=8, last=17):
            calls += _agent_session(made, begin)
    why = "each call carries the tool results of the one before: not independent"
    caller = Caller("", "", "Anthropic/JS 0.68.0")
    return Workload("coding-agent", caller, "anthropic_messages/", "realtime", why, tuple(calls))


_TOOLS = [{"name": "run", "description": "Run a command.", "input_schema": {"type": "object"}}]


def _agent_session(made: Recorder, begin: float) -> list[Call]:
    rng = made.rng
    usual = {"system": "You are a coding agent in the shop's repository.", "tools": _TOOLS,
             "max_tokens": 16_000}  # fmt: skip
    developer, steps = f"dev-{texts.person(rng).lower()}", rng.randrange(6, 14)
    messages: list[Json] = [{"role": "user", "content": texts.coding_task(rng)}]
    calls: list[Call] = []
    known = 0
    for step in range(steps):
        fresh = made.about(3_500, 0.6) if known else made.about(21_000)
        blocks = _agent_reply(made, last=step == steps - 1)
        call = made.call(
            begin,
            rng.uniform(3, 25),
            messages=tuple(messages),
            reply="",
            input_tokens=known + fresh,
            cached_tokens=known,
            written_tokens=fresh - 4,
            output_tokens=made.about(450, 0.6),
            first_token_s=round(rng.uniform(0.8, 2), 6),
            end_user=developer,
            response_id=f"msg_01{made.token(22)}",
            request_id=f"req_01{made.token(22)}",
            parameters={**usual, "reply_blocks": blocks},
        )
        calls.append(call)
        known += fresh
        messages += [{"role": "assistant", "content": blocks}, _tool_result(made, blocks[-1])]
        begin += call.duration_s + rng.uniform(1, 20)
    return calls


def _agent_reply(made: Recorder, *, last: bool) -> list[Json]:
    path = texts.source_path(made.rng)
    if last:
        return [{"type": "text", "text": f"Done: {path} is changed and the tests pass."}]
    command = {"command": f"{made.rng.choice(('cat', 'grep -n total', 'pytest -q'))} {path}"}
    return [
        {"type": "text", "text": f"Let me look at {path}."},
        {"type": "tool_use", "id": f"toolu_{made.token(16)}", "name": "run", "input": command},
    ]


def _tool_result(made: Recorder, block: Json) -> Json:
    result = {"type": "tool_result", "tool_use_id": block.get("id"),
              "content": texts.tool_output(made.rng)}  # fmt: skip
    return {"role": "user", "content": [result]}


def staff_helpdesk() -> Workload:
    """Staff ask the internal helpdesk; answers are not streamed, but conversations go on."""
    made = Recorder("staff-helpdesk", "openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18")
    system = "You are the internal helpdesk. Answer from the handbook in one sentence."
    calls = []
    for day in WORKDAYS:
        for begin in arrivals(made.rng, day, count=8, first=7, last=17):
            user, moment = f"staff-{made.rng.randrange(60)}", begin
            pairs = texts.staff_dialogue(made.rng, made.rng.randrange(2, 5))
            for number, (messages, answer) in enumerate(conversation(system, pairs)):
                call = made.call(
                    moment,
                    made.rng.uniform(1, 3),
                    messages=messages,
                    reply=answer,
                    input_tokens=made.about(7_000 + 120 * number, 0.02),
                    output_tokens=made.about(60),
                    request_id=f"req_{made.token(32, _HEX)}",
                    parameters={"user": user},
                )
                calls.append(_refused(call) if made.rng.random() < 0.02 else call)
                moment += call.duration_s + made.rng.uniform(12, 90)
    why = "people hold conversations with it"
    return Workload(
        "staff-helpdesk", Caller("", "", "OpenAI/Python 2.8.0"), "openai_chat/helpdesk", "realtime",
        why, tuple(calls),
    )  # fmt: skip


def _refused(call: Call) -> Call:
    """The provider said no: an error body without id and usage."""
    return replace(
        call,
        status="error",
        http_status=429,
        error_class="rate_limit_exceeded",
        error_message="Rate limit reached, please try again",
    )


def shopping_assistant() -> Workload:
    """Responses API: the conversation lives at the provider, linked by previous_response_id."""
    made = Recorder("shopping-assistant", "openai", "gpt-5-mini", "gpt-5-mini-2025-08-07")
    calls = []
    for day in DAYS:
        for begin in arrivals(made.rng, day, count=5, first=8, last=22):
            visitor, moment, previous = f"visitor-{made.rng.randrange(10**6)}", begin, None
            for question, answer in texts.dialogue(made.rng, made.rng.randrange(2, 5)):
                call = made.call(
                    moment,
                    made.rng.uniform(2, 7),
                    messages=({"role": "user", "content": question},),
                    reply=answer,
                    input_tokens=made.about(5_500),
                    cached_tokens=1_024 if previous else 0,
                    output_tokens=made.about(260),
                    reasoning_tokens=made.about(90),
                    first_token_s=round(made.rng.uniform(0.5, 1.5), 6),
                    end_user=visitor,
                    response_id=f"resp_{made.token(48, _HEX)}",
                    request_id=f"req_{made.token(32, _HEX)}",
                    parameters={
                        "instructions": "Help the visitor choose.",
                        "previous_response_id": previous,
                    },
                )
                calls.append(call)
                previous = call.response_id
                moment += call.duration_s + made.rng.uniform(10, 80)
    why = "visitors talk to it; each answer continues the one before"
    return Workload(
        "shopping-assistant", Caller("", "", "OpenAI/JS 6.9.0"), "openai_responses/", "realtime",
        why, tuple(calls),
    )  # fmt: skip


# --- nobody can tell -----------------------------------------------------------------------------


def svc_orion() -> Workload:
    """Many calls, redacted prompts, no tags: only its owner knows."""
    hidden = "redacted-by-litellm"
    made = Recorder(
        "svc-orion", "openai", "gpt-4o", "gpt-4o-2024-08-06",
        messages=({"role": "user", "content": hidden},), reply=hidden,
    )  # fmt: skip
    calls = [
        made.call(
            at(day, hour) + moment,
            made.rng.uniform(3, 12),
            input_tokens=made.about(14_000, 0.4),
            output_tokens=made.about(700, 0.5),
        )
        for day, hour in ((2, 8.4), (5, 20.1), (9, 14.6), (12, 3.9))
        for moment in sorted(made.rng.uniform(0, 2 * HOUR) for _ in range(125))
    ]
    why = "125 calls at a time, but no prompt, tag or deadline to judge by"
    return Workload(
        "svc-orion", Caller("svc-orion", "platform"), "litellm/", "gray_area", why, tuple(calls)
    )


def unlabelled_bodies() -> Workload:
    """Bare response bodies somebody kept: no request, no caller."""
    made = Recorder("unlabelled-bodies", "openai", "gpt-4o", "gpt-4o-2024-08-06")
    calls = [
        made.call(
            begin,
            4.0,
            messages=(),
            reply=texts.summary(made.rng),
            input_tokens=made.about(8_000, 0.5),
            output_tokens=made.about(500, 0.5),
        )
        for day in DAYS
        for begin in arrivals(made.rng, day, count=9, first=0, last=24)
    ]
    why = "response bodies without requests: no evidence either way"
    return Workload(
        "unlabelled-bodies", Caller("", ""), "openai_chat/unlabelled_bodies", "gray_area", why,
        tuple(calls),
    )  # fmt: skip


WORKLOADS: tuple[Callable[[], Workload], ...] = (
    catalogue_enrichment,
    contract_review,
    weekly_eval,
    storefront_helper,
    policy_check,
    review_insights,
    press_digest,
    sku_copy,
    manual_embeddings,
    colour_tagging,
    size_extraction,
    support_chat,
    nightly_batch_summaries,
    checkout_risk,
    search_embeddings,
    coding_agent,
    staff_helpdesk,
    shopping_assistant,
    svc_orion,
    unlabelled_bodies,
)
"""Every workload of the shop, those worth money first."""
