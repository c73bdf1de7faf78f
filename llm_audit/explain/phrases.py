"""Conditions in words: "clients give up on more than 0.3 % of the calls".

What is only imagined is said by the bounds that a rule sets, never by the values of a row: those
are either of the unchanged case or made up.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from llm_audit.explain.conditions import Condition, Value
from llm_audit.policy import SIGNALS, duration_text

_BOUNDS = {">": "more than {}", ">=": "{} or more", "<": "less than {}", "<=": "{} or less"}
_MEANINGS = {column.name: column.meaning for column in SIGNALS}


def sentence(conditions: Sequence[Condition], row: Mapping[str, Any]) -> str:
    """The conditions as one clause, to be read after "if".

    row: the case as it is; a number that a condition says differently follows as "(84 now)".
    """
    signals = dict.fromkeys(condition.signal for condition in conditions)
    return " and ".join(
        _clause(signal, [c for c in conditions if c.signal == signal], row.get(signal))
        for signal in signals
    )


def meaning(signal: str) -> str:
    """What a signal is, in a few words."""
    return _MEANINGS.get(signal, signal)


@cache
def phrases() -> Mapping[str, Mapping[str, Any]]:
    """`phrases.toml`: the tables numbers, texts and flags."""
    text = resources.files("llm_audit.explain").joinpath("phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _clause(signal: str, conditions: Sequence[Condition], here: Any) -> str:
    value = conditions[0].value
    if isinstance(value, bool):
        return _flag(signal, value if conditions[0].sign == "=" else not value)
    bound = " and ".join(_bound(signal, condition) for condition in conditions)
    named = phrases()["texts" if isinstance(value, str) else "numbers"].get(signal)
    said = named.replace("{}", bound) if named else f"this is {bound}: {meaning(signal)}"
    return said if here is None or isinstance(here, bool) else f"{said} ({shown(signal, here)} now)"


def _flag(signal: str, value: bool) -> str:
    pair: Iterable[str] | None = phrases()["flags"].get(signal)
    if pair is None:
        return f"this is {'so' if value else 'not so'}: {meaning(signal)}"
    so, not_so = pair
    return so if value else not_so


def _bound(signal: str, condition: Condition) -> str:
    value = shown(signal, condition.value)
    if condition.sign == "<>":
        return f"other than {value}"
    return _BOUNDS.get(condition.sign, "{}").replace("{}", value)


def shown(signal: str, value: Value) -> str:
    """A value as a person reads it: shares as percent, seconds and hours with their unit."""
    if isinstance(value, str | bool):
        return str(value)
    if "share" in signal.split("_"):
        return f"{100 * value:.4g} %"
    if signal.endswith("_s"):
        return duration_text(value)
    if signal.endswith("_h"):
        return duration_text(value * 3600)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
