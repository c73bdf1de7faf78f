"""What a comparison comes to, as one sentence; and amounts as text.

Amounts are written out to their last decimal: whoever signs them adds them up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_audit.reconcile.result import Amount

_NAMES = {"openai": "OpenAI", "anthropic": "Anthropic"}


@dataclass(frozen=True)
class Covered:
    """How much of either side was compared: days of ours, and what is missing of theirs."""

    log_days: int
    compared: int
    lines_rejected: int = 0
    pages_missing: int = 0


def verdict(
    provider_name: str,
    basis: str,
    *,
    ours: Amount,
    theirs: Amount,
    elsewhere: Amount,
    unexplained: Amount,
    covered: Covered,
) -> str:
    """One sentence or two: both totals, and how much of the difference nothing explains.

    elsewhere: what of theirs is of another period, model or key than the log. It is explained, but
    shows nothing about our figures, so shares are of the rest. Where lines or pages of the export
    are missing it is neither the same nor explained.
    """
    on = (
        f" on {covered.compared:,} of the log's {several(covered.log_days, 'day')}"
        if covered.compared < covered.log_days
        else ""
    )
    totals = (
        f"{provider(provider_name)}'s export has {amount(basis, theirs)}, "
        f"our log {amount(basis, ours)}{on}"
    )
    missing = _missing(covered)
    if ours == 0 and theirs == elsewhere:
        none = "for the log has none of the export's days and models"
        return f"{totals}: not reconciled, {none}.{missing and f' {missing}.'}"
    if missing and unexplained == 0:
        return f"{totals}. Nothing of what was read is unexplained, but {missing}."
    if ours == theirs and unexplained == 0:
        return f"{totals}: the same to the last {'token' if basis == 'tokens' else 'decimal'}."
    if unexplained == 0:
        return f"{totals}: all of the difference is explained."
    share = percent(unexplained, theirs - elsewhere)
    of = f" ({share} of what the log covers of theirs)" if share else ""
    return f"{totals}; unexplained: {amount(basis, unexplained)}{of}.{missing and f' {missing}.'}"


def _missing(covered: Covered) -> str:
    """What of the export is not in the figures; "" if nothing."""
    parts = []
    if covered.lines_rejected:
        verb = "was" if covered.lines_rejected == 1 else "were"
        parts.append(f"{several(covered.lines_rejected, 'line')} of the export {verb} rejected")
    if covered.pages_missing:
        parts.append("pages of the export are missing")
    return " and ".join(parts)


def several(number: int, noun: str) -> str:
    """'1 line', '2,000 lines'."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def provider(name: str) -> str:
    """The provider's own spelling of its name."""
    return _NAMES.get(name, name)


def amount(basis: str, value: Amount) -> str:
    """'1,200 tokens' or '$0.0105', exact, with thousands separators."""
    if basis == "tokens":
        return f"{value:,} {'token' if size(value) == 1 else 'tokens'}"
    return f"{'-' if value < 0 else ''}${figure(basis, size(value))}"


def size(value: Amount) -> Amount:
    """The amount without its sign."""
    return -value if value < 0 else value


def figure(basis: str, value: Amount) -> str:
    """The bare number for a column: at least two decimals of dollars, and none of tokens."""
    if basis == "tokens":
        return f"{value:,}"
    whole, _, decimals = f"{value:,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def percent(part: Amount, whole: Amount) -> str:
    """'12.3%', 'under 0.1%'; '' of nothing, of a credit or above 100%. Sign kept."""
    if whole <= 0 or size(part) > whole:
        return ""
    value = float(part) / float(whole) * 100
    if value != 0 and abs(value) < 0.1:
        return "under 0.1%"
    return f"{value:.1f}".removesuffix(".0") + "%"
