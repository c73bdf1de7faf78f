"""The result document as JSON and back. The dataclasses of `result` are the whole description.

Decimals are strings in plain notation with at least two decimals ("810.00", "0.0105"), times end in
Z, dates are ISO 8601. Non-ASCII and control characters are escaped, so the text is safe to print.
"""

from __future__ import annotations

import json
import types
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from llm_audit.errors import InputError
from llm_audit.report.result import SCHEMA_VERSION, Result

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def to_json(result: DataclassInstance) -> str:
    """The JSON text, indented, keys in the order of the dataclasses, ending in a newline.

    result: a `Result`, or any other tree of dataclasses that the command line prints.
    """
    return json.dumps(_encode(result), indent=2, allow_nan=False) + "\n"


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
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise InputError(
            f"this is not a result of `llm-audit report --format json` ({error!r})",
            slug="result-unreadable",
            hint="write one with `llm-audit report --format json --out run.json`",
        ) from None
    assert isinstance(result, Result)
    return result


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
    return kind(**{name: _decode(hints[name], value[name]) for name in hints})


def _decode_scalar(kind: Any, value: Any) -> Any:
    if kind in (date, datetime):
        return kind.fromisoformat(value)
    if kind is Decimal:
        return Decimal(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value
