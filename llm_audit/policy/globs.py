"""Globs of an override: what they match, and how a name is written that matches only itself."""

from __future__ import annotations

import re

_PIECE = re.compile(r"\[([*?])\]|([*?])|([\\%_])", re.DOTALL)
_WILD = {"*": "%", "?": "_"}


def exact(name: str) -> str:
    """The glob that matches `name` and nothing else: its `*` and `?` stand in brackets."""
    return re.sub(r"[*?]", r"[\g<0>]", name)


def like_pattern(glob: str) -> str:
    """A glob as a LIKE pattern with `\\` as the escape.

    `*` is any text, `?` one character, `[*]` and `[?]` are these characters themselves. All else,
    brackets included, is literal.
    """
    return _PIECE.sub(lambda m: m[1] or (_WILD[m[2]] if m[2] else f"\\{m[3]}"), glob)
