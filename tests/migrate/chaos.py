"""Random trouble, drawn by a seed: of calls, batches, rows, and of the person (lives.py).

`truth.check` says what must hold all the same: nothing bought twice, nothing lost unsaid.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llm_audit.migrate import gates, run
from llm_audit.migrate.context import Policy
from llm_audit.migrate.model import Vendor
from llm_audit.migrate.vendor import Driver
from tests.migrate import lives
from tests.migrate.engine import book, opened, scenario
from tests.migrate.fake.process import FakeProcess
from tests.migrate.lives import Life, drive
from tests.migrate.truth import check

Json = dict[str, Any]

CREATES = {Vendor.OPENAI: "openai.batches.create", Vendor.ANTHROPIC: "anthropic.batches.create"}
READS = {
    Vendor.OPENAI: (
        "openai.batches.retrieve",
        "openai.batches.list",
        "openai.files.list",
        "openai.files.content",
        "openai.files.delete",
    ),
    Vendor.ANTHROPIC: (
        "anthropic.batches.retrieve",
        "anthropic.batches.list",
        "anthropic.batches.results",
    ),
}
AT_ONCE: tuple[Json, ...] = (
    {"when": "before", "reply": "reset"},
    {"when": "before", "reply": "close"},
    {"when": "before", "reply": 500},
    {"when": "before", "reply": 502, "body": "html"},
    {"when": "before", "reply": 503, "body": "empty"},
    {"when": "before", "reply": 409},
    {"when": "before", "reply": 429},
    {"when": "before", "reply": 429, "retry_after": 7},
    {"when": "before", "reply": 429, "body": "html"},
    {"when": "after", "reply": "reset"},
    {"when": "after", "reply": "close"},
    {"when": "after", "reply": 500},
    {"when": "after", "reply": 502, "body": "html"},
    {"when": "after", "reply": 429, "body": "html"},
    {"when": "after", "reply": "cut", "at": 0.5},
    {"when": "after", "reply": "cut", "at": 0.3, "length": False},
)
"""What may happen to any call. After a commit no vendor says a proper 4xx."""

FOREIGN: tuple[Json, ...] = (
    {"when": "before", "reply": 200, "body": "html"},
    {"when": "before", "reply": 200, "body": "empty"},
    {"when": "before", "reply": 200, "body": {}},
    {"when": "before", "reply": 200, "body": {"status": "ok"}},
    {"when": "after", "reply": 200, "body": "html"},
    {"when": "after", "reply": 200, "body": {}},
)
"""Replies that are nobody's we know: a portal, a gateway, a page of maintenance."""

WAITING: tuple[Json, ...] = (
    {"when": "before", "reply": 429, "retry_after": "inf"},
    {"when": "before", "reply": 429, "retry_after": 864_000_000},
    {"when": "before", "reply": 429, "retry_after": "+90"},
    {"when": "before", "reply": 401, "message": "Incorrect API key provided: {key}."},
)
LATE: tuple[Json, ...] = (
    {"when": "late", "late": 45, "reply": "close"},
    {"when": "late", "late": 200, "reply": 504, "body": "html"},
    {"when": "late", "late": 400, "reply": 500},
    {"when": "late", "late": 5_000, "reply": 504},
)
"""Obeyed when nobody waits for it any more. The last is too late for anybody to know."""

LISTS: tuple[Json, ...] = (
    {"drop": ["has_more"]},
    {"drop": ["data"]},
    {"query": {}, "put": {"has_more": True}},
    {"put": {"data": []}},
)
"""Of lists. The last one lies: it is drawn once at most, three lies over ten minutes are proof."""

OTHERS: tuple[Json, ...] = (
    {"nth": 1},
    {"nth": 2, "ended": False},
    {"nth": "1-3", "when": "before", "count": 2},
    {"nth": 1, "when": "before", "count": 120, "age": 4_000},
    {"nth": 2, "count": 5, "requests": 2},
    {"nth": 1, "life": {"drop": ["status", "processing_status"]}},
    {"nth": 1, "life": {"put": {"created_at": None, "request_counts": []}}},
)

LIVES: tuple[Json, ...] = (
    {"polls": ["validating", "in_progress", "finalizing", "completed"]},
    {"polls": ["completed"]},
    {"polls": ["in_progress", "expired"], "done": 0.4},
    {"polls": ["in_progress", "cancelled"], "done": 0.6},
    {"ends_after": 4_000},
    {"not_found": 2},
    {"unlisted": 2},
    {"results_not_found": 2},
    {"output_late": 2},
    {"duplicate": [1, 3]},
    {"conflict": [2]},
    {"missing": [1]},
    {"bad_json": [2]},
    {"stranger": 2},
    {"gone": ["output"]},
    {"gone": ["error"]},
    {"gone": ["results"]},
    {"no_errors": "blank_id"},
    {"no_errors": "empty_file"},
    {"counts": "all_completed"},
    {"counts": None},
    {"usage": False},
    {"cache_read": 0.5, "cache_write": 0.2},
)
FAILS: tuple[Json, ...] = (
    {"fail": [{"code": "token_limit_exceeded", "line": None}]},
    {"fail": [{"code": "billing_hard_limit_reached", "line": None}]},
    {"fail": [{"code": "invalid_json_line", "line": 2}]},
    {"fail": [{"code": "mystery", "line": None}]},
)
ODD_LIVES: tuple[Json, ...] = (
    {"polls": ["in_progress", "expired"], "done": 0.5, "files_after": 2_000},
    {"files_after": 1_200},
    {"put": {"request_counts": None}},
    {"put": {"request_counts": []}},
    {"put": {"request_counts.total": 99}},
    {"put": {"expires_at": None}},
    {"put": {"created_at": 1e25}},
    {"put": {"metadata": []}},
    {"put": {"usage": {"input_tokens": 1}}},
    {"stranger_ids": ["surrogate", "control", "long", "empty", "number"]},
    {"results_url": "HTTP://{host}/v1/messages/batches/{id}/results"},
    {"results_url": "https://evil.example/{id}"},
    {"results_url": "/v1/messages/batches/{id}/results"},
    {"results_url": "http://h:x/"},
)
ODD_FAILS: tuple[Json, ...] = (
    {"fail": [{"code": "internal", "line": None}], "fail_done": 0.5},
    {"fail": [{"code": "internal", "line": None}], "fail_done": 0.5, "files_after": 2_000},
)
TWISTS = (
    *("no_usage", "float_usage", "negative_usage", "huge_usage", "cached_over_input"),
    *("status_text", "status_float", "status_absent", "odd_model", "deep"),
)
OUTCOMES = (
    *("split", "truncated", "refusal", "filtered", "tool_use", "pause_turn"),
    *("bad_request", "no_status", "rate_limited", "server_error", "overloaded", "timeout"),
    *("expired", "credit", "no_model", "unwrapped"),
)


