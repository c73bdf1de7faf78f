"""The commented config that `llm-audit init` writes."""

from __future__ import annotations

from importlib import resources
from string import Template

from llm_audit.policy import Policy


def starter_config() -> str:
    """`starter.toml`, with codes and numbers of the packaged rules in its examples."""
    policy = Policy.load()
    veto = next(rule for rule in policy.rules if rule.kind == "veto")
    evidence = next(rule for rule in policy.rules if rule.kind == "evidence" and rule.weight > 0)
    text = resources.files("llm_audit.policy").joinpath("starter.toml").read_text(encoding="utf-8")
    return Template(text).substitute(
        VETO=veto.code,
        EVIDENCE=evidence.code,
        WEIGHT=evidence.weight / 2,
        SUPPORTED=policy.thresholds.supported,
        HINTED=policy.thresholds.hinted,
        CONTRADICTED=policy.thresholds.contradicted,
    )
