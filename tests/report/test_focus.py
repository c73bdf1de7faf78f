"""The FOCUS data set, held against the requirements of the specification it names."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from llm_audit.report import Result, to_focus
from llm_audit.report.focus import COLUMNS
from tests.report.everywhere import TEXTS, everywhere, golden
from tests.report.test_tabular import IDS, NUMBER, rows_of

MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "HostProviderName",
    "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName",
    "PublisherName", "ServiceCategory", "ServiceName", "ServiceProviderName",
}  # fmt: skip


def _row(result: Result, **changes: object) -> dict[str, str]:
    workload = replace(result.workloads[0], **changes)  # type: ignore[arg-type]
    [row] = rows_of(to_focus(replace(result, workloads=(workload,))))
    return row


def test_columns() -> None:
    """Mandatory ones are there; standard ones come before ours; names are as the rules ask."""
    assert set(COLUMNS) >= MANDATORY
    own = [column.startswith("x_") for column in COLUMNS]
    assert own == sorted(own)
    standard = [column for column in COLUMNS if not column.startswith("x_")]
    assert standard == sorted(standard)
    assert all(re.fullmatch(r"(x_)?[A-Za-z][A-Za-z0-9_]{0,49}", column) for column in COLUMNS)
    assert rows_of(to_focus(golden("empty"))) == []


@pytest.mark.parametrize("name", ["mixed", "one_day"])
def test_values(name: str) -> None:
    result = golden(name)
    rows = rows_of(to_focus(result))
    assert len(rows) == len(result.workloads)
    for row, workload in zip(rows, result.workloads, strict=True):
        assert Decimal(row["BilledCost"]) == 0
        assert (row["BillingCurrency"], row["ChargeCategory"]) == ("USD", "Usage")
        assert row["ServiceCategory"] == "AI and Machine Learning"
        for column in ("BillingPeriod", "ChargePeriod"):
            start, end = (datetime.fromisoformat(row[column + side]) for side in ("Start", "End"))
            assert start < end
        assert row["x_label"] == workload.label
        unpriced = workload.effective_cost is None
        assert (row["EffectiveCost"] == "") == (row["ListCost"] == "") == unpriced
    costs = [Decimal(row["EffectiveCost"] or 0) for row in rows]
    assert sum(costs) == result.totals.effective_cost
    savings = [Decimal(row["x_saving_conservative"] or 0) for row in rows]
    assert sum(savings) == sum(w.saving_conservative for w in result.workloads)


def test_the_charge_period_is_whole_days_and_its_end_exclusive() -> None:
    row = _row(
        golden("mixed"),
        first_call_at=datetime(2025, 1, 31, 23, 59, tzinfo=UTC),
        last_call_at=datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC),
    )
    assert row["ChargePeriodStart"] == "2025-01-31T00:00:00Z"
    assert row["ChargePeriodEnd"] == "2025-02-01T00:00:00Z"
    assert row["BillingPeriodStart"] == "2025-01-01T00:00:00Z"
    assert row["BillingPeriodEnd"] == "2025-02-01T00:00:00Z"


def test_days_are_utc_and_a_billing_period_covers_the_months_of_the_log() -> None:
    east = timezone(timedelta(hours=9))
    row = _row(
        golden("mixed"),
        first_call_at=datetime(2025, 1, 1, 3, tzinfo=east),
        last_call_at=datetime(2025, 12, 31, 12, tzinfo=UTC),
    )
    assert row["ChargePeriodStart"] == "2024-12-31T00:00:00Z"
    assert row["ChargePeriodEnd"] == "2026-01-01T00:00:00Z"
    assert row["BillingPeriodStart"] == "2024-12-01T00:00:00Z"
    assert row["BillingPeriodEnd"] == "2026-01-01T00:00:00Z"


def test_what_is_not_known_is_null_and_never_a_placeholder() -> None:
    result = golden("mixed")
    quiet = replace(result.workloads[0].activity, input_tokens=0, output_tokens=0)
    row = _row(
        result, first_call_at=None, last_call_at=None, provider_name=None, model=None, caller=None,
        list_cost=None, contracted_cost=None, effective_cost=None, activity=quiet,
    )  # fmt: skip
    unknown = {column for column, cell in row.items() if cell == ""}
    assert unknown >= {
        "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd",
        "ProviderName", "ServiceName", "SkuId", "ResourceName", "ListCost", "ContractedCost",
        "EffectiveCost", "ConsumedQuantity", "ConsumedUnit", "BillingAccountId", "ChargeClass",
    }  # fmt: skip
    assert "Not Applicable" not in row.values()


@pytest.mark.parametrize(
    ("provider", "name", "service"),
    [
        ("openai", "OpenAI", "OpenAI API"),
        ("aws.bedrock", "Amazon Web Services", "Amazon Bedrock"),
        ("mistral_ai", "mistral_ai", "mistral_ai"),
    ],
)
def test_sellers(provider: str, name: str, service: str) -> None:
    row = _row(golden("mixed"), provider_name=provider)
    assert (row["ProviderName"], row["InvoiceIssuerName"], row["ServiceName"]) == (
        name, name, service,
    )  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=IDS)
def test_hostile_text_is_one_harmless_cell(text: str) -> None:
    for row in rows_of(to_focus(everywhere(golden("mixed"), text))):
        assert None not in row
        for cell in row.values():
            assert cell.isprintable()
            formula = cell.lstrip(" \"'").startswith(("=", "+", "-", "@"))
            assert not formula or cell.startswith("'") or NUMBER.fullmatch(cell)
