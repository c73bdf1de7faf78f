"""A price card that nobody has looked at for long says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from llm_audit.report import Result
from llm_audit.report.assumptions import assumptions


@pytest.mark.parametrize(("age", "said"), [(90, False), (91, True)])
def test_old_rates_are_named(mixed: Result, age: int, *, said: bool) -> None:
    day = mixed.pricing.as_of
    pricing = replace(mixed.pricing, oldest_verified_on=day - timedelta(days=age))
    assert any("last verified on" in text for text in assumptions(pricing)) is said


def test_an_unknown_age_is_not_an_old_one(mixed: Result) -> None:
    pricing = replace(mixed.pricing, oldest_verified_on=None)
    assert not any("last verified on" in text for text in assumptions(pricing))