def draw(seed: int, vendor: Vendor, odd: bool = False) -> Json:
    """A scenario of some faults, some odd lives and some bad rows. odd: such as no vendor owns."""
    chance = random.Random(f"{seed}{vendor}")
    faults = []
    for _ in range(chance.randint(0, 3)):
        ops = (CREATES[vendor], *READS[vendor])
        if vendor is Vendor.OPENAI:
            ops += ("openai.files.create",)
        # The calls that spend money get half of the trouble.
        op = CREATES[vendor] if chance.random() < 0.5 else chance.choice(ops)
        calls = sorted(chance.sample(range(1, 7), chance.randint(1, 3)))
        faults.append({"op": op, "nth": calls, **chance.choice(AT_ONCE + wrong_calls(op, odd))})
    if odd and chance.random() < 0.3:
        op = f"{vendor}.batches.list"
        faults.append({"op": op, "nth": [chance.randint(1, 6)], **chance.choice(LISTS)})
    odds = LIVES + (ODD_LIVES if odd else ())
    if vendor is Vendor.OPENAI:
        odds += FAILS + (ODD_FAILS if odd else ())
    batches = []
    for nth in range(1, 5):
        if chance.random() < 0.5:
            life: Json = {"nth": nth}
            for _ in range(chance.randint(1, 2)):
                life |= chance.choice(odds)
            batches.append(life)
    rows = [
        {"outcome": chance.choice(OUTCOMES), "share": chance.choice((0.1, 0.3)), "seed": str(n)}
        | ({"attempt": 1} if chance.random() < 0.5 else {})
        for n in range(chance.randint(0, 3))
    ]
    if not odd:
        return scenario(faults=faults, batches=batches, rows=rows)
    rows += [
        {"twist": [chance.choice(TWISTS)], "share": 0.2, "seed": str(n)}
        for n in range(chance.randint(0, 2))
    ]
    others = chance.sample(OTHERS, chance.choice((0, 0, 1, 2)))
    return scenario(faults=faults, batches=batches, rows=rows, foreign=others)


def wrong_calls(op: str, odd: bool) -> tuple[Json, ...]:
    """What else may happen to a call. A deletion nobody minds, whatever it says."""
    if not odd:
        return ()
    return FOREIGN + WAITING + (LATE * 2 if op.endswith(".create") else ())


def survive(
    folder: Path,
    vendor: Vendor,
    made: Mapping[Vendor, Driver],
    fake: FakeProcess,
    played: Json,
    sizes: tuple[int, ...] = (5, 7, 6),
) -> None:
    """Play it, migrate, resume as a patient person would, and check what must hold."""
    fake.play(played)
    book(folder, vendor, sizes)
    try:
        go_on(folder, made, fake)
        check(folder, fake, sum(sizes))
    except BaseException as error:
        error.add_note(f"{vendor} {folder.name}: {json.dumps(played)}")
        raise


def go_on(folder: Path, made: Mapping[Vendor, Driver], fake: FakeProcess, tries: int = 6) -> None:
    """`run`, and `resume` with leave for the rest, while that is of use; an hour later once more
    for what is lost, which may have been only late."""
    policy, looked_again = Policy(resend_unknown=True), False
    for _ in range(tries):
        with opened(folder, made, fake, policy, fake.control()) as context:
            run.reopen(context)
            drive(context)
            if not context.ledger.pauses() and all(
                shard.state in gates.OVER and not shard.parked for shard in context.ledger.shards()
            ):
                if looked_again or not lives.lost(context):
                    return
                looked_again = True
                fake.control(advance=lives.HOUR)
            policy = Policy(resend_unknown=True, despite_canary=True)


def live(
    folder: Path,
    vendor: Vendor,
    made: Mapping[str, Mapping[Vendor, Driver]],
    fake: FakeProcess,
    seed: int,
    sizes: tuple[int, ...] = (3, 4, 2),
) -> None:
    """A whole life by its seed: trouble at the vendor's and at the person's, and then patience."""
    chance = random.Random(f"life {seed}{vendor}")
    played = draw(seed, vendor, chance.random() < 0.7)
    fake.play(played)
    book(folder, vendor, sizes)
    life = Life(folder, vendor, made, fake)
    sittings = lives.draw(chance)
    try:
        for sitting in sittings:
            life.sit(sitting)
        for sitting in lives.patience(sittings):
            if not life.is_over():
                life.sit(sitting)
        check(folder, fake, sum(sizes), consents=life.consents)
    except BaseException as error:
        told = [f"{vendor} seed {seed}", *map(str, sittings), json.dumps(played)]
        error.add_note("\n".join(told))
        raise
