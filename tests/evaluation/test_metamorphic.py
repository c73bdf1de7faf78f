"""What must not move a label, and what must never raise one.

Every test changes a synthetic log in a way that says nothing new about who waits, ingests it for
real, and compares the labels with those of the unchanged log, call by call. Words in names are
off: a rename says something about them by design.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit import pipeline
from llm_audit.ingest import Options, ingest
from llm_audit.policy import Policy, PriceMultiplier
from llm_audit.sources.local import find
from tests.evaluation.synthetic import (
    DAY,
    DAYS,
    EXPECTED,
    HOUR,
    MERGEABLE,
    PLAIN,
    START,
    Line,
    cancelled,
    continued,
    copied,
    make_log,
    moved,
    write,
)
from tests.rules import labelling
from tests.support import create_stored_tables

RANK = {"realtime": 0, "gray_area": 1, "batch_eligible": 2}
POLICY = replace(Policy.load(), words={})
KEPT_AFTER_LOSS = 0.95
"""Of a workload's calls, how many must keep their label when a fifth of the log is lost."""

few = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class Lines(list[Line]):
    """A log that a failure does not print."""

    def __repr__(self) -> str:
        return f"<{len(self)} lines>"


class Labels(dict[str, str]):
    """Label by call; not printed either."""

    def __repr__(self) -> str:
        return f"<labels of {len(self)} calls>"


@pytest.fixture(scope="module")
def log() -> Sequence[Line]:
    return Lines(make_log())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metamorphic")


Label = Callable[..., Labels]


@pytest.fixture(scope="module")
def label(folder: Path) -> Label:
    """Ingest files of lines together and return the label of every call."""
    names = iter(range(10**6))

    def run(*files: Sequence[Line], policy: Policy = POLICY, priced: bool = False) -> Labels:
        with duckdb.connect() as reader:
            reader.execute("SET TimeZone = 'UTC'")
            create_stored_tables(reader)
            paths = [write(lines, folder / f"{next(names)}.jsonl") for lines in files]
            ingest(reader, find(map(str, paths)), Options(), lambda _: None)
            for path in paths:
                path.unlink()
            # As between two commands: what ingest defines for itself is gone.
            with reader.cursor() as connection:
                connection.execute("SET TimeZone = 'UTC'")
                if priced:
                    pipeline.run(connection, policy, date(2026, 11, 16))
                else:
                    labelling.label_calls(connection, policy)
                return Labels(labelling.labels(connection))

    return run


@pytest.fixture(scope="module")
def before(log: Sequence[Line], label: Label) -> Labels:
    """The labels of the unchanged log."""
    return label(log)


def name_of(call_id: str) -> str:
    return call_id.split("-", maxsplit=1)[0]


