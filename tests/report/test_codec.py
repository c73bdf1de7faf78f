from __future__ import annotations

import json
import types
from dataclasses import is_dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llm_audit.errors import InputError
from llm_audit.report import Result, from_json, to_json
from llm_audit.report.codec import plain_decimal
from llm_audit.report.result import SCHEMA_VERSION

_MONEY = st.decimals(-(10**12), 10**12, places=12)
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(0, 10**15),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: _MONEY,
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def _any(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type annotation that `result` uses."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return st.none() | _any(arguments[0])
    if origin is tuple:
        return st.lists(_any(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(_any(arguments[0]), _any(arguments[1]), max_size=3)
    if isinstance(kind, type) and is_dataclass(kind):
        return st.builds(kind, **{n: _any(hint) for n, hint in get_type_hints(kind).items()})
    return _SCALARS[kind]


def _any_result() -> st.SearchStrategy[Result]:
    hints = get_type_hints(Result) | {"schema_version": None}
    parts = {name: _any(hint) for name, hint in hints.items() if hint}
    return st.builds(Result, schema_version=st.just(SCHEMA_VERSION), **parts)


@settings(max_examples=40, deadline=None)
@given(_any_result())
def test_json_and_back_is_the_same_result(result: Result) -> None:
    savings = result.savings
    assume(savings.monthly is None or result.period.days > 0)
    assume(savings.annual is None or savings.monthly is not None)
    assert from_json(to_json(result)) == result


@given(_MONEY)
def test_money_is_exact_and_plain(amount: Decimal) -> None:
    text = plain_decimal(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert len(text.partition(".")[2]) >= 2


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("54.000000000000", "54.00"),
        ("0.010500000000", "0.0105"),
        ("0", "0.00"),
        ("1E+3", "1000.00"),
    ],
)
def test_money_without_needless_zeros(amount: str, text: str) -> None:
    assert plain_decimal(Decimal(amount)) == text


def test_no_amount_of_money_is_a_json_number(mixed: Result) -> None:
    floats: list[str] = []
    json.loads(to_json(mixed), parse_float=floats.append)
    weights_and_confidences = {"0.95", "0.62", "3.0", "1.0", "-1.5", "-0.5"}
    thresholds_and_shares = {"4.0", "2.0", "-4.0", "0.0", "1.0"}
    assert set(floats) <= weights_and_confidences | thresholds_and_shares


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("not json", "result-unreadable"),
        ("[]", "result-unreadable"),
        ('{"schema_version": 1}', "result-unreadable"),
        ('{"schema_version": 99}', "result-version"),
    ],
)
def test_something_else_is_refused(text: str, slug: str) -> None:
    with pytest.raises(InputError) as caught:
        from_json(text)
    assert caught.value.slug == slug
    assert caught.value.hint


def test_a_wrong_type_is_refused(mixed: Result) -> None:
    document = json.loads(to_json(mixed))
    document["period"]["days"] = "seven"
    with pytest.raises(InputError):
        from_json(json.dumps(document))


def test_keys_of_a_later_version_are_ignored(mixed: Result) -> None:
    document = json.loads(to_json(mixed)) | {"new_key": 1}
    assert from_json(json.dumps(document)) == mixed


def test_keys_that_an_earlier_version_did_not_write(mixed: Result) -> None:
    """A report of last month can still be drawn, and be the baseline of the next one."""
    document = json.loads(to_json(replace(mixed, replayable=("w_0000000001",))))
    del document["migration"], document["replayable"]
    old = from_json(json.dumps(document))
    assert old == replace(mixed, migration=None, replayable=())
    del document["assumptions"]
    with pytest.raises(InputError):
        from_json(json.dumps(document))


def test_what_contradicts_itself_is_refused_in_plain_words(mixed: Result) -> None:
    for part, key, value in (("period", "days", 0), ("totals", "calls", -5)):
        document = json.loads(to_json(mixed))
        document[part][key] = value
        with pytest.raises(InputError) as caught:
            from_json(json.dumps(document))
        assert "contradicts itself" in caught.value.message
        assert "Error(" not in caught.value.message
