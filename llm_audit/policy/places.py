"""Where something stands in a TOML file: its line and, inside a text, its column.

`tomllib` keeps no positions. A file is therefore read once more when an error is told, and only
then: tokens are enough, because the file has passed `tomllib` by that time.
"""

from __future__ import annotations

import re
import tomllib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

Path = tuple[str | int, ...]
"""Keys from the top of a file to a value; the entries of a list count from 0."""


@dataclass(frozen=True)
class Source:
    """A file of a policy: its name, and its text with `\\n` alone as line end (empty: unknown)."""

    name: str
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Place:
    """Where something stands: the file, the keys that lead there, and words for a reader.

    inside: characters from the start of the text at `path`, for what is wrong within it.
    """

    source: Source
    path: Path = ()
    words: str = ""
    inside: int | None = None

    def at(self, key: str | int, words: str | None = None) -> Place:
        """The place of a key or list entry in here; told in the same words unless others."""
        return replace(self, path=(*self.path, key), words=self.words if words is None else words)

    def __str__(self) -> str:
        """`llm-audit.toml, line 14, [[override]] 3`: as much of it as is known."""
        return ", ".join(part for part in (self.source.name, self._spot(), self.words) if part)

    @property
    def line(self) -> int | None:
        """The line on which it begins, from 1; None where the file does not have it."""
        offset = _positions(self.source.text)[0].get(self.path)
        return None if offset is None else self._line(offset)

    def _spot(self) -> str:
        keys, texts = _positions(self.source.text)
        if self.inside is not None and self.path in texts:
            start, token = texts[self.path]
            offset = start + _within(token, self.inside)
            column = offset - self.source.text.rfind("\n", 0, offset)
            return f"line {self._line(offset)}, column {column}"
        for length in range(len(self.path), 0, -1):
            if (offset := keys.get(self.path[:length], -1)) >= 0:
                return f"line {self._line(offset)}"
        return ""

    def _line(self, offset: int) -> int:
        return self.source.text.count("\n", 0, offset) + 1


_TOKEN = re.compile(
    r"""
    (?P<text> "{3}(?:\\.|[^\\])*?"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
    | (?P<comment> \#[^\n]* )
    | (?P<mark> [\][{},=.\n] )
    | (?P<bare> [^\s\][{},=.#"']+ )
    """,
    re.VERBOSE | re.DOTALL,
)

_PIECE = re.compile(r"\\(?:u.{4}|U.{8}|[ \t]*\n\s*|.)|.", re.DOTALL)
"""One character of a basic string as it is written; a backslash at a line's end is none."""


def _within(token: str, count: int) -> int:
    """Where in a quoted text the character number `count` (from 0) of its value is written."""
    width = 3 if token[:3] in ('"""', "'''") and len(token) >= 6 else 1
    start = width + (width == 3 and token.startswith("\n", width))
    if token[0] == "'":
        return start + count
    pieces = (p for p in _PIECE.finditer(token, start) if not re.match(r"\\\s", p[0]))
    for piece in pieces:
        if count == 0:
            return piece.start()
        count -= 1
    return len(token)


@lru_cache(maxsize=4)
def _positions(text: str) -> tuple[Mapping[Path, int], Mapping[Path, tuple[int, str]]]:
    """The offset of every table, key and list entry, and offset and token of every text."""
    reader = _Reader(text)
    reader.read()
    return reader.keys, reader.texts


class _Reader:
    """Walks over the tokens of a file that is known to be TOML."""

    def __init__(self, text: str) -> None:
        self.keys: dict[Path, int] = {}
        self.texts: dict[Path, tuple[int, str]] = {}
        self._last: dict[Path, int] = {}  # of each list of tables, the entry that is open
        found = _TOKEN.finditer(text)
        self._tokens = deque((m.lastgroup, m[0], m.start()) for m in found if not m["comment"])

    def read(self) -> None:
        table: Path = ()
        while self._tokens:
            if self._next() == "\n":
                self._tokens.popleft()
            elif self._next() == "[":
                table = self._header()
            else:
                self._entry(table)

    def _next(self) -> str:
        return self._tokens[0][1] if self._tokens else "\n"

    def _header(self) -> Path:
        start = self._tokens.popleft()[2]
        is_list = self._next() == "["
        *parents, name = self._key("]")
        path: Path = ()
        for part in parents:
            path = (*path, part)
            self.keys.setdefault(path, start)
            path = self._open(path)
        path = (*path, name)
        self.keys.setdefault(path, start)
        if is_list:
            self._last[path] = self._last.get(path, -1) + 1
        path = self._open(path)
        self.keys.setdefault(path, start)
        return path

    def _open(self, path: Path) -> Path:
        return (*path, self._last[path]) if path in self._last else path

    def _key(self, end: str) -> list[str]:
        """The parts of a dotted key; `end` and what repeats it are taken, too."""
        parts = []
        while self._next() != end:
            kind, token, _ = self._tokens.popleft()
            if kind == "text":
                parts.append(str(tomllib.loads(f"k = {token}")["k"]))
            elif kind == "bare":
                parts.append(token)
        while self._next() == end:
            self._tokens.popleft()
        return parts

    def _entry(self, table: Path) -> None:
        start = self._tokens[0][2]
        path = table
        for part in self._key("="):
            path = (*path, part)
            self.keys.setdefault(path, start)
        self._value(path)

    def _value(self, path: Path) -> None:
        kind, token, start = self._tokens.popleft()
        self.keys.setdefault(path, start)
        if kind == "text":
            self.texts[path] = (start, token)
        elif token == "[":
            self._items("]", path)
        elif token == "{":
            self._items("}", path)
        else:
            while self._next() not in ("\n", ",", "]", "}"):
                self._tokens.popleft()

    def _items(self, end: str, path: Path) -> None:
        count = 0
        while self._next() != end:
            if self._next() in ("\n", ","):
                self._tokens.popleft()
            elif end == "}":
                self._entry(path)
            else:
                self._value((*path, count))
                count += 1
        self._tokens.popleft()
