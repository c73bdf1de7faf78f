"""Layer 3: how much two answers say the same. Pure figures; no vendor promises equal texts."""

from __future__ import annotations

import math
import operator
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llm_audit.migrate.answers import parsed

_COMPARED = 4_000
"""Characters of a text that its similarity is told by."""


def normal(text: str) -> str:
    """One form for texts that differ in white space or in how a letter is encoded only."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def similarity(one: str, other: str) -> float:
    """Cosine of the character trigrams of two normal texts: 1 for equal ones, 0 for strangers."""
    if one == other:
        return 1.0
    a, b = _trigrams(one[:_COMPARED]), _trigrams(other[:_COMPARED])
    if len(a) > len(b):
        a, b = b, a
    product = sum(count * b.get(gram, 0) for gram, count in a.items())
    size = math.sqrt(_square(a)) * math.sqrt(_square(b))
    return round(product / size, 4) if size else 0.0


def _trigrams(text: str) -> Counter[str]:
    padded = f"  {text} "
    return Counter(map("".join, zip(padded, padded[1:], padded[2:], strict=False)))


def _square(counts: Mapping[str, int]) -> int:
    return sum(map(operator.mul, counts.values(), counts.values()))


def fields(one: str, other: str) -> tuple[int, int] | None:
    """Fields of two JSON documents that are equal, of all in either; None if one is no document."""
    documents = [parsed(text) for text in (one, other)]
    if not all(isinstance(document, dict | list) for document in documents):
        return None
    a, b = (dict(_leaves(document)) for document in documents)
    same = sum(1 for path, value in a.items() if path in b and _equal(value, b[path]))
    return same, len(a.keys() | b.keys())


def _leaves(document: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value that holds no other, under its path; an empty container is a value."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        parts: Sequence[tuple[Any, Any]] = ()
        if isinstance(value, dict):
            parts = list(value.items())
        elif isinstance(value, list):
            parts = list(enumerate(value))
        if not parts:
            yield path, value
        waiting.extend(((*path, name), part) for name, part in parts)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return normal(one) == normal(other)
    return type(one) is type(other) and bool(one == other)


def kappa(pairs: Mapping[tuple[str, str], int]) -> float | None:
    """Cohen's kappa of two lists of labels: agreement beyond chance; None where all are one label.

    pairs: how often each (logged, new) pair of labels came.
    """
    total = sum(pairs.values())
    rows, columns = Counter[str](), Counter[str]()
    for (one, other), count in pairs.items():
        rows[one] += count
        columns[other] += count
    agreed = sum(count for (one, other), count in pairs.items() if one == other) / total
    chance = sum(count * columns[label] for label, count in rows.items()) / total**2
    return None if chance == 1 else round((agreed - chance) / (1 - chance), 4)
