"""The result as one HTML file that needs nothing else: no network, no other file, no JavaScript.

Every text in it may have been written by an attacker who can put words into a log. So: autoescape
is on for every template, nothing bypasses it, every value passes through `printable`, and the
page's own policy (CSP) allows only the style and the scripts whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any

from llm_audit.report import (
    actions,
    charts,
    explore,
    figures,
    limits,
    measured,
    method,
    sources,
    spend,
    wording,
    workload_charts,
    workload_table,
)
from llm_audit.report.headline import headline
from llm_audit.report.questions import owner_questions
from llm_audit.schema import GAP_CAUSES
from llm_audit.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

    from llm_audit.report.limits import Limits
    from llm_audit.report.result import Result

STYLES = ("report.css", "workloads.css", "explore.css")
THEME = ("theme.js",)
SCRIPTS = ("report.js", "explore.js")
LONGEST_TEXT = 400


def write_html(result: Result, *, static: bool = False) -> str:
    """The whole page. Encode it as UTF-8, which its head declares.

    static: a page for e-mail, without any script and of at most `limits.STATIC_BYTES`.
    """
    environment = _environment()
    most_bytes = limits.STATIC_BYTES if static else limits.PAGE_BYTES
    page = ""
    for limit in limits.STATIC if static else limits.PAGE:
        page = _draw(environment, result, limit, static=static)
        if len(page.encode()) <= most_bytes:
            break
    return page if static else _with_library(page)


def _draw(environment: Environment, result: Result, limit: Limits, *, static: bool) -> str:
    rows = workload_table.rows(
        result.workloads, limit.most_workloads, limit.most_explained, limit.most_drawn
    )
    style, theme, script = (
        "".join(environment.get_template(name).render() for name in names)
        for names in (STYLES, THEME, SCRIPTS)
    )
    figures_to_explore = {} if static else explore.charts(result, rows)
    library = explore.library() if figures_to_explore else None
    hashes = [_hash(theme), _hash(script), *([library.sha256] if library else [])]
    scripts = "'none'" if static else " ".join(f"'{name}'" for name in hashes)
    return environment.get_template("report.html.j2").render(
        vars(limit),
        result=result,
        static=static,
        headline=headline(result),
        policy=_policy(f"'{_hash(style)}'", scripts),
        styles=STYLES,
        themes=THEME,
        scripts=SCRIPTS,
        rows=rows,
        questions=owner_questions(result, limit.most_workloads),
        explore=figures_to_explore,
        drawing=workload_charts,
        callers={workload.workload_id: workload.caller for workload in result.workloads},
        figure=partial(figures.figure, result),
        changed=lambda key: figures.derived(result, (f"{key}_now", f"-{key}_before")),
        charts=charts,
    )


def _with_library(page: str) -> str:
    """The page with plotly.js behind all that is to be read: a block that no browser runs.

    Put in after drawing, because templates print text, and text is cut at LONGEST_TEXT.
    """
    library = explore.library()
    if library is None or 'id="explore"' not in page:
        return page
    block = f'<script type="text/plain" id="explore-library">{library.packed}</script>\n'
    before, body, after = page.rpartition("</body>")
    return f"{before}{block}{body}{after}"


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
        "spoken": lambda value: figures.Figure("", value).spoken,
        "count": figures.count,
        "percent": figures.percent,
        "compact": workload_table.compact,
        "duration": workload_table.duration,
        "lasting": figures.lasting,
        "bytes": workload_table.size,
        "weight": workload_table.weight,
        "exact": lambda value: figures.Figure("", value).exact,
        "advice": wording.advice,
        "price_status": wording.price_status,
        "provider": wording.provider,
        "confidence": wording.confidence,
    }
    environment.globals |= {
        "labels": wording.LABELS,
        "parts": wording.PARTS,
        "gap_causes": GAP_CAUSES,
        "actions": actions.actions,
        "formula": actions.FORMULA,
        "most_actions": actions.MOST_ACTIONS,
        "anchor": workload_table.anchor,
        "by_provider": spend.by_provider,
        "measured": measured,
        "method": method,
        "sources": sources.SOURCES,
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


def _policy(styles: str, scripts: str) -> str:
    """The Content-Security-Policy: nothing but these styles and scripts, by their hashes."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {styles}",
            f"script-src {scripts}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
