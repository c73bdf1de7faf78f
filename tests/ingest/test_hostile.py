"""Logs made to break a reader: nothing crashes, nothing runs, nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ingest.helpers import audit, chat, jsonl, line, write

SCRIPT = "<script>alert(1)</script>"
ESCAPES = "\x1b[31mred\x1b]0;title\x07\x00\u202e"


def test_hostile_values_are_kept_as_data(tmp_path: Path) -> None:
    values = [SCRIPT, ESCAPES, "=cmd|' /C calc'!A0", "'; DROP TABLE calls; --", "{{ 7*7 }}", "💥"]
    records = [
        {
            "service": value,
            "tags": [value, f"job:{value}"],
            "request": {"model": value, "messages": [{"role": "user", "content": value}]},
            "response": chat(number, model=value),
        }
        for number, value in enumerate(values)
    ]
    with audit() as book:
        book.ingest(write(tmp_path / "log.jsonl", jsonl(*records)))
        rows = book.rows("SELECT request_model, tags[1], service_name FROM calls ORDER BY call_id")
        assert rows == [(value, value, value) for value in values]


def test_reasons_and_excerpts_are_printable(tmp_path: Path) -> None:
    records = [
        chat(1),
        chat(2, usage={"prompt_tokens": ESCAPES, "completion_tokens": 1}),
        {ESCAPES: 1, "b\x1b[2J": 2},
        line({"key": "x"}).replace(b"x", b"\x1b[31m\x07\x00") + b"}",
    ]
    with audit() as book:
        book.ingest(write(tmp_path / "log.jsonl", jsonl(*records)))
        rows = book.rows("SELECT reason, excerpt FROM rejects")
        assert len(rows) == 3
        for text in (text for row in rows for text in row):
            assert text.isprintable()
            assert len(text) <= 200


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("explicit", [True, False])
def test_a_line_of_20_megabytes_is_read(tmp_path: Path, first: bool, explicit: bool) -> None:
    large = chat(2, filler="x" * 20_000_000)
    records = [large, b"{broken", chat(1)] if first else [chat(1), b"{broken", large]
    path = write(tmp_path / "log.jsonl", jsonl(*records))
    with audit() as book:
        book.ingest(path if explicit else tmp_path)
        assert book.ids() == ["chatcmpl-1", "chatcmpl-2"]
        assert [number for number, _ in book.rejects()] == [2]


@pytest.mark.parametrize("blank", [b"", jsonl(b"")])
def test_a_line_of_70_megabytes_is_rejected(tmp_path: Path, blank: bytes) -> None:
    """Twice what either vendor accepts as a request: rejected, whatever stands beside it."""
    large = jsonl(chat(2, filler="x" * 70_000_000))
    path = write(tmp_path / "log.jsonl", jsonl(chat(1)) + blank + large + jsonl(chat(3)))
    with audit() as book:
        book.ingest(path)
        assert book.ids() == ["chatcmpl-1", "chatcmpl-3"]
        assert book.rejects() == [(3 if blank else 2, "longer than 64 MiB")]


NAMES = (
    "it's.jsonl",
    'quoted".jsonl',
    "new\nline.jsonl",
    "[a-z]*?.jsonl",
    "{1,2}.jsonl",
    "<script>.jsonl",
    "\x1b[31m.jsonl",
    "ünïcode 💥 \u202e.jsonl",
    os.fsdecode(b"not-utf8-\xff.jsonl"),
    "-rf.jsonl",
    "a;b|c&d.jsonl",
    "status=500/model=evil/log.jsonl",
)


@pytest.mark.parametrize("size", [2, 4500])
def test_hostile_file_names(tmp_path: Path, size: int) -> None:
    """Small and large: large files are handed to DuckDB by name, which must match nothing else."""
    names = ("a1.jsonl", *NAMES)
    for number, name in enumerate(names):
        first = number * size
        write(tmp_path / name, jsonl(*[chat(n) for n in range(first, first + size)], b"{"))
    with audit() as book:
        summary = book.ingest(tmp_path)
        assert (summary.calls, summary.rejects) == (len(names) * size, len(names))
        assert book.rows("SELECT count(DISTINCT source_file) FROM calls") == [(len(names),)]
        assert book.ingest(*[tmp_path / name for name in names]).unchanged == len(names)


NESTED = (
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
)


def test_deep_nesting(tmp_path: Path) -> None:
    inside = [
        line(chat(2 + number, extra=1)).replace(b'"extra": 1', b'"extra": ' + nested)
        for number, nested in enumerate(NESTED)
    ]
    write(tmp_path / "log.jsonl", jsonl(chat(1), *NESTED, *inside, chat(9)))
    for number, nested in enumerate(NESTED):
        write(tmp_path / f"document-{number}.json", b"[" + nested + b"]")
        write(tmp_path / f"line-{number}.jsonl", nested)
    with audit() as book:
        book.ingest(tmp_path)
        assert {"chatcmpl-1", "chatcmpl-9"} <= set(book.ids())


COUNTS = (b"1e400", b"-1e400", b"1" + b"0" * 30, b"-1", b"NaN", b"Infinity", b"1.5", b"true", b"{}")
TIMES = (b"1e400", b"1" + b"0" * 40, b"-5", b'"\\u0000"', b"[]")


def test_impossible_counts_and_times_are_rejected(tmp_path: Path) -> None:
    template = line(chat(2, created=7))
    records = [
        *(template.replace(b'"prompt_tokens": 10', b'"prompt_tokens": ' + bad) for bad in COUNTS),
        *(template.replace(b'"created": 7', b'"created": ' + bad) for bad in TIMES),
    ]
    with audit() as book:
        book.ingest(write(tmp_path / "log.jsonl", jsonl(chat(1), *records)))
        assert book.ids() == ["chatcmpl-1"]
        assert [number for number, _ in book.rejects()] == list(range(2, 2 + len(records)))


def test_a_record_that_fits_two_formats_does_not_stop_the_rest(tmp_path: Path) -> None:
    both = {"url": "https://x/v1/messages/chat/completions", "request": {}, "response": {}}
    with audit() as book:
        book.ingest(write(tmp_path / "log.jsonl", jsonl(both, chat(1), both)))
        assert book.ids() == ["chatcmpl-1"]
        assert [number for number, _ in book.rejects()] == [1, 3]
        assert "anthropic_messages, openai_chat" in book.rejects()[0][1]
        [unknown] = book.ingest(write(tmp_path / "both.jsonl", jsonl(both))).unknown
        assert "anthropic_messages, openai_chat" in unknown


def test_a_zip_bomb_is_read_in_small_steps(tmp_path: Path) -> None:
    """One line of 100 MB that packs to 100 kB."""
    import gzip

    packed = gzip.compress(jsonl(chat(1)) + b" " * 100_000_000 + jsonl(chat(2)))
    with audit() as book:
        book.ingest(write(tmp_path / "log.jsonl.gz", packed))
        assert book.ids()[0] == "chatcmpl-1"
