"""TOML tables -> the parts of a policy; every key is known, every value has its type."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from llm_audit import schema
from llm_audit.errors import PolicyError
from llm_audit.policy.parts import KINDS, LONGEST_SIGNED, Override, Rule, Thresholds
from llm_audit.policy.places import Place, Source
from llm_audit.policy.refusal import nearest, refusal

_RULE_KEYS = ("code", "criterion", "when", "weight", *KINDS, "evidence", "why", "tests")
_SWITCHES = tuple(kind for kind in KINDS if kind != "evidence")
"""Keys that say what a rule is; without one it is evidence, and `evidence` is its sentence."""

_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")
_OVERRIDE_GLOBS = ("caller", "workload", "model", "operation")
_OVERRIDE_KEYS = (*_OVERRIDE_GLOBS, "label", "tolerance", "because", "by", "until")


def read_bytes(path: Path) -> bytes:
    """The file as it is. Errors: `PolicyError` for one that cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError(
            f"cannot read {path}: {error.strerror}",
            slug="config-unreadable",
            hint="a policy is a TOML file that you may read; --config names another one",
        ) from None


def decoded(data: bytes, name: str) -> Source:
    """The text of a file called `name`; all line ends count, a byte order mark does not.

    Errors: `PolicyError` with the line where it is not UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\r|\n", data[: error.start])) + 1
        raise PolicyError(
            f"{name}, line {line}: the file is not UTF-8", slug="config-not-toml",
            hint="save it as UTF-8",
        ) from None  # fmt: skip
    return Source(name, text.replace("\r\n", "\n").replace("\r", "\n"))


def parsed(source: Source) -> dict[str, Any]:
    """The tables of a file. Errors: `PolicyError` with the line and column."""
    try:
        tables = tomllib.loads(source.text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        end = f"(at line {source.text.rstrip().count(chr(10)) + 1}, the end of the file)"
        reason = reason.replace("(at end of document)", end)
        raise PolicyError(
            f"{source.name} is not TOML: {reason}", slug="config-not-toml",
            hint="strings need quotes, and a table starts with [name]",
        ) from None  # fmt: skip
    _check_sizes(tables, Place(source))
    return tables


_MOST = 2**63


def _check_sizes(value: object, place: Place) -> None:
    """TOML's integers have 64 bits, and Python's have no end: longer ones break what reads them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_sizes(inner, place.at(key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            _check_sizes(inner, place.at(position))
    elif isinstance(value, int) and not -_MOST <= value < _MOST:
        raise refusal(
            place, f"`{place.path[-1]}` is too large", slug="config-number",
            hint="an integer of TOML has 64 bits",
        )  # fmt: skip


def read_rule(entry: Mapping[str, Any], list_place: Place, position: int) -> Rule:
    """The `[[rule]]` at that position, from 0; its expression is not checked yet."""
    code = entry.get("code")
    named = isinstance(code, str) and _CODE.fullmatch(code)
    place = list_place.at(position, f"rule {code if named else position + 1}")
    known_keys(entry, _RULE_KEYS, place)
    for key in ("code", "criterion", "when", "evidence", "why"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise refusal(place.at(key), f"`{key}` must be a text", slug="rule-incomplete")
    if not named:
        raise refusal(
            place.at("code"), f"`code` cannot be {shown(code)}", slug="rule-code",
            hint="letters, digits, - and _, at most 40, such as OWN_ETL",
        )  # fmt: skip
    for kind in _SWITCHES:
        if not isinstance(entry.get(kind, False), bool):
            raise refusal(place.at(kind), f"`{kind}` is true or false", slug="config-type")
    kinds = [kind for kind in _SWITCHES if entry.get(kind)]
    if len(kinds) > 1:
        raise refusal(place.at(kinds[1]), f"is both {kinds[0]} and {kinds[1]}", slug="rule-kind")
    kind = kinds[0] if kinds else "evidence"
    implied = {"veto": -HIGHEST_SCORE, "note": 0.0}
    if kind in implied and "weight" in entry:
        raise refusal(
            place.at("weight"), f"a {kind} has no weight of its own", slug="rule-weight",
            hint=f"leave out `weight`, or {kind} = true",
        )  # fmt: skip
    given = entry.get("weight")
    tests = entry.get("tests", [])
    if not isinstance(tests, list):
        raise refusal(place.at("tests"), "`tests` must be a list: [{ ... }]", slug="rule-test")
    return Rule(
        code=entry["code"],
        criterion=choice(entry["criterion"], schema.CRITERIA, place.at("criterion")),
        kind=kind,
        when=entry["when"].rstrip(),  # positions in errors count from its first character
        weight=implied[kind] if kind in implied else score(given, place.at("weight")),
        evidence=entry["evidence"].rstrip(),
        why=entry["why"].strip(),
        tests=tuple(tests),
        place=place,
    )


def changed_rules(
    rules: Sequence[Rule], changes: Mapping[str, Any], place: Place
) -> tuple[Rule, ...]:
    """`[rules]` of the user: `CODE = false` switches off, `CODE = 1.5` sets the weight."""
    known_keys(changes, [rule.code for rule in rules], place)
    kept = []
    for rule in rules:
        change = changes.get(rule.code, True)
        if change is True:
            kept.append(rule)
        elif change is not False:
            here = place.at(rule.code, f"[rules] {rule.code}")
            if rule.kind in ("veto", "note"):
                raise refusal(here, f"is a {rule.kind}: true or false", slug="rule-weight")
            kept.append(replace(rule, weight=score(change, here)))
    return tuple(kept)


def changed_thresholds(current: Thresholds, changes: Mapping[str, Any], place: Place) -> Thresholds:
    """`[thresholds]` of the user over the current ones."""
    names = ("supported", "hinted", "contradicted")
    known_keys(changes, names, place)
    numbers = {name: score(value, place.at(name)) for name, value in changes.items()}
    changed = replace(current, **numbers)
    if not changed.contradicted < 0 < changed.hinted <= changed.supported:
        raise refusal(
            place,
            "must keep contradicted < 0 < hinted <= supported",
            slug="thresholds-order",
        )
    return changed


def switched_words(
    words: Mapping[str, tuple[str, ...]], switch: object, place: Place
) -> Mapping[str, tuple[str, ...]]:
    """The word lists, or none where the user says `words = false`."""
    if not isinstance(switch, bool):
        raise refusal(place, "is true or false", slug="config-type")
    return words if switch else {}


def read_override(entry: Mapping[str, Any], list_place: Place, position: int) -> Override:
    """The `[[override]]` at that position, from 0: whom it names, what it says, who signed it."""
    place = list_place.at(position, f"[[override]] {position + 1}")
    known_keys(entry, _OVERRIDE_KEYS, place)
    if not any(key in entry for key in _OVERRIDE_GLOBS):
        raise refusal(
            place, "names no caller, workload, model or operation", slug="override-empty",
            hint='write caller = "*" for all of them',
        )  # fmt: skip
    if ("label" in entry) == ("tolerance" in entry):
        both = "label" in entry
        raise refusal(
            place,
            f"has {'both a label and' if both else 'neither a label nor'} a tolerance",
            slug="override-empty",
            hint='write one of them: tolerance = "24 h", or label = "realtime"',
        )  # fmt: skip
    for key, most in LONGEST_SIGNED.items():
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise refusal(place.at(key), f"`{key}` must say who or why", slug="override-unsigned")
        if len(entry[key].strip()) > most:
            raise refusal(
                place.at(key), f"`{key}` has more than {most} characters", slug="override-long",
                hint="the report shows it whole; put the long story into a comment",
            )  # fmt: skip
    globs = {key: text(entry, key, place, "*") for key in _OVERRIDE_GLOBS}
    label, tolerance = place.at("label"), place.at("tolerance")
    return Override(
        **globs,
        label=choice(entry["label"], schema.LABELS, label) if "label" in entry else None,
        tolerance_s=_tolerance(entry["tolerance"], tolerance) if "tolerance" in entry else None,
        because=entry["because"].strip(),
        by=entry["by"].strip(),
        until=day(entry.get("until"), place, "until"),
        place=place,
    )


_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\s*", re.ASCII | re.IGNORECASE)
_UNIT_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}

LONGEST_TOLERANCE_D = 365
"""Days. A batch takes one; whoever says more than a year has slipped on a key."""


def seconds(value: object) -> float:
    """A duration such as `24 h`, in seconds. Errors: `ValueError` with what is wrong."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a time looks like 30 min, 24 h or 7 d")
    length = float(match[1]) * _UNIT_SECONDS[match[2].lower()]
    if not 0 < length <= LONGEST_TOLERANCE_D * _UNIT_SECONDS["d"]:
        raise ValueError(f"a time is above zero and at most {LONGEST_TOLERANCE_D} d")
    return length


def _tolerance(value: object, place: Place) -> float:
    try:
        return seconds(value)
    except ValueError as error:
        raise refusal(
            place, f"`tolerance` cannot be {shown(value)}: {error}", slug="tolerance",
            hint='write tolerance = "24 h"; where somebody waits, label = "realtime"',
        ) from None  # fmt: skip


def shown(value: object) -> str:
    """What the user wrote, short enough for a message."""
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def day(value: object, entry: Place, key: str) -> date | None:
    """A TOML date, or a text that is one, as `key` of an entry; None where the key is absent."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise refusal(
            entry.at(key), f"`{key}` is a date like 2027-01-31, not {shown(value)}",
            slug="config-date",
        ) from None  # fmt: skip


def table(data: Mapping[str, Any], key: str, place: Place) -> tuple[Mapping[str, Any], Place]:
    """The table `[key]`, empty if absent, and where it stands."""
    value, here = data.get(key, {}), place.at(key)
    here = replace(here, words=f"[{'.'.join(map(str, here.path))}]")
    if not isinstance(value, dict):
        raise refusal(here, f"`{key}` must be a table", slug="config-type")
    return value, here


def tables(
    data: Mapping[str, Any], key: str, place: Place
) -> tuple[list[Mapping[str, Any]], Place]:
    """The list of tables `[[key]]`, empty if absent, and where it stands."""
    value, here = data.get(key, []), place.at(key, f"[[{key}]]")
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise refusal(here, f"`{key}` must be a list of tables: [[{key}]]", slug="config-type")
    return value, here


def text(entry: Mapping[str, Any], key: str, place: Place, default: str) -> str:
    """A text, or the default where the key is absent."""
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise refusal(
            place.at(key), f"`{key}` must be a text, not {shown(value)}", slug="config-type",
            hint="one text in quotes; write one entry per name, or a pattern with *",
        )  # fmt: skip
    return value


def number(value: object, place: Place) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        given = "" if value is None else f", not {shown(value)}"
        raise refusal(place, f"`{place.path[-1]}` needs a number{given}", slug="config-number")
    return float(value)


HIGHEST_SCORE = 10.0
"""Log2 odds: scores end there (`sql/31_criterion_scores.sql`), so that no weight means more."""


def score(value: object, place: Place) -> float:
    """A weight or a threshold, in log2 odds."""
    found = number(value, place)
    if abs(found) > HIGHEST_SCORE:
        raise refusal(
            place, f"{shown(value)} is not between -{HIGHEST_SCORE:g} and {HIGHEST_SCORE:g}",
            slug="config-number", hint="it is in log2 odds: each 1 doubles the odds",
        )  # fmt: skip
    return found


def choice(value: object, choices: Sequence[str], place: Place) -> str:
    """One of the choices; the refusal names the nearest one."""
    if value not in choices:
        raise refusal(
            place,
            f"{shown(value)} is not one of {', '.join(choices)}",
            slug="config-choice",
            hint=nearest(str(value), choices),
        )
    return str(value)


def known_keys(data: Mapping[str, Any], known: Sequence[str], place: Place) -> None:
    """Errors: `PolicyError` naming the nearest known key."""
    for key in data:
        if key not in known:
            raise refusal(
                place.at(key),
                f"unknown key `{key}`",
                slug="config-unknown-key",
                hint=nearest(key, known),
            )
