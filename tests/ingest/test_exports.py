"""Exports of aggregated usage become `usage_buckets`, never calls; each record is accounted for."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_audit.cli import run
from llm_audit.formats import formats
from llm_audit.ingest import Options, ingest
from llm_audit.ingest.batch import Batch
from llm_audit.ingest.peek import peek
from llm_audit.sources.local import find
from tests.ingest.helpers import Audit, audit, chat, jsonl, line, message, write
from tests.support import shared

DAY = 86_400
START = 1_790_553_600  # 2026-09-28T00:00:00Z
SAMPLES = Path(__file__).parent / "golden" / "export_samples.txt"
MAIL = "jane.doe@example.com"


def bucket(*results: dict[str, Any], start: int = START, width: int = DAY) -> dict[str, Any]:
    return {
        "object": "bucket",
        "start_time": start,
        "end_time": start + width,
        "results": list(results),
    }


def page(*buckets: Any, more: str | None = None) -> dict[str, Any]:
    return {
        "object": "page",
        "data": list(buckets),
        "has_more": more is not None,
        "next_page": more,
    }


def completions(**fields: Any) -> dict[str, Any]:
    return {"object": "organization.usage.completions.result", **fields}


def cost(value: Any, **fields: Any) -> dict[str, Any]:
    amount = {"value": value, "currency": "usd"}
    return {"object": "organization.costs.result", "amount": amount, **fields}


def report(*results: dict[str, Any], more: bool = False, day: int = 1) -> dict[str, Any]:
    """A page of Anthropic's Admin API."""
    span = {
        "starting_at": f"2026-08-{day:02}T00:00:00Z",
        "ending_at": f"2026-08-{day + 1:02}T00:00:00Z",
    }
    return {"data": [{**span, "results": list(results)}], "has_more": more, "next_page": None}


def anthropic_usage(uncached: Any = 1500, **fields: Any) -> dict[str, Any]:
    return {
        "uncached_input_tokens": uncached,
        "cache_read_input_tokens": 200,
        "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1000},
        "output_tokens": 50,
        "server_tool_use": {"web_search_requests": 10},
        **fields,
    }


def table(*rows: str) -> bytes:
    return "".join(row + "\n" for row in rows).encode()


def kinds(book: Audit) -> dict[str, Decimal]:
    """Quantity per kind, over all buckets."""
    return dict(book.rows("SELECT token_kind, sum(quantity) FROM usage_buckets GROUP BY 1"))


def amounts(book: Audit) -> list[tuple[str | None, str, Decimal]]:
    return [
        (model, kind, Decimal(amount).normalize())
        for model, kind, amount in book.rows(
            "SELECT model, token_kind, amount_usd FROM usage_buckets ORDER BY source_line, rowid"
        )
    ]


def keys(book: Audit) -> list[dict[str, str]]:
    rows = book.rows("SELECT DISTINCT export_keys FROM usage_buckets ORDER BY 1")
    return [json.loads(text) for (text,) in rows]


def only(book: Audit, column: str) -> Any:
    [(value,)] = book.rows(f"SELECT DISTINCT {column} FROM usage_buckets")
    return value


# The samples in ../shared


@pytest.mark.parametrize(
    "folder",
    ["openai_usage_api", "openai_dashboard_csv", "anthropic_admin_api", "anthropic_console_csv"],
)
def test_sample_rows(folder: str) -> None:
    with audit() as book:
        summary = book.ingest(shared("logs", folder))
        assert (summary.calls, summary.rejects, summary.duplicates) == (0, 0, 0)
        assert summary.lines == summary.not_calls > 0
        rows = book.rows(
            r"""
            SELECT concat_ws(' | ', regexp_extract(source_file, '\w+/[^/]+$'), source_line,
              source_format, bucket_start, bucket_end, provider_name, COALESCE(model, '-'),
              COALESCE(service_tier, '-'), token_kind, COALESCE(CAST(quantity AS VARCHAR), '-'),
              COALESCE(CAST(amount_usd AS VARCHAR), '-'), COALESCE(api_key, '-'), export_keys)
            FROM usage_buckets WHERE NOT contains(source_file, 'real_claude') ORDER BY ALL
            """
        )
    golden = [row for row in SAMPLES.read_text().splitlines() if row.startswith(folder)]
    assert [row for (row,) in rows] == golden
    assert len(golden) >= 7


@pytest.mark.parametrize("month", ["03", "04", "05", "06"])
def test_real_costs_of_2024(month: str) -> None:
    """Row by row the same as Python's csv reads, by the five columns there were then."""
    path = shared("logs", "anthropic_console_csv", f"real_claude_api_cost_2024_{month}.csv")
    words = {"input_no_cache": "input", "output": "output"}
    with path.open(newline="") as file:
        expected = [
            (
                row["usage_date_utc"],
                row["model"],
                words[row["token_type"]],
                Decimal(row["cost_usd"]),
            )
            for row in csv.DictReader(file)
        ]
    with audit() as book:
        book.ingest(path)
        found = book.rows(
            "SELECT strftime(bucket_start, '%Y-%m-%d'), model, token_kind, amount_usd "
            "FROM usage_buckets ORDER BY source_line"
        )
        assert found == expected
        assert only(book, "service_tier") == "standard"


# Usage at OpenAI


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            {"input_tokens": 1000, "input_cached_tokens": 400, "output_tokens": 7},
            {"input": 600, "cached_input": 400, "output": 7},
            id="before uncached and written were told",
        ),
        pytest.param(
            {"input_tokens": 1000, "input_cached_tokens": 400, "input_cache_write_tokens": 100},
            {"input": 500, "cached_input": 400, "cache_write_5m": 100},
            id="written tokens",
        ),
        pytest.param(
            {"input_tokens": 1000, "input_uncached_tokens": 490, "input_cached_tokens": 400},
            {"input": 490, "cached_input": 400},
            id="uncached as told",
        ),
        pytest.param(
            {"input_tokens": 100, "input_text_tokens": 60, "input_audio_tokens": 30}
            | {"input_image_tokens": 10, "output_tokens": 9, "output_audio_tokens": 4}
            | {"output_text_tokens": 2, "output_image_tokens": 3},
            {"input": 60, "audio_input": 30, "image_input": 10, "output": 2}
            | {"audio_output": 4, "image_output": 3},
            id="modalities are parts",
        ),
        pytest.param(
            {"input_tokens": 100, "input_cached_tokens": 80, "input_audio_tokens": 90},
            {"audio_input": 20, "cached_input": 80},
            id="old audio counts include cached audio",
        ),
        pytest.param({"num_model_requests": 3, "input_tokens": 0}, {"requests": 3}, id="no zeros"),
        pytest.param(
            {"object": "organization.usage.web_searches.result", "num_requests": 2}
            | {"num_model_requests": 5},
            {"web_search": 2},
            id="completions counts the requests of web searches",
        ),
    ],
)
def test_openai_kinds(tmp_path: Path, fields: dict[str, Any], expected: dict[str, int]) -> None:
    with audit() as book:
        book.ingest(write(tmp_path / "a.json", line(page(bucket(completions() | fields)))))
        assert kinds(book) == expected


