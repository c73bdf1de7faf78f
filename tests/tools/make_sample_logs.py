"""Makes `sample_logs/`: the logs of an invented shop, the same bytes every time.

    python tests/tools/make_sample_logs.py [OUT] [TRUTH]

OUT (default: the repository's `sample_logs/`) receives the logs and their README; TRUTH (default:
`tests/golden/sample_logs_truth.json`) receives what was generated: per file how many lines are
calls, rejects, duplicates and not calls, per workload the intended label and the exact token sums.
The truth comes from the generator alone and never from llm-audit.

Counts assume what DESIGN promises: files are read in the order of their paths, the first line with
a response id is the call and later ones are its duplicates, blank lines do not count.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tests.tools.sample_shapes import (  # noqa: E402
    CSV_COLUMNS,
    Call,
    Caller,
    Json,
    Shape,
    anthropic_batch_line,
    chat_body,
    chat_exchange,
    count_tokens_exchange,
    csv_row,
    embeddings_exchange,
    litellm_bookkeeping,
    litellm_payload,
    messages_exchange,
    openai_batch_line,
    responses_exchange,
)
from tests.tools.sample_workloads import WORKLOADS, Recorder, Workload, at  # noqa: E402

KINDS = ("calls", "rejects", "duplicates", "not_calls")


@dataclass(frozen=True)
class Line:
    """One line (or record) of a log file and what it is: one of KINDS, or "blank"."""

    data: bytes
    kind: str = "calls"


@dataclass
class LogFile:
    """A log file: its lines, the format it is in and how they are put together.

    `container` is "lines", "array" (one JSON array), "object" (one JSON object) or "csv".
    """

    path: str
    format: str
    lines: list[Line] = field(default_factory=list)
    container: str = "lines"

    def counts(self) -> dict[str, int]:
        """How many lines there are and of which kind; blank lines are not counted."""
        kinds = Counter(line.kind for line in self.lines)
        counts = {kind: kinds[kind] for kind in KINDS}
        return {"lines": sum(counts.values()), **counts}

    def content(self) -> bytes:
        """The text of the file, before compression."""
        lines = [line.data for line in self.lines]
        if self.container == "array":
            return b"[\n" + b",\n".join(lines) + b"\n]\n"
        head = [",".join(CSV_COLUMNS).encode()] if self.container == "csv" else []
        return b"\n".join([*head, *lines]) + b"\n"

    def stored(self) -> bytes:
        """The bytes on disk; gzip carries no time stamp, so they are always the same."""
        content = self.content()
        return gzip.compress(content, 9, mtime=0) if self.path.endswith(".gz") else content


# --- the files -----------------------------------------------------------------------------------


def build() -> tuple[list[Workload], list[LogFile]]:
    """Everything that is logged, in the order in which it will be read."""
    workloads = [_in_time_order(make()) for make in WORKLOADS]
    named = {workload.name: workload for workload in workloads}
    gateway = [workload for workload in workloads if workload.source == "litellm/"]
    files = [
        *_gateway_days(gateway),
        _gateway_export(named["sku-copy"], named["support-chat"]),
        *_gateway_objects(named["press-digest"]),
        _helpdesk(named["staff-helpdesk"]),
        _bodies(named["unlabelled-bodies"], named["staff-helpdesk"]),
        _agent(named["coding-agent"]),
        _assistant(named["shopping-assistant"]),
        _plain("openai_embeddings/manuals.jsonl.gz", "openai_embeddings",
               embeddings_exchange, named["manual-embeddings"]),
        *_openai_batches(named["colour-tagging"]),
        _anthropic_batch(named["size-extraction"]),
        _proxy_table(named["contract-review"]),
    ]  # fmt: skip
    return workloads, sorted(files, key=lambda file: Path(file.path).parts)


def _in_time_order(workload: Workload) -> Workload:
    """Loggers write a call when it is complete."""
    calls = sorted(workload.calls, key=lambda call: call.ended_at)
    return replace(workload, calls=tuple(calls))


def _json_line(record: Json, kind: str = "calls") -> Line:
    return Line(json.dumps(record, ensure_ascii=False).encode(), kind)


def _lines(shape: Shape, workload: Workload, calls: Iterable[Call] | None = None) -> list[Line]:
    chosen = workload.calls if calls is None else calls
    return [_json_line(shape(call, workload.caller)) for call in chosen]


def _plain(path: str, format_name: str, shape: Shape, workload: Workload) -> LogFile:
    return LogFile(path, format_name, _lines(shape, workload))


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def _gateway_days(workloads: list[Workload]) -> list[LogFile]:
    """LiteLLM's daily files: all gateway callers mixed, in the order in which calls ended."""
    days: dict[str, list[tuple[float, Json]]] = {}
    for workload in workloads:
        for call in workload.calls:
            record = litellm_payload(call, workload.caller)
            days.setdefault(_day(call.started_at), []).append((call.ended_at, record))
    files = []
    for day, records in sorted(days.items()):
        lines = [_json_line(record) for _, record in sorted(records, key=lambda pair: pair[0])]
        files.append(LogFile(f"litellm/{day}.jsonl.gz", "litellm_slp", lines))
    _add_bookkeeping(files[3], day=3)
    _add_bookkeeping(files[10], day=10)
    _break_lines(files[8])
    return files


