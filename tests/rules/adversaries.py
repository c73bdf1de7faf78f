"""Literal workloads that look like their opposite: live services like batch, batch like live ones.

Each is a list of calls of one caller. Rates, sizes and hours are round numbers of a kind of
service, not of any caller in an evaluation set.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from tests.rules.labelling import a_call, dialogue

Calls = list[dict[str, Any]]
DAY = 86_400.0
HOUR = 3_600.0


def _timed(number: int, at: float, lasts: float, **fields: Any) -> dict[str, Any]:
    """One call that lasts so many seconds."""
    call = a_call(number, at, **fields)
    call["ended_at"] = call["started_at"] + timedelta(seconds=lasts)
    return call


def pool(
    seed: int,
    count: int,
    at: float = 0.0,
    slots: int = 6,
    lasts: float = 5.0,
    spread: float = 0.4,
    **fields: Any,
) -> Calls:
    """A program (or a saturated gateway) whose slots take the next call when one is done."""
    rng = random.Random(seed)
    free = [at + rng.uniform(0, 0.2) for _ in range(slots)]
    calls = []
    for number in range(count):
        slot = free.index(min(free))
        start = free[slot] + rng.uniform(0.005, 0.06)
        took = lasts * rng.lognormvariate(0, spread)
        calls.append(
            _timed(
                seed * 100_000 + number,
                start,
                took,
                input_tokens=int(800 * rng.lognormvariate(0, 0.5)),
                **fields,
            )
        )
        free[slot] = start + took
    return calls


def opened(
    seed: int, count: int, at: float, over: float, lasts: float = 3.0, **fields: Any
) -> Calls:
    """Independent arrivals at an even rate."""
    rng = random.Random(seed)
    return [
        _timed(
            seed * 100_000 + number,
            start,
            lasts * rng.lognormvariate(0, 0.4),
            input_tokens=int(800 * rng.lognormvariate(0, 0.5)),
            **fields,
        )
        for number, start in enumerate(sorted(at + rng.random() * over for _ in range(count)))
    ]


def numbered(calls: Iterable[dict[str, Any]], seed: int, **fields: Any) -> Calls:
    """The same calls with numbers, prompts and fields of their own."""
    return [
        {**call, "call_id": f"x-{seed}-{n}", "message_hashes": [1, seed * 1_000_000 + n], **fields}
        for n, call in enumerate(calls)
    ]


def daily(seed: int, days: Iterable[int], hour: float, count: int, **kwargs: Any) -> Calls:
    """A pool at the same hour on several days (hours after START)."""
    return numbered(
        (
            c
            for d in days
            for c in pool(seed * 100 + d, count, d * DAY + hour * HOUR + 20 * (d % 3), **kwargs)
        ),
        seed,
    )


def cancelled(calls: Calls, every: int) -> Calls:
    """Each so-and-so-many-th call given up by the client."""
    for number, call in enumerate(calls):
        if number % every == every // 2:
            call["status"] = "cancelled"
    return calls


def spread_starts(
    seed: int, days: Iterable[int], hours: tuple[float, float], count: int, **kwargs: Any
) -> Calls:
    """A pool on several days, each started by hand at some time between two hours."""
    rng = random.Random(seed)
    return numbered(
        (
            c
            for d in days
            for c in pool(
                seed * 100 + d,
                count + rng.randrange(-20, 20),
                d * DAY + rng.uniform(*hours) * HOUR,
                **kwargs,
            )
        ),
        seed,
    )


def dialogues(seed: int, many: int, turns: int, at: float, every: float, **fields: Any) -> Calls:
    """Chats one beside the other."""
    return numbered_chain(
        [
            c
            for n in range(many)
            for c in dialogue(0, turns, at + every * n, seed=seed * 1000 + n, **fields)
        ],
        seed,
    )


def numbered_chain(calls: Calls, seed: int) -> Calls:
    """New ids, the prompts kept."""
    return [{**call, "call_id": f"x-{seed}-{n}"} for n, call in enumerate(calls)]


def clumps(seed: int) -> Calls:
    """Bursts of simultaneous arrivals, as editors send them: dense, and open."""
    rng = random.Random(seed)
    at = 0.0
    calls: Calls = []
    while len(calls) < 2000:
        at += rng.expovariate(0.5)
        for _ in range(1 + int(rng.expovariate(0.2))):
            calls.append(_timed(0, at + rng.random() * 0.08, rng.uniform(0.4, 3.0)))
    return numbered(sorted(calls, key=lambda c: c["started_at"]), seed)


def growing_loop(seed: int) -> Calls:
    """An unattended agent whose single message carries all that came before: 120 steps a night."""
    rng = random.Random(seed)
    calls = []
    for night in range(5):
        at = night * DAY
        for step in range(120):
            took = 8 * rng.lognormvariate(0, 0.3)
            calls.append(
                _timed(0, at, took, input_tokens=1500 + 700 * (step % 12) + rng.randrange(300))
            )
            at += took + rng.uniform(0.05, 0.8)
    return numbered(calls, seed)


def agents(seed: int) -> Calls:
    """Five agents beside each other every night: a call, a tool for some seconds, the next call."""
    rng = random.Random(seed)
    calls = []
    for night in range(5):
        for _ in range(5):
            at, size = night * DAY + 10 * rng.random(), 3000
            for step in range(40):
                took = 4 * rng.lognormvariate(0, 0.4)
                calls.append(_timed(0, at, took, input_tokens=size, has_tool_result=step > 0))
                at += took + rng.lognormvariate(0.7, 0.9)
                size += rng.randrange(200, 1500)
    calls.sort(key=lambda call: call["started_at"])
    return numbered(calls, seed, scheduler="cron")


def steady_loop(seed: int) -> Calls:
    """A script that writes one text after another, 120 a day, each for a good while."""
    rng = random.Random(seed)
    calls = []
    for day in range(5):
        at = day * DAY + rng.uniform(4, 20) * HOUR
        for _ in range(120):
            took = 9 * rng.lognormvariate(0, 0.3)
            calls.append(_timed(0, at, took, input_tokens=int(1500 * rng.lognormvariate(0, 0.5))))
            at += took + rng.uniform(0.05, 0.8)
    return numbered(calls, seed)


def replayed_dialogues(seed: int) -> Calls:
    """Recorded conversations, all turns shuffled and sent by a pool: nested, yet unanswered."""
    rng = random.Random(seed)
    calls: Calls = []
    for day in range(4):
        turns = [(c, t) for c in range(30) for t in range(5)]
        rng.shuffle(turns)
        drained = pool(seed * 100 + day, len(turns), day * DAY, slots=12, lasts=3.0)
        for call, (which, turn) in zip(drained, turns, strict=True):
            text = [1, *(seed * 10**7 + day * 10**5 + which * 100 + n for n in range(2 * turn + 1))]
            calls.append({**call, "message_hashes": text, "message_count": len(text)})
    return numbered_chain(calls, seed)


def capped_gateway(seed: int, slots: int, load: float, hours: float = 1.0, days: int = 6) -> Calls:
    """People behind a cap of so many calls at a time: who comes while it is full waits."""
    rng = random.Random(seed)
    calls: Calls = []
    for day in range(days):
        at = day * DAY + 9 * HOUR + rng.random() * 60
        free = [at] * slots
        arrives = at
        while arrives < at + hours * HOUR:
            slot = free.index(min(free))
            start = max(arrives, free[slot] + rng.uniform(0.005, 0.06))
            took = 5.0 * rng.lognormvariate(0, 0.5)
            calls.append(_timed(0, start, took, input_tokens=rng.randrange(200, 2000)))
            free[slot] = start + took
            arrives += rng.expovariate(load * slots / 5.7)
    return numbered(calls, seed)


def timer(seed: int, period: float, count: int, hours: float, **kwargs: Any) -> Calls:
    """A pool of so many calls at every tick of a timer."""
    ticks = int(hours * HOUR / period)
    return numbered(
        (c for t in range(ticks) for c in pool(seed * 1000 + t, count, t * period, **kwargs)), seed
    )


def ticking(seed: int) -> Calls:
    """A hint every 20 seconds while people are on the phone."""
    return numbered(
        (
            _timed(0, day * DAY + 8 * HOUR + 20.0 * n + 0.3 * (n % 3), 0.8)
            for day in range(5)
            for n in range(150)
        ),
        seed,
    )


def fan_outs(seed: int) -> Calls:
    """Five calls side by side at each click."""
    rng = random.Random(seed)
    return numbered(
        (
            _timed(0, at + 0.01 * n, rng.uniform(4, 8))
            for at in sorted(rng.random() * 10 * DAY for _ in range(150))
            for n in range(5)
        ),
        seed,
    )


WEEK = range(5)

LIVE: dict[str, Callable[[], Calls]] = {
    # Saturation pins the slots of a live service as a program's list does.
    "saturated-chat": lambda: without_bodies(
        daily(1, range(4), 18, 250, lasts=20.0, is_streaming=True)
    ),
    "saturated-chat-for-a-week": lambda: without_bodies(
        daily(2, range(6), 18, 400, lasts=15.0, is_streaming=True, max_output_tokens=4096)
    ),
    "saturated-chat-with-hangups": lambda: cancelled(
        daily(3, range(4), 18, 250, lasts=20.0, is_streaming=True), 60
    ),
    "saturated-service-with-clicks": lambda: [
        *daily(4, range(3), 10, 200, end_user_hash="u"),
        *numbered(opened(5, 500, 0, 3 * DAY), 5, end_user_hash="u"),
    ],
    "capped-gateway-busy": lambda: capped_gateway(101, 8, 0.95),
    "capped-gateway-overloaded": lambda: capped_gateway(102, 8, 1.15),
    "capped-gateway-of-three": lambda: capped_gateway(103, 3, 0.9, hours=1.5),
    "capped-gateway-two-days-a-week": lambda: capped_gateway(104, 12, 0.85, days=4),
    "saturated-voice": lambda: daily(6, WEEK, 9, 150, lasts=1.0, client_timeout_s=8.0),
    "saturated-hangups-not-streamed": lambda: cancelled(daily(7, WEEK, 9, 150, lasts=4.0), 50),
    # Dense, open, bursty, flat, metronomic.
    "launch-burst": lambda: numbered(opened(10, 1300, 0, 2100), 10),
    "front-door-of-many-users": lambda: numbered(opened(11, 3000, 0, 8 * HOUR), 11),
    "clumps": lambda: clumps(12),
    "flat-day-and-night": lambda: numbered(opened(13, 1500, 0, 2 * DAY), 13),
    "metronome": lambda: ticking(14),
    "five-at-a-click": lambda: fan_outs(15),
    "nightly-batch-jobs-live": lambda: cancelled(numbered(opened(16, 600, 0, 5 * DAY), 16), 40),
    # Timers whose period is their deadline.
    "five-minute-timer": lambda: timer(20, 300, 100, 10, slots=10, lasts=5.0, scheduler="cron"),
    "five-minute-timer-unnamed": lambda: timer(21, 300, 60, 10, slots=10, lasts=5.0),
    "hourly-timer": lambda: timer(22, 3600, 120, 60, slots=8, scheduler="cron"),
    "quarter-hour-timer": lambda: timer(23, 900, 10, 48, slots=2, scheduler="cron"),
    # Somebody started it and sits there.
    "merge-gate": lambda: spread_starts(
        30, range(8), (6, 16), 105, slots=20, lasts=3.0, scheduler="ci"
    ),
    "merge-gate-tagged": lambda: spread_starts(
        31, range(8), (6, 16), 105, slots=20, lasts=3.0, tags=["required_check:true"]
    ),
    "analyst-without-a-name": lambda: spread_starts(
        32, range(6), (7, 20), 150, slots=8, lasts=4.0, caller=None
    ),
    "analyst-in-office-hours": lambda: spread_starts(33, range(6), (8, 16), 150, lasts=4.0),
    # Habits are not clocks: about nine, before the meeting at four, 80 calls at a click.
    "short-list-by-hand-at-about-nine": lambda: spread_starts(
        106, range(8), (7.75, 8.25), 150, lasts=4.0
    ),
    "list-before-the-meeting": lambda: spread_starts(
        107, range(10), (14 + 55 / 60, 15 + 5 / 60), 200, lasts=5.0
    ),
    "eighty-at-a-click": lambda: spread_starts(108, range(9), (7.9, 8.1), 80, slots=4, lasts=4.5),
    "pipeline-that-somebody-starts-at-about-nine": lambda: spread_starts(
        109, range(8), (7.75, 8.25), 700, lasts=5.5, scheduler="ci"
    ),
    "somebodys-trial": lambda: numbered(pool(34, 500), 34),
    "long-trial": lambda: numbered(pool(35, 300, slots=4, lasts=20.0), 35),
    "brief-due-at-eight": lambda: daily(36, WEEK, 5, 110, tags=["deadline:08:00"]),
    "result-due-in-a-quarter-hour": lambda: daily(37, WEEK, 5, 110, declared_tolerance_s=900.0),
    "uploads-of-five-users": lambda: uploads(110, 5, slots=2, lasts=14.0),
    "retry-storm": lambda: retry_storm(111),
    "pays-for-priority": lambda: daily(38, WEEK, 1, 200, service_tier="priority"),
    # Queues are filled by events.
    "queue-at-its-limit": lambda: spread_starts(
        40, WEEK, (6, 20), 300, lasts=4.0, scheduler="queue", tags=["queue.depth:30"]
    ),
    "spinner-behind-celery": lambda: numbered(
        opened(41, 600, 0, 5 * DAY), 41, scheduler="celery", client_timeout_s=45.0
    ),
    "task-queue-in-office-hours": lambda: spread_starts(
        42, WEEK, (8, 16), 150, lasts=5.0, scheduler="celery"
    ),
    # Calls that need the answer of another.
    "chat": lambda: dialogues(50, 80, 5, 0, 400.0, is_streaming=True),
    "agents-in-parallel-at-night": lambda: agents(51),
    "two-models-talking": lambda: dialogues(52, 60, 8, 0, 3.0, gap=6.0, service_tier="flex"),
    "server-side-history": lambda: [
        {**c, "previous_response_id": "r"} for c in daily(53, WEEK, 0, 120)
    ],
    "one-message-agent-at-night": lambda: growing_loop(54),
    # Embeddings that somebody asks with.
    "search-box": lambda: [
        {**c, "input_tokens": 6}
        for c in numbered(opened(60, 1500, 0, 12 * HOUR, 0.2), 60, operation_name="embeddings")
    ],
    "upload-then-ask": lambda: numbered(
        (c for n in range(40) for c in pool(6100 + n, 30, n * 5 * HOUR, slots=8, lasts=0.3)),
        61,
        operation_name="embeddings",
        input_tokens=500,
    ),
}
"""People wait, calls depend on each other, or nobody can know: never batch_eligible."""

BATCH: dict[str, Callable[[], Calls]] = {
    "every-night": lambda: daily(70, WEEK, 0, 130),
    "every-night-three-prompts": lambda: [
        {**c, "template_hash": f"t{n % 3}"} for n, c in enumerate(daily(71, range(8), 1, 120))
    ],
    "every-night-many-seeds": lambda: [
        {**c, "template_hash": f"s{n % 40}"} for n, c in enumerate(daily(72, WEEK, 1, 150))
    ],
    "cron-across-a-clock-change": lambda: [
        *daily(73, range(6), 2, 130),
        *numbered(daily(74, range(6, 12), 3, 130), 74),
    ],
    "every-week": lambda: daily(75, range(0, 28, 7), 20, 200),
    "long-streams": lambda: spread_starts(
        76, range(5), (0, 24), 130, slots=4, lasts=25.0, is_streaming=True
    ),
    "operator-stopped-a-run": lambda: stopped(77),
    "evenings-of-backfill": lambda: daily(78, range(6), 19, 160),
    "recorded-dialogues": lambda: replayed_dialogues(79),
    "one-after-another": lambda: steady_loop(80),
    "months-of-backlog": lambda: [
        {**c, "tags": [f"queue.depth:{400_000 - n}"], "scheduler": "queue"}
        for n, c in enumerate(numbered(opened(81, 1200, 0, 10 * DAY), 81))
    ],
    "waits-out-its-quota": lambda: waiting_out_a_quota(82),
    "every-eight-hours": lambda: [
        call
        for hour in (0, 8, 16)
        for call in daily(88 + hour, WEEK, hour, 150, lasts=6.0, slots=4)
    ],
    "hours-at-a-stretch": lambda: numbered(pool(83, 2400, slots=4, lasts=15.0), 83),
    "accepts-flex": lambda: spread_starts(84, range(3), (8, 16), 140, service_tier="flex"),
    "said-a-day-will-do": lambda: daily(85, WEEK, 4, 20, declared_tolerance_s=DAY),
    "experiment-id-as-session": lambda: [
        {**c, "conversation_id": "exp-1"} for c in daily(86, WEEK, 2, 130, slots=10)
    ],
    "report-per-customer": lambda: [
        {**c, "end_user_hash": f"m{n % 150}"} for n, c in enumerate(daily(87, WEEK, 22, 150))
    ],
}
"""A program's list whose result can wait: batch_eligible where prompts are logged."""