@pytest.mark.parametrize(
    ("batch", "tier", "expected"),
    [
        (True, None, "batch"),
        (True, "default", "batch"),
        (False, None, "standard"),
        (False, "default", "standard"),
        (False, "flex", "flex"),
        (None, "priority", "priority"),
        (None, "scale", None),
        (None, None, None),
    ],
)
def test_openai_tiers(
    tmp_path: Path, batch: bool | None, tier: str | None, expected: str | None
) -> None:
    result = completions(input_tokens=1, batch=batch, service_tier=tier)
    with audit() as book:
        book.ingest(write(tmp_path / "a.json", line(page(bucket(result)))))
        assert only(book, "service_tier") == expected
        assert keys(book)[0].get("service_tier") == ("scale" if tier == "scale" else None)


USAGE_HEADER = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,project_name,"
    "user_id,api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens,"
    "input_uncached_tokens"
)


def minute(key: str, tokens: str = "100", *, requests: str = "3.0") -> str:
    return (
        f"{START},{START + 60},,,proj_a,{requests},Ours,user-1,{key},gpt-5-nano,False,default,"
        f"{tokens},20,40,60"
    )


def test_openai_usage_csv(tmp_path: Path) -> None:
    """One row a minute and key; the API's pages of the same say the same, and are the same."""
    name = "completions_usage_2026-09-28_2026-09-29.csv"
    rows = table(USAGE_HEADER, minute("key_1"), minute("key_2"))
    dims = {"project_id": "proj_a", "user_id": "user-1", "model": "gpt-5-nano", "batch": False}
    result = completions(
        input_tokens=100, output_tokens=20, input_cached_tokens=40, input_uncached_tokens=60
    )
    result |= dims | {"num_model_requests": 3, "service_tier": "default", "api_key_id": "key_2"}
    with audit() as book:
        assert book.ingest(write(tmp_path / name, rows)).buckets == 8
        assert kinds(book) == {"input": 120, "cached_input": 80, "output": 40, "requests": 6}
        assert only(book, "epoch(bucket_end - bucket_start)") == 60
        assert book.rows("SELECT DISTINCT api_key FROM usage_buckets ORDER BY 1") == [
            ("key_1",),
            ("key_2",),
        ]
        again = book.ingest(write(tmp_path / "page.json", line(page(bucket(result, width=60)))))
        assert (again.duplicates, again.buckets) == (1, 0)


@pytest.mark.parametrize(
    ("name", "header", "row", "endpoint", "expected"),
    [
        ("embeddings_usage_a.csv", "input_tokens", "5000.0", "embeddings", {"input": 5000}),
        ("moderations_usage_a.csv", "input_tokens", "8", "moderations", {"input": 8}),
        ("renamed.csv", "input_tokens,output_tokens", "8,", "completions", {"input": 8}),
        ("renamed.csv", "images", "2", "images", {"images": 2}),
        ("renamed.csv", "characters", "9", "audio_speeches", {"characters": 9}),
        ("renamed.csv", "seconds", "1.5", "audio_transcriptions", {"seconds": Decimal("1.5")}),
        ("renamed.csv", "usage_bytes", "7", "vector_stores", {"vector_store_bytes": 7}),
        ("renamed.csv", "num_sessions", "1", "code_interpreter_sessions", {"code_interpreter": 1}),
        ("web_search_calls_usage_a.csv", "num_requests", "2", "web_searches", {"web_search": 2}),
        ("file_search_calls_usage_a.csv", "num_requests", "2", "file_searches", {"file_search": 2}),
    ],
)
def test_openai_usage_csv_of_other_endpoints(
    tmp_path: Path, name: str, header: str, row: str, endpoint: str, expected: dict[str, Any]
) -> None:
    times = "start_time,end_time,start_time_iso,end_time_iso"
    rows = table(f"{times},{header}", f"{START},{START + DAY},,,{row}")
    with audit() as book:
        book.ingest(write(tmp_path / name, rows))
        assert kinds(book) == expected
        assert keys(book) == [{"endpoint": endpoint}]


def test_ungrouped_exports_of_two_endpoints_are_two(tmp_path: Path) -> None:
    times = "start_time,end_time,start_time_iso,end_time_iso,input_tokens"
    rows = table(times, f"{START},{START + DAY},,,10")
    write(tmp_path / "embeddings_usage_a.csv", rows)
    write(tmp_path / "moderations_usage_a.csv", rows + b"\n")
    with audit() as book:
        assert book.ingest(tmp_path).duplicates == 0
        assert kinds(book) == {"input": 20}


@pytest.mark.parametrize("name", ["completions_usage_2025.csv", "no_ending"])
@pytest.mark.parametrize("rows", [0, 1])
def test_an_export_of_nothing_is_known(tmp_path: Path, name: str, rows: int) -> None:
    header = "start_time,end_time,start_time_iso,end_time_iso"
    empty = f"{START},{START + DAY},2026-09-28T00:00:00+00:00,2026-09-29T00:00:00+00:00"
    with audit() as book:
        summary = book.ingest(write(tmp_path / name, table(header, *[empty] * rows)))
        assert (summary.unknown, summary.skipped, summary.buckets) == ([], [], 0)
        assert (summary.files, summary.not_calls) == (1, rows)
        assert book.rows("SELECT format FROM ingested_files") == [("openai_usage",)]


def test_empty_pages_and_buckets_are_records_without_content(tmp_path: Path) -> None:
    write(tmp_path / "a.json", line(page(bucket(), bucket(completions(input_tokens=1)), bucket())))
    write(tmp_path / "b.json", line(page()))
    write(tmp_path / "c.json", line(report()))
    with audit() as book:
        summary = book.ingest(tmp_path)
        assert (summary.lines, summary.not_calls, summary.buckets) == (5, 5, 1)


