"""Nothing is lost: whatever lines a file is made of, each is booked once, at its own place."""

from __future__ import annotations

import gzip
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ingest.helpers import audit, chat, embedding, jsonl, line, message, write


@dataclass(frozen=True)
class Line:
    """A line of a log and what must become of it: call, reject, not_call or blank."""

    text: bytes
    fate: str
    call_id: str = ""


def litellm(number: int) -> dict[str, object]:
    return {
        "id": f"litellm-{number}",
        "call_type": "acompletion",
        "status": "success",
        "startTime": 1_750_000_000.0 + number,
        "endTime": 1_750_000_001.0 + number,
        "model": "gpt-4.1-mini",
        "prompt_tokens": 5,
        "completion_tokens": 6,
        "metadata": {},
    }


def batch_result(number: int) -> dict[str, object]:
    return {
        "id": f"batch_req_{number}",
        "custom_id": f"c-{number}",
        "response": {"status_code": 200, "request_id": "r", "body": chat(number, id=f"b-{number}")},
        "error": None,
    }


NUMBERS = st.integers(1, 30)
GOOD = st.one_of(
    NUMBERS.map(lambda n: Line(line(chat(n)), "call", f"chatcmpl-{n}")),
    NUMBERS.map(lambda n: Line(line(message(n)), "call", f"msg_{n}")),
    NUMBERS.map(lambda n: Line(line(litellm(n)), "call", f"litellm-{n}")),
    NUMBERS.map(lambda n: Line(line(batch_result(n)), "call", f"b-{n}")),
    st.just(Line(line(embedding()), "call")),
    NUMBERS.map(lambda n: Line(b"  " + line(chat(n)) + b" ", "call", f"chatcmpl-{n}")),
)
BAD = st.sampled_from(
    [
        b"{broken",
        b"}{",
        b"not json at all",
        line(chat(99))[:40],
        line(chat(99))[:-1],
        line(chat(99)) * 2,
        line(chat(99)) + b" " + line(chat(98)),
        line(chat(99)).replace(b"gpt", b"\xff\xfe"),
        b"\xc3\x28",
        b"\x00",
        line(chat(99))[:50] + b"\x00" + line(chat(99))[50:],
        line(chat(99, usage={"prompt_tokens": "many", "completion_tokens": 1})),
        line(chat(99, usage={"prompt_tokens": -1, "completion_tokens": 1})),
        line(message(99, usage={"input_tokens": [1], "output_tokens": 1})),
        line({**litellm(99), "startTime": "yesterday"}),
        b"[1, 2]",
        b"[" + line(chat(99)) + b"]",
        b"[]",
        b"{}",
        b"42",
        b'"text"',
        b"null",
        b'{"level": "info", "message": "started"}',
    ]
).map(lambda text: Line(text, "reject"))
NOT_CALL = st.sampled_from(
    [
        b'{"input_tokens": 12}',
        b'{"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": {"input": ""}}',
        b'{"custom_id": "a", "params": {"model": "claude-sonnet-4-5"}}',
    ]
).map(lambda text: Line(text, "not_call"))
BLANK = st.sampled_from([b"", b" ", b"\t ", b"\r"]).map(lambda text: Line(text, "blank"))

LINES = st.lists(st.one_of(GOOD, GOOD, BAD, NOT_CALL, BLANK), max_size=25).map(
    # The first line is good, so that the file is taken for what it is.
    lambda lines: [Line(line(chat(1)), "call", "chatcmpl-1"), *lines]
)


@dataclass(frozen=True)
class Style:
    """How the same lines are written down."""

    ending: bytes
    bom: bool
    last_ending: bool
    packing: str

    def bytes_of(self, lines: list[Line]) -> bytes:
        content = self.ending.join(line.text for line in lines)
        content = (b"\xef\xbb\xbf" if self.bom else b"") + content
        content += self.ending if self.last_ending else b""
        if self.packing == ".gz":
            return gzip.compress(content)
        if self.packing == ".zst":
            return zstandard.ZstdCompressor().compress(content)
        return content


STYLES = st.builds(
    Style,
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", ".gz", ".zst"]),
)


def expected(files: list[list[Line]]) -> tuple[set[str], int]:
    """The ids and the number of calls without one."""
    calls = [line for lines in files for line in lines if line.fate == "call"]
    return {call.call_id for call in calls if call.call_id}, sum(not c.call_id for c in calls)


def count(files: list[list[Line]], *fates: str) -> int:
    return sum(line.fate in fates for lines in files for line in lines)


