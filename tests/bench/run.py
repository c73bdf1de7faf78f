"""Speed and memory, as ratios inside one run: `python -m tests.bench.run [options]`.

Seconds drift from hour to hour on a shared machine, so every figure that matters is a ratio to a
bare DuckDB process that reads the same file in the same minute, and runs are taken in turn. All
figures are of whole processes, start-up included; medians unless said otherwise.

Peak memory is the resident set that `wait4` reports. Linux counts the parent's set at the fork,
too, so this process stays small: logs are made in a process of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {"ingest_ratio": 1.5, "report_s": 10.0, "peak_mb": 1536.0, "help_ms": 150.0}


@dataclass(frozen=True)
class Run:
    """One process: wall seconds and peak resident megabytes."""

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Figure:
    """A line of the table: what was measured, its value, and the most or least it should be.

    A value of None stands for something that is not installed here.
    """

    name: str
    value: float | None
    unit: str
    limit: float | None = None
    least: float | None = None


def run_process(command: list[str]) -> Run:
    """Run a command to its end; its output is shown only when it fails."""
    with tempfile.TemporaryFile() as output:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace")[-2_000:]
            raise SystemExit(f"{' '.join(command)} exited {process.returncode}:\n{said}")
    return Run(seconds, usage.ru_maxrss / 1024)


def middle(runs: list[Run]) -> Run:
    """Median seconds, highest peak."""
    return Run(median(run.seconds for run in runs), max(run.peak_mb for run in runs))


# --- what is measured ----------------------------------------------------------------------------


def compare_ingest(label: str, log: Path, folder: Path, runs: int) -> list[Figure]:
    """llm-audit ingest beside three bare reads (see `bare`), taken in turn."""
    commands: dict[str, Callable[[Path], list[str]]] = {
        "ours": lambda database: [*_audit(), "--db", str(database), "ingest", str(log)],
        "whole": lambda database: [*_bare(), str(database), str(log), "whole"],
        "hashed": lambda database: [*_bare(), str(database), str(log), "hashed"],
        "narrow": lambda database: [*_bare(), str(database), str(log), "narrow"],
    }
    warm(log)
    taken: dict[str, list[Run]] = {name: [] for name in commands}
    for number in range(runs):
        for name, command in commands.items():
            database = folder / f"{label}-{name}-{number}.duckdb"
            taken[name].append(run_process(command(database)))
            keep = name == "ours" and number == runs - 1
            if not keep:
                database.unlink()
    ours, whole, hashed, narrow = (middle(taken[name]) for name in commands)
    return [
        Figure(f"{label}: ingest / bare read", ours.seconds / whole.seconds, "x",
               LIMITS["ingest_ratio"]),
        Figure(f"{label}: ingest / bare read, prompts hashed", ours.seconds / hashed.seconds, "x"),
        Figure(f"{label}: ingest / bare read of 35 columns", ours.seconds / narrow.seconds, "x"),
        Figure(f"{label}: ingest", ours.seconds, "s"),
        Figure(f"{label}: bare read", whole.seconds, "s"),
        Figure(f"{label}: bare read, prompts hashed", hashed.seconds, "s"),
        Figure(f"{label}: bare read of 35 columns", narrow.seconds, "s"),
        Figure(f"{label}: ingest peak", ours.peak_mb, "MB", LIMITS["peak_mb"]),
        Figure(f"{label}: bare read peak", whole.peak_mb, "MB"),
    ]  # fmt: skip


def warm(log: Path) -> None:
    """Read the log once, so that no run pays for a cold disk."""
    with log.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def measure_report(label: str, lines: int, folder: Path, runs: int) -> list[Figure]:
    """Classify + price + JSON report over the database that ingest left behind.

    The limit holds for a million calls; a smaller set only shows what prompts add.
    """
    limit = LIMITS["report_s"] if label == "A" else None
    database = next(folder.glob(f"{label}-ours-*.duckdb"))
    out = folder / "report.json"
    command = [*_audit(), "--db", str(database), "report", "--format", "json", "--out", str(out)]
    taken = middle([run_process(command) for _ in range(runs)])
    return [
        Figure(f"{label}: report of {lines:,} calls", taken.seconds, "s", limit),
        Figure(f"{label}: report per million calls", taken.seconds / lines * 1e6, "s"),
        Figure(f"{label}: report peak", taken.peak_mb, "MB", LIMITS["peak_mb"]),
    ]


def measure_help() -> list[Figure]:
    """Best of five: the cost of starting at all."""
    best = min(run_process([*_audit(), "--help"]).seconds for _ in range(5))
    return [Figure("--help, best of 5", best * 1000, "ms", LIMITS["help_ms"])]


def measure_pricing(calls: int, runs: int, folder: Path) -> list[Figure]:
    """Calls priced per second, and how many times that is of two libraries (see `pricing`)."""
    out = folder / "pricing.json"
    options = ["--calls", str(calls), "--runs", str(runs)]
    run_process([sys.executable, "-m", "tests.bench.pricing", str(out), *options])
    speeds = json.loads(out.read_text(encoding="utf-8"))
    ours = speeds[0]["millions_per_second"]
    figures = []
    for speed in speeds:
        name, value = speed["name"], speed["millions_per_second"]
        figures.append(Figure(f"pricing: {name}", value, "M/s", least=speed["least"]))
        if "call by call" in name:
            ratio = None if value is None else ours / value
            figures.append(Figure(f"pricing: ours / {name.split(',')[0]}", ratio, "x"))
    return figures


def measure_large_report(calls: int, folder: Path) -> list[Figure]:
    """The page of so many calls once labels exist (see `report`)."""
    out = folder / "large-report.json"
    options = ["--calls", str(calls), "--workdir", str(folder / "large"), "--json", str(out)]
    run_process([sys.executable, "-m", "tests.bench.report", *options])
    return [Figure(**figure) for figure in json.loads(out.read_text(encoding="utf-8"))]


def measure_page(folder: Path) -> list[Figure]:
    """Seconds until the page of 500 workloads can be read in Chromium (see `page`)."""
    out = folder / "page.json"
    run_process([sys.executable, "-m", "tests.bench.page", "--json", str(out)])
    return [Figure(**figure) for figure in json.loads(out.read_text(encoding="utf-8"))]


def _audit() -> list[str]:
    script = Path(sys.executable).parent / "llm-audit"
    return [str(script)] if script.exists() else [sys.executable, "-m", "llm_audit"]


def _bare() -> list[str]:
    return [sys.executable, "-m", "tests.bench.bare"]


def make_log(path: Path, lines: int, *, bodies: bool) -> Path:
    """Make a log in a process of its own; a log that is there already is used again."""
    call = "import sys; from pathlib import Path; from tests.bench.logs import make_log; "
    call += "make_log(Path(sys.argv[1]), int(sys.argv[2]), bodies=sys.argv[3] == 'True')"
    run_process([sys.executable, "-c", call, str(path), str(lines), str(bodies)])
    return path


# --- the command ---------------------------------------------------------------------------------


def measure(options: argparse.Namespace, workdir: Path) -> list[Figure]:
    """All figures, in the order of the table."""
    say("making the logs")
    log_a = make_log(workdir / f"a-{options.lines_a}.jsonl", options.lines_a, bodies=False)
    log_b = make_log(workdir / f"b-{options.lines_b}.jsonl", options.lines_b, bodies=True)
    with tempfile.TemporaryDirectory(dir=workdir) as scratch:
        folder = Path(scratch)
        say("measuring set A")
        figures = compare_ingest("A", log_a, folder, options.runs)
        figures += measure_report("A", options.lines_a, folder, options.runs)
        say("measuring set B")
        figures += compare_ingest("B", log_b, folder, options.runs)
        figures += measure_report("B", options.lines_b, folder, options.runs)
        say("measuring prices")
        figures += measure_pricing(options.priced_calls, options.runs, folder)
        say("measuring the report of many calls")
        figures += measure_large_report(options.reported_calls, folder)
        say("measuring the page in a browser")
        figures += measure_page(folder)
    return [*figures, *measure_help(), *_sizes(log_a, log_b)]


def _sizes(*logs: Path) -> list[Figure]:
    return [Figure(f"{log.name}", log.stat().st_size / 1e6, "MB") for log in logs]


def say(text: str) -> None:
    """Progress, kept out of the table."""
    print(text, "...", file=sys.stderr, flush=True)


def table(figures: list[Figure]) -> str:
    """The figures as text, with a mark where one is over its limit."""
    rows = []
    for figure in figures:
        rows.append(f"{figure.name:<38}{_amount(figure)}  {_bound(figure)}")
    return "\n".join(row.rstrip() for row in rows)


def _amount(figure: Figure) -> str:
    if figure.value is None:
        return f"{'not installed':>14}"
    digits = 2 if figure.value >= 0.1 else 4
    return f"{figure.value:>10.{digits}f} {figure.unit:<3}"


def _bound(figure: Figure) -> str:
    """What the figure should be, and a mark where it is not."""
    if figure.limit is not None:
        off = figure.value is not None and figure.value > figure.limit
        return f"<= {figure.limit:g}{'  OVER' if off else ''}"
    if figure.least is not None:
        off = figure.value is not None and figure.value < figure.least
        return f">= {figure.least:g}{'  UNDER' if off else ''}"
    return ""


@contextmanager
def work_folder(given: Path | None) -> Iterator[Path]:
    """The folder that keeps the logs, or a temporary one."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="llm-audit-bench-") as folder:
        yield Path(folder)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Benchmark llm-audit against bare DuckDB.")
    parser.add_argument("--lines-a", type=int, default=1_000_000, help="short lines, no bodies")
    parser.add_argument("--lines-b", type=int, default=200_000, help="lines with 8 KB bodies")
    parser.add_argument("--priced-calls", type=int, default=10_000_000, help="calls to price")
    parser.add_argument("--reported-calls", type=int, default=10_000_000, help="calls to report")
    parser.add_argument("--runs", type=int, default=3, help="runs per figure")
    parser.add_argument("--workdir", type=Path, help="keeps the generated logs (3 GB)")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    with work_folder(options.workdir) as workdir:
        figures = measure(options, workdir)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")


if __name__ == "__main__":
    main()
