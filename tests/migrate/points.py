"""Points at which a client may die: before and behind each commit, each call and each rename."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llm_audit.migrate.context import Context
from llm_audit.migrate.ledger import Ledger

PLACES: tuple[tuple[type, str], ...] = (
    (Ledger, "_commit"),
    (Context, "hear"),
    (Path, "replace"),
    (Path, "rename"),
)


class DeathError(BaseException):
    """The end of a client that shares its process with the test: nothing may catch it."""


def die() -> None:
    """End without a word."""
    raise DeathError


class Points:
    """Counts the points that are passed. at: what happens at which of them, from 1."""

    def __init__(self, at: dict[int, Callable[[], None]] | None = None) -> None:
        self.at = at or {}
        self.passed = 0

    def meet(self) -> None:
        """One point."""
        self.passed += 1
        if self.passed in self.at:
            self.at[self.passed]()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A point before and one behind every call of the methods of `PLACES`."""
        before = [(owner, name, getattr(owner, name)) for owner, name in PLACES]
        for owner, name, method in before:
            setattr(owner, name, self._around(method))
        try:
            yield
        finally:
            for owner, name, method in before:
                setattr(owner, name, method)

    def _around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.meet()
            result = method(*args, **kwargs)
            self.meet()
            return result

        return wrapped
