"""The words and marks for the values that a result carries; an unknown value speaks for itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A part of the cost: field of the result, name, shape (colour is never alone), meaning."""

    key: str
    name: str
    shape: str
    meaning: str


PARTS = (
    Part("worth_moving_cost", "Worth moving", "●", "batch-eligible and big enough: the headline"),
    Part("other_eligible_cost", "Eligible, stays", "○", "could wait, but moving saves too little"),
    Part("gray_area_cost", "Gray area", "▲", "the log cannot tell; its owner can"),
    Part("realtime_cost", "Realtime", "■", "someone or something waits for the answer"),
    Part("already_batch_cost", "Already batch", "◆", "runs at the batch price today"),
)

LABELS = {
    "batch_eligible": ("●", "Batch-eligible"),
    "gray_area": ("▲", "Gray area"),
    "realtime": ("■", "Realtime"),
}

ADVICE = {
    "batch": "Move to batch",
    "needs_error_feedback": "Try ten calls first",
    "ask_owner": "Ask the owner",
    "realtime": "Keep realtime",
    "keep_sync_cache_cheaper": "Keep synchronous, cache is cheaper",
    "below_floor": "Too small to move",
    "already_batch": "Batched already",
    "flex": "Use the flex tier",
    "no_batch_rate": "No cheaper batch price",
    "unpriced": "No known price",
    "retired_model": "Model is retired",
}

PROVIDERS = {"openai": "OpenAI", "anthropic": "Anthropic"}

PRICE_STATUS = {
    "unpriced_model": "model not in the price card",
    "unpriced_date": "no price for that day, or no time",
    "unpriced_tokens": "the log lacks token counts",
    "unpriced_tier": "no price for that tier",
}


def advice(value: str) -> str:
    """What to do with a workload."""
    return ADVICE.get(value, value.replace("_", " "))


def provider(name: str) -> str:
    """The provider's own spelling of its name."""
    return PROVIDERS.get(name, name)


def price_status(value: str) -> str:
    """Why a call has no price."""
    return PRICE_STATUS.get(value, value.replace("_", " "))


def confidence(value: float | None) -> str:
    """A word for the label's confidence, 0 to 1."""
    if value is None:
        return "unproven"
    return "high" if value >= 0.9 else "medium" if value >= 0.7 else "low"
