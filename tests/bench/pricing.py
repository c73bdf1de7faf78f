"""Calls priced per second, beside what two libraries manage call by call.

`python -m tests.bench.pricing OUT.json [--calls N] [--sample N] [--runs N]` makes the calls inside
DuckDB, then measures, with two threads: everything from the price data to the sums of all cost
columns of `costs`; and from labels to `savings`. The calls are those of thirty days in order, of
models and tiers in any order. A process of its own prices a sample of the same
calls with genai-prices and litellm (`pip install '.[bench]'`); where one is not installed, that
line says so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from llm_audit import pipeline, prices, schema

AS_OF = date(2026, 11, 22)
MODELS = (
    "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini", "o3", "o4-mini",
    "gpt-5.4", "gpt-4o-2024-08-06", "gpt-6-sol", "claude-sonnet-4-5-20250929", "claude-haiku-4-5",
    "claude-opus-4-5", "claude-opus-4-1-20250805", "claude-sonnet-4-6", "claude-sonnet-5",
)  # fmt: skip
CALLS = """
SELECT
  'call_' || number AS call_id,
  CASE WHEN starts_with(model, 'claude') THEN 'anthropic' ELSE 'openai' END AS provider_name,
  model AS request_model,
  model AS response_model,
  'chat' AS operation_name,
  TIMESTAMP '2026-10-01' + INTERVAL (30 * number // $calls) DAY + INTERVAL (number % 86400) SECOND
    AS started_at,
  'ok' AS status,
  CASE WHEN number % 10 = 0 THEN 'batch' WHEN number % 97 = 0 THEN 'flex' ELSE 'standard' END
    AS service_tier,
  500 + number % 3000 + CASE WHEN number % 3 = 0 THEN 2000 ELSE 0 END
    + CASE WHEN number % 500 = 0 THEN 300000 ELSE 0 END AS input_tokens,
  CASE WHEN number % 3 = 0 THEN 1500 END AS cache_read_input_tokens,
  100 + number % 400 AS output_tokens,
  'reported' AS tokens_source
FROM (
  SELECT range AS number, $models[1 + CAST(hash(range) % len($models) AS BIGINT)] AS model
  FROM range($calls)
) AS numbers
"""
SUMS = """
SELECT count(*), count(effective_cost), sum(list_cost), sum(contracted_cost), sum(effective_cost),
  sum(batch_cost_conservative), sum(batch_cost_expected), sum(batch_cost_best), sum(flex_cost)
FROM costs
"""
BAR = 2.0
"""Million calls a second on two cores."""


@dataclass(frozen=True)
class Speed:
    """Who priced how fast; None is not installed. `least` is what it should be, if anything."""

    name: str
    millions_per_second: float | None
    least: float | None = None


@contextmanager
def stopwatch(taken: list[float]) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    taken.append(time.perf_counter() - begin)


def measure_ours(calls: int, runs: int, folder: Path) -> list[Speed]:
    """Median of `runs` over the same calls."""
    priced: list[float] = []
    saved: list[float] = []
    with duckdb.connect(str(folder / "pricing.duckdb"), config={"threads": 2}) as connection:
        for table in schema.STORED_TABLES:
            connection.execute(schema.create_table_sql(table))
        connection.execute(
            f"INSERT INTO calls BY NAME {CALLS}", {"models": list(MODELS), "calls": calls}
        )
        label(connection)
        for _ in range(runs):
            with stopwatch(priced):
                prices.load(connection, AS_OF)
                pipeline.run_steps(connection, 40, 59)
                sums = connection.execute(SUMS).fetchone()
            assert sums is not None
            assert sums[0] == calls
            assert sums[1] > 0.9 * calls
            with stopwatch(saved):
                pipeline.run_steps(connection, 60, 69)
                total = connection.execute("SELECT sum(effective_cost) FROM savings").fetchone()
            assert total == (sums[4],)
    return [
        Speed("all cost columns", calls / median(priced) / 1e6, BAR),
        Speed("labels to savings", calls / median(saved) / 1e6),
    ]


def label(connection: duckdb.DuckDBPyConnection) -> None:
    """Fifty workloads, as the labelling steps would leave them; not measured here."""
    connection.execute(
        "CREATE TABLE labels AS SELECT call_id, 'w_' || (hash(call_id) % 50) AS workload_id, "
        "'batch_eligible' AS label FROM calls"
    )
    connection.execute(
        "CREATE TABLE workload_labels AS SELECT DISTINCT workload_id, label, "
        "'supported' AS independence, 'supported' AS tolerance, 'supported' AS storage, "
        "FALSE AS deadline_risk, CAST(NULL AS DOUBLE) AS due_in_s, "
        "FALSE AS due_in_minutes, FALSE AS needs_error_feedback FROM labels"
    )


# --- the libraries --------------------------------------------------------------------------------

Sample = tuple[str, str, int, int, int]
"""provider, model, input tokens, of which cached, output tokens."""


def genai_prices() -> Callable[[Sample], object]:
    library: Any = importlib.import_module("genai_prices")

    def price(call: Sample) -> object:
        provider, model, whole, cached, output = call
        usage = library.Usage(input_tokens=whole, cache_read_tokens=cached, output_tokens=output)
        return library.calc_price(usage, model_ref=model, provider_id=provider)

    return price


def litellm() -> Callable[[Sample], object]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    library: Any = importlib.import_module("litellm")

    def price(call: Sample) -> object:
        provider, model, whole, cached, output = call
        return library.cost_per_token(
            model=model,
            custom_llm_provider=provider,
            prompt_tokens=whole,
            completion_tokens=output,
            cache_read_input_tokens=cached,
        )

    return price


LIBRARIES = {"genai-prices": genai_prices, "litellm": litellm}


def measure_library(name: str, sample: list[Sample]) -> float | None:
    """Million calls a second; a model that it does not know counts as priced, too."""
    try:
        price = LIBRARIES[name]()
    except ImportError:
        return None
    taken: list[float] = []
    with stopwatch(taken):
        for call in sample:
            try:
                price(call)
            except Exception:  # each library has errors of its own
                continue
    return len(sample) / taken[0] / 1e6


def sample_calls(size: int) -> list[Sample]:
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT provider_name, response_model, input_tokens, "
            f"COALESCE(cache_read_input_tokens, 0), output_tokens FROM ({CALLS})",
            {"models": list(MODELS), "calls": size},
        ).fetchall()
    return [(str(p), str(m), int(i), int(c), int(o)) for p, m, i, c, o in found]


def measure_others(size: int) -> list[Speed]:
    """Each library in a process of its own, so that none slows another."""
    return [
        Speed(
            f"{name}, call by call", json.loads(_said(["--library", name, "--sample", str(size)]))
        )
        for name in LIBRARIES
    ]


def _said(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "tests.bench.pricing", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def main() -> None:
    """Write the speeds as JSON; with --library print that library's alone."""
    parser = argparse.ArgumentParser(description="Calls priced per second.")
    parser.add_argument("out", nargs="?", type=Path, help="write the speeds here, too")
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--sample", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--library", choices=sorted(LIBRARIES), help="measure this one alone")
    options = parser.parse_args()
    if options.library:
        print(json.dumps(measure_library(options.library, sample_calls(options.sample))))
        return
    with tempfile.TemporaryDirectory(prefix="llm-audit-bench-") as folder:
        speeds = measure_ours(options.calls, options.runs, Path(folder))
    speeds += measure_others(options.sample)
    text = json.dumps([asdict(speed) for speed in speeds], indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
