"""The public tables as data: every column with its type, its standard name and its meaning.

Column names follow the OpenTelemetry GenAI semantic conventions without the `gen_ai.` and `usage.`
prefixes (dots become underscores); cost names follow FinOps FOCUS. Times are UTC, durations are
milliseconds unless the name says `_s`, money is USD.
"""

from __future__ import annotations

from dataclasses import dataclass

MONEY = "DECIMAL(38,12)"
"""Exact: tokens DECIMAL(19,0) times a rate DECIMAL(14,12) in USD a token, five products summed."""


@dataclass(frozen=True)
class Column:
    """One column: its name, SQL type, the standard attribute it carries (or ""), its meaning."""

    name: str
    sql_type: str
    attribute: str
    meaning: str


# fmt: off: one column a line reads as the table it is
CALLS: tuple[Column, ...] = (
    Column(
        "call_id",
        "VARCHAR",
        "gen_ai.response.id",
        "the provider's response id, else the log's own id, else file and line hashed",
    ),
    Column("source_file", "VARCHAR", "", "the log file, as an absolute path or a URL"),
    Column(
        "source_line",
        "BIGINT",
        "",
        "1-based line in that file; for JSON documents the 1-based record",
    ),
    Column("source_format", "VARCHAR", "", "the formats/*.sql that read it"),
    Column(
        "provider_name",
        "VARCHAR",
        "gen_ai.provider.name",
        "who is paid: openai, anthropic, aws.bedrock, azure.ai.openai, gcp.vertex_ai, gcp.gemini, ...",
    ),
    Column(
        "operation_name",
        "VARCHAR",
        "gen_ai.operation.name",
        "chat, responses, embeddings, completions, moderation, image, audio, rerank, ...",
    ),
    Column("request_model", "VARCHAR", "gen_ai.request.model", "the model the caller asked for"),
    Column("response_model", "VARCHAR", "gen_ai.response.model", "the model that answered"),
    Column("started_at", "TIMESTAMP", "", "request sent, UTC"),
    Column("ended_at", "TIMESTAMP", "", "response complete, UTC"),
    Column("duration_ms", "DOUBLE", "gen_ai.client.operation.duration", "whole call"),
    Column(
        "time_to_first_token_ms", "DOUBLE", "gen_ai.response.time_to_first_chunk", "streams only"
    ),
    Column("status", "VARCHAR", "", "ok, error, cancelled"),
    Column(
        "http_status",
        "INTEGER",
        "http.response.status_code",
        "the provider's or the gateway's answer",
    ),
    Column("error_type", "VARCHAR", "error.type", "the provider's error class"),
    Column("finish_reason", "VARCHAR", "gen_ai.response.finish_reasons", "of the first choice"),
    Column("attempt_group", "VARCHAR", "", "rows that are retries of one request share it"),
    Column(
        "gateway_cache_hit", "BOOLEAN", "", "answered by a gateway's own cache: nothing was paid"
    ),
    Column(
        "service_tier",
        "VARCHAR",
        "openai.response.service_tier",
        "standard, batch, flex, priority; NULL unknown",
    ),
    Column(
        "inference_region",
        "VARCHAR",
        "",
        "where the provider ran it, as its price list names it: us, eu, global; NULL unknown",
    ),
    Column("inference_speed", "VARCHAR", "", "standard, fast (sold dearer); NULL unknown"),
    Column("is_streaming", "BOOLEAN", "gen_ai.request.stream", "NULL where the log does not say"),
    Column(
        "input_tokens",
        "BIGINT",
        "gen_ai.usage.input_tokens",
        "whole prompt, cached and written tokens included",
    ),
    Column(
        "cache_read_input_tokens",
        "BIGINT",
        "gen_ai.usage.cache_read.input_tokens",
        "subset of input_tokens",
    ),
    Column(
        "cache_creation_5m_input_tokens",
        "BIGINT",
        "gen_ai.usage.cache_creation.input_tokens",
        "subset; also writes of unknown lifetime",
    ),
    Column("cache_creation_1h_input_tokens", "BIGINT", "", "subset"),
    Column("output_tokens", "BIGINT", "gen_ai.usage.output_tokens", "reasoning included"),
    Column(
        "reasoning_output_tokens",
        "BIGINT",
        "gen_ai.usage.reasoning.output_tokens",
        "subset of output_tokens",
    ),
    Column("audio_input_tokens", "BIGINT", "", "subset of input_tokens"),
    Column("audio_output_tokens", "BIGINT", "", "subset of output_tokens"),
    Column("image_input_tokens", "BIGINT", "", "subset of input_tokens"),
    Column("image_output_tokens", "BIGINT", "", "subset of output_tokens"),
    Column("web_search_requests", "BIGINT", "", "server-side searches, billed per request"),
    Column("tokens_source", "VARCHAR", "", "reported, estimated, missing"),
    Column("token_rule", "VARCHAR", "", "how inclusive or exclusive input was settled"),
    Column("logged_cost", "DOUBLE", "", "what the log claims, USD; for reconciliation only"),
    Column("caller", "VARCHAR", "", "the best identity present: service, key, agent, team, user"),
    Column("service_name", "VARCHAR", "service.name", "the calling service or job"),
    Column("team", "VARCHAR", "", "the team that owns the key"),
    Column("api_key_alias", "VARCHAR", "", "a name for the key, never the key"),
    Column("end_user_hash", "VARCHAR", "user.id", "md5 of the end user's id"),
    Column("conversation_id", "VARCHAR", "gen_ai.conversation.id", "session or conversation"),
    Column("agent_name", "VARCHAR", "gen_ai.agent.name", ""),
    Column("trace_id", "VARCHAR", "trace_id", ""),
    Column("parent_id", "VARCHAR", "parent_span_id", ""),
    Column("prompt_name", "VARCHAR", "gen_ai.prompt.name", "name of a managed prompt"),
    Column("environment", "VARCHAR", "deployment.environment.name", "prod, staging, ci, ..."),
    Column("user_agent", "VARCHAR", "user_agent.original", ""),
    Column("tags", "VARCHAR[]", "", "free labels, key:value or plain"),
    Column("scheduler", "VARCHAR", "", "airflow, celery, cron, ci, ... that started the call"),
    Column("declared_tolerance_s", "DOUBLE", "", "how long the caller says the result may take"),
    Column("client_timeout_s", "DOUBLE", "", "after which the client gives up"),
    Column("template_hash", "VARCHAR", "", "hash of the fixed part of the prompt"),
    Column("message_count", "INTEGER", "", "messages in the request"),
    Column("message_hashes", "UBIGINT[]", "", "one hash per message, in order; no text"),
    Column("has_tool_result", "BOOLEAN", "", "the request answers a tool call"),
    Column("previous_response_id", "VARCHAR", "", "server-side continuation"),
    Column("max_output_tokens", "BIGINT", "gen_ai.request.max_tokens", ""),
    Column("replayable", "BOOLEAN", "", "the whole request is in the log"),
)
"""One row per API call that a provider answered or refused."""

