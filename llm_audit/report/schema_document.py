"""The JSON Schema (2020-12) of the JSON output, made from the dataclasses of `result`.

It cannot drift from what is written: both read the same annotations. Other keys are allowed, for a
new key alone does not raise `schema_version`.
"""

from __future__ import annotations

import inspect
import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints

from llm_audit.report.codec import MONEY
from llm_audit.report.result import SCHEMA_VERSION, Result

Schema = dict[str, Any]

_SCALARS: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "pattern": f"^{MONEY.pattern}$"},
    date: {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    datetime: {
        "type": "string",
        "format": "date-time",
        "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$",
    },
}


def json_schema() -> Schema:
    """The document as plain objects, its keys in the order of the dataclasses."""
    definitions: dict[str, Schema] = {}
    whole = _object(Result, definitions)
    whole["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:llm-audit:result:{SCHEMA_VERSION}",
        "title": "Result of `llm-audit report --format json`",
        **whole,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(kind: Any, definitions: dict[str, Schema]) -> Schema:
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    # An older version of the program wrote no key that has a default.
    required = [field.name for field in fields(kind) if field.default is MISSING]
    return {
        "description": " ".join(inspect.cleandoc(kind.__doc__).split()),
        "type": "object",
        "properties": {name: _value(hints[name], definitions) for name in names},
        "required": required,
        "additionalProperties": True,
    }


def _value(hint: Any, definitions: dict[str, Schema]) -> Schema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is types.UnionType:  # only `X | None` occurs
        return {"anyOf": [_value(arguments[0], definitions), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _value(arguments[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _value(arguments[1], definitions)}
    if is_dataclass(hint):
        name = hint.__name__  # type: ignore[union-attr]
        if name not in definitions:
            definitions[name] = {}  # holds its place, should a class hold itself
            definitions[name] = _object(hint, definitions)
        return {"$ref": f"#/$defs/{name}"}
    return dict(_SCALARS[hint])
