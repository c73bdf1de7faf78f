"""The samples end to end: every figure of an explanation is one of the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_audit import explain, pipeline
from llm_audit.explain import money
from llm_audit.explain.result import Card, CostLine, Explanation
from llm_audit.explain.rows import query, rows
from llm_audit.ingest import Options, ingest
from llm_audit.policy import Policy
from llm_audit.prices import catalogue
from llm_audit.report import codec
from llm_audit.sources.local import find
from llm_audit.workspace import Workspace
from tests.explain.helpers import assert_equals_tables, explained
from tests.rules.labelling import fetch
from tests.support import ROOT

COSTS = {
    "list_cost": "list_cost",
    "effective_cost": "effective_cost",
    "batch_conservative": "batch_cost_conservative",
    "batch_expected": "batch_cost_expected",
    "batch_best": "batch_cost_best",
    "flex_cost": "flex_cost",
}
"""A total of a card, and the column of `costs` it is."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The samples, ingested and explained in connections of their own, as the commands do."""
    place = Workspace(tmp_path_factory.mktemp("samples") / "audit.duckdb")
    with place.connect() as connection:
        ingest(connection, find([str(ROOT / "sample_logs")]), Options())
    with place.connect() as connection:
        pipeline.run(connection, Policy.load(), date(2026, 11, 22))
        yield connection


def sums(lines: tuple[CostLine, ...], name: str) -> Decimal:
    return sum((getattr(line, name) or Decimal(0) for line in lines), Decimal(0))


def assert_adds_up(card: Card) -> None:
    """Quantity x rate = cost in every line, and the lines are the total."""
    for line in card.lines:
        for side in ("list", "paid", "batch_conservative", "batch_expected", "batch_best", "flex"):
            rate, cost = getattr(line, f"{side}_rate"), getattr(line, f"{side}_cost")
            assert cost == (None if rate is None else line.quantity * rate)
    totals = {"list": card.list_cost, "paid": card.effective_cost, "flex": card.flex_cost} | {
        name: getattr(card, name) for name in ("batch_conservative", "batch_expected", "batch_best")
    }
    for side, total in totals.items():
        if total is not None and card.price_status == "priced":
            assert sums(card.lines, f"{side}_cost") == total


def test_every_calls_arithmetic_is_its_row_of_costs(samples: duckdb.DuckDBPyConnection) -> None:
    everything = query("call_card").replace("WHERE cards.call_id = $call_id", "")
    data = catalogue.read()
    rates = money.Rates(samples, data.prices, date(2026, 11, 22))
    costs = {row["call_id"]: row for row in fetch(samples, "SELECT * FROM costs")}
    cards = rows(samples, everything)
    assert len(cards) == len(costs) > 10_000
    kinds = set()
    for row in cards:
        [card] = money.cards(rates, [row])
        assert_adds_up(card)
        expected = costs[row["call_id"]]
        for name, column in COSTS.items():
            assert getattr(card, name) == expected[column], (row["call_id"], name)
        assert (card.price_status, card.batch_status) == (
            expected["price_status"],
            expected["batch_status"],
        )
        for line in card.lines:
            kinds.add(line.kind)
            if line.row is not None and card.region_factor is None:
                assert line.row.usd_per_mtok == line.list_rate * 1_000_000  # type: ignore[operator]
    assert {"input", "cached_input", "cache_write_5m", "output"} <= kinds


def test_every_rate_of_a_priced_call_leads_to_a_line_of_the_price_data(
    samples: duckdb.DuckDBPyConnection,
) -> None:
    data = catalogue.read()
    places = {row.where: row for row in data.prices}
    rates = money.Rates(samples, data.prices, date(2026, 11, 22))
    seen = 0
    everything = query("call_card").replace("WHERE cards.call_id = $call_id", "")
    for row in rows(samples, everything)[::50]:
        [card] = money.cards(rates, [row])
        for line in card.lines:
            assert line.row is not None
            written = places[line.row.where]
            assert written.usd_per_mtok == line.row.usd_per_mtok
            assert written.tier == card.tier
            seen += 1
            if card.batch_status == "published":
                assert line.batch_row is not None
                assert places[line.batch_row.where].tier == "batch"
    assert seen > 100