def test_openai_legacy_json(tmp_path: Path) -> None:
    day = {
        "object": "list",
        "data": [
            {
                "aggregation_timestamp": START + 300,
                "n_requests": 2,
                "operation": "completion",
                "snapshot_id": "gpt-4-0613",
                "n_context": 2,
                "n_context_tokens_total": 90,
                "n_generated": 2,
                "n_generated_tokens_total": 10,
                "n_cached_context_tokens_total": 30,
                "email": MAIL,
            }
        ],
        "ft_data": [],
        "dalle_api_data": [
            {"timestamp": START, "num_images": 4, "num_requests": 1, "model_id": "dall-e-3"}
        ],
        "whisper_api_data": [{"timestamp": START, "num_seconds": 8, "model_id": "whisper-1"}],
        "tts_api_data": [{"timestamp": START, "num_characters": 5, "model_id": "tts-1"}],
        "current_usage_usd": 0.0,
    }
    with audit() as book:
        summary = book.ingest(write(tmp_path / "day.json", json.dumps(day, indent=1).encode()))
        assert (summary.lines, summary.not_calls) == (4, 4)
        assert kinds(book) == {
            "input": 60,
            "cached_input": 30,
            "output": 10,
            "requests": 3,
            "images": 4,
            "seconds": 8,
            "characters": 5,
        }
        widths = book.rows("SELECT DISTINCT epoch(bucket_end - bucket_start) FROM usage_buckets")
        assert widths == [(300,)]
        [(text,)] = book.rows("SELECT string_agg(CAST(b AS VARCHAR)) FROM usage_buckets AS b")
        assert MAIL not in text


# Costs at OpenAI


@pytest.mark.parametrize(
    ("line_item", "model", "kind", "tier"),
    [
        ("gpt-5-nano, input_tokens", "gpt-5-nano", "input", None),
        ("gpt-5-nano, cached_input_tokens", "gpt-5-nano", "cached_input", None),
        ("gpt-5-nano, output_tokens", "gpt-5-nano", "output", None),
        ("gpt-5-nano, batch_input_tokens", "gpt-5-nano", "input", "batch"),
        ("gpt-5.5-2026-04-23, cached input", "gpt-5.5-2026-04-23", "cached_input", None),
        ("gpt-5.6, cache write", "gpt-5.6", "cache_write_5m", None),
        ("batch | gpt-5-mini, output", "gpt-5-mini", "output", "batch"),
        ("priority | gpt-5.6-sol, output, long context", "gpt-5.6-sol", "output", "priority"),
        (
            "gpt-audio-mini-2025-12-15 audio, input",
            "gpt-audio-mini-2025-12-15",
            "audio_input",
            None,
        ),
        ("gpt-image-2 image, output", "gpt-image-2", "image_output", None),
        ("gpt-image-2 text, cached input", "gpt-image-2", "cached_input", None),
        ("ft:gpt-4o-2024-08-06:org::id, input", "ft:gpt-4o-2024-08-06:org::id", "input", None),
        ("gpt-4o", "gpt-4o", "cost", None),
        ("Image models", None, "cost", None),
        ("web search tool calls", None, "web_search", None),
        ("assistants api | file search", None, "file_search", None),
        ("Code Interpreter sessions", None, "code_interpreter", None),
        ("x, y, z", None, "cost", None),
        (None, None, "cost", None),
    ],
)
def test_openai_line_items(
    tmp_path: Path, line_item: str | None, model: str | None, kind: str, tier: str | None
) -> None:
    with audit() as book:
        result = cost(0.06, line_item=line_item)
        book.ingest(write(tmp_path / "a.json", line(page(bucket(result)))))
        assert book.rows("SELECT model, token_kind, service_tier FROM usage_buckets") == [
            (model, kind, tier)
        ]
        assert keys(book) == [{"line_item": line_item} if line_item else {}]


def test_openai_costs_stay_exact(tmp_path: Path) -> None:
    """As written: a JSON number with more digits than a double, an exponent, thousands."""
    text = line(page(bucket(cost(0), cost(0, line_item="b"), cost(0, line_item="c"))))
    for number in (b"0.1234567890123456789", b"1e-7", b"12345678901.123456789012"):
        text = text.replace(b'"value": 0,', b'"value": %s,' % number, 1)
    with audit() as book:
        book.ingest(write(tmp_path / "a.json", text))
        assert [amount for _, _, amount in amounts(book)] == [
            Decimal("0.123456789012"),
            Decimal("1e-7"),
            Decimal("12345678901.123456789012"),
        ]


def test_thousands_of_tokens(tmp_path: Path) -> None:
    result = cost(1, line_item="gpt-5, input", quantity=3.5, quantity_unit="1000_tokens")
    with audit() as book:
        book.ingest(write(tmp_path / "a.json", line(page(bucket(result)))))
        assert kinds(book) == {"input": 3500}


# Both at Anthropic


def test_anthropic_cents(tmp_path: Path) -> None:
    results: list[dict[str, Any]] = [
        {
            "amount": "123.45",
            "currency": "USD",
            "cost_type": "tokens",
            "token_type": "output_tokens",
        },
        {"amount": "0.01", "currency": "USD", "cost_type": "web_search", "model": None},
        {"amount": "7", "currency": "USD", "cost_type": "code_execution"},
        {"amount": "8", "currency": "USD", "cost_type": "session_usage"},
        {"amount": "99", "currency": "USD"},
    ]
    write_type = "cache_creation.ephemeral_1h_input_tokens"
    results.append({"amount": "1", "currency": "USD", "token_type": write_type})
    with audit() as book:
        book.ingest(write(tmp_path / "a.json", line(report(*results))))
        assert amounts(book) == [
            (None, "output", Decimal("1.2345")),
            (None, "web_search", Decimal("0.0001")),
            (None, "code_execution", Decimal("0.07")),
            (None, "session", Decimal("0.08")),
            (None, "cost", Decimal("0.99")),
            (None, "cache_write_1h", Decimal("0.01")),
        ]


@pytest.mark.parametrize(
    ("tier", "expected"),
    [("standard", "standard"), ("batch", "batch"), ("priority", "priority"), (None, None)],
)
def test_anthropic_usage(tmp_path: Path, tier: str | None, expected: str | None) -> None:
    dims = {"context_window": "0-200k", "inference_geo": "us", "speed": "fast"}
    dims |= {"workspace_id": "wrkspc_1"}
    result = anthropic_usage(api_key_id="apikey_1", service_tier=tier, **dims)
    with audit() as book:
        book.ingest(write(tmp_path / "a.json", line(report(result))))
        assert kinds(book) == {
            "input": 1500,
            "cached_input": 200,
            "cache_write_5m": 500,
            "cache_write_1h": 1000,
            "output": 50,
            "web_search": 10,
        }
        assert (only(book, "service_tier"), only(book, "api_key")) == (expected, "apikey_1")
        assert keys(book) == [dims]


