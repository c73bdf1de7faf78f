"""Exports of aggregated usage: unfolds a page into its records, one flat JSON object each.

A record is what the vendor's own query returned as a row: a result object of a page, a row of a
CSV. A page or bucket without any counts as one record that holds nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llm_audit.formats import Format

_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Part:
    """One record of a page: where it stands in it ("" outside of pages), and its fields.

    An empty bucket has those of what is around it: its time.
    """

    place: str
    fields: Mapping[str, Any]
    is_empty: bool = False


@dataclass(frozen=True)
class PageEnd:
    """A page as far as it says whether others follow it."""

    series: tuple[str, str]
    """The format and the endpoint: pages of one series follow one another."""
    start: tuple[float, str]
    """The start of its last bucket, to tell which page is the last."""
    source_file: str
    has_more: bool
    next_page: str


def parse(text: bytes) -> Any:
    """A JSON value with its numbers as texts, exactly as they were written."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def unfold(record: Mapping[str, Any], format_: Format) -> Iterator[Part]:
    """The records of a page; the record itself if it is no page of this format."""
    paths = [path for path in format_.records if path[0] in record]
    if not paths:
        yield Part("", record)
        return
    is_empty = True
    for path in paths:
        around = {k: v for k, v in record.items() if k in format_.columns and k != path[0]}
        for part in _inside(record, path, around, "", format_):
            is_empty = False
            yield part
    if is_empty:
        yield Part("", {}, is_empty=True)


def _inside(
    holder: Mapping[str, Any],
    path: tuple[str, ...],
    around: Mapping[str, Any],
    place: str,
    format_: Format,
) -> Iterator[Part]:
    """The records in the list `path[0]` of `holder`, each with what encloses it."""
    elements = holder.get(path[0])
    if elements is not None and not isinstance(elements, list):
        yield Part(place + path[0], {})
        return
    for number, element in enumerate(elements or []):
        here = f"{place}{path[0]}[{number}]"
        if not isinstance(element, dict):
            yield Part(here, {})
        elif len(path) == 1:
            yield Part(here, {**around, **element})
        else:
            inherited = {**around, **{k: v for k, v in element.items() if k in format_.columns}}
            if element.get(path[1]):
                yield from _inside(element, path[1:], inherited, f"{here}.", format_)
            elif element.get(path[1]) in (None, []):
                yield Part(here, inherited, is_empty=True)
            else:
                yield Part(here, {})


def flat(part: Part, format_: Format, file_name: str) -> bytes:
    """A record as JSON of what its format reads, and nothing else of it."""
    record = {key: part.fields[key] for key in format_.columns if key in part.fields}
    record["file_name"] = file_name
    record["other_dimensions"] = _other_dimensions(part.fields, format_)
    record["place"] = part.place
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")


def _other_dimensions(fields: Mapping[str, Any], format_: Format) -> str | None:
    """A hash of what a record says under keys that its format does not know.

    A vendor who adds a dimension to an export makes two records of one; without this the second
    would pass for a repetition. Numbers do not count: they are what is measured.
    """
    others = {
        key: value
        for key, value in fields.items()
        if key not in format_.columns and value not in (None, "", [], {}) and not _is_number(value)
    }
    if not others:
        return None
    text = json.dumps(others, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest()[:16]


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None


def page_end(record: Mapping[str, Any], format_: Format, source_file: str) -> PageEnd | None:
    """What a page says about the pages behind it; None for a record that is no page."""
    if not isinstance(record.get("has_more"), bool):
        return None
    buckets = _objects(record.get("data"))
    start, _ = span(buckets[-1] if buckets else {})
    number = float(start) if re.fullmatch(r"[0-9]{1,12}", start) else 0.0
    return PageEnd(
        series=(format_.name, _endpoint(buckets)),
        start=(number, start),
        source_file=source_file,
        has_more=record["has_more"],
        next_page=str(record.get("next_page") or ""),
    )


def span(bucket: Mapping[str, Any]) -> tuple[str, str]:
    """When a bucket of a page starts and ends, as it is written there; "" where it is not."""
    start = bucket.get("start_time") or bucket.get("starting_at") or ""
    end = bucket.get("end_time") or bucket.get("ending_at") or ""
    return str(start), str(end)


def _endpoint(buckets: list[dict[str, Any]]) -> str:
    """What the first result says that it is; "" for a vendor who does not say."""
    results = (result for bucket in buckets for result in _objects(bucket.get("results")))
    return str(next(results, {}).get("object", ""))


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; none in anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
