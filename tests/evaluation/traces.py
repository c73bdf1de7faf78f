"""Negative control: real traffic with somebody waiting, none of which may be called eligible.

The public traces of ../shared/traces carry times and tokens, one of them sessions. Each becomes
several callers in our generic JSONL: with and without a latency, in several styles of metadata.
None of the traces records a latency, so the callers that have one got an estimate from the output
tokens, which explain latency in real agent traffic (r = 0.92) while the input does not (r = 0.15).

Not used: Mooncake's synthetic_trace, made from public long-context sets. Its arrivals are nobody's
traffic, so calling it eligible would prove nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.evaluation.audit import Audit

FIRST_TOKEN_S = 0.4
SECONDS_PER_TOKEN = 0.02
"""The estimate: 0.4 s to the first token, then 50 tokens a second."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Trace:
    """One public trace: its files, a name its service could have, and a model it could call."""

    path: str
    service: str
    misleading: str
    models: tuple[str, str]
    read: Callable[[Path], Iterator[Row]]


@dataclass(frozen=True)
class Caller:
    """What the tool made of one trace in one style."""

    name: str
    calls: int
    eligible: int
    usd_eligible: float

    @property
    def hit(self) -> bool:
        """Stricter than the protocol's 1 %: no call may be flagged."""
        return self.eligible > 0


def _azure(path: Path) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        for cells in csv.DictReader(file):
            yield {
                "at": datetime.fromisoformat(cells["TIMESTAMP"][:26]),
                "input_tokens": int(cells["ContextTokens"]),
                "output_tokens": int(cells["GeneratedTokens"]),
            }


def _mooncake(path: Path) -> Iterator[Row]:
    start = datetime(2025, 2, 25, 9, 0)
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        yield {
            "at": start + timedelta(milliseconds=record["timestamp"]),
            "input_tokens": record["input_length"],
            "output_tokens": record["output_length"],
        }


def _ragpulse(path: Path) -> Iterator[Row]:
    start = datetime(2025, 9, 10, 4, 0)
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        yield {
            "at": start + timedelta(seconds=float(record["timestamp"])),
            "input_tokens": record["input_length"],
            "output_tokens": record["output_length"],
            "conversation_id": record["session_id"],
        }


TRACES = (
    Trace("azure-llm-2023/AzureLLMInferenceTrace_code.csv", "code-completion",
          "code-index-pipeline", ("gpt-4o", "gpt-4o-mini"), _azure),
    Trace("azure-llm-2023/AzureLLMInferenceTrace_conv.csv", "conversation",
          "conversation-export-job", ("gpt-4.1", "gpt-4.1-mini"), _azure),
    Trace("mooncake-fast25/conversation_trace.jsonl", "kimi-conversations",
          "nightly-archive-batch", ("gpt-5.4", "gpt-5.4-mini"), _mooncake),
    Trace("ragpulse/0_trace.jsonl", "university-qa",
          "daily-report-etl", ("gpt-4.1-nano", "gpt-5.4-nano"), _ragpulse),
)  # fmt: skip


def _unnamed(_: Trace) -> Row:
    """No metadata at all: only the model tells the callers apart."""
    return {}


def _alias(trace: Trace) -> Row:
    """A key alias, and nothing about streaming."""
    return {"api_key_alias": trace.service}


def _gateway(trace: Trace) -> Row:
    """What a gateway writes: team, service, tier, status, and no answer streamed."""
    return {
        "api_key_alias": f"{trace.service}-gw",
        "team": "platform",
        "service_tier": "standard",
        "status": "ok",
        "is_streaming": False,
        "client_timeout_s": 600,
    }


def _misleading(trace: Trace) -> Row:
    """The same under a name that sounds like a job, which real services have too."""
    return {**_gateway(trace), "api_key_alias": trace.misleading}


STYLES: Mapping[str, Callable[[Trace], Row]] = {
    "no metadata": _unnamed,
    "key alias": _alias,
    "gateway, not streamed": _gateway,
    "misleading name": _misleading,
}
SESSIONS = "session ids"
"""A fifth style, for the one trace that has them."""


def write_log(traces: Path, log: Path) -> int:
    """All traces in all styles as one generic JSONL file; the number of calls."""
    written = 0
    with log.open("w", encoding="utf-8") as file:
        for trace in TRACES:
            rows = list(trace.read(traces / trace.path))
            for with_latency in (True, False):
                for fields, keep_session in _styles(trace, rows, with_latency):
                    for row in rows:
                        line = {**fields, **_line(row, with_latency, keep_session)}
                        file.write(json.dumps(line) + "\n")
                    written += len(rows)
    return written


def _styles(trace: Trace, rows: list[Row], with_latency: bool) -> Iterator[tuple[Row, bool]]:
    suffix = "" if with_latency else "-untimed"
    model = trace.models[0 if with_latency else 1]
    common = {"provider_name": "openai", "operation_name": "chat", "request_model": model}
    for make in STYLES.values():
        fields = make(trace)
        if "api_key_alias" in fields:
            fields["api_key_alias"] += suffix
        yield {**common, **fields}, False
    if "conversation_id" in rows[0]:
        yield {**common, "api_key_alias": f"{trace.service}-sessions{suffix}"}, True


def _line(row: Row, with_latency: bool, keep_session: bool) -> Row:
    line = {key: value for key, value in row.items() if key not in ("at", "conversation_id")}
    line["started_at"] = row["at"].replace(tzinfo=UTC).isoformat()
    if with_latency:
        seconds = FIRST_TOKEN_S + SECONDS_PER_TOKEN * row["output_tokens"]
        line["duration_ms"] = round(1000 * seconds)
    if keep_session:
        line["conversation_id"] = row["conversation_id"]
    return line


def negative_control(traces: Path, folder: Path) -> tuple[list[Caller], str]:
    """Audit the traces; what became of each caller, and the note about the latencies."""
    folder.mkdir(parents=True)
    log = folder / "traces.jsonl"
    written = write_log(traces, log)
    audit = Audit(folder)
    audit.ingest(log)
    audit.report()
    rows = audit.query(
        """SELECT coalesce(calls.caller, 'no metadata: ' || calls.request_model), count(*),
          count(*) FILTER (WHERE labels.label = 'batch_eligible'),
          coalesce(CAST(sum(costs.effective_cost)
            FILTER (WHERE labels.label = 'batch_eligible') AS DOUBLE), 0)
        FROM calls INNER JOIN labels USING (call_id) INNER JOIN costs USING (call_id)
        GROUP BY 1 ORDER BY 1"""
    )
    callers = [Caller(*row) for row in rows]
    counted = sum(caller.calls for caller in callers)
    if counted != written:
        raise AssertionError(f"{written} calls were written, {counted} were labelled")
    note = (
        f"{written:,} calls as {len(callers)} callers; latency estimated as {FIRST_TOKEN_S:g} s + "
        f"{SECONDS_PER_TOKEN:g} s per output token, and left out for the callers called -untimed"
    )
    return callers, note