COST_LAYOUTS = {
    "2024-03": "usage_date_utc,model,api_key,usage_type,token_type,cost_usd",
    "2024-09": "usage_date_utc,model,workspace,api_key,usage_type,token_type,cost_usd",
    "2025": "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,"
    "cost_type",
    "2026": "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,"
    "list_price_usd,cost_type,inference_geo,speed",
    "2026-08": "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,"
    "cost_usd,list_price_usd,cost_type,inference_geo,speed,api_key_id,api_key_status",
}
CELLS = {
    "usage_date_utc": "2026-08-04",
    "model": "Claude Haiku 4.5",
    "workspace": "Default",
    "api_key": "our key",
    "usage_type": "message",
    "context_window": "≤ 200k",
    "token_type": "input_cache_read",
    "cost_usd": "0.10",
    "list_price_usd": "1.00",
    "cost_type": "token",
    "inference_geo": "us",
    "speed": "fast",
    "api_key_id": "apikey_1",
    "api_key_status": "active",
}


def cost_row(layout: str, **changes: str) -> str:
    return ",".join((CELLS | changes)[name] for name in COST_LAYOUTS[layout].split(","))


@pytest.mark.parametrize("layout", COST_LAYOUTS)
def test_console_cost_layouts(tmp_path: Path, layout: str) -> None:
    rows = table(
        COST_LAYOUTS[layout],
        cost_row(layout),
        cost_row(layout, usage_type="message_batch", token_type="output"),
        cost_row(layout, token_type="", cost_type="web_search", cost_usd="0.00"),
    )
    with audit() as book:
        book.ingest(write(tmp_path / "claude_api_cost.csv", rows))
        found = book.rows(
            "SELECT model, service_tier, token_kind, amount_usd, quantity, api_key "
            "FROM usage_buckets ORDER BY source_line"
        )
        fee = "web_search" if "cost_type" in COST_LAYOUTS[layout] else "cost"
        common = ("Claude Haiku 4.5",)
        assert found == [
            (*common, "standard", "cached_input", Decimal("0.10"), None, "our key"),
            (*common, "batch", "output", Decimal("0.10"), None, "our key"),
            (*common, "standard", fee, Decimal(0), None, "our key"),
        ]
        names = {"workspace", "context_window", "inference_geo", "speed", "api_key_id"}
        expected = {name: CELLS[name] for name in names if name in COST_LAYOUTS[layout].split(",")}
        for key in keys(book):
            assert {name: key.get(name) for name in expected} == expected
            assert not {"api_key_status", "list_price_usd", "other"} & set(key)


TOKENS_2025 = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,"
    "usage_input_tokens_cache_read,usage_output_tokens,web_search_count"
)
TOKENS_2026 = TOKENS_2025.replace("usage_type,", "usage_type,context_window,") + (
    ",inference_geo,speed"
)


@pytest.mark.parametrize(
    ("name", "stamp", "seconds"),
    [
        ("claude_api_tokens_2026_07.csv", "2026-07-03", DAY),
        ("claude_api_tokens_2026_07_03.csv", "2026-07-03 05:00", 3600),
        ("claude_api_tokens_2026_07_03_05h_UTC.csv", "2026-07-03 05:00", 60),
        ("renamed.csv", "2026-07-03 05:07", 60),
    ],
)
def test_console_token_widths(tmp_path: Path, name: str, stamp: str, seconds: int) -> None:
    rows = table(TOKENS_2026, f"{stamp},claude-opus-4-8,k,Default,batch,≤ 200k,1,2,3,4,5,6,global,")
    with audit() as book:
        book.ingest(write(tmp_path / name, rows))
        assert only(book, "epoch(bucket_end - bucket_start)") == seconds
        assert only(book, "service_tier") == "batch"
        assert kinds(book) == {
            "input": 1,
            "cache_write_5m": 2,
            "cache_write_1h": 3,
            "cached_input": 4,
            "output": 5,
            "web_search": 6,
        }
        assert keys(book) == [
            {"context_window": "≤ 200k", "inference_geo": "global", "workspace": "Default"}
        ]


def test_console_tokens_of_2025_and_ragged_rows(tmp_path: Path) -> None:
    """A row may end before the last dimensions, never before a number."""
    old = table(TOKENS_2025, "2025-06-12,claude-3-5-haiku-20241022,k,Default,standard,8,0,0,0,1,0")
    new = table(
        TOKENS_2026,
        "2026-07-03,m,k,Default,standard,≤ 200k,1,0,0,0,0,0,global",
        "2026-07-04,m,k,Default,standard,≤ 200k,10,0,0,0,0,0",
        "2026-07-05,m,k,Default,standard,≤ 200k,100,0,0",
        "2026-07-06,m,k,Default,standard,≤ 200k,1000,0,0,0,0,0,global,fast,extra",
    )
    with audit() as book:
        book.ingest(write(tmp_path / "old.csv", old))
        assert kinds(book) == {"input": 8, "output": 1}
        summary = book.ingest(write(tmp_path / "new.csv", new))
        assert (summary.not_calls, summary.rejects) == (2, 2)
        assert kinds(book) == {"input": 19, "output": 1}
        assert book.rejects() == [
            (4, "9 fields where the header has 14"),
            (5, "15 fields where the header has 14"),
        ]


