"""Rows as CSV (RFC 4180, UTF-8), safe to open in a spreadsheet whatever a log put into them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_audit.report.codec import plain_decimal
from llm_audit.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell = str | int | float | Decimal | datetime | date | None

LONGEST_TEXT = 1000

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one is run by spreadsheets (OWASP, CSV injection)."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The document, its lines ended by CR LF. Unknown is an empty cell, never 0."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> str:
    """Money and times as the JSON writes them. Only text may be an attacker's, never a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        return _text(value)
    return str(value)


def _text(value: str) -> str:
    """One printable line; a leading apostrophe makes a formula a text."""
    shown = printable(value, LONGEST_TEXT)
    # Not only the first character: spreadsheets skip blanks, and so does who trims the cell.
    harmless = not value.startswith(_FORMULA) and not shown.lstrip(" '\"").startswith(_FORMULA)
    return shown if harmless else f"'{shown}"
