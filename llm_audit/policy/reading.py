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
from llm_audit.policy.parts import KINDS, Override, Rule, Thresholds
from llm_audit.policy.refusal import nearest, refusal

_RULE_KEYS = ("code", "criterion", "when", "weight", *KINDS, "evidence", "why", "tests")
_OVERRIDE_GLOBS = ("caller", "workload", "model", "operation")
_OVERRIDE_KEYS = (*_OVERRIDE_GLOBS, "label", "tolerance", "because", "by", "until")


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables. Errors: `PolicyError` for a file that is missing or not TOML."""
    try:
        return parse_toml(path.read_bytes(), path.name)
    except OSError as error:
        raise PolicyError(
            f"cannot read {path}: {error.strerror}",
            slug="config-unreadable",
            hint="name an existing llm-audit.toml with --config",
        ) from None


def parse_toml(data: bytes, source: str) -> dict[str, Any]:
    """The tables of a file's bytes. Errors: `PolicyError` with the line and column."""
    try:
        # Line ends of old and of mixed editors are line ends.
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyError(
            f"{source} is not TOML: {error}",
            slug="config-not-toml",
            hint="strings need quotes, and a table starts with [name]",
        ) from None


def read_rule(entry: Mapping[str, Any], source: str) -> Rule:
    """One `[[rule]]`; its expression is not checked yet."""
    code = str(entry.get("code", "?"))
    place = f"rule {code}"
    known_keys(entry, _RULE_KEYS, source, place)
    for key in ("code", "criterion", "when", "evidence", "why"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise refusal(source, place, f"`{key}` must be a text", slug="rule-incomplete")
    kinds = [kind for kind in KINDS if entry.get(kind) is True]
    if len(kinds) > 1:
        raise refusal(source, place, f"is both {kinds[0]} and {kinds[1]}", slug="rule-kind")
    kind = kinds[0] if kinds else "evidence"
    implied = {"veto": -10.0, "note": 0.0}
    if kind in implied and "weight" in entry:
        raise refusal(source, place, f"a {kind} has no weight of its own", slug="rule-weight")
    weight = implied[kind] if kind in implied else number(entry.get("weight"), source, place)
    tests = entry.get("tests", [])
    return Rule(
        code=code,
        criterion=choice(entry["criterion"], schema.CRITERIA, source, place),
        kind=kind,
        when=entry["when"].rstrip(),  # positions in errors count from its first character
        weight=weight,
        evidence=entry["evidence"].strip(),
        why=entry["why"].strip(),
        tests=tuple(tests),
        source=source,
    )


def changed_rules(
    rules: Sequence[Rule], changes: Mapping[str, Any], source: str
) -> tuple[Rule, ...]:
    """`[rules]` of the user: `CODE = false` switches off, `CODE = 1.5` sets the weight."""
    known_keys(changes, [rule.code for rule in rules], source, "[rules]")
    kept = []
    for rule in rules:
        change = changes.get(rule.code, True)
        if change is True:
            kept.append(rule)
        elif change is not False:
            place = f"[rules] {rule.code}"
            if rule.kind in ("veto", "note"):
                raise refusal(source, place, f"is a {rule.kind}: true or false", slug="rule-weight")
            kept.append(replace(rule, weight=number(change, source, place)))
    return tuple(kept)


def changed_thresholds(current: Thresholds, changes: Mapping[str, Any], source: str) -> Thresholds:
    """`[thresholds]` of the user over the current ones."""
    names = ("supported", "hinted", "contradicted")
    known_keys(changes, names, source, "[thresholds]")
    numbers = {name: number(value, source, "[thresholds]") for name, value in changes.items()}
    changed = replace(current, **numbers)
    if not changed.contradicted < 0 < changed.hinted <= changed.supported:
        raise refusal(
            source,
            "[thresholds]",
            "must keep contradicted < 0 < hinted <= supported",
            slug="thresholds-order",
        )
    return changed


def switched_words(
    words: Mapping[str, tuple[str, ...]], switch: object, source: str
) -> Mapping[str, tuple[str, ...]]:
    """The word lists, or none where the user says `words = false`."""
    if not isinstance(switch, bool):
        raise refusal(source, "words", "is true or false", slug="config-type")
    return words if switch else {}


def read_override(entry: Mapping[str, Any], source: str, number: int) -> Override:
    """The nth `[[override]]`: whom it names, what it says, who signed it and until when."""
    place = f"[[override]] {number}"
    known_keys(entry, _OVERRIDE_KEYS, source, place)
    if not any(key in entry for key in _OVERRIDE_GLOBS):
        raise refusal(
            source, place, "names no caller, workload, model or operation", slug="override-empty"
        )
    if ("label" in entry) == ("tolerance" in entry):
        raise refusal(
            source, place, "needs a label or a tolerance, not both", slug="override-empty"
        )
    for key in ("because", "by"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise refusal(source, place, f"`{key}` must say who or why", slug="override-unsigned")
    globs = {key: str(entry.get(key, "*")) for key in _OVERRIDE_GLOBS}
    return Override(
        **globs,
        label=choice(entry["label"], schema.LABELS, source, place) if "label" in entry else None,
        tolerance_s=seconds(entry["tolerance"], source, place) if "tolerance" in entry else None,
        because=entry["because"].strip(),
        by=entry["by"].strip(),
        until=day(entry.get("until"), source, place, "until"),
    )


_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|m|h|d)\s*")
_UNIT_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


def seconds(value: object, source: str, place: str) -> float:
    """A duration such as `24 h`, in seconds."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise refusal(source, place, "`tolerance` looks like 30 min, 24 h or 7 d", slug="tolerance")
    return float(match[1]) * _UNIT_SECONDS[match[2]]


def day(value: object, source: str, place: str, key: str) -> date | None:
    """A TOML date, or a text that is one; None where the key is absent."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise refusal(
            source, place, f"`{key}` is a date like 2027-01-31", slug="config-date"
        ) from None


def table(data: Mapping[str, Any], key: str, source: str) -> Mapping[str, Any]:
    """The table `[key]`, empty if absent."""
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise refusal(source, key, f"must be a table: [{key}]", slug="config-type")
    return value


def tables(data: Mapping[str, Any], key: str, source: str) -> list[Mapping[str, Any]]:
    """The list of tables `[[key]]`, empty if absent."""
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise refusal(source, key, f"must be a list of tables: [[{key}]]", slug="config-type")
    return value


def number(value: object, source: str, place: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise refusal(source, place, f"needs a number, not {value!r}", slug="config-number")
    return float(value)


def choice(value: object, choices: Sequence[str], source: str, place: str) -> str:
    """One of the choices; the refusal names the nearest one."""
    if value not in choices:
        raise refusal(
            source,
            place,
            f"{value!r} is not one of {', '.join(choices)}",
            slug="config-choice",
            hint=nearest(str(value), choices),
        )
    return str(value)


def known_keys(data: Mapping[str, Any], known: Sequence[str], source: str, place: str) -> None:
    """Errors: `PolicyError` naming the nearest known key."""
    for key in data:
        if key not in known:
            raise refusal(
                source,
                place,
                f"unknown key `{key}`",
                slug="config-unknown-key",
                hint=nearest(key, known),
            )
