"""Makes log text fit to be shown: which characters a person may see, and how many on a line.

Model names, tags, file names and error excerpts are written by whoever sent the request. On a
terminal an escape sequence in one of them can move the cursor or retitle the window; in a report a
bidirectional override can make a name read as another one.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata

_ELLIPSIS = "…"

# ECMA-48: CSI (ESC [ ... final byte), OSC and the other strings (ended by BEL or ESC \), two-byte
# escapes; and the same introducers as single C1 characters.
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
)


def printable(text: str, limit: int = 200) -> str:
    """`text` on one line of at most `limit` characters, without anything invisible or active.

    Terminal escape sequences, control, bidirectional and zero-width characters and lone surrogates
    go; line breaks and exotic spaces become a space; a longer text ends in an ellipsis.
    """
    # A log line may be megabytes: look only at what can still be seen after cleaning.
    seen = text[: limit * 8]
    if not seen.isprintable():
        seen = _ESCAPE_SEQUENCE.sub("", seen)
        # str.isprintable is false for Unicode's "other" and "separator" groups, the space excepted.
        seen = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in seen)
    if len(seen) <= limit and len(text) <= limit * 8:
        return seen
    return seen[: limit - 1] + _ELLIPSIS


def cells(text: str) -> int:
    """Terminal cells: East Asian wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def cut(text: str, most: int) -> str:
    """`text` in at most `most` cells; what is longer ends in an ellipsis."""
    if cells(text) <= most:
        return text
    while text and cells(text) > most - 1:
        text = text[:-1]
    return text + _ELLIPSIS


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """Printable lines of at most `width` characters, all but the first indented."""
    return textwrap.wrap(
        printable(text, 2000),
        width,
        break_on_hyphens=False,
        subsequent_indent=" " * indent,
    )
