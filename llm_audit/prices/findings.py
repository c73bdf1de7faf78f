"""What a check of the price data says."""

from __future__ import annotations

from dataclasses import dataclass

ERROR = "error"
"""A contradiction: the data is not loaded."""

WARNING = "warning"
"""Unlikely, or growing old: someone should look."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or doubtful: where, and what mends it."""

    slug: str
    message: str
    hint: str
    severity: str = ERROR
