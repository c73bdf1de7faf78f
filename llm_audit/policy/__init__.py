"""One checked Policy from the packaged `rules.toml` and the user's `llm-audit.toml`.

A rule is data: a boolean SQL expression over the columns of `SIGNALS`, a weight, a sentence, and
literal rows that show when it fires. The user's file may switch rules off, change weights and
thresholds, add rules, and override the label or the tolerance of workloads by name. It is text
from outside, so every expression is parsed and only plain comparisons of signal columns pass: no
subquery, no function that could read a file, one expression.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

from llm_audit.policy.checking import MAX_RULES, check_together, checked, evidence_parts
from llm_audit.policy.parts import (
    PACKAGED,
    Override,
    PriceMultiplier,
    Rule,
    Thresholds,
    duration_text,
)
from llm_audit.policy.reading import (
    changed_rules,
    changed_thresholds,
    known_keys,
    read_override,
    read_price,
    read_rule,
    read_toml,
    switched_words,
    table,
    tables,
)
from llm_audit.policy.signals import SIGNALS

__all__ = [
    "MAX_RULES",
    "SIGNALS",
    "Override",
    "Policy",
    "PriceMultiplier",
    "Rule",
    "Thresholds",
    "duration_text",
    "evidence_parts",
    "find_config",
]

_TOP_LEVEL = ("words", "rules", "thresholds", "rule", "override", "prices")


@dataclass(frozen=True)
class Policy:
    """Everything that decides a label, checked."""

    rules: tuple[Rule, ...]
    thresholds: Thresholds
    words: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, tuple[str, ...]]
    overrides: tuple[Override, ...] = ()
    price_multipliers: tuple[PriceMultiplier, ...] = ()
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @staticmethod
    def load(path: Path | None = None, *, today: date | None = None) -> Policy:
        """The packaged rules, changed by the user's file.

        `path` is an `llm-audit.toml`, or a `pyproject.toml` with a `[tool.llm-audit]` table.
        Overrides that ended before `today` are left out and named in `warnings`.
        Errors: `PolicyError` naming the file, the rule, and what to write instead.
        """
        policy = _packaged_policy()
        if path is None:
            return policy
        return _with_user_file(policy, path, today or date.today())


def find_config(folder: Path) -> Path | None:
    """The config in `folder`: `llm-audit.toml`, else a `pyproject.toml` that has our table."""
    own = folder / "llm-audit.toml"
    if own.is_file():
        return own
    project = folder / "pyproject.toml"
    if project.is_file() and "llm-audit" in read_toml(project).get("tool", {}):
        return project
    return None


@cache
def _packaged_policy() -> Policy:
    text = resources.files("llm_audit").joinpath(PACKAGED).read_text(encoding="utf-8")
    data = tomllib.loads(text)
    rules = checked([read_rule(entry, PACKAGED) for entry in data["rule"]])
    check_together(rules)
    return Policy(
        rules=rules,
        thresholds=Thresholds(**data["thresholds"]),
        words={kind: tuple(words) for kind, words in data["words"].items()},
        tags={kind: tuple(keys) for kind, keys in data["tags"].items()},
    )


def _with_user_file(policy: Policy, path: Path, today: date) -> Policy:
    source = path.name
    data = read_toml(path)
    if path.name == "pyproject.toml":
        data = data.get("tool", {}).get("llm-audit", {})
    known_keys(data, _TOP_LEVEL, source, "")
    rules = changed_rules(policy.rules, table(data, "rules", source), source)
    own = checked([read_rule(entry, source) for entry in tables(data, "rule", source)])
    check_together([*rules, *own])
    overrides = [read_override(entry, source) for entry in tables(data, "override", source)]
    in_force = tuple(o for o in overrides if o.until is None or o.until >= today)
    return replace(
        policy,
        rules=(*rules, *own),
        thresholds=changed_thresholds(policy.thresholds, table(data, "thresholds", source), source),
        words=switched_words(policy.words, data.get("words", True), source),
        overrides=in_force,
        price_multipliers=tuple(
            read_price(entry, source) for entry in tables(data, "prices", source)
        ),
        warnings=tuple(
            f"{source}: the override {o.names} ended on {o.until}; it is ignored"
            for o in overrides
            if o not in in_force
        ),
    )