REJECTS: tuple[Column, ...] = (
    Column("source_file", "VARCHAR", "", ""),
    Column("line_number", "BIGINT", "", "1-based"),
    Column("reason", "VARCHAR", "", "what is wrong, for a person"),
    Column("excerpt", "VARCHAR", "", "at most 200 printable characters, no message text"),
)
"""One row per line that should have been a call and could not be read as one."""

INGESTED_FILES: tuple[Column, ...] = (
    Column("path", "VARCHAR", "", "absolute path or URL"),
    Column("size", "BIGINT", "", "bytes on disk"),
    Column("mtime", "DOUBLE", "", "epoch seconds"),
    Column("digest", "VARCHAR", "", "XXH3 (128 bits) of the bytes on disk"),
    Column("format", "VARCHAR", "", "comma-separated where a file mixes formats"),
    Column("lines", "BIGINT", "", "non-blank lines (records, in a JSON document)"),
    Column("calls", "BIGINT", "", ""),
    Column("rejects", "BIGINT", "", ""),
    Column("duplicates", "BIGINT", "", "calls already known under the same id"),
    Column(
        "not_calls", "BIGINT", "", "lines that carry no call: free endpoints, batch bookkeeping"
    ),
)
"""One row per log file; lines = calls + rejects + duplicates + not_calls."""

