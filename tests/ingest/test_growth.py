"""A file that grew, was cut off, rewritten, renamed, copied or packed: each call counts once."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from tests.ingest.helpers import Audit, audit, chat, embedding, jsonl, line, message, write


def state(book: Audit) -> list[tuple[object, ...]]:
    """Everything that must not depend on how often the file was read while it grew."""
    return book.rows(
        "SELECT call_id, source_line, input_tokens, output_tokens FROM calls ORDER BY ALL"
    ) + book.rows("SELECT line_number, reason FROM rejects ORDER BY ALL")


def books(book: Audit) -> list[tuple[object, ...]]:
    return book.rows(
        "SELECT path, size, digest, lines, calls, rejects, duplicates, not_calls "
        "FROM ingested_files ORDER BY path"
    )


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([jsonl(chat(1), chat(2)), jsonl(chat(3))], id="lines"),
        pytest.param([jsonl(chat(1)), jsonl(chat(1), b"", b"{x", chat(2))], id="mixed"),
        pytest.param([jsonl(chat(1)) + line(chat(2))[:50], line(chat(2))[50:] + b"\n"], id="cut"),
        pytest.param([jsonl(chat(1)) + line(chat(2)), b"\n" + line(chat(3))], id="no line break"),
        pytest.param([jsonl(chat(1)) + b"  ", line(chat(2)) + b"\n"], id="cut before the record"),
        pytest.param([jsonl(chat(1)), jsonl(b"", b"{broken") + b"{", b"\n"], id="cut and broken"),
        pytest.param([jsonl(chat(1)), b"{", b'"a"', b": 1}\n", jsonl(chat(2))], id="cut often"),
        pytest.param([jsonl(embedding(), embedding()), jsonl(embedding())], id="without ids"),
        pytest.param(
            [jsonl(chat(1), embedding(), chat(2)), jsonl(embedding(), embedding(), chat(3))],
            id="without ids, the lesser part",
        ),
        pytest.param([jsonl(chat(1)), jsonl(message(1), message(2)), jsonl(chat(2))], id="kinds"),
    ],
)
def test_growing_gives_what_reading_once_gives(tmp_path: Path, pieces: list[bytes]) -> None:
    path = tmp_path / "log.jsonl"
    with audit() as grown, audit() as at_once:
        for end in range(1, len(pieces) + 1):
            write(path, b"".join(pieces[:end]))
            grown.ingest(path)
        assert grown.ingest(path).unchanged == 1
        at_once.ingest(path)
        assert state(grown) == state(at_once)
        assert books(grown) == books(at_once)


def test_only_what_is_new_is_added(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with audit() as book:
        book.ingest(write(path, jsonl(chat(1), chat(2))))
        summary = book.ingest(write(path, jsonl(chat(1), chat(2), b"{", chat(2), chat(3))))
        assert (summary.lines, summary.calls, summary.rejects, summary.duplicates) == (3, 1, 1, 1)
        assert book.rows("SELECT lines, calls FROM ingested_files") == [(5, 3)]


def test_a_large_file_grows(tmp_path: Path) -> None:
    """Large files are read where they lie, not through a spool."""
    path = tmp_path / "log.jsonl"
    records = [chat(number) for number in range(1, 8001)]
    with audit() as book:
        book.ingest(write(path, jsonl(*records[:5000])))
        assert book.ingest(write(path, jsonl(*records))).lines == 3000
        assert len(book.ids()) == 8000
        assert book.rows("SELECT count(*) FROM calls WHERE source_line <> output_tokens") == [(0,)]


def test_a_touched_file_is_unchanged(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", jsonl(chat(1)))
    with audit() as book:
        book.ingest(path)
        os.utime(path, (1, 1))
        summary = book.ingest(path)
        assert (summary.lines, summary.unchanged) == (0, 1)
        assert book.ingest(write(path, jsonl(chat(1), chat(2)))).lines == 1
        assert len(books(book)) == 1


def test_a_rewritten_file_adds_its_new_calls(tmp_path: Path) -> None:
    """Log rotation writes a new file under the old name; the calls of the old one were made."""
    path = tmp_path / "log.jsonl"
    with audit() as book:
        book.ingest(write(path, jsonl(chat(1), b"{", embedding())))
        summary = book.ingest(write(path, jsonl(chat(2), chat(1), embedding(), embedding())))
        assert (summary.lines, summary.calls, summary.duplicates) == (4, 2, 2)
        assert len(book.ids()) == 4
        assert book.ingest(write(path, jsonl(chat(2), chat(1), embedding(), embedding()) * 2))
        assert len(book.ids()) == 6


def test_the_same_bytes_under_another_name_are_duplicates(tmp_path: Path) -> None:
    content = jsonl(chat(1), embedding(), b"{", b'{"input_tokens": 3}')
    write(tmp_path / "a.jsonl", content)
    write(tmp_path / "b.jsonl", content)
    with audit() as book:
        summary = book.ingest(tmp_path)
        assert (summary.calls, summary.rejects, summary.not_calls) == (2, 1, 1)
        assert (summary.lines, summary.duplicates) == (8, 4)
        later = book.ingest(write(tmp_path / "c.jsonl", content))
        assert (later.lines, later.duplicates) == (4, 4)
        assert book.ingest(tmp_path).unchanged == 3


def test_a_copy_of_a_file_that_grew_in_the_same_ingest(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", jsonl(chat(1), chat(2)))
    with audit() as book:
        book.ingest(path)
        write(path, jsonl(chat(1), chat(2), chat(3)))
        write(tmp_path / "b.jsonl", jsonl(chat(1), chat(2), chat(3)))
        summary = book.ingest(tmp_path)
        assert (summary.calls, summary.duplicates) == (1, 3)


def test_a_copy_that_grew(tmp_path: Path) -> None:
    content = jsonl(chat(1), chat(2))
    with audit() as book:
        book.ingest(write(tmp_path / "a.jsonl", content))
        book.ingest(write(tmp_path / "b.jsonl", content))
        summary = book.ingest(write(tmp_path / "b.jsonl", content + jsonl(chat(3))))
        assert (summary.lines, summary.calls) == (1, 1)


def test_a_packed_copy_adds_no_call(tmp_path: Path) -> None:
    content = jsonl(chat(1), chat(2), b"{")
    with audit() as book:
        book.ingest(write(tmp_path / "log.jsonl", content))
        summary = book.ingest(write(tmp_path / "log.jsonl.1.gz", gzip.compress(content)))
        assert (summary.calls, summary.duplicates, summary.rejects) == (0, 2, 1)


def test_a_copy_of_an_unknown_file_is_as_unknown(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", b'{"level": "info"}\n')
    second = write(tmp_path / "b.jsonl", b'{"level": "info"}\n')
    with audit() as book:
        summary = book.ingest(first, second)
        assert len(summary.unknown) == 2
        assert books(book) == []


def test_a_better_row_takes_the_place_of_a_known_call(tmp_path: Path) -> None:
    """A queued answer has no usage yet; the finished one comes later, in whichever file."""
    queued = chat(1, usage=None)
    for number, (first, second) in enumerate([(queued, chat(1)), (chat(1), queued)]):
        folder = tmp_path / str(number)
        with audit() as book:
            book.ingest(write(folder / "a.jsonl", jsonl(first, chat(5))))
            book.ingest(write(folder / "b.jsonl", jsonl(second)))
            assert book.rows("SELECT call_id, input_tokens FROM calls ORDER BY 1") == [
                ("chatcmpl-1", 10),
                ("chatcmpl-5", 10),
            ]
            book.ingest(write(folder / "a.jsonl", jsonl(first, chat(5), chat(6), chat(1))))
            assert len(book.ids()) == 3


def test_standard_input_twice_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write(tmp_path / "log.jsonl", jsonl(chat(1), embedding()))
    with audit() as book:
        for calls in (2, 0):
            with log.open() as stdin:
                monkeypatch.setattr("sys.stdin", stdin)
                assert book.ingest("-").calls == calls
        assert book.rows("SELECT DISTINCT source_file FROM calls") == [("stdin",)]