def _add_bookkeeping(file: LogFile, day: int) -> None:
    """The gateway's own rows: a health check, and a batch's upload, creation and polls."""
    made = Recorder(f"bookkeeping-{day}", "openai", "gpt-4o-mini")
    caller = Caller("colour-tagging", "catalogue")
    rows: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("acompletion", ("litellm-internal-health-check",)),
        ("acreate_file", ()),
        ("acreate_batch", ()),
        ("aretrieve_batch", ()),
        ("aretrieve_batch", ()),
    )
    for number, (call_type, tags) in enumerate(rows):
        moment = at(day, 4) + 60.5 * number
        record = litellm_bookkeeping(call_type, moment, caller, made.uuid(), tags)
        file.lines.insert(100 + 40 * number, _json_line(record, "not_calls"))


def _break_lines(file: LogFile) -> None:
    """The day the gateway's disk was full: cut, mistyped and mangled lines between good ones."""
    whole = json.loads(file.lines[0].data)
    mangled = file.lines[1].data.replace(b'"model_group": "', b'"model_group": "\xff\xfe')
    file.lines[30:30] = [
        Line(file.lines[0].data[:700], "rejects"),
        Line(b"gateway restarting, 3 requests in flight", "rejects"),
        Line(b"", "blank"),
    ]
    file.lines[60:60] = [
        _json_line({**whole, "id": "mistyped-1", "prompt_tokens": "quite a few"}, "rejects"),
        _json_line({**whole, "id": "mistyped-2", "startTime": "yesterday"}, "rejects"),
        Line(mangled, "rejects"),
    ]


def _gateway_export(own: Workload, overlapping: Workload) -> LogFile:
    """A JSON array exported by hand; 25 of its calls are in the daily files too."""
    lines = _lines(litellm_payload, own)
    again = [call for call in overlapping.calls if _day(call.started_at) == "2026-10-12"][:25]
    lines += [_json_line(litellm_payload(c, overlapping.caller), "duplicates") for c in again]
    return LogFile("litellm_export/2026-10-12_to_16.json.gz", "litellm_slp", lines, "array")


def _gateway_objects(workload: Workload) -> list[LogFile]:
    """LiteLLM's older S3 layout: one object per file."""
    files = []
    for call in workload.calls:
        moment = datetime.fromtimestamp(call.started_at, UTC)
        name = f"time-{moment:%H-%M-%S-%f}_{call.response_id}.json"
        path = f"litellm_objects/{moment:%Y-%m-%d}/{name}"
        lines = _lines(litellm_payload, workload, [call])
        files.append(LogFile(path, "litellm_slp", lines, "object"))
    return files


