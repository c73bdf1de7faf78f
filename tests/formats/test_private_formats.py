"""`--formats DIR`: a team's own log format is one file, and no Python."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from llm_audit.errors import InputError
from llm_audit.formats import formats
from llm_audit.ingest import Options, ingest
from llm_audit.sources.local import find

OWN = """\
-- format: house_log
-- title: Our own gateway
-- docs: the wiki
-- reader: json
-- detect: m, tin, tout
-- tokens: tin is the whole prompt
-- columns:
--   rid: VARCHAR
--   m: VARCHAR
--   tin: VARCHAR
--   tout: VARCHAR
SELECT
  m IS NOT NULL AS recognised,
  CASE WHEN m = 'ping' THEN 'a health check' END AS not_call_reason,
  bad_count('tin', tin) AS reject_reason,
  rid AS call_id,
  'openai' AS provider_name,
  m AS request_model,
  'ok' AS status,
  to_count(tin) AS input_tokens,
  to_count(tout) AS output_tokens,
  'reported' AS tokens_source
FROM raw
"""


def test_a_private_format_is_a_file(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    folder = tmp_path / "formats"
    folder.mkdir()
    (folder / "house_log.sql").write_text(OWN)
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"rid": "a", "m": "gpt-4o", "tin": 7, "tout": 2}\n'
        '{"rid": "b", "m": "ping", "tin": 0, "tout": 0}\n'
        '{"rid": "c", "m": "gpt-4o", "tin": "many", "tout": 2}\n'
        '{"object": "chat.completion", "id": "d", "model": "gpt-4o", "choices": [], '
        '"usage": {"prompt_tokens": 5, "completion_tokens": 1}}\n'
    )
    summary = ingest(connection, find([str(log)]), Options(formats_folder=folder))
    assert (summary.calls, summary.not_calls, summary.rejects) == (2, 1, 1)
    rows = connection.execute(
        "SELECT source_format, source_line, input_tokens FROM calls ORDER BY source_line"
    ).fetchall()
    assert rows == [("house_log", 1, 7), ("openai_chat", 4, 5)]


@pytest.mark.parametrize(
    ("name", "text"),
    [("other.sql", OWN), ("house_log.sql", OWN.replace("-- detect: m, tin, tout\n", ""))],
)
def test_a_broken_format_file_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as error:
        formats(tmp_path)
    assert name in error.value.message
