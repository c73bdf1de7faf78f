"""Results in which a hostile text stands wherever one can: from a log, or from a doctored JSON."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from llm_audit.report import Result, from_json

GOLDEN = Path(__file__).parent / "golden"

TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "![x](https://evil.example/x.png) [y](javascript:alert(1))",
    "see https://evil.example or www.evil.example",
    "@octocat #1 GH-1 a@evil.example :tada:",
    "a | b \\| c `d` ``e`` \\` $x$ $`y`$",
    "**bold** __it__ ~~gone~~ # head\n\n- list\n> quote",
    "<!-- llm-audit --> --> </details></sub>",
    "`",
    "\\",
    "=cmd|'/c calc'!A1",
    "+1+cmd()",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    ' "=1+1"',
    'quote " comma , line\r\nend',
    "\x1b[2J\x1b]0;owned\x07gone",
    "\u202etxt.exe\u2066 null\x00byte\u2028line",
    "\u200b",
    "lone \ud83d".encode("utf-8", "replace").decode(),
    "\u6f22\u5b57" * 40,
    "x" * 5000,
)


def golden(name: str) -> Result:
    """A stored result."""
    return from_json((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def everywhere(value: Any, text: str) -> Any:
    """The same with `text` for every text in it, and as a key of every mapping."""
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(everywhere(item, text) for item in value)
    if isinstance(value, dict):
        return dict.fromkeys([text], next(iter(value.values()), 0))
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        return replace(value, **{name: everywhere(getattr(value, name), text) for name in names})
    return value


def in_log_text(result: Result, text: str) -> Result:
    """The same with `text` for what a log decides: identities, sentences, file names."""
    changed: dict[str, Any] = {
        "caller": text, "model": text, "provider_name": text, "operation_name": text, "note": text,
        "workload_id": text,
    }  # fmt: skip
    workloads = tuple(
        replace(workload, **changed, reasons=everywhere(workload.reasons, text))
        for workload in result.workloads
    )
    return replace(
        result,
        workloads=workloads,
        models=tuple(replace(m, provider_name=text, model=text) for m in result.models),
        pricing=replace(result.pricing, version=text),
        data_quality=everywhere(result.data_quality, text),
    )


def many(result: Result, number: int) -> Result:
    """The same with so many workloads, each with an id and a caller of its own."""
    made = tuple(
        replace(
            result.workloads[n % len(result.workloads)],
            workload_id=f"w_{n:010x}",
            caller=f"job-{n}-" + "name-of-a-service" * 3,
        )
        for n in range(number)
    )
    return replace(result, workloads=made)


def sentences(text: str) -> str:
    """One line, single blanks: for looking up a sentence that was wrapped."""
    return re.sub(r"\s+", " ", text)