def _helpdesk(workload: Workload) -> LogFile:
    """OpenAI chat exchanges; two layers of the app logged three of them twice."""
    lines = _lines(chat_exchange, workload)
    answered = [n for n, call in enumerate(workload.calls) if call.status == "ok"]
    for number in reversed(answered[20:23]):
        lines.insert(number + 1, Line(lines[number].data, "duplicates"))
    return LogFile("openai_chat/helpdesk.jsonl.gz", "openai_chat", lines)


def _bodies(own: Workload, overlapping: Workload) -> LogFile:
    """Bare OpenAI chat bodies; 12 of them belong to exchanges of the helpdesk."""
    again = [call for call in overlapping.calls if call.status == "ok"][:12]
    lines = _lines(chat_body, own)
    lines += [_json_line(chat_body(call, overlapping.caller), "duplicates") for call in again]
    return LogFile("openai_chat/unlabelled_bodies.jsonl", "openai_chat", lines)


def _agent(workload: Workload) -> LogFile:
    """Anthropic Messages exchanges, three of them with the free token count before them."""
    lines = _lines(messages_exchange, workload)
    for number in (80, 40, 0):
        counted = count_tokens_exchange(workload.calls[number], workload.caller)
        lines.insert(number, _json_line(counted, "not_calls"))
    return LogFile("anthropic_messages/coding-agent.jsonl.gz", "anthropic_messages", lines)


def _assistant(workload: Workload) -> LogFile:
    """OpenAI Responses exchanges, one line cut short by a crash and a stack trace after it."""
    lines = _lines(responses_exchange, workload)
    lines[50:50] = [
        Line(lines[50].data[:900], "rejects"),
        Line(b"Traceback (most recent call last):", "rejects"),
    ]
    return LogFile("openai_responses/shopping-assistant.jsonl.gz", "openai_responses", lines)


def _openai_batches(workload: Workload) -> list[LogFile]:
    """The output files of two OpenAI batches."""
    made = Recorder("batch-names", "openai", "gpt-4o-mini")
    halves = workload.calls[:150], workload.calls[150:]
    return [
        LogFile(
            f"openai_batch/batch_{made.token(24, '0123456789abcdef')}_output.jsonl.gz",
            "openai_batch",
            _lines(openai_batch_line, workload, half),
        )
        for half in halves
    ]