@settings(max_examples=8, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=2), STYLES)
def test_every_line_is_booked(files: list[list[Line]], style: Style) -> None:
    with tempfile.TemporaryDirectory() as name, audit() as book:
        folder = Path(name)
        for number, lines in enumerate(files):
            # The number in the last line keeps two files from having the same bytes.
            last = Line(line(chat(100 + number)), "call", f"chatcmpl-{100 + number}")
            lines.append(last)
            write(folder / f"log-{number}.jsonl{style.packing}", style.bytes_of(lines))
        summary = book.ingest(folder)

        named, nameless = expected(files)
        ids = set(book.ids())
        assert named <= ids
        assert summary.calls == len(ids) == len(named) + nameless
        assert summary.lines == count(files, "call", "reject", "not_call")
        assert summary.not_calls == count(files, "not_call")
        rejects = book.rows("SELECT source_file, line_number FROM rejects ORDER BY ALL")
        assert rejects == [
            (str((folder / f"log-{number}.jsonl{style.packing}").resolve()), place)
            for number, lines in enumerate(files)
            for place, one in enumerate(lines, start=1)
            if one.fate == "reject"
        ]
        where = "SELECT DISTINCT source_file, source_line FROM calls"
        assert len(book.rows(where)) == summary.calls
        for path, place in book.rows(where):
            written = files[int(path.split("log-")[1][0])][place - 1]
            assert written.fate == "call"

        again = book.ingest(folder)
        assert (again.lines, again.unchanged) == (0, len(files))
        assert set(book.ids()) == ids

        with audit() as other:
            for path in sorted(folder.iterdir(), reverse=True):
                other.ingest(path)
            assert set(other.ids()) == ids


@settings(max_examples=4, deadline=None)
@given(st.lists(GOOD, min_size=1, max_size=8), st.sampled_from([None, 2]), STYLES)
def test_documents_hold_the_same_calls_as_lines(
    lines: list[Line], indent: int | None, style: Style
) -> None:
    """An array, indented values in a row, and a file per record."""
    records = [json.loads(one.text) for one in lines]
    shapes = {
        "array": [Line(json.dumps(records, indent=indent).encode(), "")],
        "row": [Line(json.dumps(record, indent=2).encode(), "") for record in records],
    }
    named, nameless = expected([lines])
    with tempfile.TemporaryDirectory() as name:
        for shape, text in shapes.items():
            path = write(Path(name) / f"{shape}.json{style.packing}", style.bytes_of(text))
            with audit() as book:
                summary = book.ingest(path)
                assert (summary.lines, summary.rejects) == (len(lines), 0)
                assert summary.calls == len(named) + nameless
                assert named <= set(book.ids())
        tiny = Path(name) / "tiny"
        for number, one in enumerate(lines):
            write(tiny / f"{number}.json", one.text)
        with audit() as book:
            assert book.ingest(tiny).lines == len(lines)
            assert named <= set(book.ids())


def test_bad_elements_of_an_array_are_rejected_by_number(tmp_path: Path) -> None:
    array = b"[" + line(chat(1)) + b', 5, "x", null, {"a": 1}, ' + line(chat(2)) + b"]"
    with audit() as book:
        book.ingest(write(tmp_path / "array.json", array))
        assert book.ids() == ["chatcmpl-1", "chatcmpl-2"]
        assert [number for number, _ in book.rejects()] == [2, 3, 4, 5]


def test_a_document_cut_off_keeps_what_is_whole(tmp_path: Path) -> None:
    array = json.dumps([chat(1), chat(2), chat(3)], indent=2).encode()
    with audit() as book:
        book.ingest(write(tmp_path / "array.json", array[:-30]))
        assert book.ids() == ["chatcmpl-1", "chatcmpl-2"]
        assert [number for number, _ in book.rejects()] == [3]


def test_a_packed_file_cut_off_keeps_what_can_be_unpacked(tmp_path: Path) -> None:
    content = jsonl(*[chat(number) for number in range(3000)])
    for ending, packed in (
        (".gz", gzip.compress(content)),
        (".zst", zstandard.ZstdCompressor().compress(content)),
    ):
        name = f"cut.jsonl{ending}"
        with audit() as book:
            book.ingest(write(tmp_path / ending[1:] / name, packed[: len(packed) // 2]))
            assert len(book.ids()) > 500
            assert "compressed file is broken" in book.rejects()[-1][1]
            # A second cut-off file of the same bytes is a copy, and counted as one.
            lines = book.rows("SELECT lines FROM ingested_files")[0][0]
            write(tmp_path / ending[1:] / "copy" / name, packed[: len(packed) // 2])
            assert book.ingest(tmp_path / ending[1:]).duplicates == lines


def test_a_packed_file_cut_at_a_line_break_is_still_told(tmp_path: Path) -> None:
    packer = zstandard.ZstdCompressor().compressobj()
    packed = packer.compress(jsonl(chat(1))) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    with audit() as book:
        book.ingest(write(tmp_path / "cut.zst", packed))
        assert book.ids() == ["chatcmpl-1"]
        assert [number for number, _ in book.rejects()] == [2]
