"""The workloads as a FOCUS data set (FinOps Open Cost and Usage Specification), for FinOps tools.

One row per workload and label: an estimate from a log, beside the invoices that a tool holds. The
columns are those of FOCUS 1.3, which has the names of its providers (`ProviderName`,
`PublisherName`) of 1.2 and before, too; ours begin with `x_` and come last. What the specification
(https://focus.finops.org) asks for and an estimate cannot give:

- `BilledCost` is 0: who does not issue the invoice must not add to it, or merged data sets count
  twice. The estimate is in `ListCost`, `ContractedCost` and `EffectiveCost`.
- The three costs are null where no call of the row has a price. They should not be, but 0 would be
  a lie; `x_unpriced_calls` says how many calls of any row are in no cost.
- `BillingAccountId`, `BillingAccountName`, `InvoiceId`: no log holds them, and a placeholder is
  forbidden. Null; so is a provider's name where the log lacks it.
- `ChargePeriodStart` and `ChargePeriodEnd` (exclusive) are whole days, UTC, null where no call of
  the row has a time. The billing period is that of the months they touch.
- `ListCost` is at published rates, but at the user's own where llm-audit.toml gives some: they take
  the place of ours before any discount. `ContractedCost` has the user's multipliers, too.
- `x_saving_*` are null for realtime calls, of which nothing is claimed; where `x_worth_it` and
  `x_label` is batch_eligible they add up to the headline, as observed.
- `ConsumedQuantity` is null where the log holds no token. `SkuPriceId`, `PricingQuantity` and
  `PricingUnit` are null: one row adds up tokens of several prices.
- `ChargeClass` is null: nothing is a correction.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report import wording
from llm_audit.report.csv_text import Cell, csv_text
from llm_audit.report.figures import plural

if TYPE_CHECKING:
    from llm_audit.report.result import Result, Workload

_SELLERS = {
    "openai": ("OpenAI", "OpenAI API"),
    "anthropic": ("Anthropic", "Claude API"),
    "aws.bedrock": ("Amazon Web Services", "Amazon Bedrock"),
    "azure.ai.openai": ("Microsoft", "Azure OpenAI"),
    "azure.ai.inference": ("Microsoft", "Azure AI Foundry Models"),
    "gcp.vertex_ai": ("Google Cloud", "Vertex AI"),
    "gcp.gemini": ("Google", "Gemini API"),
}
"""Who sells, and under which name; any other seller is named as in the log."""

_GENERATIVE = {"chat", "responses", "completions", "text_completion", "generate_content", "image"}


def to_focus(result: Result) -> str:
    """The document; of an audit without calls, its header alone."""
    rows = [_standard(workload) | _own(workload, result) for workload in result.workloads]
    return csv_text(COLUMNS, ([row[column] for column in COLUMNS] for row in rows))


COLUMNS = (
    *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency"),
    *("BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass"),
    *("ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart"),
    *("ConsumedQuantity", "ConsumedUnit", "ContractedCost", "EffectiveCost"),
    *("HostProviderName", "InvoiceId", "InvoiceIssuerName", "ListCost"),
    *("PricingQuantity", "PricingUnit", "ProviderName", "PublisherName"),
    *("ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName"),
    *("ServiceProviderName", "ServiceSubcategory", "SkuId", "SkuPriceId"),
    *("x_workload_id", "x_label", "x_advice", "x_worth_it", "x_confidence"),
    *("x_operation_name", "x_calls", "x_unpriced_calls", "x_input_tokens"),
    *("x_cache_read_input_tokens", "x_output_tokens", "x_already_batch_cost"),
    *("x_saving_conservative", "x_saving_expected", "x_saving_best"),
    *("x_price_card", "x_generated_at"),
)
"""Standard ones by name, then ours: the order that FOCUS asks for."""


def _standard(workload: Workload) -> dict[str, Cell]:
    start, end = _days(workload)
    seller, service = _SELLERS.get(
        workload.provider_name or "", (workload.provider_name, workload.provider_name)
    )
    tokens = workload.activity.input_tokens + workload.activity.output_tokens
    names = ("HostProviderName", "InvoiceIssuerName", "ProviderName", "PublisherName")
    return {
        "BilledCost": Decimal(0),
        "BillingAccountId": None,
        "BillingAccountName": None,
        "BillingCurrency": "USD",
        "BillingPeriodEnd": None if end is None else _next_month(end - timedelta(days=1)),
        "BillingPeriodStart": None if start is None else start.replace(day=1),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": _description(workload),
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": end,
        "ChargePeriodStart": start,
        "ConsumedQuantity": tokens or None,
        "ConsumedUnit": "Tokens" if tokens else None,
        "ContractedCost": workload.contracted_cost,
        "EffectiveCost": workload.effective_cost,
        "InvoiceId": None,
        "ListCost": workload.list_cost,
        "PricingQuantity": None,
        "PricingUnit": None,
        "ResourceId": workload.workload_id,
        "ResourceName": workload.caller,
        "ResourceType": "LLM workload",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": service,
        "ServiceSubcategory": "Generative AI"
        if workload.operation_name in _GENERATIVE
        else "Other (AI and Machine Learning)",
        "SkuId": workload.model,
        "SkuPriceId": None,
        **dict.fromkeys((*names, "ServiceProviderName"), seller),
    }


def _own(workload: Workload, result: Result) -> dict[str, Cell]:
    """What an audit knows and a bill does not. Savings are observed; null for realtime calls."""
    claims = workload.claims
    return {
        "x_workload_id": workload.workload_id,
        "x_label": workload.label,
        "x_advice": workload.advice,
        "x_worth_it": workload.worth_it,
        "x_confidence": workload.confidence,
        "x_operation_name": workload.operation_name,
        "x_calls": workload.calls,
        "x_unpriced_calls": workload.unpriced_calls,
        "x_input_tokens": workload.activity.input_tokens,
        "x_cache_read_input_tokens": workload.activity.cache_read_input_tokens,
        "x_output_tokens": workload.activity.output_tokens,
        "x_already_batch_cost": workload.already_batch_cost,
        "x_saving_conservative": workload.saving_conservative if claims else None,
        "x_saving_expected": workload.saving_expected if claims else None,
        "x_saving_best": workload.saving_best if claims else None,
        "x_price_card": result.pricing.version,
        "x_generated_at": result.generated_at,
    }


def _description(workload: Workload) -> str:
    label = wording.LABELS.get(workload.label, ("", workload.label))[1]
    return f"Estimate: {plural(workload.calls, 'call')} to {workload.model or 'unknown'}, {label}"


def _days(workload: Workload) -> tuple[datetime | None, datetime | None]:
    """The first day of its calls, and the day after the last."""
    first, last = workload.first_call_at, workload.last_call_at
    if first is None or last is None:
        return None, None
    return _midnight(first), _midnight(last) + timedelta(days=1)


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def _next_month(day: datetime) -> datetime:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