def _anthropic_batch(workload: Workload) -> LogFile:
    """Anthropic batch results; four requests did not succeed and have no message and no usage."""
    refused = {"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}}
    failed = (
        {"type": "errored", "error": refused},
        {"type": "errored", "error": refused},
        {"type": "expired"},
        {"type": "canceled"},
    )
    lines = _lines(anthropic_batch_line, workload)
    for number, result in enumerate(failed):
        lines.append(_json_line({"custom_id": f"sheet-failed-{number}", "result": result}))
    return LogFile("anthropic_batch/sizes_results.jsonl.gz", "anthropic_batch", lines)


def _proxy_table(workload: Workload) -> LogFile:
    """A CSV whose columns already have llm-audit's own names."""
    rows = [csv_row(call, workload.caller) for call in workload.calls]
    lines = [Line(_csv_line(row)) for row in rows]
    return LogFile("proxy_csv/contract-review.csv.gz", "generic", lines, "csv")


def _csv_line(row: Json) -> bytes:
    buffer = io.StringIO()
    csv.DictWriter(buffer, CSV_COLUMNS, lineterminator="").writerow(row)
    return buffer.getvalue().encode()


# --- the truth -----------------------------------------------------------------------------------


def truth(workloads: list[Workload], files: list[LogFile]) -> Json:
    """What an auditor should find; written by what was generated, not by what was read."""
    per_file = {file.path: {"format": file.format, **file.counts()} for file in files}
    totals = Counter[str]()
    for file in files:
        totals.update(file.counts())
    return {
        "period": {"start": "2026-10-05", "end": "2026-10-18", "days": 14},
        "totals": dict(totals),
        "files": per_file,
        "workloads": {workload.name: _workload_truth(workload) for workload in workloads},
    }


def _workload_truth(workload: Workload) -> Json:
    """Label, counts and token sums of one workload; `select` tells how to find its calls.

    Token sums are those of answered calls, gateway cache hits included. The Anthropic batch's four
    unsuccessful requests are lines of its file, but not among these calls.
    """
    answered = [call for call in workload.calls if call.status == "ok"]
    statuses = Counter(call.status for call in workload.calls)
    if workload.source.startswith("litellm"):
        select = {"api_key_alias": workload.caller.alias}
    else:
        select = {"path_prefix": workload.source}
    return {
        "intended": workload.intended,
        "acceptable": [workload.intended, *workload.acceptable],
        "why": workload.why,
        "select": select,
        "model": workload.calls[0].request_model,
        "calls": len(workload.calls),
        "statuses": dict(sorted(statuses.items())),
        "gateway_cache_hits": sum(call.gateway_cache_hit for call in workload.calls),
        "input_tokens": sum(call.input_tokens for call in answered),
        "cache_read_input_tokens": sum(call.cached_tokens for call in answered),
        "cache_creation_input_tokens": sum(call.written_tokens for call in answered),
        "output_tokens": sum(call.output_tokens for call in answered),
    }


def readme(workloads: list[Workload], files: list[LogFile]) -> str:
    """The README of the folder, with the table of workloads."""
    counts = truth(workloads, files)["totals"]
    rows = "\n".join(
        f"| {w.name} | `{w.source}` | {w.calls[0].request_model} | {len(w.calls)} | {w.intended} "
        f"| {w.why} |"
        for w in workloads
    )
    return _README.format(rows=rows, files=len(files), **counts)


_README = """\
# Sample logs

Fourteen days (2026-10-05 to 2026-10-18, UTC) of an invented home and garden shop, Thistledown.
All names, texts and ids are made up; no line was ever sent to a model. The README's quick start,
`make demo` and the tests read this folder.

Made by `python tests/tools/make_sample_logs.py`, the same content every time; edit the generator,
not the logs. What it generated, file by file and workload by workload, stands in
`tests/golden/sample_logs_truth.json`.

{files} files, {lines} lines: {calls} calls, {rejects} broken lines, {duplicates} duplicates and
{not_calls} lines that are no model calls. Texts are shortened; token counts are those of the full
prompts, so that the money is worth looking at.

| folder | what it is |
|---|---|
| `litellm/` | LiteLLM StandardLoggingPayload, JSONL per day; 2026-10-13 has broken lines |
| `litellm_export/` | the same objects as one JSON array, overlapping one daily file |
| `litellm_objects/` | the same objects, one per file |
| `openai_chat/` | Chat Completions as `{{request, response}}`, and bare response bodies |
| `openai_responses/` | Responses API as `{{request, response}}`, with two broken lines |
| `openai_embeddings/` | embeddings as `{{request, response}}`, vectors cut short |
| `anthropic_messages/` | Messages as `{{request, response}}`, with free token counts between |
| `openai_batch/`, `anthropic_batch/` | results of batches: these calls are already at half price |
| `proxy_csv/` | a table whose columns have llm-audit's own names |

The label is what a careful person would say. It is not written anywhere in the logs.

| workload | where | model | calls | label | because |
|---|---|---|---|---|---|
{rows}
"""


# --- writing -------------------------------------------------------------------------------------


def write(out: Path, truth_file: Path) -> None:
    """Replace the logs below `out` and the truth file."""
    workloads, files = build()
    for old in sorted({Path(file.path).parts[0] for file in files}):
        shutil.rmtree(out / old, ignore_errors=True)
    for file in files:
        target = out / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.stored())
    (out / "README.md").write_text(readme(workloads, files), encoding="utf-8")
    truth_file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(truth(workloads, files), indent=1) + "\n"
    truth_file.write_text(text, encoding="utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Make the sample logs.")
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "sample_logs")
    golden = ROOT / "tests" / "golden" / "sample_logs_truth.json"
    parser.add_argument("truth", nargs="?", type=Path, default=golden)
    options = parser.parse_args()
    write(options.out, options.truth)


if __name__ == "__main__":
    main()
