"""Two charts to zoom into: spend per day, and workloads by evidence and saving, drawn by plotly.

The page stays complete without them: they are folded, and drawn only when a reader opens them.
plotly.js travels compressed in a block that a browser does not run; `explore.js` unpacks it then.
No text from the log is in the figures: a dot is called W1, W2 and so on, after its place in the
workload table, and explore.js takes the names for its hover box from there, entity-escaped, because
plotly reads labels as HTML.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_audit.report.figures import money, percent, plural
from llm_audit.report.questions import score
from llm_audit.report.wording import LABELS, PARTS, confidence
from llm_audit.schema import CRITERIA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_audit.report.result import Day, Result, Workload
    from llm_audit.report.workload_table import Row

MOST_DAYS = 1100
"""Days drawn, the last ones: three years."""

LARGEST = 44
"""Pixels across the dot of the dearest workload."""

FONT = "system-ui, sans-serif"

COLOURS = {
    "worth_moving_cost": "--move",
    "other_eligible_cost": "--stay",
    "gray_area_cost": "--gray",
    "realtime_cost": "--real",
    "already_batch_cost": "--done",
    "batch_eligible": "--move",
    "gray_area": "--gray",
    "realtime": "--real",
}
"""Variables of report.css; explore.js reads their values, anew when the theme changes."""

SYMBOLS = {"batch_eligible": "circle", "gray_area": "triangle-up", "realtime": "square"}


@dataclass(frozen=True)
class Library:
    """plotly.js: `packed` is base64url of gzip, `sha256` that of the script as a CSP names it."""

    packed: str
    sha256: str


@cache
def library() -> Library | None:
    """plotly.js out of the installed plotly package, which is not imported; None without it."""
    spec = find_spec("plotly")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / "package_data" / "plotly.min.js"
        if file.is_file():
            script = file.read_bytes()
            # No time stamp: the same result makes the same page. The URL alphabet has no slash,
            # so that nothing in the block looks like an address.
            packed = base64.urlsafe_b64encode(gzip.compress(script, 9, mtime=0)).decode()
            digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
            return Library(packed, f"sha256-{digest}")
    return None


def charts(result: Result, rows: Sequence[Row]) -> dict[str, Any]:
    """Figures for plotly by the id of the element they are drawn into; empty without a cost."""
    days = [day for day in result.trend if day.effective_cost][-MOST_DAYS:]
    dots = [row for row in rows if _drawable(row.workload)]
    figures = {
        "explore-days": _days(days) if days else None,
        "explore-workloads": _workloads(result, dots) if dots else None,
    }
    return {name: figure for name, figure in figures.items() if figure}


def _days(days: Sequence[Day]) -> dict[str, Any]:
    """Spend per day, stacked by part; a part that never cost anything is left out."""
    dates = [day.date.isoformat() for day in days]
    bars = [
        {
            "type": "bar",
            "name": f"{part.shape} {part.name}",
            "x": dates,
            "y": [float(getattr(day, part.key)) for day in days],
            "customdata": [money(getattr(day, part.key)) for day in days],
            "hovertemplate": "%{customdata}",
            "marker": {"color": f"var({COLOURS[part.key]})"},
        }
        for part in PARTS
        if any(getattr(day, part.key) for day in days)
    ]
    axes = {
        "xaxis": _axis("", type="date", hoverformat="%A, %-d %B %Y", showgrid=False),
        "yaxis": _axis("Spend a day", tickprefix="$", rangemode="tozero", fixedrange=True),
    }
    return {
        "data": bars,
        "layout": _layout(barmode="stack", bargap=0.14, hovermode="x unified", **axes),
    }


def _drawable(workload: Workload) -> bool:
    """Whether it has a place on a logarithmic axis of savings."""
    return workload.saving_conservative > 0 and workload.label in LABELS


def _workloads(result: Result, rows: Sequence[Row]) -> dict[str, Any]:
    """Each workload by evidence for batching and saving; its size is its spend."""
    dearest = max(float(row.workload.effective_cost or 0) for row in rows) or 1.0
    dots = []
    for label, (_, name) in LABELS.items():
        own = [row for row in rows if row.workload.label == label]
        if not own:
            continue
        costs = [float(row.workload.effective_cost or 0) for row in own]
        dots.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": _apart([evidence(row.workload) for row in own]),
                "y": [float(row.workload.saving_conservative) for row in own],
                "ids": [f"W{int(row.key.rpartition('.')[2]) + 1}" for row in own],
                "text": [_said(row.workload) for row in own],
                "customdata": [row.anchor for row in own],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "color": f"var({COLOURS[label]})",
                    "symbol": SYMBOLS[label],
                    "opacity": 0.75,
                    "line": {"width": 1, "color": "var(--card)"},
                    "size": costs,
                    "sizemode": "area",
                    "sizeref": 2 * dearest / LARGEST**2,
                    "sizemin": 5,
                },
            }
        )
    axes = {
        "xaxis": _axis(
            "Evidence, log2 odds: right is for batching",
            range=[-11.5, 11.5], dtick=5, tick0=0, zeroline=True, zerolinecolor="var(--soft)",
        ),
        "yaxis": _axis(
            "Saving, conservative", type="log", dtick=1, tickprefix="$", exponentformat="none"
        ),
    }  # fmt: skip
    limits = [_limit(at) for at in (result.policy.contradicted, result.policy.hinted)]
    return {"data": dots, "layout": _layout(hovermode="closest", shapes=limits, **axes)}


def evidence(workload: Workload) -> float:
    """Log2 odds that the weakest criterion holds, -10 to 10; an owner's word is the end of both."""
    if any(reason.side == "owner" for reason in workload.reasons):
        return {"batch_eligible": 10.0, "realtime": -10.0}.get(workload.label, 0.0)
    return min(score(workload, criterion) for criterion in CRITERIA)


def _apart(places: Sequence[float]) -> list[float]:
    """The same places, those taken already moved a little aside, so that each can be pointed at."""
    taken: Counter[float] = Counter()
    moved = []
    for place in places:
        # The golden ratio spreads any number of them evenly over 0.6, the first one in the middle.
        moved.append(round(place + 0.6 * ((0.5 + taken[place] * 0.618034) % 1 - 0.5), 3))
        taken[place] += 1
    return moved


def _said(workload: Workload) -> str:
    """What the box over a dot says below the names, which explore.js takes from the table's row.

    Line breaks are its only markup: <b> would be a style attribute, which the policy forbids.
    """
    sure = confidence(workload.confidence)
    if workload.confidence is not None:
        sure += f", {percent(workload.confidence)}"
    saving, cost = money(workload.saving_conservative), money(workload.effective_cost)
    return f"saving {saving} of {cost}<br>{plural(workload.calls, 'call')}, confidence {sure}"


def _axis(title: str, **more: Any) -> dict[str, Any]:
    return {
        "title": {"text": title, "font": {"size": 13}},
        "automargin": True,
        "gridcolor": "var(--line)",
        "linecolor": "var(--line)",
        "zeroline": False,
        **more,
    }


def _limit(at: float) -> dict[str, Any]:
    """A dotted line from top to bottom."""
    line = {"color": "var(--soft)", "width": 1, "dash": "dot"}
    return {"type": "line", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1, "line": line}


def _layout(**more: Any) -> dict[str, Any]:
    return {
        "autosize": True,
        "height": 420,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": "var(--ink)"},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "itemsizing": "constant",
        },
        "hoverlabel": {
            "align": "left",
            "bgcolor": "var(--card)",
            "bordercolor": "var(--soft)",
            "font": {"family": FONT, "color": "var(--ink)"},
        },
        **more,
    }
