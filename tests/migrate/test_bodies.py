"""Lines are found again by number, in every kind of file, and only in the file that was read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import xxhash
import zstandard

from llm_audit.migrate.bodies import LogFile, SourceError, records
from tests.migrate.logs import audit, closes, lines, make, openai_chat, reasons


def known(path: Path, versions: int = 1) -> LogFile:
    data = path.read_bytes()
    return LogFile(str(path), len(data), xxhash.xxh3_128_hexdigest(data), versions)


def why(file: LogFile, wanted: list[int]) -> str:
    with pytest.raises(SourceError) as caught:
        list(records(file, wanted))
    return caught.value.reason


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "bom": lambda data: b"\xef\xbb\xbf" + data,
    "gzip": gzip.compress,
    "two gzip members": lambda data: gzip.compress(data[:30]) + gzip.compress(data[30:]),
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}


@pytest.mark.parametrize("packing", PACKERS)
def test_lines_by_number(tmp_path: Path, packing: str) -> None:
    data = b'{"a": 1}\n\n{"a": 3}\r\nbroken\n{"a": 5}'
    path = tmp_path / "log"
    path.write_bytes(PACKERS[packing](data))
    found = list(records(known(path), [1, 3, 5]))
    assert found == [(1, b'{"a": 1}'), (3, b'{"a": 3}'), (5, b'{"a": 5}')]
    assert [number for number, _ in records(known(path), [4, 99])] == [4]


def test_records_of_a_document_by_number(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(json.dumps([{"a": n, "b": "x\ny"} for n in range(4)], indent=2))
    found = list(records(known(path), [2, 4]))
    assert [(n, json.loads(text)["a"]) for n, text in found] == [(2, 1), (4, 3)]
    assert not any(b"\n" in text for _, text in found)


def test_a_log_that_grew_is_the_same_log(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n')
    file = known(path)
    with path.open("ab") as log:
        log.write(b'{"a": 3}\n')
    assert list(records(file, [1, 2])) == [(1, b'{"a": 1}'), (2, b'{"a": 2}')]
    assert list(records(file, [3])) == []


@pytest.mark.parametrize("content", [b'{"a": 9}\n{"a": 2}\n', b'{"a": 1}\n'])
def test_other_bytes_are_another_log(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n')
    file = known(path)
    path.write_bytes(content)
    assert why(file, [1]) == "source_changed"


def test_a_log_that_is_gone_or_no_log(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert why(LogFile(str(path), 5, "00", 1), [1]) == "source_gone"
    assert why(LogFile("stdin", 5, "00", 1), [1]) == "source_gone"
    assert why(LogFile(str(tmp_path), 5, "00", 1), [1]) == "source_gone"
    path.write_bytes(b"model,input_tokens,output_tokens\na,1,2\n")
    assert why(known(path), [2]) == "source_kind"


def test_nothing_of_a_changed_log_is_planned(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    first.write_bytes(lines(openai_chat(n) for n in range(150)))
    second.write_bytes(gzip.compress(lines(openai_chat(n) for n in range(150, 300))))
    audit(connection, first, second)
    # Each line is still a record; only the digest at the end of the file tells.
    first.write_bytes(first.read_bytes().replace(b"blue", b"pink"))
    made = make(connection, tmp_path / "out")
    assert made.requests == 150
    assert reasons(connection) == {"source_changed": 150}
    assert {r.source_file for p in made.shards for r in p.requests} == {str(second)}
    assert not any(b"pink" in path.read_bytes() for path in (tmp_path / "out").iterdir())
    closes(connection, made)


def test_a_path_that_was_rewritten_and_read_again_is_told_by_the_call_ids(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(lines(openai_chat(n) for n in range(120)))
    audit(connection, path)
    path.write_bytes(lines(openai_chat(n) for n in range(120, 260)))
    audit(connection, path)
    made = make(connection, tmp_path / "out")
    assert made.requests == 140
    assert reasons(connection) == {"source_changed": 120}
    closes(connection, made)


def test_a_log_that_grew_and_was_read_again_makes_no_second_request(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(lines(openai_chat(n) for n in range(120)))
    audit(connection, path)
    before = make(connection, tmp_path / "one")
    path.write_bytes(lines(openai_chat(n) for n in range(130)))
    audit(connection, path)
    after = make(connection, tmp_path / "two")
    keys = [{r.request_key for p in made.shards for r in p.requests} for made in (before, after)]
    assert keys[0] < keys[1]
    assert len(keys[1]) == 130
