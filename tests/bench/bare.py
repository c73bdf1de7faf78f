"""The yardstick: what a person who knows DuckDB would write to load the same log into a table.

    python -m tests.bench.bare DATABASE LOG [whole|hashed|narrow]

No checks, no line numbers, no accounting, no derived columns: newline-delimited JSON with explicit
columns into a table of a database file.

- `whole`: the columns of `formats/litellm_slp.sql`, which llm-audit reads, kept as they are.
- `hashed`: the same, but of the prompts only a hash is kept. Harsher where there are bodies:
  writing them is most of the work, and llm-audit does not write them either.
- `narrow`: 35 typed metadata columns, and the prompts are not read at all.
"""

from __future__ import annotations

import sys
from typing import Any

import duckdb

from llm_audit.formats import formats

NARROW = {
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


def load(database: str, log: str, kind: str) -> int:
    """Create table `bare` in `database` and return its number of rows."""
    columns = NARROW if kind == "narrow" else dict(formats()["litellm_slp"].columns)
    hashed = "* EXCLUDE (messages), hash(messages) AS messages_hash"
    kept = hashed if kind == "hashed" else "*"
    with duckdb.connect(database) as connection:
        reader: Any = connection.read_json
        reader([log], columns=columns, format="newline_delimited").create_view("raw")
        connection.execute(f"CREATE TABLE bare AS SELECT {kept} FROM raw")
        row = connection.execute("SELECT count(*) FROM bare").fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    print(load(sys.argv[1], sys.argv[2], [*sys.argv, "whole"][3]))