# What cannot be right


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (page(bucket(completions(input_tokens=-5))), "input_tokens is no quantity: -5 (data[0]"),
        (page(bucket(completions(input_tokens="many"))), "is no quantity: a text of 4 characters"),
        (page(bucket(completions(output_tokens=float("nan")))), "output_tokens is no quantity"),
        (page(bucket(completions(num_model_requests=1e30))), "num_model_requests is no quantity"),
        (page(bucket(completions(input_tokens=MAIL))), "a text of 20 characters"),
        (
            page(bucket(completions(input_tokens=1, input_cached_tokens=2))),
            "more cached and written than input tokens",
        ),
        (
            page(bucket(completions(output_tokens=1, output_audio_tokens=2))),
            "more audio and image tokens than output tokens",
        ),
        (
            page(bucket({"object": "organization.usage.dreams.result", "dreams": 2})),
            "holds nothing that is known to be a quantity",
        ),
        (
            page(bucket({"object": "organization.usage.dreams.result", "num_requests": 2})),
            "unknown endpoint",
        ),
        (page(bucket(completions(input_tokens=1), start=0)), "its time is missing or no time"),
        (page(bucket(completions(input_tokens=1), width=0)), "it ends before it starts"),
        (page(bucket(completions(input_tokens=1)) | {"end_time": None}), "its time is missing"),
        (page(bucket() | {"results": ["x"]}), "looks like openai_usage"),
        (page(bucket() | {"results": {"a": 1}}), "looks like openai_usage"),
        (page(bucket(cost("free"))), "amount is no amount: a text of 4 characters"),
        (page(bucket(cost("--1"))), "amount is no amount: --1"),
        (page(bucket(cost(1) | {"amount": {"value": 1, "currency": "eur"}})), "not in US dollars"),
        (page(bucket(cost(1) | {"amount": [1]})), "amount is no object"),
        (report(anthropic_usage(cache_creation=7)), "cache_creation is no object"),
        (report(anthropic_usage(server_tool_use="7")), "server_tool_use is no object"),
        (report(anthropic_usage("1,5")), "uncached_input_tokens is no quantity: 1,5"),
        (report(anthropic_usage(output_tokens=-1)), "output_tokens is no quantity: -1"),
        (report({"amount": "1.5.", "currency": "USD"}), "amount is no amount: 1.5."),
    ],
)
def test_rejects(tmp_path: Path, content: dict[str, Any], reason: str) -> None:
    """One result is rejected with its place; its neighbours are booked all the same."""
    with audit() as book:
        summary = book.ingest(write(tmp_path / "a.json", line(content)))
        assert (summary.lines, summary.rejects, summary.buckets) == (1, 1, 0)
        [(number, found)] = book.rejects()
        assert number == 1
        assert reason in found
        assert "(data[0].results" in found
        [(text,)] = book.rows("SELECT string_agg(CAST(r AS VARCHAR)) FROM rejects AS r")
        assert MAIL not in text


def test_a_reject_has_its_line(tmp_path: Path) -> None:
    bad = minute("key_2", "12x")
    rows = table(USAGE_HEADER, minute("key_1"), "", bad, minute("key_3"), "," * 15)
    pages = jsonl(
        page(bucket(completions(input_tokens=1), completions(input_tokens=-1, model="m"))),
        b"{broken",
        page(bucket(completions(input_tokens=2), start=START + DAY)),
    )
    with audit() as book:
        summary = book.ingest(write(tmp_path / "a.csv", rows))
        assert (summary.not_calls, summary.rejects) == (2, 2)
        assert [number for number, _ in book.rejects()] == [4, 6]
        summary = book.ingest(write(tmp_path / "b.jsonl", pages))
        assert (summary.lines, summary.not_calls, summary.rejects) == (4, 2, 2)
        assert [number for number, _ in book.rejects()] == [1, 2, 4, 6]
        assert book.rows(
            "SELECT source_line FROM usage_buckets WHERE source_file LIKE '%.jsonl' ORDER BY 1"
        ) == [(1,), (3,)]


# The same record again


def days(*tokens: int, first: int = 0, **fields: Any) -> dict[str, Any]:
    return page(
        *[
            bucket(completions(input_tokens=n, model="m", **fields), start=START + DAY * number)
            for number, n in enumerate(tokens, start=first)
        ]
    )


def test_overlapping_pages(tmp_path: Path) -> None:
    one, two = days(1, 2, 3), days(3, 4, first=2)
    with audit() as book:
        summary = book.ingest(write(tmp_path / "a.jsonl", jsonl(one, two)))
        assert (summary.lines, summary.not_calls, summary.duplicates) == (5, 4, 1)
        assert kinds(book) == {"input": 10}
        again = book.ingest(write(tmp_path / "again.json", line([two, one])))
        assert (again.lines, again.duplicates, again.buckets) == (5, 5, 0)
        assert kinds(book) == {"input": 10}


@pytest.mark.parametrize("names", [("a.json", "b.json"), ("b.json", "a.json"), ("a.json",) * 2])
def test_the_larger_of_two_stays(tmp_path: Path, names: tuple[str, str]) -> None:
    """Whichever is read first, and under whatever name."""
    early, late = line(days(1, 2)), line(days(1, 5, 7))
    with audit() as book:
        first = book.ingest(write(tmp_path / names[0], early))
        second = book.ingest(write(tmp_path / names[1], late))
        assert (first.not_calls, second.not_calls, second.duplicates) == (2, 2, 1)
        assert kinds(book) == {"input": 13}
        totals = "SELECT sum(lines), sum(not_calls), sum(duplicates) FROM ingested_files"
        assert book.rows(totals) == [(5, 3, 2)]
    with audit() as book:
        book.ingest(write(tmp_path / "z.json", late))
        book.ingest(write(tmp_path / "y.json", early))
        assert kinds(book) == {"input": 13}
        assert book.rows(totals) == [(5, 3, 2)]


def test_a_file_that_is_written_over_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "month.json"
    with audit() as book:
        for tokens in ([1], [2, 1], [3, 3, 1], [3, 4, 4], [9, 9, 9, 9]):
            book.ingest(write(path, line(days(*tokens))))
            assert kinds(book) == {"input": sum(tokens)}
            live = book.rows("SELECT count(DISTINCT bucket_start) FROM usage_buckets")
            assert book.rows("SELECT sum(not_calls)::BIGINT FROM ingested_files") == live


def test_a_longer_period_and_a_copy(tmp_path: Path) -> None:
    header, rows = COST_LAYOUTS["2026"], []
    for day in range(1, 5):
        rows.append(cost_row("2026", usage_date_utc=f"2026-08-0{day}", cost_usd=f"0.0{day}"))
    short, long = table(header, *rows[:2]), table(header, *rows)
    with audit() as book:
        book.ingest(write(tmp_path / "short.csv", short))
        summary = book.ingest(write(tmp_path / "long.csv", long))
        assert (summary.not_calls, summary.duplicates) == (2, 2)
        copy = book.ingest(write(tmp_path / "copy.csv", long))
        assert (copy.lines, copy.duplicates) == (4, 4)
        assert book.ingest(tmp_path).unchanged == 3
        expected = [Decimal(f"0.0{day}") for day in range(1, 5)]
        assert sorted(amount for _, _, amount in amounts(book)) == expected