def waiting_out_a_quota(seed: int) -> Calls:
    """Two lists; each fifth item is refused at once and sent again 40 s later, the first one too.

    The run therefore begins with a refused request long before the slots fill.
    """
    calls: Calls = []
    for day, hour in enumerate((18, 9)):
        for number, call in enumerate(pool(seed * 100 + day, 250, day * DAY + hour * HOUR)):
            calls.append(call)
            if number % 5 == 0:
                call["attempt_group"] = f"{day}-{number}"
                start = call["started_at"] - timedelta(seconds=40)
                refused = {"status": "error", "http_status": 429, "output_tokens": 0}
                ended = start + timedelta(seconds=0.3)
                calls.append({**call, "started_at": start, "ended_at": ended, **refused})
    return numbered(sorted(calls, key=lambda call: call["started_at"]), seed)


def stopped(seed: int) -> Calls:
    """Long streams for five days; one run ends when its operator stops it."""
    calls = daily(seed, WEEK, 12, 110, slots=3, lasts=20.0, is_streaming=True)
    for call in calls[-3:]:
        call.update(status="cancelled", ended_at=calls[-1]["ended_at"])
    return calls


def without_bodies(calls: Calls) -> Calls:
    """As a gateway writes them whose prompts are redacted."""
    gone = ("message_hashes", "message_count", "template_hash", "has_tool_result", "attempt_group")
    return [{**call, **dict.fromkeys(gone)} for call in calls]