USAGE_BUCKETS: tuple[Column, ...] = (
    Column("source_file", "VARCHAR", "", "the export, as an absolute path or a URL"),
    Column(
        "source_line",
        "BIGINT",
        "",
        "1-based line in a CSV or JSONL file; in a JSON document the 1-based result object",
    ),
    Column("source_format", "VARCHAR", "", "the formats/*.sql that read it"),
    Column("bucket_start", "TIMESTAMP", "", "UTC"),
    Column("bucket_end", "TIMESTAMP", "", "UTC, exclusive: a minute, an hour or a day later"),
    Column("provider_name", "VARCHAR", "gen_ai.provider.name", "openai, anthropic"),
    Column(
        "model", "VARCHAR", "", "as the export writes it; NULL where it is not grouped by model"
    ),
    Column("service_tier", "VARCHAR", "", "standard, batch, flex, priority; NULL unknown"),
    Column(
        "token_kind",
        "VARCHAR",
        "",
        "input (uncached text), cached_input, cache_write_5m, cache_write_1h, output, audio_input, "
        "audio_output, image_input, image_output; requests, web_search; else the export's own word "
        "for a fee (file_search, images, ...), or cost: an amount without a kind; or nothing: a "
        "bucket that the export shows as empty",
    ),
    Column(
        "quantity",
        "DECIMAL(38,6)",
        "",
        "tokens, or requests, images, seconds, ...; NULL where the export has amounts only",
    ),
    Column(
        "amount_usd",
        MONEY,
        "",
        "what was charged, USD, below 0 for a credit; NULL where it has quantities only",
    ),
    Column("api_key", "VARCHAR", "", "the key's name, else its id; never the key"),
    Column(
        "export_keys",
        "JSON",
        "",
        "the export's other dimensions as an object of texts, sorted; no names of users",
    ),
    Column(
        "source_page",
        "BIGINT",
        "",
        "the page of the file that it stands in, by its line or record; 0 where there are no pages",
    ),
    Column(
        "record_id",
        "VARCHAR",
        "",
        "hash of all that is not measured: records of two files that share it are the same one",
    ),
)
"""Aggregated vendor exports. Never calls: for reconciliation and the already-batched share.

One row per record of an export and kind of token; a record is counted in `not_calls`.
"""

EXPORT_COPIES: tuple[Column, ...] = (
    Column("source_file", "VARCHAR", "", "an export, as an absolute path or a URL"),
    Column("source_page", "BIGINT", "", "the page of it"),
    Column("record_id", "VARCHAR", "", "a record in it that `usage_buckets` holds of another one"),
)
"""Which records stand in an export besides those that `usage_buckets` holds under its name."""

EXPORT_FILES: tuple[Column, ...] = (
    Column("path", "VARCHAR", "", "absolute path or URL"),
    Column("source_format", "VARCHAR", "", "the formats/*.sql that read it"),
    Column("provider_name", "VARCHAR", "", "whose export it is; NULL where no record tells"),
    Column("rejects", "BIGINT", "", "records of it that could not be read"),
    Column("endpoint", "VARCHAR", "", "of which its pages are; NULL in the row of the rejects"),
    Column("last_page_at", "TIMESTAMP", "", "start of the last bucket of its last page, UTC"),
    Column("has_more", "BOOLEAN", "", "that page says that others follow"),
)
"""What is wrong with an export: one row per file and format, and one per series of its pages."""