def test_what_differs_in_any_dimension_is_not_the_same(tmp_path: Path) -> None:
    """Also in users, whose names are not kept, and in a dimension that is new to us."""
    results = [
        completions(input_tokens=1),
        completions(input_tokens=1, user_id="user-a"),
        completions(input_tokens=1, user_id="user-b"),
        completions(input_tokens=1, region="eu"),
        completions(input_tokens=1, region="us"),
        completions(input_tokens=1, batch=True),
        completions(input_tokens=1, api_key_id="sk-proj-aaaaaaaaaaaa"),
        completions(input_tokens=1, api_key_id="sk-proj-bbbbbbbbbbbb"),
        completions(input_tokens=1, new_count=7, new_list=[]),
    ]
    with audit() as book:
        summary = book.ingest(write(tmp_path / "a.json", line(page(bucket(*results)))))
        # The last one is the first one again (a new number makes it no other record), in the same
        # page: the vendor tells them apart, and we add them up.
        assert (summary.not_calls, summary.duplicates) == (9, 0)
        assert kinds(book) == {"input": 9}
        assert book.rows("SELECT count(DISTINCT record_id) FROM usage_buckets") == [(8,)]


def test_two_keys_of_one_name_are_added_up(tmp_path: Path) -> None:
    """In one file; the file again, or a longer one, repeats the sum, and its larger one stays."""
    one, two, more = (f"2026-07-01,m,key,w,standard,{n},0,0,0,0,0" for n in (5, 5, 90))
    with audit() as book:
        first = book.ingest(write(tmp_path / "a.csv", table(TOKENS_2025, one, two)))
        assert (first.not_calls, first.duplicates) == (2, 0)
        assert kinds(book) == {"input": 10}
        again = book.ingest(write(tmp_path / "b.csv", table(TOKENS_2025, one, two, "")))
        assert (again.not_calls, again.duplicates) == (0, 2)
        assert kinds(book) == {"input": 10}
        later = book.ingest(write(tmp_path / "c.csv", table(TOKENS_2025, one, more)))
        assert later.not_calls == 2
        assert kinds(book) == {"input": 95}
        totals = "SELECT sum(lines), sum(not_calls), sum(duplicates) FROM ingested_files"
        assert book.rows(totals) == [(6, 2, 4)]
        copies = "SELECT regexp_extract(source_file, '.\\.csv') FROM export_copies ORDER BY 1"
        assert book.rows(copies) == [("a.csv",), ("b.csv",)]


def test_a_credit_is_an_amount(tmp_path: Path) -> None:
    pages = [
        page(bucket(cost(-5, line_item="credit"))),
        report({"amount": "-12", "currency": "USD"}),
    ]
    with audit() as book:
        summary = book.ingest(write(tmp_path / "a.json", json.dumps(pages).encode()))
        assert (summary.rejects, summary.buckets) == (0, 2)
        assert {amount for _, _, amount in amounts(book)} == {Decimal(-5), Decimal("-0.12")}


def test_empty_buckets_are_kept_where_the_page_says_of_what_they_are(tmp_path: Path) -> None:
    full = completions(input_tokens=1, model="m")
    write(tmp_path / "a.json", line(page(bucket(), bucket(full, start=START + DAY))))
    write(tmp_path / "b.json", line(page(bucket(start=START + 2 * DAY))))
    with audit() as book:
        assert book.ingest(tmp_path).not_calls == 3
        assert book.rows(
            "SELECT bucket_start, quantity, amount_usd, export_keys->>'endpoint' "
            "FROM usage_buckets WHERE token_kind = 'nothing'"
        ) == [(datetime(2026, 9, 28), 0, None, "completions")]


def test_what_is_wrong_with_a_file_is_kept(tmp_path: Path) -> None:
    bad = completions(input_tokens=-1)
    write(tmp_path / "a.json", line(days(1) | {"has_more": True, "next_page": "AA"}))
    write(tmp_path / "b.jsonl", jsonl(page(bucket(bad, bad)), b"{broken"))
    with audit() as book:
        book.ingest(tmp_path)
        assert book.rows(
            "SELECT regexp_extract(path, '.\\.json'), provider_name, rejects, endpoint, has_more "
            "FROM export_files WHERE rejects > 0 OR has_more ORDER BY 1"
        ) == [
            ("a.json", "openai", 0, "organization.usage.completions.result", True),
            ("b.json", "openai", 3, None, None),
        ]


# Pages that stop


@pytest.mark.parametrize("names", [("1.json", "2.json"), ("2.json", "1.json")])
def test_the_last_page_must_be_the_last(tmp_path: Path, names: tuple[str, str]) -> None:
    write(tmp_path / "cut" / names[0], line(days(1, 2) | {"has_more": True, "next_page": "AAA"}))
    with audit() as book:
        [warning] = book.ingest(tmp_path / "cut").warnings
        assert f"{names[0]}: the export stops at page AAA" in warning
        write(tmp_path / "cut" / names[1], line(days(3, first=2)))
    with audit() as book:
        assert book.ingest(tmp_path / "cut").warnings == []
        book.ingest(write(tmp_path / "b.json", line(report(anthropic_usage(), more=True))))
    with audit() as book:
        assert len(book.ingest(tmp_path).warnings) == 1


# Privacy and hostile text

SECRETS = (MAIL, "Jane Doe", "sk-proj-abcdefghijkl", "sk-ant-admin01-xyz", "jane.doe")


def test_no_names_no_addresses_no_keys(tmp_path: Path) -> None:
    header = (
        "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,"
        "user_id,user_name,user_email,api_key_id,api_key_redacted,organization_name,api_source"
    )
    row = (
        f'{START},{START + DAY},,,1.5,usd,"gpt-5, input",{MAIL},Jane Doe,{MAIL},'
        f"sk-proj-abcdefghijkl,sk-proj-abcdefghijkl,Jane Doe,{MAIL}"
    )
    bad = row.replace("1.5,usd", f"{MAIL},usd")
    write(tmp_path / "cost.csv", table(header, row, bad))
    tokens = "2026-07-03,sk-ant-admin01-xyz,claude_code_key_jane.doe_abcd,w,standard,8,0,0,0,1,0"
    write(tmp_path / "tokens.csv", table(TOKENS_2025, tokens, f"{MAIL},{tokens}"))
    activity = (
        "organization_name,n_context_tokens_total,n_generated_tokens_total,timestamp,user,model"
    )
    write(tmp_path / "old.csv", table(activity, f"Jane Doe,5,6,{START},Jane Doe,gpt-4o"))
    unknown = completions(input_tokens=1, user_name="Jane Doe", boss="Jane Doe", project_id=MAIL)
    write(tmp_path / "page.json", line(page(bucket(unknown))))
    with audit() as book:
        summary = book.ingest(tmp_path)
        assert (summary.not_calls, summary.rejects) == (4, 2)
        for name in ("usage_buckets", "rejects"):
            text = str(book.rows(f"SELECT CAST(t AS VARCHAR) FROM {name} AS t"))
            assert [secret for secret in SECRETS if secret in text] == []
        assert book.rows("SELECT DISTINCT model FROM usage_buckets WHERE api_key LIKE 'claude%'")


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|'/c calc'!A1",
        "'; DROP TABLE usage_buckets; --",
        "\x1b[2J\u202e",
        "a\nb",
        '"',
        "{}",
        "∞",
    ],
)
def test_hostile_text_is_text(tmp_path: Path, text: str) -> None:
    cell = text.replace('"', '""')
    row = f'2026-07-03,"{cell}",k,"{cell}",standard,8,0,0,0,1,0'
    write(tmp_path / "a.csv", table(TOKENS_2025, row))
    dims = {"model": text, "project_id": text, text: text}
    write(tmp_path / "b.json", line(page(bucket(completions(input_tokens=1, **dims)))))
    write(tmp_path / "c.json", line(page(bucket(completions(input_tokens=1, model="\ud800")))))
    with audit() as book:
        summary = book.ingest(tmp_path)
        assert (summary.not_calls, summary.rejects) == (3, 0)
        stored = {row[0] for row in book.rows("SELECT model FROM usage_buckets")}
        assert stored == {text, "?"}
        assert {key.get("workspace", key.get("project_id")) for key in keys(book)} == {text, None}