# --- live work in a log that records no cancels ---------------------------------------------------


def one_by_one(
    seed: int, days: int, hours: tuple[float, float], over: float, lasts: float, pause: float
) -> Calls:
    """The next call goes out when the last one is answered, for so many seconds on each day."""
    rng = random.Random(seed)
    calls = []
    for day in range(days):
        at = opens = day * DAY + rng.uniform(*hours) * HOUR
        while at < opens + over:
            took = lasts * rng.lognormvariate(0, 0.3)
            calls.append(_timed(0, at, took, input_tokens=int(900 * rng.lognormvariate(0, 0.2))))
            at += took + rng.uniform(0.05, pause)
    return numbered(calls, seed)


def one_worker_queue(seed: int) -> Calls:
    """Questions arrive all day, and one worker, nearly always busy, answers them in turn."""
    rng = random.Random(seed)
    calls = []
    for day in range(3):
        arrives = free = day * DAY + 7 * HOUR
        while arrives < day * DAY + 13 * HOUR:
            arrives += rng.expovariate(0.105)
            start, took = max(arrives, free + 0.05), 9 * rng.lognormvariate(0, 0.3)
            calls.append(_timed(0, start, took, input_tokens=int(900 * rng.lognormvariate(0, 0.3))))
            free = start + took
    return numbered(calls, seed)


