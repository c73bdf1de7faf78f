"""Files that are not one JSON object a line: JSON documents, event streams, CSV and Parquet.

Each is turned into records, one JSON text without line breaks per record. Numbers and strings stay
exactly as written.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from llm_audit.text import printable

if TYPE_CHECKING:
    import duckdb

_DECODER = json.JSONDecoder()
_SEPARATORS = re.compile(r"[\s,]*")
_STREAM_STARTS = re.compile(
    rb"^(?:event: *(?:message_start|response\.created)\r?\n)?data: *\{"
    rb'(?:"type": *"(?:message_start|response\.created)"|(?P<chunk>"id": *"[^"]*", *"object"))',
    re.MULTILINE,
)


@dataclass(frozen=True)
class Record:
    """One record of a document: its 1-based number, its JSON, or what is wrong with it."""

    number: int
    json: bytes
    problem: str = ""
    lacking: frozenset[str] = frozenset()
    """Of a CSV row that ends early: the columns it has no cell for. `json` has the others."""


def kind_of(head: bytes, name: str) -> str:
    """What a file is, by its first bytes: lines, json, sse, parquet, csv or text."""
    start = head.lstrip()[:16]
    if head.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"event:", b"data:")):
        return "sse"
    if start.startswith(b"[") and not _first_line_is_json(head):
        return "json"
    if start.startswith((b"{", b"[")):
        is_lines = _any_line_is_object(head) and not _goes_on_below(head)
        return "lines" if is_lines else "json"
    ending = name.lower().removesuffix(".gz").removesuffix(".zst")
    if ending.endswith((".csv", ".tsv")) or _looks_like_csv(head):
        return "csv"
    return "lines" if _any_line_is_object(head) else "text"


def _first_line_is_json(head: bytes) -> bool:
    """True for a line that is a whole value while more lines follow (JSON lines of arrays)."""
    first, _, rest = head.lstrip().partition(b"\n")
    return bool(rest.strip()) and not json_problem(first) and rest.lstrip()[:1] in b"[{"


def _any_line_is_object(head: bytes) -> bool:
    lines = head.splitlines()
    # A head cut off in the middle of its only line says nothing against lines.
    if len(lines) <= 1:
        return head.lstrip().startswith((b"{", b"["))
    return any(
        line.lstrip().startswith(b"{") and len(line) > 4 and not json_problem(line)
        for line in lines
    )


def _goes_on_below(head: bytes) -> bool:
    """The first line opens a value that the next one continues: a document with a line break here
    and there, of which the last line may look whole."""
    first = head.lstrip().split(b"\n", 1)[0].rstrip()
    if not first.endswith((b"{", b"[", b",", b":")):
        return False
    return len(head) >= _WHOLE or not json_problem(head)


EXPORT_HEADERS = (b"usage_date_utc,", b"start_time,end_time,")
"""How the CSV exports of the vendors begin, of which some name neither a model nor tokens."""

_WHOLE = 1 << 17
"""Bytes from which on a head may be a part of the file only."""


def _looks_like_csv(head: bytes) -> bool:
    """A header line of canonical-looking names."""
    first = head.split(b"\n", 1)[0].strip().lower()
    # A brace or a NUL is no header but a log line behind a prefix, or an archive of logs.
    is_text = b"{" not in first and b"\0" not in first
    if first.replace(b'"', b"").startswith(EXPORT_HEADERS):
        return is_text
    return is_text and first.count(b",") >= 2 and b"model" in first and b"tokens" in first


def json_problem(line: bytes) -> str:
    """Why a line is not one JSON value; "" when it is."""
    try:
        json.loads(line)
    except UnicodeDecodeError:
        return "not UTF-8 text"
    except RecursionError:
        return "nested too deeply"
    except ValueError as error:
        reason = str(error).split(":")[0].removesuffix(" at")
        column = getattr(error, "colno", 0)
        return f"not JSON: {reason} at column {column}" if column else f"not JSON: {reason}"
    return ""


_TOKEN = re.compile(
    r'"(?P<key>[\w.$-]{1,40})"(?P<colon>\s*:)|(?P<text>"(?:[^"\\]|\\.)*"?)'
    r"|(?P<mark>[\[\]{},:]|\s+|-?\d[\d.eE+-]*|true|false|null)|(?P<other>[^\[\]{},:\"\s]+)"
)


def excerpt(line: bytes) -> str:
    """What a person may see of a bad line: its keys, numbers and shape, never a text."""
    text = line[:4000].decode("utf-8", "replace")
    if not text.lstrip().startswith(("{", "[")):
        return f"… ({len(line)} bytes)"
    return printable(_TOKEN.sub(_mask, text).strip(), 200)


def _mask(match: re.Match[str]) -> str:
    if match["key"]:
        return f'"{match["key"]}"{match["colon"]}'
    if match["text"]:
        return '"…"'
    return match["mark"] or "…"


def json_records(stream: BinaryIO) -> Iterator[Record]:
    """The values of a JSON document: one object, an array's elements, or values in a row.

    Reads with a sliding window, so an array may be larger than memory. What follows a broken value
    cannot be told apart any more and is one bad record.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    buffer, position, number, step = "", 0, 0, 1 << 20
    at_end = False
    in_array = False
    while True:
        if position >= len(buffer) and at_end:
            return
        position = _skip_separators(buffer, position)
        if position < len(buffer) and buffer[position] == "[" and not in_array and number == 0:
            in_array, position = True, position + 1
            continue
        if position < len(buffer) and buffer[position] == "]" and in_array:
            position += 1
            continue
        value_end = _value_end(buffer, position)
        if value_end is not None and (value_end < len(buffer) or at_end):
            number += 1
            yield _record(number, buffer[position:value_end])
            position = value_end
            continue
        if not at_end:
            chunk = stream.read(step)
            at_end, step = not chunk, step * 2
            more = decoder.decode(chunk, at_end)
            buffer, position = buffer[position:] + more, 0
            continue
        rest = buffer[position:]
        if rest.strip():
            yield _record(number + 1, rest)
        return