# Together with logs


def test_logs_and_exports_in_one_folder(tmp_path: Path) -> None:
    """Also lines of both in one file, pages over several lines, arrays of pages, packed ones."""
    calls = [chat(number) for number in range(1, 9)]
    write(tmp_path / "log.jsonl", jsonl(*calls, days(1, 2), message(1), b"{", days(-3, first=2)))
    write(tmp_path / "export.jsonl", jsonl(days(10, first=10), days(20, first=11), chat(99)))
    write(tmp_path / "array.json", json.dumps([days(40, first=20)], indent=2).encode())
    # Its last bucket stands on a line of its own, like a record of a log.
    buckets = b",\n".join(line(bucket(completions(input_tokens=n), start=START)) for n in (1, 80))
    text = b'{"object": "page", "data": [\n' + buckets + b'\n],\n"has_more": false}'
    write(tmp_path / "broken_up.json", text)
    write(tmp_path / "packed.json.gz", gzip.compress(line(days(160, first=30))))
    write(tmp_path / "buckets.jsonl", jsonl(*days(320, 640, first=40)["data"]))
    with audit() as book:
        summary = book.ingest(tmp_path)
        assert (summary.calls, summary.rejects, summary.duplicates) == (10, 2, 0)
        assert kinds(book) == {"input": 1 + 2 + 10 + 20 + 40 + 1 + 80 + 160 + 320 + 640}
        assert book.rows("SELECT count(*) FROM calls WHERE source_format LIKE '%usage%'") == [(0,)]
        mixed = book.rows("SELECT format FROM ingested_files WHERE path LIKE '%/log.jsonl'")
        assert mixed == [("anthropic_messages,openai_chat,openai_usage",)]


def test_a_mixed_file_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    first = jsonl(chat(1), chat(2), days(1, -2))
    with audit() as book:
        book.ingest(write(path, first[:-1]))
        summary = book.ingest(write(path, first + jsonl(chat(3), days(4, first=2))))
        assert summary.calls == 1
        assert kinds(book) == {"input": 5}
        assert len(book.ids()) == 3
        assert len(book.rejects()) == 1