def one_call_per_case(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """A call of each kind of case: format, label, price and batch status."""
    return fetch(
        connection,
        "SELECT min(calls.call_id) AS call_id FROM calls INNER JOIN labels USING (call_id) "
        "INNER JOIN costs USING (call_id) "
        "GROUP BY calls.source_format, labels.label, costs.price_status, costs.batch_status",
    )


def test_calls_of_every_kind_equal_the_tables(samples: duckdb.DuckDBPyConnection) -> None:
    found = one_call_per_case(samples)
    assert len(found) > 15
    for row in found:
        explanation = explained(samples, row["call_id"])
        call = explanation.call
        assert call is not None
        [label] = fetch(samples, f"SELECT * FROM labels WHERE call_id = '{call.call_id}'")
        [case] = fetch(samples, f"SELECT * FROM call_cases WHERE call_id = '{call.call_id}'")
        [cost] = fetch(samples, f"SELECT * FROM costs WHERE call_id = '{call.call_id}'")
        assert call.judgement.case_no == case["case_no"]
        assert (call.judgement.label, call.judgement.score) == (label["label"], label["score"])
        assert explanation.who.workload_id == label["workload_id"]
        assert_equals_tables(samples, call.judgement)
        for name in ("list_cost", "contracted_cost", *COSTS.values(), "price_status"):
            assert getattr(call.costs, name) == cost[name]
        for name, column in COSTS.items():
            assert getattr(call.card, name) == cost[column]
        assert_round_trip(explanation)


def assert_round_trip(explanation: Explanation) -> None:
    document = json.loads(codec.to_json(explanation))
    assert codec._decode(Explanation, document) == explanation


def test_every_workload_equals_the_tables(samples: duckdb.DuckDBPyConnection) -> None:
    ids = [row["workload_id"] for row in fetch(samples, "SELECT workload_id FROM workloads")]
    assert len(ids) == 21
    for workload_id in ids:
        explanation = explained(samples, workload_id)
        found = explanation.workload
        assert found is not None
        table = {
            row["label"]: row
            for row in fetch(
                samples, f"SELECT * FROM workload_labels WHERE workload_id = '{workload_id}'"
            )
        }
        savings = {
            row["label"]: row
            for row in fetch(samples, f"SELECT * FROM savings WHERE workload_id = '{workload_id}'")
        }
        assert {part.label: part.calls for part in found.parts} == {
            label: row["calls"] for label, row in table.items()
        }
        assert sum(part.calls for part in found.parts) == explanation.who.calls
        for part in found.parts:
            row, judgement = table[part.label], part.judgement
            assert judgement.confidence == row["confidence"]
            for criterion in judgement.criteria:
                assert criterion.verdict == row[criterion.criterion]
            assert_equals_tables(samples, judgement)
            assert part.money is not None
            for name in part.money.__annotations__:
                assert getattr(part.money, name) == savings[part.label][name]
            for card in part.cards:
                assert_adds_up(card)
            paid = sum((card.effective_cost or Decimal(0) for card in part.cards), Decimal(0))
            assert paid == (part.money.effective_cost or 0)
            assert sum(card.calls for card in part.cards) == part.calls
        assert 1 <= len(found.samples) <= 3
        for sample in found.samples:
            [label] = fetch(samples, f"SELECT * FROM labels WHERE call_id = '{sample.call_id}'")
            assert (sample.label, workload_id) == (label["label"], label["workload_id"])
            assert Path(sample.source_file or "").is_file()
            assert (sample.source_line or 0) >= 1
        assert_round_trip(explanation)
        text = explain.text(explanation, folder=ROOT)
        assert text.replace("\n", "").isprintable()
        # Paths and ids stay whole, to be copied; prose keeps to the width.
        assert max(len(line) for line in text.splitlines() if " " in line.strip()) <= 100
        assert len(text.splitlines()) < 160


def test_the_dearer_batch_is_shown_as_such(samples: duckdb.DuckDBPyConnection) -> None:
    """policy-check: 1,000 fresh, 9,000 cached and 500 output tokens 600 times, by hand."""
    found = explained(samples, "policy-check").workload
    assert found is not None
    [card] = found.parts[0].cards
    assert [(line.kind, line.quantity) for line in card.lines] == [
        ("input", 600_000),
        ("cached_input", 5_400_000),
        ("output", 300_000),
    ]
    assert card.effective_cost == Decimal("6.3")  # 0.6 x $2 + 5.4 x $0.5 + 0.3 x $8
    assert card.batch_conservative == Decimal("7.2")  # 6.0 x $1 + 0.3 x $4
    assert "Keep synchronous" in explain.text(explained(samples, "policy-check"))
