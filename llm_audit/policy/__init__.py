"""One checked Policy from the packaged `rules.toml` and the user's `llm-audit.toml`.

A rule is data: a boolean SQL expression over the columns of `SIGNALS`, a weight, a sentence, and
literal rows that show when it fires. The user's file may switch rules off, change weights and
thresholds, add rules, and override the label or the tolerance of workloads by name. It is text
from outside, so every expression is parsed and only plain comparisons of signal columns pass: no
subquery, no function that could read a file, one expression.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from llm_audit.errors import PolicyError
from llm_audit.policy.checking import MASK_RULES, MAX_RULES, check_together, checked, evidence_parts
from llm_audit.policy.contract import read_aliases, read_prices
from llm_audit.policy.measured import check_once, read_measured
from llm_audit.policy.parts import (
    MEASURED_HOLDS,
    PACKAGED,
    Measured,
    Override,
    PriceMultiplier,
    Rule,
    Thresholds,
    UserPrice,
    duration_text,
)
from llm_audit.policy.places import Place, Source
from llm_audit.policy.reading import (
    changed_rules,
    changed_thresholds,
    decoded,
    known_keys,
    parsed,
    read_bytes,
    read_override,
    read_rule,
    switched_words,
    table,
    tables,
)
from llm_audit.policy.refusal import refusal
from llm_audit.policy.signals import SIGNALS

__all__ = [
    "MASK_RULES",
    "MAX_RULES",
    "OWN_FILE",
    "PROJECT_FILE",
    "SIGNALS",
    "Measured",
    "Override",
    "Policy",
    "PriceMultiplier",
    "Rule",
    "Thresholds",
    "UserPrice",
    "duration_text",
    "evidence_parts",
    "find_config",
    "hidden_config",
]

OWN_FILE = "llm-audit.toml"
PROJECT_FILE = "pyproject.toml"
"""Where the user's policy may stand, the first before the second (as `[tool.llm-audit]`)."""

_T = TypeVar("_T")
_TOP_LEVEL = ("words", "rules", "thresholds", "rule", "override", "prices", "aliases", "measured")


@dataclass(frozen=True)
class Policy:
    """Everything that decides a label, checked."""

    rules: tuple[Rule, ...]
    thresholds: Thresholds
    words: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, tuple[str, ...]]
    overrides: tuple[Override, ...] = ()
    price_multipliers: tuple[PriceMultiplier, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    user_prices: tuple[UserPrice, ...] = ()
    measured: tuple[Measured, ...] = ()
    warnings: tuple[str, ...] = field(default=(), compare=False)
    sha256: str | None = field(default=None, compare=False)
    """Of the user's file; None without one."""

    @staticmethod
    def load(path: Path | None = None, *, today: date | None = None) -> Policy:
        """The packaged rules, changed by the user's file.

        `path` is an `llm-audit.toml`, or a `pyproject.toml` with a `[tool.llm-audit]` table.
        Overrides that ended before `today` are left out and named in `warnings`; so are old
        measurements, which count all the same.
        Errors: `PolicyError` naming the file, the rule, and what to write instead.
        """
        if path is None:
            return _packaged_policy()
        return Policy.parse(read_bytes(path), path.name, today=today)

    @staticmethod
    def parse(data: bytes, name: str, *, today: date | None = None) -> Policy:
        """As `load`, from the bytes of a file called `name` that need not be there."""
        policy = _with_user_file(decoded(data, name), today or date.today())
        return replace(policy, sha256=sha256(data).hexdigest())


def find_config(folder: Path) -> Path | None:
    """The config in `folder`: `llm-audit.toml`, else a `pyproject.toml` that has our table.

    Errors: `PolicyError` for an `llm-audit.toml` that is no file, and a broken `pyproject.toml`.
    """
    own = folder / OWN_FILE
    if own.is_file():
        return own
    if os.path.lexists(own):
        raise PolicyError(
            f"{OWN_FILE} is here and is no file", slug="config-unreadable",
            hint="remove the folder or broken link of that name, or name a policy with --config",
        )  # fmt: skip
    project = folder / PROJECT_FILE
    return project if _has_table(project) else None


@cache
def _packaged_policy() -> Policy:
    text = resources.files("llm_audit").joinpath(PACKAGED).read_text(encoding="utf-8")
    data = tomllib.loads(text)
    place = Place(Source(PACKAGED, text), ("rule",))
    rules = checked([read_rule(entry, place, n) for n, entry in enumerate(data["rule"])])
    check_together(rules)
    return Policy(
        rules=rules,
        thresholds=Thresholds(**data["thresholds"]),
        words={kind: tuple(words) for kind, words in data["words"].items()},
        tags={kind: tuple(keys) for kind, keys in data["tags"].items()},
    )


def hidden_config(folder: Path) -> Path | None:
    """A `pyproject.toml` in `folder` whose table is ignored, because `llm-audit.toml` is there."""
    project = folder / PROJECT_FILE
    if not (folder / OWN_FILE).is_file():
        return None
    with suppress(PolicyError):
        return project if _has_table(project) else None
    return None


def _has_table(project: Path) -> bool:
    if not project.is_file():
        return False
    tools = parsed(decoded(read_bytes(project), project.name)).get("tool")
    return isinstance(tools, dict) and "llm-audit" in tools


def _with_user_file(source: Source, today: date) -> Policy:
    policy = _packaged_policy()
    data: Mapping[str, Any] = parsed(source)
    top = Place(source)
    for key in ("tool", "llm-audit") if source.name == PROJECT_FILE else ():
        data, top = table(data, key, top)
    top = replace(top, words="")
    if "tool" in data:
        raise refusal(
            top.at("tool"), "[tool.llm-audit] is for pyproject.toml", slug="config-tool",
            hint="here the tables stand at the top: [rules], [[override]], ...",
        )  # fmt: skip
    known_keys(data, _TOP_LEVEL, top)
    rules = changed_rules(policy.rules, *table(data, "rules", top))
    own = checked(list(_each(read_rule, tables(data, "rule", top))))
    check_together([*rules, *own])
    overrides = tuple(_each(read_override, tables(data, "override", top)))
    multipliers, user_prices = read_prices(*tables(data, "prices", top))
    measured = tuple(_each(read_measured, tables(data, "measured", top)))
    check_once(measured)
    in_force = tuple(o for o in overrides if o.until is None or o.until >= today)
    return replace(
        policy,
        rules=(*rules, *own),
        thresholds=changed_thresholds(policy.thresholds, *table(data, "thresholds", top)),
        words=switched_words(policy.words, data.get("words", True), top.at("words", "`words`")),
        overrides=in_force,
        price_multipliers=multipliers,
        aliases=read_aliases(*table(data, "aliases", top)),
        user_prices=user_prices,
        measured=measured,
        warnings=(
            *(
                f"{o.where} ended on {o.until}; it is ignored"
                for o in overrides
                if o not in in_force
            ),
            *(
                f"{m.where} is of {m.measured_on}, over {MEASURED_HOLDS.days} days old: measure "
                "again with `llm-audit migrate verify --write-policy`"
                for m in measured
                if today - m.measured_on > MEASURED_HOLDS
            ),
        ),
    )


def _each(
    read: Callable[[Mapping[str, Any], Place, int], _T],
    found: tuple[Sequence[Mapping[str, Any]], Place],
) -> Iterator[_T]:
    """Every entry of a list of tables, read."""
    entries, place = found
    return (read(entry, place, position) for position, entry in enumerate(entries))
