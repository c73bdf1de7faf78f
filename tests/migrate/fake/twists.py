"""Lines of answers, and ids of strangers, such as no reader should trip over."""

from __future__ import annotations

from typing import Any

from tests.migrate.fake.scenario import Json
from tests.migrate.fake.store import StoredRow

DEPTH = 100_000
DEEP_MARK = b'"@deep@"'
DEEP = b"[" * DEPTH + b"]" * DEPTH
"""What no parser goes into, in place of the mark."""

STRANGER_IDS: dict[str, Any] = {
    "surrogate": "la-\ud800-stranger",
    "control": "la-\x00\x1b[2J\r\n-stranger",
    "long": "la-" + "x" * 10_000,
    "empty": "",
    "number": 7,
}


def twisted(row: StoredRow, line: Json) -> Json:
    """The line of an answer, as the row's rule wants it. Changes it in place."""
    words = row.twist.split(",") if row.twist and row.billed else ()
    for word in words:
        _twist(word, line)
    return line


def _twist(word: str, line: Json) -> None:
    outer: Json = line.get("response") or line["result"]
    inner = "body" if "response" in line else "message"
    answer: Json = outer[inner]
    usage: Json = answer.get("usage") or {}
    match word:
        case "no_usage":
            answer.pop("usage", None)
        case "float_usage":
            usage.update({name: n + 0.5 for name, n in usage.items() if isinstance(n, int)})
        case "negative_usage":
            usage.update({name: -n for name, n in usage.items() if isinstance(n, int)})
        case "huge_usage":
            usage.update({name: 2**70 for name, n in usage.items() if isinstance(n, int)})
        case "cached_over_input":
            _cached_over_input(usage)
        case "odd_model":
            answer["model"] = "\ud800\x1b[2J" + "m" * 10_000
        case "deep" if inner == "body":
            outer[inner] = DEEP.decode()  # as text, as some compatible servers send it
        case "deep":
            answer["content"] = DEEP_MARK.decode().strip('"')
        case _:
            _status(word, outer)


def _cached_over_input(usage: Json) -> None:
    for name in ("prompt_tokens_details", "input_tokens_details"):
        if name in usage:
            usage[name]["cached_tokens"] = 10_000
    if "cache_read_input_tokens" in usage:  # Anthropic counts them apart: less than none is left
        usage |= {"input_tokens": -9_000, "cache_read_input_tokens": 10_000}


def _status(word: str, outer: Json) -> None:
    """OpenAI's status code, or the type of Anthropic's result."""
    name = "status_code" if "status_code" in outer else "type"
    if word == "status_absent":
        outer.pop(name, None)
    elif word == "status_text":
        outer[name] = str(outer[name]).upper()
    elif word == "status_float":
        outer[name] = 200.0
