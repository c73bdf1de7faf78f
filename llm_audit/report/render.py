"""The result as one HTML file that needs nothing else: no network, no other file, no JavaScript.

Every text in it may have been written by an attacker who can put words into a log. So: autoescape
is on for every template, nothing bypasses it, every value passes through `printable`, and the
page's own policy (CSP) allows only the one style and the one script whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from llm_audit.report import charts, figures, wording
from llm_audit.report.headline import headline
from llm_audit.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

    from llm_audit.report.result import Result

LONGEST_TEXT = 400
MOST_WORKLOADS = 500
MOST_MODELS = 20
"""Rows on the page; the JSON has them all, and the page says what it left out."""


def write_html(result: Result) -> str:
    """The whole page. Encode it as UTF-8, which its head declares."""
    environment = _environment()
    style, script = (
        environment.get_template(name).render() for name in ("report.css", "report.js")
    )
    return environment.get_template("report.html.j2").render(
        result=result,
        headline=headline(result),
        policy=_policy(style, script),
        figure=partial(figures.figure, result),
        charts=charts,
        most_workloads=MOST_WORKLOADS,
        most_models=MOST_MODELS,
    )


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("llm_audit.report"),
        # Not select_autoescape(): that is off for names ending in .html.j2.
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": figures.money,
        "count": figures.count,
        "percent": figures.percent,
        "exact": lambda value: figures.Figure("", value).exact,
        "advice": wording.advice,
        "price_status": wording.price_status,
        "provider": wording.provider,
        "confidence": wording.confidence,
    }
    environment.globals |= {
        "labels": wording.LABELS,
        "parts": wording.PARTS,
        "gap_causes": wording.GAP_CAUSES,
        "over": figures.over,
        "plural": figures.plural,
        "share": figures.share,
    }
    return environment


def _finalize(value: Any) -> Any:
    """What a template prints: text made printable; markup of our own macros left as it is."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return printable(value, LONGEST_TEXT)
    return value


def _policy(style: str, script: str) -> str:
    """The Content-Security-Policy: nothing but this style and this script, by hash."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
