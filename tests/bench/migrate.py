"""Planning at scale: `python -m tests.bench.migrate --requests 100000`.

Makes a month of nightly jobs whose calls are all eligible and replayable (bodies of about 7 KB, one
log a night, every third packed), ingests it, and measures `llm-audit migrate --dry-run --out` as a
process of its own: label, price, read the bodies again, pack, write and check the request files.

Then, per vendor, a whole run of as many requests against the tests' fake of the vendor, without the
waits. `seconds` is collecting alone: poll, download, read every line, settle every request. The
fake is another process: its time is in the seconds, its memory is not in the peak.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

from llm_audit.migrate import run
from llm_audit.migrate.model import RequestState, ShardState, Vendor
from tests.bench.logs import START, Role, _bodies, _template, _text_pool, _values
from tests.bench.run import run_process, say
from tests.migrate import engine
from tests.migrate.fake.process import running_fake

LIMITS = {"seconds": 30.0, "peak_mb": 1024.0}
VENDORS = ("openai", "anthropic")
ROWS = 5_000
"""Requests in one batch of a run, as `migrate` has it."""
COLLECTED = "collected"
NIGHTS = 30
JOBS = (
    Role("reviews", "openai", "gpt-4.1", 12_000, 700, tags=("job:reviews", "scheduler:cron"),
         max_delay="24h"),
    Role("eval", "openai", "gpt-5.4", 18_000, 900, tags=("job:eval", "scheduler:airflow"),
         max_delay="24h"),
)  # fmt: skip


def make_logs(folder: Path, calls: int) -> None:
    """One log a night, ten calls at a time."""
    rng = Random(f"migrate/{calls}")
    pool = _text_pool(rng)
    folder.mkdir(parents=True, exist_ok=True)
    for night in range(NIGHTS):
        count = calls // NIGHTS + (night < calls % NIGHTS)
        text = "".join(_night(rng, pool, night, count)).encode("ascii")
        name = folder / f"night-{night:02}.jsonl"
        if night % 3 == 2:
            name.with_suffix(".jsonl.gz").write_bytes(gzip.compress(text, 1))
        else:
            name.write_bytes(text)


def _night(rng: Random, pool: str, night: int, count: int) -> Iterator[str]:
    templates = [_template(job, "north", bodies=True, failed=False) for job in JOBS]
    for number in range(count):
        moment = START + night * 86_400 + 7_200 + (number // 10) * 14.0 + (number % 10) * 0.2
        job = number * len(JOBS) // count
        yield templates[job] % (_values(rng, JOBS[job], moment) | _bodies(rng, pool))


def main() -> int:
    """Command line; `--make` makes the logs in a process of its own, to keep this one small."""
    parser = argparse.ArgumentParser(description="Seconds and memory of planning a migration.")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--workdir", type=Path, help="where logs and files are made (4 GB)")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--run", choices=VENDORS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make_logs(options.make, options.requests)
        return 0
    if options.run:
        run_whole(options.run, options.requests, options.workdir)
        return 0
    with tempfile.TemporaryDirectory(prefix="llm-audit-migrate-", dir=options.workdir) as name:
        return measure(options.requests, Path(name), options.json)


def measure(requests: int, folder: Path, out: Path | None) -> int:
    """Make, ingest, plan; print the figures; 1 where one is over its limit."""
    logs, database, files = folder / "logs", folder / "audit.duckdb", folder / "files"
    audit = [sys.executable, "-m", "llm_audit", "--db", str(database)]
    say(f"making {requests:,} calls")
    here = [sys.executable, "-m", "tests.bench.migrate", "--requests", str(requests)]
    run_process([*here, "--make", str(logs)])
    say("ingesting")
    run_process([*audit, "ingest", str(logs)])
    say("planning")
    report = run_process([*audit, "report", "--format", "json", "--out", str(folder / "r.json")])
    before = _cpu()
    planning = run_process([*audit, "migrate", "--dry-run", "--out", str(files)])
    cpu = _cpu() - before
    manifest = json.loads((files / "manifest.json").read_text(encoding="utf-8"))
    planned = sum(shard["requests"] for shard in manifest["shards"])
    written = sum(path.stat().st_size for path in files.iterdir())
    figures = {
        "requests": planned,
        "batches": len(manifest["shards"]),
        "written_mb": written / 1e6,
        "seconds": planning.seconds,
        "cpu_seconds": cpu,
        "peak_mb": planning.peak_mb,
        "report_seconds": report.seconds,
    }
    _print("plan", figures)
    taken = {"plan": figures}
    for vendor in VENDORS:
        say(f"a whole run at {vendor}")
        made = folder / vendor
        made.mkdir()
        whole = run_process([*here, "--run", vendor, "--workdir", str(made)])
        taken[vendor] = {
            "whole_seconds": whole.seconds,
            "seconds": float((made / COLLECTED).read_text(encoding="utf-8")),
            "peak_mb": whole.peak_mb,
        }
        _print(vendor, taken[vendor])
    if out:
        out.write_text(json.dumps(taken, indent=1) + "\n", encoding="utf-8")
    over = any(
        figures[name] > limit for figures in taken.values() for name, limit in LIMITS.items()
    )
    return int(over or planned < 0.99 * requests)


def _print(title: str, figures: dict[str, float]) -> None:
    for name, value in figures.items():
        limit = LIMITS.get(name)
        mark = "" if limit is None else f"  <= {limit:g}  {'ok' if value <= limit else 'OVER'}"
        print(f"{title:<10}{name:<16}{value:>12,.1f}{mark}", flush=True)


def run_whole(name: str, requests: int, folder: Path) -> None:
    """Buy so many requests of the fake, then collect them; the seconds of the second half are left
    in `folder`. Errors: `AssertionError` where not all have an answer."""
    vendor = Vendor(name)
    with running_fake(folder / "fake") as fake:
        fake.play(engine.scenario())
        sizes = [ROWS] * (requests // ROWS)
        engine.book(folder, vendor, sizes, canary=False)
        drivers = engine.drivers(fake.environment())
        with engine.opened(folder, drivers, fake) as context:

            def stop_when_sent() -> None:
                states = {shard.state for shard in context.ledger.shards()}
                context.stop = states == {ShardState.SUBMITTED}

            with suppress(KeyboardInterrupt):
                run.drive(context, stop_when_sent)
            context.stop = False
            begin = time.perf_counter()
            run.drive(context)
            seconds = time.perf_counter() - begin
    assert engine.states(folder) == {RequestState.SUCCEEDED: sum(sizes)}
    (folder / COLLECTED).write_text(f"{seconds}", encoding="utf-8")


def _cpu() -> float:
    """Seconds on all threads of the processes run so far: steadier than wall time on a machine
    that others use."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
