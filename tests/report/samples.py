"""A workload as a plain value, for tests that need no tables."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from llm_audit.report.result import GAPS_S, Activity, Criteria, Workload

ACTIVITY = Activity(
    by_day=(0, 30, 70),
    by_hour=(0,) * 26 + (100,) + (0,) * 141,
    gaps=(90, 9) + (0,) * (len(GAPS_S) - 1),
    duration_p50_ms=1200,
    duration_p95_ms=61_000,
    streaming_share=0.25,
    input_tokens=1_000_000,
    cache_read_input_tokens=400_000,
    output_tokens=50_000,
)


def workload(**changes: Any) -> Workload:
    """A gray workload of 100 calls; `changes` replaces fields."""
    one = Decimal(1)
    return replace(
        Workload(
            workload_id="w_0000000001", label="gray_area", caller="webhook-triage",
            operation_name="chat", provider_name="openai", model="gpt-4.1",
            first_call_at=None, last_call_at=None, active_days=3, confidence=None, calls=100,
            priced_calls=100, unpriced_calls=0, unpriced_tokens=0, already_batch_calls=0,
            already_batch_cost=Decimal(0), list_cost=2 * one, contracted_cost=2 * one,
            effective_cost=2 * one, saving_conservative=one, saving_expected=one, saving_best=one,
            forward_effective_cost=2 * one, forward_saving_conservative=one,
            forward_saving_expected=one, forward_saving_best=one,
            projected_saving_conservative=one, flex_cost=None, peak_day_calls=70,
            deadline_risk=False, worth_it=True, advice="ask_owner", note="Ask the owner.",
            criteria=Criteria("supported", "unknown", "hinted"), reasons=(), activity=ACTIVITY,
            batch_fit=None,
        ),
        **changes,
    )  # fmt: skip
