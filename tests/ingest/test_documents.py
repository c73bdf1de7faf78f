"""CSV, Parquet and event streams become records; --map and --peek."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from llm_audit.errors import InputError
from llm_audit.ingest import Options
from llm_audit.ingest.mapping import parse_fields
from llm_audit.ingest.peek import peek
from llm_audit.sources.local import find
from tests.ingest.helpers import audit, chat, jsonl, write

CSV = b"""call_id,model,input_tokens,output_tokens,tags
a,gpt-4o,5,6,job:etl
b,=cmd|' /C calc'!A0,5,6,
c,gpt-4o,x,6,
d,gpt-4o

e,"gpt
4o",7,8,
f,gpt-4o,1,2,
g,gpt-\xff,1,2,
"""


def test_csv_rows_and_their_lines(tmp_path: Path) -> None:
    with audit() as book:
        summary = book.ingest(write(tmp_path / "log.csv", CSV))
        rows = book.rows("SELECT call_id, source_line, input_tokens FROM calls ORDER BY 1")
        assert rows == [("a", 2, 5), ("b", 3, 5), ("e", 7, 7), ("f", 9, 1)]
        assert [number for number, _ in book.rejects()] == [4, 5, 10]
        assert summary.lines == 7


@pytest.mark.parametrize("delimiter", [b";", b"\t", b"|"])
def test_other_delimiters_and_a_byte_order_mark(tmp_path: Path, delimiter: bytes) -> None:
    text = b"\xef\xbb\xbfmodel,input_tokens,output_tokens\r\ngpt-4o,5,6\r\n"
    with audit() as book:
        book.ingest(write(tmp_path / "log.csv", text.replace(b",", delimiter)))
        assert book.rows("SELECT request_model, input_tokens FROM calls") == [("gpt-4o", 5)]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "it's [1].parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'c' || range AS call_id, 'gpt-4o' AS model, range::INTEGER AS "
            "input_tokens, 1.0::DOUBLE AS output_tokens, TIMESTAMP '2025-06-15 08:00:00' AS "
            "started_at, ['a:b'] AS tags FROM range(3)) TO '" + str(path).replace("'", "''") + "'"
        )
    with audit() as book:
        book.ingest(path)
        rows = book.rows("SELECT call_id, source_line, input_tokens, tags FROM calls ORDER BY 1")
        assert rows == [(f"c{number}", number + 1, number, ["a:b"]) for number in range(3)]


def test_a_broken_parquet_file_is_one_reject(tmp_path: Path) -> None:
    with audit() as book:
        book.ingest(write(tmp_path / "log.parquet", b"PAR1 and no more"))
        [(number, reason)] = book.rejects()
        assert (number, reason.split(":")[0]) == (1, "not a Parquet file")


STREAM = """event: message_start
data: {"type":"message_start","message":{"id":"msg_%d","model":"claude-sonnet-4-5",\
"usage":{"input_tokens":9,"output_tokens":1}}}

event: message_delta
data: {"type":"message_delta","delta":{},"usage":{"output_tokens":4}}

event: message_stop
data: {"type":"message_stop"}

"""


def test_event_streams_in_one_file_with_and_without_event_lines(tmp_path: Path) -> None:
    named = "".join(STREAM % number for number in range(3))
    plain = "".join(line for line in named.splitlines(True) if not line.startswith("event:"))
    chunks = "".join(
        f'data: {{"id":"chatcmpl-{number}","object":"chat.completion.chunk","model":"m",'
        f'"choices":[]}}\n\ndata: {{"id":"chatcmpl-{number}","object":"chat.completion.chunk",'
        '"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\ndata: [DONE]\n\n'
        for number in range(3)
    )
    for text, ids in (
        (named, "msg_"),
        (plain, "msg_"),
        (named.replace("\n", "\r\n"), "msg_"),
        (chunks, "chatcmpl-"),
    ):
        with audit() as book:
            book.ingest(write(tmp_path / "log.txt", text.encode()))
            assert book.ids() == [f"{ids}{number}" for number in range(3)]
            assert book.rows("SELECT count(*) FROM calls WHERE input_tokens IS NULL") == [(0,)]


def test_map_reads_columns_from_other_keys(tmp_path: Path) -> None:
    record = {"m": "gpt-4o", "@when": 1_750_000_000, "usage": {"in": 3, "out": 4}, "model": "no"}
    fields = parse_fields(
        ["request_model=m", "started_at=@when", "input_tokens=usage.in", "output_tokens=usage.out"]
    )
    with audit() as book:
        book.ingest(write(tmp_path / "a.jsonl", jsonl(record)), options=Options(fields=fields))
        rows = book.rows(
            "SELECT request_model, CAST(started_at AS VARCHAR), input_tokens, output_tokens "
            "FROM calls"
        )
        assert rows == [("gpt-4o", "2025-06-15 15:06:40", 3, 4)]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["input_token=x"], "did you mean input_tokens?"),
        (["nonsense"], "--map input_tokens="),
        (["input_tokens=a'); DROP TABLE calls"], "keys joined by dots"),
        (['input_tokens=a"b'], "keys joined by dots"),
    ],
)
def test_a_wrong_map_is_explained(tmp_path: Path, arguments: list[str], hint: str) -> None:
    path = write(tmp_path / "a.jsonl", jsonl(chat(1)))
    with audit() as book, pytest.raises(InputError) as raised:
        book.ingest(path, options=Options(fields=parse_fields(arguments)))
    assert hint in raised.value.hint


def test_peek_shows_the_mapping_and_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "log.csv", CSV)
    write(tmp_path / "log.json", jsonl(chat(1)))
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT 'gpt-4o' AS model, 1 AS input_tokens) TO '{tmp_path}/log.parquet'"
        )
    before = sorted(path.name for path in tmp_path.iterdir())
    found = {Path(one.path).suffix: one for one in peek(find([str(tmp_path)]), Options())}
    assert [one.formats for one in found.values()] == [["generic"], ["openai_chat"], ["generic"]]
    assert found[".csv"].rows[0]["call_id"] == "a"
    assert found[".json"].rows[0]["input_tokens"] == 10
    assert found[".parquet"].rows[0]["input_tokens"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == before