def _skip_separators(buffer: str, position: int) -> int:
    match = _SEPARATORS.match(buffer, position)
    return match.end() if match else position


def _value_end(buffer: str, position: int) -> int | None:
    try:
        return _DECODER.raw_decode(buffer, position)[1]
    except (ValueError, RecursionError):
        return None


def _record(number: int, text: str) -> Record:
    # Inside a JSON value a raw line break can only stand between tokens.
    line = text.encode("utf-8", "surrogateescape").replace(b"\r", b" ").replace(b"\n", b" ")
    return Record(number, line, json_problem(line))


def sse_records(stream: BinaryIO) -> Iterator[Record]:
    """Each event stream of a file as one record `{"response": "<the stream>"}`."""
    data = stream.read()
    bounds = [0, *_openings(data)[1:], len(data)]
    for number, (start, end) in enumerate(pairwise(bounds), start=1):
        text = data[start:end].decode("utf-8", "replace")
        yield Record(number, json.dumps({"response": text}).encode())


def _openings(data: bytes) -> list[int]:
    """Where a new stream begins. Chunks of one chat stream all look like a start: only the one
    behind `[DONE]` opens the next."""
    openings: list[int] = []
    for match in _STREAM_STARTS.finditer(data):
        start = match.start()
        if not openings or not match["chunk"] or b"[DONE]" in data[openings[-1] : start]:
            openings.append(start)
    return openings


def line_records(stream: BinaryIO) -> Iterator[Record]:
    """Each line that is not blank as one record."""
    for number, line in enumerate(stream, start=1):
        if line.strip():
            yield Record(number, line.strip(), json_problem(line))


def csv_records(stream: BinaryIO) -> Iterator[Record]:
    """Each row of a CSV file with a header as one JSON object of texts."""
    lines = codecs.iterdecode(stream, "utf-8", "surrogateescape")
    header, delimiter = _csv_header(next(lines, ""))
    csv.field_size_limit(1 << 26)
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        # The header was line 1; a quoted line break makes a row span several lines.
        number = rows.line_num + 2
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(number, b"", f"not CSV: {error}")
            continue
        if row:
            yield _csv_record(number, header, row)


def _csv_header(line: str) -> tuple[list[str], str]:
    """The names of the columns, and what stands between them."""
    delimiter = max(",;\t|", key=line.count)
    return next(csv.reader([line], delimiter=delimiter), []), delimiter


def csv_header(head: bytes) -> dict[str, str]:
    """The header of a CSV file, by its first bytes, as a record without values."""
    first = head.decode("utf-8", "replace").lstrip().split("\n", 1)[0]
    return dict.fromkeys(_csv_header(first)[0], "")


def _csv_record(number: int, header: list[str], row: list[str]) -> Record:
    problem, lacking = "", frozenset(header[len(row) :])
    if len(row) != len(header):
        problem = f"{len(row)} fields where the header has {len(header)}"
    if len(row) > len(header):
        return Record(number, json.dumps(row).encode(), problem)
    try:
        line = json.dumps(dict(zip(header, row, strict=False)), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return Record(number, json.dumps(row).encode(), "not UTF-8 text")
    return Record(number, line, problem, lacking)


def parquet_lines(
    connection: duckdb.DuckDBPyConnection, path: Path, folder: Path, limit: int | None = None
) -> Path:
    """A Parquet file (or its first rows) as a file of JSON lines in `folder`.

    The file is copied first: as a name with glob characters it could match more than itself.
    Errors: `duckdb.Error` when it is no Parquet file.
    """
    source, target = folder / "table.parquet", folder / "table.jsonl"
    shutil.copyfile(path, source)
    rows = connection.read_parquet(str(source))
    connection.register("parquet_rows", rows if limit is None else rows.limit(limit))
    quoted = str(target).replace("'", "''")
    connection.execute(f"COPY parquet_rows TO '{quoted}' (FORMAT json)")
    return target


READERS: Mapping[str, Callable[[BinaryIO], Iterator[Record]]] = {
    "json": json_records,
    "sse": sse_records,
    "csv": csv_records,
    "lines": line_records,
}
"""How each kind of document becomes records (Parquet needs DuckDB: see `batch`)."""
