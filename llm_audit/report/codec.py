"""The result document as JSON and back. The dataclasses of `result` are the whole description.

Decimals are strings in plain notation with at least two decimals ("810.00", "0.0105"), times end in
Z, dates are ISO 8601. Non-ASCII and control characters are escaped, so the text is safe to print.
"""

from __future__ import annotations

import json
import math
import re
import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from llm_audit.errors import InputError
from llm_audit.report.result import SCHEMA_VERSION, ReconciledTokens, Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import DataclassInstance

_HINT = "write one with `llm-audit report --format json --out run.json`"

MONEY = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]{2,}")
"""How `plain_decimal` writes an amount."""

_COUNTS = re.compile(r"\[\n\s+-?\d+(?:,\n\s+-?\d+)*\n\s+\]")
"""A list of whole numbers over several lines; a text cannot hold one, for its newlines are \\n."""


def to_json(result: DataclassInstance) -> str:
    """The JSON text, indented, keys in the order of the dataclasses, ending in a newline.

    result: a `Result`, or any other tree of dataclasses that the command line prints.
    """
    text = json.dumps(_encode(result), indent=2, allow_nan=False)
    return _COUNTS.sub(_on_one_line, text) + "\n"


def from_json(text: str) -> Result:
    """The result that `to_json` wrote. Unknown keys are ignored: a later version may add some.

    Errors: `InputError` when it is not JSON, has another schema_version, or lacks a key.
    """
    try:
        document = json.loads(text)
        version = document["schema_version"]
        if version != SCHEMA_VERSION:
            raise InputError(
                f"the result has schema_version {version!r}; this program reads {SCHEMA_VERSION}",
                slug="result-version",
                hint="redraw it with the llm-audit version that wrote it",
            )
        result = _decode(Result, document)
        _check(result)
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise InputError(
            f"this is not a result of `llm-audit report --format json` ({error!r})",
            slug="result-unreadable",
            hint=_HINT,
        ) from None
    assert isinstance(result, Result)
    return result


def _check(result: Result) -> None:
    """What no single key shows. Errors: `InputError` in the words of the document's keys."""
    if result.savings.monthly is not None and result.period.days == 0:
        raise _refusal("savings.monthly is projected from a period.days of 0")
    if result.savings.monthly is None and result.savings.annual is not None:
        raise _refusal("savings.annual is there without savings.monthly")


def _refusal(reason: str) -> InputError:
    return InputError(
        f"this result contradicts itself: {reason}", slug="result-unreadable", hint=_HINT
    )


def _on_one_line(counts: re.Match[str]) -> str:
    """168 hours are read as one row, not as 168 lines."""
    return re.sub(r"\s+", "", counts[0]).replace(",", ", ")


def plain_decimal(value: Decimal) -> str:
    """Exact plain notation without needless zeros, at least two decimals: 54 -> '54.00'."""
    digits = f"{value:f}"
    whole, _, decimals = digits.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Decimal):
        return plain_decimal(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    return value


def _decode(kind: Any, value: Any) -> Any:
    """`value` as parsed from JSON, made into `kind`, a type annotation of `result`."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):  # only `X | None` occurs
        return None if value is None else _decode(arguments[0], value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    if origin is dict:
        return {str(key): _decode(arguments[1], item) for key, item in value.items()}
    if is_dataclass(kind):
        return _decode_object(kind, value)
    return _decode_scalar(kind, value)


def _decode_object(kind: Any, value: Any) -> Any:
    hints = get_type_hints(kind)
    values = {
        field.name: _decode(hints[field.name], value[field.name])
        for field in fields(kind)
        if field.name in value or field.default is MISSING  # else an older version wrote it
    }
    if kind is not ReconciledTokens:  # a gap may be negative, a count never
        for name, found in values.items():
            if any(type(count) is int and count < 0 for count in _within(found)):
                raise _refusal(f"{kind.__name__.lower()}.{name} holds a count below 0")
    return kind(**values)


def _within(value: Any) -> Iterable[Any]:
    """The items of a list or an object, else the value itself."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, tuple) else (value,)


def _decode_scalar(kind: Any, value: Any) -> Any:
    if kind is date:
        return date.fromisoformat(value)
    if kind is datetime:
        return _decode_time(value)
    if kind is Decimal:
        return _decode_money(value)
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if type(value) is not kind or kind is float:
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _decode_time(value: Any) -> datetime:
    """A time without a zone would mean another moment on every machine."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} names no time zone")
    return moment


def _decode_money(value: Any) -> Decimal:
    """Decimal alone would take 'NaN', '1e999999' and numbers that JSON has rounded."""
    if not isinstance(value, str) or not MONEY.fullmatch(value):
        raise TypeError(f"{value!r} is no amount of money")
    return Decimal(value)
