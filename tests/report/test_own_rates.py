"""Whoever signs the figures sees which of them rest on the user's own rates."""

from __future__ import annotations

from decimal import Decimal

import duckdb

from llm_audit import report
from llm_audit.report.result import OwnRates
from tests.report import tables


def test_own_rates_are_named_with_what_they_priced(audit: duckdb.DuckDBPyConnection) -> None:
    tables.mixed_audit(audit)
    sheet = {"model_key": "openai/first_party/<b>house", "tier": "standard"}
    tables.insert(audit, "rate_sheets", card_id=1, has_user_rates=True, **sheet)
    tables.insert(audit, "rate_sheets", card_id=2, has_user_rates=False, **sheet)
    for card, basis in ((1, "observed"), (1, "observed"), (1, "forward"), (2, "observed")):
        tables.insert(
            audit, "card_costs", card_id=card, basis=basis, price_status="priced", calls=600,
            effective_cost=Decimal("10.5"),
        )  # fmt: skip
    result = tables.build(audit)
    priced = OwnRates("openai/first_party/<b>house", "standard", 1200, Decimal("21"))
    assert result.pricing.own_rates == (priced,)
    assert any("They price 1,200 calls of openai/first_party/<b>house." in a
               for a in result.assumptions)  # fmt: skip
    page = report.write_html(result)
    assert "openai/first_party/&lt;b&gt;house" in page
    assert "<b>house" not in page
    assert "1,200" in page


def test_without_own_rates_nothing_is_said_of_them(mixed: report.Result) -> None:
    assert mixed.pricing.own_rates == ()
    assert not any("llm-audit.toml" in text for text in mixed.assumptions)
    assert "Rates of your own" not in report.write_html(mixed)
