"""How a policy is refused: where it is wrong, and the nearest thing that would be right."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from llm_audit.errors import PolicyError
from llm_audit.policy.places import Place

_MOST_LISTED = 16


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint: the known name that looks most alike; else all of them, or the nearest of many."""
    folded = {word.casefold(): word for word in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    if near:
        return f"did you mean `{folded[near[0]]}`?"
    if len(known) <= _MOST_LISTED:
        return f"known: {', '.join(known)}"
    alike = difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.0)
    return f"the nearest of {len(known)} are {', '.join(folded[word] for word in alike)}"


def refusal(place: Place, message: str, *, slug: str, hint: str = "") -> PolicyError:
    """The error to raise: file, line and place in it, and what is wrong."""
    return PolicyError(f"{place}: {message}", slug=slug, hint=hint)