EXPORT_CHOICE: tuple[Column, ...] = (
    Column("source_file", "VARCHAR", "", "an export, as an absolute path or a URL"),
)
"""The exports that `reconciliation` is of; without a row, all of them."""

VERIFIED_TOTALS: tuple[Column, ...] = (
    Column("verified_at", "TIMESTAMP", "", "when `llm-audit migrate verify` found this, UTC"),
    Column("tool_version", "VARCHAR", "", "of the llm-audit that did"),
    Column(
        "all_runs", "BOOLEAN", "", "of all runs of that time; FALSE: of the one that --run named"
    ),
    Column("requests", "BIGINT", "", "all that the runs hold, answered or not"),
    Column(
        "priced_requests",
        "BIGINT",
        "",
        "answered ones with a batch rate: the four costs are of them",
    ),
    Column("unpriced_requests", "BIGINT", "", "answered ones without"),
    Column("sync_cost", MONEY, "", "what the logged calls cost, USD"),
    Column("claimed_cost", MONEY, "", "what the plan said, conservative: no cache hits, USD"),
    Column("measured_cost", MONEY, "", "tokens that the vendor reports at its batch rates, USD"),
    Column(
        "other_claimed_cost", MONEY, "", "of claimed_cost, what no row of verified_costs has, USD"
    ),
    Column(
        "prompts_alike",
        "BOOLEAN",
        "",
        "prompts were counted as logged (prompt_equal: 95 % or more); else no saving can be told",
    ),
)
"""What a migration was found to be, one row; no row before the first `migrate verify`.

The other verified_* tables are of the same look at the ledger. None holds a text of a request.
"""

VERIFIED_RUNS: tuple[Column, ...] = (
    Column("run_id", "VARCHAR", "", "a run that was looked at; its name begins with its day"),
)

VERIFIED_BATCHES: tuple[Column, ...] = (
    Column("run_id", "VARCHAR", "", ""),
    Column("batch_id", "VARCHAR", "", "the vendor's name for it"),
    Column("vendor", "VARCHAR", "", "openai, anthropic"),
    Column("model", "VARCHAR", "", "that was asked for"),
    Column("status", "VARCHAR", "", "in the vendor's word"),
    Column("requests", "BIGINT", "", ""),
    Column("seconds", "DOUBLE", "", "from its creation to its end, by the vendor's clock"),
)
"""One row per batch that has ended."""

VERIFIED_TURNAROUND: tuple[Column, ...] = (
    Column("vendor", "VARCHAR", "", "openai, anthropic"),
    Column("batches", "BIGINT", "", "that have ended"),
    Column("p50_s", "DOUBLE", "", "seconds in which half of them ended, by nearest rank"),
    Column("p90_s", "DOUBLE", "", "nine of ten"),
    Column("max_s", "DOUBLE", "", "all"),
)

VERIFIED_COSTS: tuple[Column, ...] = (
    Column(
        "token_kind",
        "VARCHAR",
        "",
        "input (fresh), cached_input, cache_write_5m, cache_write_1h, output",
    ),
    Column("claimed_tokens", "BIGINT", "", "as logged"),
    Column("measured_tokens", "BIGINT", "", "as the vendor reports them for the batch"),
    Column("claimed_cost", MONEY, "", "USD"),
    Column("measured_cost", MONEY, "", "USD"),
)
"""One row per kind of token that the priced requests have."""

VERIFIED_SHARES: tuple[Column, ...] = (
    Column(
        "name",
        "VARCHAR",
        "",
        "answered, one_end, same_model: of requests; expired, failed: of rows that came back, those "
        "of a second try included; prompt_equal: of answers; cached_logged, cached_measured: of input "
        "tokens; same_text, same_json, same_fields: of pairs of answers (of documents, of fields); "
        "noise_logged, noise_batch, noise_across: of requests sent twice (no rows where none was)",
    ),
    Column("count", "BIGINT", "", ""),
    Column("of", "BIGINT", "", ""),
    Column("similarity", "DOUBLE", "", "median of the pairs, 0 to 1; NULL where not measured"),
)
"""One row per rate: so many of so many."""

