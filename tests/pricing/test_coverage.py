"""No model of OpenAI or Anthropic stays unpriced on a day on which it was sold.

Three lists of names: the price research, the shared logs, and those we know of. A name that really
has no price per token stands in one of the tables below, with the reason.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import duckdb

from tests.ingest.helpers import audit
from tests.pricing.many import price_many
from tests.support import shared
from tests.tools.price_coverage import price_logs

Connection = duckdb.DuckDBPyConnection

OPENAI_NAMES = {
    # names by a day on which they could be bought
    date(2023, 6, 20): "gpt-3.5-turbo-0301 gpt-3.5-turbo-0613 gpt-3.5-turbo-16k-0613 gpt-4-0314 "
    "gpt-4-0613 gpt-4-32k-0613 gpt-4-32k gpt-4 gpt-3.5-turbo text-davinci-003 "
    "text-embedding-ada-002",
    date(2023, 11, 15): "gpt-3.5-turbo-1106 gpt-4-1106-preview gpt-4-vision-preview "
    "gpt-3.5-turbo gpt-3.5-turbo-instruct gpt-3.5-turbo-16k davinci-002 babbage-002",
    date(2024, 2, 20): "gpt-3.5-turbo-0125 gpt-4-0125-preview gpt-4-turbo-preview "
    "text-embedding-3-small text-embedding-3-large",
    date(2024, 5, 20): "gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4o gpt-4o-2024-05-13",
    date(2024, 9, 20): "gpt-4o-2024-08-06 gpt-4o-mini gpt-4o-mini-2024-07-18 chatgpt-4o-latest "
    "o1-preview o1-preview-2024-09-12 o1-mini o1-mini-2024-09-12",
    date(2025, 1, 10): "gpt-4o-2024-11-20 gpt-4o-audio-preview gpt-4o-audio-preview-2024-12-17 "
    "gpt-4o-mini-audio-preview gpt-4o-realtime-preview gpt-4o-mini-realtime-preview o1 "
    "o1-2024-12-17",
    date(2025, 4, 25): "o1-pro o1-pro-2025-03-19 o3 o3-2025-04-16 o3-mini o3-mini-2025-01-31 "
    "o4-mini o4-mini-2025-04-16 gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14 "
    "gpt-4.1-nano gpt-4.1-nano-2025-04-14 gpt-4.5-preview gpt-4.5-preview-2025-02-27 "
    "gpt-4o-search-preview gpt-4o-search-preview-2025-03-11 gpt-4o-mini-search-preview "
    "gpt-4o-mini-search-preview-2025-03-11 gpt-4o-transcribe gpt-4o-mini-transcribe "
    "computer-use-preview computer-use-preview-2025-03-11",
    date(2025, 8, 20): "gpt-5 gpt-5-2025-08-07 gpt-5-mini gpt-5-mini-2025-08-07 gpt-5-nano "
    "gpt-5-nano-2025-08-07 gpt-5-chat-latest o3-pro o3-pro-2025-06-10 o3-deep-research "
    "o3-deep-research-2025-06-26 o4-mini-deep-research o4-mini-deep-research-2025-06-26 "
    "codex-mini-latest gpt-4o-audio-preview-2025-06-03",
    date(2025, 11, 25): "gpt-5-pro gpt-5-pro-2025-10-06 gpt-5-codex gpt-5-search-api gpt-5.1 "
    "gpt-5.1-2025-11-13 gpt-5.1-chat-latest gpt-5.1-codex gpt-5.1-codex-mini "
    "gpt-audio gpt-audio-2025-08-28 gpt-audio-mini gpt-realtime gpt-realtime-2025-08-28 "
    "gpt-realtime-mini",
    date(2026, 2, 20): "gpt-5.2 gpt-5.2-2025-12-11 gpt-5.2-pro gpt-5.2-pro-2025-12-11 "
    "gpt-5.2-chat-latest gpt-5.2-codex gpt-5.3-codex gpt-5.1-codex-max",
    date(2026, 10, 20): "gpt-5.4 gpt-5.4-2026-03-05 gpt-5.4-pro gpt-5.4-mini "
    "gpt-5.4-mini-2026-03-17 gpt-5.4-nano gpt-5.5 gpt-5.5-2026-04-23 gpt-5.5-pro gpt-5.6 "
    "gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna gpt-6-sol gpt-6-luna gpt-6-astra",
}
CLAUDE_NAMES = {
    date(2024, 1, 20): "claude-instant-1.2 claude-2.0 claude-2.1",
    date(2024, 7, 20): "claude-3-haiku-20240307 claude-3-sonnet-20240229 claude-3-opus-20240229 "
    "claude-3-opus-latest claude-3-5-sonnet-20240620",
    date(2025, 3, 20): "claude-3-5-sonnet-20241022 claude-3-5-sonnet-latest "
    "claude-3-5-haiku-20241022 claude-3-5-haiku-latest claude-3-7-sonnet-20250219 "
    "claude-3-7-sonnet-latest",
    date(2025, 12, 1): "claude-sonnet-4-20250514 claude-sonnet-4-0 claude-opus-4-20250514 "
    "claude-opus-4-0 claude-opus-4-1-20250805 claude-opus-4-1 claude-sonnet-4-5-20250929 "
    "claude-sonnet-4-5 claude-haiku-4-5-20251001 claude-haiku-4-5 claude-opus-4-5-20251101 "
    "claude-opus-4-5",
    date(2026, 10, 20): "claude-sonnet-4-6 claude-opus-4-6 claude-opus-4-7 claude-opus-4-8 "
    "claude-opus-5 claude-sonnet-5 claude-fable-5 claude-sonnet-5-5 claude-opus-5-5 "
    "claude-haiku-5-5",
}


def unpriced(connection: Connection, wanted: list[tuple[str, str, date]]) -> dict[str, str]:
    """ "model on day" -> price_status, of a short standard call of each (provider, model, day)."""
    price_many(
        connection,
        [
            {
                "provider_name": provider,
                "response_model": model,
                "started_at": datetime(day.year, day.month, day.day, 12),
                "input_tokens": 100,
                "output_tokens": 0 if "embedding" in model else 10,
            }
            for provider, model, day in wanted
        ],
    )
    rows = connection.execute(
        "SELECT response_model || ' on ' || CAST(started_at AS DATE), price_status FROM costs "
        "JOIN calls USING (call_id) WHERE price_status <> 'priced'"
    ).fetchall()
    return dict(rows)


def test_every_model_that_we_know_of(connection: Connection) -> None:
    wanted = [
        (provider, model, day)
        for provider, names in (("openai", OPENAI_NAMES), ("anthropic", CLAUDE_NAMES))
        for day, line in names.items()
        for model in line.split()
    ]
    assert unpriced(connection, wanted) == {}


def test_every_model_of_the_price_research(connection: Connection) -> None:
    """On the first day of each of its standard rates, and on the last where there is one."""
    text = shared("facts", "pricing_facts.json").read_text(encoding="utf-8")
    wanted = [
        (row["provider"], written(row["model"]), day)
        for row in json.loads(text)["rows"]
        if row["provider"] in ("openai", "anthropic") and row["tier"] == "standard"
        for day in days_of(row)
    ]
    assert len(wanted) > 100
    assert unpriced(connection, wanted) == {}


def written(model: str) -> str:
    """A fine-tuned model as a log writes it."""
    return f"{model}:acme::id" if model.startswith("ft:") else model


def days_of(row: Mapping[str, Any]) -> list[date]:
    first, until = row["effective_from"], row.get("effective_to")
    days = [date.fromisoformat(first)] if first else [date(2026, 11, 1)]
    return days + ([date.fromordinal(date.fromisoformat(until).toordinal() - 1)] if until else [])


RESELLERS = {
    "openrouter": "sells at its own prices, which change by the route it takes",
    "api.cerebras.ai": "hosts open models at prices of its own",
}
UNPRICEABLE = {
    (
        None,
        "unpriced_model",
    ): "fixtures of the Responses API without a model",
    ("gpt-5", "unpriced_date"): "a fixture dated 2025-03-27, months before GPT-5 was sold",
}
"""Names in the shared logs that nothing can price, by what became of them, with the reason."""


def test_every_model_of_the_shared_logs() -> None:
    """Whoever sold it: OpenAI, Anthropic, or a cloud."""
    with audit() as book:
        price_logs(book.connection, shared("logs"))
        rows = book.connection.execute(
            """
            SELECT COALESCE(calls.response_model, calls.request_model), names.surface,
              costs.price_status
            FROM calls
            JOIN costs USING (call_id)
            JOIN model_names AS names
              ON names.provider_name IS NOT DISTINCT FROM calls.provider_name
              AND names.request_model IS NOT DISTINCT FROM calls.request_model
              AND names.response_model IS NOT DISTINCT FROM calls.response_model
              AND names.inference_region IS NOT DISTINCT FROM calls.inference_region
            WHERE (names.provider IN ('openai', 'anthropic')
                OR calls.provider_name IN ('openai', 'anthropic'))
              AND COALESCE(calls.service_tier, 'standard') = 'standard'
              AND costs.price_status IN ('unpriced_model', 'unpriced_date', 'unpriced_tier')
              AND (calls.started_at IS NOT NULL OR costs.price_status = 'unpriced_model')
            """
        ).fetchall()
    missing = Counter(
        (model, surface, status)
        for model, surface, status in rows
        if surface not in RESELLERS and (model, status) not in UNPRICEABLE
    )
    assert missing == {}