def test_a_named_format(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", jsonl(chat(1), days(1), b"[]", b"7"))
    with audit() as book:
        summary = book.ingest(path, options=Options(format_name="openai_usage"))
        assert (summary.calls, summary.not_calls, summary.rejects) == (0, 1, 3)
    with audit() as book:
        summary = book.ingest(path, options=Options(format_name="openai_chat"))
        assert (summary.calls, summary.rejects, summary.buckets) == (1, 3, 0)


def test_a_failure_while_booking_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    with audit() as book:
        book.ingest(write(path, line(days(1, 2))))
        before = [book.rows(f"FROM {name}") for name in ("usage_buckets", "ingested_files")]
        write(path, line(days(1, 3, 4, -1)))
        with monkeypatch.context() as patch:
            patch.setattr(Batch, "_write", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                ingest(book.connection, find([str(path)]))
        after = [book.rows(f"FROM {name}") for name in ("usage_buckets", "ingested_files")]
        assert after == before
        assert book.rejects() == []
        assert book.ingest(path).rejects == 1
        assert kinds(book) == {"input": 8}


def _interrupt(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_peek_shows_exports(tmp_path: Path) -> None:
    path = write(tmp_path / "completions_usage_a.csv", table(USAGE_HEADER, minute("key_1")))
    [found] = peek(find([str(path)]), Options())
    assert found.formats == ["openai_usage"]
    assert [(row["token_kind"], row["quantity"]) for row in found.rows] == [
        ("input", 60),
        ("cached_input", 40),
        ("output", 20),
        ("requests", 3),
    ]


def test_the_command_says_what_it_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "logs" / "log.jsonl", jsonl(chat(1)))
    cut = days(1, 2) | {"has_more": True, "next_page": "\x1b[31mAAA"}
    write(tmp_path / "logs" / "page.json", line(cut))
    assert run(["ingest", str(tmp_path / "logs"), "--db", str(tmp_path / "a.duckdb")]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(
        "3 lines in 2 files = 1 call + 0 rejects + 0 duplicates + 2 lines without a call; "
        "2 usage buckets "
    )
    assert "page.json: the export stops at page AAA: it says that more follow" in err
    assert "\x1b" not in err


OWN = """\
-- format: house_bill
-- title: Our own bill
-- yields: usage_buckets
-- records: lines[]
-- detect: bill_of, lines
-- tokens: units are tokens
-- columns:
--   bill_of: VARCHAR
--   units: VARCHAR
--   other_dimensions: VARCHAR
SELECT
  units IS NOT NULL AS recognised,
  bad_quantity('units', units) AS reject_reason,
  to_time(bill_of) AS bucket_start,
  to_time(bill_of) + INTERVAL 1 DAY AS bucket_end,
  'house' AS provider_name,
  CAST(NULL AS VARCHAR) AS model,
  CAST(NULL AS VARCHAR) AS service_tier,
  CAST(NULL AS VARCHAR) AS api_key,
  MAP {'other': other_dimensions} AS export_keys,
  [measured('output', to_quantity(units))] AS quantities
FROM raw
"""


def test_a_private_export_is_a_file(tmp_path: Path) -> None:
    write(tmp_path / "formats" / "house_bill.sql", OWN.encode())
    bill = {
        "bill_of": "2026-09-01",
        "lines": [{"units": 3}, {"units": "x"}, {"units": 4, "a": "b"}],
    }
    path = write(tmp_path / "bill.json", line(bill))
    with audit() as book:
        summary = book.ingest(path, options=Options(formats_folder=tmp_path / "formats"))
        assert (summary.not_calls, summary.rejects) == (2, 1)
        assert kinds(book) == {"output": 7}


@pytest.mark.parametrize("name", [n for n, found in formats().items() if found.is_export])
def test_every_export_keeps_what_it_does_not_know_apart(name: str) -> None:
    found = formats()[name]
    assert "other_dimensions" in found.columns
    assert "'other': other_dimensions" in found.select
    assert found.may_lack <= set(found.columns)


# Nothing is lost

counts = st.integers(0, 10**12)


@st.composite
def completion_results(draw: st.DrawFn) -> dict[str, Any]:
    """A consistent result in one of the generations, as the vendor's definitions have it."""
    uncached, cached, written, output = (draw(counts) for _ in range(4))
    result = completions(
        input_tokens=uncached + cached + written,
        input_cached_tokens=cached,
        output_tokens=output,
        num_model_requests=draw(counts),
        model=draw(st.sampled_from(["a", "b", None])),
        batch=draw(st.sampled_from([True, False, None])),
        api_key_id=draw(st.sampled_from(["key_1", None])),
    )
    if written or draw(st.booleans()):
        result["input_cache_write_tokens"] = written
    if draw(st.booleans()):
        result["input_uncached_tokens"] = uncached
    if draw(st.booleans()):
        result["input_audio_tokens"] = draw(st.integers(0, uncached))
        result["input_image_tokens"] = uncached - result["input_audio_tokens"]
        result["output_audio_tokens"] = draw(st.integers(0, output))
    return result


INPUT = ("input", "cached_input", "cache_write_5m", "audio_input", "image_input")
OUTPUT = ("output", "audio_output", "image_output")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    results=st.lists(st.lists(completion_results(), max_size=4), min_size=1, max_size=6),
    as_lines=st.booleans(),
)
def test_sums_in_are_sums_out(
    tmp_path_factory: pytest.TempPathFactory, results: list[list[dict[str, Any]]], *, as_lines: bool
) -> None:
    """Σ over pages = Σ over buckets, where every result is a record of its own."""
    pages = []
    for number, few in enumerate(results):
        named = [result | {"project_id": f"p{at}"} for at, result in enumerate(few)]
        pages.append(page(bucket(*named, start=START + number * DAY)))
    content = jsonl(*pages) if as_lines else json.dumps(pages, indent=1).encode()
    path = write(tmp_path_factory.mktemp("exports") / "a.json", content)
    with audit() as book:
        summary = book.ingest(path)
        assert summary.lines == summary.not_calls == sum(max(1, len(few)) for few in results)
        found = kinds(book)
        every = [result for few in results for result in few]
        assert sum(found.get(kind, 0) for kind in INPUT) == sum(r["input_tokens"] for r in every)
        assert sum(found.get(kind, 0) for kind in OUTPUT) == sum(r["output_tokens"] for r in every)
        assert found.get("requests", 0) == sum(r["num_model_requests"] for r in every)
        assert found.get("cached_input", 0) == sum(r["input_cached_tokens"] for r in every)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 28),
            st.sampled_from(["standard", "batch", "priority"]),
            st.sampled_from(["key a", "key b"]),
            st.lists(counts, min_size=6, max_size=6),
        ),
        unique_by=lambda row: row[:3],
        max_size=30,
    ),
    st.integers(0, 30),
)
def test_console_sums_and_overlaps(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, str, str, list[int]]],
    cut: int,
) -> None:
    """Two downloads that overlap count once; every row is a record or a duplicate."""
    lines = [
        f"2026-07-{day:02},m,{key},w,{tier},{','.join(map(str, numbers))}"
        for day, tier, key, numbers in rows
    ]
    folder = tmp_path_factory.mktemp("exports")
    write(folder / "a.csv", table(TOKENS_2025, *lines[:cut]))
    write(folder / "b.csv", table(TOKENS_2025, *lines[cut // 2 :]))
    with audit() as book:
        book.ingest(folder)
        order = (
            "input",
            "cache_write_5m",
            "cache_write_1h",
            "cached_input",
            "output",
            "web_search",
        )
        sums = [sum(numbers[at] for *_, numbers in rows) for at in range(6)]
        found = kinds(book)
        assert [found.get(kind, 0) for kind in order] == sums
        assert book.rows("SELECT count(*) FROM calls") == [(0,)]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)


@st.composite
def spoilt_page(draw: st.DrawFn) -> Any:
    """A good page, in one place of which something else stands."""
    good = [
        page(bucket(completions(input_tokens=1, output_tokens=2)), bucket()),
        page(bucket(cost(0.5, line_item="gpt-5, input", quantity=1)), more="AAA"),
        report(anthropic_usage()),
        report({"amount": "1", "currency": "USD"}),
        {"object": "list", "data": [{"aggregation_timestamp": START, "n_context_tokens_total": 1}]},
    ]
    whole = {"page": draw(st.sampled_from(good))}
    holder: Any = whole
    while True:
        at = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        if not (isinstance(holder[at], dict | list) and holder[at]) or draw(st.integers(0, 9)) == 0:
            holder[at] = draw(anything)
            return whole["page"]
        holder = holder[at]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pages=st.lists(spoilt_page(), min_size=1, max_size=4),
    as_lines=st.booleans(),
    name=st.sampled_from([None, *(n for n, found in formats().items() if found.is_export)]),
)
def test_spoilt_pages_are_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, pages: list[Any], *, as_lines: bool, name: str | None
) -> None:
    """Whatever stands in a page, ingest ends, and every record is a reject or in the books."""
    folder = tmp_path_factory.mktemp("exports")
    pages = [days(1), *pages]
    write(folder / "a.json", jsonl(*pages) if as_lines else json.dumps(pages).encode())
    with audit() as book:
        summary = book.ingest(folder, options=Options(format_name=name))
        assert summary.calls == 0
        assert summary.lines >= len(pages)
        assert book.rows(
            "SELECT count(*) FROM usage_buckets WHERE quantity < 0 "
            "OR bucket_start IS NULL OR export_keys IS NULL"
        ) == [(0,)]
