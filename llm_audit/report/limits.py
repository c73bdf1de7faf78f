"""How much of a large audit one page shows, so that it can still be opened and mailed.

A page is drawn with the first limits of its list; if it comes out too large, with the next. The
page says what it leaves out and where that is: in the JSON and in `llm-audit explain`.
"""

from __future__ import annotations

from dataclasses import dataclass

PAGE_BYTES = 2_000_000
"""The page without plotly.js, which adds another two million: 4 MB in all."""

STATIC_BYTES = 200_000
"""What a mail server lets through without a thought."""


@dataclass(frozen=True)
class Limits:
    """At most so many workloads in the table, with their reasons, and with drawings of them too;
    questions to owners, models and changes, days, log files, and actions.
    """

    most_workloads: int = 500
    most_explained: int = 500
    most_drawn: int = 60
    most_asked: int = 20
    most_models: int = 20
    most_days: int = 92
    most_files: int = 100


PAGE = (
    Limits(),
    Limits(most_explained=200),
    Limits(most_explained=100, most_drawn=40),
    Limits(most_explained=40, most_drawn=20),
    Limits(most_explained=20, most_drawn=10, most_workloads=300),
)

STATIC = (
    Limits(most_workloads=50, most_explained=25, most_drawn=10, most_days=31),
    Limits(40, 20, 6, most_asked=12, most_days=31, most_files=20),
    Limits(30, 15, 3, most_asked=8, most_models=15, most_days=14, most_files=10),
    Limits(30, 12, 0, most_asked=6, most_models=12, most_days=14, most_files=5),
    Limits(20, 8, 0, most_asked=4, most_models=10, most_days=7, most_files=5),
    Limits(10, 2, 0, most_asked=2, most_models=5, most_days=7, most_files=3),
)
