"""`--map FIELD=PATH`: reads canonical columns from wherever a log keeps them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from llm_audit.errors import UsageError
from llm_audit.formats import Format, Term

_KEY = re.compile(r"[\w$@ /-]+")


def parse_fields(arguments: Iterable[str]) -> dict[str, str]:
    """`["input_tokens=usage.prompt_tokens"]` as a mapping.

    Errors: `UsageError` for an argument without `=`.
    """
    fields = {}
    for argument in arguments:
        field, equals, path = argument.partition("=")
        if not (field and equals and path):
            raise UsageError(
                f"--map {argument!r} is not FIELD=PATH",
                slug="map-syntax",
                hint="for example --map input_tokens=usage.prompt_tokens",
            )
        fields[field.strip()] = path.strip()
    return fields


def mapped_format(generic: Format, fields: Mapping[str, str]) -> Format:
    """The generic format, reading some columns from other keys (dots go into objects).

    Errors: `UsageError` for an unknown column, naming the nearest one, or an unusable path.
    """
    for field in fields:
        if field not in generic.columns:
            near = difflib.get_close_matches(field, generic.columns, n=1)
            raise UsageError(
                f"--map: there is no column {field!r}",
                slug="map-field",
                hint=f"did you mean {near[0]}?" if near else "see the glossary in README.md",
            )
    paths = {field: _keys(path) for field, path in fields.items()}
    roots = {keys[0] for keys in paths.values()}
    columns = {name: "JSON" if name in roots else type_ for name, type_ in generic.columns.items()}
    columns |= dict.fromkeys(roots, "JSON")
    cells = [_cell(name, paths.get(name), name in roots) for name in generic.columns]
    select = generic.select.replace("FROM raw", "FROM mapped", 1)
    mapped = "WITH mapped AS (\n  SELECT\n    " + ",\n    ".join(cells) + "\n  FROM raw\n),\n"
    return replace(
        generic,
        detect=tuple((Term(keys, "present", ""),) for keys in paths.values()),
        columns=columns,
        select=mapped + select.removeprefix("WITH "),
    )


def _keys(path: str) -> tuple[str, ...]:
    keys = tuple(path.removeprefix("$.").split("."))
    if not all(_KEY.fullmatch(key) for key in keys):
        raise UsageError(
            f"--map: {path!r} is not a path of keys",
            slug="map-path",
            hint="keys joined by dots, for example usage.prompt_tokens",
        )
    return keys


def _cell(name: str, keys: tuple[str, ...] | None, is_root: bool) -> str:
    """One column of `mapped`. Keys hold no quotes: `_keys` has seen to it."""
    if keys is None:
        return f'json_extract_string("{name}", \'$\') AS "{name}"' if is_root else f'"{name}"'
    inside = "".join(f'."{key}"' for key in keys[1:])
    return f'json_extract_string("{keys[0]}", \'${inside}\') AS "{name}"'
