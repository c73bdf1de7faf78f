"""`--fail-on`: what the conditions read, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from llm_audit.errors import ExitCode, UsageError
from llm_audit.report import Result
from llm_audit.report.gates import METRICS, parse
from llm_audit.report.headline import headline, plain
from tests.report.everywhere import TEXTS, golden


@pytest.mark.parametrize(
    ("text", "metric", "comparison", "limit"),
    [
        ("savings>=500", "savings", ">=", Decimal(500)),
        (" spend < $1000.50 ", "spend", "<", Decimal("1000.50")),
        ("rejects>1%", "rejects", ">", Decimal("0.01")),
        ("eligible-share<=0.2", "eligible-share", "<=", Decimal("0.2")),
        ("eligible-share > 20 %", "eligible-share", ">", Decimal("0.2")),
        ("savings >= $ 1,234,567.50", "savings", ">=", Decimal("1234567.50")),
        ("rejects>.5%", "rejects", ">", Decimal("0.005")),
        ("\tunpriced>0\n", "unpriced", ">", Decimal(0)),
        ("rejects<=100%", "rejects", "<=", Decimal(1)),
    ],
)
def test_conditions(text: str, metric: str, comparison: str, limit: Decimal) -> None:
    gate = parse(text)
    assert (gate.metric, gate.comparison, gate.limit) == (metric, comparison, limit)


@pytest.mark.parametrize(
    "text",
    [
        "", "savings", "saving>=5", "savings>=", "savings=5", "savings==5", "savings!=5",
        "savings=>5", "savings>>5", "spend>1.2.3", "spend>1,2", "spend>1e3", "spend>-5",
        "spend>NaN", "spend>\u0665", "SPEND>5", "savings>=5;rm", "5<savings", "savings>=5 a month",
        "savings>=5%", "rejects>$1", "rejects>5", "unpriced>101%", *TEXTS,
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text)
    assert "--fail-on" in error.value.message
    assert error.value.hint
    assert error.value.exit_code == ExitCode.USAGE


def test_every_metric_is_named_in_the_hint() -> None:
    with pytest.raises(UsageError) as error:
        parse("nonsense")
    assert all(metric in error.value.hint for metric in METRICS)


@pytest.mark.parametrize(
    ("text", "tripped"),
    [
        ("savings>=150.9375", True), ("savings>150.9375", False), ("savings<=150.9375", True),
        ("savings<150.9375", False), ("savings>=150.94", False), ("savings<151", True),
        ("unpriced>3%", True), ("unpriced<3%", False), ("rejects>=1.9%", True),
        ("rejects>2%", False), ("eligible-share>1%", True), ("spend<1", False),
    ],
)  # fmt: skip
def test_comparisons_are_exact(text: str, tripped: bool) -> None:
    assert parse(text).tripped(golden("mixed")) is tripped


def _nothing_priced() -> Result:
    mixed = golden("mixed")
    calls = mixed.totals.calls
    return replace(mixed, totals=replace(mixed.totals, priced_calls=0, unpriced_calls=calls))


@pytest.mark.parametrize("metric", ["savings", "spend", "eligible-share"])
@pytest.mark.parametrize("comparison", [">=", ">", "<=", "<"])
def test_a_gate_does_not_pass_because_nothing_has_a_price(metric: str, comparison: str) -> None:
    gate = parse(f"{metric}{comparison}1")
    assert gate.tripped(_nothing_priced())
    assert f"{metric} is unknown: no call has a price" in gate.reason(_nothing_priced())


def test_without_prices_the_shares_are_still_known() -> None:
    assert parse("unpriced>=100%").tripped(_nothing_priced())
    assert not parse("rejects>50%").tripped(_nothing_priced())


@pytest.mark.parametrize("metric", METRICS)
def test_a_gate_does_not_pass_because_nothing_was_read(metric: str) -> None:
    gate = parse(f"{metric}>1")
    assert gate.tripped(golden("empty"))
    assert "nothing was read" in gate.reason(golden("empty"))


def test_free_calls_cost_nothing_and_that_is_known() -> None:
    mixed = golden("mixed")
    free = replace(mixed, totals=replace(mixed.totals, priced_calls=0, unpriced_calls=0))
    assert not parse("savings>=1000000").tripped(free)


def test_the_message_says_what_the_gate_met() -> None:
    mixed = golden("mixed")
    assert parse("savings>=100").reason(mixed) == "savings>=100 (it is $150.94 a month)"
    assert parse("rejects>1%").reason(mixed) == "rejects>1% (it is 1.9%)"
    observed = replace(mixed, savings=replace(mixed.savings, monthly=None, annual=None))
    assert parse("savings>=40").reason(observed) == "savings>=40 (it is $40.25 observed)"


def test_a_saving_on_retired_models_is_open_no_more() -> None:
    result = golden("mixed")
    past = tuple(
        replace(w, advice="retired_model", note="Gone: look at the batch rates of a-2; b-3.")
        if w.label == "batch_eligible" else w
        for w in result.workloads
    )  # fmt: skip
    observed = replace(result.savings, monthly=None, annual=None)
    retired = replace(result, workloads=past, savings=observed)
    assert not parse("savings>0").tripped(retired)
    assert "on retired models" in parse("savings<5").reason(retired)
    top = headline(retired)
    assert plain(top.sentence).startswith("Nothing is left to save")
    assert "Look at a-2 or b-3 instead." in plain(top.detail)
    [banner] = [b for b in top.banners if b.title == "Retired models"]
    assert plain(banner.text).endswith("Look at a-2 or b-3 instead.")
