"""Every fault alone, and seeded combinations: nothing is bought twice, nothing is lost unsaid.

`truth.check` says what must hold; `python -m tests.migrate.soak` plays as many seeds as you like.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from llm_audit.migrate.model import Vendor
from llm_audit.migrate.vendor import Driver
from tests.migrate import chaos, truth
from tests.migrate.engine import scenario
from tests.migrate.fake.process import FakeProcess

SEEDS = 130
"""For each vendor, of lives and of single runs each: 520 in all."""

CALLS = [
    (vendor, op, fault)
    for vendor in Vendor
    for op in (
        chaos.CREATES[vendor],
        *(["openai.files.create"] if vendor is Vendor.OPENAI else []),
        *chaos.READS[vendor],
    )
    for fault in chaos.AT_ONCE + chaos.wrong_calls(op, odd=True)
]
LIVES = [(v, life) for v in Vendor for life in chaos.LIVES + chaos.ODD_LIVES] + [
    (Vendor.OPENAI, fail) for fail in chaos.FAILS + chaos.ODD_FAILS
]
LISTS = [(vendor, fault) for vendor in Vendor for fault in chaos.LISTS]
MANY = {"nth": 2, "count": 230, "requests": 2}
OTHERS = [(vendor, others) for vendor in Vendor for others in (*chaos.OTHERS, MANY)]
TWISTS = [(vendor, twist) for vendor in Vendor for twist in chaos.TWISTS]
ROWS = [(vendor, outcome) for vendor in Vendor for outcome in chaos.OUTCOMES]


@pytest.mark.parametrize(("vendor", "op", "fault"), CALLS, ids=str)
def test_a_call_that_goes_wrong_loses_nothing(
    vendor: Vendor,
    op: str,
    fault: chaos.Json,
    vendors: FakeProcess,
    made: Mapping[Vendor, Driver],
    quick_path: Path,
) -> None:
    """The first call of its kind and the third: a canary's, and one of those behind it."""
    played = scenario(faults=[{"op": op, "nth": [1, 3], **fault}])
    chaos.survive(quick_path, vendor, made, vendors, played)
    truth.check(quick_path, vendors, 18, exact=True)


@pytest.mark.parametrize(("vendor", "life"), LIVES, ids=str)
def test_a_batch_with_an_odd_life_is_understood(
    vendor: Vendor,
    life: chaos.Json,
    vendors: FakeProcess,
    made: Mapping[Vendor, Driver],
    quick_path: Path,
) -> None:
    played = scenario(batches=[{"nth": 2, **life}])
    chaos.survive(quick_path, vendor, made, vendors, played)


@pytest.mark.parametrize(("vendor", "outcome"), ROWS, ids=str)
def test_a_row_that_fails_once_is_answered_or_said_to_be_rejected(
    vendor: Vendor,
    outcome: str,
    vendors: FakeProcess,
    made: Mapping[Vendor, Driver],
    quick_path: Path,
) -> None:
    played = scenario(rows=[{"outcome": outcome, "lines": [2, 4], "attempt": 1}])
    chaos.survive(quick_path, vendor, made, vendors, played)
    rejected = outcome in ("bad_request", "no_model")
    truth.check(quick_path, vendors, 18, exact=not rejected)


@pytest.mark.parametrize(("vendor", "fault"), LISTS, ids=str)
def test_a_list_that_proves_nothing_is_no_leave_to_buy_again(
    vendor: Vendor,
    fault: chaos.Json,
    vendors: FakeProcess,
    made: Mapping[Vendor, Driver],
    quick_path: Path,
) -> None:
    """It comes once, wherever a list is asked for: a lie three times over would be believed."""
    for nth in range(1, 6):
        lost = {"op": "*.batches.create", "nth": 2, "when": "after", "reply": "close"}
        wrong = {"op": "*.batches.list", "nth": nth, **fault}
        folder = quick_path / str(nth)
        chaos.survive(folder, vendor, made, vendors, scenario(faults=[lost, wrong]), (2, 3))
        truth.check(folder, vendors, 5, exact=True)


@pytest.mark.parametrize(("vendor", "others"), OTHERS, ids=str)
def test_a_lost_confirmation_is_found_among_batches_of_others(
    vendor: Vendor,
    others: chaos.Json,
    vendors: FakeProcess,
    made: Mapping[Vendor, Driver],
    quick_path: Path,
) -> None:
    lost = {"op": "*.batches.create", "nth": [1, 2], "when": "after", "reply": "close"}
    played = scenario(faults=[lost], foreign=[others])
    chaos.survive(quick_path, vendor, made, vendors, played, (2, 3))
    truth.check(quick_path, vendors, 5, exact=True)


@pytest.mark.parametrize(("vendor", "twist"), TWISTS, ids=str)
def test_an_answer_of_an_odd_form_is_an_answer(
    vendor: Vendor,
    twist: str,
    vendors: FakeProcess,
    made: Mapping[Vendor, Driver],
    quick_path: Path,
) -> None:
    played = scenario(rows=[{"twist": [twist], "lines": [2]}])
    chaos.survive(quick_path, vendor, made, vendors, played, (3, 4))
    hidden = {"deep"} | (truth.NO_TYPE if vendor is Vendor.ANTHROPIC else set())
    truth.check(quick_path, vendors, 7, exact=twist not in hidden)


@pytest.mark.parametrize("vendor", Vendor)
def test_whatever_combination_of_faults(
    vendor: Vendor,
    vendors: FakeProcess,
    made: Mapping[Vendor, Driver],
    quick_path: Path,
) -> None:
    for seed in range(SEEDS):
        played = chaos.draw(seed, vendor, odd=seed % 2 == 1)
        chaos.survive(quick_path / str(seed), vendor, made, vendors, played)


@pytest.mark.parametrize("vendor", Vendor)
def test_whatever_life(
    vendor: Vendor,
    vendors: FakeProcess,
    keys: Mapping[str, Mapping[Vendor, Driver]],
    quick_path: Path,
) -> None:
    """Deaths, other keys, set clocks, cancels, other runs and leave given, and all those faults."""
    for seed in range(SEEDS):
        chaos.live(quick_path / str(seed), vendor, keys, vendors, seed)
