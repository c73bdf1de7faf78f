"""A session of `llm-audit review`: questions on a terminal, each answer kept at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit.errors import UsageError
from llm_audit.text import printable

if TYPE_CHECKING:
    from llm_audit.policy import Override
    from llm_audit.review import Answer, Review, Signature


class _EnoughError(Exception):
    """The owner wants no more questions."""


_CHOICES = "  [y]es up to 24 h, [h]ours (how many), [n]o somebody waits, [d]on't know, [q]uit"


class Signer:
    """Asks once who answers and why, when the first answer is to be written."""

    def __init__(self, by: str | None, because: str | None, until: date | None) -> None:
        self._by = (by or "").strip()
        self._because = (because or "").strip()
        self._until = until
        self._signature: Signature | None = None

    def default(self) -> Signature:
        """What needs no question: the options, else the user's name and a plain reason."""
        from llm_audit.review import Signature

        because = self._because or f"answered in llm-audit review on {date.today().isoformat()}"
        return Signature(self._by or _user() or "owner", because, self._until)

    def ask(self) -> Signature:
        """The signature of this session."""
        from llm_audit.review import Signature

        if self._signature is None:
            default = self.default()
            by = self._by or _ask_text("  your name", _user() or None, "by")
            because = self._because or _ask_text("  reason", default.because, "because")
            self._signature = Signature(by, because, self._until or _ask_day())
        return self._signature


def _user() -> str:
    import getpass

    try:
        return getpass.getuser().strip()
    except (KeyError, OSError, ImportError):
        return ""


def _ask_text(question: str, default: str | None, key: str) -> str:
    from llm_audit.policy.parts import LONGEST_SIGNED

    most = LONGEST_SIGNED[key]
    while True:
        text = str(click.prompt(question, default=default)).strip()
        if 0 < len(text) <= most:
            return text
        if text:
            click.echo(f"  that is more than {most} characters")


def _ask_day() -> date | None:
    while True:
        text = click.prompt(
            "  until which day (YYYY-MM-DD, empty: no end)", default="", show_default=False
        )
        try:
            day = date.fromisoformat(text.strip()) if text.strip() else None
        except ValueError:
            click.echo("  that is no day; write it like 2027-01-31")
            continue
        if day is None or day >= date.today():
            return day
        click.echo(f"  {day} is over")


def ask_all(path: Path, review: Review, signer: Signer) -> None:
    """One question after the other; each answer is written at once, so that none is lost."""
    from llm_audit.review import answered_lines, override, question_lines

    count = 0
    try:
        for number, question in enumerate(review.questions, start=1):
            lines = "\n".join(question_lines(question))
            click.echo(f"\n{number} of {len(review.questions)}: {lines}")
            answer = _ask()
            if answer is None:
                continue
            if answer.remark:
                click.echo(f"  ({answer.remark})")
            append(path, [override(question, answer, signer.ask())])
            count += 1
    except _EnoughError:
        pass
    for line in answered_lines(review):
        click.echo(line)
    if count:
        say_written(path, count)
    elif not review.questions:
        click.echo("nothing to ask: no gray workload is without an answer")
    else:
        click.echo("no answer, nothing written", err=True)


def _ask() -> Answer | None:
    """The owner's answer; None where they do not know. Errors: `_EnoughError`."""
    from llm_audit.review import NO, YES

    while True:
        text = click.prompt(_CHOICES)
        match text.strip().lower():
            case "y" | "yes":
                return YES
            case "h" | "hours":
                return _ask_hours()
            case "n" | "no":
                return NO
            case "d" | "don't know":
                return None
            case "q" | "quit":
                raise _EnoughError
        click.echo("  please answer y, h, n, d or q")


def _ask_hours() -> Answer:
    from llm_audit.review import parse

    while True:
        try:
            return parse(f"{click.prompt('  how many hours').strip().lower().removesuffix('h')}h")
        except UsageError:
            click.echo("  that is no number of hours; write it like 8 or 1.5, at most 8760")


def append(path: Path, overrides: list[Override]) -> None:
    """Write the entries into the config, all or none."""
    from llm_audit.policy import answers

    today = date.today()
    answers.append(path, overrides, today=today, note=f"llm-audit review, {today.isoformat()}")


def say_written(path: Path, count: int) -> None:
    """Where the answers are now."""
    answers = f"{count} answer{'' if count == 1 else 's'}"
    where = printable(str(path))
    click.echo(f"wrote {answers} to {where}; the next `llm-audit report` honours them", err=True)
