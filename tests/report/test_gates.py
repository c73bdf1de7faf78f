"""`--fail-on`: what the conditions read, and what they refuse."""

from __future__ import annotations

from decimal import Decimal

import pytest

from llm_audit.errors import InputError
from llm_audit.report.gates import METRICS, parse


@pytest.mark.parametrize(
    ("text", "metric", "comparison", "limit"),
    [
        ("savings>=500", "savings", ">=", Decimal(500)),
        (" spend < $1000.50 ", "spend", "<", Decimal("1000.50")),
        ("rejects>1%", "rejects", ">", Decimal("0.01")),
        ("eligible-share<=0.2", "eligible-share", "<=", Decimal("0.2")),
    ],
)
def test_conditions(text: str, metric: str, comparison: str, limit: Decimal) -> None:
    gate = parse(text)
    assert (gate.metric, gate.comparison, gate.limit) == (metric, comparison, limit)


@pytest.mark.parametrize(
    "text", ["", "savings", "saving>=5", "savings>=", "savings=5", "spend>1.2.3"]
)
def test_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse(text)
    assert "--fail-on" in error.value.message


def test_every_metric_is_named_in_the_hint() -> None:
    with pytest.raises(InputError) as error:
        parse("nonsense")
    assert all(metric in error.value.hint for metric in METRICS)