VERIFIED_CHECKS: tuple[Column, ...] = (
    Column(
        "name",
        "VARCHAR",
        "",
        "finish, not_refused, non_empty, vectors, tool_names, tool_arguments, json_valid, json_schema",
    ),
    Column("of", "BIGINT", "", "pairs of a logged and a bought answer that it applies to"),
    Column("logged", "BIGINT", "", "logged answers that pass"),
    Column("batch", "BIGINT", "", "bought answers that pass"),
    Column("same", "BIGINT", "", "pairs that are alike"),
)
"""One row per check of the answers' structure."""

VERIFIED_COUNTS: tuple[Column, ...] = (
    Column(
        "dimension",
        "VARCHAR",
        "",
        "states: requests; failures: rows by the vendor's code; odd_lines: lines of no request; "
        "not_compared: answered requests whose texts could not be held against the log, by why",
    ),
    Column("name", "VARCHAR", "", ""),
    Column("number", "BIGINT", "", ""),
)

VERIFIED_WORKLOADS: tuple[Column, ...] = (
    Column("workload_id", "VARCHAR", "", "as the plan knew it"),
    Column("requests", "BIGINT", "", ""),
    Column("answered", "BIGINT", "", ""),
    Column("sync_cost", MONEY, "", "as logged, of the answered and priced ones, USD"),
    Column("claimed_cost", MONEY, "", "USD"),
    Column("measured_cost", MONEY, "", "USD"),
    Column("same_text", "BIGINT", "", "pairs of answers of equal text, white space apart"),
    Column("compared", "BIGINT", "", "pairs that were compared"),
)

# fmt: on

LABELS = ("batch_eligible", "gray_area", "realtime")
CRITERIA = ("independence", "tolerance", "storage")
GAP_CAUSES = {
    "outside_period": "outside the log's period",
    "model_not_in_log": "models not in the log",
    "key_not_in_log": "keys not in the log",
    "batch_share": "batch share",
    "tool_fees": "tool fees",
    "unpriced": "unpriced",
    "rounding": "rounding",
    "unexplained": "unexplained",
}
"""What a gap between a provider's export and our totals is put down to, in the order taken."""

SERVICE_TIERS = ("standard", "batch", "flex", "priority")


STORED_TABLES: dict[str, tuple[Column, ...]] = {
    "calls": CALLS,
    "rejects": REJECTS,
    "ingested_files": INGESTED_FILES,
    "usage_buckets": USAGE_BUCKETS,
    "export_copies": EXPORT_COPIES,
    "export_files": EXPORT_FILES,
    "export_choice": EXPORT_CHOICE,
    "verified_totals": VERIFIED_TOTALS,
    "verified_runs": VERIFIED_RUNS,
    "verified_batches": VERIFIED_BATCHES,
    "verified_turnaround": VERIFIED_TURNAROUND,
    "verified_costs": VERIFIED_COSTS,
    "verified_shares": VERIFIED_SHARES,
    "verified_checks": VERIFIED_CHECKS,
    "verified_counts": VERIFIED_COUNTS,
    "verified_workloads": VERIFIED_WORKLOADS,
}
"""The tables that are kept; everything else is derived from them."""


def create_table_sql(name: str, *, anew: bool = False) -> str:
    """The CREATE TABLE statement of one stored table; anew: an empty one in the place of another."""
    columns = ",\n  ".join(f"{c.name} {c.sql_type}" for c in STORED_TABLES[name])
    head = f"CREATE OR REPLACE TABLE {name}" if anew else f"CREATE TABLE IF NOT EXISTS {name}"
    return f"{head} (\n  {columns}\n)"
