"""Whether a value fits a JSON schema, as far as the vendors' structured outputs use schemas.

type, enum, const, properties, required, additionalProperties, items, anyOf, local $ref and simple
bounds (platform.openai.com/docs/guides/structured-outputs, "Supported schemas"). What it does not
know it does not hold against a value: the same measure goes over both answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_DEPTH = 64
"""Levels of a value; deeper ones are not looked at, so that a recursive schema ends."""


def fits(value: Any, schema: Any) -> bool:
    """Whether `value` is what `schema` describes."""
    return _fits(value, schema, schema, 0)


def _fits(value: Any, schema: Any, root: Any, depth: int) -> bool:
    if isinstance(schema, bool):
        return schema
    if not isinstance(schema, dict) or depth > _DEPTH:
        return True
    if "$ref" in schema:
        return _fits(value, _pointed(schema["$ref"], root), root, depth + 1)

    def below(part: Any, its_schema: Any) -> bool:
        return _fits(part, its_schema, root, depth + 1)

    any_of = schema.get("anyOf")
    if isinstance(any_of, list) and not any(below(value, option) for option in any_of):
        return False
    return (
        _is_of_type(value, schema.get("type"))
        and ("enum" not in schema or value in schema["enum"])
        and ("const" not in schema or value == schema["const"])
        and _within(value, schema)
        and (not isinstance(value, dict) or _object_fits(value, schema, below))
        and (not isinstance(value, list) or all(below(v, schema.get("items")) for v in value))
    )


def _object_fits(value: Mapping[str, Any], schema: Any, below: Callable[[Any, Any], bool]) -> bool:
    properties = schema.get("properties") or {}
    if any(name not in value for name in schema.get("required") or ()):
        return False
    others = schema.get("additionalProperties", True)
    return all(below(part, properties.get(name, others)) for name, part in value.items())


_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def _is_of_type(value: Any, kinds: Any) -> bool:
    if kinds is None:
        return True
    return any(_is_of(value, kind) for kind in (kinds if isinstance(kinds, list) else [kinds]))


def _is_of(value: Any, kind: Any) -> bool:
    if isinstance(value, bool):  # an int to Python, not to JSON
        return bool(kind == "boolean")
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _within(value: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(value, bool):
        return True
    number = value if isinstance(value, int | float) else None
    length = len(value) if isinstance(value, str | list) else None
    size = "Length" if isinstance(value, str) else "Items"
    return _between(number, schema.get("minimum"), schema.get("maximum")) and _between(
        length, schema.get(f"min{size}"), schema.get(f"max{size}")
    )


def _between(number: float | None, least: Any, most: Any) -> bool:
    if number is None:
        return True
    above = not isinstance(least, int | float) or number >= least
    return above and (not isinstance(most, int | float) or number <= most)


def _pointed(reference: Any, root: Any) -> Any:
    """What a local reference such as `#/$defs/item` means; True where it means nothing."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return True
    target = root
    for name in reference[1:].split("/")[1:]:
        target = target.get(name.replace("~1", "/").replace("~0", "~"), True)
        if not isinstance(target, dict):
            return True
    return target
