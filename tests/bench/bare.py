"""The yardstick: what a person who knows DuckDB would write to load the same log into a table.

    python -m tests.bench.bare DATABASE LOG [--with-messages]

Reads newline-delimited JSON with explicit typed columns into 35 columns of a database file; no
checks, no line numbers, no accounting. With `--with-messages` the prompts are parsed as JSON and
reduced to one hash, so that it reads the bytes that llm-audit reads.
"""

from __future__ import annotations

import sys

import duckdb

COLUMNS = {
    "id": "VARCHAR",
    "trace_id": "VARCHAR",
    "call_type": "VARCHAR",
    "cache_hit": "BOOLEAN",
    "stream": "BOOLEAN",
    "status": "VARCHAR",
    "custom_llm_provider": "VARCHAR",
    "startTime": "DOUBLE",
    "endTime": "DOUBLE",
    "completionStartTime": "DOUBLE",
    "model": "VARCHAR",
    "model_group": "VARCHAR",
    "response_cost": "DOUBLE",
    "prompt_tokens": "BIGINT",
    "completion_tokens": "BIGINT",
    "total_tokens": "BIGINT",
    "request_tags": "VARCHAR[]",
    "end_user": "VARCHAR",
    "model_parameters": "STRUCT(service_tier VARCHAR, max_tokens BIGINT)",
    "error_information": "STRUCT(error_code VARCHAR, error_class VARCHAR)",
    "response": "STRUCT(model VARCHAR, service_tier VARCHAR, "
    "choices STRUCT(finish_reason VARCHAR)[])",
    "metadata": "STRUCT(user_api_key_alias VARCHAR, user_api_key_team_alias VARCHAR, "
    "user_api_key_hash VARCHAR, user_api_key_team_id VARCHAR, "
    "requester_metadata STRUCT(max_delay VARCHAR), usage_object STRUCT(prompt_tokens BIGINT, "
    "completion_tokens BIGINT, prompt_tokens_details STRUCT(cached_tokens BIGINT, "
    "cache_creation_tokens BIGINT), completion_tokens_details STRUCT(reasoning_tokens BIGINT)))",
}

SELECT = """
SELECT
  id, trace_id, call_type, cache_hit, stream, status, custom_llm_provider,
  make_timestamp(CAST(startTime * 1e6 AS BIGINT)) AS started_at,
  make_timestamp(CAST(endTime * 1e6 AS BIGINT)) AS ended_at,
  make_timestamp(CAST(completionStartTime * 1e6 AS BIGINT)) AS first_token_at,
  model, model_group, response_cost, prompt_tokens, completion_tokens, total_tokens,
  request_tags, end_user,
  model_parameters.service_tier AS requested_tier, model_parameters.max_tokens AS max_tokens,
  error_information.error_code AS error_code, error_information.error_class AS error_class,
  metadata.user_api_key_hash AS api_key_hash, metadata.user_api_key_team_id AS team_id,
  response.model AS response_model, response.service_tier AS served_tier,
  response.choices[1].finish_reason AS finish_reason,
  metadata.user_api_key_alias AS api_key_alias, metadata.user_api_key_team_alias AS team,
  metadata.requester_metadata.max_delay AS max_delay,
  metadata.usage_object.prompt_tokens AS usage_prompt_tokens,
  metadata.usage_object.completion_tokens AS usage_completion_tokens,
  metadata.usage_object.prompt_tokens_details.cached_tokens AS cached_tokens,
  metadata.usage_object.prompt_tokens_details.cache_creation_tokens AS written_tokens,
  metadata.usage_object.completion_tokens_details.reasoning_tokens AS reasoning_tokens
  {more}
FROM read_ndjson(?, columns = {columns})
"""


def load(database: str, log: str, *, with_messages: bool) -> int:
    """Create table `bare` in `database` and return its number of rows."""
    columns = COLUMNS | ({"messages": "JSON"} if with_messages else {})
    spelled = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    more = ", hash(messages) AS messages_hash" if with_messages else ""
    select = SELECT.format(more=more, columns=f"{{{spelled}}}")
    with duckdb.connect(database) as connection:
        connection.execute(f"CREATE TABLE bare AS {select}", [log])
        row = connection.execute("SELECT count(*) FROM bare").fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    load(sys.argv[1], sys.argv[2], with_messages="--with-messages" in sys.argv[3:])
