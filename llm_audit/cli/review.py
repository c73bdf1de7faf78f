"""`llm-audit review`: ask the owners of gray workloads, and keep their answers in the config."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_audit.cli.asking import Signer, append, ask_all, say_written
from llm_audit.cli.common import (
    DAY,
    common_options,
    config_option,
    config_path,
    policy_of,
    workspace,
)
from llm_audit.errors import UsageError
from llm_audit.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_audit.policy import Override
    from llm_audit.review import Answer, Review, Signature, Standing


@click.command("review")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "json"]),
    help="List the questions and ask nothing.  [default: ask; text where there is no terminal]",
)
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="WORKLOAD=24h|8h|no",
    help="Answer without asking, by id or caller: how long the results may take (24h or yes, 8h, "
    "90min, 2d), or no: somebody waits. Repeatable, all or none are written; needs --by.",
)
@click.option("--by", help="Who answers.  [default: asked for; you]")
@click.option("--because", help="Why.  [default: asked for; 'answered in llm-audit review ...']")
@click.option("--until", type=DAY, help="Last day on which the answers hold.")
@config_option
@common_options
def command(
    format_name: str | None,
    answers: tuple[str, ...],
    by: str | None,
    because: str | None,
    until: datetime | None,
    config: Path | None,
) -> None:
    """Ask the owner of each gray workload one question, the dearest first.

    Answers become signed [[override]] entries at the end of llm-audit.toml, or of pyproject.toml
    where its [tool.llm-audit] is in force. The next report honours them.

    Without a terminal it asks nothing and lists the questions; --answer asks nothing, either. The
    same answer again changes nothing; one that cannot be given exits with 2 and writes nothing.

    \b
        llm-audit review
        llm-audit review --answer w_0a1b2c3d4e=24h --by ana --because "read next day"
    """
    if answers and format_name:
        raise click.UsageError("--format lists the questions and --answer writes: choose one")
    _check_length("by", by)
    _check_length("because", because)
    last_day = _last_day(until)
    given = _given(answers)
    if given and not (by or "").strip():
        raise click.UsageError("--answer needs --by NAME: an answer is signed")
    path = config_path(config)
    review, standing = _review(path, config, Signer(by, because, last_day).default())
    if given:
        signature = Signer(by, because, last_day).default()
        _write_given(path, review, standing, given, signature, any_reason=not because)
    elif format_name == "json":
        from llm_audit.report.codec import to_json

        click.echo(to_json(review).rstrip())
    elif format_name == "text" or not _is_terminal():
        from llm_audit.review import listing

        click.echo(listing(review))
    else:
        ask_all(path, review, Signer(by, because, last_day))


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _check_length(option: str, text: str | None) -> None:
    from llm_audit.policy.parts import LONGEST_SIGNED

    most = LONGEST_SIGNED[option]
    if len((text or "").strip()) > most:
        raise click.BadParameter(f"more than {most} characters", param_hint=f"--{option}")


def _last_day(until: datetime | None) -> date | None:
    if until and until.date() < date.today():
        raise click.BadParameter(f"{until.date()} is over", param_hint="--until")
    return until.date() if until else None


def _given(answers: tuple[str, ...]) -> dict[str, Answer]:
    """`--answer` by workload, all checked before anything is written."""
    from llm_audit.review import parse

    given: dict[str, Answer] = {}
    for text in answers:
        name, sign, value = text.rpartition("=")
        if not sign or not name:
            raise click.BadParameter(
                f"{text!r} is not WORKLOAD=ANSWER, such as w_0a1b2c3d4e=24h", param_hint="--answer"
            )
        if name in given:
            raise click.BadParameter(f"{name} is answered twice", param_hint="--answer")
        given[name] = parse(value)
    return given


def _review(
    path: Path, config: Path | None, signature: Signature
) -> tuple[Review, Mapping[str, Standing]]:
    """Label and price as `report` does, then once more as if every owner had said yes."""
    from llm_audit import pipeline, review
    from llm_audit.policy.answers import entry

    policy = policy_of(config)
    with workspace().connect(must_exist=True) as connection:
        pipeline.run(connection, policy, date.today())
        for warning in pipeline.idle_policy(connection, policy):
            click.echo(f"warning: {printable(warning, 400)}", err=True)
        gray = review.gray_workloads(connection)
        now, standing = review.look(connection), review.standing(connection)
        supposed = [review.yes(workload) for workload in gray if workload.answer is None]
        with pipeline.supposing(connection, policy, [*supposed, *policy.overrides]):
            if_yes = review.look(connection)
    questions = [
        replace(q, toml=entry(review.override(q, review.YES, signature), path.name))
        for q in review.questions(gray, now, if_yes)
    ]
    return (
        review.Review(review.SCHEMA_VERSION, str(path), tuple(questions), review.answered(gray)),
        standing,
    )


def _write_given(
    path: Path,
    review: Review,
    standing: Mapping[str, Standing],
    given: Mapping[str, Answer],
    signature: Signature,
    *,
    any_reason: bool,
) -> None:
    """Write the answers of the command line, all or none.

    any_reason: an answer that stands there for another reason is the same answer.
    """
    from llm_audit.review import find, is_repeated, override, signed

    entries: list[tuple[str, Answer, Override]] = []
    for name, answer in given.items():
        said = signed(answer, signature, {})
        if is_repeated(name, said, review.questions, standing, any_reason=any_reason):
            click.echo(f"{printable(name)}: answered so already")
            continue
        question = find(name, review.questions, standing)
        entries.append((question.workload_id, answer, override(question, answer, signature)))
    names = [name for name, _, _ in entries]
    if len(set(names)) < len(names):
        raise UsageError(
            "one workload is answered twice, by its id and by its caller", slug="answer"
        )
    if not entries:
        return
    append(path, [entry for _, _, entry in entries])
    for name, answer, entry in entries:
        click.echo(f"{name}: {printable(entry.sentence, 300)}")
        if answer.remark:
            click.echo(f"  ({answer.remark})")
    say_written(path, len(entries))
