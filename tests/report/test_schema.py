"""The JSON Schema accepts what is written and refuses what is not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from llm_audit.report import Result, compare, json_schema, to_json
from tests.report.everywhere import TEXTS, everywhere, golden
from tests.report.test_codec import _any_result

Document = dict[str, Any]
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def document(result: Result) -> Document:
    parsed: Document = json.loads(to_json(result))
    return parsed


def test_the_schema_is_one_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("name", ["mixed", "one_day", "empty"])
def test_what_is_written_is_valid(name: str) -> None:
    result = golden(name)
    VALIDATOR.validate(document(result))
    VALIDATOR.validate(document(replace(result, baseline=compare(result, result))))


@settings(max_examples=25, deadline=None)
@given(_any_result())
def test_whatever_is_written_is_valid(result: Result) -> None:
    VALIDATOR.validate(document(result))


@pytest.mark.parametrize("text", TEXTS, ids=[ascii(text[:24]) for text in TEXTS])
def test_text_is_free(text: str) -> None:
    VALIDATOR.validate(document(everywhere(golden("mixed"), text)))


def test_other_keys_are_allowed_everywhere() -> None:
    changed = document(golden("mixed"))
    changed["new"] = changed["workloads"][0]["new"] = changed["period"]["new"] = 1
    VALIDATOR.validate(changed)


def _set(*keys: str | int, value: Any) -> Callable[[Document], None]:
    def change(target: Any) -> None:
        for key in keys[:-1]:
            target = target[key]
        target[keys[-1]] = value

    return change


def _drop(*keys: str | int) -> Callable[[Document], None]:
    def change(target: Any) -> None:
        for key in keys[:-1]:
            target = target[key]
        del target[keys[-1]]

    return change


WRONG = {
    "another version": _set("schema_version", value=99),
    "money as a number": _set("totals", "list_cost", value=1.5),
    "money in scientific notation": _set("totals", "list_cost", value="1E+3"),
    "money with a currency": _set("totals", "list_cost", value="$5.00"),
    "money with one decimal": _set("totals", "list_cost", value="5.0"),
    "no number": _set("totals", "list_cost", value="NaN"),
    "a count as text": _set("period", "days", value="seven"),
    "a count with decimals": _set("period", "days", value=1.5),
    "a count as a truth": _set("period", "days", value=True),
    "a time without a zone": _set("generated_at", value="2025-09-10T12:00:00"),
    "no day": _set("pricing", "as_of", value="yesterday"),
    "null where something must be": _set("savings", "observed", value=None),
    "an object for a list": _set("workloads", value={}),
    "a list with a stranger": _set("workloads", 0, value="x"),
    "a text among counts": _set("workloads", 0, "activity", "by_hour", 0, value="x"),
    "a text in a mapping of counts": _set("data_quality", "calls_by_status", "ok", value="x"),
    "no baseline key": _drop("baseline"),
    "no key of a workload": _drop("workloads", 0, "criteria", "tolerance"),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_wrong_documents_are_refused(change: Callable[[Document], None]) -> None:
    wrong = copy.deepcopy(document(golden("mixed")))
    change(wrong)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(wrong)


def test_what_an_earlier_version_wrote_is_valid() -> None:
    old = document(golden("mixed"))
    del old["migration"], old["replayable"]
    VALIDATOR.validate(old)
    assert {"migration", "replayable"} == set(SCHEMA["properties"]) - set(SCHEMA["required"])


def test_every_key_is_described_by_its_class() -> None:
    """Each object says what it is, in the words of the dataclass that makes it."""
    for name, definition in SCHEMA["$defs"].items():
        assert len(definition["description"]) > 10, name
        assert "(self" not in definition["description"], name
        assert set(definition["required"]) == set(definition["properties"])
