"""The report at scale: `python -m tests.bench.report --calls 10000000 --memory 2GB`.

Makes the calls of `labels` (500 workloads per ten million), labels and prices them once, then
measures, in a process of its own, what is left to do for a report: reading the views into a
`Result` and drawing the page. Prints the seconds of both, the dearest views, and the page's size.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.bench.run import Figure, run_process, say, table

LIMITS = {"seconds": 10.0, "html_mb": 4.0}
AS_OF = date(2026, 11, 22)


def run_pipeline(database: Path, memory: str) -> None:
    """Label, price and lay out the calls, as `llm-audit report` does; not measured here."""
    from llm_audit import pipeline
    from llm_audit.policy import Policy
    from llm_audit.workspace import Workspace

    with Workspace(database, memory, 2).connect() as connection:
        pipeline.run(connection, Policy.load(), AS_OF)


def draw(database: Path, memory: str, out: Path) -> None:
    """The seconds from existing labels to the page, and those of each view."""
    from llm_audit import pipeline, report
    from llm_audit.workspace import Workspace

    with Workspace(database, memory, 2).connect(read_only=True) as connection:
        begin, begin_cpu = time.perf_counter(), time.process_time()
        result = report.build(
            connection, now=datetime(2026, 11, 22, tzinfo=UTC), project=False, tool_version="bench"
        )
        built = time.perf_counter() - begin
        html = report.write_html(result)
        drawn = time.perf_counter() - begin - built
        cpu = time.process_time() - begin_cpu
        views = {}
        for step in pipeline.steps():
            if step.number >= 80:
                started = time.perf_counter()
                connection.table(step.name).fetchall()
                views[step.name] = time.perf_counter() - started
    measured: dict[str, Any] = {
        "build": built,
        "draw": drawn,
        "cpu": cpu,
        "html_mb": len(html.encode()) / 1e6,
        "json_mb": len(report.to_json(result)) / 1e6,
        "calls": result.period.calls,
        "workloads": len({workload.workload_id for workload in result.workloads}),
        "views": views,
    }
    out.write_text(json.dumps(measured))


def measure(calls: int, memory: str, folder: Path, shown: int = 5) -> list[Figure]:
    """Make, label and draw so many calls, each in a process of its own."""
    database = folder / f"report-{calls}.duckdb"
    out = folder / f"report-{calls}.json"
    here = [sys.executable, "-m", "tests.bench.report", "--memory", memory]
    if not database.exists():
        say(f"making {calls:,} calls")
        made = [sys.executable, "-m", "tests.bench.labels", "--make", str(database)]
        run_process([*made, "--calls", str(calls), "--memory", memory])
        say(f"labelling and pricing {calls:,} calls")
        run_process([*here, "--pipeline", str(database)])
    say("reporting")
    run = run_process([*here, "--draw", str(database), "--json", str(out)])
    found = json.loads(out.read_text())
    name = f"report of {found['calls']:,} calls"
    dearest = sorted(found["views"].items(), key=lambda view: -view[1])[:shown]
    return [
        Figure(f"{name}: workloads", found["workloads"], ""),
        Figure(f"{name}, labels exist", found["build"] + found["draw"], "s", LIMITS["seconds"]),
        Figure("  of which reading the views", found["build"], "s"),
        Figure("  of which drawing the page", found["draw"], "s"),
        Figure("  on all threads together", found["cpu"], "s"),
        *(Figure(f"    {view}", seconds, "s") for view, seconds in dearest),
        Figure("  page", found["html_mb"], "MB", LIMITS["html_mb"]),
        Figure("  JSON", found["json_mb"], "MB"),
        Figure("  peak", run.peak_mb, "MB"),
    ]


def main() -> int:
    """Command line; `--pipeline` and `--draw` are the two halves of a measurement."""
    parser = argparse.ArgumentParser(description="Seconds from labels to the report's page.")
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--views", type=int, default=8, help="how many of the dearest to show")
    parser.add_argument("--workdir", type=Path, help="keeps the database (4 GB) for another run")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--pipeline", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pipeline:
        run_pipeline(options.pipeline, options.memory)
        return 0
    if options.draw:
        draw(options.draw, options.memory, options.json)
        return 0
    if options.workdir:
        options.workdir.mkdir(parents=True, exist_ok=True)
        figures = measure(options.calls, options.memory, options.workdir.resolve(), options.views)
    else:
        with tempfile.TemporaryDirectory(prefix="llm-audit-report-") as folder:
            figures = measure(options.calls, options.memory, Path(folder), options.views)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