def retry_storm(seed: int) -> Calls:
    """Single calls all day; every third day the provider fails, and 15 clients retry at once."""
    rng = random.Random(seed)
    calls = numbered(opened(seed, 600, 0, 9 * DAY, 2.0), seed)
    failed = {"status": "error", "http_status": 503, "output_tokens": 0}
    storms = (
        call
        for day in range(0, 9, 3)
        for call in pool(seed * 100 + day, 900, day * DAY + rng.uniform(7, 17) * HOUR, 15, 1.5)
    )
    calls += numbered(storms, seed + 1, **failed)
    return sorted(calls, key=lambda call: call["started_at"])


def uploads(seed: int, users: int | None, **kwargs: Any) -> Calls:
    """Somebody uploads a document once a day, at any hour, and watches the progress."""
    calls = spread_starts(seed, range(9), (7, 18), 110, **kwargs)
    if users is None:
        return calls
    days = {call["call_id"]: call["started_at"].toordinal() for call in calls}
    return [{**call, "end_user_hash": f"u{days[call['call_id']] % users}"} for call in calls]


LIVE_UNCANCELLED: dict[str, Callable[[], Calls]] = {
    "interpreter": lambda: one_by_one(120, 5, (8, 16), 3000.0, 3.0, 1.6),
    "control-loop": lambda: one_by_one(121, 4, (8, 11), 7300.0, 2.5, 0.3),
    "queue-with-one-worker": lambda: one_worker_queue(122),
    "at-the-bell": lambda: daily(123, range(4), 9, 100, slots=20, lasts=5.0),
    "uploads-at-any-hour": lambda: uploads(124, None, slots=8, lasts=6.0),
    "uploads-of-five-users": lambda: uploads(125, 5, slots=2, lasts=14.0),
}
"""Nobody ever gives up in these logs, but they record no such ends: that proves nothing."""

BATCH_UNCANCELLED: dict[str, Callable[[], Calls]] = {
    "every-night": lambda: daily(130, WEEK, 0, 130, lasts=6.0),
    "hours-at-a-stretch": lambda: numbered(pool(131, 2400, slots=4, lasts=15.0), 131),
    "long-lists": lambda: spread_starts(132, WEEK, (0, 24), 300, slots=4, lasts=15.0),
    "one-after-another-by-a-clock": lambda: one_by_one(133, 5, (2, 2.001), 1200.0, 9.0, 0.8),
}
"""Batch in such a log has to show another kind of evidence: a clock, or long runs."""
