"""How a policy is refused: where it is wrong, and the nearest thing that would be right."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from llm_audit.errors import PolicyError


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint: the known name that looks most alike, else all of them."""
    folded = {word.casefold(): word for word in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    return f"did you mean `{folded[near[0]]}`?" if near else f"known: {', '.join(known)}"


def refusal(source: str, place: str, message: str, *, slug: str, hint: str = "") -> PolicyError:
    """The error to raise: file, place in it, and what is wrong."""
    where = f"{source}, {place}" if place else source
    return PolicyError(f"{where}: {message}", slug=slug, hint=hint)