def changed(before: Labels, after: Labels) -> dict[str, dict[tuple[str, str], int]]:
    """Calls with another label than before, counted by workload and kind of change."""
    counts: dict[str, dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
    for call_id, now in after.items():
        if call_id in before and before[call_id] != now:
            counts[name_of(call_id)][before[call_id], now] += 1
    return {name: dict(moves) for name, moves in counts.items()}


def raised(before: Labels, after: Labels) -> dict[str, int]:
    """Calls nearer to batch than before, by workload."""
    counts: dict[str, int] = defaultdict(int)
    for call_id, was in before.items():
        if RANK[after[call_id]] > RANK[was]:
            counts[name_of(call_id)] += 1
    return dict(counts)


def test_the_log_holds_plain_cases_of_every_label(before: Labels) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for call_id, now in before.items():
        found[name_of(call_id)].add(now)
    assert {name: found[name] for name in PLAIN} == {name: {EXPECTED[name]} for name in PLAIN}


# --- what must not move a label ------------------------------------------------------------------


@few
@given(minutes=st.integers(-14 * 24 * 60, 14 * 24 * 60))
def test_another_time(minutes: int, log: Sequence[Line], label: Label, before: Labels) -> None:
    later = [moved(line, minutes * 60.0) for line in copied(log)]
    assert changed(before, label(later)) == {}


@pytest.mark.parametrize("hours", [-3, 8, 24])
def test_another_hour_or_day(hours: int, log: Sequence[Line], label: Label, before: Labels) -> None:
    assert changed(before, label([moved(line, hours * HOUR) for line in copied(log)])) == {}


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_the_clocks_change(step: float, log: Sequence[Line], label: Label, before: Labels) -> None:
    half = START + DAYS / 2 * DAY
    lines = [moved(line, step) if line["startTime"] >= half else line for line in copied(log)]
    assert changed(before, label(lines)) == {}


@few
@given(seed=st.integers(0, 2**32))
def test_other_names(seed: int, log: Sequence[Line], label: Label, before: Labels) -> None:
    rng = random.Random(seed)
    new: dict[str, str] = defaultdict(lambda: f"{rng.getrandbits(64):016x}")
    lines = copied(log)
    for line in lines:
        meta = line["metadata"]
        for key in ("user_api_key_alias", "user_api_key_team_alias"):
            meta[key] = new[meta[key]]
        service = meta["requester_metadata"]["service.name"]
        meta["requester_metadata"]["service.name"] = new[service]
        for key in ("session_id", "end_user"):
            line[key] = new[line[key]] if line[key] else ""
    assert changed(before, label(lines)) == {}


def test_the_same_log_twice(log: Sequence[Line], label: Label, before: Labels) -> None:
    assert label(log, log) == before


@few
@given(seed=st.integers(0, 2**32), parts=st.integers(2, 9))
def test_several_files_in_another_order(
    seed: int, parts: int, log: Sequence[Line], label: Label, before: Labels
) -> None:
    rng = random.Random(seed)
    shuffled = rng.sample(list(log), len(log))
    assert label(*(shuffled[part::parts] for part in range(parts))) == before


@few
@given(seed=st.integers(0, 2**32))
def test_a_fifth_is_lost(seed: int, log: Sequence[Line], label: Label, before: Labels) -> None:
    """No run here falls under a floor by it: the smallest that matter have 150 calls.

    `vectors` is a single run, told from open arrivals by its slots alone. It has twelve: of six, a
    fifth may take so many that they no longer fill at once.
    """
    rng = random.Random(seed)
    kept = [line for line in log if rng.random() >= 0.2]
    after = label(kept)
    moves = changed(before, after)
    total: dict[str, int] = defaultdict(int)
    for call_id in after:
        total[name_of(call_id)] += 1
    lost = {name: sum(moves[name].values()) / total[name] for name in moves}
    assert {name: share for name, share in lost.items() if share > 1 - KEPT_AFTER_LOSS} == {}, moves


@few
@given(pair=st.lists(st.sampled_from(MERGEABLE), min_size=2, max_size=2, unique=True))
def test_two_keys_become_one(
    pair: list[str], log: Sequence[Line], label: Label, before: Labels
) -> None:
    check_merged(pair, log, label, before)


@pytest.mark.parametrize(
    "pair", [("recap", "talk"), ("grader", "button"), ("recap", "tinker"), ("tryout", "router")]
)
def test_a_job_and_people_behind_one_key(
    pair: tuple[str, str], log: Sequence[Line], label: Label, before: Labels
) -> None:
    check_merged(pair, log, label, before)


def check_merged(pair: Sequence[str], log: Sequence[Line], label: Label, before: Labels) -> None:
    lines = copied(log)
    for line in lines:
        if line["metadata"]["user_api_key_alias"] in pair:
            line["metadata"]["user_api_key_alias"] = "shared"
            line["metadata"]["user_api_key_team_alias"] = "shared"
            line["metadata"]["requester_metadata"]["service.name"] = "shared"
    assert changed(before, label(lines)) == {}


def test_another_currency_in_the_log(log: Sequence[Line], label: Label, before: Labels) -> None:
    lines = copied(log)
    for line in lines:
        line["response_cost"] *= 155.0
    assert label(lines) == before


@pytest.mark.parametrize("multiplier", [0.01, 10.0])
def test_other_prices(multiplier: float, log: Sequence[Line], label: Label, before: Labels) -> None:
    prices = (PriceMultiplier(provider="*", model="*", tier="", multiplier=multiplier),)
    assert label(log, policy=replace(POLICY, price_multipliers=prices), priced=True) == before


# --- what must never raise a label ---------------------------------------------------------------


def of(log: Sequence[Line], name: str) -> list[Line]:
    return [line for line in log if name_of(line["id"]) == name]


@few
@given(
    name=st.sampled_from(["recap", "grader", "tryout", "events"]),
    place=st.floats(0, 0.999),
    delay=st.floats(0.1, 400),
)
def test_a_chain_never_raises_a_label(
    name: str, place: float, delay: float, log: Sequence[Line], label: Label, before: Labels
) -> None:
    calls = of(log, name)
    follow = continued(calls[int(place * len(calls))], 1, delay)
    after = label([*log, follow])
    assert raised(before, after) == {}
    assert after[follow["id"]] == "realtime"


def test_a_chain_of_many_never_raises_a_label(
    log: Sequence[Line], label: Label, before: Labels
) -> None:
    chains = []
    for name in ("recap", "grader", "tryout", "events"):
        call = of(log, name)[50]
        for step in range(12):
            call = continued(call, step, 3.0)
            chains.append(call)
    after = label([*log, *chains])
    assert raised(before, after) == {}
    assert {after[call["id"]] for call in chains} == {"realtime"}


def test_a_chain_never_completes_a_run(log: Sequence[Line], label: Label, before: Labels) -> None:
    """99 calls and one that follows are not the 100 independent calls that a rule counts."""
    follow = continued(of(log, "almost")[98], 1, 5.0)
    assert raised(before, label([*log, follow])) == {}


@few
@given(
    name=st.sampled_from(sorted(EXPECTED)),
    number=st.integers(1, 40),
    seed=st.integers(0, 2**32),
    added=st.booleans(),
)
def test_cancels_never_raise_a_label(
    name: str,
    number: int,
    seed: int,
    added: bool,
    log: Sequence[Line],
    label: Label,
    before: Labels,
) -> None:
    """Calls given up, whether in place of others or on top of them."""
    rng = random.Random(seed)
    chosen = {line["id"] for line in rng.sample(of(log, name), number)}
    lines = [cancelled(line) if line["id"] in chosen and not added else line for line in log]
    if added:
        for line in of(log, name):
            if line["id"] in chosen:
                more = moved(cancelled(line), rng.uniform(0, 600))
                lines.append({**more, "id": f"{line['id']}-cancelled"})
    assert raised(before, label(lines)) == {}


def test_a_cancel_never_completes_a_run(log: Sequence[Line], label: Label, before: Labels) -> None:
    """One call given up on top of 99 is not the hundredth call of a job."""
    more = moved(cancelled(of(log, "almost")[98]), 7.0)
    assert raised(before, label([*log, {**more, "id": "almost-cancelled"}])) == {}
